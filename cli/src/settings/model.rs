//! The settings of the network.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::super::defaults;
use super::names::{ACTIVATIONS, INITIALIZERS};
use crate::parse::{part_below_one, whole};

/// The settings of the network.
#[derive(Debug, Clone, PartialEq, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Model")]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ModelSettings {
    /// Train a linear model: no hidden layer
    #[arg(long, conflicts_with_all = ["hidden", "activation"])]
    pub(crate) linear: bool,

    #[arg(long, value_name = "N[,N...]", value_delimiter = ',', default_value = "200", hide_default_value = true,
          value_parser = whole::<1_000_000>,
          help = defaults::help("Hidden layers: number of units of each", "model", "hidden", "200"))]
    hidden: Vec<usize>,

    /// Activation functions of the hidden layers: one for all, or one for each
    #[arg(
        long,
        value_name = "NAME[,NAME...]",
        value_delimiter = ',',
        default_value = "relu",
        value_parser = ACTIVATIONS
    )]
    pub(crate) activation: Vec<String>,

    /// Batch normalization of the outputs of each hidden layer, before its activation
    #[arg(long)]
    pub(crate) batch_norm: bool,

    /// Dropout: probability with which an output of a hidden layer is left out in training, such as 0.5 [default: none]
    #[arg(long, value_name = "P", value_parser = part_below_one)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dropout: Option<f64>,

    #[arg(long, value_name = "NAME", default_value = "pytorch", hide_default_value = true, value_parser = INITIALIZERS,
          help = defaults::help("Initialization of the weights", "model", "initializer", "pytorch"))]
    pub(crate) initializer: String,
}

impl ModelSettings {
    /// The units of each hidden layer.
    pub(crate) fn hidden(&self) -> &[usize] {
        if self.linear { &[] } else { &self.hidden }
    }
}
