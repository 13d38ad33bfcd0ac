//! The result of a training for people.

use std::path::Path;

use mfnet::baseline::mean_predictor;
use mfnet::data::Task as TaskKind;
use mfnet::product::Blas;
use mfnet::{
    Clip, Dataset, Element, Evaluation, History, Model, MseLoss, NeuralNetwork, Reduction, StopReason,
    TrainOptions,
};

use super::data::Task;
use super::settings::Settings;
use super::{blas as words, format};

/// A training that is over, and all that was asked of it.
#[derive(Debug)]
pub(super) struct Training<'a, T> {
    pub(super) task: &'a Task<T>,
    pub(super) model: &'a Model<T>,
    pub(super) settings: &'a Settings,
    pub(super) options: &'a TrainOptions,
    /// The loss's name.
    pub(super) loss: &'static str,
    pub(super) history: &'a History,
    pub(super) blas: &'a Blas,
    /// The run's folder.
    pub(super) out: Option<&'a Path>,
}

impl<T: Element> Training<'_, T> {
    /// What was trained on what, in a few words.
    pub(super) fn title(&self) -> String {
        let name = Path::new(&self.task.name).file_name().unwrap_or_default();
        format!(
            "{} on {}",
            self.model.network().architecture(),
            name.to_string_lossy()
        )
    }
}

/// A label and what belongs to it, a line each; then how good the model is.
pub(super) fn text<T: Element>(training: &Training<'_, T>) -> mfnet::Result<String> {
    let Training {
        task,
        model,
        options,
        blas,
        history,
        ..
    } = training;
    let mut text = String::new();
    let mut line = |label: &str, content: String| text += &format!("{label:<20} {content}\n");
    line("data set", data_set(task));
    line("samples", samples(task));
    let network = model.network();
    let parameters = format::count(network.parameter_count());
    line(
        "model",
        format!("{}, {parameters} parameters, {}", network.architecture(), T::NAME),
    );
    line("settings", settings(training));
    line("training", progress(training));
    line(
        "BLAS",
        format!("{}, kernel {}", words::library(blas), words::kernel(blas)),
    );
    line("threads", words::threads(blas));
    line("seed", options.seed.to_string());
    match training.out {
        Some(out) => line("saved in", out.display().to_string()),
        None => line(
            "saved in",
            "nothing is saved; --out DIR keeps the model and pictures".to_owned(),
        ),
    }
    if let Some(loss) = history.train_loss() {
        let is_compared = task.schema.task == TaskKind::Regression && task.train.outputs() == 1;
        if is_compared {
            text += "\n";
            text += &comparison(training, loss)?;
        } else {
            line("train loss", format::loss(loss));
            for (name, evaluation, when) in evaluations(history) {
                line(&format!("{name} loss"), format::loss(evaluation.loss) + &when);
                if let Some(accuracy) = evaluation.accuracy {
                    line(&format!("{name} accuracy"), format::percent(accuracy) + &when);
                }
            }
            if task.validation.is_none() && task.test.is_none() {
                text += "These losses are of the training samples; --test 0.2 or --validation 0.2 sets other samples apart.\n";
            }
        }
    }
    Ok(text)
}

/// The validation of the resulting epoch, and the last test up to it with its epoch where that is an earlier one.
fn evaluations(history: &History) -> Vec<(&'static str, Evaluation, String)> {
    let Some(result) = history.result() else {
        return Vec::new();
    };
    let validation = result
        .validation
        .map(|validation| ("validation", validation, String::new()));
    let test = last_test(history).map(|(test, when)| ("test", test, when));
    validation.into_iter().chain(test).collect()
}

fn data_set<T: Element>(task: &Task<T>) -> String {
    let outputs = match (task.schema.task, &task.schema.target_normalization) {
        (TaskKind::Classification, _) => "classes",
        (TaskKind::Regression, Some(_)) if task.train.outputs() == 1 => "target, normalised",
        (TaskKind::Regression, Some(_)) => "targets, normalised",
        (TaskKind::Regression, None) if task.train.outputs() == 1 => "target",
        (TaskKind::Regression, None) => "targets",
    };
    format!(
        "{}: {} features, {} {outputs}",
        task.name,
        format::count(task.train.features()),
        format::count(task.train.outputs())
    )
}

fn samples<T: Element>(task: &Task<T>) -> String {
    let count = |data: &Dataset<T>| format::count(data.samples());
    let mut text = format!("{} to train on", count(&task.train));
    if let Some(validation) = &task.validation {
        text += &format!(", {} to validate with", count(validation));
    }
    if let Some(test) = &task.test {
        text += &format!(", {} to test with", count(test));
    }
    text
}

fn settings<T>(training: &Training<'_, T>) -> String {
    let told = &training.settings.training;
    let reduction = match told.reduction() {
        Reduction::Mean => "averaged",
        Reduction::Sum => "summed",
    };
    let mut text = format!(
        "batches of {}, learning rate {}, gradients {reduction}",
        format::count(training.options.batch_size),
        told.lr.unwrap_or_default(),
    );
    match told.clip() {
        Some(Clip::PerTensor(limit)) => text += &format!(", each tensor's clipped to {limit}"),
        Some(Clip::Global(limit)) => text += &format!(", clipped to {limit}"),
        None => {}
    }
    if told.optimizer != "sgd" {
        text += &format!(", optimizer {}", told.optimizer);
    }
    match told.momentum {
        None => {}
        Some(momentum) if told.nesterov => text += &format!(", Nesterov momentum {momentum}"),
        Some(momentum) => text += &format!(", momentum {momentum}"),
    }
    if let Some(decay) = told.weight_decay {
        text += &format!(", weight decay {decay}");
    }
    if told.lr_schedule != "constant" {
        text += &format!(", learning-rate schedule {}", told.lr_schedule);
    }
    text
}

fn progress<T>(training: &Training<'_, T>) -> String {
    let history = training.history;
    let (done, asked) = (history.epochs.len(), training.options.epochs);
    let epochs = match (history.stopped, history.restored, done) {
        (Some(StopReason::Observer), _, 0) => {
            return format!(
                "ended before the first of {} epochs was complete",
                format::count(asked)
            );
        }
        (Some(StopReason::Observer), ..) => format!(
            "ended after {} of {} epochs",
            format::count(done),
            format::count(asked)
        ),
        (_, Some(best), _) => format!(
            "stopped after {} of {} epochs; weights of epoch {} restored",
            format::count(done),
            format::count(asked),
            format::count(best)
        ),
        (_, None, 1) => "1 epoch".to_owned(),
        (_, None, _) => format!("{} epochs", format::count(done)),
    };
    let (time, rate) = (
        format::duration(history.seconds()),
        format::rate(history.samples_per_second()),
    );
    format!("{epochs}, {time}, {rate} samples/s")
}

/// The last evaluation, and of which epoch it is if not of the last.
fn last_test(history: &History) -> Option<(Evaluation, String)> {
    let result = history.result()?.epoch;
    let (epoch, test) = history
        .epochs
        .iter()
        .rev()
        .filter(|record| record.epoch <= result)
        .find_map(|record| Some((record.epoch, record.test?)))?;
    let when = if epoch == result {
        String::new()
    } else {
        format!(" (epoch {epoch})")
    };
    Some((test, when))
}

/// The network beside models that need no training.
fn comparison<T: Element>(training: &Training<'_, T>, train_loss: f64) -> mfnet::Result<String> {
    let task = training.task;
    let (name, held) = match (&task.test, &task.validation) {
        (Some(test), _) => ("test", Some(test)),
        (None, validation) => ("validation", validation.as_ref()),
    };
    let headings = ["loss", "RMSE", "R2"].map(|heading| format!("{name} {heading}"));
    let widths = headings.each_ref().map(|heading| heading.len().max(8));
    let row = |label: &str, train: &str, cells: [String; 3]| {
        let [loss, rmse, r2] = cells;
        let [a, b, c] = widths;
        format!("{label:<14} {train:>10} {loss:>a$} {rmse:>b$} {r2:>c$}")
    };
    let mut table = row("", "train loss", headings) + "\n";
    let mse = MseLoss::default();
    // Of the held samples' own mean: what R2 compares with.
    let variance = match held {
        Some(held) => Some(mean_predictor(held)?.evaluate(held, &mse)?.loss),
        None => None,
    };
    let scale = &task.schema.target_normalization;
    let deviation = scale.as_ref().map_or(1.0, |scale| scale.deviations()[0].as_f64());
    let mut add = |label: &str, train: f64, loss: Option<f64>, remark: &str| {
        let cell = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let cells = [
            cell(loss.map(format::loss)),
            cell(loss.map(|loss| format!("{:.4}", loss.sqrt() * deviation))),
            cell(
                loss.zip(variance)
                    .map(|(loss, variance)| format!("{:.4}", 1.0 - loss / variance)),
            ),
        ];
        table += &format!("{}{remark}\n", row(label, &format::loss(train), cells));
    };
    let history = training.history;
    let (loss, when) = match (task.test.is_some(), history.result()) {
        (true, _) => last_test(history).map(|(test, when)| (test.loss, when)).unzip(),
        (false, result) => (result.and_then(|result| Some(result.validation?.loss)), None),
    };
    add("this network", train_loss, loss, &when.unwrap_or_default());
    for (label, network) in baselines(&task.train)? {
        let train = network.evaluate(&task.train, &mse)?.loss;
        let loss = held.map(|held| network.evaluate(held, &mse)).transpose()?;
        add(label, train, loss.map(|evaluation| evaluation.loss), "");
    }
    let normalised = if scale.is_some() {
        "Losses are of the normalised target; the"
    } else {
        "The"
    };
    let unit = task.unit.unwrap_or("the target's own unit");
    table += &match held {
        Some(_) => format!("{normalised} RMSE is in {unit}.\n"),
        None => {
            "These losses are of the training samples; --test 0.2 or --validation 0.2 sets other samples apart.\n"
                .to_owned()
        }
    };
    Ok(table)
}

/// The models to compare with; without the feature `linalg` there is no least-squares fit.
fn baselines<T: Element>(train: &Dataset<T>) -> mfnet::Result<Vec<(&'static str, NeuralNetwork<T>)>> {
    #[cfg(feature = "linalg")]
    let fit = match mfnet::baseline::least_squares(train) {
        Ok(fit) => vec![("least squares", fit)],
        // Columns that depend on one another have no single best fit: nothing to compare with.
        Err(mfnet::Error::InvalidData { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    #[cfg(not(feature = "linalg"))]
    let fit = Vec::new();
    let mean = ("mean predictor", mean_predictor(train)?);
    Ok(fit.into_iter().chain([mean]).collect())
}
