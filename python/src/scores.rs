//! The score of validation samples: accuracy or R^2, each sample counted by its weight.

use mfnet::{Dataset, NeuralNetwork, Result, argmax};
use ndarray::{Array2, ArrayView2, Axis};

use crate::arrays::Number;
use crate::spec::Kind;

/// The score of a network: the accuracy of classes, the part of the samples with all answers right, or the mean R^2 of the
/// targets. NaN where a prediction is not finite.
pub(crate) fn score<T: Number>(
    network: &NeuralNetwork<T>,
    kind: Kind,
    data: &Dataset<T>,
    weights: Option<&[f64]>,
) -> Result<f64> {
    let outputs = network.predict_dataset(data)?;
    if outputs.iter().any(|output| !output.is_finite()) {
        return Ok(f64::NAN);
    }
    let weight = |sample: usize| weights.map_or(1.0, |weights| weights[sample]);
    let right: Vec<bool> = match (data.labels(), data.values()) {
        (Some(labels), _) => {
            let predicted = argmax(outputs.view())?;
            predicted
                .iter()
                .zip(labels)
                .map(|(predicted, label)| predicted == label)
                .collect()
        }
        (None, Some(truth)) if kind == Kind::Answers => outputs
            .rows()
            .into_iter()
            .zip(truth.rows())
            .map(|(logits, truth)| {
                logits
                    .iter()
                    .zip(truth)
                    .all(|(&logit, &yes)| (logit > T::zero()) == (yes > T::zero()))
            })
            .collect(),
        (None, Some(truth)) => return Ok(mean_r2(&kind.predictions(outputs), truth, weight)),
        (None, None) => Vec::new(),
    };
    let (mut sum, mut all) = (0.0, 0.0);
    for (sample, &right) in right.iter().enumerate() {
        sum += if right { weight(sample) } else { 0.0 };
        all += weight(sample);
    }
    Ok(sum / all)
}

/// The mean over the targets of R^2 = 1 - sum w (y - z)^2 / sum w (y - mean)^2; of a constant target, 1 if it is predicted
/// exactly, otherwise 0.
fn mean_r2<T: Number>(
    predictions: &Array2<T>,
    truth: ArrayView2<'_, T>,
    weight: impl Fn(usize) -> f64,
) -> f64 {
    let targets = truth.axis_iter(Axis(1)).zip(predictions.axis_iter(Axis(1)));
    let scores = targets.map(|(truth, predicted)| {
        let all: f64 = (0..truth.len()).map(&weight).sum();
        let mean = truth
            .iter()
            .enumerate()
            .map(|(sample, y)| weight(sample) * y.as_f64())
            .sum::<f64>()
            / all;
        let (mut errors, mut deviations) = (0.0, 0.0);
        for (sample, (y, z)) in truth.iter().zip(predicted).enumerate() {
            errors += weight(sample) * (y.as_f64() - z.as_f64()).powi(2);
            deviations += weight(sample) * (y.as_f64() - mean).powi(2);
        }
        match (errors, deviations) {
            (0.0, 0.0) => 1.0,
            (_, 0.0) => 0.0,
            _ => 1.0 - errors / deviations,
        }
    });
    scores.sum::<f64>() / truth.ncols() as f64
}
