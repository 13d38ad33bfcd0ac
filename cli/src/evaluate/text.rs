//! The report as text.

use mfnet::metrics::{ClassScores, RankingScores, RegressionScores};

use super::matrix;
use super::scores::{Answers, Classes, ImportanceReport, Numbers, Report, Scores};
use crate::columns::Columns;
use crate::format;
use crate::model_path::{scaled_targets, shown};

/// The most letters of a class's or a target's name.
const NAME: usize = 20;

pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: String| text += &format!("{label:<17} {value}\n");
    line("model", format!("{}, {}", report.architecture, report.precision));
    line("data", report.data.clone());
    line("samples", format::count(report.samples));
    let of = match &report.scores {
        Scores::Numbers(numbers) => scaled_targets(numbers.normalized, numbers.transform),
        Scores::Classes(_) | Scores::Answers(_) => "",
    };
    let loss = report.loss.map_or_else(|| "unknown".to_owned(), format::loss);
    line("loss", format!("{loss} ({}{of})", report.loss_record));
    match &report.scores {
        Scores::Classes(classes) => {
            line("accuracy", format::percent(classes.accuracy));
            if let (Some(roc_auc), Some(precision)) = (classes.roc_auc, classes.average_precision) {
                let of = match &classes.labels[..] {
                    [_, second] => format!("of `{}`", shown(second, NAME)),
                    _ => mean_over(&classes.ranking, "class", "classes"),
                };
                line("ROC AUC", format!("{roc_auc:.4}"));
                line("average precision", format!("{precision:.4} ({of})"));
            }
            if let Some((class, probability)) = classes.threshold {
                let label = shown(&classes.labels[class], NAME);
                line(
                    "threshold",
                    format!("`{label}` from a probability of {probability} on"),
                );
            }
            text += "\n";
            text += &of_classes(classes);
            text += "\n";
            text += &matrix::text(classes);
        }
        Scores::Answers(answers) => {
            if answers.names.len() > 1 {
                line("all right", format::percent(answers.scores.all_right));
            }
            if let (Some(roc_auc), Some(precision)) = (answers.roc_auc, answers.average_precision) {
                let of = match answers.names.len() {
                    1 => String::new(),
                    _ => format!(" ({})", mean_over(&answers.ranking, "target", "targets")),
                };
                line("ROC AUC", format!("{roc_auc:.4}{of}"));
                line("average precision", format!("{precision:.4}{of}"));
            }
            for (name, probability) in answers.names.iter().zip(&answers.thresholds) {
                if let Some(probability) = probability {
                    let name = shown(name, NAME);
                    line(
                        "threshold",
                        format!("`{name}` is yes from a probability of {probability} on"),
                    );
                }
            }
            text += "\n";
            text += &of_answers(answers);
        }
        Scores::Numbers(numbers) => {
            text += "\n";
            text += &of_numbers(numbers);
        }
    }
    if let Some(importance) = &report.importance {
        text += "\n";
        text += &of_importance(importance);
    }
    text
}

/// The classes or targets whose mean is shown: all, or those that have a ranking.
pub(crate) fn mean_over(rankings: &[Option<RankingScores>], one: &str, several: &str) -> String {
    match (rankings.iter().flatten().count(), rankings.len()) {
        (defined, all) if defined == all => format!("mean over the {several}"),
        (defined, all) => {
            let noun = if defined == 1 { one } else { several };
            format!("mean over {defined} {noun} of {all}: no sample or every sample is of the others")
        }
    }
}

/// A line for each feature, the most important first.
fn of_importance(importance: &ImportanceReport) -> String {
    /// The features that are shown.
    const MOST: usize = 30;
    let score = importance.score.name();
    let mut columns = Columns::new("<>");
    for feature in importance.features.iter().take(MOST) {
        let remark = match importance.repeats {
            1 => String::new(),
            _ => format!("± {:.4}", feature.deviation),
        };
        columns.row_with_remark([shown(&feature.feature, NAME), four_places(feature.mean)], remark);
    }
    let text = format!("permutation importance: change of the {score} for the worse\n{columns}");
    match importance.features.len().saturating_sub(MOST) {
        0 => text,
        1 => text + "and 1 feature that is less important\n",
        more => text + &format!("and {} features that are less important\n", format::count(more)),
    }
}

fn of_classes(classes: &Classes) -> String {
    let mut columns = Columns::new("<>>>>");
    columns.row(["class", "precision", "recall", "F1", "samples"]);
    let mut row = |name: String, scores: &ClassScores| {
        let [precision, recall, f1] = [scores.precision, scores.recall, scores.f1].map(four_places);
        columns.row([
            name,
            precision,
            recall,
            f1,
            format::count(scores.support as usize),
        ]);
    };
    for (label, scores) in classes.labels.iter().zip(&classes.scores.classes) {
        row(shown(label, NAME), scores);
    }
    row("macro average".to_owned(), &classes.scores.macro_average);
    row("weighted average".to_owned(), &classes.scores.weighted_average);
    columns.to_string()
}

fn of_answers(answers: &Answers) -> String {
    let mut columns = Columns::new("<>>>>>");
    columns.row(["target", "accuracy", "precision", "recall", "F1", "yes"]);
    for (name, scores) in answers.names.iter().zip(&answers.scores.labels) {
        let numbers = [scores.accuracy, scores.precision, scores.recall, scores.f1];
        let [accuracy, precision, recall, f1] = numbers.map(four_places);
        let yes = format::count(scores.support as usize);
        columns.row([shown(name, NAME), accuracy, precision, recall, f1, yes]);
    }
    if answers.names.len() > 1 {
        columns.row(["mean F1", "", "", "", &four_places(answers.scores.macro_f1)]);
    }
    columns.to_string()
}

fn of_numbers(numbers: &Numbers) -> String {
    let (mut scores, mut errors) = (Columns::new("<>>>"), Columns::new("<>>>>"));
    scores.row(["target", "R2", "RMSE", "MAE"]);
    errors.row(["absolute error", "median", "90 %", "99 %", "largest"]);
    for target in &numbers.targets {
        let name = shown(&target.name, NAME);
        let RegressionScores { r2, rmse, mae, .. } = target.scores;
        scores.row([&name, &format::score(r2), &format::loss(rmse), &format::loss(mae)]);
        errors.row([name].into_iter().chain(target.quantiles.map(format::loss)));
    }
    if numbers.targets.len() > 1 {
        scores.row(["mean", &format::score(numbers.mean_r2())]);
    }
    let unit = match (numbers.unit, numbers.targets.len()) {
        (Some(unit), _) => unit,
        (None, 1) => "the unit of the target",
        (None, _) => "the unit of each target",
    };
    format!("{scores}\n{errors}RMSE, MAE and errors are in {unit}.\n")
}

fn four_places(score: f64) -> String {
    format!("{score:.4}")
}
