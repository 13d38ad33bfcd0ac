//! The frame around a panel's data: axes, their numbers and labels.

use super::axis::Axis;
use super::canvas::{Canvas, Point, Stroke, Type};
use super::color;
use super::font;

/// The size of the numbers along an axis.
const SMALL: f64 = 12.0;
/// The size of an axis' label.
const LABEL: f64 = 13.0;

/// The height of the numbers and the label below a frame.
const BELOW: f64 = 46.0;

/// Where data is drawn, in pixels.
pub(super) struct Frame {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
    x: Axis,
    y: Axis,
}

/// The proportions of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Proportions {
    /// As wide and as high as there is room.
    Filling,
    /// As wide as it is high, and in the middle. Beside it there is room for `numbers`, a width in pixels: with the widest
    /// of several panels, their frames are of one size.
    Square { numbers: f64 },
}

/// The numbers along a y axis of this height.
fn rows(y: &Axis, height: f64) -> Vec<(f64, String)> {
    y.ticks((height / 42.0).clamp(2.0, 8.0))
}

fn widest(rows: &[(f64, String)]) -> f64 {
    let widths = rows.iter().map(|(_, name)| font::width(name, SMALL));
    widths.fold(0.0, f64::max)
}

impl Frame {
    /// The width of the numbers along the y axis of a frame from `top` to `bottom`, as [`Frame::draw`] takes these.
    pub(super) fn width_of_numbers(y: &Axis, (top, bottom): (f64, f64)) -> f64 {
        widest(&rows(y, bottom - BELOW - top))
    }

    /// Draws the axes so that all that belongs to them is within the two corners.
    pub(super) fn draw(
        canvas: &mut Canvas,
        (left, top): Point,
        (right, bottom): Point,
        axes: (Axis, Axis),
        proportions: Proportions,
    ) -> Self {
        let (x, y) = axes;
        let bottom = bottom - BELOW;
        let rows = rows(&y, bottom - top);
        let widest = match proportions {
            Proportions::Filling => widest(&rows),
            Proportions::Square { numbers } => widest(&rows).max(numbers),
        };
        // From the left: the label, the numbers, the tick; on the right half of the last number stands out.
        let (left, right) = (left + LABEL + 14.0 + widest + 8.0, right - 18.0);
        let (left, right, top, bottom) = if proportions != Proportions::Filling {
            let side = (right - left).min(bottom - top);
            let spare = (right - left - side) / 2.0;
            (left + spare, left + spare + side, bottom - side, bottom)
        } else {
            (left, right, top, bottom)
        };
        let frame = Frame {
            left,
            top,
            right,
            bottom,
            x,
            y,
        };
        frame.grid(canvas, &rows);

        let middle = Type::new(LABEL, color::INK).middle();
        let label = font::cut(&frame.x.label, LABEL, right - left);
        canvas.text(&label, ((left + right) / 2.0, bottom + 36.0), middle);
        let label = font::cut(&frame.y.label, LABEL, bottom - top);
        let at = (left - widest - 8.0 - 6.0 - LABEL / 2.0, (top + bottom) / 2.0);
        canvas.text(&label, at, middle.upwards());
        frame
    }

    fn grid(&self, canvas: &mut Canvas, rows: &[(f64, String)]) {
        let Frame {
            left,
            top,
            right,
            bottom,
            ..
        } = *self;
        let faint = Stroke::new(color::lighter(color::GRID, 0.5), 0.75);
        for value in self.y.minor() {
            let height = self.y(value);
            canvas.line((left, height), (right, height), faint);
        }
        let line = Stroke::new(color::GRID, 1.0);
        let tick = Stroke::new(color::INK, 1.0);
        let small = Type::new(SMALL, color::INK);
        for (value, name) in rows {
            let height = self.y(*value);
            canvas.line((left, height), (right, height), line);
            canvas.line((left - 4.0, height), (left, height), tick);
            canvas.text(name, (left - 8.0, height), small.end());
        }
        for (value, name) in self.columns() {
            let place = self.x(value);
            canvas.line((place, top), (place, bottom), line);
            canvas.line((place, bottom), (place, bottom + 4.0), tick);
            canvas.text(&name, (place, bottom + 14.0), small.middle());
        }
        self.border(canvas);
    }

    /// The frame's own line; drawn once more, it lies over what touches it.
    pub(super) fn border(&self, canvas: &mut Canvas) {
        let line = Stroke::new(color::INK, 1.0);
        canvas.outline((self.left, self.top), (self.right, self.bottom), line);
    }

    /// As many numbers along the x axis as have room.
    fn columns(&self) -> Vec<(f64, String)> {
        let room = self.right - self.left;
        let mut ticks = self.x.ticks(10.0);
        for count in (2..=10).rev() {
            ticks = self.x.ticks(f64::from(count));
            let widest = ticks
                .iter()
                .map(|(_, name)| font::width(name, SMALL))
                .fold(0.0, f64::max);
            let between = room / ticks.len().max(1) as f64;
            if widest + 14.0 < between {
                break;
            }
        }
        ticks
    }

    /// Where a number of the x axis is, in pixels.
    pub(super) fn x(&self, value: f64) -> f64 {
        self.left + self.x.part(value) * (self.right - self.left)
    }

    /// Where a number of the y axis is, in pixels.
    pub(super) fn y(&self, value: f64) -> f64 {
        self.bottom - self.y.part(value) * (self.bottom - self.top)
    }

    pub(super) fn at(&self, (x, y): (f64, f64)) -> Point {
        (self.x(x), self.y(y))
    }
}
