//! `mfnet inspect`: what is in a model file.

mod json;
mod text;

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use mfnet::checkpoint::{Contents, FileKind, OutputKind, Precision, Setting, contents_of, precision_of};
use mfnet::data::Schema;
use mfnet::loss::LossRecord;
use mfnet::{Model, NeuralNetwork};

use super::{Outcome, console, model_path};

pub(super) const EXAMPLES: &str = "\
Examples:
  mfnet inspect run                        the model of a run folder
  mfnet inspect run/model.safetensors --json
  mfnet inspect pytorch.safetensors        the tensors of a file that PyTorch has written";

/// The arguments of `mfnet inspect`.
#[derive(Debug, Args)]
pub(super) struct InspectArguments {
    /// The model: its file, a checkpoint, a safetensors file by others, or a run folder with a model.safetensors in it
    model: PathBuf,

    /// Write the report as one JSON object
    #[arg(long)]
    json: bool,
}

/// All that a file says of itself.
#[derive(Debug)]
struct Report {
    file: PathBuf,
    bytes: u64,
    precision: Precision,
    contents: Contents,
    /// None for tensors alone. In f64, whichever the file has: each number is the same there.
    network: Option<NeuralNetwork<f64>>,
    /// None where nothing says what the data mean.
    schema: Option<Schema<f64>>,
    /// None where nothing says what the data mean.
    output_kind: Option<OutputKind>,
    /// None where the loss of the training is unknown.
    loss: Option<LossRecord>,
}

/// A layer or an activation, without its numbers.
#[derive(Debug)]
struct LayerSummary {
    kind: &'static str,
    /// PyTorch's options of it: `in_features`.
    options: Vec<(String, Setting)>,
    /// Name and shape of each tensor.
    tensors: Vec<(&'static str, Vec<usize>)>,
    parameters: usize,
}

pub(super) fn inspect(arguments: &InspectArguments) -> anyhow::Result<Outcome> {
    let report = Report::of(model_path::file_of(&arguments.model)?)?;
    console::print(&if arguments.json {
        json::text(&report)?
    } else {
        text::text(&report)?
    })?;
    Ok(Outcome::Done)
}

impl Report {
    fn of(file: PathBuf) -> anyhow::Result<Self> {
        let contents = contents_of(&file)?;
        let about =
            fs::metadata(&file).with_context(|| format!("{}: cannot read the file", file.display()))?;
        let (mut network, mut schema, mut output_kind, mut loss) = (None, None, None, None);
        match contents.kind {
            FileKind::Model | FileKind::Checkpoint { model: true, .. } => {
                let model = Model::load(&file)?;
                (output_kind, loss) = (Some(model.output_kind()), model.loss().cloned());
                let parts = model.into_parts();
                (network, schema) = (Some(parts.0), Some(parts.1));
            }
            FileKind::Network | FileKind::Checkpoint { .. } => network = Some(NeuralNetwork::load(&file)?),
            _ => {}
        }
        Ok(Report {
            bytes: about.len(),
            precision: precision_of(&file)?,
            file,
            contents,
            network,
            schema,
            output_kind,
            loss,
        })
    }
}

fn layers(network: &NeuralNetwork<f64>) -> anyhow::Result<Vec<LayerSummary>> {
    let records = network.records()?.into_iter();
    Ok(records
        .map(|record| LayerSummary {
            kind: record.kind,
            options: record.options.into_iter().collect(),
            // Running statistics follow the data, and no optimizer trains them.
            parameters: (record.tensors.iter())
                .filter(|tensor| !tensor.name.starts_with("running_"))
                .map(|tensor| tensor.values.len())
                .sum(),
            tensors: record
                .tensors
                .iter()
                .map(|tensor| (tensor.name, tensor.values.shape().to_vec()))
                .collect(),
        })
        .collect())
}
