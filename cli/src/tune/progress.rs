//! The progress of a search: a bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mfnet::metrics::Score;

use super::text;
use super::trial::Trial;
use crate::{console, score};

const TEMPLATE: &str = "{pos}/{len} [{wide_bar}] {eta} left\n{wide_msg}";

/// Shows trials on standard error as they are completed.
#[derive(Debug)]
pub(super) struct Progress {
    quiet: bool,
    /// Hidden where standard error is not a terminal.
    bar: ProgressBar,
    names: Vec<String>,
    score: Score,
    trials: usize,
    done: usize,
    best: Option<(f64, String)>,
}

impl Progress {
    /// Of so many trials that differ in these options.
    pub(super) fn new(quiet: bool, trials: usize, names: &[&str], score: Score) -> Self {
        let bar = if quiet {
            ProgressBar::hidden()
        } else {
            ProgressBar::with_draw_target(Some(trials as u64), ProgressDrawTarget::stderr())
        };
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        Progress {
            quiet,
            bar,
            names: names.iter().map(|&name| name.to_owned()).collect(),
            score,
            trials,
            done: 0,
            best: None,
        }
    }

    /// A trial is completed.
    pub(super) fn note(&mut self, trial: &Trial<'_>) {
        self.done += 1;
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let words = text::words(&names, trial.configuration);
        let spread = trial.spread(self.score);
        let outcome = match (&trial.runs, spread) {
            (Err(reason), _) => reason.clone(),
            (Ok(_), spread) => spread.map(|spread| spread.text(self.score)).unwrap_or_default(),
        };
        if let Some(spread) = spread {
            let is_better = |best: &(f64, String)| self.score.is_better(spread.mean, best.0);
            if self.best.as_ref().is_none_or(is_better) {
                self.best = Some((spread.mean, words.clone()));
            }
        }
        let best = self.best.as_ref().map(|(mean, words)| {
            let mean = score::text(self.score, *mean);
            format!("best so far {mean} with {words}")
        });
        self.bar.inc(1);
        if !self.bar.is_hidden() {
            self.bar.set_message(best.unwrap_or_default());
        } else if !self.quiet {
            let width = self.trials.to_string().len();
            let best = best.map_or(String::new(), |best| format!("  ({best})"));
            console::note(&format!(
                "{:width$}/{}  {words}: {outcome}{best}",
                self.done, self.trials
            ));
        }
    }

    /// Takes the bar off the terminal; after an interrupt it stays, for the terminal has written `^C` into it.
    pub(super) fn end(&self, interrupted: bool) {
        if interrupted {
            self.bar.set_draw_target(ProgressDrawTarget::hidden());
        } else {
            self.bar.finish_and_clear();
        }
    }
}
