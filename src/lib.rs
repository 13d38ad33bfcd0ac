//! Trains fully connected neural networks on a multicore CPU as fast as the machine allows.
//!
//! mfnet is the small library of F. Marchisotti's report "mfnet - a simple machine learning library" (Torino,
//! 2024/25), rebuilt for speed: bias-augmented layers compute with matrix products, by kernels of this crate or by
//! BLAS, and batches are cut into shards that rayon's threads share. "The report" in this documentation is that report.
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
//! | get data: your own, MNIST, California Housing, drawn digits | [`Dataset`], [`data::known`], [`data::digits`] |
//! | read your own files: CSV, NumPy's NPY and NPZ | [`data::read`], [`data::Table`], [`data::Schema`] |
//! | prepare it: split, impute, encode, scale | [`data::RawSamples`], [`data::Preparation`], [`data::Schema::fit`] |
//! | build a network | [`NeuralNetwork::builder`], [`layer`] |
//! | choose a loss, an optimizer and a learning-rate schedule | [`loss`], [`optimizer`] |
//! | train | [`Trainer`], [`TrainOptions`], [`Sets`], [`History`]; small networks by L-BFGS: [`train::fit_lbfgs`] |
//! | write a training loop of your own | [`DataLoader`], [`NeuralNetwork::forward_backward`], [`NeuralNetwork::apply_gradients`] |
//! | predict, and evaluate predictions | [`NeuralNetwork::predict`], [`NeuralNetwork::evaluate`], [`metrics`] |
//! | save a model, and use it elsewhere | `Model`, `NeuralNetwork::save`, `NeuralNetwork::load_weights`, [`checkpoint`] |
//! | compare with baselines | [`baseline`] |
//! | read a plain implementation of the same | [`plain`] |
//!
//! # Shapes
//!
//! Inputs and outputs of the public functions are ordinary design matrices, samples x features. Inside, one sample is
//! one column, and every activation has the bias feature as row 0, so that the biases of a layer are column 0 of its
//! weights. These matrices appear in [`NeuralNetwork::parameters`], [`Workspace::gradients`] and [`plain`], and to
//! implementors of [`layer::Layer`] and [`optimizer::Optimizer`]; m samples, n inputs and p outputs of a layer:
//!
//! | symbol | shape | row 0 |
//! |---|---|---|
//! | A, input or activation | (n + 1) x m | all 1 |
//! | W, weights | (p + 1) x (n + 1), column 0 the bias | (1 0 ... 0), never changes |
//! | Z = W A | (p + 1) x m | all 1 |
//! | Delta = dJ/dZ | (p + 1) x m | all 0 |
//! | dJ/dW = Delta A^T | as W | all 0 |
//! | dJ/dA = W^T Delta | as A | all 0, since row 0 of A is constant |
//!
//! # One seed, one result
//!
//! The same seeds on the same machine give the same weights, bit for bit, whatever the number of threads: work is
//! split by shapes alone, and partial sums are added in a fixed order. Random numbers come from a named generator (ChaCha8),
//! whose stream is the same on every machine and in every release. Trained weights may differ from one CPU or one
//! BLAS to another, since their products may round differently.
//!
//! # BLAS and threads
//!
//! Kernels of this crate compute the products of layers with up to 2^21 weights, BLAS those of larger ones;
//! [`product::set_products`] forces one of both. The environment variable `MFNET_INSTRUCTIONS` (`avx512`, `avx2` or `baseline`)
//! limits the instruction set of all of them; another value, or one that the CPU lacks, has no effect on a program of your
//! own, and is an error of the command.
//!
//! Each matrix product is computed on one thread; the threads of rayon's current pool share the products. To train
//! on fewer threads, run the training in a pool of your own (`rayon::ThreadPool::install`).
//!
//! A forked child process that does not call `exec` has none of its parent's threads. If the parent had used mfnet, the
//! child's first call that needs a pool creates a new one. Other parts of the program that wait for the missing threads
//! are beyond this crate's reach.
//!
//! An OpenBLAS that is older than the CPU does not recognise it, and falls back to kernels that are several times slower.
//! On x86-64 Linux, mfnet detects this when the program is loaded, before `main`, and makes OpenBLAS choose again, if the
//! library contains several kernel sets. It does not if the user has set `OPENBLAS_CORETYPE`, or if other threads are
//! already running, as in a program that loads mfnet as a plugin. [`blas()`] shows the outcome. The kernel and
//! the thread count of OpenBLAS are settings of the whole process, which matters to programs that also use OpenBLAS
//! themselves; the first product or the first call of [`blas()`] sets the thread count to 1.
//!
//! # Features
//!
//! | feature | default | gives |
//! |---|---|---|
//! | `openblas` | yes | products of large layers, and of convolutions, on the system's OpenBLAS; without it, all on pure-Rust kernels |
//! | `linalg` | no | `least_squares`, the closed-form fit, and orthogonal initial weights, by OpenBLAS's LAPACK |
//! | `download` | yes | [`data::known`] downloads missing data sets |
//! | `npy` | yes | NumPy's array files (NPY, NPZ), in [`data::read`] |
//! | `save` | yes | model files that PyTorch reads too (safetensors), and models as ONNX files |
//! | `mpi` | no | [`ranks`]`::Mpi`: processes that `mpirun` has started train one network together, on the system's MPI |
//! | `plots` | yes | [`report`], pictures of a training as SVG and PNG |
//!
//! A library should depend on mfnet with `default-features = false, features = ["openblas"]`.

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
mod jobs;
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
pub mod product;
#[cfg(test)]
#[path = "../tests/common/property.rs"]
mod property;
mod random;
pub mod ranks;
#[cfg(feature = "plots")]
pub mod report;
mod timing;
pub mod train;

pub use blas::blas;
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
pub use train::{Event, History, Sets, StopReason, TrainOptions, Trainer};

/// Items that the command, the benchmarks and the tests need besides the public interface. They may change at any time.
#[doc(hidden)]
pub mod internal {
    pub use crate::augment::{augment, strip};

    /// The trainings that benches and `mfnet tables` time.
    pub mod jobs {
        pub use crate::jobs::{Data, JOBS, Job, LEARNING_RATE, Printed, Rule, Set, Work, twin};
    }

    /// Measurements of the machine's limits.
    pub mod machine {
        pub use crate::machine::{
            check_instructions, fork_join_seconds, instruction_set, memory_bandwidth, peak_flops,
            product_flops,
        };
    }

    /// Measurements of the tasks of a training step.
    pub mod timing {
        pub use crate::timing::{Phase, Step, durations, record};
    }
}

/// Tests the README's code as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
