//! The result of a training for programs: one JSON object.

use mfnet::{Element, Evaluation};
use serde_json::json;

use super::data::Kind;
use super::summary::Training;

/// The object, on one line.
///
/// The arrays hold one number an epoch; in those of the test, epochs without an evaluation hold null.
pub(super) fn text<T: Element>(training: &Training<'_, T>) -> String {
    let Training {
        task, history, blas, ..
    } = training;
    let tests = |value: fn(Evaluation) -> Option<f64>| -> Vec<Option<f64>> {
        history
            .epochs
            .iter()
            .map(|epoch| epoch.test.and_then(value))
            .collect()
    };
    let train_loss: Vec<f64> = history.epochs.iter().map(|epoch| epoch.train_loss).collect();
    let object = json!({
        "task": match task.kind {
            Kind::Classification => "classification",
            Kind::Regression { .. } => "regression",
        },
        "dataset": task.name,
        "samples": history.samples,
        "features": task.train.features(),
        "outputs": task.train.outputs(),
        "parameters": training.network.parameters(),
        "precision": T::NAME,
        "epochs": history.epochs.len(),
        "train_loss": train_loss,
        "test_loss": tests(|test| Some(test.loss)),
        "test_accuracy": tests(|test| test.accuracy),
        "seconds": history.seconds(),
        "samples_per_second": history.samples_per_second(),
        "seed": training.options.seed,
        "threads": blas.workers,
        "stopped": history.stopped,
        "blas": {
            "library": blas.library,
            "version": blas.version,
            "kernel": blas.kernel,
            "better_kernel": blas.better_kernel,
        },
    });
    format!("{object}\n")
}
