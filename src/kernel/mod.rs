//! Our own inner loops, for products on which they are measured to beat BLAS: those with a narrow side, and those with
//! mostly zeros.

#![expect(
    clippy::needless_range_loop,
    reason = "registers that belong together share an index"
)]

mod lanes;
mod peak;
mod simd;
mod skinny;
mod sparse;

pub use lanes::Number;
pub(crate) use peak::{multiply_adds, read};
pub(crate) use simd::{InstructionSet, prefetch, simd};
pub(crate) use skinny::{NARROW, accumulate, combine, dots};
pub(crate) use sparse::{Panels, SparseColumns};
