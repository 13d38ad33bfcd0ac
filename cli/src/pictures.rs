//! The pictures of a run.

use std::path::Path;

use mfnet::data::Task as TaskKind;
use mfnet::metrics::confusion_matrix;
use mfnet::report::{Curves, Output, Panel, Series, confusion, curves, predictions};
use mfnet::{Dataset, Element, EpochRecord, Evaluation, Targets, argmax};

use super::summary::Training;

/// Draws learning curves, and a confusion matrix or predictions against true values, into a folder.
pub(super) fn draw<T: Element>(training: &Training<'_, T>, folder: &Path) -> anyhow::Result<()> {
    if !training.history.epochs.is_empty() {
        draw_curves(training, folder)?;
    }
    let task = training.task;
    let (name, data) = match (&task.test, &task.validation) {
        (Some(test), _) => ("test", test),
        (None, Some(validation)) => ("validation", validation),
        (None, None) => ("training", &task.train),
    };
    let title = format!("{}: {name} set", training.title());
    match task.schema.task {
        TaskKind::Classification => draw_confusion(training, data, &title, folder),
        TaskKind::Regression => draw_predictions(training, data, &title, folder),
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
    let title = training.title();
    let picture = curves(&Curves {
        title: &title,
        panels: vec![
            Panel::loss(training.loss, losses),
            Panel::accuracy("accuracy", accuracies),
        ],
        best: training.history.restored.map(|epoch| epoch as f64),
        ..Curves::default()
    })?;
    picture.save(folder.join("curves"))?;
    Ok(())
}

fn draw_confusion<T: Element>(
    training: &Training<'_, T>,
    data: &Dataset<T>,
    title: &str,
    folder: &Path,
) -> anyhow::Result<()> {
    /// More are no picture any more.
    const MOST: usize = 1000;
    let schema = training.model.schema();
    let Targets::Classes {
        labels,
        classes: count,
    } = data.targets()
    else {
        return Ok(());
    };
    if *count <= MOST {
        let predicted = argmax(training.model.network().predict_dataset(data)?.view())?;
        let counts = confusion_matrix(&predicted, labels, *count)?;
        confusion(title, counts.view(), &schema.labels)?.save(folder.join("confusion"))?;
    }
    Ok(())
}

fn draw_predictions<T: Element>(
    training: &Training<'_, T>,
    data: &Dataset<T>,
    title: &str,
    folder: &Path,
) -> anyhow::Result<()> {
    let (model, schema) = (&training.model, training.model.schema());
    let Targets::Values(values) = data.targets() else {
        return Ok(());
    };
    let predicted = schema.unscale(model.network().predict_dataset(data)?)?;
    let truth = schema.unscale(values.clone())?;
    let unit = training
        .task
        .unit
        .map(|unit| format!(" ({unit})"))
        .unwrap_or_default();
    let columns = |matrix: &ndarray::Array2<T>, output: usize| -> Vec<f64> {
        matrix.column(output).iter().map(|value| value.as_f64()).collect()
    };
    let outputs: Vec<(String, Vec<f64>, Vec<f64>)> = (0..schema.outputs)
        .map(|output| {
            let name = match schema.target_names.get(output) {
                Some(name) => format!("{name}{unit}"),
                None => format!("target {output}{unit}"),
            };
            (name, columns(&truth, output), columns(&predicted, output))
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
