//! The confusion matrices of several yes/no targets in one picture.

use ndarray::ArrayView2;

use super::canvas::Canvas;
use super::confusion;
use super::font;
use super::picture::Picture;
use crate::error::{Error, Result};

/// The confusion matrix of one target among several.
#[derive(Debug, Clone, Copy)]
pub struct TargetConfusion<'a> {
    /// The name of the target, above its matrix.
    pub name: &'a str,
    /// The confusion matrix, counts of samples: row = true answer, column = predicted answer.
    pub counts: ArrayView2<'a, u64>,
    /// The names of the answers, in the order of the rows.
    pub answers: [&'a str; 2],
}

/// The most targets of a picture.
const MOST: usize = 36;
/// The width of a target's name, and its size.
const NAME: (f64, f64) = (260.0, 16.0);
/// The height of the title of all.
const TITLE: f64 = 40.0;

/// Draws the confusion matrix of each target, as [`confusion`](super::confusion()) draws one, in rows.
///
/// # Shapes
///
/// `counts` of each target: 2 x 2
///
/// # Errors
///
/// [`Error::Shape`] for counts of another shape, [`Error::InvalidData`] for no target, or for more than 36.
///
/// ```
/// use mfnet::report::{TargetConfusion, confusions};
/// use ndarray::array;
///
/// let (rain, wind) = (array![[50, 2], [3, 45]], array![[80, 5], [10, 5]]);
/// let target = |name, counts| TargetConfusion { name, counts, answers: ["no", "yes"] };
/// let picture = confusions("Test set", &[target("rain", rain.view()), target("wind", wind.view())])?;
/// assert!(picture.svg().contains("wind"));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn confusions(title: &str, targets: &[TargetConfusion<'_>]) -> Result<Picture> {
    Picture::of(&canvas(title, targets)?)
}

fn canvas(title: &str, targets: &[TargetConfusion<'_>]) -> Result<Canvas> {
    if targets.is_empty() || targets.len() > MOST {
        let problem = format_args!("{} targets, and 1 to {MOST} can be drawn", targets.len()).to_string();
        return Err(Error::data("confusion matrices", problem));
    }
    let tile = |target: &TargetConfusion<'_>| {
        let name = font::cut(target.name, NAME.1, NAME.0);
        confusion::canvas(&name, target.counts, &target.answers)
    };
    let tiles: Vec<Canvas> = targets.iter().map(tile).collect::<Result<_>>()?;
    let largest = |side: fn(&Canvas) -> f64| tiles.iter().map(side).fold(0.0, f64::max);
    let (width, height) = (largest(|tile| tile.width), largest(|tile| tile.height));
    let across = (1..).find(|across| across * across >= tiles.len()).unwrap_or(1);
    let down = tiles.len().div_ceil(across);
    let top = if title.is_empty() { 0.0 } else { TITLE };
    let mut canvas = Canvas::new(width * across as f64, top + height * down as f64);
    let sides = (0.0, canvas.width);
    canvas.title(title, sides, 22.0);
    for (place, tile) in tiles.into_iter().enumerate() {
        let corner = (
            width * (place % across) as f64,
            top + height * (place / across) as f64,
        );
        canvas.place(tile, corner);
    }
    Ok(canvas)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::super::canvas::tests::{check, texts};
    use super::*;

    #[test]
    fn any_number_of_targets_fits() {
        let counts = array![[12, 3456], [7, 65_432]];
        for targets in [1, 2, 3, 5, MOST] {
            let names: Vec<String> = (0..targets).map(|target| "a long name ".repeat(target)).collect();
            let target = |name| TargetConfusion {
                name,
                counts: counts.view(),
                answers: ["no", "a longer answer than most"],
            };
            let targets: Vec<_> = names.iter().map(|name| target(name.as_str())).collect();
            check(&canvas("A title", &targets).unwrap());
        }
    }

    #[test]
    fn each_target_has_its_counts() {
        let (one, other) = (array![[1, 2], [3, 4]], array![[50, 60], [70, 80]]);
        let target = |name, counts| TargetConfusion {
            name,
            counts,
            answers: ["ham", "spam"],
        };
        let drawn = canvas("", &[target("a", one.view()), target("b", other.view())]).unwrap();
        let texts = texts(&drawn);
        for text in ["a", "b", "4", "80"] {
            assert_eq!(
                texts.iter().filter(|&&found| found == text).count(),
                1,
                "{texts:?}"
            );
        }
        assert_eq!(texts.iter().filter(|&&found| found == "spam").count(), 4);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        assert!(confusions("", &[]).unwrap_err().to_string().contains("0 targets"));
        let three = Array2::zeros((3, 3));
        let target = TargetConfusion {
            name: "a",
            counts: three.view(),
            answers: ["no", "yes"],
        };
        assert!(confusions("", &[target]).is_err());
    }
}
