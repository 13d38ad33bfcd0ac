//! The loss of a network on a whole data set as a function of all weights that training changes.

use ndarray::{Array2, s};

use super::super::event::Event;
use super::{LbfgsOptions, Observer};
use crate::data::{DataLoader, Dataset, Shuffle};
use crate::element::Element;
use crate::error::Result;
use crate::loss::Loss;
use crate::network::{NeuralNetwork, Workspace};

/// A network, the data to train it on, and the observer of the training.
pub(super) struct Objective<'a, 'o, T> {
    pub(super) network: &'a mut NeuralNetwork<T>,
    pub(super) observer: &'a mut Observer<'o>,
    /// The current iteration, counted from 1, for the observer.
    pub(super) iteration: usize,
    loss: &'a dyn Loss<T>,
    loader: DataLoader<'a, T>,
    workspace: Workspace<T>,
    l2_penalty: f64,
}

impl<'a, 'o, T: Element> Objective<'a, 'o, T> {
    pub(super) fn new(
        network: &'a mut NeuralNetwork<T>,
        loss: &'a dyn Loss<T>,
        data: &'a Dataset<T>,
        options: &LbfgsOptions,
        observer: &'a mut Observer<'o>,
    ) -> Result<Self> {
        let loader = DataLoader::new(data, options.batch_size, Shuffle::None, 0)?;
        let workspace = Workspace::new(network, loader.batch_size())?;
        Ok(Objective {
            network,
            observer,
            iteration: 1,
            loss,
            loader,
            workspace,
            l2_penalty: options.l2_penalty,
        })
    }

    /// The weights, tensor by tensor, row by row, without the constant rows.
    pub(super) fn weights(&self) -> Vec<f64> {
        let mut weights = Vec::new();
        for (_, tensor) in self.network.trainable_tensors() {
            weights.extend(tensor.slice(s![1.., ..]).iter().map(|weight| weight.as_f64()));
        }
        weights
    }

    /// Sets the weights.
    pub(super) fn set_weights(&mut self, weights: &[f64]) {
        let mut weights = weights.iter();
        self.network.for_each_trainable_tensor(|tensor| {
            for (place, &weight) in tensor.slice_mut(s![1.., ..]).iter_mut().zip(&mut weights) {
                *place = T::from_f64(weight);
            }
        });
    }

    /// The loss with these weights, and its gradient; `None` if the observer stopped.
    pub(super) fn evaluate(&mut self, weights: &[f64], gradient: &mut [f64]) -> Result<Option<f64>> {
        self.set_weights(weights);
        let (samples, batches) = (self.loader.samples() as f64, self.loader.batches().len());
        let (mut sum, mut seen) = (0.0, 0.0);
        gradient.fill(0.0);
        for (piece, batch) in self.loader.batches().enumerate() {
            let part = batch.samples() as f64 / samples;
            seen += part;
            sum += part
                * self
                    .network
                    .forward_backward(&batch, self.loss, &mut self.workspace)?;
            self.network.gradients(&mut self.workspace)?;
            let gradients: Vec<&Array2<T>> = self.workspace.gradients().collect();
            let mut places = gradient.iter_mut();
            for (index, _) in self.network.trainable_tensors() {
                let body = gradients[index].slice(s![1.., ..]);
                // The tensor first: a list that ends second loses a number.
                for (value, place) in body.iter().zip(&mut places) {
                    *place += part * value.as_f64();
                }
            }
            let event = Event::Batch {
                epoch: self.iteration,
                done: piece + 1,
                batches,
                loss: sum / seen,
            };
            if (self.observer)(event).is_break() {
                return Ok(None);
            }
        }
        let penalty = self.l2_penalty / samples;
        if penalty > 0.0 {
            sum += penalty / 2.0 * self.network.squared_weights();
            let mut places = gradient.iter_mut();
            for (_, tensor) in self.network.trainable_tensors() {
                let body = tensor.slice(s![1.., ..]);
                for (((_, column), weight), place) in body.indexed_iter().zip(&mut places) {
                    *place += if column > 0 {
                        penalty * weight.as_f64()
                    } else {
                        0.0
                    };
                }
            }
        }
        Ok(Some(sum))
    }
}
