//! What a training leaves behind: its losses and accuracies, epoch by epoch.

use crate::network::Evaluation;

/// One epoch of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochRecord {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The mean of the losses of its batches, the short last batch weighing as much as the others.
    pub train_loss: f64,
    /// Loss and accuracy on the test set, in the epochs that were evaluated; none in the others or without a test set.
    pub test: Option<Evaluation>,
    /// Seconds of training, from shuffle to update, without the evaluation.
    pub seconds: f64,
}

/// The epochs of a training, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// One record an epoch.
    pub epochs: Vec<EpochRecord>,
    /// The samples of an epoch.
    pub samples: usize,
    /// Whether the observer ended the training before its last epoch.
    pub stopped: bool,
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
            (self.samples * self.epochs.len()) as f64 / seconds
        } else {
            0.0
        }
    }

    /// The training loss of the last epoch; none before the first.
    pub fn train_loss(&self) -> Option<f64> {
        self.epochs.last().map(|epoch| epoch.train_loss)
    }

    /// The last evaluation; none without a test set.
    pub fn test(&self) -> Option<Evaluation> {
        self.epochs.iter().rev().find_map(|epoch| epoch.test)
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
            train_loss: 1.0 / epoch as f64,
            test,
            seconds: 0.25,
        };
        let history = History {
            epochs: vec![record(1, Some(test)), record(2, None)],
            samples: 100,
            stopped: false,
        };
        assert_eq!((history.seconds(), history.samples_per_second()), (0.5, 400.0));
        assert_eq!((history.train_loss(), history.test()), (Some(0.5), Some(test)));
    }
}
