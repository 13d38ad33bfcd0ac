//! The result of a search.

use std::path::Path;

use mfnet::metrics::Score;

use super::score::{RunScores, Spread, order};
use super::trial::Trial;
use super::validation::Validation;
use crate::settings::Settings;

/// The result of a search, with its options.
#[derive(Debug)]
pub(super) struct SearchResult<'a> {
    /// The name of the data.
    pub(super) dataset: &'a str,
    /// `regression` or `classification`.
    pub(super) task: String,
    /// The options that differ among trials.
    pub(super) names: &'a [&'a str],
    /// The completed ones, the best first and those that failed last.
    pub(super) trials: Vec<Trial<'a>>,
    /// The number of trials that were asked for.
    pub(super) asked: usize,
    /// The score by which trials are ranked.
    pub(super) score: Score,
    /// The scores that were computed, that of the ranking first.
    pub(super) wanted: &'a [Score],
    pub(super) validation: &'a Validation,
    pub(super) seeds: &'a [u64],
    /// The number of training samples.
    pub(super) samples: usize,
    /// The split by a column, in words.
    pub(super) split: Option<String>,
    /// The best settings, as `mfnet train` takes them; none if no trial came through.
    pub(super) best: Option<Settings>,
    /// The scores of the best configuration on the test samples, trained on all others.
    pub(super) test: Option<Test>,
    /// Whether the model of the best settings is in the folder.
    pub(super) has_model: bool,
    /// Whether a signal ended it.
    pub(super) stopped: bool,
    /// From the first trial to the last.
    pub(super) seconds: f64,
    /// The folder of the search.
    pub(super) out: Option<&'a Path>,
}

/// The scores on the test samples.
#[derive(Debug, Clone)]
pub(super) struct Test {
    pub(super) scores: RunScores,
    pub(super) samples: usize,
}

impl SearchResult<'_> {
    /// The trials that came through, each with its score, the best first.
    pub(super) fn ranked(&self) -> impl Iterator<Item = (&Trial<'_>, Spread)> {
        let score = self.score;
        self.trials
            .iter()
            .filter_map(move |trial| Some((trial, trial.spread(score)?)))
    }
}

/// Puts the best first, of equals that with the lesser loss, and then the earlier; what failed comes last.
pub(super) fn rank(trials: &mut [Trial<'_>], score: Score) {
    let mean = |trial: &Trial<'_>, score| trial.spread(score).map(|spread| spread.mean);
    trials.sort_by(|one, other| {
        let by = |score: Score| match (mean(one, score), mean(other, score)) {
            (Some(one), Some(other)) => order(score, one, other),
            (one, other) => other.is_some().cmp(&one.is_some()),
        };
        by(score)
            .then(by(Score::Loss))
            .then(one.number.cmp(&other.number))
    });
}
