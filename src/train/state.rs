//! The state of a training: all that its next epoch depends on besides the network, the optimizer, the options and the
//! data.

use super::early_stop::EarlyStop;
use super::history::{History, StopReason};
use super::options::TrainOptions;
use super::sets::Sets;
use super::tolerance::ToleranceState;
use crate::data::{Dataset, Fingerprint, Shuffle};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::optimizer::ScheduleState;

/// The progress of a training, which a checkpoint stores.
#[derive(Debug, Clone)]
pub(crate) struct TrainState<T> {
    pub(crate) history: History,
    /// The number of complete epochs of `fit`: those of the history without the partial fits.
    pub(crate) epochs: usize,
    /// `None` before the first epoch.
    pub(crate) schedule: Option<ScheduleState>,
    /// The epoch that was interrupted, if there is one.
    pub(crate) interrupted: Option<InterruptedEpoch>,
    pub(crate) early_stop: EarlyStop<T>,
    pub(crate) tolerance: ToleranceState,
    /// The data of the last `fit`; `None` before the first.
    pub(crate) data: Option<TrainingData>,
    /// Whether `data` comes from a checkpoint, so that the next `fit` must be given the same.
    pub(crate) expects_data: bool,
}

/// An epoch that was interrupted between two batches.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub(crate) struct InterruptedEpoch {
    /// The number of complete batches.
    pub(crate) batches: usize,
    /// The sum of the losses of these batches.
    #[cfg_attr(feature = "save", serde(with = "crate::exact"))]
    pub(crate) loss: f64,
    /// The sum of the losses of these batches, each times its number of samples; `None` in files of earlier versions.
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(crate) loss_of_samples: Option<f64>,
    /// The training time of these batches in seconds.
    pub(crate) seconds: f64,
    /// The data and the options that decided the batches.
    #[cfg_attr(feature = "save", serde(rename = "data"))]
    pub(crate) order: BatchOrder,
}

/// The data and the options that decide the batches of an epoch, besides its number. An interrupted epoch is continued with
/// the same only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(transparent)
)]
pub(crate) struct BatchOrder {
    data: Fingerprint,
    #[cfg_attr(feature = "save", serde(skip))]
    batch_size: usize,
    #[cfg_attr(feature = "save", serde(skip))]
    shuffle: Shuffle,
    #[cfg_attr(feature = "save", serde(skip))]
    seed: u64,
    #[cfg_attr(feature = "save", serde(skip))]
    drop_last: bool,
}

impl BatchOrder {
    pub(crate) fn new(data: Fingerprint, options: &TrainOptions) -> Self {
        BatchOrder {
            data,
            batch_size: options.batch_size,
            shuffle: options.shuffle,
            seed: options.seed,
            drop_last: options.drop_last,
        }
    }

    #[cfg(feature = "save")]
    pub(crate) fn data(&self) -> Fingerprint {
        self.data
    }
}

/// The fingerprints of the data that a training depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub(crate) struct TrainingData {
    pub(crate) train: Fingerprint,
    pub(crate) validation: Option<Fingerprint>,
}

impl TrainingData {
    /// Describes how the data of a `fit` differ from these; `None` if they agree.
    fn difference(&self, own: &TrainingData) -> Option<String> {
        let text = |data: Option<Fingerprint>| data.map_or("none".to_owned(), |data| data.to_string());
        let sets = [
            ("training", Some(self.train), Some(own.train)),
            ("validation", self.validation, own.validation),
        ];
        let differing = sets.into_iter().filter(|(_, saved, own)| saved != own);
        let lines: Vec<String> = differing
            .map(|(name, saved, own)| {
                format!("the {name} set is {} there and {} here", text(saved), text(own))
            })
            .collect();
        (!lines.is_empty()).then(|| lines.join("; "))
    }
}

impl<T> TrainState<T> {
    /// Lets a training continue that early stopping or a tolerance ended, or whose best weights were restored: the patience
    /// starts anew, and the best weights stay those to improve on.
    pub(super) fn reopen(&mut self) {
        if self.history.restored.is_some() {
            self.early_stop.bad_epochs = 0;
        }
        if self.history.stopped == Some(StopReason::Converged) {
            self.tolerance.bad_epochs = 0;
        }
        if self.history.has_ended() {
            self.history.stopped = None;
        }
    }
}

impl<T: Element> TrainState<T> {
    /// Records the data of a run. Refuses a `fit` on other data than those of the checkpoint, and discards an interrupted
    /// epoch that had other batches.
    pub(super) fn take_data(
        &mut self,
        sets: &Sets<'_, T>,
        is_fit: bool,
        options: &TrainOptions,
    ) -> Result<()> {
        if is_fit {
            let data = TrainingData {
                train: sets.train.fingerprint(),
                validation: sets.validation.map(Dataset::fingerprint),
            };
            let saved = self.data.filter(|_| self.expects_data);
            if let Some(difference) = saved.and_then(|saved| saved.difference(&data)) {
                let problem = format_args!("the checkpoint is of a training on other data: {difference}");
                return Err(Error::data("training", problem));
            }
            // Losses on other data cannot be compared, and weights from before early stopping was paused are outdated.
            if self.data.is_some_and(|known| known != data) || options.early_stopping.is_none() {
                self.early_stop = EarlyStop::default();
            }
            if self.data.is_some_and(|known| known != data) || options.tolerance.is_none() {
                self.tolerance = ToleranceState::default();
            }
            self.data = Some(data);
            self.expects_data = false;
        }
        let order = |data: &Dataset<T>| BatchOrder::new(data.fingerprint(), options);
        self.interrupted
            .take_if(|interrupted| interrupted.order != order(sets.train));
        Ok(())
    }
}

impl<T> Default for TrainState<T> {
    fn default() -> Self {
        TrainState {
            history: History::default(),
            epochs: 0,
            schedule: None,
            interrupted: None,
            early_stop: EarlyStop::default(),
            tolerance: ToleranceState::default(),
            data: None,
            expects_data: false,
        }
    }
}
