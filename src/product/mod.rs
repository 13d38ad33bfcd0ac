//! The matrix products of layers, and the one place that chooses the kernels for them: BLAS, this crate's dense ones, or
//! those that skip zeros.
//!
//! [`set_products`] forces the choice, and [`Blas`] describes the library that [`blas()`](crate::blas()) returns.

mod choice;
mod linear;
mod sparse;

pub use crate::blas::Blas;
pub(crate) use crate::blas::gemm;
pub use choice::{Products, products, set_products};
pub(crate) use linear::{Kernels, TransposedWeights, backward, forward, gradient, is_narrow, is_row_major};
pub(crate) use sparse::{PackedWeights, SparseColumns, SparseTarget, skips_zeros};
