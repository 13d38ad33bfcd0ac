//! The matrix products of layers, and the one place that chooses the kernels for them: BLAS, those for a narrow side, or
//! those that skip zeros.

mod linear;
mod sparse;

pub(crate) use crate::blas::gemm;
pub(crate) use linear::{backward, forward, gradient, is_narrow, is_row_major};
pub(crate) use sparse::{PackedWeights, SparseColumns, skips_zeros};
