//! The report as a folder: numbers for programs, and a picture.

use std::fs;
use std::path::Path;

use anyhow::Context;
use mfnet::Error;
use mfnet::checkpoint::Importance;
use mfnet::report::{Bar, BarGroup, Bars, Output, Picture, bars, confusion, predictions};
use tempfile::Builder;

use super::json;
use super::scores::{ImportanceReport, Report, Scores};
use crate::console;
use crate::out_file::PREFIX;
use crate::pictures::of_answers;

/// More classes than a picture can have.
const DRAWN: usize = 1000;

/// Writes the folder: it is there when all is in it.
pub(super) fn write(folder: &Path, report: &Report) -> anyhow::Result<()> {
    let refused = || format!("--out {}: cannot write the folder", folder.display());
    let parent = match folder.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).with_context(refused)?;
    // Made here, for errors that do not name a path that nobody has heard of.
    let made = Builder::new()
        .prefix(PREFIX)
        .make_in(parent, |path| fs::create_dir(path));
    let beside = made.with_context(refused)?.into_temp_path();
    let written = fill(&beside, folder, report).and_then(|()| {
        // An empty folder of the name makes way.
        let _ = fs::remove_dir(folder);
        Ok(fs::rename(&beside, folder)?)
    });
    if written.is_err() {
        // The failure that led here is what the user needs to know.
        let _ = fs::remove_dir_all(&beside);
    }
    written.with_context(refused)
}

/// Writes what is to be in the folder into one beside it.
fn fill(beside: &Path, folder: &Path, report: &Report) -> anyhow::Result<()> {
    fs::write(beside.join("metrics.json"), json::text(report, Some(folder))?)?;
    let importance = report
        .importance
        .as_ref()
        .map(|importance| bars_of(report, importance));
    let importance = importance.transpose()?.map(|picture| ("importance", picture));
    for (name, picture) in picture(report)?.into_iter().chain(importance) {
        match picture.save(beside.join(name)) {
            // Not by the name of the file beside, either.
            Err(Error::Io { source, .. }) => return Err(source.into()),
            saved => saved?,
        };
    }
    Ok(())
}

/// A bar for each of the most important features.
fn bars_of(report: &Report, importance: &ImportanceReport) -> mfnet::Result<Picture> {
    /// More are hard to read.
    const MOST: usize = 30;
    let bar = |importance: &Importance| {
        let (mean, deviation) = (importance.mean, importance.deviation);
        Bar {
            name: importance.feature.clone(),
            // A feature that the model does not need may be below 0 by chance.
            value: mean.max(0.0),
            range: Some(((mean - deviation).max(0.0), (mean + deviation).max(0.0))),
            text: format!("{mean:.4}"),
            color: 0,
        }
    };
    bars(&Bars {
        title: format!("{}: permutation importance ({})", report.data, importance.score),
        groups: vec![BarGroup {
            title: String::new(),
            bars: importance.features.iter().take(MOST).map(bar).collect(),
        }],
        ..Bars::default()
    })
}

/// The picture and what to call its files.
fn picture(report: &Report) -> anyhow::Result<Option<(&'static str, Picture)>> {
    Ok(match &report.scores {
        Scores::Classes(classes) if classes.labels.len() > DRAWN => {
            let labels = classes.labels.len();
            console::note(&format!(
                "no confusion matrix is drawn: {labels} classes are too many for a picture"
            ));
            None
        }
        Scores::Classes(classes) => {
            let picture = confusion(&report.data, classes.confusion.view(), &classes.labels)?;
            Some(("confusion", picture))
        }
        Scores::Answers(answers) => {
            let picture = of_answers(&report.data, &answers.names, &answers.texts, &answers.confusions)?;
            picture.map(|picture| ("confusion", picture))
        }
        Scores::Numbers(numbers) => {
            let named = |name: &str| match numbers.unit {
                Some(unit) => format!("{name} ({unit})"),
                None => name.to_owned(),
            };
            let names: Vec<String> = numbers.targets.iter().map(|target| named(&target.name)).collect();
            let columns = |values: &ndarray::Array2<f64>| -> Vec<Vec<f64>> {
                values
                    .columns()
                    .into_iter()
                    .map(|column| column.to_vec())
                    .collect()
            };
            let (truth, predicted) = (columns(&numbers.truth), columns(&numbers.predicted));
            let outputs = names.iter().zip(&truth).zip(&predicted);
            let outputs: Vec<Output<'_>> = outputs
                .map(|((name, truth), predicted)| Output {
                    name,
                    truth,
                    predicted,
                })
                .collect();
            Some(("predictions", predictions(&report.data, &outputs)?))
        }
    })
}
