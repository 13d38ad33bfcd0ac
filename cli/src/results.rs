//! The scores of a trained model on the sets of its training.

use mfnet::checkpoint::{Metrics, ModelScores};
use mfnet::data::{Schema, TargetTransform};
use mfnet::metrics::{LabelScores, RegressionScores, Score};
use mfnet::{Element, Model};
use serde::Serialize;

use super::data::Task;
use super::model_path::target_name;
use super::overflow::Overflow;

/// The scores of the resulting weights; `None` where there is no such set.
#[derive(Debug)]
pub(super) struct Results<T> {
    pub(super) train: ModelScores<T>,
    pub(super) validation: Option<ModelScores<T>>,
    pub(super) test: Option<ModelScores<T>>,
}

/// The scores as JSON.
#[derive(Serialize)]
pub(super) struct ResultsObject {
    train: SetObject,
    validation: Option<SetObject>,
    test: Option<SetObject>,
}

#[derive(Serialize)]
struct SetObject {
    samples: usize,
    loss: Option<f64>,
    #[serde(flatten)]
    metrics: Option<MetricsObject>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum MetricsObject {
    Classes {
        accuracy: f64,
        f1_macro: f64,
        roc_auc: Option<f64>,
        average_precision: Option<f64>,
    },
    Answers {
        all_right: f64,
        f1_macro: f64,
        roc_auc: Option<f64>,
        average_precision: Option<f64>,
        targets: Vec<Named<LabelScores>>,
    },
    Targets {
        targets: Vec<Named<RegressionScores>>,
    },
}

/// The scores of a target.
#[derive(Serialize)]
struct Named<S> {
    name: Option<String>,
    #[serde(flatten)]
    scores: S,
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

    /// Warns of predictions of a model of logarithms that are infinite.
    pub(super) fn warn_of_overflow(&self, schema: &Schema<T>) {
        if schema.target_transform == TargetTransform::None {
            return;
        }
        let sets = [
            ("training sample", Some(&self.train)),
            ("validation sample", self.validation.as_ref()),
            ("test sample", self.test.as_ref()),
        ];
        for (sample, scores) in sets {
            if let Some(Metrics::Targets { predicted, .. }) = scores.map(|scores| &scores.metrics) {
                let mut overflow = Overflow::default();
                overflow.observe(predicted.view());
                overflow.warn(sample, |target| target_name(schema, target));
            }
        }
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
    pub(super) fn object(&self, schema: &Schema<T>) -> ResultsObject {
        let set = |scores: &Option<ModelScores<T>>| scores.as_ref().map(|scores| of_set(scores, schema));
        ResultsObject {
            train: of_set(&self.train, schema),
            validation: set(&self.validation),
            test: set(&self.test),
        }
    }
}

fn of_set<T: Element>(scores: &ModelScores<T>, schema: &Schema<T>) -> SetObject {
    let metrics = match &scores.metrics {
        Metrics::Classes {
            accuracy,
            scores: classes,
            ..
        } => Some(MetricsObject::Classes {
            accuracy: *accuracy,
            f1_macro: classes.macro_average.f1,
            roc_auc: scores.score(Score::RocAuc),
            average_precision: scores.score(Score::AveragePrecision),
        }),
        Metrics::Answers { scores: answers, .. } => Some(MetricsObject::Answers {
            all_right: answers.all_right,
            f1_macro: answers.macro_f1,
            roc_auc: scores.score(Score::RocAuc),
            average_precision: scores.score(Score::AveragePrecision),
            targets: named(&answers.labels, schema),
        }),
        Metrics::Targets { scores, .. } => Some(MetricsObject::Targets {
            targets: named(scores, schema),
        }),
        _ => None,
    };
    SetObject {
        samples: scores.samples,
        loss: scores.loss,
        metrics,
    }
}

/// The scores of each target with its name.
fn named<T, S: Copy>(scores: &[S], schema: &Schema<T>) -> Vec<Named<S>> {
    let named = |(place, &scores)| Named {
        name: schema.target_names.get(place).cloned(),
        scores,
    };
    scores.iter().enumerate().map(named).collect()
}
