//! How the network is trained.

use std::path::PathBuf;

use clap::Args;
use mfnet::optimizer::OptimizerOptions;
use mfnet::{Clip, Reduction, Shuffle};
use serde::{Deserialize, Serialize};

use super::super::defaults;
use super::names::{
    ClassWeightName, LOSSES, OPTIMIZERS, Precision, Products, ReductionName, SCHEDULES, ShuffleName,
};
use crate::parse::{above_zero, at_least_zero, part_below_one, whole};

/// How the network is trained.
#[derive(Debug, Clone, PartialEq, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Training")]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct TrainingSettings {
    #[arg(long, value_name = "N", default_value_t = 200, hide_default_value = true, value_parser = whole::<{ usize::MAX }>,
          help = defaults::help("Number of epochs", "training", "epochs", "200"))]
    pub(crate) epochs: usize,

    #[arg(long, value_name = "N", default_value_t = 200, hide_default_value = true, value_parser = whole::<{ usize::MAX }>,
          help = defaults::help("Samples of a step", "training", "batch-size", "200"))]
    pub(crate) batch_size: usize,

    #[arg(long, value_name = "NAME", default_value = "adam", hide_default_value = true, value_parser = OPTIMIZERS,
          help = defaults::help("Optimizer", "training", "optimizer", "adam"))]
    pub(crate) optimizer: String,

    /// Learning rate [default: 0.001; 0.01 with --optimizer sgd; what suits the data where sgd is its default]
    #[arg(long, value_name = "X", value_parser = above_zero)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lr: Option<f64>,

    /// Momentum, such as 0.9, for optimizers that have none of their own [default: none]
    #[arg(long, value_name = "X", value_parser = part_below_one)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) momentum: Option<f64>,

    /// Look ahead along the momentum
    #[arg(long, requires = "momentum")]
    pub(crate) nesterov: bool,

    /// How much the weights, but not the biases, shrink: L2 with sgd and adam, decoupled with adamw [default: none;
    /// adamw: 0.01]
    #[arg(long, value_name = "X", value_parser = at_least_zero)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight_decay: Option<f64>,

    /// Limit to the L2 norm of each weight tensor's gradient [default: none]
    #[arg(long, value_name = "X", conflicts_with = "clip_global_norm", value_parser = above_zero)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clip_norm: Option<f64>,

    /// Limit to the L2 norm of all gradients together [default: none]
    #[arg(long, value_name = "X", value_parser = above_zero)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clip_global_norm: Option<f64>,

    /// Learning-rate schedule
    #[arg(long, value_name = "NAME", default_value = "constant", value_parser = SCHEDULES)]
    pub(crate) lr_schedule: String,

    /// Epochs from one step of the schedule step to the next [default: a third of --epochs]
    #[arg(long, value_name = "N", value_parser = whole::<{ usize::MAX }>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lr_step: Option<usize>,

    /// What the schedules step and plateau multiply the rate by
    #[arg(long, value_name = "X", default_value_t = 0.1, value_parser = above_zero)]
    pub(crate) lr_factor: f64,

    /// Epochs without improvement that the schedule plateau puts up with
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole::<{ usize::MAX }>)]
    pub(crate) lr_patience: usize,

    /// Least rate of the schedules cosine and plateau
    #[arg(long, value_name = "X", default_value_t = 0.0, value_parser = at_least_zero)]
    pub(crate) lr_minimum: f64,

    /// Epochs in which the rate rises linearly, step by step, to that of the schedule
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(usize))]
    pub(crate) lr_warmup: usize,

    #[arg(long, value_name = "NAME", value_parser = LOSSES,
          help = defaults::help("Loss function", "training", "loss", "cross-entropy for classes, mse for numbers"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) loss: Option<String>,

    #[arg(long, value_name = "NAME",
          help = defaults::help("How a batch's gradients become a step", "training", "reduction", "mean"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reduction: Option<ReductionName>,

    /// What a class counts, in training and in all losses that are shown: balanced makes rare classes count as much as
    /// common ones [default: each sample the same]
    #[arg(long, value_name = "HOW")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) class_weight: Option<ClassWeightName>,

    /// Part of the targets that is spread over all classes, such as 0.1, with --loss cross-entropy [default: none]
    #[arg(long, value_name = "X", value_parser = part_below_one)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label_smoothing: Option<f64>,

    /// What is put in a fresh order before each epoch
    #[arg(long, value_name = "WHAT", default_value = "samples")]
    pub(crate) shuffle: ShuffleName,

    /// Leave out the last batch of an epoch where it is short
    #[arg(long)]
    pub(crate) drop_last: bool,

    /// End after so many epochs without a better validation loss, and go back to the best weights [default: all epochs;
    /// without --validation a tenth of the training samples is set apart for it]
    #[arg(long, value_name = "PATIENCE", value_parser = whole::<{ usize::MAX }>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) early_stopping: Option<usize>,

    /// How much lower than the best so far a loss must be to count as better for --early-stopping
    #[arg(long, value_name = "X", default_value_t = 0.0, requires = "early_stopping", value_parser = at_least_zero)]
    pub(crate) min_delta: f64,

    /// Epochs from one test to the next; the last epoch is always tested
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<{ usize::MAX }>)]
    pub(crate) test_interval: usize,

    /// Seed of weights, orders, dropout, the splitting of data and the drawing of digits and circle
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// The type of all numbers; f32 is twice as fast
    #[arg(long, value_name = "TYPE", default_value = "f32")]
    pub(crate) precision: Precision,

    /// Threads to work with; results do not depend on their number [default: one for each core]
    #[arg(long, value_name = "N", value_parser = whole::<1024>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) threads: Option<usize>,

    /// Who computes the dense products; results differ by rounding
    #[arg(long, value_name = "BY", default_value = "auto")]
    #[serde(default)]
    pub(crate) products: Products,

    /// Start from the weights in this file: a model of this program, or a safetensors file of a PyTorch Sequential of the
    /// same layers
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) init: Option<PathBuf>,
}

impl TrainingSettings {
    /// The limit to gradients.
    pub(crate) fn clip(&self) -> Option<Clip> {
        let global = self.clip_global_norm.map(Clip::Global);
        self.clip_norm.map(Clip::PerTensor).or(global)
    }

    /// What is shuffled.
    pub(crate) fn shuffle(&self) -> Shuffle {
        match self.shuffle {
            ShuffleName::Samples => Shuffle::Samples,
            ShuffleName::Batches => Shuffle::Batches,
            ShuffleName::None => Shuffle::None,
        }
    }

    /// The reduction, the mean where none is named.
    pub(crate) fn reduction(&self) -> Reduction {
        match self.reduction {
            Some(ReductionName::Sum) => Reduction::Sum,
            Some(ReductionName::Mean) | None => Reduction::Mean,
        }
    }

    /// The options that optimizers share.
    pub(crate) fn optimizer_options(&self) -> OptimizerOptions {
        let mut options = OptimizerOptions::default();
        options.learning_rate = self.lr;
        options.momentum = self.momentum;
        options.nesterov = self.nesterov;
        options.weight_decay = self.weight_decay;
        options.clip = self.clip();
        options
    }
}
