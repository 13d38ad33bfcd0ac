//! Our own inner loops: products on which they are measured to beat BLAS, and the CPU's limits.

#![expect(
    clippy::needless_range_loop,
    reason = "registers that belong together share an index"
)]

mod curves;
mod dense;
mod dots;
mod lanes;
mod math;
mod peak;
mod simd;
mod sparse;
mod transpose;

pub(crate) use curves::{Elu, Gelu, GeluDerivative, Silu, SiluDerivative, Softplus, SoftplusDerivative};
pub(crate) use dense::{multiply, multiply_terms};
pub(crate) use dots::{FEW, dots};
pub use lanes::Number;
pub(crate) use math::{Exp, Function, Sigmoid, Tanh, map, scale};
pub(crate) use peak::{multiply_adds, read};
pub(crate) use simd::{InstructionSet, prefetch, simd};
pub(crate) use sparse::{Panels, SparseColumns, Target};
pub(crate) use transpose::transpose;
