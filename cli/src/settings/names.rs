//! The names that options choose from, on the command line and in `config.toml`.

use mfnet::product;
use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Command, ValueEnum};
use mfnet::data::{TargetTransform, Task, Unknown};
use mfnet::layer::{Initializer, activation};
use mfnet::loss::{self, LossOptions};
use mfnet::names::Named;
use mfnet::optimizer::{self, OptimizerOptions, ScheduleOptions};
use mfnet::train::LbfgsOptions;
use mfnet::{Builder, Element, Schedule};
use serde::{Deserialize, Serialize};

/// One of the library's tables of names, for an option to choose from: help, completions and errors come from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    names: fn() -> Vec<Named>,
    /// Refuses what the library does not make anything of.
    check: fn(&str) -> mfnet::Result<()>,
}

/// Activations of hidden layers, such as `relu` or `leaky-relu:0.2`.
pub(crate) const ACTIVATIONS: Names = Names {
    names: activation::names,
    check: |name| activation::by_name::<f32>(name).map(drop),
};

/// Initial weights.
pub(crate) const INITIALIZERS: Names = Names {
    names: Initializer::names,
    check: |name| name.parse::<Initializer>().map(drop),
};

/// Optimizers, and L-BFGS, which takes no steps by batches.
pub(crate) const OPTIMIZERS: Names = Names {
    names: || {
        let mut names = optimizer::names();
        names.push(LbfgsOptions::NAMED);
        names
    },
    check: |name| match LbfgsOptions::NAMED.is_called(name) {
        true => Ok(()),
        false => optimizer::by_name::<f32>(name, &OptimizerOptions::default()).map(drop),
    },
};

/// Learning-rate schedules.
pub(crate) const SCHEDULES: Names = Names {
    names: Schedule::names,
    check: |name| Schedule::by_name(name, &ScheduleOptions::default()).map(drop),
};

/// Losses of outputs that are no probabilities, as those of the command's networks are not.
pub(crate) const LOSSES: Names = Names {
    names: || {
        let mut names = loss::names();
        names.retain(|named| named.name != "probability-cross-entropy");
        names
    },
    check: |name| loss::by_name::<f32>(name, LossOptions::default()).map(drop),
};

impl Names {
    /// The name as `config.toml` has it: not another name of the same.
    pub(crate) fn canonical(self, text: &str) -> Result<String, String> {
        (self.check)(text).map_err(|error| error.to_string())?;
        let (name, number) = text.split_at(text.find(':').unwrap_or(text.len()));
        match (self.names)().iter().find(|named| named.is_called(name)) {
            Some(named) => Ok(format!("{}{number}", named.name)),
            None => Err(format!("{name} is of no use here")),
        }
    }

    fn possible(self) -> impl Iterator<Item = PossibleValue> {
        let value = |named: Named| {
            let help = match named.parameter {
                Some(_) => format!("{} ({named})", named.help),
                None => named.help.to_owned(),
            };
            PossibleValue::new(named.name).aliases(named.aliases).help(help)
        };
        (self.names)().into_iter().map(value)
    }
}

impl TypedValueParser for Names {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        option: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        let name = value
            .to_str()
            .unwrap_or_default()
            .split(':')
            .next()
            .unwrap_or_default();
        if (self.names)().iter().any(|named| named.is_called(name)) {
            let names = *self;
            return (move |text: &str| names.canonical(text)).parse_ref(command, option, value);
        }
        PossibleValuesParser::new(self.possible()).parse_ref(command, option, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.possible()))
    }
}

/// Puts the activation of a name behind the layer that was added last; none for the identity, which files need not keep.
pub(crate) fn activated<T: Element>(builder: Builder<T>, name: &str) -> mfnet::Result<Builder<T>> {
    match name {
        "identity" => Ok(builder),
        _ => builder.activation_named(name),
    }
}

/// Whether an optimizer takes a momentum.
pub(crate) fn takes_momentum(optimizer: &str) -> bool {
    let mut options = OptimizerOptions::default();
    options.momentum = Some(0.5);
    optimizer::by_name::<f32>(optimizer, &options).is_ok()
}

/// The task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TaskName {
    Regression,
    Classification,
    Binary,
}

/// Whether the first line of a CSV file has the columns' names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Header {
    /// Told from the file
    Auto,
    Yes,
    No,
}

/// The treatment of a category that is not among the training samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UnknownName {
    /// An error, with the line and the text
    #[default]
    Error,
    /// A sample of none of the known categories
    Ignore,
}

impl UnknownName {
    pub(crate) fn unknown(self) -> Unknown {
        match self {
            UnknownName::Error => Unknown::Error,
            UnknownName::Ignore => Unknown::Ignore,
        }
    }
}

/// The function of a regression's targets that the network learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TargetTransformName {
    /// The logarithm, of targets above 0
    Log,
    /// The logarithm of 1 + the target, of targets of at least 0
    Log1p,
}

impl TargetTransformName {
    pub(crate) fn transform(self) -> TargetTransform {
        match self {
            TargetTransformName::Log => TargetTransform::Log,
            TargetTransformName::Log1p => TargetTransform::Log1p,
        }
    }
}

impl Header {
    /// As the reader of CSV takes it.
    pub(crate) fn told(self) -> Option<bool> {
        match self {
            Header::Auto => None,
            Header::Yes => Some(true),
            Header::No => Some(false),
        }
    }
}

impl TaskName {
    pub(crate) fn task(self) -> Task {
        match self {
            TaskName::Regression => Task::Regression,
            TaskName::Classification => Task::Classification,
            TaskName::Binary => Task::Binary,
        }
    }
}

/// The reduction of the loss over a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ReductionName {
    Mean,
    Sum,
}

/// Class weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ClassWeightName {
    Balanced,
}

/// The kind of shuffling before each epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ShuffleName {
    Samples,
    Batches,
    None,
}

/// The implementation of the dense products of layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Products {
    /// By the shape of the layer: the kernels of this program up to 2^21 weights, BLAS above
    #[default]
    Auto,
    /// BLAS
    Blas,
    /// The kernels of this program
    Rust,
}

impl Products {
    /// Has all products of this process computed so.
    pub(crate) fn apply(self) {
        product::set_products(match self {
            Products::Auto => product::Products::Auto,
            Products::Blas => product::Products::Blas,
            Products::Rust => product::Products::Rust,
        });
    }
}

/// The type of all numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Precision {
    F32,
    F64,
}
