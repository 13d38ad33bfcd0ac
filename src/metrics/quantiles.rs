//! Quantiles of the errors of a regression.

use ndarray::ArrayView1;

use crate::element::Element;
use crate::error::{Error, Result};

/// Returns the quantiles of the absolute errors |z - y|: `0.9` is the error that nine of ten samples do not exceed, `0.5` the
/// median and `1.0` the largest. Between two samples the quantile is interpolated linearly, as by `numpy.quantile`.
///
/// # Shapes
///
/// both: samples -> one number for each of `parts`
///
/// # Errors
///
/// [`Error::Shape`] for unequal counts, [`Error::InvalidData`] for no samples and for a part outside of 0 to 1. A NaN among the
/// predictions or targets makes all quantiles NaN.
///
/// ```
/// use mfnet::metrics::error_quantiles;
/// use ndarray::array;
///
/// let (predicted, targets) = (array![1.0, 2.0, 3.0, 9.0], array![1.0, 3.0, 1.0, 4.0]);
/// assert_eq!(error_quantiles(predicted.view(), targets.view(), &[0.5, 1.0])?, [1.5, 5.0]);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn error_quantiles<T: Element>(
    predicted: ArrayView1<'_, T>,
    targets: ArrayView1<'_, T>,
    parts: &[f64],
) -> Result<Vec<f64>> {
    const OPERATION: &str = "error_quantiles";
    if predicted.len() != targets.len() {
        return Err(Error::shape(
            OPERATION,
            format_args!("{} predictions, as targets", targets.len()),
            predicted.len(),
        ));
    }
    if let Some(part) = parts.iter().find(|part| !(0.0..=1.0).contains(*part)) {
        return Err(Error::data(
            OPERATION,
            format_args!("the part {part} is not 0 to 1"),
        ));
    }
    let pairs = predicted.iter().zip(targets);
    let mut errors: Vec<f64> = pairs
        .map(|(predicted, target)| (predicted.as_f64() - target.as_f64()).abs())
        .collect();
    if errors.is_empty() {
        return Err(Error::data(OPERATION, "there are no targets"));
    }
    if errors.iter().any(|error| error.is_nan()) {
        return Ok(vec![f64::NAN; parts.len()]);
    }
    errors.sort_unstable_by(f64::total_cmp);
    let quantile = |part: f64| {
        let place = part * (errors.len() - 1) as f64;
        let (low, high) = (errors[place.floor() as usize], errors[place.ceil() as usize]);
        // Two infinities have no number between them.
        if low == high {
            low
        } else {
            low + (high - low) * place.fract()
        }
    };
    Ok(parts.iter().map(|&part| quantile(part)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};

    /// `numpy.quantile([0.5, 3, 1, 7, 2], [0, 0.1, 0.5, 0.9, 1])`
    #[test]
    fn quantiles_as_numpys() {
        let errors = array![0.5, -3.0, 1.0, 7.0, -2.0];
        let found = error_quantiles(errors.view(), Array1::zeros(5).view(), &[0.0, 0.1, 0.5, 0.9, 1.0]);
        for (found, expected) in found.unwrap().iter().zip([0.5, 0.7, 2.0, 5.4, 7.0]) {
            assert!((found - expected).abs() < 1e-14, "{found} is not {expected}");
        }
    }

    #[test]
    fn numbers_without_quantiles_are_refused() {
        let (one, none) = (array![1.0], Array1::<f64>::zeros(0));
        assert!(error_quantiles(one.view(), none.view(), &[0.5]).is_err());
        assert!(error_quantiles(none.view(), none.view(), &[0.5]).is_err());
        assert!(error_quantiles(one.view(), one.view(), &[1.5]).is_err());
        assert!(error_quantiles(one.view(), one.view(), &[f64::NAN]).is_err());
        let nan = error_quantiles(array![f64::NAN].view(), one.view(), &[0.5]).unwrap();
        assert!(nan[0].is_nan());
    }
}
