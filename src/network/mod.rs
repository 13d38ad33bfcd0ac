//! The network: a sequence of layers. This module decides how a batch is cut into shards, how weights are packed, and which
//! update is fused.

mod backward;
mod builder;
mod fine_tuning;
mod forward;
mod partition;

mod predict;
mod shard;
mod share;
mod trainable;
mod tree;
mod update;
mod workspace;

use ndarray::{Array2, ArrayView2};

pub use builder::Builder;
pub use predict::Evaluation;
pub use workspace::Workspace;

use crate::augment::body;
use crate::data::Dataset;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::layer::{Activation, Layer, LayerKind};
use crate::loss::{Loss, softmax};
use crate::optimizer::NetworkId;
use crate::product::TransposedWeights;

/// A sequence of layers, each followed by at most one activation.
///
/// ```
/// use mfnet::NeuralNetwork;
/// use ndarray::Array2;
///
/// let network = NeuralNetwork::<f32>::builder(4).linear(8).relu().linear(3).seed(7).build()?;
/// assert_eq!(network.parameter_count(), 8 * (4 + 1) + 3 * (8 + 1));
/// assert_eq!(network.predict(Array2::zeros((5, 4)).view())?.dim(), (5, 3));
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug)]
pub struct NeuralNetwork<T> {
    /// Identifies the network to optimizers, whose state belongs to one network.
    id: NetworkId,
    stages: Vec<Stage<T>>,
    /// Another one after each change of the parameters.
    version: NetworkId,
}

/// A layer and the activation that works in place on its output.
#[derive(Debug)]
struct Stage<T> {
    layer: Box<dyn Layer<T>>,
    activation: Option<Box<dyn Activation<T>>>,
    /// Whether training changes the layer; `false` while it is frozen.
    trainable: bool,
}

impl<T: Element> Stage<T> {
    fn new(layer: Box<dyn Layer<T>>) -> Self {
        Stage {
            layer,
            activation: None,
            trainable: true,
        }
    }

    /// Whether training needs the statistics of the whole batch at the layer's input. A frozen layer computes as in
    /// predictions.
    fn is_sync_point(&self) -> bool {
        self.trainable && self.layer.kind() == LayerKind::BatchWise
    }

    /// Whether the derivative of the activation is computed from its argument.
    fn needs_activation_input(&self) -> bool {
        self.activation
            .as_ref()
            .is_some_and(|activation| activation.needs_input())
    }

    fn is_linear(&self) -> bool {
        self.layer.kind() == LayerKind::Linear
    }

    /// The weights of a fully connected layer, without their constant row.
    fn linear_weights(&self) -> Option<ArrayView2<'_, T>> {
        self.is_linear().then(|| body(self.layer.parameters()[0].view()))
    }

    /// Memory for transposed weights, if the layer's backward pass needs them for batches of up to `samples` samples.
    fn transposed_weights(&self, samples: usize) -> Option<TransposedWeights<T>> {
        self.linear_weights()
            .and_then(|weights| TransposedWeights::for_weights(weights, samples))
    }

    /// Gradients of 0, with the shapes and memory layouts of the parameters.
    fn zero_gradients(&self) -> Vec<Array2<T>> {
        let parameters = self.layer.parameters().iter();
        parameters.map(|tensor| tensor.mapv(|_| T::zero())).collect()
    }
}

/// The index of the first trainable layer with parameters; the number of layers if there is none.
fn first_trainable<T: Element>(stages: &[Stage<T>]) -> usize {
    let trains = |stage: &Stage<T>| stage.trainable && !stage.layer.parameters().is_empty();
    stages.iter().position(trains).unwrap_or(stages.len())
}

impl<T: Element> NeuralNetwork<T> {
    /// Returns a builder of a network with `inputs` input features, at least 1, the bias not counted.
    pub fn builder(inputs: usize) -> Builder<T> {
        Builder::new(inputs)
    }

    /// The number of input features of a sample, the bias not counted.
    pub fn inputs(&self) -> usize {
        self.stages[0].layer.inputs()
    }

    /// The number of outputs for a sample.
    pub fn outputs(&self) -> usize {
        self.stages[self.stages.len() - 1].layer.outputs()
    }

    /// The number of parameters: all weights and biases, without the constant rows. Frozen layers are counted too.
    pub fn parameter_count(&self) -> usize {
        self.parameters()
            .map(|weights| weights.len() - weights.ncols())
            .sum()
    }

    /// The weight tensors, layer by layer.
    ///
    /// # Shapes
    ///
    /// A fully connected layer's: (outputs + 1) x (inputs + 1), row 0 constant, column 0 the bias
    pub fn parameters(&self) -> impl Iterator<Item = &Array2<T>> {
        self.stages.iter().flat_map(|stage| stage.layer.parameters())
    }

    /// Whether predictions are class probabilities instead of logits, as for a network that ends in a
    /// [`Softmax`](crate::layer::Softmax).
    pub fn gives_probabilities(&self) -> bool {
        self.last_activation()
            .is_some_and(|activation| activation.gives_probabilities())
    }

    /// The activation that predictions come from, if there is one.
    pub(crate) fn last_activation(&self) -> Option<&dyn Activation<T>> {
        // In predictions, dropout passes on its input.
        let is_dropout = |stage: &Stage<T>| stage.layer.name() == "Dropout" && stage.activation.is_none();
        let mut stages = self.stages.iter().rev().skip_while(|stage| is_dropout(stage));
        stages.next()?.activation.as_deref()
    }

    /// Turns predictions into class probabilities, unless they are already.
    pub(crate) fn probabilities(&self, predictions: Array2<T>) -> Array2<T> {
        if self.gives_probabilities() {
            return predictions;
        }
        softmax(predictions.view())
    }

    /// Each layer and the activation behind it, in order.
    pub(crate) fn layers_and_activations(
        &self,
    ) -> impl Iterator<Item = (&dyn Layer<T>, Option<&dyn Activation<T>>)> {
        let stages = self.stages.iter();
        stages.map(|stage| (&*stage.layer, stage.activation.as_deref()))
    }

    /// Replaces the layers and activations by those of a network with the same architecture.
    #[cfg(feature = "save")]
    pub(crate) fn replace_layers(&mut self, other: Self) {
        debug_assert_eq!(self.architecture(), other.architecture());
        self.version = NetworkId::next();
        for (stage, other) in self.stages.iter_mut().zip(other.stages) {
            stage.layer = other.layer;
            stage.activation = other.activation;
        }
    }

    /// The parameters and buffers of each layer, layer by layer: all that training changes.
    pub fn tensors(&self) -> impl Iterator<Item = &Array2<T>> {
        let layers = self.stages.iter().map(|stage| &stage.layer);
        layers.flat_map(|layer| layer.parameters().iter().chain(layer.buffers()))
    }

    /// Whether all parameters and buffers are finite.
    pub(crate) fn is_finite(&self) -> bool {
        self.tensors().all(|tensor| match tensor.as_slice_memory_order() {
            // In chunks, without a branch for each number.
            Some(numbers) => numbers.chunks(1 << 10).all(|piece| {
                piece
                    .iter()
                    .fold(true, |finite, number| finite & number.is_finite())
            }),
            None => tensor.iter().all(|number| number.is_finite()),
        })
    }

    /// A copy of all parameters and buffers, to be restored later.
    pub(crate) fn snapshot(&self) -> Vec<Array2<T>> {
        self.tensors().cloned().collect()
    }

    /// Restores a snapshot of this network.
    pub(crate) fn restore_snapshot(&mut self, snapshot: &[Array2<T>]) {
        self.version = NetworkId::next();
        let mut snapshot = snapshot.iter();
        for stage in &mut self.stages {
            for (tensor, saved) in stage.layer.parameters_mut().iter_mut().zip(&mut snapshot) {
                tensor.assign(saved);
            }
            for (tensor, saved) in stage.layer.buffers_mut().iter_mut().zip(&mut snapshot) {
                tensor.assign(saved);
            }
        }
    }

    /// Refuses a loss that expects logits if the network returns probabilities, and the reverse.
    pub(crate) fn check_loss(&self, operation: &'static str, loss: &dyn Loss<T>) -> Result<()> {
        let activation = self.last_activation().map(Activation::name);
        loss.expects()
            .check(operation, loss.name(), self.gives_probabilities(), activation)
    }

    /// Refuses a training batch of one sample if a layer needs the statistics of the batch.
    pub(crate) fn check_batch(&self, operation: &'static str, samples: usize) -> Result<()> {
        let Some(stage) = self
            .stages
            .iter()
            .find(|stage| samples < 2 && stage.is_sync_point())
        else {
            return Ok(());
        };
        let name = stage.layer.name();
        Err(Error::data(
            format_args!("{operation}, a batch of {samples}"),
            format_args!(
                "{name} learns from a batch as a whole, and needs more samples: leave out a short last batch (drop_last), or choose a batch size that leaves no such \
                 rest, or leave a sample out"
            ),
        ))
    }

    /// One line: the numbers of features, and the names of activations and of layers that are not fully connected, such as
    /// `784 - 512 ReLU, Dropout - 10`.
    pub fn architecture(&self) -> String {
        let mut text = self.inputs().to_string();
        for stage in &self.stages {
            text += &match stage.layer.name() {
                "Linear" => format!(" - {}", stage.layer.outputs()),
                name if stage.layer.inputs() == stage.layer.outputs() => format!(", {name}"),
                name => format!(" - {} {name}", stage.layer.outputs()),
            };
            if let Some(activation) = &stage.activation {
                text += &format!(" {}", activation.name());
            }
        }
        text
    }

    /// The number of inputs, then the number of outputs of each layer.
    fn widths(&self) -> impl Iterator<Item = usize> {
        let outputs = self.stages.iter().map(|stage| stage.layer.outputs());
        std::iter::once(self.inputs()).chain(outputs)
    }

    /// Refuses a data set with another number of features or outputs.
    pub(crate) fn check_dataset(&self, operation: &'static str, dataset: &Dataset<T>) -> Result<()> {
        self.check_inputs(operation, dataset.samples(), dataset.features())?;
        self.check_outputs(operation, dataset.outputs())
    }

    fn check_outputs(&self, operation: &'static str, outputs: usize) -> Result<()> {
        if outputs == self.outputs() {
            return Ok(());
        }
        Err(Error::shape(
            operation,
            format_args!("targets of {} outputs, as the network's", self.outputs()),
            outputs,
        ))
    }

    fn check_inputs(&self, operation: &'static str, samples: usize, features: usize) -> Result<()> {
        if features == self.inputs() {
            return Ok(());
        }
        Err(Error::shape(
            operation,
            format_args!("samples x {} features", self.inputs()),
            format_args!("{samples} x {features}"),
        ))
    }
}
