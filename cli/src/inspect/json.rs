//! The report for programs: one JSON object.

use mfnet::checkpoint::{FileKind, Setting};
use mfnet::data::Normalization;
use mfnet::data::{Scaling, Schema, Unknown};
use mfnet::loss::{LossRecord, Reduction};
use serde_json::{Value, json};

use super::{Report, layers};
use crate::model_path::transform_name;

/// The object, on one line; null where the file says nothing.
pub(super) fn text(report: &Report) -> anyhow::Result<String> {
    let (kind, training) = match &report.contents.kind {
        FileKind::Model => ("model", Value::Null),
        FileKind::Network => ("network", Value::Null),
        FileKind::Checkpoint {
            optimizer, epochs, ..
        } => ("checkpoint", json!({ "optimizer": optimizer, "epochs": epochs })),
        _ => ("weights", Value::Null),
    };
    let tensors = report.contents.tensors.iter();
    let tensors =
        tensors.map(|tensor| json!({ "name": tensor.name, "type": tensor.dtype, "shape": tensor.shape }));
    let network = report.network.as_ref();
    let object = json!({
        "file": report.file.display().to_string(),
        "bytes": report.bytes,
        "kind": kind,
        "precision": report.precision.to_string(),
        "architecture": network.map(|network| network.architecture()),
        "inputs": network.map(|network| network.inputs()),
        "outputs": network.map(|network| network.outputs()),
        "parameters": network.map(|network| network.parameter_count()),
        "layers": match network {
            Some(network) => Some(layers(network)?.iter().map(layer).collect::<Vec<_>>()),
            None => None,
        },
        "schema": report.schema.as_ref().map(schema),
        "output_kind": report.output_kind.map(|kind| kind.to_string()),
        "loss": report.loss.as_ref().map(loss),
        "training": training,
        "tensors": tensors.collect::<Vec<_>>(),
    });
    Ok(format!("{object}\n"))
}

/// The loss of the training; its options are null for a loss of a library's own.
fn loss(loss: &LossRecord) -> Value {
    let options = loss.options.as_ref().map(|options| {
        json!({
            "reduction": match options.reduction {
                Reduction::Mean => "mean",
                Reduction::Sum => "sum",
            },
            "class_weights": options.class_weights,
            "label_smoothing": options.label_smoothing,
            "huber_delta": options.huber_delta,
            "positive_weights": options.positive_weights,
        })
    });
    json!({ "name": loss.name, "options": options })
}

fn layer(layer: &super::LayerSummary) -> Value {
    let options = layer
        .options
        .iter()
        .map(|(name, setting)| (name.clone(), value(setting)));
    let tensors = layer
        .tensors
        .iter()
        .map(|(name, shape)| ((*name).to_owned(), json!(shape)));
    json!({
        "kind": layer.kind,
        "options": Value::Object(options.collect()),
        "tensors": Value::Object(tensors.collect()),
        "parameters": layer.parameters,
    })
}

fn value(setting: &Setting) -> Value {
    match setting {
        Setting::Number(number) => json!(number),
        Setting::Sizes(sizes) => json!(sizes),
        other => json!(other.to_string()),
    }
}

fn schema(schema: &Schema<f64>) -> Value {
    let scales = |scales: &Normalization<f64>| json!({ "means": scales.means().to_vec(), "deviations": scales.deviations().to_vec() });
    json!({
        "task": schema.task.to_string(),
        "features": schema.features,
        "feature_names": schema.feature_names,
        "scaling": match &schema.scaling {
            Scaling::None => json!("none"),
            Scaling::Pixels => json!("pixels"),
            Scaling::Normalized(normalization) => scales(normalization),
        },
        "imputation": schema.imputation,
        "categories": schema.categories,
        "unknown": match schema.unknown {
            Unknown::Error => "error",
            Unknown::Ignore => "ignore",
        },
        "missing": schema.missing,
        "target_names": schema.target_names,
        "labels": schema.labels,
        "answers": schema.answers,
        "target_transform": transform_name(schema.target_transform),
        "target_normalization": schema.target_normalization.as_ref().map(scales),
        "columns": {
            "width": schema.layout.width,
            "features": schema.layout.features,
            "targets": schema.layout.targets,
        },
    })
}
