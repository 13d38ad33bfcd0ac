//! Precision, recall and F1 of each class, and their averages.

use ndarray::ArrayView2;

use super::classes::check_classes;
use crate::error::{Error, Result};

/// The scores of a class, or their average over the classes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize))]
pub struct ClassScores {
    /// The fraction, 0 to 1, of the samples predicted as the class that are of the class; 0 if none was predicted.
    pub precision: f64,
    /// The fraction, 0 to 1, of the samples of the class that were predicted as the class; 0 if there are none.
    pub recall: f64,
    /// 2 precision recall / (precision + recall), 0 to 1; 0 if both are 0.
    pub f1: f64,
    /// The number of samples of the class; for an average, that of all samples.
    pub support: u64,
}

/// The scores of each class and their averages, as in scikit-learn's `classification_report`.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassificationScores {
    /// The scores of each class, in the order of the labels.
    pub classes: Vec<ClassScores>,
    /// The unweighted mean over the classes, including those without samples, which score 0.
    pub macro_average: ClassScores,
    /// The mean over the classes, weighted by their numbers of samples.
    pub weighted_average: ClassScores,
}

/// Computes precision, recall and F1 from a [`confusion_matrix`](super::confusion_matrix), row = true class.
///
/// A score whose denominator is 0 is 0.
///
/// # Shapes
///
/// classes x classes
///
/// # Errors
///
/// [`Error::Shape`] for a matrix that is not square, [`Error::InvalidData`] for one without samples.
///
/// ```
/// use mfnet::metrics::{classification_scores, confusion_matrix};
///
/// let confusion = confusion_matrix(&[0, 1, 1, 1], &[0, 0, 1, 1], 2)?;
/// let scores = classification_scores(confusion.view())?;
/// assert_eq!((scores.classes[0].precision, scores.classes[0].recall), (1.0, 0.5));
/// assert_eq!(scores.macro_average.recall, 0.75);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn classification_scores(confusion: ArrayView2<'_, u64>) -> Result<ClassificationScores> {
    let (rows, columns) = confusion.dim();
    if rows != columns {
        return Err(Error::shape(
            "classification_scores",
            "classes x classes",
            format_args!("{rows} x {columns}"),
        ));
    }
    let counts = (0..rows).map(|class| ClassCounts {
        hits: confusion[[class, class]],
        support: confusion.row(class).sum(),
        predicted: confusion.column(class).sum(),
    });
    of_counts("classification_scores", &counts.collect::<Vec<_>>())
}

/// Computes the scores of [`classification_scores`] from the classes of the samples, without a confusion matrix: the memory
/// grows with the number of classes, not with its square.
///
/// # Shapes
///
/// both: samples
///
/// # Errors
///
/// As [`confusion_matrix`](super::confusion_matrix).
///
/// ```
/// let scores = mfnet::metrics::class_scores(&[0, 1, 1, 1], &[0, 0, 1, 1], 2)?;
/// assert_eq!((scores.classes[0].precision, scores.classes[0].recall), (1.0, 0.5));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn class_scores(predicted: &[u32], labels: &[u32], classes: usize) -> Result<ClassificationScores> {
    check_classes("class_scores", predicted, labels, classes)?;
    let mut counts = vec![ClassCounts::default(); classes];
    for (&predicted, &label) in predicted.iter().zip(labels) {
        counts[predicted as usize].predicted += 1;
        counts[label as usize].support += 1;
        counts[label as usize].hits += u64::from(predicted == label);
    }
    of_counts("class_scores", &counts)
}

/// The samples of a class.
#[derive(Debug, Clone, Copy, Default)]
struct ClassCounts {
    /// Samples of the class that were predicted as the class.
    hits: u64,
    /// Samples of the class.
    support: u64,
    /// Samples predicted as the class.
    predicted: u64,
}

fn of_counts(operation: &'static str, counts: &[ClassCounts]) -> Result<ClassificationScores> {
    let total = counts.iter().map(|class| class.support).sum();
    if total == 0 {
        return Err(Error::data(operation, "there are no samples"));
    }
    let of_class = |class: &ClassCounts| ClassScores {
        precision: ratio(class.hits, class.predicted),
        recall: ratio(class.hits, class.support),
        f1: ratio(2 * class.hits, class.support + class.predicted),
        support: class.support,
    };
    let classes: Vec<ClassScores> = counts.iter().map(of_class).collect();
    let average = |weight: &dyn Fn(&ClassScores) -> f64| {
        let mean = |score: fn(&ClassScores) -> f64| {
            classes
                .iter()
                .map(|class| weight(class) * score(class))
                .sum::<f64>()
        };
        ClassScores {
            precision: mean(|class| class.precision),
            recall: mean(|class| class.recall),
            f1: mean(|class| class.f1),
            support: total,
        }
    };
    Ok(ClassificationScores {
        macro_average: average(&|_| 1.0 / counts.len() as f64),
        weighted_average: average(&|class| class.support as f64 / total as f64),
        classes,
    })
}

/// The quotient, where 0 / 0 is 0.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn assert_scores(found: ClassScores, expected: [f64; 3], support: u64) {
        let found_scores = [found.precision, found.recall, found.f1];
        for (found, expected) in found_scores.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-15,
                "{found_scores:?}, not {expected}"
            );
        }
        assert_eq!(found.support, support);
    }

    /// ```python
    /// truth = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    /// predicted = [0, 0, 1, 2, 1, 1, 0, 2, 2, 1]
    /// print(classification_report(truth, predicted, digits=17, output_dict=True))
    /// ```
    #[test]
    fn scores_as_scikit_learns() {
        let confusion = array![[2, 1, 1], [1, 2, 0], [0, 1, 2]];
        let scores = classification_scores(confusion.view()).unwrap();
        let third = 1.0 / 3.0;
        assert_scores(scores.classes[0], [2.0 * third, 0.5, 4.0 / 7.0], 4);
        assert_scores(scores.classes[1], [0.5, 2.0 * third, 4.0 / 7.0], 3);
        assert_scores(scores.classes[2], [2.0 * third; 3], 3);
        let average = [11.0 / 18.0, 11.0 / 18.0, 38.0 / 63.0];
        assert_scores(scores.macro_average, average, 10);
        assert_scores(scores.weighted_average, [0.616_666_666_666_666_7, 0.6, 0.6], 10);
    }

    #[test]
    fn scores_of_classes_are_those_of_their_confusion_matrix() {
        let (predicted, labels) = ([0, 1, 2, 2, 1, 3, 0], [0, 1, 1, 2, 1, 0, 3]);
        let confusion = crate::metrics::confusion_matrix(&predicted, &labels, 5).unwrap();
        let expected = classification_scores(confusion.view()).unwrap();
        assert_eq!(class_scores(&predicted, &labels, 5).unwrap(), expected);
        assert!(class_scores(&[0], &[2], 2).is_err());
        assert!(class_scores(&[], &[], 2).is_err());
    }

    #[test]
    fn a_class_that_never_occurs_scores_zero() {
        // Class 1 has no samples and is predicted once, class 2 neither; class 3 is never predicted.
        let confusion = array![[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [2, 0, 0, 0]];
        let scores = classification_scores(confusion.view()).unwrap();
        assert_scores(scores.classes[0], [1.0 / 3.0, 0.5, 0.4], 2);
        for (class, support) in [(1, 0), (2, 0), (3, 2)] {
            assert_scores(scores.classes[class], [0.0; 3], support);
        }
        assert_scores(scores.macro_average, [1.0 / 12.0, 0.125, 0.1], 4);
        assert_scores(scores.weighted_average, [1.0 / 6.0, 0.25, 0.2], 4);
    }

    #[test]
    fn invalid_matrices_are_refused() {
        assert!(classification_scores(Array2::zeros((2, 2)).view()).is_err());
        assert!(classification_scores(Array2::zeros((0, 0)).view()).is_err());
        assert!(classification_scores(Array2::ones((2, 3)).view()).is_err());
    }
}
