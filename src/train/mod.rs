//! Training: one loop, a trainer that can stop and go on, and thin wrappers for the two kinds of task.

mod history;
mod options;
mod run;
mod sets;
mod state;
mod tasks;
mod trainer;

pub use history::{EpochRecord, History};
pub use options::TrainOptions;
pub use run::{Event, Run};
pub use sets::Sets;
#[cfg(feature = "save")]
pub(crate) use state::{Best, Partial, TrainState};
pub use tasks::{train, train_test_classification, train_test_regression};
pub use trainer::Trainer;
