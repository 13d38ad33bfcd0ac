//! The result of a training for people.

use std::path::Path;

use mfnet::baseline::mean_predictor;
use mfnet::checkpoint::Metrics;
use mfnet::data::Task as TaskKind;
use mfnet::metrics::{RegressionScores, Score, regression_scores};
use mfnet::product::Blas;
use mfnet::{
    Clip, Dataset, Element, History, Model, NeuralNetwork, Reduction, StopReason, Targets, TrainOptions,
    train::EpochRecord,
};

use super::columns::Columns;
use super::data::Task;
use super::evaluate::mean_over;
use super::model_path::{scaled_targets, shown};
use super::results::Results;
use super::settings::Settings;
use super::{blas as words, format};

/// A training that is over, and all that was asked of it.
#[derive(Debug)]
pub(super) struct Training<'a, T> {
    pub(super) task: &'a Task<T>,
    pub(super) model: &'a Model<T>,
    pub(super) settings: &'a Settings,
    pub(super) options: &'a TrainOptions,
    /// The scores of the resulting weights.
    pub(super) results: &'a Results<T>,
    pub(super) history: &'a History,
    pub(super) blas: &'a Blas,
    /// The number of processes that shared the training.
    pub(super) ranks: usize,
    /// The run's folder.
    pub(super) out: Option<&'a Path>,
}

impl<T: Element> Training<'_, T> {
    /// The network and the data, in a few words.
    pub(super) fn title(&self) -> String {
        let name = Path::new(&self.task.name).file_name().unwrap_or_default();
        format!(
            "{} on {}",
            self.model.network().architecture(),
            name.to_string_lossy()
        )
    }

    /// The score that early stopping followed instead of the loss.
    pub(super) fn followed_score(&self) -> Option<Score> {
        self.settings.training.followed_score()
    }

    /// The epoch with the best loss, or the best of the score that early stopping follows; the first of equals.
    pub(super) fn best_epoch(&self) -> Option<&EpochRecord> {
        let followed = self.followed_score();
        let value = |record: &EpochRecord| match followed {
            Some(_) => record.score.unwrap_or(f64::NAN),
            None => record.monitored(),
        };
        let epochs = self
            .history
            .epochs
            .iter()
            .filter(|record| !value(record).is_nan());
        epochs.min_by(|one, other| match followed.is_some_and(Score::higher_is_better) {
            true => value(other).total_cmp(&value(one)),
            false => value(one).total_cmp(&value(other)),
        })
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
    if let Some(split) = training.settings.data.split_in_words() {
        line("split", split);
    }
    if let Some(column) = &training.settings.data.weights {
        line(
            "weights",
            format!("`{column}`, scaled to a mean of 1: losses are weighted, other scores are not"),
        );
    }
    let network = model.network();
    let parameters = format::count(network.parameter_count());
    line(
        "model",
        format!("{}, {parameters} parameters, {}", network.architecture(), T::NAME),
    );
    line("settings", settings(training));
    line("loss function", loss_function(training));
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
    if let Some(command) = resume_command(training) {
        line("resume with", command);
    }
    let results = training.results;
    if history.result().is_some() {
        let is_compared = task.schema.task == TaskKind::Regression && task.train.outputs() == 1;
        if is_compared {
            text += "\n";
            text += &comparison(training)?;
        } else {
            let sets = [
                ("train", Some(&results.train)),
                ("validation", results.validation.as_ref()),
                ("test", results.test.as_ref()),
            ];
            for (name, scores) in sets
                .into_iter()
                .filter_map(|(name, scores)| Some((name, scores?)))
            {
                if let Some(loss) = scores.loss {
                    line(&format!("{name} loss"), format::loss(loss));
                }
                match &scores.metrics {
                    Metrics::Classes { accuracy, labels, .. } => {
                        let mut text = format::percent(*accuracy);
                        if let Some(class) = most_frequent(&task.train) {
                            let part = part_of(labels, class);
                            let label = shown(&task.schema.label(class as usize), NAME);
                            text += &format!(" ({} for `{label}` always)", format::percent(part));
                        }
                        line(&format!("{name} accuracy"), text);
                    }
                    Metrics::Answers { scores, .. } => {
                        let all = match scores.labels.len() {
                            1 => "accuracy",
                            _ => "all right",
                        };
                        line(&format!("{name} {all}"), format::percent(scores.all_right));
                    }
                    _ => {}
                }
            }
            let (name, scores) = results.least_known();
            let of = match &task.schema.labels[..] {
                [_, second] => format!("of `{}`", shown(second, NAME)),
                [] if task.train.outputs() > 1 => "mean over the targets".to_owned(),
                [] => "of yes".to_owned(),
                _ => "mean over the classes".to_owned(),
            };
            if let Some(f1) = scores.score(Score::F1) {
                line(&format!("{name} F1"), format!("{f1:.4} ({of})"));
            }
            if let Some(roc_auc) = scores.score(Score::RocAuc) {
                let rankings = scores.ranking_scores();
                let of = match rankings.iter().flatten().count() == rankings.len()
                    || task.schema.labels.len() == 2
                {
                    true => String::new(),
                    false if task.schema.labels.is_empty() => {
                        format!(" ({})", mean_over(&rankings, "target", "targets"))
                    }
                    false => format!(" ({})", mean_over(&rankings, "class", "classes")),
                };
                line(&format!("{name} ROC AUC"), format!("{roc_auc:.4}{of}"));
            }
            if task.validation.is_none() && task.test.is_none() {
                text += "The model was trained on these samples; --test 0.2 or --validation 0.2 sets others apart.\n";
            }
        }
    }
    Ok(text)
}

/// The most letters of a class's name.
const NAME: usize = 20;

/// The most frequent class, the first of equals; `None` for numbers.
fn most_frequent<T: Element>(train: &Dataset<T>) -> Option<u32> {
    let Targets::Classes { labels, classes } = train.targets() else {
        return None;
    };
    let mut counts = vec![0_usize; *classes];
    for &label in labels {
        counts[label as usize] += 1;
    }
    let most = *counts.iter().max()?;
    let class = counts.iter().position(|&count| count == most)?;
    u32::try_from(class).ok()
}

/// The part of the samples that are of a class.
fn part_of(labels: &[u32], class: u32) -> f64 {
    labels.iter().filter(|&&label| label == class).count() as f64 / labels.len() as f64
}

/// The loss function, with all that changes its value.
fn loss_function<T: Element>(training: &Training<'_, T>) -> String {
    let schema = &training.task.schema;
    let of = scaled_targets(schema.target_normalization.is_some(), schema.target_transform);
    format!("{}{of}", training.results.train.loss_record)
}

/// The command that continues a training which was stopped before its last epoch.
fn resume_command<T>(training: &Training<'_, T>) -> Option<String> {
    let is_stopped =
        training.history.stopped == Some(StopReason::Observer) && !training.settings.training.is_lbfgs();
    let out = training.out.filter(|_| is_stopped)?;
    Some(format!("mfnet train --resume {}", quoted(out)))
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let path = path.to_string_lossy();
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+,:@%".contains(letter);
    match !path.is_empty() && path.chars().all(is_plain) {
        true => path.into_owned(),
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

fn data_set<T: Element>(task: &Task<T>) -> String {
    let outputs = match (task.schema.task, &task.schema.target_normalization) {
        (TaskKind::Classification, _) => "classes",
        (TaskKind::Binary, _) if task.train.outputs() == 1 => "yes/no target",
        (TaskKind::Binary, _) => "yes/no targets",
        (TaskKind::Regression, Some(_)) if task.train.outputs() == 1 => "target, normalised",
        (TaskKind::Regression, Some(_)) => "targets, normalised",
        (TaskKind::Regression, None) if task.train.outputs() == 1 => "target",
        (TaskKind::Regression, None) => "targets",
    };
    format!(
        "{}: {}, {} {outputs}",
        task.name,
        format::counted(task.train.features(), "feature"),
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
    if told.is_lbfgs() {
        let penalty = told.l2_penalty.map(|penalty| format!(", L2 penalty {penalty}"));
        return format!("L-BFGS on all samples{}", penalty.unwrap_or_default());
    }
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
    if let Some(penalty) = told.l2_penalty {
        text += &format!(", L2 penalty {penalty}");
    }
    if told.lr_schedule != "constant" {
        text += &format!(", learning-rate schedule {}", told.lr_schedule);
    }
    text
}

fn progress<T: Element>(training: &Training<'_, T>) -> String {
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
            "ended after {} of {} epochs{}",
            format::count(done),
            format::count(asked),
            unrestored(training)
        ),
        (_, Some(best), _) => format!(
            "stopped after {} of {} epochs; weights of epoch {} restored{}",
            format::count(done),
            format::count(asked),
            format::count(best),
            score_in_words(training)
        ),
        (Some(StopReason::Converged), None, _) => format!(
            "converged after {} of {} {}",
            format::count(done),
            format::count(asked),
            match training.settings.training.is_lbfgs() {
                true => "iterations",
                false => "epochs",
            }
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

/// The value of the score by which the resulting epoch was chosen; empty where that is the loss.
fn score_in_words<T: Element>(training: &Training<'_, T>) -> String {
    let value = training.history.result().and_then(|record| record.score);
    match training.followed_score().zip(value) {
        Some((score @ (Score::Rmse | Score::Mae), value)) => {
            let schema = training.model.schema();
            let unit = match &schema.target_normalization {
                Some(_) => " deviations of the target",
                None => "",
            };
            format!(" (validation {score} {value:.4}{unit})")
        }
        Some((score, value)) => format!(" (validation {score} {value:.4})"),
        None => String::new(),
    }
}

/// The remark that early stopping has not restored the best weights, as it does only at the end of a training.
fn unrestored<T: Element>(training: &Training<'_, T>) -> String {
    if training.options.early_stopping.is_none() {
        return String::new();
    }
    match training.best_epoch() {
        Some(best) if best.epoch < training.history.epochs.len() => format!(
            ", with the last weights (epoch {} was the best: early stopping restores it at the end of a training only)",
            format::count(best.epoch)
        ),
        _ => String::new(),
    }
}

/// The network beside models that need no training.
fn comparison<T: Element>(training: &Training<'_, T>) -> mfnet::Result<String> {
    let task = training.task;
    let (name, held) = match (&task.test, &task.validation) {
        (Some(test), _) => ("test", Some(test)),
        (None, validation) => ("validation", validation.as_ref()),
    };
    let mut columns = Columns::new("<>>>>");
    let headings = ["loss", "RMSE", "R2"].map(|heading| format!("{name} {heading}"));
    columns.row(
        [String::new(), "train loss".to_owned()]
            .into_iter()
            .chain(headings),
    );
    // In the units of the target, and without weights: neither is told by a loss.
    let scores = |network: &NeuralNetwork<T>| -> mfnet::Result<Option<RegressionScores>> {
        let Some((held, targets)) = held.and_then(|held| Some((held, held.values()?))) else {
            return Ok(None);
        };
        let predicted = task.schema.unscale(network.predict_dataset(held)?)?;
        let truth = task.schema.unscale(targets.to_owned())?;
        regression_scores(predicted.view(), truth.view()).map(Some)
    };
    // The loss of the training, which need not be the mean square of the errors.
    let mut add = |label: &str, train: f64, loss: Option<f64>, scores: Option<RegressionScores>| {
        let cell = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        columns.row([
            label.to_owned(),
            format::loss(train),
            cell(loss.map(format::loss)),
            cell(scores.map(|scores| format!("{:.4}", scores.rmse))),
            cell(scores.map(|scores| format::score(scores.r2))),
        ]);
    };
    let results = training.results;
    let Some(loss) = results.train.loss_record.loss::<T>()? else {
        return Ok(String::new());
    };
    let of_held = |network: &NeuralNetwork<T>| -> mfnet::Result<Option<f64>> {
        held.map(|held| Ok(network.evaluate(held, &*loss)?.loss))
            .transpose()
    };
    let network = training.model.network();
    let train = results.train.loss.unwrap_or(f64::NAN);
    add("this network", train, of_held(network)?, scores(network)?);
    let (baselines, without_fit) = baselines(&task.train)?;
    for (label, network) in baselines {
        let train = network.evaluate(&task.train, &*loss)?.loss;
        add(label, train, of_held(&network)?, scores(&network)?);
    }
    let schema = &task.schema;
    let normalised = match scaled_targets(schema.target_normalization.is_some(), schema.target_transform) {
        "" => "The".to_owned(),
        " of normalised targets" => "Losses are of the normalised target; the".to_owned(),
        of => format!("Losses are{of}; the"),
    };
    let unit = task.unit.unwrap_or("the target's own unit");
    let mut table = columns.to_string();
    table += &match held {
        Some(_) => format!("{normalised} RMSE is in {unit}.\n"),
        None => {
            "The models were trained on these samples; --test 0.2 or --validation 0.2 sets others apart.\n"
                .to_owned()
        }
    };
    if let Some(problem) = without_fit {
        table += &format!("There is no least-squares fit to compare with: {problem}.\n");
    }
    Ok(table)
}

/// The models to compare with by their names.
type Baselines<T> = Vec<(&'static str, NeuralNetwork<T>)>;

/// The models to compare with, and why there is no least-squares fit among them, where the samples are too few for one; without
/// the feature `linalg` there is none either.
fn baselines<T: Element>(train: &Dataset<T>) -> mfnet::Result<(Baselines<T>, Option<String>)> {
    #[cfg(feature = "linalg")]
    let (fit, without) = match mfnet::baseline::least_squares(train) {
        Ok(fit) => (vec![("least squares", fit)], None),
        Err(mfnet::Error::InvalidData { problem, .. }) => (Vec::new(), Some(problem)),
        Err(error) => return Err(error),
    };
    #[cfg(not(feature = "linalg"))]
    let (fit, without) = (Vec::new(), None);
    let mean = ("mean predictor", mean_predictor(train)?);
    Ok((fit.into_iter().chain([mean]).collect(), without))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_a_shell() {
        assert_eq!(quoted(Path::new("runs/wine-2")), "runs/wine-2");
        assert_eq!(quoted(Path::new("my runs")), "'my runs'");
        assert_eq!(quoted(Path::new("it's")), "'it'\\''s'");
    }
}
