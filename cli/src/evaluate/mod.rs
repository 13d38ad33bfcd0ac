//! `mfnet evaluate`: how good a model is on samples it has not learned from.

mod folder;
mod json;
mod matrix;
mod scores;
mod text;

use std::path::{Path, PathBuf};

use anyhow::ensure;
use clap::Args;
use mfnet::checkpoint::{Precision, precision_of};
use mfnet::data::{TargetTransform, Task};
use mfnet::metrics::Score;
use mfnet::{Element, Model};

use self::scores::{ImportanceReport, Report, Scores};
pub(super) use self::text::mean_over;
use super::data_source::DataSource;
use super::known;
use super::overflow::Overflow;
use super::parse::whole;
use super::run_folder::check_vacant;
use super::sample_arguments::{SampleArguments, Samples};
use super::threshold::{self, Threshold};
use super::train::use_threads;
use super::{Outcome, console, format, model_path, score, usage};

pub(super) const EXAMPLES: &str = "\
Examples:
  mfnet evaluate run mnist                  the model of a run folder, on MNIST's test set
  mfnet evaluate run/model.safetensors trees.csv
  mfnet evaluate run x.npy,y.npy --json
  mfnet evaluate run trees.csv --out run/trees    metrics.json and pictures
  mfnet evaluate run churn.csv --threshold yes=0.3 --importance=auc
  zcat trees.csv.gz | mfnet evaluate run -";

/// The arguments of `mfnet evaluate`.
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
            known::listed()
        )
    )]
    data: DataSource,

    #[arg(long, value_name = "[NAME=]P", help = threshold::HELP)]
    threshold: Vec<Threshold>,

    /// Compute the permutation importance of each feature: the change of a score for the worse when the values of the feature
    /// are mixed up among the samples. --importance=SCORE chooses the score [default: accuracy for classes, r2 for numbers]
    #[arg(long, value_name = "SCORE", num_args = 0..=1, require_equals = true, value_parser = score::names())]
    importance: Option<Option<String>>,

    /// Number of random orders of each feature [default: 5]
    #[arg(long, value_name = "N", requires = "importance", value_parser = whole::<10_000>)]
    repeats: Option<usize>,

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
    if let Scores::Numbers(numbers) = &report.scores
        && numbers.transform != TargetTransform::None
    {
        let mut overflow = Overflow::default();
        overflow.observe(numbers.predicted.view());
        overflow.warn("row", |target| numbers.targets[target].name.clone());
    }
    if let Some(folder) = &arguments.out {
        folder::write(folder, &report)?;
    }
    console::print(&match arguments.json {
        true => json::text(&report, arguments.out.as_deref())?,
        false => text::text(&report),
    })?;
    if let (Some(folder), false) = (&arguments.out, arguments.samples.quiet) {
        console::note(&format!("written to {}", folder.display()));
    }
    Ok(Outcome::Done)
}

fn report<T: Element>(arguments: &EvaluateArguments, file: &Path) -> anyhow::Result<Report> {
    let model = model_path::load::<T>(file)?;
    let samples = arguments.samples.samples(&arguments.data, model.schema())?;
    let importance = match &arguments.importance {
        Some(score) => Some(importance(arguments, score.as_deref(), &model, &samples)?),
        None => None,
    };
    Report::new(&model, file, samples, &arguments.threshold, importance)
}

/// Computes the importance of the features, the greatest first.
fn importance<T: Element>(
    arguments: &EvaluateArguments,
    asked: Option<&str>,
    model: &Model<T>,
    samples: &Samples<T>,
) -> anyhow::Result<ImportanceReport> {
    const REPEATS: usize = 5;
    let repeats = arguments.repeats.unwrap_or(REPEATS);
    let score = match (asked, model.schema().task) {
        (Some(name), _) => name.parse()?,
        (None, Task::Regression) => Score::R2,
        (None, Task::Classification | Task::Binary) => Score::Accuracy,
    };
    ensure!(
        arguments.threshold.is_empty() || !matches!(score, Score::Accuracy | Score::F1),
        usage(format!(
            "--importance by the {score} is that of the more probable class and not of --threshold: choose --importance=auc, or \
             leave one of both out"
        ))
    );
    ensure!(
        !score.is_of_probabilities() || model.check_probabilities().is_ok(),
        usage(format!(
            "--importance={score} is for models with probabilities, and this one has scores of the classes alone: choose \
             accuracy, f1 or loss"
        ))
    );
    score::check("--importance", score, model.schema().task, model.schema().outputs)?;
    if !arguments.samples.quiet {
        let features = format::counted(samples.dataset.features(), "feature");
        let orders = format::counted(repeats, "random order");
        console::note(&format!(
            "importance of {features} by the {score}, each in {orders}"
        ));
    }
    let seed = arguments.samples.seed;
    let mut features = model.permutation_importance(&samples.dataset, score, repeats, seed)?;
    features.sort_by(|one, other| other.mean.total_cmp(&one.mean));
    Ok(ImportanceReport {
        score,
        repeats,
        features,
    })
}
