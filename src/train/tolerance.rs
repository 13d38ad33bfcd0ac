//! Stopping by tolerance: a training ends when its training loss hardly falls any more.

use crate::error::{Error, Result};

/// The rule that ends a training whose training loss hardly falls any more.
///
/// An epoch is bad if its [loss](super::EpochRecord::loss_per_sample) is above the least one so far minus
/// [`Tolerance::improvement`]. The training ends after more than [`Tolerance::epochs`] bad epochs in a row, or, with
/// [`Schedule::Adaptive`](crate::Schedule::Adaptive), the learning rate falls then. The weights stay those of the last
/// epoch. As scikit-learn's `tol` and `n_iter_no_change`, which have the same defaults.
///
/// ```
/// use mfnet::train::Tolerance;
/// use mfnet::{Dataset, MseLoss, NeuralNetwork, Sgd, StopReason, TrainOptions, Trainer};
/// use ndarray::array;
///
/// let line = Dataset::regression(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]])?;
/// let network = NeuralNetwork::<f64>::builder(1).linear(1).seed(7).build()?;
/// let options = TrainOptions::default().with_epochs(10_000).with_tolerance(Tolerance::new(1e-4, 5));
/// let mut trainer = Trainer::new(network, MseLoss::default(), Sgd::new(0.1)?).options(options);
/// let history = trainer.fit(&line)?;
/// assert_eq!(history.stopped, Some(StopReason::Converged));
/// assert!(history.train_loss() < Some(0.01));
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Tolerance {
    /// The improvement of the loss that counts, a finite number of at least 0. Default: 1e-4.
    pub improvement: f64,
    /// The number of bad epochs in a row that are tolerated. Default: 10.
    pub epochs: usize,
}

impl Default for Tolerance {
    fn default() -> Self {
        Tolerance::new(1e-4, 10)
    }
}

impl Tolerance {
    /// Tolerates this number of epochs in a row whose loss has not improved by this much.
    pub fn new(improvement: f64, epochs: usize) -> Self {
        Tolerance { improvement, epochs }
    }

    pub(super) fn check(self) -> Result<()> {
        if self.improvement >= 0.0 && self.improvement.is_finite() {
            return Ok(());
        }
        let expected = "a finite number of at least 0";
        Err(Error::option("tolerance", self.improvement, expected))
    }
}

/// The progress of a training with a tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub(crate) struct ToleranceState {
    /// The least loss so far; `None` before the first epoch.
    pub(crate) least: Option<f64>,
    /// The number of bad epochs in a row.
    pub(crate) bad_epochs: usize,
}

impl ToleranceState {
    /// Reports the loss of an epoch; returns whether more bad epochs have passed than are tolerated.
    pub(super) fn observe(&mut self, loss: f64, tolerance: Tolerance) -> bool {
        let is_bad = self
            .least
            .is_some_and(|least| loss > least - tolerance.improvement);
        self.bad_epochs = if is_bad {
            self.bad_epochs.saturating_add(1)
        } else {
            0
        };
        self.least = Some(self.least.map_or(loss, |least| least.min(loss)));
        self.bad_epochs > tolerance.epochs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_epochs_by_hand() {
        let mut state = ToleranceState::default();
        let mut observe = |loss| (state.observe(loss, Tolerance::new(0.25, 1)), state.bad_epochs);
        assert_eq!(observe(2.0), (false, 0));
        assert_eq!(observe(1.75), (false, 0), "just enough");
        assert_eq!(observe(1.625), (false, 1));
        // The least loss is 1.625 now, although its epoch was a bad one.
        assert_eq!(observe(1.5), (true, 2));
        assert_eq!(observe(1.25), (false, 0));
    }

    #[test]
    fn odd_improvements_are_refused() {
        for odd in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(Tolerance::new(odd, 1).check().is_err());
        }
        assert!(Tolerance::default().check().is_ok());
    }
}
