//! Points of the unit square, or of its kin of more dimensions, inside and outside of something.

use ndarray::Array2;
use rand::RngExt;

use super::dataset::Dataset;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::random::{Stream, generator};

/// The most points that are drawn.
const MAX_SAMPLES: usize = 1 << 28;

/// Draws a training and a test set of points uniform in [0, 1]^features, of class 1 where `inside` says so, and else of
/// class 0; the test points are those that would follow the training points.
pub(super) fn points<T: Element>(
    seed: u64,
    stream: Stream,
    (train, test): (usize, usize),
    features: usize,
    inside: impl Fn(&[f64]) -> bool,
) -> Result<(Dataset<T>, Dataset<T>)> {
    for (option, samples, room) in [
        ("training samples", train, MAX_SAMPLES),
        ("test samples", test, MAX_SAMPLES.saturating_sub(train)),
    ] {
        if samples == 0 || samples > room {
            let expected = "at least 1, and training and test samples together at most 268435456";
            return Err(Error::option(option, samples, expected));
        }
    }
    let mut point = vec![0.0; features];
    let mut draw = |first: usize, count: usize| {
        let mut inputs = Array2::zeros((count, features));
        let mut labels = Vec::with_capacity(count);
        for (index, mut row) in (first as u64..).zip(inputs.rows_mut()) {
            let mut generator = generator(seed, stream, index);
            point.fill_with(|| generator.random());
            row.iter_mut()
                .zip(&point)
                .for_each(|(to, &x)| *to = T::from_f64(x));
            labels.push(u32::from(inside(&point)));
        }
        Dataset::classification(inputs, labels, 2)
    };
    Ok((draw(0, train)?, draw(train, test)?))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::data::Targets;

    /// 1 for each point that lies inside, 0 for the others.
    pub(in crate::data) fn labels(data: &Dataset<f64>) -> &[u32] {
        match data.targets() {
            Targets::Classes { labels, .. } => labels,
            Targets::Values(_) => panic!("points have classes"),
        }
    }

    #[test]
    fn senseless_counts_are_refused() {
        for counts in [(0, 1), (1, 0), (usize::MAX, 1), (1, usize::MAX), (MAX_SAMPLES, 1)] {
            let error = points::<f32>(7, Stream::Circle, counts, 2, |_| true).unwrap_err();
            assert!(matches!(error, Error::InvalidOption { .. }), "{error}");
        }
    }
}
