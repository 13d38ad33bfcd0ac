//! The names that options choose from, on the command line and in `config.toml`.

use clap::ValueEnum;
use mfnet::data::Task;
use mfnet::data::read::CsvOptions;
use mfnet::layer::Initializer;
use mfnet::{Builder, Element};
use serde::{Deserialize, Serialize};

/// What the targets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum TaskName {
    Regression,
    Classification,
}

/// Whether the first line of a CSV file has the columns' names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum Header {
    /// Told from the file
    Auto,
    Yes,
    No,
}

/// What to put in place of missing values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum Impute {
    /// The mean of the feature in the training samples
    Mean,
}

/// What a hidden layer applies to its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum ActivationName {
    Relu,
    Sigmoid,
    Tanh,
    Identity,
}

impl Header {
    pub(in crate::cli) fn options(self) -> CsvOptions {
        CsvOptions {
            header: match self {
                Header::Auto => None,
                Header::Yes => Some(true),
                Header::No => Some(false),
            },
            ..CsvOptions::default()
        }
    }
}

impl TaskName {
    pub(in crate::cli) fn task(self) -> Task {
        match self {
            TaskName::Regression => Task::Regression,
            TaskName::Classification => Task::Classification,
        }
    }
}

impl ActivationName {
    /// Puts the function behind the layer that was added last.
    pub(in crate::cli) fn behind<T: Element>(self, builder: Builder<T>) -> Builder<T> {
        match self {
            ActivationName::Relu => builder.relu(),
            ActivationName::Sigmoid => builder.sigmoid(),
            ActivationName::Tanh => builder.tanh(),
            ActivationName::Identity => builder,
        }
    }
}

/// How weights start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum InitializerName {
    /// Normal, for ReLU
    He,
    /// Uniform, for tanh and sigmoid; also known as Glorot
    #[value(alias = "glorot")]
    Xavier,
    /// Normal, with half the variance of He
    #[value(name = "lecun")]
    #[serde(rename = "lecun")]
    LeCun,
    /// With orthonormal rows or columns
    #[cfg(feature = "linalg")]
    Orthogonal,
    Zeros,
}

impl InitializerName {
    pub(in crate::cli) fn initializer(self) -> Initializer {
        match self {
            InitializerName::He => Initializer::He,
            InitializerName::Xavier => Initializer::Xavier,
            InitializerName::LeCun => Initializer::LeCun,
            #[cfg(feature = "linalg")]
            InitializerName::Orthogonal => Initializer::Orthogonal,
            InitializerName::Zeros => Initializer::Zeros,
        }
    }
}

/// What changes the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum OptimizerName {
    Sgd,
    Adam,
    Adamw,
}

/// How the learning rate goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum ScheduleName {
    Constant,
    /// Times --lr-factor every --lr-step epochs
    Step,
    /// Half a cosine down to --lr-minimum
    Cosine,
    /// Times --lr-factor after --lr-patience epochs without a better validation loss, or training loss without one
    Plateau,
}

/// What is made small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum LossName {
    Mse,
    CrossEntropy,
}

/// How a batch's gradients become a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum ReductionName {
    Mean,
    Sum,
}

/// What a class counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum ClassWeightName {
    Balanced,
}

/// What is put in a fresh order before each epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum ShuffleName {
    Samples,
    Batches,
    None,
}

/// The type of all numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum Precision {
    F32,
    F64,
}
