//! The result of a training for programs: one JSON object.

use mfnet::data::SplitBy;
use mfnet::{Element, EpochRecord, Evaluation, StopReason};
use serde_json::{Value, json};

use super::model_path::transform_name;
use super::summary::Training;

/// The object, on one line.
///
/// The arrays hold one number an epoch, null in epochs without an evaluation. `final` has the scores of the resulting
/// weights, which early stopping may have restored; null for a set that there is not.
pub(super) fn text<T: Element>(training: &Training<'_, T>) -> String {
    let Training {
        task, history, blas, ..
    } = training;
    let numbers = |value: &dyn Fn(&EpochRecord) -> Option<f64>| -> Vec<Option<f64>> {
        history.epochs.iter().map(value).collect()
    };
    let loss = |evaluation: Evaluation| Some(evaluation.loss);
    let accuracy = |evaluation: Evaluation| evaluation.accuracy;
    let schema = training.model.schema();
    let object = json!({
        "task": task.schema.task.to_string(),
        "dataset": task.name,
        "samples": task.train.samples(),
        "split_by": match training.settings.data.split_by() {
            Some(SplitBy::Time(column)) => json!({ "time": column }),
            Some(SplitBy::Group(column)) => json!({ "group": column }),
            None => Value::Null,
        },
        "weights": training.settings.data.weights,
        "features": task.train.features(),
        "outputs": task.train.outputs(),
        "target_transform": transform_name(schema.target_transform),
        "target_names": or_null(&schema.target_names),
        "labels": or_null(&schema.labels),
        "loss_name": training.results.train.loss_record.name,
        "class_weights": or_null(training.results.train.loss_record.class_weights()),
        "parameters": training.model.network().parameter_count(),
        "precision": T::NAME,
        "epochs": history.epochs.len(),
        "best_epoch": history.restored,
        "train_loss": numbers(&|record| Some(record.train_loss)),
        "validation_loss": numbers(&|record| record.validation.and_then(loss)),
        "validation_accuracy": numbers(&|record| record.validation.and_then(accuracy)),
        "test_loss": numbers(&|record| record.test.and_then(loss)),
        "test_accuracy": numbers(&|record| record.test.and_then(accuracy)),
        "final": training.results.json(schema),
        "learning_rate": numbers(&|record| Some(record.learning_rate)),
        "seconds": history.seconds(),
        "samples_per_second": history.samples_per_second(),
        "seed": training.options.seed,
        "threads": blas.workers,
        "stopped": history.stopped == Some(StopReason::Observer),
        "blas": {
            "library": blas.library,
            "version": blas.version,
            "kernel": blas.kernel,
            "better_kernel": blas.better_kernel,
        },
        "out": training.out.map(|out| out.display().to_string()),
    });
    format!("{object}\n")
}

/// A list; null for an empty one.
fn or_null<T>(list: &[T]) -> Option<&[T]> {
    Some(list).filter(|list| !list.is_empty())
}
