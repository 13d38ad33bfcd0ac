//! The report as text.

use mfnet::metrics::{ClassScores, RegressionScores};

use super::matrix;
use super::scores::{Classes, Numbers, Report, Scores};
use crate::format;
use crate::model_path::{scaled_targets, shown};

/// The most letters of a class's or a target's name.
const NAME: usize = 20;

pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: String| text += &format!("{label:<9} {value}\n");
    line("model", format!("{}, {}", report.architecture, report.precision));
    line("data", report.data.clone());
    line("samples", format::count(report.samples));
    let of = match &report.scores {
        Scores::Numbers(numbers) => scaled_targets(numbers.normalized, numbers.transform),
        Scores::Classes(_) => "",
    };
    let loss = report.loss.map_or_else(|| "unknown".to_owned(), format::loss);
    line("loss", format!("{loss} ({}{of})", report.loss_record));
    match &report.scores {
        Scores::Classes(classes) => {
            line("accuracy", format::percent(classes.accuracy));
            text + "\n" + &of_classes(classes) + "\n" + &matrix::text(classes)
        }
        Scores::Numbers(numbers) => text + "\n" + &of_numbers(numbers),
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

fn of_numbers(numbers: &Numbers) -> String {
    let names: Vec<String> = numbers
        .targets
        .iter()
        .map(|(name, _)| shown(name, NAME))
        .collect();
    let width = width(names.iter().map(String::as_str).chain(["target"]));
    let mut text = format!("{:<width$}       R2       RMSE        MAE\n", "target");
    let mut row = |name: &str, scores: &RegressionScores| {
        let (rmse, mae) = (format::loss(scores.rmse), format::loss(scores.mae));
        text += &format!("{name:<width$} {:>8.4} {rmse:>10} {mae:>10}\n", scores.r2);
    };
    for (name, (_, scores)) in names.iter().zip(&numbers.targets) {
        row(name, scores);
    }
    if names.len() > 1 {
        text += &format!("{:<width$} {:>8.4}\n", "mean", numbers.mean_r2());
    }
    text + &match (numbers.unit, names.len()) {
        (Some(unit), _) => format!("RMSE and MAE are in {unit}.\n"),
        (None, 1) => "RMSE and MAE are in the unit of the target.\n".to_owned(),
        (None, _) => "RMSE and MAE are in the unit of each target.\n".to_owned(),
    }
}

fn width<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.map(|name| name.chars().count()).max().unwrap_or(0)
}
