//! Products with samples that are mostly zeros: when the zeros are skipped, and what is multiplied then.

pub(crate) use crate::kernel::{Panels as PackedWeights, SparseColumns};

/// The largest share of non-zero inputs, 0 to 1, at which products that skip the zeros are faster than dense ones.
const MOST_DENSITY: f64 = 0.4;

/// Whether the first layer's products skip the zeros of samples of so many features, of which the share `density`, 0 to 1,
/// is not 0.
pub(crate) fn skips_zeros(density: f64, features: usize) -> bool {
    density <= MOST_DENSITY && features < SparseColumns::<f32>::MOST_FEATURES
}
