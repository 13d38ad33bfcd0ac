//! The state of a training: what its next epoch depends on, besides the network, the optimizer, the options and the data.

use super::early_stop::EarlyStop;
use super::history::{History, StopReason};
use super::options::TrainOptions;
use super::sets::Sets;
use crate::data::{Dataset, Fingerprint, Shuffle};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::optimizer::ScheduleState;

/// How far a training has come; a checkpoint keeps it.
#[derive(Debug, Clone)]
pub(crate) struct TrainState<T> {
    pub(crate) history: History,
    /// The complete epochs of `fit`: those of the history without the partial fits.
    pub(crate) epochs: usize,
    /// None before the first epoch.
    pub(crate) schedule: Option<ScheduleState>,
    /// The epoch that was begun and interrupted.
    pub(crate) interrupted: Option<InterruptedEpoch>,
    pub(crate) early_stop: EarlyStop<T>,
    /// The data of the last `fit`; none before the first.
    pub(crate) data: Option<TrainingData>,
    /// Whether `data` comes from a checkpoint, so that the next `fit` must be given the same.
    pub(crate) expects_data: bool,
}

/// An epoch that was begun and interrupted.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub(crate) struct InterruptedEpoch {
    /// The batches that were learned from.
    pub(crate) batches: usize,
    /// The sum of their losses.
    #[cfg_attr(feature = "save", serde(with = "crate::exact"))]
    pub(crate) loss: f64,
    /// The seconds they took.
    pub(crate) seconds: f64,
    /// What the batches were cut from, and how.
    #[cfg_attr(feature = "save", serde(rename = "data"))]
    pub(crate) order: BatchOrder,
}

/// What decides the batches of an epoch, besides the epoch's number: with another order an interrupted epoch cannot be
/// continued. Checkpoints keep the fingerprint of the data alone: the options are those of the resumed training.
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

/// The data that a training depends on.
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
    /// How other data differ from these; none if they agree.
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
    /// Continues a training that early stopping had ended, or whose best weights were restored: its patience starts anew, the
    /// best weights stay.
    pub(super) fn reopen(&mut self) {
        if self.history.restored.take().is_some() {
            self.early_stop.bad_epochs = 0;
        }
        if self.history.stopped == Some(StopReason::EarlyStopping) {
            self.history.stopped = None;
        }
    }
}

impl<T: Element> TrainState<T> {
    /// Takes over the data of a run: refuses a `fit` on other data than a checkpoint's, and gives up an interrupted epoch of
    /// other batches.
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
            data: None,
            expects_data: false,
        }
    }
}
