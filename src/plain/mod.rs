//! The plain implementation: the report's pipeline, written to be read.
//!
//! It computes in `f64`, in one thread, without BLAS, with every product in full and every intermediate matrix stored.
//! Tests compare the fast pipeline with it, and benchmarks time the fast pipeline against it, so it stays as it is. For
//! real work, use the fast pipeline.
//!
//! # Shapes
//!
//! m samples in a batch; a layer of n inputs and n' outputs. Row 0 is the bias feature, and one sample is one
//! column:
//!
//! | symbol | shape | row 0 |
//! |---|---|---|
//! | A, the layer's input | (n + 1) x m | all 1 |
//! | W, the weights | (n' + 1) x (n + 1), column 0 the bias | (1 0 ... 0), never changes |
//! | Z = W A | (n' + 1) x m | all 1 |
//! | Delta = dJ/dZ | (n' + 1) x m | all 0 |
//! | dJ/dW = Delta A^T | as W | all 0 |
//! | dJ/dA = W^T Delta | as A | dropped by the activation below |
//!
//! Inputs, targets and predictions are ordinary design matrices: samples x features, without the bias.
//!
//! ```
//! use mfnet::plain::{Activation, Loss, Matrix, Network, Training, train_epoch};
//!
//! // y = w x + b, starting from w = b = 0; the data says y = 2 x + 1.
//! let inputs = Matrix::new(4, 1, vec![0.0, 1.0, 2.0, 3.0])?;
//! let targets = Matrix::new(4, 1, vec![1.0, 3.0, 5.0, 7.0])?;
//! let weights = Matrix::new(2, 2, vec![1.0, 0.0, 0.0, 0.0])?;
//! let mut network = Network::new(vec![(weights, Activation::Identity)])?;
//!
//! let training = Training::new(Loss::Mse, 0.1);
//! for _epoch in 0..200 {
//!     train_epoch(&mut network, &inputs, &targets, [0, 1, 2, 3].chunks(2), &training)?;
//! }
//! let weights = &network.layers()[0].0;
//! assert!((weights[[1, 0]] - 1.0).abs() < 1e-3 && (weights[[1, 1]] - 2.0).abs() < 1e-3);
//! # Ok::<(), mfnet::Error>(())
//! ```

mod activation;
#[cfg(test)]
mod appendix_a;
mod clipping;
mod evaluation;
mod loss;
mod matrix;
mod network;
mod train;

pub use activation::Activation;
pub use clipping::Clipping;
pub use evaluation::{accuracy, one_hot};
pub use loss::{Loss, Reduction};
pub use matrix::Matrix;
pub use network::Network;
pub use train::{Training, train_epoch, train_step};
