//! The choice of one score, by which models are compared.

use std::fmt;
use std::str::FromStr;

use super::{ClassificationScores, RankingScores};
use crate::error::{Error, Result};

/// One score of a model, by which models are compared; [`ModelScores::score`](crate::checkpoint::ModelScores::score) gives its
/// value.
///
/// ```
/// use mfnet::metrics::Score;
///
/// let score: Score = "auc".parse()?;
/// assert_eq!((score, score.to_string()), (Score::RocAuc, "auc".to_owned()));
/// assert!(score.is_better(0.9, 0.8) && Score::Rmse.is_better(0.8, 0.9));
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Score {
    /// The mean loss of a sample, `loss`: lower is better. The default.
    #[default]
    Loss,
    /// The fraction of the samples whose class is predicted, `accuracy`.
    Accuracy,
    /// F1, `f1`: of two classes that of the second, otherwise the unweighted mean over the classes.
    F1,
    /// The area under the ROC curve, `auc`: of more than two classes the unweighted mean of each class against the others, of
    /// several yes/no targets their mean. Classes and targets that every sample or no sample has are left out of the mean.
    RocAuc,
    /// The average precision, `average-precision`: of two classes that of the second, otherwise the unweighted mean, as of
    /// `auc`.
    AveragePrecision,
    /// R^2, `r2`, the mean over the targets.
    R2,
    /// The root of the mean squared error of a single target in its own unit, `rmse`: lower is better.
    Rmse,
    /// The mean absolute error of a single target in its own unit, `mae`: lower is better.
    Mae,
}

impl Score {
    /// All scores.
    pub const ALL: [Score; 8] = [
        Score::Loss,
        Score::Accuracy,
        Score::F1,
        Score::RocAuc,
        Score::AveragePrecision,
        Score::R2,
        Score::Rmse,
        Score::Mae,
    ];

    /// The name, as [`str::parse`] takes it.
    pub fn name(self) -> &'static str {
        match self {
            Score::Loss => "loss",
            Score::Accuracy => "accuracy",
            Score::F1 => "f1",
            Score::RocAuc => "auc",
            Score::AveragePrecision => "average-precision",
            Score::R2 => "r2",
            Score::Rmse => "rmse",
            Score::Mae => "mae",
        }
    }

    /// Whether a higher value is better; a lower one is otherwise.
    pub fn higher_is_better(self) -> bool {
        !matches!(self, Score::Loss | Score::Rmse | Score::Mae)
    }

    /// Whether the score is one of classes and yes/no targets.
    pub fn is_of_classes(self) -> bool {
        matches!(self, Score::Accuracy | Score::F1) || self.is_of_probabilities()
    }

    /// Whether the score is one of probabilities, which a model trained with the mean squared error does not have.
    pub fn is_of_probabilities(self) -> bool {
        matches!(self, Score::RocAuc | Score::AveragePrecision)
    }

    /// Whether the score is one of the targets of a regression.
    pub fn is_of_numbers(self) -> bool {
        matches!(self, Score::R2 | Score::Rmse | Score::Mae)
    }

    /// F1 from the scores of the classes.
    pub(crate) fn f1(scores: &ClassificationScores) -> f64 {
        match &scores.classes[..] {
            [_, second] => second.f1,
            _ => scores.macro_average.f1,
        }
    }

    /// ROC AUC or average precision from those of the classes: of two classes that of the second, otherwise the mean.
    pub(crate) fn of_ranking(self, classes: &[Option<RankingScores>]) -> Option<f64> {
        match classes {
            [_, second] => self.mean_of_ranking(&[*second]),
            classes => self.mean_of_ranking(classes),
        }
    }

    /// The mean of ROC AUC or average precision over the classes or yes/no targets that have them; `None` if none has.
    pub(crate) fn mean_of_ranking(self, rankings: &[Option<RankingScores>]) -> Option<f64> {
        let value = |ranking: &RankingScores| match self {
            Score::RocAuc => ranking.roc_auc,
            _ => ranking.average_precision,
        };
        let defined = rankings.iter().flatten().count();
        let sum: f64 = rankings.iter().flatten().map(value).sum();
        (defined > 0).then(|| sum / defined as f64)
    }

    /// Whether `one` is a better value than `other`.
    pub fn is_better(self, one: f64, other: f64) -> bool {
        if self.higher_is_better() {
            one > other
        } else {
            one < other
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Score {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let named = Score::ALL.into_iter().find(|score| score.name() == text);
        let expected = "loss, accuracy, f1, auc, average-precision, r2, rmse or mae";
        named.ok_or_else(|| Error::option("score", text, expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_leave_out_what_has_no_ranking() {
        let of = |roc_auc| {
            Some(RankingScores {
                roc_auc,
                average_precision: roc_auc / 2.0,
            })
        };
        let three = [of(0.5), None, of(1.0)];
        assert_eq!(Score::RocAuc.mean_of_ranking(&three), Some(0.75));
        assert_eq!(Score::AveragePrecision.of_ranking(&three), Some(0.375));
        assert_eq!(
            Score::RocAuc.of_ranking(&three[1..]),
            Some(1.0),
            "the second of two classes"
        );
        assert_eq!(Score::RocAuc.mean_of_ranking(&[None, None]), None);
        assert_eq!(Score::RocAuc.of_ranking(&[]), None);
    }

    #[test]
    fn names_are_read_again_and_listed() {
        let message = "auc2".parse::<Score>().unwrap_err().to_string();
        for score in Score::ALL {
            assert_eq!(score.name().parse::<Score>().unwrap(), score);
            assert!(message.contains(score.name()), "{message}");
            let kinds = [score == Score::Loss, score.is_of_classes(), score.is_of_numbers()];
            assert_eq!(kinds.iter().filter(|&&is| is).count(), 1, "{score}");
        }
    }
}
