//! How the network is trained.

use std::path::PathBuf;

use clap::Args;
use mfnet::loss::{LossOptions, balanced_class_weights, balanced_positive_weights};
use mfnet::metrics::Score;
use mfnet::optimizer::{OptimizerOptions, ScheduleOptions};
use mfnet::train::{LbfgsOptions, Tolerance};
use mfnet::{Clip, Element, Reduction, Schedule, Shuffle, Targets, TrainOptions};
use serde::{Deserialize, Serialize};
use toml::Table;

use super::super::defaults;
use super::names::{
    ClassWeightName, LOSSES, OPTIMIZERS, Precision, Products, ReductionName, SCHEDULES, ShuffleName,
};
use crate::parse::{above_zero, at_least_zero, part_below_one, whole};
use crate::score;

/// How the network is trained.
#[derive(Debug, Clone, PartialEq, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Training")]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct TrainingSettings {
    #[arg(long, value_name = "N", default_value_t = 150, hide_default_value = true, value_parser = whole::<{ usize::MAX }>,
          help = defaults::help("Number of epochs; with --optimizer lbfgs the most iterations", "training", "epochs", "150"))]
    pub(crate) epochs: usize,

    #[arg(long, value_name = "N", default_value_t = 200, hide_default_value = true, value_parser = whole::<{ usize::MAX }>,
          help = defaults::help("Batch size: samples of a training step", "training", "batch-size", "200"))]
    pub(crate) batch_size: usize,

    #[arg(long, value_name = "NAME", default_value = "adamw", hide_default_value = true, value_parser = OPTIMIZERS,
          help = defaults::help("Optimizer", "training", "optimizer", "adamw"))]
    pub(crate) optimizer: String,

    /// Learning rate [default: 0.001; 0.01 with --optimizer sgd; what suits the data where sgd is its default]
    #[arg(long, value_name = "X", value_parser = above_zero)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lr: Option<f64>,

    /// Momentum of the optimizers sgd and rmsprop, such as 0.9 [default: none]
    #[arg(long, value_name = "X", value_parser = part_below_one)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) momentum: Option<f64>,

    /// Use Nesterov momentum
    #[arg(long, requires = "momentum")]
    pub(crate) nesterov: bool,

    /// Weight decay, without the biases: an L2 penalty with sgd and adam, decoupled with adamw
    /// [default: 0.1 with adamw on files of your own, 0.01 with adamw on the known data sets; else none]
    #[arg(long, value_name = "X", value_parser = at_least_zero)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight_decay: Option<f64>,

    /// L2 penalty alpha: each step minimizes the loss plus alpha/2 times the sum of the squared weights over the samples of the
    /// batch, without the biases, as scikit-learn's alpha [default: none]
    #[arg(long, value_name = "ALPHA", value_parser = at_least_zero)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) l2_penalty: Option<f64>,

    /// Gradient clipping: the largest L2 norm of the gradient of each weight tensor [default: none]
    #[arg(long, value_name = "X", conflicts_with = "clip_global_norm", value_parser = above_zero)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clip_norm: Option<f64>,

    /// Gradient clipping: the largest L2 norm of all gradients together [default: none]
    #[arg(long, value_name = "X", value_parser = above_zero)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clip_global_norm: Option<f64>,

    /// Learning-rate schedule
    #[arg(long, value_name = "NAME", default_value = "constant", value_parser = SCHEDULES)]
    pub(crate) lr_schedule: String,

    /// Schedule step: number of epochs between two steps [default: a third of --epochs]
    #[arg(long, value_name = "N", value_parser = whole::<{ usize::MAX }>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lr_step: Option<usize>,

    /// Schedules step and plateau: factor of the learning rate
    #[arg(long, value_name = "X", default_value_t = 0.1, value_parser = above_zero)]
    pub(crate) lr_factor: f64,

    /// Schedule plateau: number of epochs without improvement before the learning rate falls
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole::<{ usize::MAX }>)]
    pub(crate) lr_patience: usize,

    /// Schedules cosine and plateau: smallest learning rate
    #[arg(long, value_name = "X", default_value_t = 0.0, value_parser = at_least_zero)]
    pub(crate) lr_minimum: f64,

    /// Schedule inverse-scaling: power of the number of samples trained on
    #[arg(long, value_name = "X", default_value_t = 0.5, value_parser = at_least_zero)]
    #[serde(default = "half")]
    pub(crate) lr_power: f64,

    /// Warm-up: number of epochs in which the learning rate rises linearly, step by step, to that of the schedule
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(usize))]
    pub(crate) lr_warmup: usize,

    #[arg(long, value_name = "NAME", value_parser = LOSSES,
          help = defaults::help("Loss function", "training", "loss", "cross-entropy for classes, mse for numbers, bce for --task binary"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) loss: Option<String>,

    #[arg(long, value_name = "NAME",
          help = defaults::help("Reduction of the loss over a batch", "training", "reduction", "mean"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reduction: Option<ReductionName>,

    /// Class weights, in training and in all losses that are shown: balanced makes rare classes count as much as common
    /// ones, and with --loss bce the yes of each target as much as the no [default: all samples have the same weight]
    #[arg(long, value_name = "HOW")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) class_weight: Option<ClassWeightName>,

    /// Label smoothing, with --loss cross-entropy: the part of a target that is spread over all classes, such as 0.1
    /// [default: none]
    #[arg(long, value_name = "X", value_parser = part_below_one)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label_smoothing: Option<f64>,

    /// Delta of --loss huber: the error up to which squares count, and distances beyond, in the unit of the scaled targets
    /// (their deviation, or their own with --no-normalize) [default: 1]
    #[arg(long, value_name = "X", value_parser = above_zero)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) huber_delta: Option<f64>,

    /// Shuffling before each epoch
    #[arg(long, value_name = "WHAT", default_value = "samples")]
    pub(crate) shuffle: ShuffleName,

    /// Leave out the last batch of an epoch if it has fewer samples than the others
    #[arg(long)]
    pub(crate) drop_last: bool,

    /// Early stopping: stop after this number of epochs without a better validation loss, and restore the best weights
    /// [default: train all epochs]. Without --validation, a tenth of the training samples becomes the validation set
    #[arg(long, value_name = "PATIENCE", value_parser = whole::<{ usize::MAX }>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) early_stopping: Option<usize>,

    /// Early stopping: score of the validation samples to follow [default: loss]
    #[arg(long, value_name = "SCORE", requires = "early_stopping", value_parser = score::names())]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) early_stopping_score: Option<String>,

    /// Early stopping: by how much a validation loss must be below the best, or a score better, to count as better; of rmse and
    /// mae in deviations of the target
    #[arg(long, value_name = "X", default_value_t = 0.0, requires = "early_stopping", value_parser = at_least_zero)]
    pub(crate) min_delta: f64,

    /// Tolerance: stop when the training loss has not fallen by this much, below the least so far, for more than --tol-epochs
    /// epochs in a row, such as 1e-4; the last weights stay. With --optimizer lbfgs: stop when no number of the gradient is larger
    /// [default: train all epochs; 1e-4 with lbfgs]
    #[arg(long, value_name = "X", value_parser = at_least_zero)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tol: Option<f64>,

    /// Tolerance: number of epochs in a row without such a fall of the training loss before the training stops
    #[arg(long, value_name = "N", default_value_t = 10, requires = "tol", value_parser = clap::value_parser!(usize))]
    #[serde(default = "ten")]
    pub(crate) tol_epochs: usize,

    /// Number of epochs between two evaluations on the test set; the last epoch is always evaluated
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<{ usize::MAX }>)]
    pub(crate) test_interval: usize,

    /// Random seed of initial weights, shuffling, dropout, splits, and of the data sets digits and circle
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// Precision of all numbers; f32 is about twice as fast as f64
    #[arg(long, value_name = "TYPE", default_value = "f32")]
    pub(crate) precision: Precision,

    /// Number of threads; results do not depend on it [default: one for each core]
    #[arg(long, value_name = "N", value_parser = whole::<1024>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) threads: Option<usize>,

    /// Implementation of the dense matrix products; results differ by rounding
    #[arg(long, value_name = "BY", default_value = "auto")]
    #[serde(default)]
    pub(crate) products: Products,

    /// Start from the weights in this file: a model of this program, or a safetensors file of a PyTorch Sequential of the
    /// same layers; or from those of the model in a run folder
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) init: Option<PathBuf>,

    /// Continue a trained model on these samples (warm start): its layers and weights, its columns and classes, and its
    /// scaling of the features; with --init, the samples are prepared anew, and only the weights are taken
    #[arg(long, value_name = "MODEL", conflicts_with = "init")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) warm_start: Option<PathBuf>,
}

/// Power of inverse scaling, and epochs of the tolerance, of a file that was written before there were these options.
fn half() -> f64 {
    0.5
}

fn ten() -> usize {
    10
}

/// The options that only a loss of classes takes; of these, the binary cross-entropy takes class weights.
const FOR_CLASSES: [&str; 2] = ["class-weight", "label-smoothing"];

/// The first option in a table of training settings that only a loss of classes takes.
pub(super) fn option_for_classes(training: &Table) -> Option<&'static str> {
    FOR_CLASSES.into_iter().find(|key| training.contains_key(*key))
}

impl TrainingSettings {
    /// The first option that was given and that only a loss of classes takes.
    pub(crate) fn option_for_classes(&self) -> Option<&'static str> {
        let training = Table::try_from(self).unwrap_or_default();
        option_for_classes(&training)
    }

    /// The options of the loss; balanced class weights are those of the training set's targets.
    pub(crate) fn loss_options<T: Element>(&self, targets: &Targets<T>) -> mfnet::Result<LossOptions> {
        let mut options = LossOptions::default();
        options.reduction = self.reduction();
        match (&self.class_weight, self.loss.as_deref()) {
            (Some(_), Some("bce")) => options.positive_weights = balanced_positive_weights(targets)?,
            (Some(_), _) => options.class_weights = balanced_class_weights(targets)?,
            (None, _) => {}
        }
        options.label_smoothing = self.label_smoothing.unwrap_or_default();
        options.huber_delta = self.huber_delta;
        Ok(options)
    }

    /// The options of the training loop.
    pub(crate) fn train_options(&self) -> TrainOptions {
        TrainOptions::default()
            .with_epochs(self.epochs)
            .with_batch_size(self.batch_size)
            .with_shuffle(self.shuffle())
            .with_seed(self.seed)
            .with_drop_last(self.drop_last)
            .with_test_interval(self.test_interval)
            .with_schedule(self.schedule())
            .with_warmup_epochs(self.lr_warmup)
            .with_early_stopping(self.early_stopping)
            .with_early_stopping_score(self.early_stopping_score())
            .with_min_delta(self.min_delta)
            .with_tolerance(self.tol.map(|tol| Tolerance::new(tol, self.tol_epochs)))
            .with_l2_penalty(self.l2_penalty.unwrap_or_default())
    }

    /// The score that early stopping follows, whose name has been checked.
    pub(crate) fn early_stopping_score(&self) -> Score {
        let name = self.early_stopping_score.as_deref();
        name.map_or(Score::Loss, |name| {
            name.parse().expect("the names of settings are checked")
        })
    }

    /// Whether the training takes all samples in each step.
    pub(crate) fn is_lbfgs(&self) -> bool {
        LbfgsOptions::NAMED.is_called(&self.optimizer)
    }

    /// The options of a training by L-BFGS, whose iterations are the epochs.
    pub(crate) fn lbfgs_options(&self) -> LbfgsOptions {
        let options = LbfgsOptions::default().with_iterations(self.epochs);
        let options = options.with_l2_penalty(self.l2_penalty.unwrap_or_default());
        match self.tol {
            Some(tol) => options.with_gradient_tolerance(tol),
            None => options,
        }
    }

    /// The learning-rate schedule, whose name has been checked.
    pub(crate) fn schedule(&self) -> Schedule {
        let mut options = ScheduleOptions::default();
        options.epochs = self.epochs;
        options.every = self.lr_step.unwrap_or(self.epochs);
        options.factor = self.lr_factor;
        options.patience = self.lr_patience;
        options.minimum = self.lr_minimum;
        options.power = self.lr_power;
        Schedule::by_name(&self.lr_schedule, &options).expect("the names of settings are checked")
    }

    /// The gradient clipping.
    pub(crate) fn clip(&self) -> Option<Clip> {
        let global = self.clip_global_norm.map(Clip::Global);
        self.clip_norm.map(Clip::PerTensor).or(global)
    }

    /// The kind of shuffling.
    fn shuffle(&self) -> Shuffle {
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
