//! The report for programs: one JSON object.

use std::path::Path;

use mfnet::metrics::{ClassScores, LabelScores, RankingScores, RegressionScores};
use serde::Serialize;

use super::scores::{Answers, Classes, ImportanceReport, Numbers, Report, Scores};
use crate::model_path::transform_name;

/// The object; a number that is not finite is null.
#[derive(Serialize)]
struct Object<'a> {
    task: &'static str,
    model: &'a str,
    data: &'a str,
    samples: usize,
    features: usize,
    outputs: usize,
    precision: &'static str,
    loss: Option<f64>,
    loss_name: &'a str,
    class_weights: Option<&'a [f64]>,
    positive_weights: Option<&'a [f64]>,
    huber_delta: Option<f64>,
    label_smoothing: Option<f64>,
    #[serde(flatten)]
    scores: ScoresObject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importance: Option<ImportanceObject<'a>>,
    out: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ScoresObject<'a> {
    Classes {
        accuracy: f64,
        roc_auc: Option<f64>,
        average_precision: Option<f64>,
        threshold: Option<ThresholdObject<'a>>,
        classes: Vec<ClassObject<'a>>,
        macro_average: ClassScores,
        weighted_average: ClassScores,
        confusion: Vec<Vec<u64>>,
    },
    Answers {
        targets: Vec<LabelObject<'a>>,
        all_right: f64,
        f1_macro: f64,
        roc_auc: Option<f64>,
        average_precision: Option<f64>,
    },
    Numbers {
        loss_of_normalized_targets: bool,
        target_transform: Option<String>,
        targets: Vec<TargetObject<'a>>,
        mean_r2: f64,
        unit: Option<&'static str>,
    },
}

#[derive(Serialize)]
struct ThresholdObject<'a> {
    label: &'a str,
    probability: f64,
}

#[derive(Serialize)]
struct ClassObject<'a> {
    label: &'a str,
    #[serde(flatten)]
    scores: ClassScores,
    #[serde(flatten)]
    ranking: RankingObject,
}

/// The scores of the ranking by the probability of a class against the others.
#[derive(Serialize)]
struct RankingObject {
    roc_auc: Option<f64>,
    average_precision: Option<f64>,
}

/// The scores of a yes/no target.
#[derive(Serialize)]
struct LabelObject<'a> {
    name: &'a str,
    #[serde(flatten)]
    scores: LabelScores,
    /// The least probability of yes; null for an answer that is the more probable one.
    threshold: Option<f64>,
    #[serde(flatten)]
    ranking: RankingObject,
}

#[derive(Serialize)]
struct TargetObject<'a> {
    name: &'a str,
    #[serde(flatten)]
    scores: RegressionScores,
    absolute_error: ErrorObject,
}

#[derive(Serialize)]
struct ErrorObject {
    median: f64,
    quantile_90: f64,
    quantile_99: f64,
    largest: f64,
}

#[derive(Serialize)]
struct ImportanceObject<'a> {
    score: &'static str,
    repeats: usize,
    features: Vec<FeatureObject<'a>>,
}

#[derive(Serialize)]
struct FeatureObject<'a> {
    name: &'a str,
    mean: f64,
    deviation: f64,
}

/// The object, on one line.
pub(super) fn text(report: &Report, out: Option<&Path>) -> anyhow::Result<String> {
    let (task, scores) = match &report.scores {
        Scores::Classes(classes) => ("classification", of_classes(classes)),
        Scores::Answers(answers) => ("binary", of_answers(answers)),
        Scores::Numbers(numbers) => ("regression", of_numbers(numbers)),
    };
    let loss_options = report.loss_record.options.as_ref();
    let weights = loss_options.map(|options| &options.positive_weights[..]);
    let object = Object {
        task,
        model: &report.model,
        data: &report.data,
        samples: report.samples,
        features: report.features,
        outputs: report.outputs,
        precision: report.precision,
        loss: report.loss,
        loss_name: &report.loss_record.name,
        class_weights: Some(report.loss_record.class_weights()).filter(|weights| !weights.is_empty()),
        positive_weights: weights.filter(|weights| !weights.is_empty()),
        huber_delta: loss_options.and_then(|options| options.huber_delta),
        label_smoothing: loss_options
            .map(|options| options.label_smoothing)
            .filter(|&part| part > 0.0),
        scores,
        importance: report.importance.as_ref().map(of_importance),
        out: out.map(|out| out.display().to_string()),
    };
    Ok(serde_json::to_string(&object)? + "\n")
}

fn of_classes(classes: &Classes) -> ScoresObject<'_> {
    let named = classes.labels.iter().zip(&classes.scores.classes).enumerate();
    let named = named.map(|(class, (label, &scores))| ClassObject {
        label,
        scores,
        ranking: of_ranking(classes.ranking.get(class).copied().flatten()),
    });
    ScoresObject::Classes {
        accuracy: classes.accuracy,
        roc_auc: classes.roc_auc,
        average_precision: classes.average_precision,
        threshold: classes.threshold.map(|(class, probability)| ThresholdObject {
            label: &classes.labels[class],
            probability,
        }),
        classes: named.collect(),
        macro_average: classes.scores.macro_average,
        weighted_average: classes.scores.weighted_average,
        confusion: classes
            .confusion
            .rows()
            .into_iter()
            .map(|row| row.to_vec())
            .collect(),
    }
}

fn of_answers(answers: &Answers) -> ScoresObject<'_> {
    let named = answers.names.iter().zip(&answers.scores.labels).enumerate();
    let targets = named.map(|(target, (name, &scores))| LabelObject {
        name,
        scores,
        threshold: answers.thresholds.get(target).copied().flatten(),
        ranking: of_ranking(answers.ranking.get(target).copied().flatten()),
    });
    ScoresObject::Answers {
        targets: targets.collect(),
        all_right: answers.scores.all_right,
        f1_macro: answers.scores.macro_f1,
        roc_auc: answers.roc_auc,
        average_precision: answers.average_precision,
    }
}

fn of_ranking(ranking: Option<RankingScores>) -> RankingObject {
    RankingObject {
        roc_auc: ranking.map(|ranking| ranking.roc_auc),
        average_precision: ranking.map(|ranking| ranking.average_precision),
    }
}

fn of_numbers(numbers: &Numbers) -> ScoresObject<'_> {
    let targets = numbers.targets.iter().map(|target| {
        let [median, quantile_90, quantile_99, largest] = target.quantiles;
        TargetObject {
            name: &target.name,
            scores: target.scores,
            absolute_error: ErrorObject {
                median,
                quantile_90,
                quantile_99,
                largest,
            },
        }
    });
    ScoresObject::Numbers {
        loss_of_normalized_targets: numbers.normalized,
        target_transform: transform_name(numbers.transform),
        targets: targets.collect(),
        mean_r2: numbers.mean_r2(),
        unit: numbers.unit,
    }
}

fn of_importance(importance: &ImportanceReport) -> ImportanceObject<'_> {
    let features = importance.features.iter().map(|importance| FeatureObject {
        name: &importance.feature,
        mean: importance.mean,
        deviation: importance.deviation,
    });
    ImportanceObject {
        score: importance.score.name(),
        repeats: importance.repeats,
        features: features.collect(),
    }
}
