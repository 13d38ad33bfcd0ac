//! Our own inner loops, where they are measured to beat BLAS: products with a narrow side, and with mostly zeros.

mod lanes;
mod simd;
mod skinny;
mod sparse;

pub use lanes::Number;
pub(crate) use simd::simd;
pub(crate) use skinny::{NARROW, accumulate, combine, dots};
pub(crate) use sparse::{Panels, SparseColumns};
