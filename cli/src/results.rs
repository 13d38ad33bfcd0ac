//! The scores of a trained model on the sets of its training.

use mfnet::checkpoint::{Metrics, ModelScores};
use mfnet::data::Schema;
use mfnet::{Element, Model};
use serde_json::{Value, json};

use super::data::Task;

/// The scores of the resulting weights; `None` where there is no such set.
#[derive(Debug)]
pub(super) struct Results<T> {
    pub(super) train: ModelScores<T>,
    pub(super) validation: Option<ModelScores<T>>,
    pub(super) test: Option<ModelScores<T>>,
}

impl<T: Element> Results<T> {
    pub(super) fn of(model: &Model<T>, task: &Task<T>) -> mfnet::Result<Self> {
        let scores = |set: &Option<_>| set.as_ref().map(|set| model.evaluate_scaled(set)).transpose();
        Ok(Results {
            train: model.evaluate_scaled(&task.train)?,
            validation: scores(&task.validation)?,
            test: scores(&task.test)?,
        })
    }

    /// The set that the model has learned least from, and its name.
    pub(super) fn least_known(&self) -> (&'static str, &ModelScores<T>) {
        match (&self.test, &self.validation) {
            (Some(test), _) => ("test", test),
            (None, Some(validation)) => ("validation", validation),
            (None, None) => ("training", &self.train),
        }
    }

    /// The scores as JSON: loss and the metrics of the task.
    pub(super) fn json(&self, schema: &Schema<T>) -> Value {
        let set = |scores: &Option<ModelScores<T>>| scores.as_ref().map(|scores| object(scores, schema));
        json!({
            "train": object(&self.train, schema),
            "validation": set(&self.validation),
            "test": set(&self.test),
        })
    }
}

fn object<T: Element>(scores: &ModelScores<T>, schema: &Schema<T>) -> Value {
    let mut object = json!({ "samples": scores.samples, "loss": scores.loss });
    match &scores.metrics {
        Metrics::Classes { accuracy, scores, .. } => {
            object["accuracy"] = json!(accuracy);
            object["f1_macro"] = json!(scores.macro_average.f1);
        }
        Metrics::Answers { scores, .. } => {
            let label = |(place, scores): (usize, &mfnet::metrics::LabelScores)| {
                json!({
                    "name": schema.target_names.get(place),
                    "accuracy": scores.accuracy,
                    "precision": scores.precision,
                    "recall": scores.recall,
                    "f1": scores.f1,
                })
            };
            object["all_right"] = json!(scores.all_right);
            object["f1_macro"] = json!(scores.macro_f1);
            object["targets"] = scores.labels.iter().enumerate().map(label).collect();
        }
        Metrics::Targets { scores, .. } => {
            let target = |(place, scores): (usize, &mfnet::metrics::RegressionScores)| {
                json!({
                    "name": schema.target_names.get(place),
                    "r2": scores.r2,
                    "rmse": scores.rmse,
                    "mae": scores.mae,
                })
            };
            object["targets"] = scores.iter().enumerate().map(target).collect();
        }
        _ => {}
    }
    object
}
