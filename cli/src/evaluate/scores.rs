//! What a model gets right.

use std::path::Path;

use mfnet::loss::ProbabilityCrossEntropyLoss;
use mfnet::metrics::{
    ClassificationScores, RegressionScores, accuracy, classification_scores, confusion_matrix,
    regression_scores,
};
use mfnet::{CrossEntropyLoss, Element, Model, MseLoss, Targets, argmax};
use ndarray::{Array2, s};

use crate::opened::target_name;
use crate::samples::Samples;

/// All that is told of a model on samples.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) model: String,
    pub(super) architecture: String,
    pub(super) precision: &'static str,
    /// Which samples.
    pub(super) data: String,
    pub(super) samples: usize,
    pub(super) features: usize,
    pub(super) outputs: usize,
    pub(super) loss: f64,
    pub(super) scores: Scores,
}

/// What the task asks for.
#[derive(Debug)]
pub(super) enum Scores {
    Classes(Classes),
    Numbers(Numbers),
}

#[derive(Debug)]
pub(super) struct Classes {
    pub(super) accuracy: f64,
    pub(super) labels: Vec<String>,
    pub(super) scores: ClassificationScores,
    /// Row = true class, column = predicted class.
    pub(super) confusion: Array2<u64>,
}

#[derive(Debug)]
pub(super) struct Numbers {
    /// Name and scores of each target.
    pub(super) targets: Vec<(String, RegressionScores)>,
    /// The means of these.
    pub(super) mean: RegressionScores,
    pub(super) unit: Option<&'static str>,
    /// Whether the loss is of normalised targets.
    pub(super) normalized: bool,
    /// Samples x targets, on the targets' own scale.
    pub(super) truth: Array2<f64>,
    pub(super) predicted: Array2<f64>,
}

impl Report {
    pub(super) fn new<T: Element>(
        model: &Model<T>,
        file: &Path,
        samples: Samples<T>,
    ) -> anyhow::Result<Self> {
        let (network, schema) = (model.network(), model.schema());
        let Samples { dataset, title, unit } = samples;
        let targets = dataset.targets().clone();
        let scaled = schema.scale(dataset)?;
        let outputs = network.predict_dataset(&scaled)?;
        let (loss, scores) = match targets {
            Targets::Classes { labels, .. } => {
                let loss = match network.gives_probabilities() {
                    true => network.evaluate(&scaled, &ProbabilityCrossEntropyLoss::default())?,
                    false => network.evaluate(&scaled, &CrossEntropyLoss::default())?,
                };
                let predicted = argmax(outputs.view())?;
                let confusion = confusion_matrix(&predicted, &labels, schema.outputs)?;
                let classes = Classes {
                    accuracy: accuracy(&predicted, &labels)?,
                    labels: schema.labels.clone(),
                    scores: classification_scores(confusion.view())?,
                    confusion,
                };
                (loss.loss, Scores::Classes(classes))
            }
            Targets::Values(truth) => {
                let loss = network.evaluate(&scaled, &MseLoss::default())?.loss;
                let predicted = schema.unscale(outputs)?;
                let of_target = |target: usize| -> mfnet::Result<_> {
                    let column = s![.., target..=target];
                    let scores = regression_scores(predicted.slice(column), truth.slice(column))?;
                    Ok((target_name(schema, target), scores))
                };
                let numbers = Numbers {
                    targets: (0..schema.outputs).map(of_target).collect::<mfnet::Result<_>>()?,
                    mean: regression_scores(predicted.view(), truth.view())?,
                    unit,
                    normalized: schema.target_normalization.is_some(),
                    truth: truth.mapv(T::as_f64),
                    predicted: predicted.mapv(T::as_f64),
                };
                (loss, Scores::Numbers(numbers))
            }
        };
        Ok(Report {
            model: file.display().to_string(),
            architecture: network.architecture(),
            precision: T::NAME,
            data: title,
            samples: scaled.samples(),
            features: schema.features,
            outputs: schema.outputs,
            loss,
            scores,
        })
    }
}
