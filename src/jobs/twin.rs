//! The plain implementation's counterpart of a job: the same weights, the same samples, the same steps.

use super::{Job, LEARNING_RATE};
use crate::data::{Dataset, Targets};
use crate::element::Element;
use crate::error::Result;
use crate::loss::Reduction;
use crate::network::NeuralNetwork;
use crate::plain::{self, Activation, Loss, Matrix, Training};

/// A plain network and all that it learns from.
#[derive(Debug)]
pub struct Twin {
    network: plain::Network,
    inputs: Matrix,
    targets: Matrix,
    training: Training,
}

impl Twin {
    /// The twin of a job's network, which has ReLUs between its layers.
    pub fn new<T: Element>(job: &Job, network: &NeuralNetwork<T>, data: &Dataset<T>) -> Result<Self> {
        let weights: Vec<_> = network.parameters().collect();
        let layers = weights.iter().enumerate().map(|(layer, weights)| {
            let values = weights.iter().map(|value| value.as_f64()).collect();
            let activation = if layer + 1 < network.parameters().count() {
                Activation::Relu
            } else {
                Activation::Identity
            };
            Ok((Matrix::new(weights.nrows(), weights.ncols(), values)?, activation))
        });
        let loss = match job.data.is_classes() {
            false => Loss::Mse,
            true => Loss::CrossEntropy,
        };
        Ok(Twin {
            network: plain::Network::new(layers.collect::<Result<_>>()?)?,
            inputs: inputs(data)?,
            targets: targets(data)?,
            training: Training {
                reduction: match job.reduction {
                    Reduction::Mean => plain::Reduction::Mean,
                    Reduction::Sum => plain::Reduction::Sum,
                },
                ..Training::new(loss, LEARNING_RATE)
            },
        })
    }

    /// Learns from a batch; returns its mean loss before the step.
    pub fn step(&mut self, indices: &[usize]) -> Result<f64> {
        let inputs = self.inputs.select_rows(indices)?;
        let targets = self.targets.select_rows(indices)?;
        let loss = plain::train_step(&mut self.network, &inputs, &targets, &self.training)?;
        Ok(match self.training.reduction {
            plain::Reduction::Mean => loss,
            plain::Reduction::Sum => loss / indices.len() as f64,
        })
    }

    /// The plain network.
    pub fn network(&self) -> &plain::Network {
        &self.network
    }

    /// The loss that it is trained on.
    pub fn loss(&self) -> Loss {
        self.training.loss
    }
}

/// The inputs of a data set: samples x features.
pub fn inputs<T: Element>(data: &Dataset<T>) -> Result<Matrix> {
    let values = data.to_values().iter().map(|value| value.as_f64()).collect();
    Matrix::new(data.samples(), data.features(), values)
}

/// The targets of a data set, one-hot for classes: samples x outputs.
pub fn targets<T: Element>(data: &Dataset<T>) -> Result<Matrix> {
    match data.targets() {
        Targets::Values(values) => {
            let numbers = values.iter().map(|value| value.as_f64()).collect();
            Matrix::new(values.nrows(), values.ncols(), numbers)
        }
        Targets::Classes { labels, classes } => {
            let labels: Vec<usize> = labels.iter().map(|&label| label as usize).collect();
            plain::one_hot(&labels, *classes)
        }
    }
}
