//! The confusion matrix as a picture.

use ndarray::ArrayView2;

use super::axis::grouped;
use super::canvas::{Canvas, Point, Stroke, Type};
use super::color::{self, Color};
use super::font;
use super::key;
use super::picture::Picture;
use crate::error::{Error, Result};

/// Draws a confusion matrix: counts in the cells, and as a cell's shade the part of its true class.
///
/// Above 30 classes cells have no room for counts, and only some classes are named.
///
/// # Shapes
///
/// `counts`: classes x classes, row = true class, column = predicted class, as
/// [`confusion_matrix`](crate::metrics::confusion_matrix) gives it; `names`: one for each class.
///
/// # Errors
///
/// [`Error::Shape`] for a matrix that is not square or another number of names, [`Error::InvalidData`] for no class,
/// or for more than 1000.
///
/// ```
/// let counts = ndarray::array![[50, 0], [3, 47]];
/// let picture = mfnet::report::confusion("Test set", counts.view(), &["inside", "outside"])?;
/// assert!(picture.svg().contains("inside"));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn confusion<S: AsRef<str>>(title: &str, counts: ArrayView2<'_, u64>, names: &[S]) -> Result<Picture> {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    Picture::of(&canvas(title, counts, &names)?)
}

/// Up to here cells have counts.
const COUNTED: usize = 30;
/// The side of a matrix whose cells have none.
const SIDE: f64 = 640.0;
/// The room for a class name.
const NAME: f64 = 150.0;
const SIZE: f64 = 12.0;

pub(super) fn canvas(title: &str, counts: ArrayView2<'_, u64>, names: &[&str]) -> Result<Canvas> {
    let classes = names.len();
    if counts.dim() != (classes, classes) {
        let (rows, columns) = counts.dim();
        let expected = format_args!("{classes} x {classes} counts, as there are names").to_string();
        return Err(Error::shape(
            "confusion",
            expected,
            format_args!("{rows} x {columns}"),
        ));
    }
    if classes == 0 || classes > 1000 {
        let problem = format_args!("{classes} classes, and 1 to 1000 can be drawn").to_string();
        return Err(Error::data("confusion matrix", problem));
    }
    let longest = counts
        .iter()
        .map(|count| grouped(*count))
        .max_by_key(String::len)
        .unwrap_or_default();
    let cell = if classes <= COUNTED {
        // Counts of 7 pixels at least.
        (520.0 / classes as f64)
            .clamp(24.0, 72.0)
            .max(font::width(&longest, 7.0) + 6.0)
    } else {
        SIDE / classes as f64
    };
    let digits = (13.0_f64).min(13.0 * (cell - 6.0) / font::width(&longest, 13.0));

    let names: Vec<String> = names.iter().map(|name| font::cut(name, SIZE, NAME)).collect();
    let widest = names
        .iter()
        .map(|name| font::width(name, SIZE))
        .fold(0.0, f64::max);
    // Names stand below the columns, upright where they are too wide.
    let upright = widest > cell - 6.0;
    let below = if upright { widest } else { SIZE };
    let side = cell * classes as f64;
    let (left, top) = (44.0 + widest, if title.is_empty() { 16.0 } else { 44.0 });
    let width = (left + side + 112.0).max(font::width(title, 16.0).min(640.0) + 32.0);
    let mut canvas = Canvas::new(width, top + side.max(120.0) + below + 48.0);
    let sides = (0.0, canvas.width);
    canvas.title(title, sides, 22.0);

    cells(
        &mut canvas,
        (left, top),
        cell,
        counts,
        (classes <= COUNTED).then_some(digits),
    );
    // Every so many names, so that they keep clear of each other.
    let every = ((SIZE + 3.0) / cell).ceil().max(1.0) as usize;
    let style = Type::new(SIZE, color::INK);
    for (class, name) in names.iter().enumerate().step_by(every) {
        let middle = (class as f64 + 0.5) * cell;
        canvas.text(name, (left - 8.0, top + middle), style.end());
        if upright {
            canvas.text(name, (left + middle, top + side + 8.0), style.end().upwards());
        } else {
            canvas.text(
                name,
                (left + middle, top + side + 8.0 + SIZE / 2.0),
                style.middle(),
            );
        }
    }
    let label = Type::new(13.0, color::INK).middle();
    canvas.text("true class", (16.0, top + side / 2.0), label.upwards());
    canvas.text(
        "predicted class",
        (left + side / 2.0, top + side + below + 26.0),
        label,
    );
    legend(&mut canvas, (left + side + 24.0, top), side.max(120.0));
    Ok(canvas)
}

fn cells(
    canvas: &mut Canvas,
    (left, top): Point,
    cell: f64,
    counts: ArrayView2<'_, u64>,
    digits: Option<f64>,
) {
    let side = cell * counts.nrows() as f64;
    canvas.rectangle((left, top), (left + side, top + side), color::sequential(0.0));
    for (row, line) in counts.rows().into_iter().enumerate() {
        let total: u64 = line.iter().sum();
        for (column, &count) in line.iter().enumerate() {
            let corner = (left + column as f64 * cell, top + row as f64 * cell);
            let ground = shade(count, total);
            if count > 0 || total == 0 {
                canvas.rectangle(corner, (corner.0 + cell, corner.1 + cell), ground);
            }
            if let Some(size) = digits {
                let middle = (corner.0 + cell / 2.0, corner.1 + cell / 2.0);
                // Empty cells step back.
                let ink = if count > 0 {
                    color::contrasting(ground)
                } else {
                    color::GRAY
                };
                canvas.text(&grouped(count), middle, Type::new(size, ink).middle());
            }
        }
    }
    if digits.is_some() {
        let line = Stroke::new(color::WHITE, 1.0);
        for index in 1..counts.nrows() {
            let along = index as f64 * cell;
            canvas.line((left + along, top), (left + along, top + side), line);
            canvas.line((left, top + along), (left + side, top + along), line);
        }
    }
    canvas.outline(
        (left, top),
        (left + side, top + side),
        Stroke::new(color::INK, 1.0),
    );
}

/// A class without samples has no parts.
fn shade(count: u64, total: u64) -> Color {
    if total == 0 {
        color::EMPTY
    } else {
        color::sequential(count as f64 / total as f64)
    }
}

/// What the shades mean.
fn legend(canvas: &mut Canvas, (left, top): Point, height: f64) {
    let height = height.min(260.0);
    let names = ["0 %", "25 %", "50 %", "75 %", "100 %"];
    key::draw(canvas, (left, top), height, color::sequential, names);
    let at = (left + 72.0, top + height / 2.0);
    let label = Type::new(11.0, color::GRAY).middle().upwards();
    canvas.text("of the true class", at, label);
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::canvas::tests::{check, texts};
    use super::*;

    fn counts(classes: usize, scale: u64) -> Array2<u64> {
        Array2::from_shape_fn((classes, classes), |(row, column)| {
            if row == column {
                90 * scale
            } else {
                (row * 7 + column * 3) as u64 % 11 * scale / 10
            }
        })
    }

    fn names(classes: usize, long: bool) -> Vec<String> {
        let name = |class: usize| {
            if long {
                format!("a class of a very long name, number {class}")
            } else {
                class.to_string()
            }
        };
        (0..classes).map(name).collect()
    }

    #[test]
    fn matrices_of_all_sizes_fit() {
        for classes in [1, 2, 3, 10, 30, 31, 100, 1000] {
            for (scale, long) in [(1, false), (1_000_000, true)] {
                let names = names(classes, long);
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                check(&canvas("A title", counts(classes, scale).view(), &names).unwrap());
            }
        }
    }

    #[test]
    fn cells_hold_their_counts() {
        let matrix = ndarray::array![[12, 0, 3456], [7, 65_432, 1], [0, 0, 0]];
        let canvas = canvas("", matrix.view(), &["a", "b", "c"]).unwrap();
        let texts = texts(&canvas);
        assert_eq!(texts[..9], ["12", "0", "3456", "7", "65,432", "1", "0", "0", "0"]);
        assert!(
            texts.contains(&"true class") && texts.contains(&"predicted class"),
            "{texts:?}"
        );
    }

    #[test]
    fn what_is_no_confusion_matrix_is_refused() {
        let problem = |matrix: Array2<u64>, names: &[&str]| {
            confusion("", matrix.view(), names).unwrap_err().to_string()
        };
        assert!(problem(Array2::zeros((2, 3)), &["a", "b"]).contains("found 2 x 3"));
        assert!(problem(Array2::zeros((0, 0)), &[]).contains("0 classes"));
        assert!(problem(Array2::zeros((1001, 1001)), &[""; 1001]).contains("1001 classes"));
    }
}
