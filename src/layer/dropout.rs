//! Dropout: in training, each feature of each sample is dropped at random.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{Context, Layer, Mode};
use crate::augment::{body, body_mut};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernel::simd;

/// a = z / (1 - p) with probability 1 - p, else 0, in training; a = z in predictions.
///
/// The bias row is never dropped. Which features are dropped depends only on the seed, the epoch, the sample's position
/// in the epoch and the feature. The generator is SplitMix64 (Steele, Lea and Flood 2014), with a key for each sample.
///
/// # Shapes
///
/// samples x features -> samples x features
///
/// Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014; scaled in
/// training, as PyTorch's `nn.Dropout` is.
#[derive(Debug, Clone)]
pub struct Dropout {
    features: usize,
    probability: f64,
    seed: u64,
}

impl Dropout {
    /// A layer that drops each of `features` features with this probability, at least 0 and below 1.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for another probability or no features.
    pub fn new(features: usize, probability: f64, seed: u64) -> Result<Self> {
        if features == 0 {
            return Err(Error::option("features of Dropout", features, "at least 1"));
        }
        if !(0.0..1.0).contains(&probability) {
            return Err(Error::option("dropout", probability, "at least 0 and below 1"));
        }
        Ok(Dropout {
            features,
            probability,
            seed,
        })
    }

    /// The probability that a feature is dropped.
    pub(crate) fn probability(&self) -> f64 {
        self.probability
    }

    /// The seed of the random numbers.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Writes each value times the factor that keeps the mean, or 0 if it is dropped; copies all values in
    /// [`Mode::Eval`].
    fn mask<T: Element>(&self, mode: Mode, input: ArrayView2<'_, T>, output: ArrayViewMut2<'_, T>) {
        let (input, mut output) = (body(input), body_mut(output));
        let (epoch, first) = match mode {
            Mode::Train { epoch, first } if self.probability > 0.0 => (epoch, first),
            _ => return output.assign(&input),
        };
        let factor = T::from_f64(1.0 / (1.0 - self.probability));
        // The upper half of a word is at least this with probability 1 - p.
        let threshold = (self.probability * 2_f64.powi(32)).round() as u64;
        let columns = (first..).zip(input.columns().into_iter().zip(output.columns_mut()));
        for (sample, (input, mut output)) in columns {
            let key = mix(mix(mix(self.seed).wrapping_add(epoch)).wrapping_add(sample));
            // The columns of a shard are contiguous.
            let (Some(input), Some(output)) = (input.as_slice(), output.as_slice_mut()) else {
                for (feature, (output, &input)) in (0..).zip(output.iter_mut().zip(input)) {
                    *output = keep(key, feature, threshold, input, factor);
                }
                continue;
            };
            simd(
                #[inline(always)]
                || {
                    for (feature, (output, &input)) in (0..).zip(output.iter_mut().zip(input)) {
                        *output = keep(key, feature, threshold, input, factor);
                    }
                },
            );
        }
    }
}

#[inline(always)]
fn keep<T: Element>(key: u64, feature: u64, threshold: u64, value: T, factor: T) -> T {
    let word = mix(key.wrapping_add(feature.wrapping_mul(GOLDEN)));
    if word >> 32 >= threshold {
        value * factor
    } else {
        T::zero()
    }
}

/// SplitMix64's step: 2^64 over the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's output function.
#[inline(always)]
fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(GOLDEN);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

impl<T: Element> Layer<T> for Dropout {
    fn name(&self) -> &'static str {
        "Dropout"
    }

    fn inputs(&self) -> usize {
        self.features
    }

    fn outputs(&self) -> usize {
        self.features
    }

    fn forward(&self, input: ArrayView2<'_, T>, output: ArrayViewMut2<'_, T>, context: &mut Context<'_, T>) {
        self.mask(context.mode(), input, output);
    }

    fn backward(
        &self,
        _input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        delta_input: ArrayViewMut2<'_, T>,
        context: &mut Context<'_, T>,
    ) {
        self.mask(context.mode(), delta, delta_input);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::augmented;
    use ndarray::{Array2, s};

    fn train(epoch: u64, first: u64) -> Mode {
        Mode::Train { epoch, first }
    }

    fn forward(dropout: &Dropout, samples: usize, mode: Mode) -> Array2<f64> {
        let input = Array2::ones((dropout.features + 1, samples));
        let mut output = augmented(dropout.features, samples);
        let mut scratch = Vec::new();
        dropout.forward(
            input.view(),
            output.view_mut(),
            &mut Context::new(mode, &mut scratch),
        );
        output
    }

    #[test]
    fn training_drops_its_share_and_keeps_the_mean() {
        let dropout = Dropout::new(1000, 0.3, 7).unwrap();
        let output = forward(&dropout, 100, train(1, 0));
        let kept = output
            .slice(s![1.., ..])
            .iter()
            .filter(|&&value| value != 0.0)
            .count();
        // Five standard deviations of 100,000 draws.
        assert!(
            (kept as f64 / 1e5 - 0.7).abs() < 5.0 * (0.21_f64 / 1e5).sqrt(),
            "{kept}"
        );
        let values = output.slice(s![1.., ..]);
        assert!(values.iter().all(|&value| value == 0.0 || value == 1.0 / 0.7));
        assert!(output.row(0).iter().all(|&bias| bias == 1.0), "the bias stays");
    }

    #[test]
    fn predictions_are_untouched() {
        let dropout = Dropout::new(8, 0.9, 7).unwrap();
        assert!(forward(&dropout, 5, Mode::Eval).iter().all(|&value| value == 1.0));
    }

    #[test]
    fn a_sample_has_the_same_mask_in_any_shard() {
        let dropout = Dropout::new(50, 0.5, 7).unwrap();
        let whole = forward(&dropout, 10, train(3, 20));
        let second = forward(&dropout, 4, train(3, 20).advanced(6));
        assert_eq!(whole.slice(s![.., 6..]), second);
        assert_ne!(
            whole,
            forward(&dropout, 10, train(4, 20)),
            "each epoch is another"
        );
        assert_ne!(whole.column(0), whole.column(1), "each sample is another");
        let other = Dropout::new(50, 0.5, 8).unwrap();
        assert_ne!(whole, forward(&other, 10, train(3, 20)), "each seed is another");
    }

    #[test]
    fn the_stream_is_stable() {
        // SplitMix64's published first output for the seed 0.
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        let output = forward(&Dropout::new(16, 0.5, 7).unwrap(), 1, train(1, 0));
        let bits = output
            .slice(s![1.., 0])
            .iter()
            .fold(0, |bits, &value| bits << 1 | u32::from(value != 0.0));
        assert_eq!(format!("{bits:016b}"), "0110010000110010");
    }

    #[test]
    fn odd_options_are_refused() {
        for probability in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
            assert!(Dropout::new(3, probability, 0).is_err());
        }
        assert!(Dropout::new(0, 0.5, 0).is_err());
    }
}
