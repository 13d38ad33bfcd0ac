//! Divergence checks: a training ends with an error when its loss or its weights are NaN or infinite.

use crate::element::Element;
use crate::error::{Error, Result};
use crate::network::NeuralNetwork;

/// Returns [`Error::Diverged`] if the loss of a batch is NaN or infinite.
pub(super) fn check_loss(epoch: usize, batch: usize, loss: f64) -> Result<()> {
    if loss.is_finite() {
        return Ok(());
    }
    Err(Error::Diverged { epoch, batch, loss })
}

/// Returns [`Error::Diverged`] if a weight or a running statistic is NaN or infinite.
///
/// The loss alone does not show a step that was too long: there may be no next batch, and units may be saturated or
/// inactive. The weights are checked at the end of an epoch, since a check after every step would take time.
pub(super) fn check_weights<T: Element>(
    network: &NeuralNetwork<T>,
    epoch: usize,
    batch: usize,
    loss: f64,
) -> Result<()> {
    if network.is_finite() {
        return Ok(());
    }
    Err(Error::Diverged { epoch, batch, loss })
}
