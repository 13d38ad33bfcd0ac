//! Where a training stands: what its next epoch depends on, besides the network, the optimizer, the options and the data.

use ndarray::Array2;

use super::history::History;
use crate::optimizer::ScheduleState;

/// Where a training stands; a checkpoint keeps it.
#[derive(Debug, Clone)]
pub(crate) struct TrainState<T> {
    pub(crate) history: History,
    /// The learning rate that the schedule starts from; none before the first epoch.
    pub(crate) base_rate: Option<f64>,
    /// Where the schedule stands; none before the first epoch.
    pub(crate) schedule: Option<ScheduleState>,
    /// The epoch that was begun and interrupted.
    pub(crate) partial: Option<Partial>,
    /// None without early stopping, and before the first epoch.
    pub(crate) best: Option<Best<T>>,
}

/// A part of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Partial {
    /// The batches that were learned from.
    pub(crate) batches: usize,
    /// The sum of their losses.
    pub(crate) loss: f64,
    /// The seconds they took.
    pub(crate) seconds: f64,
}

/// The weights that were best so far.
#[derive(Debug, Clone)]
pub(crate) struct Best<T> {
    pub(crate) epoch: usize,
    /// What they were judged by.
    pub(crate) loss: f64,
    pub(crate) weights: Vec<Array2<T>>,
}

impl<T> Default for TrainState<T> {
    fn default() -> Self {
        TrainState {
            history: History::default(),
            base_rate: None,
            schedule: None,
            partial: None,
            best: None,
        }
    }
}
