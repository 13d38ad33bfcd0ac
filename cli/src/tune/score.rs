//! The scores of a configuration's trainings.

use std::cmp::Ordering;

use mfnet::Element;
use mfnet::checkpoint::ModelScores;
use mfnet::data::Task as TaskKind;
use mfnet::metrics::Score;

use crate::score;

/// The scores of one training on its validation or test samples: the one by which configurations are ranked, and those that
/// are shown beside it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RunScores(Vec<(Score, f64)>);

impl RunScores {
    /// The scores `wanted`, as far as the model has them on these samples.
    pub(super) fn of<T: Element>(scores: &ModelScores<T>, wanted: &[Score]) -> Self {
        let value = |&score: &Score| Some((score, scores.score(score)?));
        RunScores(wanted.iter().filter_map(value).collect())
    }

    pub(super) fn get(&self, score: Score) -> Option<f64> {
        self.0
            .iter()
            .find(|(one, _)| *one == score)
            .map(|(_, value)| *value)
    }
}

/// The scores that are computed where configurations are ranked by `by`, which comes first.
pub(super) fn wanted(by: Score, task: TaskKind) -> Vec<Score> {
    let mut scores = vec![by];
    let usual = match task {
        TaskKind::Regression => &[Score::Loss][..],
        _ => &[Score::Accuracy, Score::Loss],
    };
    scores.extend(usual.iter().filter(|&&score| score != by));
    scores
}

/// Puts the better of two first.
pub(super) fn order(score: Score, one: f64, other: f64) -> Ordering {
    if score.higher_is_better() {
        other.total_cmp(&one)
    } else {
        one.total_cmp(&other)
    }
}

/// The mean of some numbers, and how far they are from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) mean: f64,
    /// sqrt(sum (x - mean)^2 / (n - 1)); none of a single number.
    pub(super) deviation: Option<f64>,
}

impl Spread {
    /// None of no numbers.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (!values.is_empty()).then(|| Spread {
            mean,
            deviation: (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt()),
        })
    }

    /// As people read it: `95.33 % ± 1.20 %`.
    pub(super) fn text(self, score: Score) -> String {
        let mean = score::text(score, self.mean);
        match self.deviation {
            Some(deviation) => format!("{mean} ± {}", score::text(score, deviation)),
            None => mean,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_are_as_counted_by_hand() {
        assert_eq!(Spread::of(&[]), None);
        let of = |values: &[f64]| Spread::of(values).unwrap();
        assert_eq!(
            of(&[2.0]),
            Spread {
                mean: 2.0,
                deviation: None
            }
        );
        assert_eq!(of(&[1.0, 3.0]).deviation, Some(2f64.sqrt()));
        assert_eq!(of(&[0.5, 1.0]).text(Score::Accuracy), "75.00 % ± 35.36 %");
        assert_eq!(of(&[0.5]).text(Score::Loss), "0.5000");
    }

    #[test]
    fn the_better_is_first() {
        assert_eq!(order(Score::Accuracy, 0.9, 0.8), Ordering::Less);
        assert_eq!(order(Score::Loss, 0.9, 0.8), Ordering::Greater);
    }
}
