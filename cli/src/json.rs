//! The result of a training for programs: one JSON object.

use mfnet::data::SplitBy;
use mfnet::{Element, Evaluation, StopReason, train::EpochRecord};
use serde::Serialize;

use super::model_path::transform_name;
use super::results::ResultsObject;
use super::summary::Training;

/// The result. The lists have one number for each epoch, null in epochs without an evaluation. `final` has the scores of the
/// resulting weights, which early stopping may have restored; null for a set that there is not.
#[derive(Serialize)]
struct Object<'a> {
    task: String,
    dataset: &'a str,
    samples: usize,
    split_by: Option<SplitObject<'a>>,
    weights: Option<&'a str>,
    features: usize,
    outputs: usize,
    target_transform: Option<String>,
    target_names: Option<&'a [String]>,
    labels: Option<&'a [String]>,
    loss_name: &'a str,
    class_weights: Option<&'a [f64]>,
    positive_weights: Option<&'a [f64]>,
    huber_delta: Option<f64>,
    label_smoothing: Option<f64>,
    parameters: usize,
    precision: &'static str,
    epochs: usize,
    best_epoch: Option<usize>,
    r#final: ResultsObject,
    train_loss: Vec<Option<f64>>,
    validation_loss: Vec<Option<f64>>,
    validation_accuracy: Vec<Option<f64>>,
    early_stopping_score: Option<ScoreObject>,
    test_loss: Vec<Option<f64>>,
    test_accuracy: Vec<Option<f64>>,
    learning_rate: Vec<Option<f64>>,
    seconds: f64,
    samples_per_second: f64,
    seed: u64,
    threads: usize,
    ranks: usize,
    stopped: bool,
    blas: BlasObject<'a>,
    out: Option<String>,
}

/// The score of the validation set that early stopping followed instead of the loss, for each epoch, and the best of them.
#[derive(Serialize)]
struct ScoreObject {
    name: &'static str,
    values: Vec<Option<f64>>,
    best: Option<f64>,
}

/// The column that split the rows.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum SplitObject<'a> {
    Time(&'a str),
    Group(&'a str),
}

#[derive(Serialize)]
struct BlasObject<'a> {
    library: &'a str,
    version: &'a str,
    kernel: &'a str,
    better_kernel: Option<&'a str>,
}

/// The object, on one line.
pub(super) fn text<T: Element>(training: &Training<'_, T>) -> serde_json::Result<String> {
    let Training {
        task, history, blas, ..
    } = training;
    let numbers = |value: &dyn Fn(&EpochRecord) -> Option<f64>| -> Vec<Option<f64>> {
        history.epochs.iter().map(value).collect()
    };
    let loss = |evaluation: Evaluation| Some(evaluation.loss);
    let accuracy = |evaluation: Evaluation| evaluation.accuracy;
    let schema = training.model.schema();
    let loss_record = &training.results.train.loss_record;
    let loss_options = loss_record.options.as_ref();
    let split_by = training.settings.data.split_by();
    let object = Object {
        task: task.schema.task.to_string(),
        dataset: &task.name,
        samples: task.train.samples(),
        split_by: split_by.as_ref().map(|split| match split {
            SplitBy::Time(column) => SplitObject::Time(column),
            SplitBy::Group(column) => SplitObject::Group(column),
        }),
        weights: training.settings.data.weights.as_deref(),
        features: task.train.features(),
        outputs: task.train.outputs(),
        target_transform: transform_name(schema.target_transform),
        target_names: or_null(&schema.target_names),
        labels: or_null(&schema.labels),
        loss_name: &loss_record.name,
        class_weights: or_null(loss_record.class_weights()),
        positive_weights: loss_options.and_then(|options| or_null(&options.positive_weights)),
        huber_delta: loss_options.and_then(|options| options.huber_delta),
        label_smoothing: loss_options
            .map(|options| options.label_smoothing)
            .filter(|&part| part > 0.0),
        parameters: training.model.network().parameter_count(),
        precision: T::NAME,
        epochs: history.epochs.len(),
        best_epoch: history.restored,
        r#final: training.results.object(schema),
        train_loss: numbers(&|record| Some(record.train_loss)),
        validation_loss: numbers(&|record| record.validation.and_then(loss)),
        validation_accuracy: numbers(&|record| record.validation.and_then(accuracy)),
        early_stopping_score: training.followed_score().map(|score| ScoreObject {
            name: score.name(),
            values: numbers(&|record| record.score),
            best: training.best_epoch().and_then(|record| record.score),
        }),
        test_loss: numbers(&|record| record.test.and_then(loss)),
        test_accuracy: numbers(&|record| record.test.and_then(accuracy)),
        learning_rate: numbers(&|record| Some(record.learning_rate)),
        seconds: history.seconds(),
        samples_per_second: history.samples_per_second(),
        seed: training.options.seed,
        threads: blas.workers,
        ranks: training.ranks,
        stopped: history.stopped == Some(StopReason::Observer),
        blas: BlasObject {
            library: blas.library,
            version: &blas.version,
            kernel: &blas.kernel,
            better_kernel: blas.better_kernel,
        },
        out: training.out.map(|out| out.display().to_string()),
    };
    Ok(serde_json::to_string(&object)? + "\n")
}

/// A list; null for an empty one.
fn or_null<T>(list: &[T]) -> Option<&[T]> {
    Some(list).filter(|list| !list.is_empty())
}
