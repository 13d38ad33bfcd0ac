//! Predicted against true values.

use super::axis::{Axis, Scale, drawable, grouped, range};
use super::canvas::{Canvas, Point, Stroke, Type};
use super::color;
use super::font;
use super::frame::{Frame, Proportions};
use super::picture::Picture;
use crate::error::{Error, Result};

/// One number that a network predicts of each sample.
#[derive(Debug, Clone, Default)]
pub struct Output<'a> {
    /// What it is, with its unit if it has one: `price (100,000 $)`.
    pub name: &'a str,
    /// The true values.
    pub truth: &'a [f64],
    /// What was predicted, in the same order.
    pub predicted: &'a [f64],
}

/// Draws predicted against true values, a panel for each of the first four outputs: right predictions are on the
/// diagonal.
///
/// Values that are not finite are left out. Of more than 5000 samples every so many are drawn, and always those with the
/// least and the greatest values, which the axes run to. The picture says both.
///
/// # Errors
///
/// [`Error::Shape`] for unequal counts, [`Error::InvalidData`] for no output, or one without a finite pair.
///
/// ```
/// use mfnet::report::{Output, predictions};
///
/// let output = Output { name: "price", truth: &[1.0, 2.0, 3.5], predicted: &[1.1, 1.9, 3.0] };
/// let picture = predictions("Test set", &[output])?;
/// assert!(picture.svg().contains("true price"));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn predictions(title: &str, outputs: &[Output<'_>]) -> Result<Picture> {
    Picture::of(&canvas(title, outputs)?)
}

/// More points than this are a blot.
const SHOWN: usize = 5000;
const PANELS: usize = 4;
const SMALL: f64 = 12.0;
const PANEL: (f64, f64) = (460.0, 460.0);

fn canvas(title: &str, outputs: &[Output<'_>]) -> Result<Canvas> {
    if outputs.is_empty() {
        return Err(Error::data("predictions", "there is no output to draw"));
    }
    let shown = &outputs[..outputs.len().min(PANELS)];
    let columns = shown.len().min(2);
    let top = if title.is_empty() { 10.0 } else { 40.0 };
    let rest = outputs.len() - shown.len();
    let below = if rest > 0 { 26.0 } else { 0.0 };
    let rows = shown.len().div_ceil(2) as f64;
    let mut canvas = Canvas::new(PANEL.0 * columns as f64 + 8.0, top + PANEL.1 * rows + 4.0 + below);
    let (width, height) = (canvas.width, canvas.height);
    canvas.title(title, (0.0, width), 22.0);
    let panels = shown.iter().map(Panel::of).collect::<Result<Vec<_>>>()?;
    // The frames of all panels are of one size.
    let numbers = panels.iter().map(Panel::width_of_numbers).fold(0.0, f64::max);
    for (index, panel) in panels.iter().enumerate() {
        let corner = (
            4.0 + PANEL.0 * (index % 2) as f64,
            top + PANEL.1 * (index / 2) as f64,
        );
        panel.draw(&mut canvas, corner, numbers);
    }
    if rest > 0 {
        let remark = format!("the first {PANELS} of {} outputs", outputs.len());
        canvas.text(
            &remark,
            (width / 2.0, height - 16.0),
            Type::new(SMALL, color::GRAY).middle(),
        );
    }
    Ok(canvas)
}

/// The points of one output.
struct Panel<'a> {
    name: &'a str,
    points: Vec<Point>,
    /// The least and the greatest of the points' values.
    values: (f64, f64),
    /// What is not shown.
    remark: String,
}

impl<'a> Panel<'a> {
    /// The frame's top and bottom below the panel's top.
    const FRAME: (f64, f64) = (22.0, PANEL.1 - 8.0);

    fn of(output: &Output<'a>) -> Result<Self> {
        let (truth, predicted) = (output.truth, output.predicted);
        if truth.len() != predicted.len() {
            let expected =
                format_args!("{} predicted values, as there are true ones", truth.len()).to_string();
            return Err(Error::shape("predictions", expected, predicted.len()));
        }
        let pairs = truth.iter().copied().zip(predicted.iter().copied());
        let pairs: Vec<Point> = pairs
            .filter(|(truth, predicted)| drawable(*truth) && drawable(*predicted))
            .collect();
        let points = spread(&pairs);
        let values = range(points.iter().flat_map(|pair| [pair.0, pair.1]));
        let Some(values) = values else {
            return Err(Error::data(
                "predictions",
                format_args!("{:?} has no finite pair of values", output.name),
            ));
        };
        let mut remarks = Vec::new();
        if points.len() < pairs.len() {
            remarks.push(format!(
                "{} of {} shown",
                grouped(points.len() as u64),
                grouped(pairs.len() as u64)
            ));
        }
        if pairs.len() < truth.len() {
            remarks.push(format!(
                "{} not finite",
                grouped((truth.len() - pairs.len()) as u64)
            ));
        }
        Ok(Panel {
            name: output.name,
            points,
            values,
            remark: remarks.join(", "),
        })
    }

    /// An axis; both run over the same numbers, so that the diagonal is one.
    fn axis(&self, what: &str) -> Axis {
        Axis::new(
            format!("{what} {}", self.name).trim_end(),
            Scale::Linear,
            self.values,
        )
    }

    fn width_of_numbers(&self) -> f64 {
        Frame::width_of_numbers(&self.axis("predicted"), Self::FRAME)
    }

    fn draw(&self, canvas: &mut Canvas, (left, top): Point, numbers: f64) {
        let points = &self.points;
        let (right, (first, last)) = (left + PANEL.0, Self::FRAME);
        let axes = (self.axis("true"), self.axis("predicted"));
        let square = Proportions::Square { numbers };
        let frame = Frame::draw(canvas, (left, top + first), (right, top + last), axes, square);
        let (radius, opacity) = match points.len() {
            0..=100 => (3.2, 0.7),
            101..=1000 => (2.5, 0.45),
            _ => (2.0, 0.25),
        };
        for point in points {
            canvas.disc(
                frame.at(*point),
                radius,
                color::translucent(color::of(0), opacity),
            );
        }
        let diagonal = Stroke {
            color: color::INK,
            width: 1.25,
            dash: &[6.0, 4.0],
        };
        canvas.line((frame.left, frame.bottom), (frame.right, frame.top), diagonal);
        // Above the frame, where it hides nothing.
        let (at, small) = ((left + 12.0, top + 8.0), Type::new(SMALL, color::INK));
        canvas.line(at, (at.0 + 28.0, at.1), diagonal);
        canvas.text("predicted = true", (at.0 + 34.0, at.1), small);
        let room = PANEL.0 - 64.0 - font::width("predicted = true", SMALL) - 20.0;
        let remark = font::cut(&self.remark, SMALL, room);
        let gray = Type::new(SMALL, color::GRAY);
        canvas.text(&remark, (right - 18.0, at.1), gray.end());
    }
}

/// So many of the points as can be told apart: those with the least and the greatest values, and others evenly from all.
fn spread(points: &[Point]) -> Vec<Point> {
    if points.len() <= SHOWN {
        return points.to_vec();
    }
    let place_of = |is_before: fn(&Point, &Point) -> bool| {
        let better = |best: usize, place: usize| match is_before(&points[place], &points[best]) {
            true => place,
            false => best,
        };
        (0..points.len()).fold(0, better)
    };
    let mut extremes = vec![
        place_of(|a, b| a.0 < b.0),
        place_of(|a, b| a.0 > b.0),
        place_of(|a, b| a.1 < b.1),
        place_of(|a, b| a.1 > b.1),
    ];
    extremes.sort_unstable();
    extremes.dedup();
    let others: Vec<Point> = (0..points.len())
        .filter(|place| !extremes.contains(place))
        .map(|place| points[place])
        .collect();
    let count = SHOWN - extremes.len();
    let evenly = (0..count).map(|index| others[index * others.len() / count]);
    evenly
        .chain(extremes.iter().map(|&place| points[place]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::canvas::Shape;
    use super::super::canvas::tests::{check, texts};
    use super::*;

    fn values(count: usize, scale: f64) -> (Vec<f64>, Vec<f64>) {
        let truth: Vec<f64> = (0..count)
            .map(|index| scale * (index as f64 * 0.7).sin())
            .collect();
        let predicted = truth
            .iter()
            .enumerate()
            .map(|(index, value)| value * 0.9 + 0.1 * scale * (index as f64).cos());
        let predicted = predicted.collect();
        (truth, predicted)
    }

    fn drawn(truth: &[f64], predicted: &[f64]) -> Canvas {
        let name = "y";
        canvas(
            "",
            &[Output {
                name,
                truth,
                predicted,
            }],
        )
        .unwrap()
    }

    #[test]
    fn pictures_of_all_sizes_fit() {
        for (count, scale) in [(1, 1.0), (50, 1e-7), (300, 2e5), (7_000, 1e300), (3, 0.0)] {
            let (truth, predicted) = values(count, scale);
            for outputs in [1, 2, 3, 6] {
                let name = "a target with a name that is longer than its axis, in an unusual unit (m²)";
                let output = Output {
                    name,
                    truth: &truth,
                    predicted: &predicted,
                };
                check(&canvas("A title", &vec![output; outputs]).unwrap());
            }
        }
    }

    #[test]
    fn what_is_left_out_is_said() {
        let (mut truth, predicted) = values(12_001, 1.0);
        truth[3] = f64::NAN;
        let canvas = drawn(&truth, &predicted);
        let texts = texts(&canvas);
        assert!(texts.contains(&"5000 of 12,000 shown, 1 not finite"), "{texts:?}");
        assert!(
            texts.contains(&"true y") && texts.contains(&"predicted y"),
            "{texts:?}"
        );
        let discs = canvas
            .shapes
            .iter()
            .filter(|shape| matches!(shape, Shape::Disc { .. }));
        assert_eq!(discs.count(), SHOWN);
    }

    #[test]
    fn an_outlier_is_drawn_where_the_axes_end() {
        let (mut truth, mut predicted) = values(12_001, 1.0);
        (truth[5], predicted[5]) = (50.0, -3.0);
        let canvas = drawn(&truth, &predicted);
        let centers = canvas.shapes.iter().filter_map(|shape| match shape {
            Shape::Disc { center, .. } => Some(*center),
            _ => None,
        });
        let centers: Vec<Point> = centers.collect();
        assert_eq!(centers.len(), SHOWN);
        let right = centers.iter().map(|center| center.0).fold(0.0, f64::max);
        assert!(right > 0.8 * canvas.width, "{right} of {}", canvas.width);
    }

    #[test]
    fn frames_are_of_one_size() {
        let (small, large) = (values(50, 1e-7), values(50, 2e5));
        let outputs = [&small, &large].map(|(truth, predicted)| Output {
            name: "y",
            truth,
            predicted,
        });
        let canvas = canvas("", &outputs).unwrap();
        // The diagonals run from corner to corner.
        let heights = canvas.shapes.iter().filter_map(|shape| match shape {
            Shape::Path { points, width, .. } if *width == 1.25 => {
                let (first, last) = (points.first()?, points.last()?);
                Some((first.0, first.1, last.0, last.1))
            }
            _ => None,
        });
        let lowest = heights.clone().map(|path| path.1).fold(0.0, f64::max);
        let [left, right] = [0.0, PANEL.0].map(|panel| {
            let of_panel = heights
                .clone()
                .filter(|path| (panel..panel + PANEL.0).contains(&path.0));
            let (top, bottom) = of_panel.fold((f64::MAX, 0.0_f64), |(top, bottom), path| {
                let is_diagonal = path.1 != path.3;
                if is_diagonal {
                    (top.min(path.3), bottom.max(path.1))
                } else {
                    (top, bottom)
                }
            });
            (top, bottom)
        });
        assert!(left.1 == lowest && left == right, "{left:?} and {right:?}");
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let problem = |outputs: &[Output<'_>]| predictions("", outputs).unwrap_err().to_string();
        assert!(problem(&[]).contains("no output"));
        let nothing = Output {
            name: "y",
            truth: &[f64::NAN],
            predicted: &[1.0],
        };
        assert!(problem(&[nothing]).contains("\"y\" has no finite"));
        let uneven = Output {
            name: "y",
            truth: &[1.0],
            predicted: &[],
        };
        assert!(problem(&[uneven]).contains("expected 1 predicted"));
    }
}
