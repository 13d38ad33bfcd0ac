//! The weights that training changes: for the L2 penalty, and for methods that take all weights as one list.

use ndarray::{Array2, ArrayView2, s};

use super::{NeuralNetwork, Stage};
use crate::element::{Element, compiled};
use crate::error::{Error, Result};
use crate::layer::LayerKind;
use crate::optimizer::NetworkId;

impl<T: Element> NeuralNetwork<T> {
    /// The weight tensors that training changes, each with its place in [`NeuralNetwork::parameters`].
    pub(crate) fn trainable_tensors(&self) -> impl Iterator<Item = (usize, &Array2<T>)> {
        let tensors = self.stages.iter().flat_map(|stage| {
            let tensors = stage.layer.parameters().iter();
            tensors.map(move |tensor| (stage.trainable, tensor))
        });
        let trainable = |(index, (trainable, tensor))| if trainable { Some((index, tensor)) } else { None };
        tensors.enumerate().filter_map(trainable)
    }

    /// Calls a function for each weight tensor that training changes, to change it.
    pub(crate) fn for_each_trainable_tensor(&mut self, mut change: impl FnMut(&mut Array2<T>)) {
        self.version = NetworkId::next();
        for stage in self.stages.iter_mut().filter(|stage| stage.trainable) {
            stage.layer.parameters_mut().iter_mut().for_each(&mut change);
        }
    }

    /// |W|^2: the sum of the squares of all weights that training changes, without the biases.
    pub(crate) fn squared_weights(&self) -> f64 {
        self.trainable_tensors()
            .map(|(_, tensor)| sum_of_squares(without_biases(tensor)))
            .sum()
    }

    /// Refuses a network whose loss on a data set is not a function of its weights alone: with dropout, which is random, or
    /// with a layer that looks at a batch as a whole.
    pub(crate) fn check_is_function(&self, operation: &'static str) -> Result<()> {
        let is_random = |stage: &Stage<T>| stage.layer.name() == "Dropout";
        let is_of_batch = |stage: &Stage<T>| stage.trainable && stage.layer.kind() == LayerKind::BatchWise;
        let mut stages = self.stages.iter();
        match stages.find(|stage| is_random(stage) || is_of_batch(stage)) {
            None => Ok(()),
            Some(stage) => Err(Error::data(
                operation,
                format_args!(
                    "{} gives other results in each pass or batch, and L-BFGS needs one loss for the same weights: leave \
                     the layer out, or take another optimizer",
                    stage.layer.name()
                ),
            )),
        }
    }
}

/// Adds `penalty` W to the gradients of the weights that training changes.
pub(super) fn add_penalty<T: Element>(stages: &[Stage<T>], gradients: &mut [Vec<Array2<T>>], penalty: f64) {
    let penalty = T::from_f64(penalty);
    for (stage, gradients) in stages.iter().zip(gradients).filter(|(stage, _)| stage.trainable) {
        for (gradient, weights) in gradients.iter_mut().zip(stage.layer.parameters()) {
            gradient
                .slice_mut(s![1.., 1..])
                .scaled_add(penalty, &without_biases(weights));
        }
    }
}

/// The weights of a tensor, without its constant row and its biases.
fn without_biases<T>(tensor: &Array2<T>) -> ArrayView2<'_, T> {
    tensor.slice(s![1.., 1..])
}

compiled! {
    /// The sum of squares, added in f64 in an order that depends on the shape and the layout alone.
    fn sum_of_squares<'a, 'b, T>(weights: ArrayView2<'a, T>) -> f64 {
        let is_row_major = weights.strides()[0] >= weights.strides()[1];
        let lines = if is_row_major { weights } else { weights.reversed_axes() };
        let square = |value: &T| value.as_f64() * value.as_f64();
        lines.rows().into_iter().map(|line| line.iter().map(square).sum::<f64>()).sum()
    }
}
