//! The options of `mfnet doctor --scaling`.

use std::fmt;
use std::str::FromStr;

use clap::Args;

use crate::parse::{above_zero_to_one, whole};
use crate::settings::{ACTIVATIONS, OPTIMIZERS, Precision};

/// The network whose training is predicted.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Scaling")]
pub(crate) struct ScalingArguments {
    /// Predict how fast a network trains on 1 to 64 threads, from the tasks of a step measured on one
    #[arg(long)]
    pub(crate) scaling: bool,

    /// Widths of the network: features, units of each hidden layer, outputs
    #[arg(
        long,
        value_name = "N-N[-N...]",
        default_value = "784-512-10",
        requires = "scaling"
    )]
    pub(super) network: Widths,

    /// Batch size: samples of a training step
    #[arg(long, value_name = "N", default_value_t = 1024, requires = "scaling", value_parser = whole::<1_000_000>)]
    pub(super) batch_size: usize,

    /// Activation of the hidden layers
    #[arg(long, value_name = "NAME", default_value = "relu", requires = "scaling", value_parser = ACTIVATIONS)]
    pub(super) activation: String,

    /// Optimizer
    #[arg(long, value_name = "NAME", default_value = "sgd", requires = "scaling", value_parser = OPTIMIZERS)]
    pub(super) optimizer: String,

    /// Type of all numbers
    #[arg(long, default_value = "f32", requires = "scaling")]
    pub(super) precision: Precision,

    /// Share of the inputs that are not 0 [default: 0.19, as in MNIST, with 784 features, else 1]
    #[arg(long, value_name = "X", requires = "scaling", value_parser = above_zero_to_one)]
    density: Option<f64>,

    /// Seed of the data and of the initial weights
    #[arg(long, value_name = "N", default_value_t = 0, requires = "scaling")]
    pub(super) seed: u64,
}

impl ScalingArguments {
    /// The share of the inputs that are not 0.
    pub(super) fn density(&self) -> f64 {
        const FEATURES_OF_MNIST: usize = 784;
        const DENSITY_OF_MNIST: f64 = 0.19;
        self.density.unwrap_or(match self.network.features() {
            FEATURES_OF_MNIST => DENSITY_OF_MNIST,
            _ => 1.0,
        })
    }
}

/// The widths of a network: its features, the units of each hidden layer, and its outputs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Widths(Vec<usize>);

impl Widths {
    pub(super) fn features(&self) -> usize {
        self.0[0]
    }

    /// The units of each hidden layer.
    pub(super) fn hidden(&self) -> &[usize] {
        &self.0[1..self.0.len() - 1]
    }

    pub(super) fn outputs(&self) -> usize {
        self.0[self.0.len() - 1]
    }

    /// The inputs and outputs of each layer.
    pub(super) fn layers(&self) -> impl Iterator<Item = (usize, usize)> {
        self.0.windows(2).map(|pair| (pair[0], pair[1]))
    }
}

impl FromStr for Widths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let widths: Result<Vec<usize>, String> = text.split('-').map(whole::<1_000_000>).collect();
        widths
            .ok()
            .filter(|widths| widths.len() > 1)
            .map(Widths)
            .ok_or_else(|| {
                "it must be two or more whole numbers from 1 to 1000000, such as 784-512-10".to_owned()
            })
    }
}

impl fmt::Display for Widths {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<String> = self.0.iter().map(usize::to_string).collect();
        formatter.write_str(&widths.join("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_read_and_written_alike() {
        let widths: Widths = "28-64-32-2".parse().unwrap();
        assert_eq!(widths.to_string(), "28-64-32-2");
        assert_eq!(
            (widths.features(), widths.hidden(), widths.outputs()),
            (28, &[64, 32][..], 2)
        );
        assert_eq!(widths.layers().collect::<Vec<_>>(), [(28, 64), (64, 32), (32, 2)]);
        for wrong in [
            "",
            "784",
            "784-x",
            "784-",
            "-1-2",
            "784-0-10",
            "784,10",
            "1000001-1",
        ] {
            assert!(wrong.parse::<Widths>().is_err(), "{wrong}");
        }
    }
}
