//! The network: layers in a row. How work is cut, how weights are packed and which update is fused is decided here.

mod backward;
mod builder;
mod fine_tuning;
mod forward;
mod partition;
mod predict;
mod shard;
mod update;
mod workspace;

use ndarray::Array2;

pub use builder::Builder;
pub use predict::Evaluation;
pub use workspace::Workspace;

use crate::data::Dataset;
use crate::element::Element;
use crate::error::{Error, Result};
#[cfg(feature = "save")]
use crate::layer::Fetch;
use crate::layer::{Activation, Form, Image, Layer, LayerKind, Record, flatten};
use crate::loss::softmax;

/// Layers in a row, each with the activations that follow it.
///
/// ```
/// use mfnet::NeuralNetwork;
/// use ndarray::Array2;
///
/// let network = NeuralNetwork::<f32>::builder(4).linear(8).relu().linear(3).seed(7).build()?;
/// assert_eq!(network.parameters(), 8 * (4 + 1) + 3 * (8 + 1));
/// assert_eq!(network.predict(Array2::zeros((5, 4)).view())?.dim(), (5, 3));
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug)]
pub struct NeuralNetwork<T> {
    stages: Vec<Stage<T>>,
}

/// A layer and the activation that works in place on its output.
#[derive(Debug)]
struct Stage<T> {
    layer: Box<dyn Layer<T>>,
    activation: Option<Box<dyn Activation<T>>>,
    /// Whether the layer learns; not while it is frozen.
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

    /// Whether training wants the statistics of the whole batch at the layer's input. A frozen layer works as in predictions.
    fn is_sync_point(&self) -> bool {
        self.trainable && self.layer.kind() == LayerKind::BatchWise
    }

    fn is_linear(&self) -> bool {
        self.layer.kind() == LayerKind::Linear
    }

    /// Gradients of 0, laid out as the parameters.
    fn zero_gradients(&self) -> Vec<Array2<T>> {
        let parameters = self.layer.parameters().iter();
        parameters.map(|tensor| tensor.mapv(|_| T::zero())).collect()
    }
}

/// What a file has a record for.
enum Entry<'a, T> {
    Images(Image),
    Features,
    Layer(&'a dyn Layer<T>),
    Activation(&'a dyn Activation<T>),
}

impl<T: Element> NeuralNetwork<T> {
    /// Starts a network for samples of `inputs` features, at least 1, the bias not counted.
    pub fn builder(inputs: usize) -> Builder<T> {
        Builder::new(inputs)
    }

    /// The features of a sample that goes in.
    pub fn inputs(&self) -> usize {
        self.stages[0].layer.inputs()
    }

    /// The features of a prediction.
    pub fn outputs(&self) -> usize {
        self.stages[self.stages.len() - 1].layer.outputs()
    }

    /// The number of trainable numbers: all weights but the constant rows.
    pub fn parameters(&self) -> usize {
        let trainable = |weights: &Array2<T>| weights.len() - weights.ncols();
        self.weights().map(trainable).sum()
    }

    /// The weight tensors, layer by layer.
    ///
    /// # Shapes
    ///
    /// A fully connected layer's: (outputs + 1) x (inputs + 1), row 0 constant, column 0 the bias
    pub fn weights(&self) -> impl Iterator<Item = &Array2<T>> {
        self.stages.iter().flat_map(|stage| stage.layer.parameters())
    }

    /// Whether predictions are probabilities of classes already, as of a network that ends in a
    /// [`Softmax`](crate::layer::Softmax), and not logits.
    pub fn gives_probabilities(&self) -> bool {
        let last = self.stages.last().and_then(|stage| stage.activation.as_ref());
        last.is_some_and(|activation| activation.gives_probabilities())
    }

    /// Predictions as probabilities.
    pub(crate) fn probabilities(&self, predictions: Array2<T>) -> Array2<T> {
        if self.gives_probabilities() {
            return predictions;
        }
        softmax(predictions.view())
    }

    /// What files say of each layer and each activation, in order: the modules of PyTorch's `nn.Sequential`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a layer or an activation of your own that has no [record](Layer::record).
    pub fn records(&self) -> Result<Vec<Record<T>>> {
        let unknown = |name: &'static str| {
            let problem = "no file has a name for this layer, so that it cannot be saved";
            Error::data(name, problem)
        };
        let record = |entry| match entry {
            Entry::Images(image) => Ok(image.record()),
            Entry::Features => Ok(flatten()),
            Entry::Layer(layer) => layer.record().ok_or_else(|| unknown(layer.name())),
            Entry::Activation(activation) => activation.record().ok_or_else(|| unknown(activation.name())),
        };
        self.entries().into_iter().map(record).collect()
    }

    /// What files have a record for, in order: layers and activations, and where features become images and the other way
    /// round.
    fn entries(&self) -> Vec<Entry<'_, T>> {
        let mut entries = Vec::new();
        let mut image = None;
        for Stage {
            layer, activation, ..
        } in &self.stages
        {
            let wanted = match layer.form() {
                Form::Features => None,
                Form::Any => image,
                Form::Images { input, .. } => Some(input),
            };
            if wanted != image {
                entries.extend(image.map(|_| Entry::Features));
                entries.extend(wanted.map(Entry::Images));
            }
            image = layer.form().image_behind(image);
            entries.push(Entry::Layer(&**layer));
            if let Some(activation) = activation {
                if !activation.is_elementwise() {
                    entries.extend(image.take().map(|_| Entry::Features));
                }
                entries.push(Entry::Activation(&**activation));
            }
        }
        entries.extend(image.map(|_| Entry::Features));
        entries
    }

    /// Takes over the tensors of each record, by names such as `0.weight`: the record's index, and the tensor's name.
    #[cfg(feature = "save")]
    pub(crate) fn restore(&mut self, fetch: &mut Fetch<'_, T>) -> Result<()> {
        let entries = self.entries().into_iter().enumerate();
        let places = entries.filter_map(|(index, entry)| matches!(entry, Entry::Layer(_)).then_some(index));
        let places: Vec<usize> = places.collect();
        for (stage, index) in self.stages.iter_mut().zip(places) {
            stage
                .layer
                .restore(&mut |name, shape| fetch(&format!("{index}.{name}"), shape))?;
        }
        Ok(())
    }

    /// The parameters and buffers of each layer: all that training changes.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Array2<T>> {
        let layers = self.stages.iter().map(|stage| &stage.layer);
        layers.flat_map(|layer| layer.parameters().iter().chain(layer.buffers()))
    }

    /// Whether all parameters and buffers are finite.
    pub(crate) fn is_finite(&self) -> bool {
        self.tensors().all(|tensor| match tensor.as_slice_memory_order() {
            // In pieces, without a branch for each number.
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

    /// Refuses to learn from a batch of one sample where a layer needs the statistics of the batch.
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
                "{name} learns from a batch as a whole, and needs more samples: choose a batch size that leaves no such \
                 rest, or leave a sample out"
            ),
        ))
    }

    /// One line: the features of each fully connected layer and what is between, such as `784 - 512 ReLU, Dropout - 10`.
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

    /// The features that go in, then those that each layer gives.
    fn widths(&self) -> impl Iterator<Item = usize> {
        let outputs = self.stages.iter().map(|stage| stage.layer.outputs());
        std::iter::once(self.inputs()).chain(outputs)
    }

    /// Refuses a data set of other features or outputs.
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
