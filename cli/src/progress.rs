//! The progress of a training: a bar on a terminal, plain lines elsewhere.

use std::fmt::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use mfnet::metrics::Score;
use mfnet::{Evaluation, Event, TrainOptions, train::EpochRecord};

use super::{console, format};

/// Two lines, each of which takes what room there is: neither wraps on a narrow terminal.
const TEMPLATE: &str = "{prefix} [{wide_bar}] {left} left\n{wide_msg}";

/// From one update of the bar to the next; its text costs more than a small batch.
const TICK: Duration = Duration::from_millis(66);

/// About so many lines are written, however many epochs there are.
const LINES: usize = 50;

/// After so long a line is due, even of an epoch that would have none.
const SILENCE: Duration = Duration::from_secs(10);

/// Shows the events of a training on standard error.
#[derive(Debug)]
pub(super) struct Progress {
    quiet: bool,
    /// Hidden where standard error is not a terminal.
    bar: ProgressBar,
    epochs: usize,
    samples: usize,
    /// Epochs of an earlier run.
    before: usize,
    start: Instant,
    shown: Instant,
    test: Option<Evaluation>,
    /// The score that early stopping follows, unless that is the loss or the accuracy, which are shown in any case.
    followed: Option<Score>,
    /// Its last value.
    score: Option<f64>,
}

impl Progress {
    /// Of a training whose first epochs may be done already.
    pub(super) fn new(quiet: bool, options: &TrainOptions, samples: usize, before: usize) -> Self {
        let left = options.epochs.saturating_sub(before);
        // A batch of none is refused when the training starts.
        let batches = left.saturating_mul(samples.div_ceil(options.batch_size.max(1)));
        let bar = if quiet {
            ProgressBar::hidden()
        } else {
            ProgressBar::with_draw_target(Some(batches as u64), ProgressDrawTarget::stderr())
        };
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            let left = |state: &ProgressState, text: &mut dyn Write| {
                let (done, all) = (state.pos() as f64, state.len().unwrap_or(0) as f64);
                // A clock that cannot be written is as good as none.
                let _ = text.write_str(&clock_left(state.elapsed().as_secs_f64(), done, all));
            };
            bar.set_style(style.progress_chars("=> ").with_key("left", left));
        }
        Progress {
            quiet,
            bar,
            epochs: options.epochs,
            samples,
            before,
            start: Instant::now(),
            shown: Instant::now(),
            test: None,
            followed: options
                .early_stopping
                .map(|_| options.early_stopping_score)
                .filter(|score| !matches!(score, Score::Loss | Score::Accuracy)),
            score: None,
        }
    }

    /// Shows an event, if it is worth it; whether somebody still reads.
    pub(super) fn show(&mut self, event: Event<'_>) -> bool {
        match event {
            Event::Batch {
                epoch,
                done,
                batches,
                loss,
            } if !self.bar.is_hidden() && self.shown.elapsed() >= TICK => {
                self.shown = Instant::now();
                self.draw(epoch, (epoch - 1) * batches + done, batches, loss);
            }
            Event::Epoch(record) => {
                self.test = held(record).or(self.test);
                self.score = record.score.or(self.score);
                if self.bar.is_hidden() && !self.quiet && self.is_due(record.epoch) {
                    self.shown = Instant::now();
                    return console::note(&self.line(record));
                }
            }
            _ => {}
        }
        true
    }

    /// Takes the bar off the terminal; after an interrupt it stays, for the terminal has written `^C` into it.
    pub(super) fn end(&self, interrupted: bool) {
        if interrupted {
            self.bar.set_draw_target(ProgressDrawTarget::hidden());
        } else {
            self.bar.finish_and_clear();
        }
    }

    fn draw(&self, epoch: usize, done: usize, batches: usize, loss: f64) {
        let done = done - self.before * batches;
        let samples = done as f64 * self.samples as f64 / batches as f64;
        self.bar.set_position(done as u64);
        self.bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
        // What a narrow terminal may cut off comes last.
        let test = self.test.map(|test| match test.accuracy {
            Some(accuracy) => format!("  accuracy {}", format::percent(accuracy)),
            None => format!("  test {}", format::loss(test.loss)),
        });
        let score = self.followed.zip(self.score);
        let score = score.map(|(score, value)| format!("  {score} {value:.4}"));
        self.bar.set_message(format!(
            "loss {}{}{}  {}/s",
            format::loss(loss),
            test.unwrap_or_default(),
            score.unwrap_or_default(),
            format::rate(samples / self.start.elapsed().as_secs_f64()),
        ));
    }

    fn line(&self, record: &EpochRecord) -> String {
        let width = self.epochs.to_string().len();
        let name = if record.validation.is_some() {
            "validation"
        } else {
            "test"
        };
        let test = held(record).map(|test| match test.accuracy {
            Some(accuracy) => format!(
                "  {name} loss {}  {name} accuracy {}",
                format::loss(test.loss),
                format::percent(accuracy)
            ),
            None => format!("  {name} loss {}", format::loss(test.loss)),
        });
        let score = self.followed.zip(record.score);
        let score = score.map(|(score, value)| format!("  validation {score} {value:.4}"));
        format!(
            "epoch {:width$}/{}  train loss {}{}{}  {} samples/s  {} left",
            record.epoch,
            self.epochs,
            format::loss(record.train_loss),
            test.unwrap_or_default(),
            score.unwrap_or_default(),
            format::rate(self.samples as f64 / record.seconds),
            clock_left(
                self.start.elapsed().as_secs_f64(),
                (record.epoch - self.before) as f64,
                (self.epochs - self.before) as f64
            ),
        )
    }

    fn is_due(&self, epoch: usize) -> bool {
        let step = step(self.epochs);
        epoch == 1 || epoch == self.epochs || epoch.is_multiple_of(step) || self.shown.elapsed() >= SILENCE
    }
}

/// What decisions follow, or else the test.
fn held(record: &EpochRecord) -> Option<Evaluation> {
    record.validation.or(record.test)
}

/// The time that is left, if what is left takes as long as what is done.
fn clock_left(seconds: f64, done: f64, all: f64) -> String {
    if done > 0.0 {
        format::clock(seconds / done * (all - done))
    } else {
        "?".to_owned()
    }
}

/// From which epoch to which a line is written: 1, 2, 5, 10, 20, 50 and so on, so that there are few of them.
fn step(epochs: usize) -> usize {
    let mut power = 1_usize;
    loop {
        for step in [1, 2, 5].map(|digit| power.saturating_mul(digit)) {
            if epochs.div_ceil(step) <= LINES {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_epochs_make_few_lines() {
        assert_eq!(
            [1, 50, 51, 100, 101, 500, 100_000].map(step),
            [1, 1, 2, 2, 5, 10, 2000]
        );
        assert!(step(usize::MAX) > 1);
    }
}
