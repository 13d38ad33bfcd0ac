//! `mfnet export`: a model for other programs.

use std::path::{Path, PathBuf};

use clap::Args;
use mfnet::Element;
use mfnet::checkpoint::{OutputKind, Precision, precision_of};

use super::{Outcome, console, model_path};

pub(super) const EXAMPLES: &str = "\
Examples:
  mfnet export run --onnx model.onnx
  python -c 'import onnxruntime; onnxruntime.InferenceSession(\"model.onnx\")'
PyTorch needs no export: it reads model.safetensors as it is, with safetensors.torch.load_file.";

/// The arguments of `mfnet export`.
#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// The model: its file, or a run folder with a model.safetensors in it
    model: PathBuf,

    /// Write the model as an ONNX file, which is replaced if there is one: it takes features as they are in your files,
    /// and gives predictions as `mfnet predict` does
    #[arg(long, value_name = "FILE")]
    onnx: PathBuf,
}

pub(super) fn export(arguments: &ExportArguments) -> anyhow::Result<Outcome> {
    let file = model_path::file_of(&arguments.model)?;
    let text = match precision_of(&file)? {
        Precision::F32 => export_in::<f32>(&file, &arguments.onnx),
        Precision::F64 => export_in::<f64>(&file, &arguments.onnx),
    }?;
    console::print(&text)?;
    Ok(Outcome::Done)
}

fn export_in<T: Element>(file: &Path, onnx: &Path) -> anyhow::Result<String> {
    let model = model_path::load::<T>(file)?;
    model.export_onnx(onnx)?;
    let schema = model.schema();
    let outputs = schema.outputs;
    let kind = model.output_kind();
    let gives = match kind {
        OutputKind::Numbers => format!("output (N x {outputs})"),
        OutputKind::BinaryLogits => {
            format!("output (N x {outputs}, {kind}), probabilities (N x {outputs}), label (N x {outputs})")
        }
        OutputKind::Scores => format!("output (N x {outputs}, scores), label (N)"),
        _ => format!("output (N x {outputs}, {kind}), probabilities (N x {outputs}), label (N)"),
    };
    let categories = match schema.categories.is_empty() {
        true => "",
        false => "; categories by their numbers, places counted from 0 in the lists of the metadata",
    };
    Ok(format!(
        "written   {}\ntakes     input (N x {}, {}), as it is in your files{categories}\ngives     {gives}\n",
        onnx.display(),
        schema.features,
        T::NAME
    ))
}
