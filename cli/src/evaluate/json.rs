//! The report for programs: one JSON object.

use std::path::Path;

use mfnet::metrics::{ClassScores, RegressionScores};
use serde_json::{Value, json};

use super::scores::{Report, Scores};
use crate::model_path::transform_name;

/// The object, on one line. A number that is not finite is null.
pub(super) fn text(report: &Report, out: Option<&Path>) -> String {
    let mut object = json!({
        "task": match report.scores {
            Scores::Classes(_) => "classification",
            Scores::Numbers(_) => "regression",
        },
        "model": report.model,
        "data": report.data,
        "samples": report.samples,
        "features": report.features,
        "outputs": report.outputs,
        "precision": report.precision,
        "loss": report.loss,
        "loss_name": report.loss_record.name,
        "class_weights": match report.loss_record.class_weights() {
            [] => None,
            weights => Some(weights),
        },
        "out": out.map(|out| out.display().to_string()),
    });
    match &report.scores {
        Scores::Classes(classes) => {
            let scores = &classes.scores;
            let named = classes.labels.iter().zip(&scores.classes).map(|(label, scores)| {
                let mut object = of_class(scores);
                object["label"] = json!(label);
                object
            });
            object["accuracy"] = json!(classes.accuracy);
            object["classes"] = named.collect();
            object["macro_average"] = of_class(&scores.macro_average);
            object["weighted_average"] = of_class(&scores.weighted_average);
            let rows = classes.confusion.rows().into_iter();
            object["confusion"] = rows.map(|row| json!(row.to_vec())).collect();
        }
        Scores::Numbers(numbers) => {
            let named = numbers.targets.iter().map(|(name, scores)| {
                let mut object = of_target(scores);
                object["name"] = json!(name);
                object
            });
            object["loss_of_normalized_targets"] = json!(numbers.normalized);
            object["target_transform"] = json!(transform_name(numbers.transform));
            object["targets"] = named.collect();
            object["mean_r2"] = json!(numbers.mean_r2());
            object["unit"] = json!(numbers.unit);
        }
    }
    format!("{object}\n")
}

fn of_class(scores: &ClassScores) -> Value {
    let ClassScores {
        precision,
        recall,
        f1,
        support,
    } = scores;
    json!({ "precision": precision, "recall": recall, "f1": f1, "support": support })
}

fn of_target(scores: &RegressionScores) -> Value {
    let RegressionScores { r2, rmse, mae } = scores;
    json!({ "r2": r2, "rmse": rmse, "mae": mae })
}
