//! Layers: what turns one block of samples into the next, and the gradients back.
//!
//! A [`Layer`] reads one augmented matrix and writes another, and may have weights. An [`Activation`] has none and works
//! in place, so that a block passes through both while it is in cache. Both hold no state of a pass: what a step
//! computes lives in the network's workspace.

mod activation;
mod batch_norm;
mod block;
mod conv2d;
mod dropout;
mod image;
mod init;
mod linear;
mod pass;
mod room;
mod whole;
mod window;

use std::any::Any;
use std::fmt;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

pub use activation::{Identity, Relu, Sigmoid, Softmax, Tanh};
pub use batch_norm::BatchNorm1d;
pub(crate) use block::Block;
pub use block::Samples;
pub use conv2d::Conv2d;
pub use dropout::Dropout;
pub use image::Image;
pub use init::Initializer;
pub use linear::Linear;
pub use pass::Pass;
pub(crate) use room::has_room;
pub use whole::{Whole, WholeBatch};
pub use window::Window;

use crate::element::Element;

/// A map from one augmented matrix to another, with or without weights.
///
/// # Shapes
///
/// n inputs, p outputs, m samples of a block; row 0 of every matrix is the bias feature.
///
/// | argument | shape | row 0 |
/// |---|---|---|
/// | `input` | (n + 1) x m | all 1 |
/// | `output` | (p + 1) x m | all 1 before and after: leave it |
/// | `delta`, dJ/d output | (p + 1) x m | all 0 |
/// | `delta_input`, dJ/d input | (n + 1) x m | all 0 before and after: leave it |
///
/// A sample is a column, whose numbers lie next to each other.
///
/// A layer of your own is saved and loaded where it is a [`FileLayer`](crate::checkpoint::FileLayer) too.
pub trait Layer<T: Element>: Any + fmt::Debug + Send + Sync {
    /// The layer's name, such as `"Linear"`.
    fn name(&self) -> &'static str;

    /// n, the features of a sample that goes in, the bias not counted.
    fn inputs(&self) -> usize;

    /// p, the features of a sample that comes out, the bias not counted.
    fn outputs(&self) -> usize;

    /// The weight tensors; none by default. Row 0 of each is constant.
    fn weights(&self) -> &[Array2<T>] {
        &[]
    }

    /// The weight tensors, for an optimizer or a loaded model to change.
    fn weights_mut(&mut self) -> &mut [Array2<T>] {
        &mut []
    }

    /// What it has learned besides its weights, such as running statistics: tensors of any meaning to the layer, which no
    /// optimizer changes and which a training keeps with the weights; none by default. A number in them that is not finite is
    /// a training that diverged.
    fn state(&self) -> &[Array2<T>] {
        &[]
    }

    /// What it has learned besides its weights, for a training to go back to what it was.
    fn state_mut(&mut self) -> &mut [Array2<T>] {
        &mut []
    }

    /// The numbers of scratch memory that it needs to work on a block of any size; none by default.
    ///
    /// It is given some of at least that size, with anything in it, wherever it is to compute something.
    fn scratch(&self) -> usize {
        0
    }

    /// Writes `output` from `input`.
    fn forward(&self, input: ArrayView2<'_, T>, output: ArrayViewMut2<'_, T>, pass: Pass, scratch: &mut [T]);

    /// Writes `delta_input` from `delta`; `input` and `pass` are those of the forward pass.
    fn backward(
        &self,
        input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        delta_input: ArrayViewMut2<'_, T>,
        pass: Pass,
        scratch: &mut [T],
    );

    /// Whether the gradient is made block by block, each while the block is in cache, and then added up: best where the
    /// weights are small beside the values of a block. `false` by default.
    ///
    /// If so, [`Layer::block_gradient`] is called, and neither [`Layer::gradient`] nor [`Layer::descend`].
    fn is_small(&self) -> bool {
        false
    }

    /// Writes dJ/dW of one block, one tensor for each of [`Layer::weights`]; row 0 of each stays 0.
    fn block_gradient(
        &self,
        _input: ArrayView2<'_, T>,
        _delta: ArrayView2<'_, T>,
        _gradients: &mut [Array2<T>],
        _scratch: &mut [T],
    ) {
    }

    /// Writes dJ/dW of the whole batch, one tensor for each of [`Layer::weights`]; row 0 of each stays 0.
    ///
    /// Nothing to do by default, as for a layer without weights.
    fn gradient(&self, _samples: Samples<'_, T>, _gradients: &mut [Array2<T>]) {}

    /// W <- W - rate dJ/dW in one go, without the gradient ever standing in memory; returns whether it was done.
    ///
    /// A layer that can not, as by default, returns `false` and is asked for its gradient instead.
    fn descend(&mut self, _samples: Samples<'_, T>, _rate: T) -> bool {
        false
    }

    /// What it does in training instead of [`Layer::forward`], [`Layer::backward`] and [`Layer::gradient`], if it looks at
    /// a batch as a whole; none by default.
    fn whole_batch(&self) -> Option<&dyn WholeBatch<T>> {
        None
    }

    /// As [`Layer::whole_batch`], to take note of a batch.
    fn whole_batch_mut(&mut self) -> Option<&mut dyn WholeBatch<T>> {
        None
    }

    /// Floating-point operations of a forward pass for one sample: what the work is cut by.
    fn operations(&self) -> usize {
        self.weights().iter().map(|weights| 2 * weights.len()).sum()
    }
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
