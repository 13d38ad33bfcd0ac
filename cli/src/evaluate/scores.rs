//! The report of a model on samples: its scores, with the names that belong to them.

use std::path::Path;

use mfnet::checkpoint::{Metrics, ModelScores};
use mfnet::data::TargetTransform;
use mfnet::loss::LossRecord;
use mfnet::metrics::{ClassificationScores, RegressionScores, confusion_matrix};
use mfnet::{Element, Model};
use ndarray::Array2;

use crate::model_path::target_name;
use crate::sample_arguments::Samples;

/// The report of a model on samples.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) model: String,
    pub(super) architecture: String,
    pub(super) precision: &'static str,
    /// Which samples.
    pub(super) data: String,
    pub(super) samples: usize,
    pub(super) features: usize,
    pub(super) outputs: usize,
    /// None for a loss that no file holds.
    pub(super) loss: Option<f64>,
    pub(super) loss_record: LossRecord,
    pub(super) scores: Scores,
}

/// The scores of the task.
#[derive(Debug)]
pub(super) enum Scores {
    Classes(Classes),
    Numbers(Numbers),
}

#[derive(Debug)]
pub(super) struct Classes {
    pub(super) accuracy: f64,
    pub(super) labels: Vec<String>,
    pub(super) scores: ClassificationScores,
    /// Row = true class, column = predicted class.
    pub(super) confusion: Array2<u64>,
}

#[derive(Debug)]
pub(super) struct Numbers {
    /// Name and scores of each target.
    pub(super) targets: Vec<(String, RegressionScores)>,
    pub(super) unit: Option<&'static str>,
    /// Whether the loss is of normalised targets.
    pub(super) normalized: bool,
    /// The function of the targets that the network learned.
    pub(super) transform: TargetTransform,
    /// Samples x targets, on the targets' own scale.
    pub(super) truth: Array2<f64>,
    pub(super) predicted: Array2<f64>,
}

impl Numbers {
    /// The mean R^2 of the targets. The other scores are in the units of the targets, which need not be the same.
    pub(super) fn mean_r2(&self) -> f64 {
        let sum: f64 = self.targets.iter().map(|(_, scores)| scores.r2).sum();
        sum / self.targets.len() as f64
    }
}

impl Report {
    pub(super) fn new<T: Element>(
        model: &Model<T>,
        file: &Path,
        samples: Samples<T>,
    ) -> anyhow::Result<Self> {
        let (network, schema) = (model.network(), model.schema());
        let Samples { dataset, title, unit } = samples;
        let ModelScores {
            samples,
            loss,
            loss_record,
            metrics,
            ..
        } = model.evaluate(dataset)?;
        let scores = match metrics {
            Metrics::Classes {
                accuracy,
                scores,
                labels,
                predicted,
            } => Scores::Classes(Classes {
                accuracy,
                labels: schema.labels.clone(),
                scores,
                confusion: confusion_matrix(&predicted, &labels, schema.outputs)?,
            }),
            Metrics::Targets {
                scores,
                truth,
                predicted,
            } => {
                let named = |(target, scores)| (target_name(schema, target), scores);
                Scores::Numbers(Numbers {
                    targets: scores.into_iter().enumerate().map(named).collect(),
                    unit,
                    normalized: schema.target_normalization.is_some(),
                    transform: schema.target_transform,
                    truth: truth.mapv(T::as_f64),
                    predicted: predicted.mapv(T::as_f64),
                })
            }
            _ => anyhow::bail!("the model has a task without scores"),
        };
        Ok(Report {
            model: file.display().to_string(),
            architecture: network.architecture(),
            precision: T::NAME,
            data: title,
            samples,
            features: schema.features,
            outputs: schema.outputs,
            loss,
            loss_record,
            scores,
        })
    }
}
