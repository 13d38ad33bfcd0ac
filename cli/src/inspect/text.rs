//! The report as text.

use indicatif::HumanBytes;
use mfnet::checkpoint::{FileKind, OutputKind, TensorSummary};
use mfnet::data::{Scaling, Schema, TargetTransform, Task, Unknown};
use mfnet::loss::LossRecord;

use super::{LayerSummary, Report, layers};
use crate::columns::Columns;
use crate::format::{count, counted};
use crate::model_path::{shown, target_name};

/// Up to here features, targets and tensors are listed one by one, and beyond only the first of them.
const LISTED: usize = 30;
/// The most letters of a name.
const NAME: usize = 30;

pub(super) fn text(report: &Report) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut line = |label: &str, value: String| text += &format!("{label:<9} {value}\n");
    line(
        "file",
        format!("{}, {}", report.file.display(), HumanBytes(report.bytes)),
    );
    line("holds", holds(&report.contents.kind));
    line("precision", report.precision.to_string());
    let Some(network) = &report.network else {
        line("tensors", count(report.contents.tensors.len()));
        let hint = "`mfnet import` makes a model of it, if you say what the layers are\n";
        return Ok(text + "\n" + &tensors(&report.contents.tensors) + "\n" + hint);
    };
    line("network", network.architecture());
    line(
        "weights",
        format!("{} parameters", count(network.parameter_count())),
    );
    if let Some(schema) = &report.schema {
        line("task", task(schema));
        line("inputs", inputs(schema));
        if let Some(kind) = report.output_kind {
            line("outputs", outputs_and_loss(kind, report.loss.as_ref()));
        }
    }
    text += &format!("\n{}", table(&layers(network)?));
    if let Some(schema) = &report.schema {
        text += &features(schema);
        text += &categories(schema);
        text += &outputs(schema);
    }
    Ok(text)
}

fn holds(kind: &FileKind) -> String {
    match kind {
        FileKind::Model => "a model: a network, and the meaning of its data".to_owned(),
        FileKind::Network => "a network, without the meaning of its data".to_owned(),
        FileKind::Checkpoint {
            optimizer, epochs, ..
        } => {
            let epochs = match epochs {
                1 => "1 epoch".to_owned(),
                epochs => format!("{} epochs", count(*epochs)),
            };
            format!(
                "a checkpoint to resume: {epochs} trained, with {}",
                shown(optimizer, NAME)
            )
        }
        _ => "tensors alone: it was not written by mfnet".to_owned(),
    }
}

fn task(schema: &Schema<f64>) -> String {
    let outputs = count(schema.outputs);
    let learned = match schema.target_transform {
        TargetTransform::None => "",
        TargetTransform::Log => ", learned as the logarithm",
        TargetTransform::Log1p => ", learned as the logarithm of 1 + the target",
    };
    match (schema.task, schema.outputs) {
        (Task::Classification, _) => format!("classification, {outputs} classes"),
        (Task::Binary, 1) => "binary, 1 yes/no target".to_owned(),
        (Task::Binary, _) => format!("binary, {outputs} yes/no targets"),
        (Task::Regression, 1) => format!("regression, 1 target{learned}"),
        (Task::Regression, _) => format!("regression, {outputs} targets{learned}"),
    }
}

fn inputs(schema: &Schema<f64>) -> String {
    let scaled = match schema.scaling {
        Scaling::None => "as they are",
        Scaling::Pixels => "pixels, divided by 255",
        Scaling::Normalized(_) => "normalised",
    };
    let gaps = match schema.imputation {
        Some(_) => ", missing values replaced",
        None => "",
    };
    let features = counted(schema.features, "feature");
    format!("{features}, {scaled}{gaps}")
}

/// The meaning of the outputs, and the loss from which it follows.
fn outputs_and_loss(kind: OutputKind, loss: Option<&LossRecord>) -> String {
    match loss {
        Some(loss) => format!("{kind}, trained with the loss {loss}"),
        None => format!("{kind}; the loss of the training is unknown"),
    }
}

fn table(layers: &[LayerSummary]) -> String {
    let mut columns = Columns::new("><>>");
    columns.row(["layer", "kind", "in -> out", "parameters"]);
    for (place, layer) in layers.iter().enumerate() {
        let option = |name: &str| {
            layer
                .options
                .iter()
                .find(|(option, _)| option == name)
                .map(|(_, value)| value)
        };
        let between = |from, to| Some(format!("{} -> {}", option(from)?, option(to)?));
        let shape = between("in_features", "out_features")
            .or_else(|| {
                Some(format!(
                    "{} of {}",
                    between("in_channels", "out_channels")?,
                    option("kernel_size")?
                ))
            })
            .or_else(|| {
                Some(
                    option("num_features")
                        .or_else(|| option("unflattened_size"))?
                        .to_string(),
                )
            })
            .or_else(|| Some(format!("p = {}", option("p")?)))
            .unwrap_or_default();
        let parameters = match layer.parameters {
            0 => String::new(),
            parameters => count(parameters),
        };
        columns.row([place.to_string(), layer.kind.to_owned(), shape, parameters]);
    }
    columns.to_string()
}

/// The features by name, with what they are scaled by; nothing where there is nothing to say of them.
fn features(schema: &Schema<f64>) -> String {
    let scales = match &schema.scaling {
        Scaling::Normalized(scales) => Some(scales),
        Scaling::None | Scaling::Pixels => None,
    };
    if schema.feature_names.is_empty() && scales.is_none() {
        return String::new();
    }
    let names = (0..schema.features).map(|feature| schema.feature_name(feature));
    let scale = |feature: usize| {
        let scales = scales.filter(|_| schema.categories_of(feature).is_empty())?;
        Some((scales.means()[feature], scales.deviations()[feature]))
    };
    listed("feature", names.collect(), scale)
}

/// The categories of each feature that has such, and what becomes of others.
fn categories(schema: &Schema<f64>) -> String {
    let mut text = String::new();
    for feature in 0..schema.features {
        let texts = schema.categories_of(feature);
        if texts.is_empty() {
            continue;
        }
        let name = shown(&schema.feature_name(feature), NAME);
        text += &format!("\ncategories of {name}: {}", in_a_row(texts));
    }
    match (text.is_empty(), schema.unknown) {
        (true, _) => text,
        (false, Unknown::Error) => text + "\n",
        (false, Unknown::Ignore) => text + "; any other category is ignored\n",
    }
}

fn outputs(schema: &Schema<f64>) -> String {
    match schema.task {
        Task::Classification => {
            let column = schema
                .target_names
                .first()
                .map_or(String::new(), |name| format!(" of {}", shown(name, NAME)));
            format!("\nclasses{column}: {}\n", in_a_row(&schema.labels))
        }
        Task::Binary => {
            let name = |(target, [no, yes]): (usize, &[String; 2])| {
                let [no, yes] = [no, yes].map(|text| shown(text, NAME));
                format!(
                    "{}: no is {no}, yes is {yes}",
                    shown(&target_name(schema, target), NAME)
                )
            };
            let names: Vec<String> = schema.answers.iter().take(LISTED).enumerate().map(name).collect();
            let more = and_more(schema.answers.len() - names.len());
            format!("\nyes/no target\n{}\n{more}", names.join("\n"))
        }
        Task::Regression => {
            let scales = schema.target_normalization.as_ref();
            let names = (0..schema.outputs).map(|target| target_name(schema, target));
            let scale =
                |target: usize| scales.map(|scales| (scales.means()[target], scales.deviations()[target]));
            listed("target", names.collect(), scale)
        }
    }
}

/// The first of some names, and how many are left out.
fn in_a_row(names: &[String]) -> String {
    let first: Vec<String> = names.iter().take(LISTED).map(|name| shown(name, NAME)).collect();
    let more = match names.len() - first.len() {
        0 => String::new(),
        more => format!(" and {} more", count(more)),
    };
    first.join(", ") + &more
}

/// Names, and mean and deviation where there are such.
fn listed(what: &str, names: Vec<String>, scale: impl Fn(usize) -> Option<(f64, f64)>) -> String {
    let most = LISTED.min(names.len());
    let mut columns = Columns::new("<>>");
    match (0..most).find_map(&scale) {
        Some(_) => columns.row([what, "mean", "deviation"]),
        None => columns.row([what]),
    }
    for (place, name) in names[..most].iter().enumerate() {
        let scale = scale(place).map(|(mean, deviation)| [mean, deviation].map(number));
        columns.row([shown(name, NAME)].into_iter().chain(scale.into_iter().flatten()));
    }
    format!("\n{columns}{}", and_more(names.len() - most))
}

/// A line that counts the names that are left out, if there are any.
fn and_more(left_out: usize) -> String {
    match left_out {
        0 => String::new(),
        more => format!("and {} more\n", count(more)),
    }
}

/// Five digits or so.
fn number(value: f64) -> String {
    if value == 0.0 || (1e-3..1e6).contains(&value.abs()) {
        format!("{value:.4}")
    } else {
        format!("{value:.4e}")
    }
}

fn tensors(tensors: &[TensorSummary]) -> String {
    let most = LISTED.min(tensors.len());
    let mut columns = Columns::new("<<<");
    for tensor in &tensors[..most] {
        let shape: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
        let shape = match shape.is_empty() {
            true => "a number".to_owned(),
            false => shape.join(" x "),
        };
        columns.row([shown(&tensor.name, NAME), tensor.dtype.to_string(), shape]);
    }
    format!("{columns}{}", and_more(tensors.len() - most))
}
