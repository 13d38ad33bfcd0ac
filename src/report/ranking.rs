//! Scores of several models, one below the other.

use super::axis::{Axis, Scale, drawable, range};
use super::canvas::{Canvas, Marker, Stroke, Type};
use super::color;
use super::font;
use super::picture::Picture;
use crate::error::{Error, Result};

/// A model's score.
#[derive(Debug, Clone, Default)]
pub struct Ranked {
    /// What it is called: `lr 0.1, hidden 16`.
    pub name: String,
    /// Its score, or the mean of several.
    pub mean: f64,
    /// How far the single ones are from the mean; none of a single one.
    pub deviation: Option<f64>,
}

/// Draws scores from the top down in the order given, the best first: a disc at the mean, and a line as far as the
/// deviation to either side. `parts` are parts of one, such as accuracies, and are written as percentages.
///
/// Scores that are not finite are left out, and of more than 30 those behind; the picture says how many.
///
/// # Errors
///
/// [`Error::InvalidData`] if there is no finite score.
///
/// ```
/// use mfnet::report::{Ranked, ranking};
///
/// let wide = Ranked { name: "hidden 64".to_owned(), mean: 0.96, deviation: Some(0.01) };
/// let narrow = Ranked { name: "hidden 16".to_owned(), mean: 0.94, deviation: Some(0.02) };
/// let picture = ranking("Iris", "accuracy", true, &[wide, narrow])?;
/// assert!(picture.svg().contains("hidden 64"));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn ranking(title: &str, label: &str, parts: bool, ranked: &[Ranked]) -> Result<Picture> {
    Picture::of(&canvas(title, label, parts, ranked)?)
}

/// More than these are hard to read, and the last hardly of interest.
const SHOWN: usize = 30;
const ROW: f64 = 21.0;
const SMALL: f64 = 12.0;
/// The widths of the names, at most, and of what is drawn.
const NAMES: f64 = 330.0;
const WIDTH: f64 = 430.0;
const MARGIN: f64 = 16.0;

fn canvas(title: &str, label: &str, parts: bool, ranked: &[Ranked]) -> Result<Canvas> {
    // A deviation that is no number is as good as none.
    let spread = |one: &Ranked| {
        one.deviation
            .filter(|deviation| drawable(*deviation))
            .unwrap_or(0.0)
            .abs()
    };
    let rows: Vec<&Ranked> = ranked.iter().filter(|one| drawable(one.mean)).collect();
    let shown = &rows[..rows.len().min(SHOWN)];
    let ends = shown
        .iter()
        .flat_map(|one| [one.mean - spread(one), one.mean + spread(one)]);
    let Some((low, high)) = range(ends) else {
        return Err(Error::data("scores", "there is no finite number to draw"));
    };
    let x = if parts {
        Axis::new(label, Scale::Percent, (low, high))
    } else {
        Axis::loss(label, (low.max(least(shown)), high))
    };

    let widest = shown
        .iter()
        .map(|one| font::width(&one.name, SMALL))
        .fold(0.0, f64::max)
        .min(NAMES);
    let top = if title.is_empty() { 14.0 } else { 42.0 };
    let (left, bottom) = (MARGIN + widest + 14.0, top + ROW * shown.len() as f64 + 8.0);
    let right = left + WIDTH;
    let rest = ranked.len() - shown.len();
    let below = if rest > 0 { 74.0 } else { 50.0 };
    let mut canvas = Canvas::new(right + 30.0, bottom + below);
    let sides = (0.0, canvas.width);
    canvas.title(title, sides, 22.0);
    let place = |value: f64| left + x.part(value).clamp(0.0, 1.0) * WIDTH;
    for (value, name) in columns(&x) {
        let at = place(value);
        canvas.line((at, top), (at, bottom), Stroke::new(color::GRID, 1.0));
        canvas.line((at, bottom), (at, bottom + 4.0), Stroke::new(color::INK, 1.0));
        canvas.text(&name, (at, bottom + 14.0), Type::new(SMALL, color::INK).middle());
    }
    canvas.outline((left, top), (right, bottom), Stroke::new(color::INK, 1.0));
    let middle = ((left + right) / 2.0, bottom + 36.0);
    canvas.text(label, middle, Type::new(13.0, color::INK).middle());

    for (index, one) in shown.iter().enumerate() {
        let y = top + 4.0 + ROW * (index as f64 + 0.5);
        // The best stands out by more than its colour: it is the first.
        let shade = if index == 0 { color::of(0) } else { color::GRAY };
        let ink = if index == 0 { color::of(0) } else { color::INK };
        let name = font::cut(&one.name, SMALL, NAMES);
        canvas.text(&name, (left - 10.0, y), Type::new(SMALL, ink).end());
        let (from, to) = (place(one.mean - spread(one)), place(one.mean + spread(one)));
        if to > from {
            let line = Stroke::new(shade, 1.5);
            canvas.line((from, y), (to, y), line);
            for end in [from, to] {
                canvas.line((end, y - 3.5), (end, y + 3.5), line);
            }
        }
        canvas.marker(Marker::Disc, (place(one.mean), y), 4.0, shade);
    }
    if rest > 0 {
        let remark = format!("{rest} more are not shown");
        canvas.text(
            &remark,
            (middle.0, bottom + 58.0),
            Type::new(SMALL, color::GRAY).middle(),
        );
    }
    Ok(canvas)
}

/// The least mean that a logarithmic axis could begin at: a line to below 0 must not keep losses from one.
fn least(shown: &[&Ranked]) -> f64 {
    let means = shown.iter().map(|one| one.mean);
    let least = means.fold(f64::INFINITY, f64::min);
    if least > 0.0 {
        least / 2.0
    } else {
        f64::NEG_INFINITY
    }
}

/// As many numbers along the axis as have room.
fn columns(x: &Axis) -> Vec<(f64, String)> {
    let fits = |ticks: &Vec<(f64, String)>| {
        let widest = ticks
            .iter()
            .map(|(_, name)| font::width(name, SMALL))
            .fold(0.0, f64::max);
        widest + 14.0 < WIDTH / ticks.len().max(1) as f64
    };
    let ticks = (2..=8).rev().map(|count| x.ticks(f64::from(count)));
    ticks.into_iter().find(fits).unwrap_or_else(|| x.ticks(2.0))
}

#[cfg(test)]
mod tests {
    use super::super::canvas::tests::{check, texts};
    use super::*;

    fn ranked(scores: &[(f64, Option<f64>)]) -> Vec<Ranked> {
        let one = |(index, (mean, deviation)): (usize, &(f64, Option<f64>))| Ranked {
            name: format!("hidden {index}, lr 0.1"),
            mean: *mean,
            deviation: *deviation,
        };
        scores.iter().enumerate().map(one).collect()
    }

    #[test]
    fn pictures_of_all_scales_fit() {
        for scores in [
            vec![(0.5, None)],
            vec![(0.98, Some(0.04)), (0.5, Some(0.2)), (0.5, None)],
            vec![(1e-5, Some(1.0)), (3.0, Some(0.1)), (2e5, Some(f64::NAN))],
            vec![(0.0, None), (0.0, Some(0.0))],
            vec![(0.3, Some(0.01)); 100],
        ] {
            for parts in [true, false] {
                check(&canvas("A title", "score", parts, &ranked(&scores)).unwrap());
            }
        }
        let mut long = ranked(&[(0.5, None)]);
        long[0].name = "optimizer sgd, lr 0.001, hidden 64x64x64, ".repeat(5);
        check(&canvas("", "loss", false, &long).unwrap());
    }

    #[test]
    fn what_is_left_out_is_said() {
        let scores = ranked(&[(0.3, None); 40]);
        assert!(texts(&canvas("", "loss", false, &scores).unwrap()).contains(&"10 more are not shown"));
        let scores = ranked(&[(f64::NAN, None), (0.2, None)]);
        let canvas = canvas("", "loss", false, &scores).unwrap();
        assert!(
            texts(&canvas).contains(&"hidden 1, lr 0.1") && texts(&canvas).contains(&"1 more are not shown")
        );
        assert!(ranking("", "loss", false, &ranked(&[(f64::INFINITY, None)])).is_err());
    }
}
