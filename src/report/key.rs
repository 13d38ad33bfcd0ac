//! The bar that says what shades mean.

use super::canvas::{Canvas, Point, Stroke, Type};
use super::color::{self, Color};

/// Draws all shades from 0 at the bottom to 1 at the top, and beside them the names of 0, 1/4, 1/2, 3/4 and 1.
pub(super) fn draw(
    canvas: &mut Canvas,
    (left, top): Point,
    height: f64,
    shade: fn(f64) -> Color,
    names: [&str; 5],
) {
    const STEPS: u32 = 50;
    let right = left + 14.0;
    let y = |part: f64| top + height * (1.0 - part);
    for step in 0..STEPS {
        let part = f64::from(step) / f64::from(STEPS);
        // Up to the top: each covers the rest of the one below, so there are no seams.
        canvas.rectangle(
            (left, top),
            (right, y(part)),
            shade(f64::from(step) / f64::from(STEPS - 1)),
        );
    }
    canvas.outline((left, top), (right, top + height), Stroke::new(color::INK, 1.0));
    for (quarter, name) in (0u8..).zip(names) {
        let at = (right + 6.0, y(f64::from(quarter) / 4.0));
        canvas.text(name, at, Type::new(11.0, color::INK));
    }
}
