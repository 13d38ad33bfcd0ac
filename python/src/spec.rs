//! The layers of a network, and the meaning of its outputs.

use mfnet::loss::{BinaryCrossEntropyLoss, sigmoid, softmax};
use mfnet::{CrossEntropyLoss, Error, Loss, MseLoss, NeuralNetwork, Result};
use ndarray::Array2;
use pyo3::{FromPyObject, IntoPyObject};

use crate::arrays::Number;
use crate::losses::{HalfPoissonLoss, HalfSquaredLoss};

/// The activations of hidden layers, by their names in the library.
pub(crate) const ACTIVATIONS: [&str; 9] = [
    "relu",
    "tanh",
    "sigmoid",
    "identity",
    "gelu",
    "silu",
    "softplus",
    "elu",
    "leaky-relu",
];

/// The layers of a network: what a network is created from, and what its pickle has besides the tensors. A dictionary in Python.
#[derive(Debug, Clone, PartialEq, FromPyObject, IntoPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Spec {
    /// The number of features.
    pub(crate) inputs: usize,
    /// The number of units of each hidden layer.
    pub(crate) hidden: Vec<usize>,
    /// The number of outputs.
    pub(crate) outputs: usize,
    /// The activation of the hidden layers, by its name in the library.
    pub(crate) activation: String,
    /// The meaning of the outputs: `numbers`, `counts`, `answers` or `classes`.
    pub(crate) kind: String,
    /// `float32` or `float64`.
    pub(crate) precision: String,
    /// The probability with which an output of a hidden layer is dropped in training; 0 for no dropout.
    pub(crate) dropout: f64,
    /// Whether the outputs of hidden layers are normalised over the batch before the activation.
    pub(crate) batch_norm: bool,
    /// The seed of the dropout.
    pub(crate) seed: u64,
}

/// The meaning of the outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Numbers, by the squared error.
    Numbers,
    /// Logarithms of expected counts, by the Poisson deviance.
    Counts,
    /// The logit of a yes for each output.
    Answers,
    /// The logit of each class.
    Classes,
}

impl Spec {
    pub(crate) fn kind(&self) -> Result<Kind> {
        kind(&self.kind)
    }

    /// Whether the network computes in double precision.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for another name than `float32` and `float64`.
    pub(crate) fn is_double(&self) -> Result<bool> {
        is_double(&self.precision)
    }

    /// Builds the network.
    pub(crate) fn build<T: Number>(&self) -> Result<NeuralNetwork<T>> {
        let mut builder = NeuralNetwork::builder(self.inputs).seed(self.seed);
        for &units in &self.hidden {
            builder = builder.linear(units);
            if self.batch_norm {
                builder = builder.batch_norm();
            }
            builder = builder.activation_named(&self.activation)?;
            if self.dropout > 0.0 {
                builder = builder.dropout(self.dropout);
            }
        }
        builder.linear(self.outputs).build()
    }
}

/// The kind of outputs with this name.
///
/// # Errors
///
/// [`Error::InvalidOption`] for any other name.
pub(crate) fn kind(name: &str) -> Result<Kind> {
    match name {
        "numbers" => Ok(Kind::Numbers),
        "counts" => Ok(Kind::Counts),
        "answers" => Ok(Kind::Answers),
        "classes" => Ok(Kind::Classes),
        other => Err(Error::InvalidOption {
            option: "kind",
            value: other.to_owned(),
            expected: "numbers, counts, answers or classes",
        }),
    }
}

/// Whether this is the name of double precision.
///
/// # Errors
///
/// [`Error::InvalidOption`] for another name than `float32` and `float64`.
pub(crate) fn is_double(precision: &str) -> Result<bool> {
    match precision {
        "float32" => Ok(false),
        "float64" => Ok(true),
        other => Err(Error::InvalidOption {
            option: "precision",
            value: other.to_owned(),
            expected: "float32 or float64",
        }),
    }
}

impl Kind {
    /// The loss that such a network is trained with, with scikit-learn's factors.
    pub(crate) fn loss<T: Number>(self) -> Box<dyn Loss<T>> {
        match self {
            Kind::Numbers => Box::new(HalfSquaredLoss),
            Kind::Counts => Box::new(HalfPoissonLoss),
            Kind::Answers => Box::new(BinaryCrossEntropyLoss::default()),
            Kind::Classes => Box::new(CrossEntropyLoss::default()),
        }
    }

    /// The loss that a model file records: one with the same minimum that the command knows; `None` if there is none.
    pub(crate) fn recorded_loss<T: Number>(self) -> Option<Box<dyn Loss<T>>> {
        match self {
            Kind::Numbers => Some(Box::new(MseLoss::default())),
            Kind::Counts => None,
            Kind::Answers | Kind::Classes => Some(self.loss()),
        }
    }

    /// Turns outputs into predictions: numbers as they are, expected counts, or probabilities.
    pub(crate) fn predictions<T: Number>(self, outputs: Array2<T>) -> Array2<T> {
        match self {
            Kind::Numbers => outputs,
            Kind::Counts => outputs.mapv_into(|logarithm| logarithm.exp()),
            Kind::Answers => sigmoid(outputs),
            Kind::Classes => softmax(outputs.view()),
        }
    }
}
