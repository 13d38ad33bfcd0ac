//! The pictures of a run.

use std::path::Path;

use mfnet::checkpoint::Metrics;
use mfnet::metrics::{Score, confusion_matrix};
use mfnet::report::{
    Curves, Output, Panel, Picture, Series, TargetConfusion, confusion, confusions, curves, predictions,
};
use mfnet::{Element, Evaluation, train::EpochRecord};
use ndarray::{Array2, ArrayView1};

use super::console;
use super::model_path::target_name;
use super::summary::Training;

/// Draws learning curves, and confusion matrices or predictions against true values, into a folder.
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
        Metrics::Answers { truth, predicted, .. } => {
            let schema = training.model.schema();
            let confusions = confusions_of(predicted, truth)?;
            let names: Vec<String> = (0..schema.outputs)
                .map(|target| target_name(schema, target))
                .collect();
            let picture = of_answers(&title, &names, &schema.answers, &confusions)?;
            picture.map_or(Ok(()), |picture| {
                Ok(picture.save(folder.join("confusion")).map(drop)?)
            })
        }
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

/// The confusion matrix of each yes/no target: row = true answer, column = predicted answer.
pub(super) fn confusions_of(
    predicted: &Array2<bool>,
    truth: &Array2<bool>,
) -> mfnet::Result<Vec<Array2<u64>>> {
    let labels =
        |column: ArrayView1<'_, bool>| -> Vec<u32> { column.iter().map(|&yes| yes.into()).collect() };
    let columns = predicted.columns().into_iter().zip(truth.columns());
    columns
        .map(|(predicted, truth)| confusion_matrix(&labels(predicted), &labels(truth), 2))
        .collect()
}

/// A picture of these matrices, one for each yes/no target; `None`, with a note, for too many targets.
pub(super) fn of_answers(
    title: &str,
    names: &[String],
    answers: &[[String; 2]],
    counts: &[Array2<u64>],
) -> mfnet::Result<Option<Picture>> {
    /// More are no picture any more.
    const MOST: usize = 36;
    if let ([answers], [counts]) = (answers, counts) {
        return confusion(title, counts.view(), answers).map(Some);
    }
    if counts.len() > MOST {
        console::note(&format!(
            "no confusion matrices are drawn: {} targets are too many for a picture",
            counts.len()
        ));
        return Ok(None);
    }
    let parts = names.iter().zip(answers).zip(counts);
    let targets: Vec<TargetConfusion<'_>> = parts
        .map(|((name, [no, yes]), counts)| TargetConfusion {
            name,
            counts: counts.view(),
            answers: [no, yes],
        })
        .collect();
    confusions(title, &targets).map(Some)
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
