//! The progress of a training: its losses and scores, and whether it improves.

/// The progress of all trainings of one network. A warm start continues it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Progress {
    /// The loss of each epoch, by samples, with the penalty.
    pub(crate) losses: Vec<f64>,
    /// The score of the validation samples after each epoch that had some.
    pub(crate) scores: Vec<f64>,
    /// The least loss so far.
    pub(crate) best_loss: f64,
    /// The highest score so far.
    pub(crate) best_score: f64,
    /// The number of epochs in a row without an improvement.
    pub(crate) bad_epochs: u64,
    /// The number of samples trained on, those of all epochs.
    pub(crate) samples_seen: u64,
    /// The number of epochs, which keys the random numbers.
    pub(crate) epochs: u64,
}

impl Default for Progress {
    fn default() -> Self {
        Progress {
            losses: Vec::new(),
            scores: Vec::new(),
            best_loss: f64::INFINITY,
            best_score: f64::NEG_INFINITY,
            bad_epochs: 0,
            samples_seen: 0,
            epochs: 0,
        }
    }
}

impl Progress {
    /// Counts an epoch by its loss: a bad one is not below the least loss by the tolerance.
    pub(crate) fn follow_loss(&mut self, loss: f64, tolerance: f64) {
        self.count(loss > self.best_loss - tolerance);
        self.best_loss = self.best_loss.min(loss);
    }

    /// Counts an epoch by its score, which may be NaN; returns whether it is the highest so far.
    pub(crate) fn follow_score(&mut self, score: f64, tolerance: f64) -> bool {
        self.count(score < self.best_score + tolerance);
        let is_best = score > self.best_score;
        if is_best {
            self.best_score = score;
        }
        is_best
    }

    fn count(&mut self, is_bad: bool) {
        self.bad_epochs = if is_bad { self.bad_epochs + 1 } else { 0 };
    }
}
