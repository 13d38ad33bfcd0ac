//! Gradient clipping: a gradient longer than a limit is shortened to it.

use ndarray::Array2;

use crate::element::Element;

/// Whose L2 norm is limited: g <- g min(1, limit / |g|). The constant row has no part in it; the bias has.
///
/// The limit is a finite number above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clip {
    /// Each weight tensor's gradient on its own, as the report does (section 5.2).
    PerTensor(f64),
    /// All gradients as one vector, as PyTorch's `clip_grad_norm_` does.
    Global(f64),
}

impl Clip {
    /// The norm's limit.
    pub(super) fn limit(self) -> f64 {
        match self {
            Clip::PerTensor(limit) | Clip::Global(limit) => limit,
        }
    }
}

/// What to multiply a gradient of this squared norm by.
pub(super) fn factor(limit: f64, squared_norm: f64) -> f64 {
    let norm = squared_norm.sqrt();
    if norm > limit { limit / norm } else { 1.0 }
}

/// The sum of squares, added up in f64 in a fixed order.
pub(super) fn squared_norm<T: Element>(gradient: &Array2<T>) -> f64 {
    let column =
        |column: ndarray::ArrayView1<'_, T>| column.iter().map(|value| value.as_f64().powi(2)).sum::<f64>();
    gradient.columns().into_iter().map(column).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn only_long_gradients_are_shortened() {
        let squared = squared_norm(&array![[0.0, 0.0], [3.0, 4.0]]);
        assert_eq!(squared, 25.0);
        assert_eq!(factor(10.0, squared), 1.0);
        assert_eq!(factor(5.0, squared), 1.0);
        assert_eq!(factor(2.5, squared), 0.5);
    }
}
