//! Permutation importance: how much a score suffers when the values of a feature are mixed up among the samples.

use ndarray::{Array1, Array2, ArrayView1};
use rand::seq::SliceRandom;

use super::Model;
use crate::data::{Dataset, Inputs};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::metrics::Score;
use crate::random::{Stream, generator};

/// The importance of a feature.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Importance {
    /// The name of the feature, as [`Schema::feature_name`](crate::data::Schema::feature_name) gives it.
    pub feature: String,
    /// The mean loss of the score, in its own unit: positive where the model needs the feature, about 0 where it does not.
    pub mean: f64,
    /// The standard deviation over the repeats, sqrt(sum (x - mean)^2 / (n - 1)); 0 for a single repeat.
    pub deviation: f64,
}

impl<T: Element> Model<T> {
    /// Computes the permutation importance of each feature on raw samples: how much a score suffers when the values of the
    /// feature are mixed up among the samples, the mean over `repeats` random orders. Features that tell the same share their
    /// importance. A category is one feature, with all its inputs.
    ///
    /// The samples should be others than those of the training. Time: features x repeats evaluations.
    ///
    /// # Errors
    ///
    /// As [`Model::evaluate`]; [`Error::InvalidOption`] for no repeats; [`Error::InvalidData`] for a
    /// [score](crate::checkpoint::ModelScores::score) that the model does not have on these samples.
    ///
    /// Source: Breiman, Random forests, 2001, section 10; scikit-learn's `permutation_importance`.
    ///
    /// ```
    /// use mfnet::data::Schema;
    /// use mfnet::layer::Linear;
    /// use mfnet::metrics::Score;
    /// use mfnet::{Dataset, Model, NeuralNetwork};
    /// use ndarray::array;
    ///
    /// let raw = Dataset::regression(array![[1.0, 5.0], [2.0, 3.0], [3.0, 4.0]], array![[1.0], [2.0], [3.0]])?;
    /// let layer = Linear::<f64>::from_weights(array![[1.0, 0.0]].view(), &[0.0])?;
    /// let network = NeuralNetwork::builder(2).layer(Box::new(layer)).build()?;
    /// let importances = Model::new(network, Schema::of(&raw))?.permutation_importance(&raw, Score::R2, 20, 7)?;
    /// assert!(importances[0].mean > 0.5);
    /// assert_eq!(importances[1].mean, 0.0);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn permutation_importance(
        &self,
        raw: &Dataset<T>,
        score: Score,
        repeats: usize,
        seed: u64,
    ) -> Result<Vec<Importance>> {
        if repeats == 0 {
            return Err(Error::option("repeats", repeats, "at least 1"));
        }
        let value = |raw: Dataset<T>| {
            let value = self.evaluate(raw)?.score(score);
            value.ok_or_else(|| {
                let problem = format_args!("the model does not have the score {score} on these samples");
                Error::data("Model::permutation_importance", problem)
            })
        };
        let reference = value(raw.clone())?;
        let loss = |mixed: f64| match score.higher_is_better() {
            true => reference - mixed,
            false => mixed - reference,
        };
        let mut importances = Vec::with_capacity(raw.features());
        for feature in 0..raw.features() {
            let mut random = generator(seed, Stream::Importance, feature as u64);
            let mut order: Vec<usize> = (0..raw.samples()).collect();
            let mut losses = Vec::with_capacity(repeats);
            for _ in 0..repeats {
                order.shuffle(&mut random);
                let mixed = Dataset::new(mixed(raw.inputs(), feature, &order), raw.targets().clone())?;
                losses.push(loss(value(mixed)?));
            }
            let mean = losses.iter().sum::<f64>() / repeats as f64;
            let squares: f64 = losses.iter().map(|loss| (loss - mean).powi(2)).sum();
            importances.push(Importance {
                feature: self.schema().feature_name(feature),
                mean,
                deviation: (squares / (repeats - 1).max(1) as f64).sqrt(),
            });
        }
        Ok(importances)
    }
}

/// The inputs with the values of a feature in another order.
fn mixed<T: Element>(inputs: &Inputs<T>, feature: usize, order: &[usize]) -> Inputs<T> {
    fn with_column<V: Copy>(values: &Array2<V>, feature: usize, order: &[usize]) -> Array2<V> {
        let column: ArrayView1<'_, V> = values.column(feature);
        let column: Array1<V> = order.iter().map(|&sample| column[sample]).collect();
        let mut values = values.clone();
        values.column_mut(feature).assign(&column);
        values
    }
    match inputs {
        Inputs::Values(values) => Inputs::Values(with_column(values, feature, order)),
        Inputs::Pixels(pixels) => Inputs::Pixels(with_column(pixels, feature, order)),
        Inputs::Sparse(rows) => Inputs::Sparse(rows.mixed(feature, order)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Schema;
    use crate::layer::Linear;
    use crate::network::NeuralNetwork;
    use ndarray::array;

    /// y = 2 a + b for a of variance 1 and b of variance 1/4, so that R^2 falls by 2 w^2 var / var(y) in the mean.
    #[test]
    fn the_loss_of_r2_is_as_derived_by_hand() {
        let inputs = Array2::from_shape_fn((400, 3), |(sample, feature)| match feature {
            0 if sample % 2 == 0 => 1.0,
            0 => -1.0,
            1 if sample % 4 < 2 => 0.5,
            1 => -0.5,
            _ => sample as f64,
        });
        let targets = Array2::from_shape_fn((400, 1), |(sample, _)| {
            2.0 * inputs[[sample, 0]] + inputs[[sample, 1]]
        });
        let raw = Dataset::regression(inputs, targets).unwrap();
        let layer = Linear::from_weights(array![[2.0, 1.0, 0.0]].view(), &[0.0]).unwrap();
        let network = NeuralNetwork::builder(3).layer(Box::new(layer)).build().unwrap();
        let model = Model::new(network, Schema::of(&raw)).unwrap();
        let importances = model.permutation_importance(&raw, Score::R2, 50, 3).unwrap();
        for (importance, expected) in importances.iter().zip([8.0 / 4.25, 0.5 / 4.25, 0.0]) {
            // Five standard errors.
            let tolerance = 5.0 * importance.deviation / 50f64.sqrt();
            assert!(
                (importance.mean - expected).abs() <= tolerance,
                "{importance:?}, not {expected}"
            );
        }
        assert_eq!(
            model.permutation_importance(&raw, Score::R2, 50, 3).unwrap(),
            importances
        );
        let of_rmse = model.permutation_importance(&raw, Score::Rmse, 1, 3).unwrap();
        assert!(of_rmse[0].mean > 0.0 && of_rmse[0].deviation == 0.0);
        assert!(model.permutation_importance(&raw, Score::Accuracy, 1, 3).is_err());
        assert!(model.permutation_importance(&raw, Score::R2, 0, 3).is_err());
    }
}
