//! The arguments of `mfnet tables`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::super::parse::whole;
use super::super::settings::PRODUCTS;
use mfnet::internal::jobs::{Data, JOBS, Job, Set, Work};
use mfnet::product::Products;

/// The jobs to run, unless they are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Jobs {
    /// Those of the report, and the time to 98 % on MNIST
    Report,
    /// Networks of other shapes too, on drawn data and Fashion-MNIST
    All,
}

#[derive(Debug, Args)]
pub(crate) struct TablesArguments {
    /// Jobs to run; those whose data are not available are left out
    #[arg(long, value_name = "JOBS", default_value = "report", conflicts_with = "rows")]
    pub(super) jobs: Jobs,

    /// Single jobs to run, by name, of either set
    #[arg(long, value_name = "ROW[,ROW...]", value_delimiter = ',', value_parser = by_name())]
    pub(super) rows: Vec<Job>,

    /// Epochs of all trainings but the one to 98 % [default: the report's, 500 on California Housing and 100 on MNIST; 200 of the smallest
    /// network on drawn data, 5 of the others]
    #[arg(long, value_name = "N", value_parser = whole::<{ usize::MAX }>)]
    epochs: Option<usize>,

    /// Epochs on California Housing [default: as --epochs]
    #[arg(long, value_name = "N", value_parser = whole::<{ usize::MAX }>)]
    epochs_housing: Option<usize>,

    /// Epochs on MNIST [default: as --epochs]
    #[arg(long, value_name = "N", value_parser = whole::<{ usize::MAX }>)]
    epochs_mnist: Option<usize>,

    /// Epochs of the plain implementation, its time then scaled to all; 0 leaves it out [default: as many as begin
    /// within a minute]
    #[arg(long, value_name = "N")]
    pub(super) plain_epochs: Option<usize>,

    /// Compare with PyTorch, scikit-learn and JAX, as far as they are installed, taking turns
    #[arg(long)]
    pub(super) peers: bool,

    /// The Python that has PyTorch, scikit-learn or JAX
    #[arg(long, value_name = "PATH", default_value = "python3", requires = "peers")]
    pub(super) python: PathBuf,

    /// Turns of the comparison with peers, each of a second or so
    #[arg(long, value_name = "N", default_value_t = 5, requires = "peers", value_parser = whole::<1000>)]
    pub(super) rounds: usize,

    /// Write into this folder too: the table as tables.md, tables.csv and tables.json, its GFLOP/s
    /// against the machine's peak as roofline.svg and .png, and the comparison with PyTorch as tables.svg and .png
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,

    /// Print the table as one JSON object
    #[arg(long)]
    pub(super) json: bool,

    /// Implementation of the dense matrix products: of several, each has rows of its own, and the first is compared with the peers
    #[arg(
        long,
        value_name = "BY[,BY...]",
        value_delimiter = ',',
        default_value = "auto",
        value_parser = PRODUCTS.try_map(|name| name.parse::<Products>())
    )]
    pub(super) products: Vec<Products>,

    /// Threads to work with [default: one for each core]
    #[arg(long, value_name = "N", value_parser = whole::<1024>)]
    pub(super) threads: Option<usize>,

    /// Seed of weights, orders, drawn data and the split of California Housing
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,

    /// Folder of data sets [default: the environment variable MFNET_DATA_DIR]
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,

    /// Download nothing
    #[arg(long)]
    pub(super) no_download: bool,

    /// Show no progress
    #[arg(long)]
    pub(super) quiet: bool,
}

impl TablesArguments {
    /// The jobs asked for, in the order of the tables.
    pub(super) fn jobs(&self) -> Vec<Job> {
        let asked = |job: &Job| match self.rows.is_empty() {
            true => job.set == Set::Report || self.jobs == Jobs::All,
            false => self.rows.contains(job),
        };
        JOBS.into_iter().filter(asked).collect()
    }

    /// The epochs of a job.
    pub(super) fn epochs(&self, job: &Job) -> usize {
        let of_data = match (job.work, job.data) {
            (Work::Mean | Work::Reach | Work::Evaluate, _) => return job.epochs,
            (Work::Train, Data::Housing) => self.epochs_housing,
            (Work::Train, Data::Mnist) => self.epochs_mnist,
            (Work::Train, _) => None,
        };
        of_data.or(self.epochs).unwrap_or(job.epochs)
    }
}

/// A job by its name.
fn by_name() -> impl TypedValueParser<Value = Job> {
    PossibleValuesParser::new(JOBS.map(|job| job.name)).try_map(|name| {
        let job = JOBS.into_iter().find(|job| job.name == name);
        job.ok_or_else(|| format!("there is no row {name}"))
    })
}
