//! Metrics of predictions: accuracy, the confusion matrix and its scores for classification, scores of a ranking by
//! probability; scores of yes/no answers; scores and quantiles of errors for regression.

mod class_scores;
mod classes;
mod labels;
mod quantiles;
mod ranking;
mod regression;
mod score;

pub use class_scores::{ClassScores, ClassificationScores, class_scores, classification_scores};
pub(crate) use classes::index_of_largest;
pub use classes::{accuracy, argmax, confusion_matrix, labels_at};
pub use labels::{LabelScores, MultiLabelScores, answers, answers_at, multi_label_scores};
pub use quantiles::error_quantiles;
pub use ranking::{RankingScores, ranking_scores};
pub(crate) use ranking::{ranking_of_answers, ranking_of_classes};
pub use regression::{RegressionScores, regression_scores};
pub use score::Score;
