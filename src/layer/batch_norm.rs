//! Batch normalisation: each feature is shifted and scaled to mean 0 and variance 1 over the batch, then by trained
//! parameters.

use std::ops::Range;

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, ShapeBuilder, s};

use super::statistics::{TILE, part, tiles};
use super::{BatchStatistics, Context, Layer, LayerKind, has_room};
use crate::augment::{body, body_mut};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernel::simd;

/// a = gamma (z - mean) / sqrt(variance + epsilon) + beta, feature by feature.
///
/// In training, mean and variance are those of the batch; the variance is the sum of squared distances from the mean,
/// divided by the number of samples m. With each update of the parameters, they are averaged into the running statistics,
///
/// ```text
/// running mean     <- (1 - momentum) running mean     + momentum mean
/// running variance <- (1 - momentum) running variance + momentum variance m / (m - 1)
/// ```
///
/// which replace them in predictions. The running mean starts at 0, the running variance at 1, gamma at 1 and beta at
/// 0. With X the normalised z,
///
/// ```text
/// dJ/dbeta  = sum of dJ/da
/// dJ/dgamma = sum of X dJ/da
/// dJ/dz     = gamma / sqrt(variance + epsilon) (dJ/da - (dJ/dbeta + X dJ/dgamma) / m)
/// ```
///
/// The layer counts its training batches, since PyTorch's files contain this count. Nothing is computed from it, and
/// early stopping, which restores earlier weights and statistics, does not restore it.
///
/// A batch of one sample has no variance, and training on it is an error; the last batch of an epoch may be one. The
/// bias row is not normalised. Weight decay applies to gamma, which is a weight, as in PyTorch; it does not apply to
/// beta, which is a bias.
///
/// # Shapes
///
/// samples x features -> samples x features; W: (features + 1) x 2, column 0 beta, column 1 gamma, row 0 constant (1 0)
///
/// Source: Ioffe and Szegedy, "Batch normalization", 2015; as PyTorch's `nn.BatchNorm1d`.
///
/// ```
/// use mfnet::NeuralNetwork;
///
/// let network = NeuralNetwork::<f32>::builder(4).linear(8).batch_norm().relu().linear(3).build()?;
/// assert_eq!(network.parameter_count(), 8 * (4 + 1) + 2 * 8 + 3 * (8 + 1));
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct BatchNorm1d<T> {
    /// Beta and gamma.
    weights: [Array2<T>; 1],
    /// Features x 2: the running mean and the running variance.
    running: [Array2<T>; 1],
    /// The number of training batches.
    batches: u64,
    epsilon: f64,
    momentum: f64,
}

impl<T: Element> BatchNorm1d<T> {
    /// The default epsilon, which is added to the variance so that a variance of 0 does no harm: PyTorch's default.
    pub const EPSILON: f64 = 1e-5;

    /// The default momentum, the weight of a batch in the running statistics: PyTorch's default.
    pub const MOMENTUM: f64 = 0.1;

    /// A layer for `features` features, at least 1, with epsilon above 0, and momentum above 0 and at most 1.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for other numbers, or for more features than there is memory for.
    ///
    /// ```
    /// use mfnet::layer::BatchNorm1d;
    ///
    /// let layer = BatchNorm1d::<f32>::new(8, BatchNorm1d::<f32>::EPSILON, 0.01)?;
    /// assert!(BatchNorm1d::<f32>::new(8, 0.0, 0.01).is_err());
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn new(features: usize, epsilon: f64, momentum: f64) -> Result<Self> {
        if features == 0 {
            return Err(Error::option("features of BatchNorm1d", features, "at least 1"));
        }
        Self::check(epsilon, momentum)?;
        if !has_room::<T>(&[features.saturating_add(1), 2]) {
            let expected = "few enough for the memory";
            return Err(Error::option("features of BatchNorm1d", features, expected));
        }
        let mut weights = Array2::zeros((features + 1, 2).f());
        weights[[0, 0]] = T::one();
        weights.slice_mut(s![1.., 1]).fill(T::one());
        let mut running = Array2::zeros((features, 2).f());
        running.column_mut(1).fill(T::one());
        Ok(BatchNorm1d {
            weights: [weights],
            running: [running],
            batches: 0,
            epsilon,
            momentum,
        })
    }

    /// A layer with these weights, in PyTorch's shapes; epsilon and momentum are the defaults.
    ///
    /// # Shapes
    ///
    /// gamma and beta: features
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for unequal lengths, [`Error::InvalidOption`] for no features, [`Error::InvalidData`] for a
    /// number that is not finite.
    pub fn from_weights(gamma: &[T], beta: &[T]) -> Result<Self> {
        if gamma.len() != beta.len() {
            return Err(Error::shape(
                "BatchNorm1d::from_weights",
                format_args!("as many betas as gammas, {}", gamma.len()),
                beta.len(),
            ));
        }
        if !gamma.iter().chain(beta).all(|value| value.is_finite()) {
            let problem = "a gamma or beta is not a finite number";
            return Err(Error::data("BatchNorm1d::from_weights", problem));
        }
        let mut layer = Self::new(gamma.len(), Self::EPSILON, Self::MOMENTUM)?;
        let numbers = beta.iter().zip(gamma);
        for (mut weights, (&beta, &gamma)) in layer.weights[0].rows_mut().into_iter().skip(1).zip(numbers) {
            weights[0] = beta;
            weights[1] = gamma;
        }
        Ok(layer)
    }

    /// Refuses an epsilon or a momentum out of range.
    pub(crate) fn check(epsilon: f64, momentum: f64) -> Result<()> {
        if !(epsilon > 0.0 && epsilon.is_finite()) {
            return Err(Error::option("epsilon", epsilon, "a finite number above 0"));
        }
        if !(momentum > 0.0 && momentum <= 1.0) {
            return Err(Error::option(
                "momentum of BatchNorm1d",
                momentum,
                "above 0 and at most 1",
            ));
        }
        Ok(())
    }

    /// Replaces gamma, beta, running mean and running variance, and the number of training batches.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for other numbers of features, [`Error::InvalidData`] for a variance below 0.
    pub(crate) fn assign(&mut self, numbers: [ArrayView1<'_, T>; 4], batches: u64) -> Result<()> {
        let [gamma, beta, mean, variance] = numbers;
        if let Some(wrong) = numbers.iter().find(|numbers| numbers.len() != self.features()) {
            return Err(Error::shape("BatchNorm1d", self.features(), wrong.len()));
        }
        if let Some(variance) = variance.iter().find(|variance| **variance < T::zero()) {
            let problem = format_args!("{variance} is no variance, which is at least 0");
            return Err(Error::data("running_var", problem));
        }
        let ([weights], [running]) = (&mut self.weights, &mut self.running);
        weights.slice_mut(s![1.., 1]).assign(&gamma);
        weights.slice_mut(s![1.., 0]).assign(&beta);
        running.column_mut(0).assign(&mean);
        running.column_mut(1).assign(&variance);
        self.batches = batches;
        Ok(())
    }

    fn features(&self) -> usize {
        self.running[0].nrows()
    }

    /// Beta, the mean of each feature of the output over a batch.
    pub(crate) fn beta(&self) -> ArrayView1<'_, T> {
        self.weights[0].slice(s![1.., 0])
    }

    /// Gamma, the standard deviation of each feature of the output over a batch.
    pub(crate) fn gamma(&self) -> ArrayView1<'_, T> {
        self.weights[0].slice(s![1.., 1])
    }

    /// The running mean.
    pub fn running_mean(&self) -> ArrayView1<'_, T> {
        self.running[0].column(0)
    }

    /// The running variance.
    pub fn running_variance(&self) -> ArrayView1<'_, T> {
        self.running[0].column(1)
    }

    /// The number of training batches.
    pub(crate) fn batches(&self) -> u64 {
        self.batches
    }

    /// The number that is added to the variance.
    pub(crate) fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// The weight of a batch in the running statistics.
    pub(crate) fn momentum(&self) -> f64 {
        self.momentum
    }

    /// The mean of a feature, and 1 / sqrt(variance + epsilon), from the statistics of the batch if there are any, else
    /// from the running ones.
    fn moments(&self, batch: Option<&BatchStatistics<T>>, feature: usize) -> (f64, f64) {
        let (mean, variance) = match batch {
            Some(batch) => (batch.means()[feature], batch.variance(feature)),
            None => (
                self.running_mean()[feature].as_f64(),
                self.running_variance()[feature].as_f64(),
            ),
        };
        (mean, 1.0 / (variance + self.epsilon).sqrt())
    }
}

/// A range of a sample's features.
#[inline(always)]
fn part_mut<'a, T>(sample: ArrayViewMut1<'a, T>, features: &Range<usize>) -> &'a mut [T] {
    &mut sample.into_slice().expect("a sample's features are contiguous")[features.clone()]
}

impl<T: Element> Layer<T> for BatchNorm1d<T> {
    fn name(&self) -> &'static str {
        "BatchNorm1d"
    }

    fn inputs(&self) -> usize {
        self.features()
    }

    fn outputs(&self) -> usize {
        self.features()
    }

    fn kind(&self) -> LayerKind {
        LayerKind::BatchWise
    }

    fn parameters(&self) -> &[Array2<T>] {
        &self.weights
    }

    fn parameters_mut(&mut self) -> &mut [Array2<T>] {
        &mut self.weights
    }

    fn buffers(&self) -> &[Array2<T>] {
        &self.running
    }

    fn buffers_mut(&mut self) -> &mut [Array2<T>] {
        &mut self.running
    }

    fn forward(&self, input: ArrayView2<'_, T>, output: ArrayViewMut2<'_, T>, context: &mut Context<'_, T>) {
        let (input, mut output) = (body(input), body_mut(output));
        for features in tiles(self.features()) {
            let [mut means, mut scales, mut shifts] = [[T::zero(); TILE]; 3];
            for (place, feature) in features.clone().enumerate() {
                let (mean, inverse) = self.moments(context.statistics(), feature);
                means[place] = T::from_f64(mean);
                scales[place] = T::from_f64(self.gamma()[feature].as_f64() * inverse);
                shifts[place] = self.beta()[feature];
            }
            simd(
                #[inline(always)]
                || {
                    for (input, output) in input.columns().into_iter().zip(output.columns_mut()) {
                        let numbers = part_mut(output, &features).iter_mut().zip(part(input, &features));
                        let factors = means.iter().zip(&scales).zip(&shifts);
                        for ((output, &input), ((&mean, &scale), &shift)) in numbers.zip(factors) {
                            *output = (input - mean) * scale + shift;
                        }
                    }
                },
            );
        }
    }

    fn backward(
        &self,
        input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        delta_input: ArrayViewMut2<'_, T>,
        context: &mut Context<'_, T>,
    ) {
        let (input, delta, mut delta_input) = (body(input), body(delta), body_mut(delta_input));
        for features in tiles(self.features()) {
            // dJ/dz = scale (delta - shift - slope (z - mean)); with running statistics, shift and slope are 0.
            let [mut means, mut scales, mut shifts, mut slopes] = [[T::zero(); TILE]; 4];
            for (place, feature) in features.clone().enumerate() {
                let (mean, inverse) = self.moments(context.statistics(), feature);
                means[place] = T::from_f64(mean);
                scales[place] = T::from_f64(self.gamma()[feature].as_f64() * inverse);
                if let Some(batch) = context.statistics() {
                    let gradient = |column: usize| {
                        batch.gradients()[0][[feature + 1, column]].as_f64() / batch.samples() as f64
                    };
                    shifts[place] = T::from_f64(gradient(0));
                    slopes[place] = T::from_f64(gradient(1) * inverse);
                }
            }
            simd(
                #[inline(always)]
                || {
                    let columns = input.columns().into_iter().zip(delta.columns());
                    for ((input, delta), delta_input) in columns.zip(delta_input.columns_mut()) {
                        let numbers = part(input, &features).iter().zip(part(delta, &features));
                        let numbers = numbers.zip(part_mut(delta_input, &features));
                        let factors = means.iter().zip(&scales).zip(shifts.iter().zip(&slopes));
                        for (((&input, &delta), output), ((&mean, &scale), (&shift, &slope))) in
                            numbers.zip(factors)
                        {
                            *output = scale * (delta - shift - slope * (input - mean));
                        }
                    }
                },
            );
        }
    }

    fn gradient(
        &self,
        input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        gradients: &mut [Array2<T>],
        context: &mut Context<'_, T>,
    ) {
        let (input, delta) = (body(input), body(delta));
        for features in tiles(self.features()) {
            let [mut means, mut sums, mut products] = [[0.0; TILE]; 3];
            for (place, feature) in features.clone().enumerate() {
                means[place] = self.moments(context.statistics(), feature).0;
            }
            simd(
                #[inline(always)]
                || {
                    for (input, delta) in input.columns().into_iter().zip(delta.columns()) {
                        let numbers = part(input, &features).iter().zip(part(delta, &features));
                        let sums = sums.iter_mut().zip(&mut products).zip(&means);
                        for ((&input, &delta), ((sum, product), &mean)) in numbers.zip(sums) {
                            let delta = delta.as_f64();
                            *sum += delta;
                            *product += delta * (input.as_f64() - mean);
                        }
                    }
                },
            );
            for (place, feature) in features.enumerate() {
                let (_, inverse) = self.moments(context.statistics(), feature);
                let mut gradient = gradients[0].row_mut(feature + 1);
                gradient[0] = T::from_f64(sums[place]);
                gradient[1] = T::from_f64(products[place] * inverse);
            }
        }
    }

    fn update_running_statistics(&mut self, statistics: &BatchStatistics<T>) {
        let momentum = self.momentum;
        let follow = |running: &mut T, value: f64| {
            *running = T::from_f64((1.0 - momentum) * running.as_f64() + momentum * value);
        };
        for (feature, mut running) in self.running[0].rows_mut().into_iter().enumerate() {
            follow(&mut running[0], statistics.means()[feature]);
            follow(&mut running[1], statistics.sample_variance(feature));
        }
        self.batches += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::{augment, augmented};
    use crate::layer::Mode;
    use ndarray::array;

    fn layer(gamma: &[f64], beta: &[f64]) -> BatchNorm1d<f64> {
        BatchNorm1d::from_weights(gamma, beta).unwrap()
    }

    /// The statistics of a batch.
    fn measured(input: &Array2<f64>) -> BatchStatistics<f64> {
        let mut statistics = BatchStatistics::new(input.nrows() - 1);
        statistics.measure(input.view());
        statistics
    }

    fn assert_close(found: &Array2<f64>, expected: &Array2<f64>) {
        let errors = found - expected;
        assert!(
            errors.iter().all(|error| error.abs() < 1e-12),
            "{found}, not {expected}"
        );
    }

    #[test]
    fn a_batch_by_hand() {
        let mut layer = layer(&[1.0, 3.0], &[0.0, 0.5]);
        let input = augment(array![[1.0, 10.0], [3.0, 10.0]].view());
        let statistics = measured(&input);
        let (mode, mut scratch) = (Mode::Train { epoch: 1, first: 0 }, Vec::new());
        let mut output = augmented(2, 2);
        let mut context = Context::new(mode, &mut scratch).with_statistics(&statistics);
        layer.forward(input.view(), output.view_mut(), &mut context);
        let one = 1.0 / (1.0_f64 + 1e-5).sqrt();
        // The second feature is constant: only its beta is left.
        assert_close(&output, &array![[1.0, 1.0], [-one, one], [0.5, 0.5]]);

        // A sample's features are contiguous.
        let delta = array![[0.0, 1.0, 2.0], [0.0, 4.0, 3.0]].reversed_axes();
        let mut gradients = [Array2::zeros((3, 2))];
        layer.gradient(input.view(), delta.view(), &mut gradients, &mut context);
        assert_close(&gradients[0], &array![[0.0, 0.0], [5.0, 3.0 * one], [5.0, 0.0]]);

        layer.update_running_statistics(&statistics);
        assert_close(&layer.running[0], &array![[0.2, 0.9 + 0.1 * 2.0], [1.0, 0.9]]);
        assert_eq!(layer.batches, 1);
        let mut output = augmented(2, 2);
        layer.forward(
            input.view(),
            output.view_mut(),
            &mut Context::new(Mode::Eval, &mut scratch),
        );
        let scale = 1.0 / (1.1_f64 + 1e-5).sqrt();
        let second = 3.0 * 9.0 / (0.9_f64 + 1e-5).sqrt() + 0.5;
        assert_close(
            &output,
            &array![[1.0, 1.0], [0.8 * scale, 2.8 * scale], [second, second]],
        );
    }

    #[test]
    fn odd_options_are_refused() {
        for (features, epsilon, momentum) in [
            (0, 1e-5, 0.1),
            (1, 0.0, 0.1),
            (1, f64::NAN, 0.1),
            (1, f64::INFINITY, 0.1),
            (1, 1e-5, 0.0),
            (1, 1e-5, 1.1),
            (1, 1e-5, f64::NAN),
        ] {
            assert!(BatchNorm1d::<f32>::new(features, epsilon, momentum).is_err());
        }
        assert!(BatchNorm1d::from_weights(&[1.0], &[1.0, 2.0]).is_err());
        assert!(BatchNorm1d::<f32>::from_weights(&[], &[]).is_err());
        assert!(BatchNorm1d::from_weights(&[f64::NAN], &[1.0]).is_err());
    }
}
