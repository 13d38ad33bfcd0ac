//! Scores of a ranking of samples by a probability: ROC AUC and average precision.

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use crate::element::Element;
use crate::error::{Error, Result};
use crate::pool;

/// The scores of a ranking of samples by the probability, or another score, of being positive. They depend on the order alone
/// and on no threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize))]
pub struct RankingScores {
    /// The area under the ROC curve, 0 to 1: the probability that a positive sample has a higher score than a negative one,
    /// ties counting half. 0.5 for a random order.
    pub roc_auc: f64,
    /// sum_k (R_k - R_(k-1)) P_k over the distinct scores, from the highest, where P_k and R_k are the precision and the recall
    /// of taking all samples with at least this score as positive. 0 to 1; the part of positive samples for a random order.
    pub average_precision: f64,
}

/// Computes ROC AUC and average precision, as scikit-learn's `roc_auc_score` and `average_precision_score`.
///
/// `None` if no sample or every sample is positive: there is no order to judge then.
///
/// # Shapes
///
/// both: samples
///
/// # Errors
///
/// [`Error::Shape`] for unequal counts, [`Error::InvalidData`] for a score that is NaN, with its row, counted from 0.
///
/// ```
/// use mfnet::metrics::ranking_scores;
///
/// let scores = ranking_scores(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?.unwrap();
/// assert_eq!((scores.roc_auc, scores.average_precision), (0.75, 0.5 + 0.5 * 2.0 / 3.0));
/// assert_eq!(ranking_scores(&[0.1, 0.4], &[true, true])?, None);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn ranking_scores<T: Element>(scores: &[T], positive: &[bool]) -> Result<Option<RankingScores>> {
    const OPERATION: &str = "ranking_scores";
    if scores.len() != positive.len() {
        return Err(Error::shape(
            OPERATION,
            format_args!("{} scores, as samples", positive.len()),
            scores.len(),
        ));
    }
    if let Some(row) = scores.iter().position(|score| score.is_nan()) {
        return Err(Error::data(
            OPERATION,
            format_args!("the score of row {row} is NaN"),
        ));
    }
    let mut samples: Vec<(f64, bool)> = scores
        .iter()
        .map(|score| score.as_f64())
        .zip(positive.iter().copied())
        .collect();
    samples.sort_unstable_by(|(one, _), (other, _)| other.total_cmp(one));
    let positives = positive.iter().filter(|&&is_positive| is_positive).count() as f64;
    let negatives = samples.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return Ok(None);
    }
    let [mut hits, mut others, mut pairs, mut average_precision] = [0.0; 4];
    // Samples of equal scores have no order among them.
    for tied in samples.chunk_by(|(one, _), (other, _)| one == other) {
        let new_hits = tied.iter().filter(|(_, is_positive)| *is_positive).count() as f64;
        let new_others = tied.len() as f64 - new_hits;
        pairs += new_others * (hits + new_hits / 2.0);
        hits += new_hits;
        others += new_others;
        average_precision += new_hits / positives * hits / (hits + others);
    }
    Ok(Some(RankingScores {
        roc_auc: pairs / (positives * negatives),
        average_precision,
    }))
}

/// The scores of the ranking by the probability of each class against the others.
///
/// # Errors
///
/// As [`ranking_scores`].
pub(crate) fn ranking_of_classes<T: Element>(
    probabilities: ArrayView2<'_, T>,
    labels: &[u32],
) -> Result<Vec<Option<RankingScores>>> {
    let columns: Vec<ArrayView1<'_, T>> = probabilities.columns().into_iter().collect();
    let of_class = |(class, column): (usize, &ArrayView1<'_, T>)| {
        let is_class: Vec<bool> = labels.iter().map(|&label| label as usize == class).collect();
        ranking_scores(&column.to_vec(), &is_class)
    };
    pool::enter(|| columns.par_iter().enumerate().map(of_class).collect())
}

/// The scores of the ranking by the probability, or the logit, of each target's yes.
///
/// # Errors
///
/// As [`ranking_scores`].
pub(crate) fn ranking_of_answers<T: Element>(
    outputs: ArrayView2<'_, T>,
    truth: ArrayView2<'_, bool>,
) -> Result<Vec<Option<RankingScores>>> {
    let targets = outputs.columns().into_iter().zip(truth.columns());
    let of_target = |(outputs, truth): (ArrayView1<'_, T>, ArrayView1<'_, bool>)| {
        ranking_scores(&outputs.to_vec(), &truth.to_vec())
    };
    targets.map(of_target).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ```python
    /// score = [0.5, -1, 0.5, 2, 0.25, 0.5, -3, 0.25, 0.0, -0.0]
    /// positive = [1, 0, 0, 1, 0, 1, 0, 1, 1, 0]
    /// print(roc_auc_score(positive, score), average_precision_score(positive, score))
    /// ```
    #[test]
    fn scores_as_scikit_learns() {
        let scores = [0.5, -1.0, 0.5, 2.0, 0.25, 0.5, -3.0, 0.25, 0.0, -0.0];
        let positive = [1, 0, 0, 1, 0, 1, 0, 1, 1, 0].map(|number| number == 1);
        let found = ranking_scores(&scores, &positive).unwrap().unwrap();
        assert!((found.roc_auc - 0.8).abs() < 1e-15, "{found:?}");
        assert!(
            (found.average_precision - 0.758_333_333_333_333_3).abs() < 1e-15,
            "{found:?}"
        );
    }

    #[test]
    fn the_order_alone_counts() {
        let positive = [true, false, true, false, false];
        let scores = [0.9_f32, 0.8, 0.7, 0.1, 0.2];
        let found = ranking_scores(&scores, &positive).unwrap();
        assert_eq!(
            ranking_scores(&scores.map(|score| score.ln() * 10.0), &positive).unwrap(),
            found
        );
        let reversed = ranking_scores(&scores.map(|score| -score), &positive).unwrap();
        let sum = reversed.unwrap().roc_auc + found.unwrap().roc_auc;
        assert!((sum - 1.0).abs() < 1e-15);
    }

    #[test]
    fn invalid_scores_are_refused() {
        assert!(ranking_scores(&[0.5], &[true, false]).is_err());
        let error = ranking_scores(&[0.5, f64::NAN], &[true, false]).unwrap_err();
        assert!(error.to_string().contains("row 1"), "{error}");
        assert_eq!(ranking_scores::<f64>(&[], &[]).unwrap(), None);
    }
}
