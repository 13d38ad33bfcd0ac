//! The network, the loss and the optimizer that the settings ask for.

use anyhow::ensure;
use mfnet::data::{TargetTransform, Task as TaskKind};
use mfnet::loss::{self, HuberLoss, Loss, LossOptions};
use mfnet::optimizer::{self, Optimizer};
use mfnet::{Element, NeuralNetwork, Targets};
use ndarray::array;

use super::data::Task;
use super::settings::{ReductionName, Settings, TrainingSettings, activated, takes_momentum};
use super::{model_path, usage, warm_start};

/// The loss of yes/no targets.
pub(super) const BINARY: &str = "bce";

/// The network, with fresh weights or those of `--init`, or that of the model of `--warm-start`.
pub(super) fn network<T: Element>(settings: &Settings, task: &Task<T>) -> anyhow::Result<NeuralNetwork<T>> {
    if let Some(path) = &settings.training.warm_start {
        return Ok(warm_start::model(path)?.into_parts().0);
    }
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
    let is_classification = task.schema.task == TaskKind::Classification;
    let training = &mut settings.training;
    let suits = match task.schema.task {
        TaskKind::Regression => "mse",
        TaskKind::Classification => "cross-entropy",
        TaskKind::Binary => BINARY,
    };
    if let (None, Some(path)) = (&training.loss, &training.warm_start) {
        warm_start::keep_loss(warm_start::model::<T>(path)?.loss(), training);
    }
    let loss = training.loss.get_or_insert(suits.to_owned()).clone();
    let is_binary = task.schema.task == TaskKind::Binary;
    ensure!(
        is_binary == (loss == BINARY),
        usage(match is_binary {
            true =>
                format!("--loss {loss} is not for the yes/no targets of --task binary: take --loss {BINARY}"),
            false => format!("--loss {BINARY} is for yes/no targets, and these are none"),
        })
    );
    ensure!(
        !is_binary || training.label_smoothing.is_none(),
        usage("--label-smoothing goes with classes and --loss cross-entropy".to_owned())
    );
    let (takes_numbers, takes_classes) = targets_of(&loss)?;
    ensure!(
        is_classification || is_binary || takes_numbers,
        usage(format!(
            "--loss {loss} is for classes, and the targets are numbers"
        ))
    );
    ensure!(
        !is_classification || takes_classes,
        usage(format!(
            "--loss {loss} is for numbers, and the targets are classes: --task regression takes whole numbers of a file of \
             your own for numbers"
        ))
    );
    if let Some(option) = training.option_for_classes().filter(|_| takes_numbers) {
        anyhow::bail!(usage(format!(
            "--{option} goes with classes and --loss cross-entropy"
        )));
    }
    match training.huber_delta {
        Some(_) if loss != "huber" => {
            anyhow::bail!(usage("--huber-delta goes with --loss huber".to_owned()));
        }
        None if loss == "huber" => training.huber_delta = Some(HuberLoss::default().delta),
        _ => {}
    }
    if training.is_lbfgs() {
        training.reduction.get_or_insert(ReductionName::Mean);
        return Ok(());
    }
    ensure!(
        training.momentum.is_none() || takes_momentum(&training.optimizer),
        usage(format!(
            "--momentum goes with --optimizer {}: {} has its own",
            with_momentum().join(" or "),
            training.optimizer
        ))
    );
    let score = training.early_stopping_score();
    ensure!(
        !score.is_of_numbers() || task.schema.target_transform == TargetTransform::None,
        usage(format!(
            "--early-stopping-score {score} is that of the targets as they are learned, and --target-transform has their \
             logarithms learned: follow the loss"
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
    let options = training.loss_options(task.train.targets())?;
    loss::by_name(training.loss.as_deref().unwrap_or("mse"), options)
}

/// The optimizers that take a momentum.
fn with_momentum() -> Vec<&'static str> {
    let mut names: Vec<&str> = optimizer::names().iter().map(|named| named.name).collect();
    names.retain(|name| takes_momentum(name));
    names
}

/// The kinds of targets that a loss takes: numbers, and classes.
fn targets_of(loss: &str) -> mfnet::Result<(bool, bool)> {
    let loss = loss::by_name::<f64>(loss, LossOptions::default())?;
    let classes = Targets::Classes {
        labels: vec![0, 1],
        classes: 2,
    };
    let takes = |targets: &Targets<f64>| loss.check(targets).is_ok();
    Ok((takes(&Targets::Values(array![[0.5]])), takes(&classes)))
}

/// The optimizer.
pub(super) fn optimizer<T: Element>(training: &TrainingSettings) -> mfnet::Result<Box<dyn Optimizer<T>>> {
    optimizer::by_name(&training.optimizer, &training.optimizer_options())
}

/// Whether the learning rate of an epoch depends on the number of epochs in all.
pub(super) fn rates_depend_on_epochs(training: &TrainingSettings) -> bool {
    // The settings of a run name the step of its schedule.
    let lr_step = training.lr_step.or(Some(training.epochs));
    let over = |epochs| {
        let training = TrainingSettings {
            epochs,
            lr_step,
            ..training.clone()
        };
        training.schedule()
    };
    over(training.epochs) != over(training.epochs.saturating_add(1))
}
