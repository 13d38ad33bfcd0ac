//! The result of a training for people.

use mfnet::{Blas, Clip, Dataset, Element, History, NeuralNetwork, Reduction, TrainOptions, mean_predictor};

use super::args::TrainArguments;
use super::data::{Kind, Task};
use super::{blas as words, format, model};

/// A training that is over, and all that was asked of it.
#[derive(Debug)]
pub(super) struct Training<'a, T> {
    pub(super) task: &'a Task<T>,
    pub(super) network: &'a NeuralNetwork<T>,
    pub(super) options: &'a TrainOptions,
    pub(super) arguments: &'a TrainArguments,
    pub(super) reduction: Reduction,
    pub(super) history: &'a History,
    pub(super) blas: &'a Blas,
}

/// A label and what belongs to it, a line each; then how good the model is.
pub(super) fn text<T: Element>(training: &Training<'_, T>) -> mfnet::Result<String> {
    let Training {
        task,
        network,
        options,
        blas,
        ..
    } = training;
    let mut text = String::new();
    let mut line = |label: &str, content: String| text += &format!("{label:<14} {content}\n");
    line("data set", data_set(task));
    line("samples", samples(task));
    let parameters = format::count(network.parameters());
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
    if let Some(loss) = training.history.train_loss() {
        match task.kind {
            Kind::Classification => {
                line("train loss", format::loss(loss));
                if let Some((test, when)) = last_test(training.history) {
                    line("test loss", format::loss(test.loss) + &when);
                    if let Some(accuracy) = test.accuracy {
                        line("test accuracy", format::percent(accuracy) + &when);
                    }
                }
            }
            Kind::Regression { deviation, unit } => {
                text += "\n";
                text += &comparison(training, loss, deviation, unit)?;
            }
        }
    }
    Ok(text)
}

fn data_set<T: Element>(task: &Task<T>) -> String {
    let outputs = match task.kind {
        Kind::Classification => "classes",
        Kind::Regression { .. } => "target, normalised",
    };
    format!(
        "{}: {} features, {} {outputs}",
        task.name,
        task.train.features(),
        task.train.outputs()
    )
}

fn samples<T: Element>(task: &Task<T>) -> String {
    let [train, test] = [&task.train, &task.test].map(|data| format::count(data.samples()));
    format!("{train} to train on, {test} to test with")
}

fn settings<T>(training: &Training<'_, T>) -> String {
    let reduction = match training.reduction {
        Reduction::Mean => "averaged",
        Reduction::Sum => "summed",
    };
    let clip = match training.arguments.clip() {
        Some(Clip::PerTensor(limit)) => format!(", each tensor's clipped to {limit}"),
        Some(Clip::Global(limit)) => format!(", clipped to {limit}"),
        None => String::new(),
    };
    format!(
        "batches of {}, learning rate {}, gradients {reduction}{clip}",
        format::count(training.options.batch_size),
        training.arguments.lr,
    )
}

fn progress<T>(training: &Training<'_, T>) -> String {
    let history = training.history;
    let (done, asked) = (history.epochs.len(), training.options.epochs);
    let epochs = match (history.stopped, done) {
        (true, 0) => {
            return format!(
                "ended before the first of {} epochs was complete",
                format::count(asked)
            );
        }
        (true, _) => format!(
            "ended after {} of {} epochs",
            format::count(done),
            format::count(asked)
        ),
        (false, 1) => "1 epoch".to_owned(),
        (false, _) => format!("{} epochs", format::count(done)),
    };
    let (time, rate) = (
        format::duration(history.seconds()),
        format::rate(history.samples_per_second()),
    );
    format!("{epochs}, {time}, {rate} samples/s")
}

/// The last evaluation, and of which epoch it is if not of the last.
fn last_test(history: &History) -> Option<(mfnet::Evaluation, String)> {
    let (epoch, test) = history
        .epochs
        .iter()
        .rev()
        .find_map(|record| Some((record.epoch, record.test?)))?;
    let when = if epoch == history.epochs.len() {
        String::new()
    } else {
        format!(" (epoch {epoch})")
    };
    Some((test, when))
}

/// The network beside models that need no training; losses of normalised targets.
fn comparison<T: Element>(
    training: &Training<'_, T>,
    train_loss: f64,
    deviation: f64,
    unit: &str,
) -> mfnet::Result<String> {
    let task = training.task;
    let loss = model::loss::<T>(task.kind, training.reduction);
    let variance = mean_predictor(&task.test)?.evaluate(&task.test, &*loss)?.loss;
    let mut table = format!(
        "{:<14} {:>10} {:>9} {:>9} {:>8}\n",
        "", "train loss", "test loss", "test RMSE", "test R2"
    );
    let mut row = |name: &str, train: f64, test: Option<f64>, remark: &str| {
        let cell = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        table += &format!(
            "{name:<14} {:>10} {:>9} {:>9} {:>8}{remark}\n",
            format::loss(train),
            cell(test.map(format::loss)),
            cell(test.map(|test| format!("{:.4}", test.sqrt() * deviation))),
            cell(test.map(|test| format!("{:.4}", 1.0 - test / variance))),
        );
    };
    let (test, when) = last_test(training.history).unzip();
    row(
        "this network",
        train_loss,
        test.map(|test| test.loss),
        &when.unwrap_or_default(),
    );
    for (name, network) in baselines(&task.train)? {
        let [train, test] = [&task.train, &task.test].map(|data| network.evaluate(data, &*loss));
        row(name, train?.loss, Some(test?.loss), "");
    }
    Ok(table + &format!("Losses are of the normalised target; the RMSE is in {unit}.\n"))
}

/// The models to compare with; without the feature `linalg` there is no least-squares fit.
fn baselines<T: Element>(train: &Dataset<T>) -> mfnet::Result<Vec<(&'static str, NeuralNetwork<T>)>> {
    Ok(vec![
        #[cfg(feature = "linalg")]
        ("least squares", mfnet::least_squares(train)?),
        ("mean predictor", mean_predictor(train)?),
    ])
}
