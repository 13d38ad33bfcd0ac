//! The evaluation of a model: the loss it was trained with, and the metrics of its task.

use ndarray::{Array2, s};

use super::{Model, OutputKind};
use crate::data::{Dataset, Targets, Task};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::loss::{
    BinaryCrossEntropyLoss, CrossEntropyLoss, LossRecord, MseLoss, ProbabilityCrossEntropyLoss,
};
use crate::metrics::{
    ClassificationScores, MultiLabelScores, RankingScores, RegressionScores, Score, accuracy, answers,
    answers_at, argmax, class_scores, labels_at, multi_label_scores, ranking_of_answers, ranking_of_classes,
    regression_scores,
};

/// The scores of a model on samples.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ModelScores<T> {
    /// The number of samples.
    pub samples: usize,
    /// The mean loss of a sample, of scaled targets; `None` for a loss of your own, which no file holds. Where the samples have
    /// weights, it is the weighted mean.
    pub loss: Option<f64>,
    /// The loss that was computed: the one that the model was trained with, class weights included. Where that is unknown,
    /// the cross-entropy for classes and the mean squared error for numbers.
    pub loss_record: LossRecord,
    /// The metrics of the task, in which each sample counts the same, with weights or without.
    pub metrics: Metrics<T>,
}

/// The metrics of a model's task.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Metrics<T> {
    /// Metrics of a classification.
    Classes {
        /// The fraction of the samples, 0 to 1, whose class is predicted.
        accuracy: f64,
        /// Precision, recall and F1 of each class, and their averages.
        scores: ClassificationScores,
        /// The class of each sample.
        labels: Vec<u32>,
        /// The predicted class of each sample.
        predicted: Vec<u32>,
        /// The probability of each class, samples x classes; `None` for a model whose outputs have no probabilities.
        probabilities: Option<Array2<T>>,
    },
    /// Metrics of yes/no targets.
    Answers {
        /// Accuracy, precision, recall and F1 of each target's yes, and the share of samples with all of them right.
        scores: MultiLabelScores,
        /// The true answers, samples x targets.
        truth: Array2<bool>,
        /// The predicted answers, samples x targets.
        predicted: Array2<bool>,
        /// The probability of each target's yes, samples x targets.
        probabilities: Array2<T>,
    },
    /// Metrics of a regression.
    Targets {
        /// R^2, RMSE and MAE of each target, in the target's own unit: targets of different units have no mean.
        scores: Vec<RegressionScores>,
        /// The true values, samples x targets, on the raw scale.
        truth: Array2<T>,
        /// The predictions, samples x targets, on the raw scale.
        predicted: Array2<T>,
    },
}

impl<T: Element> ModelScores<T> {
    /// Returns one score; `None` if the task or the model does not have it. Of yes/no targets, the accuracy is the share of
    /// samples with all answers right, and the other scores are means over the targets. Not there are: accuracy, F1 and the
    /// scores of probabilities of a regression, R^2, RMSE and MAE of a classification, RMSE and MAE of several targets,
    /// whose units may differ, R^2 of a single sample, the loss of a loss of your own, and the scores of probabilities of a
    /// model that has none. Classes and targets that every sample or no sample has are left out of the means of ROC AUC and
    /// average precision, as [`ModelScores::ranking_scores`] tells.
    ///
    /// ```
    /// # use mfnet::data::Schema;
    /// # use mfnet::{Dataset, Model, NeuralNetwork};
    /// # use ndarray::array;
    /// use mfnet::metrics::Score;
    ///
    /// let raw = Dataset::classification(array![[1.0], [2.0], [8.0]], vec![0, 0, 1], 2)?;
    /// let network = NeuralNetwork::<f64>::builder(1).linear(2).seed(7).build()?;
    /// let scores = Model::new(network, Schema::of(&raw))?.evaluate(raw)?;
    /// assert!(scores.score(Score::RocAuc).is_some());
    /// assert_eq!(scores.score(Score::Rmse), None);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn score(&self, score: Score) -> Option<f64> {
        let single = |scores: &'_ [RegressionScores]| match scores {
            [one] => Some(*one),
            _ => None,
        };
        match (&self.metrics, score) {
            (_, Score::Loss) => self.loss,
            (Metrics::Classes { accuracy, .. }, Score::Accuracy) => Some(*accuracy),
            (Metrics::Classes { scores, .. }, Score::F1) => Some(Score::f1(scores)),
            (Metrics::Answers { scores, .. }, Score::Accuracy) => Some(scores.all_right),
            (Metrics::Answers { scores, .. }, Score::F1) => Some(scores.macro_f1),
            (Metrics::Classes { .. }, Score::RocAuc | Score::AveragePrecision) => {
                score.of_ranking(&self.ranking_scores())
            }
            (Metrics::Answers { .. }, Score::RocAuc | Score::AveragePrecision) => {
                score.mean_of_ranking(&self.ranking_scores())
            }
            (Metrics::Targets { scores, .. }, Score::R2) if self.samples > 1 => {
                Some(scores.iter().map(|scores| scores.r2).sum::<f64>() / scores.len() as f64)
            }
            (Metrics::Targets { scores, .. }, Score::Rmse) => single(scores).map(|scores| scores.rmse),
            (Metrics::Targets { scores, .. }, Score::Mae) => single(scores).map(|scores| scores.mae),
            _ => None,
        }
    }

    /// Returns the scores of the ranking by the probability of each class against the others, or of each target's yes; `None`
    /// for one that no sample or every sample has. An empty list for a regression, and for a model whose outputs have no
    /// probabilities.
    pub fn ranking_scores(&self) -> Vec<Option<RankingScores>> {
        // Predictions that are NaN have been refused.
        match &self.metrics {
            Metrics::Classes {
                labels,
                probabilities: Some(probabilities),
                ..
            } => ranking_of_classes(probabilities.view(), labels).unwrap_or_default(),
            Metrics::Answers {
                truth, probabilities, ..
            } => ranking_of_answers(probabilities.view(), truth.view()).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// Predicts anew which samples of two are of `class`: those whose probability is at least `threshold`, instead of those
    /// whose probability is the larger one. Accuracy and the scores of the classes follow; the loss and the scores of the
    /// ranking do not depend on a threshold.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a regression and for a model whose outputs have no probabilities, and the errors of
    /// [`labels_at`].
    pub fn at_threshold(mut self, class: u32, threshold: f64) -> Result<Self> {
        let Metrics::Classes {
            accuracy: accuracy_of_labels,
            scores,
            labels,
            predicted,
            probabilities: Some(probabilities),
        } = &mut self.metrics
        else {
            let problem = "a threshold is for the probability of a class, and the model predicts none";
            return Err(Error::data("ModelScores::at_threshold", problem));
        };
        *predicted = labels_at(probabilities.view(), class, threshold)?;
        *accuracy_of_labels = accuracy(predicted, labels)?;
        *scores = class_scores(predicted, labels, probabilities.ncols())?;
        Ok(self)
    }

    /// Predicts anew which samples are yes of each yes/no target with a threshold: those whose probability of yes is at least
    /// that. Targets whose threshold is `None` keep their answers. The scores of the targets follow; the loss and the scores of
    /// the ranking do not depend on a threshold.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a model of another task, and the errors of [`answers_at`].
    pub fn at_thresholds(mut self, thresholds: &[Option<f64>]) -> Result<Self> {
        let Metrics::Answers {
            scores,
            truth,
            predicted,
            probabilities,
        } = &mut self.metrics
        else {
            let problem = "thresholds of targets are for yes/no targets, and the model has another task";
            return Err(Error::data("ModelScores::at_thresholds", problem));
        };
        *predicted = answers_at(std::mem::take(predicted), probabilities.view(), thresholds)?;
        *scores = multi_label_scores(predicted.view(), truth.view())?;
        Ok(self)
    }
}

impl<T: Element> Model<T> {
    /// Evaluates the model on raw samples: the loss it was trained with, and the metrics of its task.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a data set of another shape or task; [`Error::InvalidData`] for a prediction of classes that
    /// is NaN.
    ///
    /// ```
    /// use mfnet::checkpoint::Metrics;
    /// use mfnet::data::Schema;
    /// use mfnet::{CrossEntropyLoss, Dataset, Model, NeuralNetwork, Sgd, Trainer};
    /// use ndarray::array;
    ///
    /// let raw = Dataset::classification(array![[1.0], [2.0], [8.0], [9.0]], vec![0, 0, 1, 1], 2)?;
    /// let schema = Schema::of(&raw).normalized(&raw)?;
    /// let network = NeuralNetwork::<f64>::builder(1).linear(2).seed(7).build()?;
    /// let mut trainer = Trainer::new(network, CrossEntropyLoss::default(), Sgd::new(0.5)?);
    /// trainer.fit(&schema.scale(raw.clone())?)?;
    ///
    /// let scores = trainer.into_model(schema)?.evaluate(raw)?;
    /// assert_eq!(scores.loss_record.to_string(), "cross-entropy");
    /// let Metrics::Classes { accuracy, scores, .. } = scores.metrics else { unreachable!() };
    /// assert_eq!((accuracy, scores.macro_average.f1), (1.0, 1.0));
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn evaluate(&self, raw: Dataset<T>) -> Result<ModelScores<T>> {
        let truth = match raw.targets() {
            Targets::Values(truth) => Some(truth.clone()),
            Targets::Classes { .. } => None,
        };
        self.score(&self.schema().scale(raw)?, truth)
    }

    /// As [`Model::evaluate`], for samples that the schema has scaled already, such as those of a training.
    ///
    /// # Errors
    ///
    /// As [`Model::evaluate`].
    pub fn evaluate_scaled(&self, scaled: &Dataset<T>) -> Result<ModelScores<T>> {
        self.schema().check_scaled("Model::evaluate_scaled", scaled)?;
        let truth = match scaled.targets() {
            Targets::Values(values) => Some(self.schema().unscale(values.clone())?),
            Targets::Classes { .. } => None,
        };
        self.score(scaled, truth)
    }

    /// Computes the scores; `truth` are the raw targets of a regression.
    fn score(&self, scaled: &Dataset<T>, truth: Option<Array2<T>>) -> Result<ModelScores<T>> {
        let loss_record = self.loss_or_default();
        let loss = match loss_record.loss::<T>()? {
            Some(loss) => Some(self.network().evaluate(scaled, &*loss)?.loss),
            None => None,
        };
        let outputs = self.network().predict_dataset(scaled)?;
        let metrics = match (scaled.targets(), truth) {
            (Targets::Classes { labels, classes }, _) => {
                let predicted = argmax(outputs.view())?;
                Metrics::Classes {
                    accuracy: accuracy(&predicted, labels)?,
                    scores: class_scores(&predicted, labels, *classes)?,
                    labels: labels.clone(),
                    predicted,
                    probabilities: match self.check_probabilities() {
                        Ok(()) => Some(self.probabilities(outputs)?),
                        Err(_) => None,
                    },
                }
            }
            (Targets::Values(_), Some(truth)) if self.schema().task == Task::Binary => {
                let predicted = answers(outputs.view())?;
                let truth = truth.mapv(|value| value == T::one());
                Metrics::Answers {
                    scores: multi_label_scores(predicted.view(), truth.view())?,
                    truth,
                    predicted,
                    probabilities: self.probabilities(outputs)?,
                }
            }
            (Targets::Values(_), Some(truth)) => {
                let predicted = self.schema().unscale(outputs)?;
                let of_target = |target: usize| {
                    let column = s![.., target..=target];
                    regression_scores(predicted.slice(column), truth.slice(column))
                };
                Metrics::Targets {
                    scores: (0..self.schema().outputs).map(of_target).collect::<Result<_>>()?,
                    truth,
                    predicted,
                }
            }
            (Targets::Values(_), None) => return Err(Error::data("Model::evaluate", "there are no targets")),
        };
        Ok(ModelScores {
            samples: scaled.samples(),
            loss,
            loss_record,
            metrics,
        })
    }

    /// The record of the loss of the training, or of the usual loss for outputs of this kind.
    fn loss_or_default(&self) -> LossRecord {
        let usual = || match self.output_kind() {
            OutputKind::Probabilities => LossRecord::of::<T>(&ProbabilityCrossEntropyLoss::default()),
            OutputKind::Numbers => LossRecord::of::<T>(&MseLoss::default()),
            OutputKind::BinaryLogits => LossRecord::of::<T>(&BinaryCrossEntropyLoss::default()),
            OutputKind::Logits | OutputKind::Scores => LossRecord::of::<T>(&CrossEntropyLoss::default()),
        };
        self.loss().cloned().unwrap_or_else(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Schema;
    use crate::layer::Linear;
    use crate::network::NeuralNetwork;
    use ndarray::array;

    #[test]
    fn the_loss_is_the_weighted_one_of_the_training() {
        let data = Dataset::classification(array![[0.0], [1.0], [2.0]], vec![0, 1, 1], 2).unwrap();
        let schema = Schema::of(&data).normalized(&data).unwrap();
        let network = NeuralNetwork::<f64>::builder(1)
            .linear(2)
            .seed(7)
            .build()
            .unwrap();
        let loss = CrossEntropyLoss::default().with_class_weights(vec![3.0, 0.5]);
        let scaled = schema.scale(data.clone()).unwrap();
        let expected = network.evaluate(&scaled, &loss).unwrap();
        let model = Model::new(network, schema).unwrap().trained_with(&loss).unwrap();
        let scores = model.evaluate(data).unwrap();
        assert_eq!(scores.loss, Some(expected.loss));
        assert_eq!(scores, model.evaluate_scaled(&scaled).unwrap());
        let Metrics::Classes { accuracy, .. } = scores.metrics else {
            panic!("classes")
        };
        assert_eq!(Some(accuracy), expected.accuracy);
    }

    #[test]
    fn answers_are_scored_for_each_label_and_together() {
        let truth = array![[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        let data = Dataset::regression(array![[1.0], [-1.0], [2.0], [3.0]], truth).unwrap();
        // The logit of each label is the feature.
        let layer = crate::layer::Linear::from_weights(array![[1.0], [1.0]].view(), &[0.0, 0.0]);
        let network = NeuralNetwork::<f64>::builder(1).layer(Box::new(layer.unwrap()));
        let schema = Schema::of(&data).binary().unwrap();
        let model = Model::new(network.build().unwrap(), schema).unwrap();
        let scores = model.evaluate(data.clone()).unwrap();
        assert_eq!(scores.loss_record.name, "bce");
        assert_eq!(scores, model.evaluate_scaled(&data).unwrap());
        let wrong = |logit: f64| (1.0 + logit.exp()).ln();
        let losses = [-1.0, 1.0, -1.0, -1.0, -2.0, -2.0, 3.0, -3.0].map(wrong);
        assert!((scores.loss.unwrap() - losses.iter().sum::<f64>() / 4.0).abs() < 1e-12);
        let Metrics::Answers {
            scores, predicted, ..
        } = scores.metrics
        else {
            panic!("answers")
        };
        assert_eq!(predicted.column(1), array![true, false, true, true]);
        assert_eq!(
            (scores.labels[0].accuracy, scores.labels[1].accuracy),
            (0.75, 0.75)
        );
        assert_eq!(scores.all_right, 0.5);
    }

    #[test]
    fn each_target_has_scores_of_its_own() {
        let data = Dataset::regression(array![[0.0], [1.0]], array![[1.0, 1000.0], [3.0, 5000.0]]).unwrap();
        let schema = Schema::of(&data).normalized(&data).unwrap();
        // Zero weights predict the means.
        let network = NeuralNetwork::<f64>::builder(1);
        let network = network
            .initializer(crate::layer::Initializer::Zeros)
            .linear(2)
            .build()
            .unwrap();
        let scores = Model::new(network, schema).unwrap().evaluate(data).unwrap();
        assert_eq!(
            (scores.loss, scores.loss_record.name.as_str()),
            (Some(2.0), "mse")
        );
        let Metrics::Targets { scores, .. } = scores.metrics else {
            panic!("numbers")
        };
        let [one, other] = [scores[0].rmse, scores[1].rmse];
        assert!(
            (one - 1.0).abs() < 1e-12 && (other - 2000.0).abs() < 1e-9,
            "{one}, {other}"
        );
    }

    #[test]
    fn thresholds_change_the_answers_of_their_targets_alone() {
        let truth = array![[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        let data = Dataset::regression(array![[1.0], [-1.0], [2.0], [3.0]], truth).unwrap();
        let layer = Linear::from_weights(array![[1.0], [1.0]].view(), &[0.0, 0.0]).unwrap();
        let network = NeuralNetwork::<f64>::builder(1)
            .layer(Box::new(layer))
            .build()
            .unwrap();
        let schema = Schema::of(&data).binary().unwrap();
        let scores = Model::new(network, schema).unwrap().evaluate(data).unwrap();
        // Probabilities of yes: 0.73, 0.27, 0.88, 0.95.
        let moved = scores.clone().at_thresholds(&[Some(0.2), None]).unwrap();
        let of = |scores: &ModelScores<f64>| match &scores.metrics {
            Metrics::Answers {
                scores, predicted, ..
            } => (scores.clone(), predicted.clone()),
            _ => panic!("answers"),
        };
        let ((before, _), (after, predicted)) = (of(&scores), of(&moved));
        assert_eq!(
            predicted,
            array![[true, true], [true, false], [true, true], [true, true]]
        );
        assert_eq!((after.labels[0].recall, after.labels[0].accuracy), (1.0, 0.5));
        assert_eq!(after.labels[1], before.labels[1]);
        assert_eq!(
            (moved.loss, moved.ranking_scores()),
            (scores.loss, scores.ranking_scores())
        );
        assert!(scores.clone().at_thresholds(&[None]).is_err());
        assert!(scores.at_threshold(1, 0.5).is_err());
    }

    /// A model of two classes whose probability of class 1 is the logistic function of the feature.
    fn logistic() -> Model<f64> {
        let data = Dataset::classification(array![[0.0], [1.0]], vec![0, 1], 2).unwrap();
        let layer = Linear::from_weights(array![[0.0], [1.0]].view(), &[0.0, 0.0]).unwrap();
        let network = NeuralNetwork::builder(1).layer(Box::new(layer)).build().unwrap();
        Model::new(network, Schema::of(&data)).unwrap()
    }

    #[test]
    fn scores_of_two_classes_are_those_of_the_second() {
        let data = Dataset::classification(array![[-2.0], [0.5], [1.0], [3.0]], vec![0, 1, 0, 1], 2);
        let scores = logistic().evaluate(data.unwrap()).unwrap();
        let score = |score| scores.score(score).unwrap();
        assert_eq!(score(Score::Accuracy), 0.75);
        assert_eq!(score(Score::F1), 0.8);
        assert_eq!(score(Score::RocAuc), 0.75);
        assert!((score(Score::AveragePrecision) - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-15);
        assert_eq!(
            [Score::R2, Score::Rmse, Score::Mae].map(|one| scores.score(one)),
            [None; 3]
        );
        // The order of the samples by the probability of class 0 is the reverse.
        assert_eq!(scores.ranking_scores()[0].unwrap().roc_auc, 0.75);
    }

    #[test]
    fn a_threshold_changes_the_predicted_classes_alone() {
        let data = Dataset::classification(array![[-2.0], [0.5], [1.0], [3.0]], vec![0, 1, 0, 1], 2);
        let scores = logistic().evaluate(data.unwrap()).unwrap();
        let moved = scores.clone().at_threshold(1, 0.9).unwrap();
        let Metrics::Classes {
            predicted, accuracy, ..
        } = &moved.metrics
        else {
            panic!("classes")
        };
        assert_eq!((&predicted[..], *accuracy), (&[0, 0, 0, 1][..], 0.75));
        assert_eq!(moved.loss, scores.loss);
        assert_eq!(moved.score(Score::RocAuc), scores.score(Score::RocAuc));
        assert_eq!(moved.score(Score::F1), Some(2.0 / 3.0));
        assert!(scores.clone().at_threshold(2, 0.5).is_err());
    }

    #[test]
    fn a_class_without_samples_has_no_ranking() {
        let data = Dataset::classification(array![[-2.0], [0.5]], vec![1, 1], 2).unwrap();
        let scores = logistic().evaluate(data).unwrap();
        assert_eq!(scores.score(Score::RocAuc), None);
        assert_eq!(scores.ranking_scores(), [None; 2]);
    }
}
