//! Losses and accuracies over the epochs.

use super::axis::{Axis, Scale, drawable, range};
use super::canvas::{Canvas, Marker, Point, Stroke, Type};
use super::color;
use super::font;
use super::frame::{Frame, Proportions};
use super::picture::Picture;
use crate::error::{Error, Result};

/// One line: a number for each epoch that has one.
#[derive(Debug, Clone, Default)]
pub struct Series<'a> {
    /// What the legend calls it: `train`, `test`.
    pub name: &'a str,
    /// Epochs, in rising order, and their numbers. Points that are not finite are left out, and so are epochs that
    /// have no point: the line goes straight on to the next.
    pub points: Vec<(f64, f64)>,
}

/// Lines that share their axes.
#[derive(Debug, Clone)]
pub struct Panel<'a> {
    label: &'a str,
    parts: bool,
    series: Vec<Series<'a>>,
}

impl<'a> Panel<'a> {
    /// Losses, or other numbers: on a logarithmic axis if they are all above 0 and span more than two decades.
    pub fn loss(label: &'a str, series: Vec<Series<'a>>) -> Self {
        Panel {
            label,
            parts: false,
            series,
        }
    }

    /// Accuracies, or error rates: parts of one, which are written as percentages.
    pub fn accuracy(label: &'a str, series: Vec<Series<'a>>) -> Self {
        Panel {
            label,
            parts: true,
            series,
        }
    }
}

/// What [`curves`] draws.
#[derive(Debug, Clone)]
pub struct Curves<'a> {
    /// Above all panels; default: empty.
    pub title: &'a str,
    /// What the lines run over; default: `epoch`.
    pub over: &'a str,
    /// Two in a row. Panels without a point are left out. Default: none.
    pub panels: Vec<Panel<'a>>,
    /// The epoch whose weights were kept, which gets a line of its own; default: none.
    pub best: Option<f64>,
}

impl Default for Curves<'_> {
    fn default() -> Self {
        Curves {
            title: "",
            over: "epoch",
            panels: Vec::new(),
            best: None,
        }
    }
}

/// Draws learning curves.
///
/// # Errors
///
/// [`Error::InvalidData`] if there is no finite point at all.
///
/// ```
/// use mfnet::report::{Curves, Panel, Series, curves};
///
/// let train = Series { name: "train", points: vec![(1.0, 0.9), (2.0, 0.5), (3.0, 0.4)] };
/// let test = Series { name: "test", points: vec![(1.0, 0.95), (3.0, 0.55)] };
/// let panels = vec![Panel::loss("cross-entropy", vec![train, test])];
/// let picture = curves(&Curves { title: "Iris", panels, ..Curves::default() })?;
/// assert!(picture.svg().starts_with("<svg"));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn curves(curves: &Curves<'_>) -> Result<Picture> {
    Picture::of(&canvas(curves)?)
}

/// The size of a panel, and the space above it for the title.
const PANEL: (f64, f64) = (480.0, 380.0);
const TITLE: f64 = 40.0;

fn canvas(curves: &Curves<'_>) -> Result<Canvas> {
    let panels = curves
        .panels
        .iter()
        .map(drawn)
        .filter(|(_, series)| !series.is_empty());
    let panels: Vec<(&Panel<'_>, Vec<Line<'_>>)> = panels.collect();
    if panels.is_empty() {
        return Err(Error::data(
            "learning curves",
            "there is no finite number to draw",
        ));
    }
    let across = panels.len().min(2);
    let down = panels.len().div_ceil(2);
    let top = if curves.title.is_empty() { 12.0 } else { TITLE };
    // A panel on its own is wider.
    let width = if across == 1 { 1.4 * PANEL.0 } else { PANEL.0 };
    let (width, height) = (width, PANEL.1);
    let mut canvas = Canvas::new(width * across as f64 + 8.0, top + height * down as f64 + 4.0);
    let sides = (0.0, canvas.width);
    canvas.title(curves.title, sides, 22.0);
    for (index, (panel, lines)) in panels.iter().enumerate() {
        let corner = (
            4.0 + width * (index % 2) as f64,
            top + height * (index / 2) as f64,
        );
        draw(
            &mut canvas,
            (corner, (corner.0 + width, corner.1 + height)),
            curves,
            panel,
            lines,
        );
    }
    Ok(canvas)
}

/// A series without what cannot be drawn, and its number in the panel, which decides how it looks.
struct Line<'a> {
    name: &'a str,
    index: usize,
    points: Vec<(f64, f64)>,
}

fn drawn<'a>(panel: &'a Panel<'a>) -> (&'a Panel<'a>, Vec<Line<'a>>) {
    let line = |(index, series): (usize, &Series<'a>)| {
        let points = series.points.iter().copied();
        let points = points.filter(|(x, y)| drawable(*x) && drawable(*y)).collect();
        Line {
            name: series.name,
            index,
            points,
        }
    };
    let lines = panel.series.iter().enumerate().map(line);
    (panel, lines.filter(|line| !line.points.is_empty()).collect())
}

fn draw(
    canvas: &mut Canvas,
    (corner, end): (Point, Point),
    curves: &Curves<'_>,
    panel: &Panel<'_>,
    lines: &[Line<'_>],
) {
    let points = || lines.iter().flat_map(|line| &line.points);
    let Some((epochs, values)) =
        range(points().map(|point| point.0)).zip(range(points().map(|point| point.1)))
    else {
        return;
    };
    let best = curves.best.filter(|best| (epochs.0..=epochs.1).contains(best));
    let x = Axis::new(curves.over, Scale::Whole, epochs);
    let y = if panel.parts {
        Axis::new(panel.label, Scale::Percent, values)
    } else {
        Axis::loss(panel.label, values)
    };
    let legend = legend(canvas, corner, end.0, lines, best);
    let frame = Frame::draw(canvas, (corner.0, legend), end, (x, y), Proportions::Filling);
    if let Some(best) = best {
        let place = frame.x(best);
        canvas.line((place, frame.top), (place, frame.bottom), BEST);
    }
    for line in lines {
        let places: Vec<Point> = line.points.iter().map(|point| frame.at(*point)).collect();
        let mut stroke = stroke(line.index);
        let length: f64 = places
            .windows(2)
            .map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1))
            .sum();
        // Of a line that goes up and down all the time, dashes would be splinters.
        if length > 4.0 * (frame.right - frame.left) {
            (stroke.width, stroke.dash) = (1.0, &[]);
        }
        canvas.path(&thinned(&places), stroke);
        // Markers at all points would hide a long line: every so many, each line at other ones.
        let every = if places.len() <= MARKED {
            1
        } else {
            places.len() / 8
        };
        for place in places
            .iter()
            .skip(every * (2 * line.index + 1) / 6 % every)
            .step_by(every)
        {
            canvas.marker(Marker::of(line.index), *place, 3.8, color::WHITE);
            canvas.marker(Marker::of(line.index), *place, 3.2, stroke.color);
        }
    }
}

/// The longest line that has a marker at each point.
const MARKED: usize = 30;

/// The line of the best epoch.
const BEST: Stroke = Stroke {
    color: color::GRAY,
    width: 1.25,
    dash: &[1.5, 3.0],
};

fn stroke(index: usize) -> Stroke {
    const DASHES: [&[f64]; 5] = [&[], &[7.0, 3.0], &[2.5, 2.5], &[9.0, 3.0, 2.0, 3.0], &[14.0, 4.0]];
    Stroke {
        color: color::of(index),
        width: 1.8,
        dash: DASHES[index % DASHES.len()],
    }
}

/// Of the points in one column of pixels, the first, the lowest, the highest and the last: the line looks the same.
fn thinned(places: &[Point]) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    for column in places.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
        let by_height = |pick: fn(f64, f64) -> bool| {
            (1..column.len()).fold(0, |best, index| {
                if pick(column[index].1, column[best].1) {
                    index
                } else {
                    best
                }
            })
        };
        let mut indices = [
            0,
            by_height(|a, b| a < b),
            by_height(|a, b| a > b),
            column.len() - 1,
        ];
        indices.sort_unstable();
        kept.extend(indices.iter().map(|index| column[*index]));
    }
    kept.dedup();
    kept
}

/// Draws the legend in rows, and gives the height below them.
fn legend(canvas: &mut Canvas, (left, top): Point, right: f64, lines: &[Line<'_>], best: Option<f64>) -> f64 {
    const SIZE: f64 = 12.0;
    const SAMPLE: f64 = 34.0;
    let best_name = best.map(|best| format!("best ({best})"));
    let names = lines
        .iter()
        .map(|line| (line.name, stroke(line.index), Some(line.index)));
    let names = names.chain(best_name.as_deref().map(|name| (name, BEST, None)));
    let (start, right) = (left + 60.0, right - 18.0);
    let (mut x, mut y) = (start, top + 12.0);
    for (name, stroke, marker) in names {
        let name = font::cut(name, SIZE, right - start - SAMPLE - 6.0);
        let width = SAMPLE + 6.0 + font::width(&name, SIZE);
        if x > start && x + width > right {
            (x, y) = (start, y + 18.0);
        }
        canvas.line((x, y), (x + SAMPLE, y), stroke);
        if let Some(index) = marker {
            canvas.marker(Marker::of(index), (x + SAMPLE / 2.0, y), 3.2, stroke.color);
        }
        canvas.text(&name, (x + SAMPLE + 6.0, y), Type::new(SIZE, color::INK));
        x += width + 20.0;
    }
    y + 16.0
}

#[cfg(test)]
mod tests {
    use super::super::canvas::Shape;
    use super::super::canvas::tests::{check, texts};
    use super::*;

    fn series<'a>(name: &'a str, values: &[f64]) -> Series<'a> {
        let points = values
            .iter()
            .enumerate()
            .map(|(index, value)| (index as f64 + 1.0, *value));
        Series {
            name,
            points: points.collect(),
        }
    }

    fn of<'a>(panels: Vec<Panel<'a>>) -> Curves<'a> {
        Curves {
            title: "A title",
            panels,
            best: Some(2.0),
            ..Curves::default()
        }
    }

    #[test]
    fn pictures_of_all_scales_fit() {
        let long = "a validation set whose name is longer than the legend has room for, and then some";
        for values in [
            vec![1e-7],
            vec![0.0; 3],
            vec![2e5, 1e-7],
            vec![2e5, 2.00001e5],
            vec![-1e300, 1e300],
            vec![1.0; 1000],
        ] {
            for panels in 1..=4 {
                let lines = vec![
                    series("train", &values),
                    series(long, &values),
                    series("test", &values),
                ];
                let mut all = vec![
                    Panel::loss(
                        "a loss with a long name, in mean squares of all outputs",
                        lines.clone()
                    );
                    panels
                ];
                all.push(Panel::accuracy("accuracy", vec![series("test", &[0.31, 1.0])]));
                check(&canvas(&of(all)).unwrap());
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let line = series("train", &[f64::INFINITY, 3.0, f64::NAN, 2.0]);
        let nothing = Panel::accuracy("accuracy", vec![series("test", &[f64::NAN])]);
        let canvas = canvas(&of(vec![Panel::loss("loss", vec![line]), nothing])).unwrap();
        check(&canvas);
        let blue = |shape: &&Shape| matches!(shape, Shape::Path { color, points, .. } if *color == color::of(0) && points.len() == 2);
        // The legend's sample, and the line from epoch 2 to 4.
        assert_eq!(canvas.shapes.iter().filter(blue).count(), 2);
        assert!(!texts(&canvas).contains(&"accuracy"));
    }

    #[test]
    fn nothing_to_draw_is_an_error() {
        let panels = || {
            vec![Panel::loss(
                "loss",
                vec![series("train", &[f64::NAN]), series("test", &[])],
            )]
        };
        for curves in [of(panels()), of(vec![]), Curves::default()] {
            let error = super::curves(&curves).unwrap_err().to_string();
            assert!(error.contains("no finite number"), "{error}");
        }
    }

    #[test]
    fn names_cannot_break_out_of_the_document() {
        let name = "<script>alert(\"&\")</script>\u{0}\u{ffff}'";
        let panel = Panel::loss(name, vec![series(name, &[1.0, 2.0])]);
        let picture = super::curves(&Curves {
            title: name,
            ..of(vec![panel])
        })
        .unwrap();
        let svg = picture.svg();
        assert!(
            svg.contains("&lt;script&gt;") && !svg.contains("<script"),
            "{svg}"
        );
        assert!(!svg.contains(['\u{0}', '\u{ffff}']));
        // Every tag is closed, by itself or by its pair.
        let count = |part: &str| svg.matches(part).count();
        assert_eq!(count("<"), count(">"));
        assert_eq!(count("<text"), count("</text>"));
        assert_eq!(count("<") - count("</"), count("/>") + count("</"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn a_picture_is_the_same_each_time() {
        let draw = || {
            super::curves(&of(vec![Panel::loss(
                "loss",
                vec![series("train", &[3.0, 2.0, 1.5])],
            )]))
            .unwrap()
        };
        let picture = draw();
        assert_eq!(picture, draw());
        assert_eq!(picture.png()[..8], *b"\x89PNG\r\n\x1a\n");
        assert!(
            picture
                .svg()
                .starts_with("<svg width=\"680\" height=\"424\" viewBox=\"0 0 2720 1696\""),
            "{}",
            picture.svg()
        );
        assert_eq!(picture.png()[16..24], [0, 0, 5, 80, 0, 0, 3, 80], "1360 x 848");
    }

    #[test]
    fn a_long_line_keeps_its_peaks() {
        let places: Vec<Point> = (0..100_000)
            .map(|index| (f64::from(index) / 200.0, if index == 777 { 9.0 } else { 1.0 }))
            .collect();
        let kept = thinned(&places);
        assert!(
            kept.len() <= 2000 && kept.contains(&(3.885, 9.0)),
            "{}",
            kept.len()
        );
        assert_eq!((kept.first(), kept.last()), (places.first(), places.last()));
    }
}
