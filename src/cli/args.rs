//! The command's arguments: names, ranges, defaults and help.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mfnet::{Clip, Reduction, Shuffle, TrainOptions};

use super::tables::TablesArguments;
use super::{completions, datasets, evaluate, export, import, inspect, man, predict};

const EXAMPLES: &str = "\
Examples:
  mfnet train digits --epochs 5            needs no files
  mfnet train mnist                        784 - 512 ReLU - 10, 100 epochs
  mfnet train mnist --linear --json        the linear model, the result as JSON
  mfnet train california-housing --clip-norm 1 --precision f64
  mfnet train mnist --hidden 512,128 --activation tanh --epochs 20 --test-interval 5
  mfnet doctor                             what makes a run slow here, and what to do";

const TABLES_EXAMPLES: &str = "\
Examples:
  mfnet tables                                 all of it: up to half an hour
  mfnet tables --epochs 2 --plain-epochs 1     a quick look
  mfnet tables --rows housing-linear,housing-network
  mfnet tables --peers --python venv/bin/python --out results";

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed: data not to be had or damaged, training diverged, output not writable
  2    arguments that cannot be
  130  ended by Ctrl-C or SIGTERM: the current batch is finished and the completed epochs are
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
    /// 512 ReLU units. The summary goes to standard output, progress to standard error.
    #[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"), allow_negative_numbers = true)]
    Train(TrainArguments),
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
    /// the exit code is 0 with it and without.
    Doctor(DoctorArguments),
    /// Run the report's trainings, and show times, losses and accuracies in one table.
    ///
    /// Each training runs in f64 and f32, and as the plain implementation, whose time may be scaled up from fewer
    /// epochs. The table goes to standard output, progress to standard error.
    #[command(after_help = TABLES_EXAMPLES)]
    Tables(TablesArguments),
}

/// What `mfnet train` can be told.
#[derive(Debug, Args)]
pub(super) struct TrainArguments {
    /// What to learn [default: mnist; where it cannot be had, digits]
    pub(super) dataset: Option<DatasetName>,

    /// Train the linear model, which has no hidden layer
    #[arg(long, conflicts_with_all = ["hidden", "activation"])]
    pub(super) linear: bool,

    /// Units of each hidden layer, in a row
    #[arg(long, value_name = "N[,N...]", value_delimiter = ',', default_value = "512", value_parser = whole::<1_000_000>)]
    pub(super) hidden: Vec<usize>,

    /// What each hidden layer applies to its output
    #[arg(long, value_name = "NAME", default_value = "relu")]
    pub(super) activation: ActivationName,

    /// Times that every sample is learned from [default: 100; california-housing: 500]
    #[arg(long, value_name = "N", value_parser = whole::<{ usize::MAX }>)]
    pub(super) epochs: Option<usize>,

    /// Samples of a step
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = whole::<{ usize::MAX }>)]
    pub(super) batch_size: usize,

    /// Learning rate
    #[arg(long, value_name = "X", default_value_t = 0.001, value_parser = above_zero)]
    pub(super) lr: f64,

    /// How a batch's gradients become a step [default: sum; california-housing: mean]
    #[arg(long, value_name = "NAME")]
    pub(super) reduction: Option<ReductionName>,

    /// What is put in a fresh order before each epoch
    #[arg(long, value_name = "WHAT", default_value = "samples")]
    pub(super) shuffle: ShuffleName,

    /// Limit to the L2 norm of each weight tensor's gradient [default: none]
    #[arg(long, value_name = "X", conflicts_with = "clip_global_norm", value_parser = above_zero)]
    pub(super) clip_norm: Option<f64>,

    /// Limit to the L2 norm of all gradients together [default: none]
    #[arg(long, value_name = "X", value_parser = above_zero)]
    pub(super) clip_global_norm: Option<f64>,

    /// The type of all numbers; f32 is twice as fast
    #[arg(long, value_name = "TYPE", default_value = "f32")]
    pub(super) precision: Precision,

    /// Threads to work with; results do not depend on their number [default: one for each core]
    #[arg(long, value_name = "N", value_parser = whole::<1024>)]
    pub(super) threads: Option<usize>,

    /// Seed of weights, orders, the split of california-housing and the drawing of digits
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,

    /// Epochs from one test to the next; the last epoch is always tested
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<{ usize::MAX }>)]
    pub(super) test_interval: usize,

    /// Folder of data sets, with files such as DIR/mnist/train-images-idx3-ubyte.gz [default: the environment variable
    /// MFNET_DATA_DIR]
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,

    /// Download nothing [default: download what neither folder nor cache holds into the cache]
    #[arg(long)]
    pub(super) no_download: bool,

    /// Show no progress, only the result and warnings
    #[arg(long)]
    pub(super) quiet: bool,

    /// Write the result to standard output as one JSON object, and all else to standard error
    #[arg(long)]
    pub(super) json: bool,
}

/// What `mfnet doctor` can be told.
#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// Write the report as one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

impl TrainArguments {
    /// What the training loop is told.
    pub(super) fn options(&self, epochs: usize) -> TrainOptions {
        TrainOptions {
            epochs: self.epochs.unwrap_or(epochs),
            batch_size: self.batch_size,
            shuffle: match self.shuffle {
                ShuffleName::Samples => Shuffle::Samples,
                ShuffleName::Batches => Shuffle::Batches,
                ShuffleName::None => Shuffle::None,
            },
            seed: self.seed,
            test_interval: self.test_interval,
            ..TrainOptions::default()
        }
    }

    /// The reduction asked for, else this one.
    pub(super) fn reduction_or(&self, default: Reduction) -> Reduction {
        match self.reduction {
            Some(ReductionName::Mean) => Reduction::Mean,
            Some(ReductionName::Sum) => Reduction::Sum,
            None => default,
        }
    }

    /// The limit to gradients.
    pub(super) fn clip(&self) -> Option<Clip> {
        let global = self.clip_global_norm.map(Clip::Global);
        self.clip_norm.map(Clip::PerTensor).or(global)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DatasetName {
    /// Handwritten digits: 60,000 + 10,000 samples, 784 pixels, 10 classes
    Mnist,
    /// Digits drawn by the program itself: as MNIST, but needs no files
    Digits,
    /// House values of 20,640 districts, 8 features, all normalised; a fifth for the test
    CaliforniaHousing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ActivationName {
    Relu,
    Sigmoid,
    Tanh,
    Identity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReductionName {
    Mean,
    Sum,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ShuffleName {
    Samples,
    Batches,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Precision {
    F32,
    F64,
}

/// A whole number from 1 to `MAX`.
pub(super) fn whole<const MAX: usize>(text: &str) -> Result<usize, String> {
    let range: RangeInclusive<usize> = 1..=MAX;
    let expected: &dyn Display = if MAX == usize::MAX {
        &"it must be a whole number of at least 1"
    } else {
        &format_args!("it must be a whole number from 1 to {MAX}")
    };
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| expected.to_string())
}

/// A finite number above 0.
fn above_zero(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "it must be a finite number above 0".to_owned())
}
