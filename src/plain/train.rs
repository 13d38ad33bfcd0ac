//! Training: steps of stochastic gradient descent, over batches in an order that the caller gives.

use super::{Clipping, Loss, Matrix, Network, Reduction};
use crate::error::{Error, Result};

/// The options of a training step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Training {
    /// The loss function.
    pub loss: Loss,
    /// Whether a batch's loss is the mean or the sum of its samples' losses. Default: the mean.
    pub reduction: Reduction,
    /// eta, the length of a step in units of the gradient: finite, at least 0.
    pub learning_rate: f64,
    /// The clipping of gradients. Default: none.
    pub clipping: Clipping,
}

impl Training {
    /// Steps of eta times the mean gradient, unclipped.
    pub fn new(loss: Loss, learning_rate: f64) -> Self {
        Training {
            loss,
            reduction: Reduction::default(),
            learning_rate,
            clipping: Clipping::default(),
        }
    }

    fn check(&self) -> Result<()> {
        let rate = self.learning_rate;
        if !rate.is_finite() || rate < 0.0 {
            return Err(Error::option("learning rate", rate, "finite, and at least 0"));
        }
        match self.clipping {
            Clipping::PerTensor(limit) | Clipping::Global(limit) if limit.is_nan() || limit <= 0.0 => {
                Err(Error::option("clipping limit", limit, "above 0"))
            }
            _ => Ok(()),
        }
    }
}

/// Takes one step down the clipped gradient of a batch: W <- W - eta dJ/dW. Returns the loss before the step.
///
/// # Shapes
///
/// inputs: samples x inputs; targets: samples x outputs
///
/// # Errors
///
/// As [`Network::gradients`]; [`Error::InvalidOption`] for a learning rate or a clipping limit out of range.
pub fn train_step(
    network: &mut Network,
    inputs: &Matrix,
    targets: &Matrix,
    training: &Training,
) -> Result<f64> {
    training.check()?;
    let (loss, mut gradients) = network.gradients(inputs, targets, training.loss, training.reduction)?;
    training.clipping.clip(&mut gradients);
    network.descend(&gradients, training.learning_rate);
    Ok(loss)
}

/// Takes one step for each batch of sample indices. Returns the unweighted mean of the batches' losses, each taken before
/// its step.
///
/// `order.chunks(batch_size)` cuts an order of samples into batches, of which the last may be shorter.
///
/// # Shapes
///
/// inputs: samples x inputs; targets: samples x outputs
///
/// # Errors
///
/// As [`train_step`]; [`Error::InvalidData`] for no batches, an empty one or an index beyond the samples.
pub fn train_epoch<'a>(
    network: &mut Network,
    inputs: &Matrix,
    targets: &Matrix,
    batches: impl IntoIterator<Item = &'a [usize]>,
    training: &Training,
) -> Result<f64> {
    let mut sum = 0.0;
    let mut count = 0;
    for batch in batches {
        let (inputs, targets) = (inputs.select_rows(batch)?, targets.select_rows(batch)?);
        sum += train_step(network, &inputs, &targets, training)?;
        count += 1;
    }
    if count == 0 {
        return Err(Error::data("plain::train_epoch", "there are no batches"));
    }
    Ok(sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::super::Activation;
    use super::*;

    /// p = w x + b, from w = b = 0.
    fn line() -> Network {
        let weights = Matrix::new(2, 2, vec![1.0, 0.0, 0.0, 0.0]).unwrap();
        Network::new(vec![(weights, Activation::Identity)]).unwrap()
    }

    fn column(values: &[f64]) -> Matrix {
        Matrix::new(values.len(), 1, values.to_vec()).unwrap()
    }

    #[test]
    fn an_epoch_by_hand() {
        let (inputs, targets) = (column(&[1.0, 2.0, 0.0]), column(&[1.0, 3.0, 4.0]));
        let mut network = line();
        let training = Training::new(Loss::Mse, 0.5);
        let order = [2, 0, 1];
        let loss = train_epoch(&mut network, &inputs, &targets, order.chunks(2), &training).unwrap();
        // Samples 2 and 0: loss (16 + 1) / 2, Delta (-4, -1), so b = 2.5, w = 0.5.
        // Sample 1: p = 3.5, loss 0.25, Delta 1, so b = 2, w = -0.5.
        assert_eq!(loss, (8.5 + 0.25) / 2.0);
        assert_eq!(network.layers()[0].0.values(), [1.0, 0.0, 2.0, -0.5]);
    }

    #[test]
    fn a_clipped_step_has_the_length_of_the_limit() {
        let (inputs, targets) = (column(&[0.75]), column(&[10.0]));
        for clipping in [Clipping::PerTensor(0.5), Clipping::Global(0.5)] {
            let mut network = line();
            let training = Training {
                clipping,
                ..Training::new(Loss::Mse, 2.0)
            };
            let loss = train_step(&mut network, &inputs, &targets, &training).unwrap();
            assert_eq!(loss, 100.0);
            // The gradient is (-20, -15) of length 25, cut to (-0.4, -0.3).
            let weights = &network.layers()[0].0;
            assert!((weights[[1, 0]] - 0.8).abs() < 1e-15);
            assert!((weights[[1, 1]] - 0.6).abs() < 1e-15);
        }
    }

    #[test]
    fn options_out_of_range_are_refused() {
        let data = column(&[1.0]);
        let step = |rate, clipping| {
            let training = Training {
                clipping,
                ..Training::new(Loss::Mse, rate)
            };
            train_step(&mut line(), &data, &data, &training)
        };
        assert!(step(-1.0, Clipping::None).is_err());
        assert!(step(f64::NAN, Clipping::None).is_err());
        assert!(step(0.1, Clipping::Global(0.0)).is_err());
        assert!(step(0.1, Clipping::PerTensor(f64::NAN)).is_err());
        assert!(step(0.0, Clipping::PerTensor(1.0)).is_ok());
        let training = Training::new(Loss::Mse, 0.1);
        let batches: [&[usize]; 0] = [];
        assert!(train_epoch(&mut line(), &data, &data, batches, &training).is_err());
        let beyond: [&[usize]; 1] = [&[1]];
        assert!(train_epoch(&mut line(), &data, &data, beyond, &training).is_err());
    }
}
