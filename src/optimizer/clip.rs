//! Gradient clipping: a gradient whose norm exceeds a limit is scaled down to it.

use ndarray::Array2;

use super::Gradients;
use crate::element::{Element, compiled};
use crate::error::{Error, Result};
use crate::kernel::simd;
use crate::pool;

/// A limit for the L2 norm of gradients: g <- g min(1, limit / |g|). The norm includes the biases, not the constant row.
///
/// The limit is a finite number above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clip {
    /// Each weight tensor's gradient on its own, as the report does (section 5.2).
    PerTensor(f64),
    /// All gradients as one vector, as PyTorch's `clip_grad_norm_` does.
    Global(f64),
}

/// Computes the factors that clip the gradients of a step.
#[derive(Debug, Clone)]
pub(super) struct Clipping {
    clip: Option<Clip>,
    /// The factor of the current step, for [`Clip::Global`].
    global_factor: f64,
}

impl Clipping {
    /// No clipping.
    pub(super) fn none() -> Self {
        Clipping {
            clip: None,
            global_factor: 1.0,
        }
    }

    pub(super) fn new(clip: Clip) -> Result<Self> {
        let (Clip::PerTensor(limit) | Clip::Global(limit)) = clip;
        if !(limit > 0.0 && limit.is_finite()) {
            return Err(Error::option("clip norm", limit, "a finite number above 0"));
        }
        Ok(Clipping {
            clip: Some(clip),
            global_factor: 1.0,
        })
    }

    /// The clipping as text, for [`Optimizer::settings`](super::Optimizer::settings).
    pub(super) fn describe(&self) -> String {
        match self.clip {
            None => "none".to_owned(),
            Some(Clip::PerTensor(limit)) => format!("{limit} per tensor"),
            Some(Clip::Global(limit)) => format!("{limit} global"),
        }
    }

    pub(super) fn is_none(&self) -> bool {
        self.clip.is_none()
    }

    /// Computes the global factor from all gradients of a step.
    pub(super) fn start_step<T: Element>(&mut self, gradients: &Gradients<'_, T>) {
        if let Some(Clip::Global(limit)) = self.clip {
            self.global_factor = factor(limit, gradients.iter().map(squared_norm).sum());
        }
    }

    /// The factor for this gradient.
    pub(super) fn factor<T: Element>(&self, gradient: &Array2<T>) -> f64 {
        match self.clip {
            None => 1.0,
            Some(Clip::PerTensor(limit)) => factor(limit, squared_norm(gradient)),
            Some(Clip::Global(_)) => self.global_factor,
        }
    }
}

/// The factor for a gradient of this squared norm.
fn factor(limit: f64, squared_norm: f64) -> f64 {
    let norm = squared_norm.sqrt();
    if norm > limit { limit / norm } else { 1.0 }
}

/// The largest number of elements that one task sums.
const PIECE: usize = 1 << 15;

compiled! {
    /// The sum of squares, added in f64 in an order that depends on the shape alone.
    fn squared_norm<'a, 'b, T>(gradient: &'a Array2<T>) -> f64 {
        match gradient.as_slice_memory_order() {
            Some(numbers) if numbers.len() <= PIECE => sum_of_squares(numbers),
            Some(numbers) => pool::enter(|| sum_of_squares(numbers)),
            None => gradient.iter().map(|value| value.as_f64().powi(2)).sum(),
        }
    }
}

fn sum_of_squares<T: Element>(numbers: &[T]) -> f64 {
    /// The number of independent partial sums, so that an addition need not wait for the one before.
    const SUMS: usize = 32;
    if numbers.len() > PIECE {
        let (head, tail) = numbers.split_at(numbers.len() / 2);
        let (head, tail) = rayon::join(|| sum_of_squares(head), || sum_of_squares(tail));
        return head + tail;
    }
    simd(
        #[inline(always)]
        || {
            let mut sums = [0.0; SUMS];
            let (chunks, rest) = numbers.as_chunks::<SUMS>();
            for chunk in chunks {
                for (sum, value) in sums.iter_mut().zip(chunk) {
                    let value = value.as_f64();
                    *sum += value * value;
                }
            }
            let rest: f64 = rest.iter().map(|value| value.as_f64().powi(2)).sum();
            sums.iter().sum::<f64>() + rest
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn only_gradients_above_the_limit_are_scaled() {
        let squared = squared_norm(&array![[0.0, 0.0], [3.0, 4.0]]);
        assert_eq!(squared, 25.0);
        assert_eq!(factor(10.0, squared), 1.0);
        assert_eq!(factor(5.0, squared), 1.0);
        assert_eq!(factor(2.5, squared), 0.5);
    }

    #[test]
    fn every_number_counts_once() {
        // The sums of these squares are exact in any order; the last case is for several threads.
        for length in [1, 31, 32, 33, 100, 100_003] {
            let numbers = Array2::from_shape_fn((1, length), |(_, index)| (index % 7) as f32);
            let expected: usize = (0..length).map(|index| (index % 7).pow(2)).sum();
            assert_eq!(squared_norm(&numbers), expected as f64);
            assert_eq!(squared_norm(&numbers.reversed_axes()), expected as f64);
        }
    }
}
