//! The network, the loss and the optimizer that the settings ask for.

use anyhow::ensure;
use mfnet::loss::balanced_class_weights;
use mfnet::loss::{self, Loss, LossOptions};
use mfnet::optimizer::{self, Optimizer, ScheduleOptions};
use mfnet::{Element, NeuralNetwork, Schedule, Targets, TrainOptions};
use ndarray::array;

use super::data::Task;
use super::settings::{ReductionName, Settings, TrainingSettings, activated, takes_momentum};
use super::{model_path, usage};

/// The network, with fresh weights, or those of `--init`.
pub(super) fn network<T: Element>(settings: &Settings, task: &Task<T>) -> anyhow::Result<NeuralNetwork<T>> {
    let model = &settings.model;
    let mut builder = NeuralNetwork::builder(task.train.features())
        .seed(settings.training.seed)
        .initializer(model.initializer.parse()?);
    // One for all, or one for each.
    let activations = model.activation.iter().cycle();
    for (&units, activation) in model.hidden().iter().zip(activations) {
        builder = builder.linear(units);
        if model.batch_norm {
            builder = builder.batch_norm();
        }
        builder = activated(builder, activation)?;
        if let Some(probability) = model.dropout {
            builder = builder.dropout(probability);
        }
    }
    let mut network = builder.linear(task.train.outputs()).build()?;
    if let Some(path) = &settings.training.init {
        network.load_weights(model_path::file_of(path)?)?;
    }
    Ok(network)
}

/// Fills in what depends on the task, so that the settings say all that was done.
pub(super) fn settle<T: Element>(settings: &mut Settings, task: &Task<T>) -> anyhow::Result<()> {
    let is_classification = !task.schema.labels.is_empty();
    let training = &mut settings.training;
    let suits = if is_classification { "cross-entropy" } else { "mse" };
    let loss = training.loss.get_or_insert(suits.to_owned());
    let is_for_classes = is_for_classes(loss)?;
    ensure!(
        is_classification || !is_for_classes,
        usage(format!(
            "--loss {loss} is for classes, and the targets are numbers"
        ))
    );
    ensure!(
        training.class_weight.is_none() || is_for_classes,
        usage("--class-weight goes with classes and --loss cross-entropy".to_owned())
    );
    ensure!(
        training.label_smoothing.is_none() || is_for_classes,
        usage("--label-smoothing goes with classes and --loss cross-entropy".to_owned())
    );
    ensure!(
        training.momentum.is_none() || takes_momentum(&training.optimizer),
        usage(format!(
            "--momentum goes with --optimizer {}: {} has its own",
            with_momentum().join(" or "),
            training.optimizer
        ))
    );
    training.lr = Some(optimizer::<T>(training)?.learning_rate());
    training.reduction.get_or_insert(ReductionName::Mean);
    if training.lr_schedule == "step" {
        training.lr_step.get_or_insert(training.epochs.div_ceil(3));
    }
    Ok(())
}

/// The loss, with the weights of the training set's classes if asked for.
pub(super) fn loss<T: Element>(
    training: &TrainingSettings,
    task: &Task<T>,
) -> mfnet::Result<Box<dyn Loss<T>>> {
    let mut options = LossOptions::default();
    options.reduction = training.reduction();
    if training.class_weight.is_some() {
        options.class_weights = balanced_class_weights(task.train.targets())?;
    }
    options.label_smoothing = training.label_smoothing.unwrap_or_default();
    loss::by_name(training.loss.as_deref().unwrap_or("mse"), options)
}

/// The optimizers that take a momentum.
fn with_momentum() -> Vec<&'static str> {
    let mut names: Vec<&str> = optimizer::names().iter().map(|named| named.name).collect();
    names.retain(|name| takes_momentum(name));
    names
}

/// Whether a loss is for classes: it refuses targets that are numbers.
fn is_for_classes(loss: &str) -> mfnet::Result<bool> {
    let loss = loss::by_name::<f64>(loss, LossOptions::default())?;
    Ok(loss.check(&Targets::Values(array![[0.5]])).is_err())
}

/// The optimizer.
pub(super) fn optimizer<T: Element>(training: &TrainingSettings) -> mfnet::Result<Box<dyn Optimizer<T>>> {
    optimizer::by_name(&training.optimizer, &training.optimizer_options())
}

/// What the training loop is told.
pub(super) fn options(training: &TrainingSettings) -> TrainOptions {
    TrainOptions::default()
        .with_epochs(training.epochs)
        .with_batch_size(training.batch_size)
        .with_shuffle(training.shuffle())
        .with_seed(training.seed)
        .with_drop_last(training.drop_last)
        .with_test_interval(training.test_interval)
        .with_schedule(schedule(training))
        .with_warmup_epochs(training.lr_warmup)
        .with_early_stopping(training.early_stopping)
        .with_min_delta(training.min_delta)
}

/// Whether the learning rate of an epoch depends on the number of epochs in all.
pub(super) fn rates_depend_on_epochs(training: &TrainingSettings) -> bool {
    // The settings of a run name the step of its schedule.
    let lr_step = training.lr_step.or(Some(training.epochs));
    let over = |epochs| {
        schedule(&TrainingSettings {
            epochs,
            lr_step,
            ..training.clone()
        })
    };
    over(training.epochs) != over(training.epochs.saturating_add(1))
}

fn schedule(training: &TrainingSettings) -> Schedule {
    let mut options = ScheduleOptions::default();
    options.epochs = training.epochs;
    options.every = training.lr_step.unwrap_or(training.epochs);
    options.factor = training.lr_factor;
    options.patience = training.lr_patience;
    options.minimum = training.lr_minimum;
    Schedule::by_name(&training.lr_schedule, &options).expect("the names of settings are checked")
}
