//! Layers: forward, backward and gradient of each.
//!
//! A [`Layer`] reads one augmented matrix and writes another, and may have parameters. An [`Activation`] has none and
//! works in place, so that a shard of a batch passes through both while it is in cache. Neither stores anything of the
//! samples: values and gradients of a step live in the network's workspace.

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

pub use activation::{Elu, Gelu, Identity, LeakyRelu, Relu, Sigmoid, Silu, Softmax, Softplus, Tanh};
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
/// A layer is mathematics: a function of its input and its derivatives. It stores nothing of the samples that pass
/// through; the network decides how a batch is cut into shards, and calls the layer for each of them, from several
/// threads at once.
///
/// # Shapes
///
/// n inputs, p outputs, m samples of a shard; row 0 of every matrix is the bias feature.
///
/// | argument | shape | row 0 |
/// |---|---|---|
/// | `input` | (n + 1) x m | all 1 |
/// | `output` | (p + 1) x m | all 1; must not be changed |
/// | `delta`, dJ/d output | (p + 1) x m | all 0 |
/// | `delta_input`, dJ/d input | (n + 1) x m | all 0; must not be changed |
///
/// A sample is a column, whose numbers are contiguous.
///
/// A layer of your own can be saved and loaded if it is also a [`FileLayer`](crate::checkpoint::FileLayer).
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

    /// n, the number of input features of a sample, the bias not counted.
    fn inputs(&self) -> usize;

    /// p, the number of output features of a sample, the bias not counted.
    fn outputs(&self) -> usize;

    /// How an output depends on samples and parameters, as far as the network uses it. Default:
    /// [`LayerKind::SampleWise`].
    fn kind(&self) -> LayerKind {
        LayerKind::SampleWise
    }

    /// The parameter tensors, which an optimizer changes. Row 0 of each is constant, column 0 is the bias. Default: no
    /// tensors.
    fn parameters(&self) -> &[Array2<T>] {
        &[]
    }

    /// The parameter tensors, mutable.
    fn parameters_mut(&mut self) -> &mut [Array2<T>] {
        &mut []
    }

    /// The buffers: tensors that training changes but no optimizer does, such as running statistics. A number in them
    /// that is not finite counts as divergence. Default: no tensors.
    fn buffers(&self) -> &[Array2<T>] {
        &[]
    }

    /// The buffers, mutable.
    fn buffers_mut(&mut self) -> &mut [Array2<T>] {
        &mut []
    }

    /// Computes `output` from `input`.
    fn forward(&self, input: ArrayView2<'_, T>, output: ArrayViewMut2<'_, T>, context: &mut Context<'_, T>);

    /// Computes `delta_input` from `delta`; `input` and mode are those of [`Layer::forward`].
    fn backward(
        &self,
        input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        delta_input: ArrayViewMut2<'_, T>,
        context: &mut Context<'_, T>,
    );

    /// Computes dJ/dW of the shard's samples, one tensor for each of [`Layer::parameters`]; row 0 of each stays 0. The
    /// network adds up the shards. Default: does nothing, as for a layer without parameters.
    fn gradient(
        &self,
        _input: ArrayView2<'_, T>,
        _delta: ArrayView2<'_, T>,
        _gradients: &mut [Array2<T>],
        _context: &mut Context<'_, T>,
    ) {
    }

    /// Updates running statistics with those of a batch. Called once for each update of the parameters, for a layer of
    /// the kind [`LayerKind::BatchWise`]. Default: does nothing.
    fn update_running_statistics(&mut self, _statistics: &BatchStatistics<T>) {}
}

/// How a layer's output depends on samples and parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayerKind {
    /// A sample's output depends on that sample alone.
    SampleWise,
    /// As [`LayerKind::SampleWise`], and Z = W A, where W is the only parameter tensor: the network may compute the
    /// products with kernels of its own choice.
    Linear,
    /// In training, a sample's output depends on the [`BatchStatistics`] of the whole batch, which
    /// [`Context::statistics`] returns; the batch must have at least two samples. In predictions, an output depends on
    /// its sample alone.
    BatchWise,
}

/// A function without parameters that is applied in place, and whose derivative is computed from its result A or, if
/// [`Activation::needs_input`], from its argument Z.
///
/// # Shapes
///
/// n x m: the features of m samples, without the bias row.
///
/// An activation of your own can be saved and loaded if it is also a
/// [`FileActivation`](crate::checkpoint::FileActivation).
///
/// ```
/// use mfnet::NeuralNetwork;
/// use mfnet::layer::Activation;
/// use ndarray::{ArrayView2, ArrayViewMut2, Zip};
///
/// /// a = z^2: the result does not tell the sign of z, which the derivative 2 z needs.
/// #[derive(Debug)]
/// struct Square;
///
/// impl Activation<f64> for Square {
///     fn name(&self) -> &'static str {
///         "square"
///     }
///
///     fn needs_input(&self) -> bool {
///         true
///     }
///
///     fn forward(&self, mut values: ArrayViewMut2<'_, f64>) {
///         values.mapv_inplace(|z| z * z);
///     }
///
///     fn backward(&self, input: ArrayView2<'_, f64>, delta: ArrayViewMut2<'_, f64>) {
///         Zip::from(delta).and(input).for_each(|delta, &z| *delta *= 2.0 * z);
///     }
/// }
///
/// let network = NeuralNetwork::builder(3).linear(4).activation(Box::new(Square)).linear(1).build()?;
/// assert_eq!(network.architecture(), "3 - 4 square - 1");
/// # Ok::<(), mfnet::Error>(())
/// ```
pub trait Activation<T: Element>: Any + fmt::Debug + Send + Sync {
    /// The function's name, such as `"ReLU"`.
    fn name(&self) -> &'static str;

    /// A <- f(Z).
    fn forward(&self, values: ArrayViewMut2<'_, T>);

    /// Turns dJ/dA into dJ/dZ, given `values`: A, or Z if [`Activation::needs_input`].
    fn backward(&self, values: ArrayView2<'_, T>, delta: ArrayViewMut2<'_, T>);

    /// Whether the derivative is computed from the argument Z instead of the result A, as for a function that is not
    /// monotonic. A training network then keeps a copy of Z. Default: `false`.
    fn needs_input(&self) -> bool {
        false
    }

    /// Whether a sample's results are probabilities, which add up to 1. The results of a network that ends in such an
    /// activation need no further softmax. Default: `false`.
    fn gives_probabilities(&self) -> bool {
        false
    }
}
