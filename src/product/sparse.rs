//! Products with samples that are mostly zeros, and the condition for skipping the zeros.

pub(crate) use crate::kernel::{Panels as PackedWeights, SparseColumns, Target as SparseTarget};

/// The largest share of non-zero inputs, 0 to 1, at which products that skip the zeros are faster than dense ones.
const MOST_DENSITY: f64 = 0.4;

/// Whether the first layer's products skip the zeros of samples with `features` features, of which the share `density`, 0
/// to 1, is not 0.
pub(crate) fn skips_zeros(density: f64, features: usize) -> bool {
    density <= MOST_DENSITY && features < SparseColumns::<f32>::MOST_FEATURES
}
