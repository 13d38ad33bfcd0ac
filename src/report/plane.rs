//! What a network of two inputs answers all over the plane.

use ndarray::ArrayView2;

use super::axis::{Axis, drawable};
use super::canvas::{Canvas, Marker, Point, Type};
use super::color::{self, Color};
use super::font;
use super::frame::{Frame, Proportions};
use super::key;
use super::picture::Picture;
use crate::error::{Error, Result};

/// What [`plane`] draws.
#[derive(Debug, Clone)]
pub struct Plane<'a> {
    /// Above the picture.
    pub title: &'a str,
    /// The names of the two inputs.
    pub inputs: [&'a str; 2],
    /// The plane's part that is drawn: from, to of each input.
    pub ranges: [(f64, f64); 2],
    /// What was predicted at the middles of a grid of equal cells.
    pub prediction: Prediction<'a>,
    /// The names of the classes.
    pub classes: &'a [&'a str],
    /// Samples on top: both inputs and the true class. Those outside the ranges are left out.
    pub samples: &'a [(f64, f64, u32)],
}

/// A grid of answers. Row 0 has the least second input, column 0 the least first one.
#[derive(Debug, Clone, Copy)]
pub enum Prediction<'a> {
    /// Classes.
    Labels(ArrayView2<'a, u32>),
    /// Of two classes, the probability of the second.
    Probabilities(ArrayView2<'a, f64>),
}

/// Draws the predicted classes, or the probability of one of two, over the plane, with samples on top.
///
/// # Errors
///
/// [`Error::InvalidData`] for an empty grid or range, a class without a name, or probabilities of other than two
/// classes.
///
/// ```
/// use mfnet::report::{Plane, Prediction, plane};
///
/// let labels = ndarray::Array2::from_shape_fn((50, 50), |(row, column)| u32::from(row + column > 50));
/// let picture = plane(&Plane {
///     title: "Two halves",
///     inputs: ["x", "y"],
///     ranges: [(0.0, 1.0), (0.0, 1.0)],
///     prediction: Prediction::Labels(labels.view()),
///     classes: &["below", "above"],
///     samples: &[(0.2, 0.3, 0), (0.9, 0.8, 1)],
/// })?;
/// assert!(picture.svg().contains("above"));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn plane(plane: &Plane<'_>) -> Result<Picture> {
    Picture::of(&canvas(plane)?)
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 500.0;
/// The room for the legend, at the right.
const LEGEND: f64 = 150.0;
/// Classes that have a line in the legend.
const NAMED: usize = 20;

fn canvas(plane: &Plane<'_>) -> Result<Canvas> {
    let invalid = |problem: String| Error::data("plane", problem);
    for (name, (from, to)) in plane.inputs.iter().zip(plane.ranges) {
        if !(drawable(from) && drawable(to) && to - from > 1e-9 * from.abs().max(to.abs())) {
            return Err(invalid(format!("{name:?} cannot run from {from} to {to}")));
        }
    }
    let classes = plane.classes.len();
    let unnamed = |label: &&u32| **label as usize >= classes;
    let (shape, label) = match &plane.prediction {
        Prediction::Labels(labels) => (labels.dim(), labels.iter().find(unnamed)),
        Prediction::Probabilities(_) if classes != 2 => {
            return Err(invalid(format!(
                "probabilities are of two classes, and there are {classes}"
            )));
        }
        Prediction::Probabilities(probabilities) => (probabilities.dim(), None),
    };
    let label = label.or_else(|| plane.samples.iter().map(|sample| &sample.2).find(unnamed));
    if let Some(label) = label {
        return Err(invalid(format!("class {label} has no name, there are {classes}")));
    }
    if shape.0 == 0 || shape.1 == 0 {
        return Err(invalid("the grid is empty".to_owned()));
    }

    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    canvas.title(plane.title, (0.0, WIDTH), 22.0);
    let top = if plane.title.is_empty() { 14.0 } else { 44.0 };
    let [x, y] = [0, 1].map(|input| Axis::tight(plane.inputs[input], plane.ranges[input]));
    let end = (WIDTH - LEGEND, HEIGHT - 4.0);
    let frame = Frame::draw(
        &mut canvas,
        (4.0, top),
        end,
        (x, y),
        Proportions::Square { numbers: 0.0 },
    );
    grid(&mut canvas, &frame, &plane.prediction, shape);
    samples(&mut canvas, &frame, plane);
    frame.border(&mut canvas);
    legend(&mut canvas, (frame.right + 18.0, frame.top), plane);
    Ok(canvas)
}

/// The colour of a region, lighter than that of the samples in it.
fn region(class: usize) -> Color {
    color::lighter(color::of(class), 0.62)
}

/// The cells, each run of equal ones in a row as one rectangle.
fn grid(canvas: &mut Canvas, frame: &Frame, prediction: &Prediction<'_>, (rows, columns): (usize, usize)) {
    // More shades than these are not told apart.
    const SHADES: f64 = 40.0;
    let shade = |row: usize, column: usize| match prediction {
        Prediction::Labels(labels) => region(labels[[row, column]] as usize),
        Prediction::Probabilities(parts) => {
            let part = parts[[row, column]];
            if part.is_finite() {
                color::diverging((part * SHADES).round() / SHADES)
            } else {
                color::EMPTY
            }
        }
    };
    let (wide, high) = (frame.right - frame.left, frame.bottom - frame.top);
    let x = |column: usize| frame.left + wide * column as f64 / columns as f64;
    let y = |row: usize| frame.bottom - high * row as f64 / rows as f64;
    for row in 0..rows {
        let shades: Vec<Color> = (0..columns).map(|column| shade(row, column)).collect();
        let mut start = 0;
        for run in shades.chunk_by(|a, b| a == b) {
            let end = start + run.len();
            // Under the next ones by half a pixel: no seams.
            let (right, top) = ((x(end) + 0.5).min(frame.right), (y(row + 1) - 0.5).max(frame.top));
            canvas.rectangle((x(start), top), (right, y(row)), run[0]);
            start = end;
        }
    }
}

fn samples(canvas: &mut Canvas, frame: &Frame, plane: &Plane<'_>) {
    let inside = |value: f64, (from, to): (f64, f64)| (from..=to).contains(&value);
    let radius = if plane.samples.len() > 300 { 2.4 } else { 3.4 };
    for &(x, y, class) in plane.samples {
        if inside(x, plane.ranges[0]) && inside(y, plane.ranges[1]) {
            mark(canvas, frame.at((x, y)), class as usize, radius);
        }
    }
}

/// A sample: its class' colour and shape, on a white rim.
fn mark(canvas: &mut Canvas, at: Point, class: usize, radius: f64) {
    let marker = Marker::of(class);
    canvas.marker(marker, at, radius + 0.9, color::WHITE);
    canvas.marker(marker, at, radius, color::of(class));
}

fn legend(canvas: &mut Canvas, (left, top): Point, plane: &Plane<'_>) {
    let small = Type::new(12.0, color::INK);
    let room = WIDTH - left - 8.0;
    let mut y = top + 8.0;
    for (class, name) in plane.classes.iter().take(NAMED).enumerate() {
        if matches!(plane.prediction, Prediction::Labels(_)) {
            canvas.rectangle((left, y - 8.0), (left + 16.0, y + 8.0), region(class));
        }
        if !plane.samples.is_empty() {
            mark(canvas, (left + 8.0, y), class, 3.4);
        }
        canvas.text(&font::cut(name, 12.0, room - 22.0), (left + 22.0, y), small);
        y += 20.0;
    }
    if plane.classes.len() > NAMED {
        let more = format!("and {} more", plane.classes.len() - NAMED);
        canvas.text(&more, (left + 22.0, y), Type::new(12.0, color::GRAY));
    }
    if let Prediction::Probabilities(_) = plane.prediction {
        let name = font::cut(&format!("P({})", plane.classes[1]), 12.0, room);
        canvas.text(&name, (left, y + 16.0), small);
        let names = ["0", "0.25", "0.5", "0.75", "1"];
        key::draw(canvas, (left, y + 34.0), 200.0, color::diverging, names);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::canvas::tests::{check, texts};
    use super::*;

    fn base<'a>(prediction: Prediction<'a>, classes: &'a [&'a str]) -> Plane<'a> {
        Plane {
            title: "A title",
            inputs: ["first", "second"],
            ranges: [(0.0, 1.0), (-2.0, 3e5)],
            prediction,
            classes,
            samples: &[(0.5, 7.0, 1), (2.0, 0.0, 0), (f64::NAN, 0.0, 0)],
        }
    }

    #[test]
    fn pictures_fit() {
        let labels = Array2::from_shape_fn((30, 20), |(row, column)| u32::from(row * column > 200));
        let long = "a class whose name does not fit beside the plane";
        check(&canvas(&base(Prediction::Labels(labels.view()), &[long, "b"])).unwrap());
        check(&canvas(&base(Prediction::Labels(labels.view()), &[long; 25])).unwrap());
        let mut parts = labels.mapv(|label| f64::from(label) * 0.7);
        parts[[0, 0]] = f64::NAN;
        let canvas = canvas(&base(Prediction::Probabilities(parts.view()), &["a", long])).unwrap();
        check(&canvas);
        assert!(texts(&canvas).iter().any(|text| text.starts_with("P(a class")));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let labels = Array2::from_elem((2, 2), 2);
        let problem = |plane: &Plane<'_>| super::plane(plane).unwrap_err().to_string();
        let plane = base(Prediction::Labels(labels.view()), &["a", "b"]);
        assert!(problem(&plane).contains("class 2 has no name, there are 2"));
        let ranges = [(0.0, 1.0), (1.0, f64::NAN)];
        assert!(
            problem(&Plane {
                ranges,
                ..plane.clone()
            })
            .contains("\"second\" cannot run")
        );
        let empty = Array2::zeros((0, 2));
        assert!(problem(&base(Prediction::Labels(empty.view()), &["a", "b"])).contains("empty"));
        let parts = Array2::zeros((2, 2));
        assert!(problem(&base(Prediction::Probabilities(parts.view()), &["a"])).contains("two classes"));
    }
}
