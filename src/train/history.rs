//! The history of a training: losses, accuracies and times, epoch by epoch.

use crate::network::Evaluation;

/// The results of one epoch of a training.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[non_exhaustive]
pub struct EpochRecord {
    /// The number of the epoch, counted from 1, partial fits included.
    // Checkpoints have it as the place in the list.
    #[cfg_attr(feature = "save", serde(skip))]
    pub epoch: usize,
    /// The number of samples trained on.
    pub samples: usize,
    /// The mean of the losses of its batches, with the [L2 penalty](super::TrainOptions::l2_penalty) if there is one; a short
    /// last batch weighs as much as the others: see [`EpochRecord::loss_per_sample`].
    #[cfg_attr(feature = "save", serde(with = "crate::exact"))]
    pub train_loss: f64,
    /// The mean of the batches' losses, each counted by its number of samples; `None` if all batches have the same number.
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(crate) loss_per_sample: Option<f64>,
    /// Loss and accuracy on the validation set; `None` without one.
    pub validation: Option<Evaluation>,
    /// The score on the validation set that early stopping follows; `None` where that is the loss.
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "Option::is_none"))]
    pub score: Option<f64>,
    /// Loss and accuracy on the test set; `None` without one, and in epochs after which it was not evaluated.
    pub test: Option<Evaluation>,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// The training time in seconds, from shuffle to update, without the evaluations.
    pub seconds: f64,
}

impl EpochRecord {
    /// The mean of the losses of its batches, in which each batch counts by its number of samples; that is the loss that a
    /// [`Tolerance`](super::Tolerance) follows.
    pub fn loss_per_sample(&self) -> f64 {
        self.loss_per_sample.unwrap_or(self.train_loss)
    }

    /// The loss that schedules follow, and early stopping unless a score is chosen for it: the validation loss, or the training loss without a validation
    /// set.
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
    /// The observer stopped it.
    Observer,
    /// The loss has not improved for [`TrainOptions::early_stopping`](super::TrainOptions::early_stopping) epochs.
    EarlyStopping,
    /// The training loss hardly fell any more, by [`TrainOptions::tolerance`](super::TrainOptions::tolerance).
    Converged,
}

/// The epochs of a training, in order.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct History {
    /// One record for each epoch; a partial fit counts as an epoch.
    pub epochs: Vec<EpochRecord>,
    /// Why the training ended before its last epoch; `None` if it did not.
    pub stopped: Option<StopReason>,
    /// The epoch whose weights early stopping restored; `None` if the network has those of the last epoch.
    pub restored: Option<usize>,
}

impl History {
    /// Whether early stopping or a tolerance ended the training.
    pub(super) fn has_ended(&self) -> bool {
        matches!(
            self.stopped,
            Some(StopReason::EarlyStopping | StopReason::Converged)
        )
    }

    /// The training time in seconds, from shuffle to update, without the evaluations.
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }

    /// The number of samples trained on per second of training time; 0 before the first epoch.
    pub fn samples_per_second(&self) -> f64 {
        let seconds = self.seconds();
        if seconds > 0.0 {
            self.epochs.iter().map(|epoch| epoch.samples as f64).sum::<f64>() / seconds
        } else {
            0.0
        }
    }

    /// The epoch whose weights the network has: the last one, or the one that early stopping restored; `None` before the
    /// first.
    pub fn result(&self) -> Option<&EpochRecord> {
        match self.restored {
            Some(epoch) => self.epochs.iter().find(|record| record.epoch == epoch),
            None => self.epochs.last(),
        }
    }

    /// The training loss of the [resulting](Self::result) epoch; `None` before the first.
    pub fn train_loss(&self) -> Option<f64> {
        self.result().map(|record| record.train_loss)
    }

    /// The last evaluation of the test set up to the [resulting](Self::result) epoch; `None` without a test set.
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
            loss_per_sample: None,
            validation: None,
            score: None,
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
        assert_eq!(history.train_loss(), Some(0.5), "the loss of the restored epoch");
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
