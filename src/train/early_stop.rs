//! Early stopping: the best weights so far, and the number of epochs without improvement since.

use ndarray::Array2;

use crate::element::Element;
use crate::metrics::Score;
use crate::network::NeuralNetwork;

/// The state of early stopping.
#[derive(Debug, Clone)]
pub(crate) struct EarlyStop<T> {
    /// `None` without early stopping, and before the first epoch.
    pub(crate) best: Option<BestWeights<T>>,
    /// The number of epochs since the best one, or since a finished training was continued.
    pub(crate) bad_epochs: usize,
}

/// The weights of the best epoch so far.
#[derive(Debug, Clone)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(bound = "", deny_unknown_fields)
)]
pub(crate) struct BestWeights<T> {
    pub(crate) epoch: usize,
    /// The loss that early stopping follows, or the score, with the other sign where a higher one is better.
    #[cfg_attr(feature = "save", serde(with = "crate::exact"))]
    pub(crate) loss: f64,
    /// The score that was followed.
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "is_loss"))]
    pub(crate) score: Score,
    /// Checkpoints keep them as tensors.
    #[cfg_attr(feature = "save", serde(skip))]
    pub(crate) weights: Vec<Array2<T>>,
}

#[cfg(feature = "save")]
fn is_loss(score: &Score) -> bool {
    *score == Score::Loss
}

impl<T> Default for EarlyStop<T> {
    fn default() -> Self {
        EarlyStop {
            best: None,
            bad_epochs: 0,
        }
    }
}

impl<T: Element> EarlyStop<T> {
    /// Keeps the weights of an epoch whose loss, or other score, is better than the best by more than `min_delta`, and counts
    /// any other epoch as bad. NaN is no improvement, and values of another score than before are not compared.
    pub(super) fn observe(
        &mut self,
        network: &NeuralNetwork<T>,
        epoch: usize,
        (score, value): (Score, f64),
        min_delta: f64,
    ) {
        // Of losses the lower is the better one.
        let loss = if score.higher_is_better() { -value } else { value };
        let improved = match &self.best {
            Some(best) if best.score != score => true,
            Some(best) => !loss.is_nan() && (best.loss.is_nan() || loss < best.loss - min_delta),
            None => true,
        };
        if improved {
            self.best = Some(BestWeights {
                epoch,
                loss,
                score,
                weights: network.snapshot(),
            });
            self.bad_epochs = 0;
        } else {
            self.bad_epochs = self.bad_epochs.saturating_add(1);
        }
    }

    /// Whether the last `patience` epochs (0 counts as 1) brought no improvement.
    pub(super) fn is_due(&self, patience: usize) -> bool {
        self.bad_epochs >= patience.max(1)
    }

    /// Restores the best weights if they are of another epoch than `epoch`, the last one; returns the best epoch.
    pub(super) fn restore_best(&self, network: &mut NeuralNetwork<T>, epoch: usize) -> Option<usize> {
        let best = self.best.as_ref().filter(|best| best.epoch != epoch)?;
        network.restore_snapshot(&best.weights);
        Some(best.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The best epoch and the number of bad epochs after each loss.
    fn observed(losses: &[f64], min_delta: f64) -> Vec<(usize, usize)> {
        let network = NeuralNetwork::<f64>::builder(1).linear(1).build().unwrap();
        let mut early_stop = EarlyStop::default();
        let observe = |(epoch, &loss): (usize, &f64)| {
            early_stop.observe(&network, epoch + 1, (Score::Loss, loss), min_delta);
            (early_stop.best.as_ref().unwrap().epoch, early_stop.bad_epochs)
        };
        losses.iter().enumerate().map(observe).collect()
    }

    #[test]
    fn an_improvement_is_more_than_min_delta() {
        let losses = [1.0, 0.75, 0.75, 0.5, 0.375];
        assert_eq!(observed(&losses, 0.0), [(1, 0), (2, 0), (2, 1), (4, 0), (5, 0)]);
        // A loss is compared with the best one, not with the one before: 0.75 does not improve on 1, and 0.5 does.
        assert_eq!(observed(&losses, 0.25), [(1, 0), (1, 1), (1, 2), (4, 0), (4, 1)]);
    }

    #[test]
    fn nan_is_no_improvement() {
        let losses = [f64::NAN, f64::INFINITY, 1.0, f64::NAN, 0.5];
        assert_eq!(observed(&losses, 0.0), [(1, 0), (2, 0), (3, 0), (3, 1), (5, 0)]);
    }

    #[test]
    fn higher_scores_are_better_and_other_scores_are_not_compared() {
        let network = NeuralNetwork::<f64>::builder(1).linear(1).build().unwrap();
        let mut early_stop = EarlyStop::default();
        let mut observe = |epoch, score, value| {
            early_stop.observe(&network, epoch, (score, value), 0.05);
            (early_stop.best.as_ref().unwrap().epoch, early_stop.bad_epochs)
        };
        assert_eq!(observe(1, Score::RocAuc, 0.7), (1, 0));
        assert_eq!(observe(2, Score::RocAuc, 0.74), (1, 1));
        assert_eq!(observe(3, Score::RocAuc, 0.8), (3, 0));
        assert_eq!(observe(4, Score::Loss, 0.9), (4, 0));
        assert_eq!(observe(5, Score::Loss, 1.0), (4, 1));
    }

    #[test]
    fn patience_counts_epochs() {
        let mut early_stop = EarlyStop::<f64>::default();
        assert!(!early_stop.is_due(0) && !early_stop.is_due(1));
        early_stop.bad_epochs = 1;
        assert!(early_stop.is_due(0) && early_stop.is_due(1) && !early_stop.is_due(2));
    }
}
