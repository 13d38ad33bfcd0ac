//! The report of a model on samples: its scores, with the names that belong to them.

use std::path::Path;

use mfnet::checkpoint::{Importance, Metrics, ModelScores};
use mfnet::data::TargetTransform;
use mfnet::loss::LossRecord;
use mfnet::metrics::{
    ClassificationScores, MultiLabelScores, RankingScores, RegressionScores, Score, confusion_matrix,
    error_quantiles,
};
use mfnet::{Element, Model};
use ndarray::Array2;

use crate::model_path::target_name;
use crate::pictures::confusions_of;
use crate::sample_arguments::Samples;
use crate::threshold::{Threshold, Thresholds};

/// The report of a model on samples.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) model: String,
    pub(super) architecture: String,
    pub(super) precision: &'static str,
    /// The name of the samples.
    pub(super) data: String,
    pub(super) samples: usize,
    pub(super) features: usize,
    pub(super) outputs: usize,
    /// None for a loss that no file holds.
    pub(super) loss: Option<f64>,
    pub(super) loss_record: LossRecord,
    pub(super) scores: Scores,
    pub(super) importance: Option<ImportanceReport>,
}

/// The importance of the features, the greatest first.
#[derive(Debug)]
pub(super) struct ImportanceReport {
    pub(super) score: Score,
    pub(super) repeats: usize,
    pub(super) features: Vec<Importance>,
}

/// The scores of the task.
#[derive(Debug)]
pub(super) enum Scores {
    Classes(Classes),
    Answers(Answers),
    Numbers(Numbers),
}

#[derive(Debug)]
pub(super) struct Classes {
    pub(super) accuracy: f64,
    pub(super) labels: Vec<String>,
    pub(super) scores: ClassificationScores,
    /// The scores of the ranking by the probability of each class; empty for a model without probabilities.
    pub(super) ranking: Vec<Option<RankingScores>>,
    /// Those by which models are compared; `None` where the model or the samples have none.
    pub(super) roc_auc: Option<f64>,
    pub(super) average_precision: Option<f64>,
    /// The class and its least probability, where `--threshold` sets one.
    pub(super) threshold: Option<(usize, f64)>,
    /// Row = true class, column = predicted class.
    pub(super) confusion: Array2<u64>,
}

/// The parts of the samples whose largest absolute error is told: the median, ..., the largest.
pub(super) const PARTS: [f64; 4] = [0.5, 0.9, 0.99, 1.0];

/// The scores of a target.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) scores: RegressionScores,
    /// The quantiles of the absolute error at [`PARTS`].
    pub(super) quantiles: [f64; PARTS.len()],
}

#[derive(Debug)]
pub(super) struct Answers {
    /// The name of each yes/no target.
    pub(super) names: Vec<String>,
    /// The texts of no and yes of each target.
    pub(super) texts: Vec<[String; 2]>,
    /// For each target, row = true answer, column = predicted answer.
    pub(super) confusions: Vec<Array2<u64>>,
    /// The least probability of yes of each target, where `--threshold` sets one.
    pub(super) thresholds: Vec<Option<f64>>,
    pub(super) scores: MultiLabelScores,
    /// The scores of the ranking by the probability of each target's yes.
    pub(super) ranking: Vec<Option<RankingScores>>,
    /// Those by which models are compared; `None` where the samples have none.
    pub(super) roc_auc: Option<f64>,
    pub(super) average_precision: Option<f64>,
}

#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) targets: Vec<Target>,
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
        let sum: f64 = self.targets.iter().map(|target| target.scores.r2).sum();
        sum / self.targets.len() as f64
    }
}

impl Report {
    pub(super) fn new<T: Element>(
        model: &Model<T>,
        file: &Path,
        samples: Samples<T>,
        thresholds: &[Threshold],
        importance: Option<ImportanceReport>,
    ) -> anyhow::Result<Self> {
        let (network, schema) = (model.network(), model.schema());
        let Samples { dataset, title, unit } = samples;
        let thresholds = Thresholds::of(thresholds, model)?;
        let mut scores = model.evaluate(dataset)?;
        match &thresholds {
            None => {}
            Some(Thresholds::Class(class, probability)) => {
                scores = scores.at_threshold(*class as u32, *probability)?;
            }
            Some(Thresholds::Answers(thresholds)) => scores = scores.at_thresholds(thresholds)?,
        }
        let (roc_auc, average_precision) =
            (scores.score(Score::RocAuc), scores.score(Score::AveragePrecision));
        let ranking = scores.ranking_scores();
        let ModelScores {
            samples,
            loss,
            loss_record,
            metrics,
            ..
        } = scores;
        let scores = match metrics {
            Metrics::Classes {
                accuracy,
                scores,
                labels,
                predicted,
                ..
            } => Scores::Classes(Classes {
                accuracy,
                labels: schema.labels.clone(),
                scores,
                ranking,
                roc_auc,
                average_precision,
                threshold: match thresholds {
                    Some(Thresholds::Class(class, probability)) => Some((class, probability)),
                    _ => None,
                },
                confusion: confusion_matrix(&predicted, &labels, schema.outputs)?,
            }),
            Metrics::Answers {
                scores,
                truth,
                predicted,
                ..
            } => Scores::Answers(Answers {
                texts: schema.answers.clone(),
                confusions: confusions_of(&predicted, &truth)?,
                names: (0..schema.outputs)
                    .map(|target| target_name(schema, target))
                    .collect(),
                thresholds: match thresholds {
                    Some(Thresholds::Answers(thresholds)) => thresholds,
                    _ => vec![None; schema.outputs],
                },
                scores,
                ranking,
                roc_auc,
                average_precision,
            }),
            Metrics::Targets {
                scores,
                truth,
                predicted,
            } => {
                let of_target = |(target, scores)| -> mfnet::Result<Target> {
                    let (predicted, truth) = (predicted.column(target), truth.column(target));
                    let mut quantiles = [0.0; PARTS.len()];
                    quantiles.copy_from_slice(&error_quantiles(predicted, truth, &PARTS)?);
                    Ok(Target {
                        name: target_name(schema, target),
                        scores,
                        quantiles,
                    })
                };
                let targets = scores.into_iter().enumerate().map(of_target);
                Scores::Numbers(Numbers {
                    targets: targets.collect::<mfnet::Result<_>>()?,
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
            importance,
        })
    }
}
