//! The pictures of a run.

use std::path::Path;

use mfnet::checkpoint::Metrics;
use mfnet::metrics::{Score, confusion_matrix};
use mfnet::report::{Curves, Output, Panel, Series, confusion, curves, predictions};
use mfnet::{Element, EpochRecord, Evaluation};
use ndarray::Array2;

use super::summary::Training;

/// Draws learning curves, and a confusion matrix or predictions against true values, into a folder.
pub(super) fn draw<T: Element>(training: &Training<'_, T>, folder: &Path) -> anyhow::Result<()> {
    if !training.history.epochs.is_empty() {
        draw_curves(training, folder)?;
    }
    let (name, scores) = training.results.least_known();
    let title = format!("{}: {name} set", training.title());
    match &scores.metrics {
        Metrics::Classes {
            labels, predicted, ..
        } => draw_confusion(training, predicted, labels, &title, folder),
        // Several targets have no single picture.
        Metrics::Answers { truth, predicted, .. } => match training.model.schema().answers.as_slice() {
            [answers] => draw_answers(answers, predicted, truth, &title, folder),
            _ => Ok(()),
        },
        Metrics::Targets { truth, predicted, .. } => {
            draw_predictions(training, truth, predicted, &title, folder)
        }
        _ => Ok(()),
    }
}

fn draw_curves<T: Element>(training: &Training<'_, T>, folder: &Path) -> anyhow::Result<()> {
    let epochs = &training.history.epochs;
    let points = |value: &dyn Fn(&EpochRecord) -> Option<f64>| -> Vec<(f64, f64)> {
        let point = |record: &EpochRecord| Some((record.epoch as f64, value(record)?));
        epochs.iter().filter_map(point).collect()
    };
    // Each has its place in both panels, and so its looks; those without points are left out.
    let series = |train: Vec<(f64, f64)>, of: &dyn Fn(Evaluation) -> Option<f64>| {
        let validation = points(&|record| record.validation.and_then(of));
        let test = points(&|record| record.test.and_then(of));
        [("train", train), ("validation", validation), ("test", test)]
            .map(|(name, points)| Series { name, points })
            .to_vec()
    };
    let losses = series(points(&|record| Some(record.train_loss)), &|evaluation| {
        Some(evaluation.loss)
    });
    let accuracies = series(Vec::new(), &|evaluation| evaluation.accuracy);
    let followed = training
        .followed_score()
        .filter(|&score| score != Score::Accuracy);
    let score = match followed {
        Some(_) => vec![
            Series::default(),
            Series {
                name: "validation",
                points: points(&|record| record.score),
            },
        ],
        None => Vec::new(),
    };
    let title = training.title();
    let loss_name = training.results.train.loss_record.to_string();
    let picture = curves(&Curves {
        title: &title,
        // Panels without points are left out.
        panels: vec![
            Panel::loss(&loss_name, losses),
            Panel::accuracy("accuracy", accuracies),
            Panel::loss(followed.map_or("", Score::name), score),
        ],
        best: training.history.restored.map(|epoch| epoch as f64),
        ..Curves::default()
    })?;
    picture.save(folder.join("curves"))?;
    Ok(())
}

fn draw_confusion<T: Element>(
    training: &Training<'_, T>,
    predicted: &[u32],
    truth: &[u32],
    title: &str,
    folder: &Path,
) -> anyhow::Result<()> {
    /// More are no picture any more.
    const MOST: usize = 1000;
    let labels = &training.model.schema().labels;
    if labels.len() <= MOST {
        let counts = confusion_matrix(predicted, truth, labels.len())?;
        confusion(title, counts.view(), labels)?.save(folder.join("confusion"))?;
    }
    Ok(())
}

/// Draws how often each answer to the only yes/no target was predicted as each.
fn draw_answers(
    answers: &[String; 2],
    predicted: &Array2<bool>,
    truth: &Array2<bool>,
    title: &str,
    folder: &Path,
) -> anyhow::Result<()> {
    let labels = |answers: &Array2<bool>| -> Vec<u32> { answers.iter().map(|&yes| yes.into()).collect() };
    let counts = confusion_matrix(&labels(predicted), &labels(truth), 2)?;
    confusion(title, counts.view(), answers)?.save(folder.join("confusion"))?;
    Ok(())
}

fn draw_predictions<T: Element>(
    training: &Training<'_, T>,
    truth: &Array2<T>,
    predicted: &Array2<T>,
    title: &str,
    folder: &Path,
) -> anyhow::Result<()> {
    let schema = training.model.schema();
    let unit = training
        .task
        .unit
        .map(|unit| format!(" ({unit})"))
        .unwrap_or_default();
    let columns = |matrix: &Array2<T>, output: usize| -> Vec<f64> {
        matrix.column(output).iter().map(|value| value.as_f64()).collect()
    };
    let outputs: Vec<(String, Vec<f64>, Vec<f64>)> = (0..schema.outputs)
        .map(|output| {
            let name = match schema.target_names.get(output) {
                Some(name) => format!("{name}{unit}"),
                None => format!("target {output}{unit}"),
            };
            (name, columns(truth, output), columns(predicted, output))
        })
        .collect();
    let outputs: Vec<Output<'_>> = outputs
        .iter()
        .map(|(name, truth, predicted)| Output {
            name,
            truth,
            predicted,
        })
        .collect();
    predictions(title, &outputs)?.save(folder.join("predictions"))?;
    Ok(())
}
