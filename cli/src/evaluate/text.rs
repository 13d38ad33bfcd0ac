//! The report as text.

use mfnet::metrics::{ClassScores, LabelScores, RankingScores, RegressionScores};

use super::matrix;
use super::scores::{Answers, Classes, ImportanceReport, Numbers, Report, Scores};
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
    let mut text = format!("permutation importance: change of the {score} for the worse\n");
    let shown_features = &importance.features[..importance.features.len().min(MOST)];
    let names: Vec<String> = shown_features
        .iter()
        .map(|one| shown(&one.feature, NAME))
        .collect();
    let width = width(names.iter().map(String::as_str));
    for (name, feature) in names.iter().zip(shown_features) {
        text += &format!("{name:<width$} {:>9.4}", feature.mean);
        if importance.repeats > 1 {
            text += &format!(" ± {:.4}", feature.deviation);
        }
        text += "\n";
    }
    match importance.features.len().saturating_sub(MOST) {
        0 => text,
        1 => text + "and 1 feature that is less important\n",
        more => text + &format!("and {} features that are less important\n", format::count(more)),
    }
}

fn of_classes(classes: &Classes) -> String {
    let names: Vec<String> = classes.labels.iter().map(|label| shown(label, NAME)).collect();
    let averages = ["macro average", "weighted average"];
    let width = width(names.iter().map(String::as_str).chain(averages));
    let mut text = format!("{:<width$} precision   recall       F1  samples\n", "class");
    let mut row = |name: &str, scores: &ClassScores| {
        let ClassScores {
            precision,
            recall,
            f1,
            support,
        } = scores;
        let support = format::count(*support as usize);
        text += &format!("{name:<width$} {precision:>9.4} {recall:>8.4} {f1:>8.4} {support:>8}\n");
    };
    for (name, scores) in names.iter().zip(&classes.scores.classes) {
        row(name, scores);
    }
    row(averages[0], &classes.scores.macro_average);
    row(averages[1], &classes.scores.weighted_average);
    text
}

fn of_answers(answers: &Answers) -> String {
    let names: Vec<String> = answers.names.iter().map(|name| shown(name, NAME)).collect();
    let mean = "mean F1";
    let width = width(names.iter().map(String::as_str).chain(["target", mean]));
    let mut text = format!("{:<width$} accuracy precision   recall       F1  yes\n", "target");
    for (name, scores) in names.iter().zip(&answers.scores.labels) {
        let LabelScores {
            accuracy,
            precision,
            recall,
            f1,
            support,
        } = scores;
        let support = format::count(*support as usize);
        text += &format!(
            "{name:<width$} {accuracy:>8.4} {precision:>9.4} {recall:>8.4} {f1:>8.4} {support:>4}\n"
        );
    }
    if names.len() > 1 {
        text += &format!(
            "{mean:<width$} {:>8} {:>9} {:>8} {:>8.4}\n",
            "", "", "", answers.scores.macro_f1
        );
    }
    text
}

fn of_numbers(numbers: &Numbers) -> String {
    let names: Vec<String> = numbers
        .targets
        .iter()
        .map(|target| shown(&target.name, NAME))
        .collect();
    let width = width(names.iter().map(String::as_str).chain(["target"]));
    let mut text = format!("{:<width$}       R2       RMSE        MAE\n", "target");
    let mut row = |name: &str, scores: &RegressionScores| {
        let (rmse, mae) = (format::loss(scores.rmse), format::loss(scores.mae));
        text += &format!(
            "{name:<width$} {:>8} {rmse:>10} {mae:>10}\n",
            format::score(scores.r2)
        );
    };
    for (name, target) in names.iter().zip(&numbers.targets) {
        row(name, &target.scores);
    }
    if names.len() > 1 {
        text += &format!("{:<width$} {:>8}\n", "mean", format::score(numbers.mean_r2()));
    }
    text += &format!(
        "\n{:<width$} {:>8} {:>10} {:>10} {:>10}\n",
        "absolute error",
        "median",
        "90 %",
        "99 %",
        "largest",
        width = width.max(14)
    );
    for (name, target) in names.iter().zip(&numbers.targets) {
        let [median, most, nearly_all, largest] = target.quantiles.map(format::loss);
        text += &format!(
            "{name:<width$} {median:>8} {most:>10} {nearly_all:>10} {largest:>10}\n",
            width = width.max(14)
        );
    }
    text + &match (numbers.unit, names.len()) {
        (Some(unit), _) => format!("RMSE, MAE and errors are in {unit}.\n"),
        (None, 1) => "RMSE, MAE and errors are in the unit of the target.\n".to_owned(),
        (None, _) => "RMSE, MAE and errors are in the unit of each target.\n".to_owned(),
    }
}

fn width<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.map(|name| name.chars().count()).max().unwrap_or(0)
}
