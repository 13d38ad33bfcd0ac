//! Metrics of predictions: accuracy, the confusion matrix and its scores for classification; scores of yes/no
//! answers; scores for regression.

mod classes;
mod labels;
mod regression;
mod scores;

pub(crate) use classes::index_of_largest;
pub use classes::{accuracy, argmax, confusion_matrix};
pub use labels::{LabelScores, MultiLabelScores, answers, multi_label_scores};
pub use regression::{RegressionScores, regression_scores};
pub use scores::{ClassScores, ClassificationScores, class_scores, classification_scores};
