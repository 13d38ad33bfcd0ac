//! Trains fully connected neural networks on a multicore CPU as fast as the machine allows.
//!
//! mfnet is the small library of F. Marchisotti's report "mfnet - a simple machine learning library" (Torino,
//! 2024/25), rebuilt for speed: its bias-augmented layers on BLAS's matrix products, its batches cut into blocks
//! that rayon's threads share. Where these pages say "report", that one is meant.
//!
//! ```
//! use mfnet::{CrossEntropyLoss, NeuralNetwork, Sets, Sgd, TrainOptions, Trainer};
//!
//! let (train, test) = mfnet::data::digits::digits::<f32>(7, 4_000, 1_000)?;
//! let network = NeuralNetwork::builder(784).linear(64).relu().linear(10).seed(7).build()?;
//! let options = TrainOptions::default().with_epochs(5).with_batch_size(64).with_seed(7);
//! let mut trainer = Trainer::new(network, CrossEntropyLoss::default(), Sgd::new(0.2)?).options(options);
//! let history = trainer.fit(Sets::from(&train).with_test(&test))?;
//! let accuracy = history.test().and_then(|test| test.accuracy);
//! println!("{}: accuracy {accuracy:?}", trainer.network().architecture());
//! assert!(accuracy > Some(0.8));
//! # Ok::<(), mfnet::Error>(())
//! ```
//!
//! # What is where
//!
//! | to | see |
//! |---|---|
//! | have data: your own, MNIST, California Housing, drawn digits | [`Dataset`], [`data::known`], [`data::digits`] |
//! | read your own files: CSV, NumPy's NPY and NPZ | [`data::read`], [`data::Table`], [`data::Schema`] |
//! | put a network together | [`NeuralNetwork::builder`], [`layer`] |
//! | say what is wrong with a prediction, and how to mend it | [`loss`], [`optimizer`] with its schedules |
//! | train | [`Trainer`], [`TrainOptions`], [`Sets`], [`History`] |
//! | write a training loop of your own | [`DataLoader`], [`NeuralNetwork::forward_backward`], [`NeuralNetwork::apply_gradients`] |
//! | predict, and judge predictions | [`NeuralNetwork::predict`], [`NeuralNetwork::evaluate`], [`metrics`] |
//! | keep a model, and use it elsewhere | `Model`, `NeuralNetwork::save`, `NeuralNetwork::load_weights`, [`checkpoint`] |
//! | compare with models that are not trained | [`baseline`] |
//! | read how it all works, without the speed | [`plain`] |
//!
//! # Shapes
//!
//! Users hand over and receive ordinary design matrices, samples x features. Inside, one sample is one column, and
//! every matrix that flows has the bias feature as row 0, so that a layer's biases are column 0 of its weights.
//! These matrices show in [`NeuralNetwork::weights`], [`Workspace::gradients`] and [`plain`], and to implementors of
//! [`layer::Layer`] and [`optimizer::Optimizer`]; m samples, n inputs and p outputs of a layer:
//!
//! | symbol | shape | row 0 |
//! |---|---|---|
//! | A, input or activation | (n + 1) x m | all 1 |
//! | W, weights | (p + 1) x (n + 1), column 0 the bias | (1 0 ... 0), never changes |
//! | Z = W A | (p + 1) x m | all 1 |
//! | Delta = dJ/dZ | (p + 1) x m | all 0 |
//! | dJ/dW = Delta A^T | as W | all 0 |
//! | dJ/dA = W^T Delta | as A | all 0: nothing learns from it |
//!
//! # One seed, one result
//!
//! The same seeds on the same machine give the same weights, bit for bit, whatever the number of threads: sums are
//! cut by the shapes alone, and added up in a fixed order. Random numbers come from a named generator (ChaCha8),
//! whose stream is the same on every machine and in every release. Trained weights may differ from one CPU or one
//! BLAS to another, since their products may round differently.
//!
//! # BLAS and threads
//!
//! Matrix products go to OpenBLAS, which is kept to one thread for each: rayon's current pool shares the work
//! above. A program that wants fewer threads runs the training in a pool of its own
//! (`rayon::ThreadPool::install`).
//!
//! A child that was forked and goes on without `exec` has none of its parent's threads. It gets a pool of its own with
//! the first call that needs one, if the parent too had used mfnet; what else of the program waits for threads that are
//! not there is beyond this crate's reach.
//!
//! An OpenBLAS older than the CPU does not know it, and falls back to kernels that are several times slower. On x86-64
//! Linux, mfnet notices when the program is loaded, before `main`, and has OpenBLAS choose again (where the library has
//! several kernel sets in it), unless `OPENBLAS_CORETYPE` is set: that is the user's own choice, and stands. Nothing is
//! changed where other threads run already, as in a program that loads mfnet as a plugin. [`Blas::kernel`],
//! [`Blas::replaced_kernel`] and [`Blas::better_kernel`] show the outcome. Programs that use OpenBLAS besides mfnet should
//! know that both settings are the whole process's: its kernel, and its thread count, which the first product or the first
//! call of [`blas()`] sets to 1.
//!
//! # Features
//!
//! | feature | default | gives |
//! |---|---|---|
//! | `openblas` | yes | matrix products on the system's OpenBLAS; without it, on the pure-Rust kernels of ndarray |
//! | `linalg` | no | `least_squares`, the closed-form fit, and orthogonal initial weights, by OpenBLAS's LAPACK |
//! | `download` | with `cli` | [`data::known`] fetches what is not yet on the machine |
//! | `npy` | with `cli` | NumPy's files of arrays, in [`data::read`] |
//! | `save` | with `cli` | model files that PyTorch reads too (safetensors), and models as ONNX files |
//! | `plots` | with `cli` | [`report`], pictures of a training as SVG and PNG |
//! | `cli` | yes | the `mfnet` command, and nothing in the library but the features above |
//!
//! A library that depends on mfnet wants `default-features = false, features = ["openblas"]`.

#[cfg(any(feature = "save", feature = "plots"))]
mod atomic;
mod augment;
pub mod baseline;
mod blas;
pub mod checkpoint;
pub mod data;
mod element;
mod error;
#[cfg(feature = "save")]
mod exact;
mod kernel;
pub mod layer;
pub mod loss;
mod machine;
pub mod metrics;
pub mod names;
mod network;
pub mod optimizer;
pub mod plain;
mod pool;
mod product;
#[cfg(test)]
#[path = "../tests/common/property.rs"]
mod property;
mod random;
#[cfg(feature = "plots")]
pub mod report;
mod train;

pub use blas::{Blas, blas};
#[cfg(feature = "save")]
pub use checkpoint::Model;
pub use data::{DataLoader, Dataset, Shuffle, Targets};
pub use element::Element;
pub use error::{Error, Position, Result};
pub use layer::{Activation, Layer};
pub use loss::{CrossEntropyLoss, Loss, MseLoss, Reduction};
pub use metrics::argmax;
pub use network::{Builder, Evaluation, NeuralNetwork, Workspace};
pub use optimizer::{Adam, Clip, Optimizer, Schedule, Sgd};
pub use train::{EpochRecord, Event, History, Run, Sets, StopReason, TrainOptions, Trainer};

/// What the command, the benchmarks and the tests need besides the public interface; it may change at any time.
#[doc(hidden)]
pub mod internal {
    pub use crate::augment::{augment, strip};

    /// The machine's limits, measured.
    pub mod machine {
        pub use crate::machine::{
            fork_join_seconds, instruction_set, memory_bandwidth, peak_flops, product_flops,
        };
    }
}

/// The README's code is tested as the documentation's is.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
