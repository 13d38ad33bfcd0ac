//! `mfnet predict`: what a model says of samples.

mod arrays;
mod table;

use std::ffi::OsStr;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::ensure;
use clap::Args;
use mfnet::checkpoint::{Precision, precision_of};
use mfnet::data::{TargetTransform, Task};
use mfnet::metrics::{answers as answers_of, answers_at, labels_at};
use mfnet::{Element, Error, Model, argmax};
use ndarray::Array2;

use self::arrays::Arrays;
use self::table::Table;
use super::data_source::DataSource;
use super::out_file::{OutFile, refusal};
use super::overflow::Overflow;
use super::sample_arguments::{KeptColumns, Part, SampleArguments};
use super::settings::{ColumnList, names_of};
use super::threshold::{self, Threshold, Thresholds};
use super::train::use_threads;
use super::{Outcome, console, model_path, usage};

pub(super) const EXAMPLES: &str = "\
Examples:
  mfnet predict run trees.csv                       one line for each row, on standard output
  mfnet predict run trees.csv --proba --out predictions.csv
  mfnet predict run trees.csv --keep id,date        these two columns of trees.csv, then the predictions
  mfnet predict run x.npy --out y.npy
  tail -n +2 trees.csv | mfnet predict run - --header no | sort | uniq -c";

/// The arguments of `mfnet predict`.
#[derive(Debug, Args)]
pub(super) struct PredictArguments {
    /// The model: its file, or a run folder with a model.safetensors in it
    model: PathBuf,

    /// Samples: a CSV file (also .gz) with the model's features, by their names where both have such, and any other
    /// columns; an NPY file; an NPZ file with x, x_test or a single array; - for CSV from standard input; or the name of
    /// a data set, for its test samples
    #[arg(value_name = "DATA")]
    data: DataSource,

    /// The probability of each class, a column for each [default: the name of the predicted class], or of the yes of each
    /// yes/no target [default: its predicted value]. A classifier that was trained with --loss mse has none
    #[arg(long)]
    proba: bool,

    #[arg(long, value_name = "[NAME=]P", conflicts_with = "proba", help = threshold::HELP)]
    threshold: Vec<Threshold>,

    /// Columns of a CSV file with a header that are copied as they are before the predictions, such as an identifier: names, or
    /// positions counted from 0 (-1 is the last). A prediction with the name of such a column is called `predicted NAME`
    #[arg(long, value_name = "COLUMN[,COLUMN...]", allow_hyphen_values = true)]
    keep: Vec<ColumnList>,

    /// Write to this file, which is replaced if there is one [default: standard output]. A name that ends in .npy or
    /// .npz makes it one of NumPy's: classes by their numbers, yes/no targets as 1 and 0
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    samples: SampleArguments,
}

/// What is told of each sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Class,
    /// A yes or no for each target.
    Answers,
    Probabilities,
    Numbers,
}

/// The predictions for some samples, in their order.
#[derive(Debug)]
struct Answers<T> {
    /// Samples x outputs: probabilities of classes or of yes, scores where there are no probabilities, or numbers.
    values: Array2<T>,
    /// The predicted class of each sample, or its answers, 1 for yes and 0 for no, one for each target; empty for numbers.
    classes: Vec<u32>,
    /// The columns to be copied before the predictions, if there are any.
    kept: Option<KeptColumns>,
}

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    Npy,
    Npz,
}

pub(super) fn predict(arguments: &PredictArguments) -> anyhow::Result<Outcome> {
    use_threads(arguments.samples.threads)?;
    model_path::check_order("predict", &arguments.model, &arguments.data)?;
    let file = model_path::file_of(&arguments.model)?;
    match precision_of(&file)? {
        Precision::F32 => predict_in::<f32>(arguments, &file),
        Precision::F64 => predict_in::<f64>(arguments, &file),
    }?;
    Ok(Outcome::Done)
}

fn predict_in<T: Element>(arguments: &PredictArguments, file: &Path) -> anyhow::Result<()> {
    let model = model_path::load::<T>(file)?;
    let schema = model.schema();
    let wanted = match schema.task {
        Task::Classification | Task::Binary if arguments.proba => Wanted::Probabilities,
        Task::Binary => Wanted::Answers,
        Task::Classification => Wanted::Class,
        Task::Regression => Wanted::Numbers,
    };
    ensure!(
        wanted != Wanted::Numbers || !arguments.proba,
        usage("--proba is for classes, and this model predicts numbers: leave it out".to_owned())
    );
    if wanted == Wanted::Probabilities
        && let Err(error) = model.check_probabilities()
    {
        let problem = match error {
            Error::InvalidData { problem, .. } => problem,
            other => other.to_string(),
        };
        return Err(usage(format!("--proba is not available: {problem}")).into());
    }
    let thresholds = Thresholds::of(&arguments.threshold, &model)?;
    let out = arguments.out.as_deref();
    let form = out.map_or(Form::Csv, Form::of);
    let keep = names_of(&arguments.keep);
    ensure!(
        keep.is_empty() || form == Form::Csv,
        usage(
            "--keep is for predictions as CSV, and NumPy's files have no columns of text: leave it out"
                .to_owned()
        )
    );
    // Before any work is done for a file that cannot be.
    let mut sink = Sink::create(out)?;
    let parts = arguments.samples.inputs(&arguments.data, schema, &keep)?;
    let mut overflow = Overflow::default();
    let answers = parts.map(|part| {
        let answers = answers(&model, thresholds.as_ref(), part?)?;
        if schema.target_transform != TargetTransform::None {
            overflow.observe(answers.values.view());
        }
        Ok(answers)
    });
    let written = match form {
        Form::Csv => Table::new(schema, wanted).write(answers, &mut sink),
        Form::Npy | Form::Npz => Arrays::collect(answers, schema.outputs)?.write(form, wanted, &mut sink),
    };
    match written {
        // Who reads no more has read enough.
        Err(error) if out.is_none() && is_broken_pipe(&error) => return Ok(()),
        Err(error) if error.is::<io::Error>() => return Err(error.context(sink.refusal())),
        other => other?,
    }
    sink.finish()?;
    overflow.warn("row", |target| model_path::target_name(schema, target));
    Ok(())
}

fn answers<T: Element>(
    model: &Model<T>,
    thresholds: Option<&Thresholds>,
    part: Part<T>,
) -> anyhow::Result<Answers<T>> {
    let Part { inputs: design, kept } = part;
    // A table of names alone has no samples to predict for, and its answer is names alone.
    if design.is_empty() {
        return Ok(Answers {
            values: Array2::zeros((0, model.schema().outputs)),
            classes: Vec::new(),
            kept,
        });
    }
    let outputs = model.predict(design.view())?;
    let task = model.schema().task;
    let mut classes = match task {
        Task::Classification => argmax(outputs.view())?,
        Task::Binary | Task::Regression => Vec::new(),
    };
    let mut yes = match task {
        Task::Binary => answers_of(outputs.view())?,
        Task::Classification | Task::Regression => Array2::default((0, 0)),
    };
    let values = match model.check_probabilities() {
        Ok(()) => model.probabilities(outputs)?,
        Err(_) => outputs,
    };
    match thresholds {
        None => {}
        Some(&Thresholds::Class(class, probability)) => {
            classes = labels_at(values.view(), class as u32, probability)?;
        }
        Some(Thresholds::Answers(thresholds)) => yes = answers_at(yes, values.view(), thresholds)?,
    }
    classes.extend(yes.iter().map(|&yes| u32::from(yes)));
    Ok(Answers {
        values,
        classes,
        kept,
    })
}

impl Form {
    fn of(path: &Path) -> Self {
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "npy" => Form::Npy,
            "npz" => Form::Npz,
            _ => Form::Csv,
        }
    }
}

/// Where the output goes.
#[derive(Debug)]
enum Sink {
    Standard,
    /// Standard output that is a terminal, which must not obey the names in a file.
    Terminal,
    File(OutFile, PathBuf),
}

impl Sink {
    fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        Ok(match path {
            None if io::stdout().is_terminal() => Sink::Terminal,
            None => Sink::Standard,
            Some(path) => Sink::File(OutFile::create(path)?, path.to_owned()),
        })
    }

    fn refusal(&self) -> String {
        match self {
            Sink::Standard | Sink::Terminal => "cannot write to standard output".to_owned(),
            Sink::File(_, path) => refusal(path),
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Sink::Standard | Sink::Terminal => Ok(()),
            Sink::File(file, _) => file.finish(),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::Standard => io::stdout().lock().write(bytes),
            Sink::Terminal => {
                let text = String::from_utf8_lossy(bytes);
                io::stdout()
                    .lock()
                    .write_all(console::readable(&text).as_bytes())?;
                Ok(bytes.len())
            }
            Sink::File(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Standard | Sink::Terminal => io::stdout().lock().flush(),
            Sink::File(file, _) => file.flush(),
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
