//! What `mfnet tables` can be told.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::super::parse::whole;
use super::job::{Data, JOBS, Job, Work};

#[derive(Debug, Args)]
pub(in crate::cli) struct TablesArguments {
    /// Rows to fill [default: all]
    #[arg(long, value_name = "ROW[,ROW...]", value_delimiter = ',', value_parser = jobs())]
    pub(super) rows: Vec<Job>,

    /// Epochs of all trainings [default: the report's, 500 on California Housing and 100 on MNIST]
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

    /// Compare with PyTorch, taking turns
    #[arg(long)]
    pub(super) peers: bool,

    /// The Python that has PyTorch
    #[arg(long, value_name = "PATH", default_value = "python3", requires = "peers")]
    pub(super) python: PathBuf,

    /// Turns of the comparison with PyTorch, each of a second or so
    #[arg(long, value_name = "N", default_value_t = 5, requires = "peers", value_parser = whole::<1000>)]
    pub(super) rounds: usize,

    /// Write the table as tables.md and tables.csv into this folder too, and the comparison with PyTorch as tables.svg
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,

    /// Threads to work with [default: one for each core]
    #[arg(long, value_name = "N", value_parser = whole::<1024>)]
    pub(super) threads: Option<usize>,

    /// Seed of weights, orders and the split of California Housing
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
        let asked = |job: &Job| self.rows.is_empty() || self.rows.contains(job);
        JOBS.into_iter().filter(asked).collect()
    }

    /// The epochs of a job.
    pub(super) fn epochs(&self, job: &Job) -> usize {
        let of_data = match (job.work, job.data) {
            (Work::Mean | Work::Evaluate, _) => return job.epochs,
            (Work::Train, Data::Housing) => self.epochs_housing,
            (Work::Train, Data::Mnist) => self.epochs_mnist,
        };
        of_data.or(self.epochs).unwrap_or(job.epochs)
    }
}

/// A job by its name.
fn jobs() -> impl TypedValueParser<Value = Job> {
    PossibleValuesParser::new(JOBS.map(|job| job.name)).try_map(|name| {
        let job = JOBS.into_iter().find(|job| job.name == name);
        job.ok_or_else(|| format!("there is no row {name}"))
    })
}
