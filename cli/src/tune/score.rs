//! How good a configuration is.

use std::cmp::Ordering;

use clap::ValueEnum;
use mfnet::Evaluation;

use crate::format;

/// What configurations are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Score {
    /// The part of the samples whose class is right
    Accuracy,
    Loss,
}

impl Score {
    pub(super) fn name(self) -> &'static str {
        match self {
            Score::Accuracy => "accuracy",
            Score::Loss => "loss",
        }
    }

    /// Of one evaluation; regressions have no accuracy.
    pub(super) fn of(self, evaluation: &Evaluation) -> Option<f64> {
        match self {
            Score::Accuracy => evaluation.accuracy,
            Score::Loss => Some(evaluation.loss),
        }
    }

    /// As people read it.
    pub(super) fn text(self, value: f64) -> String {
        match self {
            Score::Accuracy => format::percent(value),
            Score::Loss => format::loss(value),
        }
    }

    /// Puts the better of two first.
    pub(super) fn order(self, one: f64, other: f64) -> Ordering {
        match self {
            Score::Accuracy => other.total_cmp(&one),
            Score::Loss => one.total_cmp(&other),
        }
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
        let mean = score.text(self.mean);
        match self.deviation {
            Some(deviation) => format!("{mean} ± {}", score.text(deviation)),
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
        assert_eq!(Score::Accuracy.order(0.9, 0.8), Ordering::Less);
        assert_eq!(Score::Loss.order(0.9, 0.8), Ordering::Greater);
    }
}
