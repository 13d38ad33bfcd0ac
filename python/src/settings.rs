//! The settings of a training.

use mfnet::{Error, Result};
use pyo3::{FromPyObject, IntoPyObject};

/// The settings of a training, with scikit-learn's meaning. A dictionary in Python.
#[derive(Debug, Clone, PartialEq, FromPyObject, IntoPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Settings {
    /// `sgd`, `adam`, `adamw` or `lbfgs`.
    pub(crate) solver: String,
    /// The L2 penalty: alpha/2 |W|^2 over the number of samples of a batch, or over the sum of their weights.
    pub(crate) alpha: f64,
    /// The decoupled weight decay of AdamW.
    pub(crate) weight_decay: f64,
    pub(crate) batch_size: usize,
    /// `constant`, `invscaling` or `adaptive`.
    pub(crate) schedule: String,
    pub(crate) learning_rate: f64,
    /// The power of `invscaling`.
    pub(crate) power: f64,
    pub(crate) momentum: f64,
    pub(crate) nesterov: bool,
    pub(crate) betas: [f64; 2],
    pub(crate) epsilon: f64,
    /// The limit of the norm of all gradients together.
    pub(crate) clip_norm: Option<f64>,
    pub(crate) shuffle: bool,
    /// The seed of the shuffles.
    pub(crate) seed: u64,
    /// The improvement of the loss, or of the score, that counts.
    pub(crate) tolerance: f64,
    /// The number of epochs in a row without such an improvement that are tolerated; may be infinite.
    pub(crate) patience: f64,
    /// Whether the score of the validation samples decides about the end, and the weights of the best score are kept.
    pub(crate) early_stopping: bool,
    /// The number of evaluations of the loss after which `lbfgs` begins no further iteration.
    pub(crate) evaluations: usize,
}

/// The change of the learning rate in the course of a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Schedule {
    Constant,
    /// Divided by a power of the number of samples trained on.
    InverseScaling(f64),
    /// Divided by 5 where the training would end.
    Adaptive,
}

impl Settings {
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for an unknown name.
    pub(crate) fn schedule(&self) -> Result<Schedule> {
        match &*self.schedule {
            "constant" => Ok(Schedule::Constant),
            "invscaling" => Ok(Schedule::InverseScaling(self.power)),
            "adaptive" => Ok(Schedule::Adaptive),
            other => Err(Error::InvalidOption {
                option: "learning_rate",
                value: other.to_owned(),
                expected: "constant, invscaling or adaptive",
            }),
        }
    }
}
