//! Training: one loop, and thin wrappers for the two kinds of task.

mod history;
mod options;
mod run;

pub use history::{EpochRecord, History};
pub use options::TrainOptions;
pub use run::{Event, train, train_test_classification, train_test_regression};
