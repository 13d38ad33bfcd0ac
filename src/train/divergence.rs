//! Divergence: the stop of a training whose loss or weights are NaN or infinite.

use crate::element::Element;
use crate::error::{Error, Result};
use crate::network::NeuralNetwork;

/// Refuses the loss of a batch that is not finite.
pub(super) fn check_loss(epoch: usize, batch: usize, loss: f64) -> Result<()> {
    if loss.is_finite() {
        return Ok(());
    }
    Err(Error::Diverged { epoch, batch, loss })
}

/// Refuses to hand out a network that is not finite.
///
/// That a step was too long shows in the next batch's loss, if there is one, and not even there where a unit is saturated
/// or off. The weights are looked at when an epoch ends, since a look at every step would take time.
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
