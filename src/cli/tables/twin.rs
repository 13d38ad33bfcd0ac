//! The plain implementation's counterpart of a job: the same weights, the same samples, the same steps.
//!
//! The benches use this file as well: it knows nothing but the library.

use mfnet::plain::{self, Activation, Loss, Matrix, Training};
use mfnet::{Dataset, Element, NeuralNetwork, Reduction, Targets};

use super::job::{Job, LEARNING_RATE};

/// A plain network and all that it learns from.
#[derive(Debug)]
pub(crate) struct Twin {
    network: plain::Network,
    inputs: Matrix,
    targets: Matrix,
    training: Training,
}

impl Twin {
    /// The twin of a job's network, which has ReLUs between its layers.
    pub(crate) fn new<T: Element>(
        job: &Job,
        network: &NeuralNetwork<T>,
        data: &Dataset<T>,
    ) -> mfnet::Result<Self> {
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
            network: plain::Network::new(layers.collect::<mfnet::Result<_>>()?)?,
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
    pub(crate) fn step(&mut self, indices: &[usize]) -> mfnet::Result<f64> {
        let inputs = self.inputs.select_rows(indices)?;
        let targets = self.targets.select_rows(indices)?;
        let loss = plain::train_step(&mut self.network, &inputs, &targets, &self.training)?;
        Ok(match self.training.reduction {
            plain::Reduction::Mean => loss,
            plain::Reduction::Sum => loss / indices.len() as f64,
        })
    }

    /// The plain network.
    pub(crate) fn network(&self) -> &plain::Network {
        &self.network
    }

    /// What is made small.
    pub(crate) fn loss(&self) -> Loss {
        self.training.loss
    }
}

/// The inputs of a data set: samples x features.
pub(crate) fn inputs<T: Element>(data: &Dataset<T>) -> mfnet::Result<Matrix> {
    let values = data.to_values().iter().map(|value| value.as_f64()).collect();
    Matrix::new(data.samples(), data.features(), values)
}

/// The targets of a data set, one-hot for classes: samples x outputs.
pub(crate) fn targets<T: Element>(data: &Dataset<T>) -> mfnet::Result<Matrix> {
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
