//! Training: the trainer, its options, its history, and the training loop.

mod divergence;
mod early_stop;
mod event;
mod history;
mod lbfgs;
mod monitor;
mod options;
mod run;
mod sets;
#[cfg(feature = "save")]
mod settings;
mod state;
mod tolerance;
mod trainer;

#[cfg(feature = "save")]
pub(crate) use early_stop::{BestWeights, EarlyStop};
pub use event::Event;
pub use history::{EpochRecord, History, StopReason};
pub use lbfgs::{LbfgsEnd, LbfgsOptions, LbfgsResult, fit_lbfgs};
pub use options::TrainOptions;
pub use run::Run;
pub use sets::Sets;
#[cfg(feature = "save")]
pub(crate) use settings::{Settings, difference, settings};
#[cfg(feature = "save")]
pub(crate) use state::{BatchOrder, InterruptedEpoch, TrainState, TrainingData};
pub use tolerance::Tolerance;
#[cfg(feature = "save")]
pub(crate) use tolerance::ToleranceState;
pub use trainer::Trainer;
