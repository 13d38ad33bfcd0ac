//! The command's arguments: names, ranges, defaults and help.

use std::path::PathBuf;

use clap::{ArgMatches, Args, Parser, Subcommand};

use super::doctor::scaling::arguments::ScalingArguments;
use super::parse::whole;
use super::ranks;
use super::settings::Settings;
use super::tables::{self, TablesArguments};
use super::{
    Outcome, completions, datasets, doctor, evaluate, export, import, inspect, man, predict, train, tune,
    usage,
};

const EXAMPLES: &str = "\
Examples:
  mfnet train digits --epochs 5            needs no files
  mfnet train mnist                        784 - 512 ReLU - 10, 100 epochs
  mfnet train mnist --linear --json        the linear model, the result as JSON
  mfnet train wine.csv --target quality --validation 0.2 --early-stopping 10 --out wine
  mfnet train sales.csv --target price --target-transform log --split-by-time day --test 0.2 --weights units
  mfnet train fashion-mnist --hidden 512,128 --dropout 0.2 --optimizer adamw --lr-schedule cosine --epochs 20
  mfnet train california-housing --clip-norm 1 --precision f64
  mfnet doctor                             the speed of this machine, with advice";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  mfnet doctor                                 the speed of this machine, with advice
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

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failure: data unavailable or damaged, training diverged, output not writable
  2    invalid arguments
  130  interrupted by Ctrl-C, SIGTERM or SIGHUP: the current batch is finished, and the summary covers the
       completed epochs; a second Ctrl-C ends the program at once";

/// Trains fully connected neural networks on a multicore CPU.
#[derive(Debug, Parser)]
#[command(name = "mfnet", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

impl Arguments {
    /// Runs the command; `matches` are what the arguments were made of.
    pub(super) fn run(&self, matches: &ArgMatches) -> anyhow::Result<Outcome> {
        mfnet::internal::machine::check_instructions().map_err(|error| usage(error.to_string()))?;
        if !matches!(self.command, Command::Train(_)) {
            ranks::refuse()?;
        }
        match &self.command {
            Command::Train(arguments) => train::train(arguments, matches),
            Command::Tune(arguments) => tune::tune(arguments),
            Command::Evaluate(arguments) => evaluate::evaluate(arguments),
            Command::Predict(arguments) => predict::predict(arguments),
            Command::Inspect(arguments) => inspect::inspect(arguments),
            Command::Datasets(arguments) => datasets::datasets(arguments),
            Command::Export(arguments) => export::export(arguments),
            Command::Import(arguments) => import::import(arguments),
            Command::Completions(arguments) => completions::completions(arguments),
            Command::Man(arguments) => man::man(arguments),
            Command::Doctor(arguments) => doctor::doctor(arguments),
            Command::Tables(arguments) => tables::tables(arguments),
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network, and report its scores.
    ///
    /// Without options, this trains one hidden layer of 512 ReLU units on MNIST, as the course report does that mfnet
    /// rebuilds (see the README). On a file of your own it predicts the last column from the others, by
    /// one layer of 200 units with settings that do well on many tables (docs/DEFAULTS.md). The summary goes to
    /// standard output, progress to standard error; with --out, model, history and pictures go to a folder.
    #[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"), allow_negative_numbers = true)]
    Train(Box<TrainArguments>),
    /// Search for good settings (hyperparameters): train with each combination of values, and rank the results.
    ///
    /// Takes the options of train, most of them with several values. The table, the best first, goes to standard output,
    /// progress to standard error; with --out, the best settings become a config.toml for train.
    #[command(after_help = format!("{}\n\n{EXIT_CODES}", tune::EXAMPLES), allow_negative_numbers = true)]
    Tune(Box<tune::TuneArguments>),
    /// Evaluate a model on samples whose targets are known.
    ///
    /// Classes: loss, accuracy, precision, recall and F1 of each class, and the confusion matrix. Numbers: loss, R2, RMSE
    /// and MAE of each target. Yes/no targets: loss, accuracy, precision, recall and F1 of each, and the share of samples that
    /// are right in all. Each sample counts the same, also where the training had --weights. The scores go to standard output,
    /// everything else to standard error.
    #[command(after_help = evaluate::EXAMPLES)]
    Evaluate(evaluate::EvaluateArguments),
    /// Predict the classes or numbers of samples.
    ///
    /// CSV with one line of names, and one line for each sample: `prediction` with the names of the classes (--proba: a
    /// column for each class), or a column for each target; of a yes/no target, its value (--proba: the probability of yes). A CSV file may be larger than the memory: it is read in
    /// parts, and the predictions of one part are written before the next is read. An error in a later part then ends a
    /// table on standard output early, with exit code 1; a file of --out is there only when it is whole.
    #[command(after_help = predict::EXAMPLES)]
    Predict(predict::PredictArguments),
    /// Show the content of a model file: layers, features, classes, normalization.
    #[command(after_help = inspect::EXAMPLES)]
    Inspect(inspect::InspectArguments),
    /// List, download and verify the known data sets.
    #[command(after_help = datasets::EXAMPLES)]
    Datasets(datasets::DatasetsArguments),
    /// Export a model for other programs, as an ONNX file.
    #[command(after_help = export::EXAMPLES)]
    Export(export::ExportArguments),
    /// Import the weights of a model that was trained elsewhere, such as in PyTorch.
    ///
    /// Such a file has neither activation functions nor the meaning of the data: the options name them. Features go to
    /// the network unchanged, unless they are pixels: if training normalized them, your files must have them normalized.
    #[command(after_help = import::EXAMPLES)]
    Import(import::ImportArguments),
    /// Write the completion script of a shell.
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::CompletionsArguments),
    /// Write the manual pages, for `man`.
    #[command(after_help = man::EXAMPLES)]
    Man(man::ManArguments),
    /// Report how fast this machine and this build are, with advice if they could be faster.
    ///
    /// Measures for two seconds or so: the peak of the CPU, matrix products, memory and threads. Advice is no failure:
    /// the exit code is 0 with it and without. With --scaling it measures a network's training instead: the tasks of a
    /// step on one thread, from which a simulation predicts the step on more threads than there are here.
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(DoctorArguments),
    /// Repeat the timing tables of the course report: times, losses and accuracies of its trainings.
    ///
    /// Each training runs in f64 and f32, and as the plain implementation, whose time may be scaled up from fewer
    /// epochs; beside them stand the seconds that the report prints. One more job trains on MNIST until 98 % of the
    /// test set are right. With --jobs all, networks of other shapes follow, most of them on data drawn from the seed.
    /// Each row tells the GFLOP/s of its products and their share of the peak that `mfnet doctor` measures. The table
    /// goes to standard output, progress to standard error.
    #[command(after_help = TABLES_EXAMPLES)]
    Tables(TablesArguments),
}

/// The arguments of `mfnet train`.
#[derive(Debug, Args)]
pub(super) struct TrainArguments {
    #[command(flatten)]
    pub(super) settings: Settings,

    /// Read the settings from this file, such as the config.toml of an earlier run; options on the command line override it
    #[arg(long, value_name = "FILE", help_heading = "Run", conflicts_with = "resume")]
    pub(super) config: Option<PathBuf>,

    /// Save the run in this folder, which must be new or empty: the model, its settings, history, summary and pictures
    #[arg(long, value_name = "DIR", help_heading = "Run", conflicts_with = "resume")]
    pub(super) out: Option<PathBuf>,

    /// Save a checkpoint in the folder of the run every N epochs, and at its end [default: only when the run is interrupted]
    #[arg(long, value_name = "N", help_heading = "Run", value_parser = whole::<{ usize::MAX }>)]
    pub(super) checkpoint_every: Option<usize>,

    /// Resume the run in this folder from its checkpoint, with its settings: only --epochs, --threads, --data-dir and
    /// --no-download can change
    #[arg(long, value_name = "DIR", help_heading = "Run")]
    pub(super) resume: Option<PathBuf>,

    /// Show no progress, only the result and warnings
    #[arg(long, help_heading = "Run")]
    pub(super) quiet: bool,

    /// Write the result to standard output as one JSON object, and everything else to standard error
    #[arg(long, help_heading = "Run")]
    pub(super) json: bool,
}

/// The arguments of `mfnet doctor`.
#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// Write the report as one JSON object
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) scaling: ScalingArguments,
}
