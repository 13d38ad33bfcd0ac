//! Bars of values, in groups one below the other.

use super::axis::{Axis, drawable};
use super::canvas::{Canvas, Stroke, Type};
use super::color;
use super::font;
use super::picture::Picture;
use crate::error::{Error, Result};

/// The content of a picture of bars.
#[derive(Debug, Clone, Default)]
pub struct Bars {
    /// The title of the picture. Default: none.
    pub title: String,
    /// The unit behind the numbers of the axis, such as `x` or ` %`. Default: none.
    pub unit: String,
    /// The bars, from the top down.
    pub groups: Vec<BarGroup>,
    /// Values across all bars, such as a limit. Default: none.
    pub marks: Vec<Mark>,
}

/// Bars that belong together.
#[derive(Debug, Clone, Default)]
pub struct BarGroup {
    /// The title above the bars; empty for none.
    pub title: String,
    /// The bars, from the top down.
    pub bars: Vec<Bar>,
}

/// A bar from 0 to a value.
#[derive(Debug, Clone, Default)]
pub struct Bar {
    /// The name on its left.
    pub name: String,
    /// The value, at least 0.
    pub value: f64,
    /// The least and the greatest of several measurements, drawn as a line. Default: none.
    pub range: Option<(f64, f64)>,
    /// The text behind the bar, such as its value.
    pub text: String,
    /// The index of its colour: bars of one kind have the same.
    pub color: usize,
}

/// A line across all bars.
#[derive(Debug, Clone, Default)]
pub struct Mark {
    /// The place of the line, at least 0.
    pub value: f64,
    /// The name above it; empty for none.
    pub name: String,
    /// The index of its colour; `None` for black.
    pub color: Option<usize>,
}

/// Draws bars from 0 on, with their names, texts, ranges and marks.
///
/// # Errors
///
/// [`Error::InvalidData`] without a bar, and for a value, a range or a mark that is negative or not finite.
///
/// ```
/// use mfnet::report::{Bar, BarGroup, Bars, bars};
///
/// let bar = |name: &str, value| Bar { name: name.to_owned(), value, text: format!("{value} s"), ..Bar::default() };
/// let group = BarGroup { title: "MNIST".to_owned(), bars: vec![bar("f32", 1.5), bar("f64", 3.0)] };
/// let picture = bars(&Bars { unit: " s".to_owned(), groups: vec![group], ..Bars::default() })?;
/// assert!(picture.svg().contains("MNIST"));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn bars(content: &Bars) -> Result<Picture> {
    Picture::of(&canvas(content)?)
}

const BAR: f64 = 18.0;
const GAP: f64 = 4.0;
/// The height of a group's title.
const TITLE: f64 = 20.0;
/// The space below a group.
const BELOW: f64 = 10.0;
/// The width of a bar of the greatest value.
const WIDTH: f64 = 470.0;
/// The widest names and texts.
const WIDEST: f64 = 260.0;
const MARGIN: f64 = 20.0;
const SMALL: f64 = 13.0;

fn canvas(content: &Bars) -> Result<Canvas> {
    let bars = || content.groups.iter().flat_map(|group| &group.bars);
    let values = bars().flat_map(|bar| {
        let (least, greatest) = bar.range.unwrap_or((bar.value, bar.value));
        [bar.value, least, greatest]
    });
    let values: Vec<f64> = values
        .chain(content.marks.iter().map(|mark| mark.value))
        .collect();
    if bars().next().is_none() {
        return Err(Error::data("bars", "there is none to draw"));
    }
    if values.iter().any(|value| *value < 0.0 || !drawable(*value)) {
        return Err(Error::data("bars", "a value is negative or not finite"));
    }
    let longest = values.iter().copied().fold(0.0, f64::max);
    let x = Axis::tight("", (0.0, if longest > 0.0 { longest } else { 1.0 }));
    let widest = |texts: &mut dyn Iterator<Item = &str>| {
        texts
            .map(|text| font::width(text, SMALL))
            .fold(0.0, f64::max)
            .min(WIDEST)
    };
    let names = widest(&mut bars().map(|bar| bar.name.as_str()));
    let texts = widest(&mut bars().map(|bar| bar.text.as_str()));
    let heights = content.groups.iter().map(|group| {
        let title = if group.title.is_empty() { 0.0 } else { TITLE };
        title + (BAR + GAP) * group.bars.len() as f64 + BELOW
    });
    let title = if content.title.is_empty() { 14.0 } else { 42.0 };
    let named = content.marks.iter().any(|mark| !mark.name.is_empty());
    let top = title + if named { 18.0 } else { 0.0 };
    let bottom = top + heights.sum::<f64>();
    let (left, right) = (MARGIN + names + 10.0, MARGIN + names + 10.0 + WIDTH);
    let mut canvas = Canvas::new(right + texts + 10.0 + MARGIN, bottom + 34.0);
    let (ink, place) = (Type::new(SMALL, color::INK), |value: f64| {
        left + x.part(value).clamp(0.0, 1.0) * WIDTH
    });
    let sides = (0.0, canvas.width);
    canvas.title(&content.title, sides, 22.0);
    for (value, name) in x.ticks(8.0) {
        let at = place(value);
        canvas.line((at, top), (at, bottom), Stroke::new(color::GRID, 1.0));
        canvas.text(
            &format!("{name}{}", content.unit),
            (at, bottom + 14.0),
            ink.middle(),
        );
    }
    let mut y = top;
    for group in &content.groups {
        if !group.title.is_empty() {
            let name = font::cut(&group.title, SMALL, canvas.width - 2.0 * MARGIN);
            canvas.text(&name, (MARGIN, y + TITLE / 2.0), ink);
            y += TITLE;
        }
        let first = y;
        for bar in &group.bars {
            let middle = y + BAR / 2.0;
            canvas.rectangle((left, y), (place(bar.value), y + BAR), color::of(bar.color));
            if let Some((least, greatest)) = bar.range {
                let line = Stroke::new(color::INK, 1.0);
                canvas.line((place(least), middle), (place(greatest), middle), line);
            }
            canvas.text(
                &font::cut(&bar.name, SMALL, WIDEST),
                (left - 8.0, middle),
                ink.end(),
            );
            let end = bar
                .range
                .map_or(bar.value, |(_, greatest)| greatest.max(bar.value));
            let text = font::cut(&bar.text, SMALL, WIDEST);
            canvas.text(&text, (place(end) + 8.0, middle), ink);
            y += BAR + GAP;
        }
        for mark in &content.marks {
            let shade = mark.color.map_or(color::INK, color::of);
            let at = place(mark.value);
            canvas.line((at, first - 2.0), (at, y), Stroke::new(shade, 2.0));
        }
        y += BELOW;
    }
    for mark in content.marks.iter().filter(|mark| !mark.name.is_empty()) {
        let half = font::width(&mark.name, SMALL) / 2.0;
        let at = place(mark.value).min(canvas.width - half - 4.0);
        canvas.text(&mark.name, (at, top - 10.0), ink.middle());
    }
    Ok(canvas)
}

#[cfg(test)]
mod tests {
    use super::super::canvas::tests::{check, texts};
    use super::*;

    fn group(title: &str, values: &[f64]) -> BarGroup {
        let bar = |&value| Bar {
            name: format!("bar {value}"),
            value,
            range: Some((value * 0.9, value * 1.1)),
            text: format!("{value} of them"),
            color: 1,
        };
        BarGroup {
            title: title.to_owned(),
            bars: values.iter().map(bar).collect(),
        }
    }

    #[test]
    fn pictures_of_all_sizes_fit() {
        for values in [vec![0.0], vec![1.0, 4.5], vec![1e-6, 2e-6], vec![3e7; 60]] {
            let marks = vec![Mark {
                value: values[0] * 1.5,
                name: "a limit".to_owned(),
                color: Some(0),
            }];
            let content = Bars {
                title: "A title".to_owned(),
                unit: "x".to_owned(),
                groups: vec![group("first", &values), group("", &values)],
                marks,
            };
            let canvas = canvas(&content).unwrap();
            check(&canvas);
            assert!(texts(&canvas).contains(&"a limit") && texts(&canvas).contains(&"first"));
        }
        let mut long = group(&"title ".repeat(80), &[2.0]);
        long.bars[0].name = "name ".repeat(80);
        long.bars[0].text = "text ".repeat(80);
        check(
            &canvas(&Bars {
                groups: vec![long],
                ..Bars::default()
            })
            .unwrap(),
        );
    }

    #[test]
    fn values_without_a_bar_are_refused() {
        assert!(bars(&Bars::default()).is_err());
        for value in [-1.0, f64::NAN, f64::INFINITY] {
            let groups = vec![group("", &[1.0, value])];
            assert!(
                bars(&Bars {
                    groups,
                    ..Bars::default()
                })
                .is_err(),
                "{value}"
            );
        }
    }
}
