//! The network, the loss and the optimizer that the settings ask for.

use anyhow::ensure;
use mfnet::loss::Loss;
use mfnet::optimizer::{Adam, Optimizer, Schedule};
use mfnet::{CrossEntropyLoss, Element, MseLoss, NeuralNetwork, Sgd, TrainOptions, balanced_class_weights};

use super::data::Task;
use super::settings::{LossName, OptimizerName, ReductionName, ScheduleName, Settings, TrainingSettings};
use super::usage;

/// The network, with fresh weights, or those of `--init`.
pub(super) fn network<T: Element>(settings: &Settings, task: &Task<T>) -> anyhow::Result<NeuralNetwork<T>> {
    let model = &settings.model;
    let mut builder = NeuralNetwork::builder(task.train.features())
        .seed(settings.training.seed)
        .initializer(model.initializer.initializer());
    // One for all, or one for each.
    let activations = model.activation.iter().cycle();
    for (&units, activation) in model.hidden().iter().zip(activations) {
        builder = builder.linear(units);
        if model.batch_norm {
            builder = builder.batch_norm();
        }
        builder = activation.behind(builder);
        if let Some(probability) = model.dropout {
            builder = builder.dropout(probability);
        }
    }
    let mut network = builder.linear(task.train.outputs()).build()?;
    if let Some(path) = &settings.training.init {
        network.load_weights(path)?;
    }
    Ok(network)
}

/// Fills in what depends on the task, so that the settings say all that was done.
pub(super) fn settle<T: Element>(settings: &mut Settings, task: &Task<T>) -> anyhow::Result<()> {
    let is_classification = !task.schema.labels.is_empty();
    let training = &mut settings.training;
    let suits = if is_classification {
        LossName::CrossEntropy
    } else {
        LossName::Mse
    };
    let loss = *training.loss.get_or_insert(suits);
    ensure!(
        is_classification || loss == LossName::Mse,
        usage("--loss cross-entropy is for classes, and the targets are numbers".to_owned())
    );
    ensure!(
        training.class_weight.is_none() || loss == LossName::CrossEntropy,
        usage("--class-weight goes with classes and --loss cross-entropy".to_owned())
    );
    ensure!(
        training.optimizer == OptimizerName::Sgd || training.momentum.is_none(),
        usage("--momentum goes with --optimizer sgd: adam and adamw have their own".to_owned())
    );
    training.lr = Some(training.lr());
    training.reduction.get_or_insert(ReductionName::Mean);
    if training.lr_schedule == ScheduleName::Step {
        training.lr_step.get_or_insert(training.epochs.div_ceil(3));
    }
    Ok(())
}

pub(super) fn loss<T: Element>(
    training: &TrainingSettings,
    task: &Task<T>,
) -> mfnet::Result<Box<dyn Loss<T>>> {
    let reduction = training.reduction();
    Ok(match training.loss {
        Some(LossName::CrossEntropy) => Box::new(CrossEntropyLoss {
            reduction,
            class_weights: match training.class_weight {
                Some(_) => balanced_class_weights(task.train.targets())?,
                None => Vec::new(),
            },
        }),
        Some(LossName::Mse) | None => Box::new(MseLoss { reduction }),
    })
}

pub(super) fn optimizer<T: Element>(training: &TrainingSettings) -> mfnet::Result<Box<dyn Optimizer<T>>> {
    let adaptive = |mut adam: Adam<T>| -> mfnet::Result<Box<dyn Optimizer<T>>> {
        if let Some(decay) = training.weight_decay {
            adam = adam.weight_decay(decay)?;
        }
        if let Some(clip) = training.clip() {
            adam = adam.clip(clip)?;
        }
        Ok(Box::new(adam))
    };
    match training.optimizer {
        OptimizerName::Adam => adaptive(Adam::new(training.lr())?),
        OptimizerName::Adamw => adaptive(Adam::adamw(training.lr())?),
        OptimizerName::Sgd => {
            let mut sgd = Sgd::new(training.lr())?;
            if let Some(momentum) = training.momentum {
                sgd = sgd.momentum(momentum)?.nesterov(training.nesterov);
            }
            if let Some(decay) = training.weight_decay {
                sgd = sgd.weight_decay(decay)?;
            }
            if let Some(clip) = training.clip() {
                sgd = sgd.clip(clip)?;
            }
            Ok(Box::new(sgd))
        }
    }
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

fn schedule(training: &TrainingSettings) -> Schedule {
    let (factor, minimum) = (training.lr_factor, training.lr_minimum);
    match training.lr_schedule {
        ScheduleName::Constant => Schedule::Constant,
        ScheduleName::Step => Schedule::Step {
            every: training.lr_step.unwrap_or(training.epochs),
            factor,
        },
        ScheduleName::Cosine => Schedule::Cosine {
            epochs: training.epochs,
            minimum,
        },
        ScheduleName::Plateau => Schedule::Plateau {
            factor,
            patience: training.lr_patience,
            threshold: 1e-4,
            minimum,
        },
    }
}
