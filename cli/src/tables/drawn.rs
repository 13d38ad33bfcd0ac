//! Data that are drawn from a seed, in shapes that no known data set has.

use mfnet::{Dataset, Element};
use ndarray::{Array2, ArrayView1};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::data::Pair;

/// As many test samples for each training sample.
const TEST_PART: usize = 10;

/// As many numbers to be told as there are features: in place j, the sine of the features j and j + 1 together.
pub(super) fn numbers<T: Element>(seed: u64, samples: usize, features: usize) -> mfnet::Result<Pair<T>> {
    let draw = |samples, stream| {
        let inputs = inputs(seed, stream, samples, features);
        let target = |(sample, output)| {
            let sample: ArrayView1<'_, f64> = inputs.row(sample);
            T::from_f64((sample[output] + sample[(output + 1) % features]).sin())
        };
        let targets = Array2::from_shape_fn((samples, features), target);
        Dataset::regression(inputs.mapv(T::from_f64), targets)
    };
    Ok(Pair {
        train: draw(samples, 0)?,
        test: draw(samples / TEST_PART, 1)?,
    })
}

/// Two classes of about the same size: whether the products of neighbouring features have a positive sum.
pub(super) fn classes<T: Element>(seed: u64, samples: usize, features: usize) -> mfnet::Result<Pair<T>> {
    let draw = |samples, stream| {
        let inputs = inputs(seed, stream, samples, features);
        let label = |sample: ArrayView1<'_, f64>| {
            let products = sample
                .windows(2)
                .into_iter()
                .step_by(2)
                .map(|pair| pair[0] * pair[1]);
            u32::from(products.sum::<f64>() > 0.0)
        };
        let labels = inputs.rows().into_iter().map(label).collect();
        Dataset::classification(inputs.mapv(T::from_f64), labels, 2)
    };
    Ok(Pair {
        train: draw(samples, 0)?,
        test: draw(samples / TEST_PART, 1)?,
    })
}

/// Samples x features, uniform from -1 to 1, exact in both precisions.
fn inputs(seed: u64, stream: u64, samples: usize, features: usize) -> Array2<f64> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(stream);
    Array2::from_shape_simple_fn((samples, features), || {
        f64::from(2.0 * generator.random::<f32>() - 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_data_in_both_precisions() {
        let (wide, narrow) = (
            numbers::<f64>(3, 20, 4).unwrap(),
            numbers::<f32>(3, 20, 4).unwrap(),
        );
        let close = |found: f32, expected: f64| (f64::from(found) - expected).abs() < 1e-6;
        for (wide, narrow) in [(&wide.train, &narrow.train), (&wide.test, &narrow.test)] {
            let (inputs, expected) = (narrow.to_values(), wide.to_values());
            assert!(
                inputs
                    .iter()
                    .zip(&expected)
                    .all(|(&found, &expected)| f64::from(found) == expected)
            );
            let (targets, expected) = (narrow.values().unwrap(), wide.values().unwrap());
            assert!(
                targets
                    .iter()
                    .zip(&expected)
                    .all(|(&found, &expected)| close(found, expected))
            );
        }
        let classes = [
            classes::<f64>(3, 20, 28).unwrap().train,
            classes::<f64>(3, 20, 28).unwrap().train,
        ];
        assert_eq!(classes[0], classes[1]);
        assert_ne!(numbers::<f64>(4, 20, 4).unwrap().train, wide.train);
    }

    #[test]
    fn shapes_and_classes_are_those_promised() {
        let drawn = classes::<f32>(0, 2000, 28).unwrap();
        let shape = |data: &Dataset<f32>| (data.samples(), data.features(), data.outputs());
        assert_eq!(
            (shape(&drawn.train), shape(&drawn.test)),
            ((2000, 28, 2), (200, 28, 2))
        );
        let ones: u32 = drawn.train.labels().unwrap().iter().sum();
        assert!((900..1100).contains(&ones), "{ones}");
        let drawn = numbers::<f32>(0, 50, 4).unwrap();
        assert_eq!((shape(&drawn.train), shape(&drawn.test)), ((50, 4, 4), (5, 4, 4)));
    }
}
