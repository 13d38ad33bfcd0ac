//! The result of a training for programs: one JSON object.

use mfnet::{Element, EpochRecord, Evaluation, StopReason};
use serde_json::json;

use super::summary::Training;

/// The object, on one line.
///
/// The arrays hold one number an epoch, null in epochs without an evaluation. Those of the test are of the samples that
/// `evaluated_on` names: the validation set where there is no test set.
pub(super) fn text<T: Element>(training: &Training<'_, T>) -> String {
    let Training {
        task, history, blas, ..
    } = training;
    let numbers = |value: &dyn Fn(&EpochRecord) -> Option<f64>| -> Vec<Option<f64>> {
        history.epochs.iter().map(value).collect()
    };
    let held = |record: &EpochRecord| match task.test {
        Some(_) => record.test,
        None => record.validation,
    };
    let loss = |evaluation: Evaluation| Some(evaluation.loss);
    let accuracy = |evaluation: Evaluation| evaluation.accuracy;
    let object = json!({
        "task": task.schema.task.to_string(),
        "dataset": task.name,
        "samples": task.train.samples(),
        "features": task.train.features(),
        "outputs": task.train.outputs(),
        "parameters": training.model.network().parameter_count(),
        "precision": T::NAME,
        "epochs": history.epochs.len(),
        "best_epoch": history.restored,
        "train_loss": numbers(&|record| Some(record.train_loss)),
        "validation_loss": numbers(&|record| record.validation.and_then(loss)),
        "validation_accuracy": numbers(&|record| record.validation.and_then(accuracy)),
        "test_loss": numbers(&|record| held(record).and_then(loss)),
        "test_accuracy": numbers(&|record| held(record).and_then(accuracy)),
        "evaluated_on": match (&task.test, &task.validation) {
            (Some(_), _) => Some("test"),
            (None, Some(_)) => Some("validation"),
            (None, None) => None,
        },
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
