//! The command's arguments: names, ranges, defaults and help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::doctor::scaling::arguments::ScalingArguments;
use super::parse::whole;
use super::settings::Settings;
use super::tables::TablesArguments;
use super::{completions, datasets, evaluate, export, import, inspect, man, predict, tune};

const EXAMPLES: &str = "\
Examples:
  mfnet train digits --epochs 5            needs no files
  mfnet train mnist                        784 - 512 ReLU - 10, 100 epochs
  mfnet train mnist --linear --json        the linear model, the result as JSON
  mfnet train wine.csv --target quality --validation 0.2 --early-stopping 10 --out wine
  mfnet train fashion-mnist --hidden 512,128 --dropout 0.2 --optimizer adamw --lr-schedule cosine --epochs 20
  mfnet train california-housing --clip-norm 1 --precision f64
  mfnet doctor                             what makes a run slow here, and what to do";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  mfnet doctor                                 what makes a run slow here, and what to do
  mfnet doctor --json                          the same for a program
  mfnet doctor --scaling                       how fast 784-512-10 trains on 1 to 64 threads
  mfnet doctor --scaling --network 28-64-32-2 --batch-size 256 --optimizer adam";

const TABLES_EXAMPLES: &str = "\
Examples:
  mfnet tables                                 the report's trainings: up to half an hour
  mfnet tables --epochs 2 --plain-epochs 1     a quick look
  mfnet tables --jobs all --plain-epochs 0     networks of other shapes too
  mfnet tables --rows housing-linear,mnist-98  single jobs
  mfnet tables --peers --python venv/bin/python --out results";

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed: data not to be had or damaged, training diverged, output not writable
  2    arguments that cannot be
  130  ended by Ctrl-C, SIGTERM or SIGHUP: the current batch is finished and the completed epochs are
       summed up; a second Ctrl-C kills";

/// Trains fully connected neural networks on a multicore CPU.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Train a network and say how good it became.
    ///
    /// Without options, this trains the network of the report with the settings of the report: one hidden layer of
    /// 512 ReLU units, on MNIST. On a file of your own it predicts the last column from the others. The summary goes to
    /// standard output, progress to standard error; with --out, model, history and pictures go to a folder.
    #[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"), allow_negative_numbers = true)]
    Train(Box<TrainArguments>),
    /// Find good settings: train with each combination of several values, and say which is best.
    ///
    /// Takes the options of train, most of them with several values. The table, the best first, goes to standard output,
    /// progress to standard error; with --out, the best settings become a config.toml for train.
    #[command(after_help = format!("{}\n\n{EXIT_CODES}", tune::EXAMPLES), allow_negative_numbers = true)]
    Tune(Box<tune::TuneArguments>),
    /// Say how good a model is on samples whose targets are known.
    ///
    /// Classes: loss, accuracy, precision, recall and F1 of each, and which are taken for which. Numbers: loss, R2, RMSE
    /// and MAE of each target. The scores go to standard output, all else to standard error.
    #[command(after_help = evaluate::EXAMPLES)]
    Evaluate(evaluate::EvaluateArguments),
    /// Predict classes or numbers of samples, in their order.
    ///
    /// CSV with one line of names, and one line for each sample: `prediction` with the names of the classes (--proba: a
    /// column for each class), or a column for each target. A CSV file may be larger than the memory: it is read in
    /// parts, and what is told of one part is written before the next is read. An error in a later part then ends a
    /// table on standard output early, with exit code 1; a file of --out is there only when it is whole.
    #[command(after_help = predict::EXAMPLES)]
    Predict(predict::PredictArguments),
    /// Show what is in a model file: layers, features, classes, scales.
    #[command(after_help = inspect::EXAMPLES)]
    Inspect(inspect::InspectArguments),
    /// Show the data sets that have names: what they are and where; fetch them, verify them.
    #[command(after_help = datasets::EXAMPLES)]
    Datasets(datasets::DatasetsArguments),
    /// Write a model in another form, for other programs to predict with.
    #[command(after_help = export::EXAMPLES)]
    Export(export::ExportArguments),
    /// Make a model of weights that were trained elsewhere, such as in PyTorch.
    ///
    /// The file says neither what is between its layers nor what its data mean: the options do. Features go to the
    /// network as they are, unless they are pixels: what was normalised in training must be normalised in your files.
    #[command(after_help = import::EXAMPLES)]
    Import(import::ImportArguments),
    /// Write what a shell needs to complete commands and options.
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::CompletionsArguments),
    /// Write the manual, for `man`.
    #[command(after_help = man::EXAMPLES)]
    Man(man::ManArguments),
    /// Say what does the work, how fast it is, and what to do where it could be faster.
    ///
    /// Measures for two seconds or so: the peak of the CPU, matrix products, memory and threads. Advice is no failure:
    /// the exit code is 0 with it and without. With --scaling it measures a network's training instead: the tasks of a
    /// step on one thread, from which a simulation predicts the step on more threads than there are here.
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(DoctorArguments),
    /// Run the report's trainings, and show times, losses and accuracies in one table.
    ///
    /// Each training runs in f64 and f32, and as the plain implementation, whose time may be scaled up from fewer
    /// epochs; beside them stand the seconds that the report prints. One more job trains on MNIST until 98 % of the
    /// test set are right. With --jobs all, networks of other shapes follow, most of them on data drawn from the seed.
    /// Each row tells the GFLOP/s of its products and their share of the peak that `mfnet doctor` measures. The table
    /// goes to standard output, progress to standard error.
    #[command(after_help = TABLES_EXAMPLES)]
    Tables(TablesArguments),
}

/// What `mfnet train` can be told.
#[derive(Debug, Args)]
pub(super) struct TrainArguments {
    #[command(flatten)]
    pub(super) settings: Settings,

    /// Take the settings of this file, such as an earlier run's config.toml; options given here go first
    #[arg(long, value_name = "FILE", help_heading = "Run", conflicts_with = "resume")]
    pub(super) config: Option<PathBuf>,

    /// Save the run in this folder, which must be new or empty: the model, its settings, history, summary and pictures
    #[arg(long, value_name = "DIR", help_heading = "Run", conflicts_with = "resume")]
    pub(super) out: Option<PathBuf>,

    /// Save a checkpoint in the run's folder every so many epochs [default: none, but at an interrupt]
    #[arg(long, value_name = "N", help_heading = "Run", value_parser = whole::<{ usize::MAX }>)]
    pub(super) checkpoint_every: Option<usize>,

    /// Go on with the run in this folder from its checkpoint; its settings hold, and only --epochs, --threads and where
    /// data are looked for can be set anew
    #[arg(long, value_name = "DIR", help_heading = "Run")]
    pub(super) resume: Option<PathBuf>,

    /// Show no progress, only the result and warnings
    #[arg(long, help_heading = "Run")]
    pub(super) quiet: bool,

    /// Write the result to standard output as one JSON object, and all else to standard error
    #[arg(long, help_heading = "Run")]
    pub(super) json: bool,
}

/// What `mfnet doctor` can be told.
#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// Write the report as one JSON object
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) scaling: ScalingArguments,
}
