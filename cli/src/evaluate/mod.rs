//! `mfnet evaluate`: how good a model is on samples it has not learned from.

mod folder;
mod json;
mod matrix;
mod scores;
mod text;

use std::path::{Path, PathBuf};

use clap::Args;
use mfnet::Element;
use mfnet::checkpoint::{Precision, precision_of};

use self::scores::Report;
use super::data_source::DataSource;
use super::defaults;
use super::run_folder::check_vacant;
use super::sample_arguments::SampleArguments;
use super::train::use_threads;
use super::{Outcome, console, model_path};

pub(super) const EXAMPLES: &str = "\
Examples:
  mfnet evaluate run mnist                  the model of a run folder, on MNIST's test set
  mfnet evaluate run/model.safetensors trees.csv
  mfnet evaluate run x.npy,y.npy --json
  mfnet evaluate run trees.csv --out run/trees    metrics.json and pictures
  zcat trees.csv.gz | mfnet evaluate run -";

/// What `mfnet evaluate` can be told.
#[derive(Debug, Args)]
pub(super) struct EvaluateArguments {
    /// The model: its file, or a run folder with a model.safetensors in it
    model: PathBuf,

    #[arg(
        value_name = "DATA",
        help = format!(
            "Samples with their targets: a CSV file (also .gz) with the columns the model was trained on, an NPZ file \
             with x_test and y_test or x and y, NPY files as X.npy,Y.npy, - for CSV from standard input, or a known data \
             set (its test samples, or all where it has none): {}",
            defaults::names().collect::<Vec<_>>().join(", ")
        )
    )]
    data: DataSource,

    /// Write metrics.json and pictures into this folder, which must be new or empty
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Write the result to standard output as one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    samples: SampleArguments,
}

pub(super) fn evaluate(arguments: &EvaluateArguments) -> anyhow::Result<Outcome> {
    use_threads(arguments.samples.threads)?;
    model_path::check_order("evaluate", &arguments.model, &arguments.data)?;
    let file = model_path::file_of(&arguments.model)?;
    if let Some(folder) = &arguments.out {
        check_vacant(folder, "name a new one, so that nothing is lost")?;
    }
    let report = match precision_of(&file)? {
        Precision::F32 => report::<f32>(arguments, &file)?,
        Precision::F64 => report::<f64>(arguments, &file)?,
    };
    if let Some(folder) = &arguments.out {
        folder::write(folder, &report)?;
    }
    let (text, json) = (text::text(&report), json::text(&report, arguments.out.as_deref()));
    console::print(if arguments.json { &json } else { &text })?;
    if let (Some(folder), false) = (&arguments.out, arguments.samples.quiet) {
        console::note(&format!("written to {}", folder.display()));
    }
    Ok(Outcome::Done)
}

fn report<T: Element>(arguments: &EvaluateArguments, file: &Path) -> anyhow::Result<Report> {
    let model = model_path::load::<T>(file)?;
    let samples = arguments.samples.samples(&arguments.data, model.schema())?;
    Report::new(&model, file, samples)
}
