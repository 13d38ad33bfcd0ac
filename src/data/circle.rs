//! Points inside and outside a circle: a classification that no linear model learns.

use std::f64::consts::PI;

use super::dataset::Dataset;
use super::points::points;
use crate::element::Element;
use crate::error::Result;
use crate::random::Stream;

/// Draws a training and a test set of points in the unit square, of class 1 if they lie within a circle of half the
/// square's area, and else of class 0: (x - 0.5)^2 + (y - 0.5)^2 < 1 / (2 pi). It is the disc of radius
/// 1 / sqrt(2 pi) around (0.5, 0.5).
///
/// The points are uniform in [0, 1]^2 and depend on the seed alone; the test points are those that would follow the
/// training points.
///
/// # Shapes
///
/// inputs: samples x 2; targets: 2 classes
///
/// # Errors
///
/// [`Error::InvalidOption`](crate::Error::InvalidOption) for no training samples, no test samples, or more than 2^28 of both together.
///
/// ```
/// let (train, test) = mfnet::data::circle::<f32>(7, 800, 200)?;
/// assert_eq!((train.samples(), train.features(), train.outputs()), (800, 2, 2));
/// assert_eq!(test.samples(), 200);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn circle<T: Element>(seed: u64, train: usize, test: usize) -> Result<(Dataset<T>, Dataset<T>)> {
    points(seed, Stream::Circle, (train, test), 2, |point| {
        point.iter().map(|x| (x - 0.5).powi(2)).sum::<f64>() < 0.5 / PI
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::points::tests::labels;

    #[test]
    fn half_of_the_points_lie_inside() {
        let (train, test) = circle::<f64>(7, 4_000, 1_000).unwrap();
        let inside = labels(&train).iter().sum::<u32>();
        assert!((1_880..2_120).contains(&inside), "{inside}");
        for (point, &label) in train.to_values().rows().into_iter().zip(labels(&train)) {
            assert!(point.iter().all(|coordinate| (0.0..1.0).contains(coordinate)));
            let distance = (point[0] - 0.5).hypot(point[1] - 0.5);
            assert_eq!(label == 1, distance < 0.398_942_280_401_432_7, "{point}");
        }
        let (all, _) = circle::<f64>(7, 5_000, 1).unwrap();
        let indices: Vec<usize> = (4_000..5_000).collect();
        assert_eq!(all.select(&indices).unwrap(), test, "the test points follow");
    }

    #[test]
    fn points_are_the_same_for_ever() {
        let (train, _) = circle::<f64>(7, 2, 1).unwrap();
        // From an implementation of ChaCha8 in Python: with the key `struct.pack("<QQQQ", 7, 5, index, 0)`, the first
        // block's first two u64 `u` are x and y: `(u >> 11) * 2.0**-53`.
        let expected = ndarray::array![
            [0.8103848023074194, 0.1901780065777936],
            [0.20272880863344034, 0.05071670334389489],
        ];
        assert_eq!(train.to_values(), expected);
        assert_ne!(circle::<f64>(8, 2, 1).unwrap().0, train);
    }
}
