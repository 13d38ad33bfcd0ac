//! Numbers that look random and are the same everywhere.

use mfnet::Element;
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Numbers between -1 and 1, exact in both precisions, no two alike.
pub fn noise<T: Element>(rows: usize, columns: usize, seed: u64) -> Array2<T> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((rows, columns), || {
        T::from_f64(f64::from(2.0 * generator.random::<f32>() - 1.0))
    })
}
