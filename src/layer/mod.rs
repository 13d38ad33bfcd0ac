//! Layers: forward, backward and gradient of each.
//!
//! A [`Layer`] reads one augmented matrix and writes another, and may have parameters. An [`Activation`] has none and works
//! in place, so that a shard of a batch passes through both while it is in cache. Both keep nothing of the samples: values and
//! gradients of a step live in the network's workspace.

pub mod activation;
mod batch_norm;
mod context;
mod conv2d;
mod dropout;
mod image;
mod init;
mod linear;
mod room;
mod statistics;
mod window;

use std::any::Any;
use std::fmt;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

pub use activation::{Identity, LeakyRelu, Relu, Sigmoid, Softmax, Tanh};
pub use batch_norm::BatchNorm1d;
pub use context::{Context, Mode};
pub use conv2d::Conv2d;
pub use dropout::Dropout;
pub use image::Image;
pub use init::Initializer;
pub use linear::Linear;
pub(crate) use room::has_room;
pub use statistics::BatchStatistics;
pub use window::Window;

use crate::element::Element;

/// A map from one augmented matrix to another, with or without parameters.
///
/// A layer is mathematics: what goes in, what comes out, and the derivatives. It keeps nothing of the samples that pass
/// through; the network decides how a batch is cut into shards, and calls the layer for each of them, from several threads at
/// once.
///
/// # Shapes
///
/// n inputs, p outputs, m samples of a shard; row 0 of every matrix is the bias feature.
///
/// | argument | shape | row 0 |
/// |---|---|---|
/// | `input` | (n + 1) x m | all 1 |
/// | `output` | (p + 1) x m | all 1 before and after: leave it |
/// | `delta`, dJ/d output | (p + 1) x m | all 0 |
/// | `delta_input`, dJ/d input | (n + 1) x m | all 0 before and after: leave it |
///
/// A sample is a column, whose numbers are contiguous.
///
/// A layer of your own is saved and loaded where it is a [`FileLayer`](crate::checkpoint::FileLayer) too.
///
/// ```
/// use mfnet::layer::{Context, Layer};
/// use mfnet::{Dataset, MseLoss, NeuralNetwork, Sgd, Trainer};
/// use ndarray::{Array2, ArrayView2, ArrayViewMut2, Zip, array, s};
///
/// /// a_i = w_i z_i + b_i. As in every parameter tensor, row 0 is constant and column 0 holds the biases.
/// #[derive(Debug)]
/// struct Scale {
///     parameters: [Array2<f64>; 1],
/// }
///
/// impl Layer<f64> for Scale {
///     fn name(&self) -> &'static str {
///         "Scale"
///     }
///
///     fn inputs(&self) -> usize {
///         self.parameters[0].nrows() - 1
///     }
///
///     fn outputs(&self) -> usize {
///         self.inputs()
///     }
///
///     fn parameters(&self) -> &[Array2<f64>] {
///         &self.parameters
///     }
///
///     fn parameters_mut(&mut self) -> &mut [Array2<f64>] {
///         &mut self.parameters
///     }
///
///     fn forward(&self, input: ArrayView2<f64>, mut output: ArrayViewMut2<f64>, _: &mut Context<f64>) {
///         for ((row, column), value) in output.slice_mut(s![1.., ..]).indexed_iter_mut() {
///             let parameters = self.parameters[0].row(row + 1);
///             *value = parameters[1] * input[[row + 1, column]] + parameters[0];
///         }
///     }
///
///     fn backward(&self, _: ArrayView2<f64>, delta: ArrayView2<f64>, mut delta_input: ArrayViewMut2<f64>, _: &mut Context<f64>) {
///         for ((row, column), value) in delta_input.slice_mut(s![1.., ..]).indexed_iter_mut() {
///             *value = self.parameters[0][[row + 1, 1]] * delta[[row + 1, column]];
///         }
///     }
///
///     fn gradient(&self, input: ArrayView2<f64>, delta: ArrayView2<f64>, gradients: &mut [Array2<f64>], _: &mut Context<f64>) {
///         for row in 1..delta.nrows() {
///             gradients[0][[row, 0]] = delta.row(row).sum();
///             gradients[0][[row, 1]] = delta.row(row).dot(&input.row(row));
///         }
///     }
/// }
///
/// let scale = Scale { parameters: [array![[1.0, 0.0], [0.0, 1.0]]] };
/// let network = NeuralNetwork::builder(1).layer(Box::new(scale)).build()?;
/// let line = Dataset::regression(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]])?;
/// let mut trainer = Trainer::new(network, MseLoss::default(), Sgd::new(0.1)?);
/// trainer.fit(&line)?;
/// assert!((trainer.network().predict(array![[3.0]].view())?[[0, 0]] - 7.0).abs() < 0.01);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub trait Layer<T: Element>: Any + fmt::Debug + Send + Sync {
    /// The layer's name, such as `"Linear"`.
    fn name(&self) -> &'static str;

    /// n, the number of features of a sample that goes in, the bias not counted.
    fn inputs(&self) -> usize;

    /// p, the number of features of a sample that comes out, the bias not counted.
    fn outputs(&self) -> usize;

    /// How an output depends on samples and parameters, as far as the network makes use of it. Default:
    /// [`LayerKind::SampleWise`].
    fn kind(&self) -> LayerKind {
        LayerKind::SampleWise
    }

    /// The parameter tensors, which an optimizer changes. Row 0 of each is constant, column 0 the bias. Default: none.
    fn parameters(&self) -> &[Array2<T>] {
        &[]
    }

    /// The parameter tensors, to be changed.
    fn parameters_mut(&mut self) -> &mut [Array2<T>] {
        &mut []
    }

    /// Tensors that are learned but that no optimizer changes, such as running statistics; a number in them that is not finite
    /// counts as divergence. Default: none.
    fn buffers(&self) -> &[Array2<T>] {
        &[]
    }

    /// The buffers, to be changed.
    fn buffers_mut(&mut self) -> &mut [Array2<T>] {
        &mut []
    }

    /// Writes `output` from `input`.
    fn forward(&self, input: ArrayView2<'_, T>, output: ArrayViewMut2<'_, T>, context: &mut Context<'_, T>);

    /// Writes `delta_input` from `delta`; `input` and mode are those of [`Layer::forward`].
    fn backward(
        &self,
        input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        delta_input: ArrayViewMut2<'_, T>,
        context: &mut Context<'_, T>,
    );

    /// Writes dJ/dW of the shard's samples, one tensor for each of [`Layer::parameters`]; row 0 of each stays 0. The network
    /// adds up the shards. Default: nothing, as for a layer without parameters.
    fn gradient(
        &self,
        _input: ArrayView2<'_, T>,
        _delta: ArrayView2<'_, T>,
        _gradients: &mut [Array2<T>],
        _context: &mut Context<'_, T>,
    ) {
    }

    /// Moves running statistics towards those of a batch; called once for each update of the parameters, for a layer of the
    /// kind [`LayerKind::BatchWise`]. Default: nothing.
    fn update_running_statistics(&mut self, _statistics: &BatchStatistics<T>) {}
}

/// How a layer's output depends on samples and parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayerKind {
    /// A sample's output depends on that sample alone.
    SampleWise,
    /// As [`LayerKind::SampleWise`], and Z = W A, W being the only parameter tensor: the network may compute its products by
    /// kernels of its own choice.
    Linear,
    /// In training, a sample's output depends on the [`BatchStatistics`] of the whole batch, of which there must be at least
    /// two samples; [`Context::statistics`] has them. In predictions it depends on that sample alone.
    BatchWise,
}

/// A function without weights that overwrites its argument, and whose derivative can be told from its result.
///
/// # Shapes
///
/// n x m: the features of m samples, without the bias row.
///
/// An activation of your own is saved and loaded where it is a [`FileActivation`](crate::checkpoint::FileActivation) too.
pub trait Activation<T: Element>: Any + fmt::Debug + Send + Sync {
    /// The function's name, such as `"ReLU"`.
    fn name(&self) -> &'static str;

    /// A <- f(Z).
    fn forward(&self, values: ArrayViewMut2<'_, T>);

    /// Turns dJ/dA into dJ/dZ, given A.
    fn backward(&self, output: ArrayView2<'_, T>, delta: ArrayViewMut2<'_, T>);

    /// Whether a sample's results are probabilities, which add up to 1; `false` by default. Those of a network that ends so
    /// need no softmax any more.
    fn gives_probabilities(&self) -> bool {
        false
    }
}
