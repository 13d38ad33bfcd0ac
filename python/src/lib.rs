//! The extension module of the Python package `mfnet`: networks, their data and their training, for the estimators that are
//! written in Python.
//!
//! A call that computes releases the interpreter, runs in a pool of threads of its own (`pool`), and turns errors and panics
//! into exceptions (`errors`). While a network trains, the calling thread watches for signals (`watch`).

mod arrays;
mod data;
mod errors;
mod files;
mod losses;
mod network;
mod pool;
mod progress;
mod scores;
mod settings;
mod solver;
mod spec;
mod training;
mod watch;

use pyo3::prelude::*;

/// The Rust part of the package: use `mfnet.MLPClassifier` and `mfnet.MLPRegressor`.
#[pymodule]
mod _mfnet {
    #[pymodule_export]
    use super::data::Data;
    #[pymodule_export]
    use super::network::Network;
    #[pymodule_export]
    use super::pool::default_threads;
}
