//! The history of a training: losses, accuracies and times, epoch by epoch.

use crate::network::Evaluation;

/// One epoch of a training.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[non_exhaustive]
pub struct EpochRecord {
    /// The epoch, counted from 1, partial fits included.
    // Checkpoints have it as the place in the list.
    #[cfg_attr(feature = "save", serde(skip))]
    pub epoch: usize,
    /// The number of samples that were learned from.
    pub samples: usize,
    /// The mean of the losses of its batches, the short last batch weighing as much as the others.
    #[cfg_attr(feature = "save", serde(with = "crate::exact"))]
    pub train_loss: f64,
    /// Loss and accuracy on the validation set; none without one.
    pub validation: Option<Evaluation>,
    /// Loss and accuracy on the test set, in the epochs that were evaluated; none in the others or without a test set.
    pub test: Option<Evaluation>,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Seconds of training, from shuffle to update, without the evaluations.
    pub seconds: f64,
}

impl EpochRecord {
    /// What early stopping and schedules go by: the validation loss, or the training loss where there is none.
    pub fn monitored(&self) -> f64 {
        self.validation
            .map_or(self.train_loss, |validation| validation.loss)
    }
}

/// Why a training ended before its last epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum StopReason {
    /// The observer asked for it.
    Observer,
    /// The loss has not improved for [`TrainOptions::early_stopping`](super::TrainOptions::early_stopping) epochs.
    EarlyStopping,
}

/// The epochs of a training, in order.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct History {
    /// One record an epoch; a partial fit is an epoch, too.
    pub epochs: Vec<EpochRecord>,
    /// Why the training ended before its last epoch; none if it did not.
    pub stopped: Option<StopReason>,
    /// The epoch whose weights the network has, where early stopping restored the best weights; none if it has those of the
    /// last.
    pub restored: Option<usize>,
}

impl History {
    /// Seconds of training, from shuffle to update, without the evaluations.
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }

    /// Samples learned from in a second of training; 0 before the first epoch.
    pub fn samples_per_second(&self) -> f64 {
        let seconds = self.seconds();
        if seconds > 0.0 {
            self.epochs.iter().map(|epoch| epoch.samples as f64).sum::<f64>() / seconds
        } else {
            0.0
        }
    }

    /// The epoch whose weights the network has: the last, or the best where early stopping restored its weights; none
    /// before the first.
    pub fn result(&self) -> Option<&EpochRecord> {
        match self.restored {
            Some(epoch) => self.epochs.iter().find(|record| record.epoch == epoch),
            None => self.epochs.last(),
        }
    }

    /// The training loss of the [resulting](Self::result) epoch; none before the first.
    pub fn train_loss(&self) -> Option<f64> {
        self.result().map(|record| record.train_loss)
    }

    /// The last evaluation of the test set up to the [resulting](Self::result) epoch; none without a test set.
    pub fn test(&self) -> Option<Evaluation> {
        let last = self.result()?.epoch;
        let epochs = self.epochs.iter().rev().filter(|record| record.epoch <= last);
        epochs.filter_map(|record| record.test).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_last_values() {
        assert_eq!(History::default().samples_per_second(), 0.0);
        let test = Evaluation {
            loss: 0.5,
            accuracy: None,
        };
        let record = |epoch, test| EpochRecord {
            epoch,
            samples: 100 * epoch,
            train_loss: 1.0 / epoch as f64,
            validation: None,
            test,
            learning_rate: 0.1,
            seconds: 0.25,
        };
        let mut history = History {
            epochs: vec![record(1, Some(test)), record(2, None), record(3, None)],
            ..History::default()
        };
        assert_eq!((history.seconds(), history.samples_per_second()), (0.75, 800.0));
        assert_eq!(
            (history.train_loss(), history.test()),
            (Some(1.0 / 3.0), Some(test))
        );
        history.restored = Some(2);
        assert_eq!(
            history.train_loss(),
            Some(0.5),
            "of the weights that were restored"
        );
        let validation = Some(Evaluation {
            loss: 7.0,
            accuracy: None,
        });
        let validated = EpochRecord {
            validation,
            ..record(1, None)
        };
        assert_eq!([validated.monitored(), record(1, None).monitored()], [7.0, 1.0]);
    }
}
