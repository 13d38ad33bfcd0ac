//! Small images inside and outside of a ball: a classification for convolutions to be tried on.

use super::dataset::Dataset;
use super::points::points;
use crate::element::Element;
use crate::error::Result;
use crate::random::Stream;

/// Draws a training and a test set of points in [0, 1]^(3 x 4 x 4), images of 4 x 4 pixels in 3 channels, of class 1 if
/// they lie within the ball of radius 2 around the middle, and else of class 0: sum (x - 0.5)^2 < 4.
///
/// The points are uniform and depend on the seed alone; the test points are those that would follow the training points.
/// The square of the distance is 4 on average, so that about half of them lie inside; no pixel alone says anything about
/// the class, nor does a sum of pixels.
///
/// # Shapes
///
/// inputs: samples x 48, channel by channel, in each row by row; targets: 2 classes
///
/// # Errors
///
/// [`Error::InvalidOption`](crate::Error::InvalidOption) for no training samples, no test samples, or more than 2^28 of
/// both together.
///
/// ```
/// let (train, test) = mfnet::data::cube::<f32>(7, 800, 200)?;
/// assert_eq!((train.samples(), train.features(), train.outputs()), (800, 3 * 4 * 4, 2));
/// assert_eq!(test.samples(), 200);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn cube<T: Element>(seed: u64, train: usize, test: usize) -> Result<(Dataset<T>, Dataset<T>)> {
    points(seed, Stream::Cube, (train, test), 3 * 4 * 4, |point| {
        point.iter().map(|x| (x - 0.5).powi(2)).sum::<f64>() < 4.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::points::tests::labels;

    #[test]
    fn about_half_of_the_points_lie_inside() {
        let (train, test) = cube::<f64>(7, 4_000, 1_000).unwrap();
        let inside = labels(&train).iter().sum::<u32>();
        assert!((1_880..2_120).contains(&inside), "{inside}");
        for (point, &label) in train.to_values().rows().into_iter().zip(labels(&train)) {
            assert!(point.iter().all(|coordinate| (0.0..1.0).contains(coordinate)));
            let distance = (&point - 0.5).mapv(|x| x * x).sum().sqrt();
            assert_eq!(label == 1, distance < 2.0, "{distance}");
        }
        let (all, _) = cube::<f64>(7, 5_000, 1).unwrap();
        let indices: Vec<usize> = (4_000..5_000).collect();
        assert_eq!(all.select(&indices).unwrap(), test, "the test points follow");
    }

    #[test]
    fn points_are_the_same_for_ever() {
        let (train, _) = cube::<f64>(7, 2, 1).unwrap();
        // From an implementation of ChaCha8 in Python: with the key `struct.pack("<QQQQ", 7, 8, index, 0)`, the u64 `u`
        // of its blocks, in order, are the coordinates: `(u >> 11) * 2.0**-53`. The first, the ninth, which is the
        // second block's first, and the last are held here.
        let values = train.to_values();
        for (row, expected) in [
            (0, [0.4321707176367514, 0.19243719988861763, 0.8297610171673057]),
            (1, [0.1651206911500246, 0.8478858587299752, 0.7429807188809974]),
        ] {
            assert_eq!([0, 8, 47].map(|column| values[[row, column]]), expected);
        }
        assert_ne!(cube::<f64>(8, 2, 1).unwrap().0, train);
    }
}
