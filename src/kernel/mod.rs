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
mod tree_sum;

pub(crate) use curves::{Elu, Gelu, GeluDerivative, Silu, SiluDerivative, Softplus, SoftplusDerivative};
pub(crate) use dense::{multiply, multiply_terms};
pub(crate) use dots::{FEW, dots};
pub use lanes::Number;
pub(crate) use math::{Exp, Function, Sigmoid, Tanh, map, scale};
pub(crate) use peak::{multiply_adds, read};
pub(crate) use simd::{InstructionSet, prefetch, simd};
pub(crate) use sparse::{Panels, SparseColumns, Target};
pub(crate) use transpose::transpose;
pub(crate) use tree_sum::{MOST_TERMS, add_tree_sum};

#[cfg(test)]
mod test_numbers {
    use ndarray::{Array2, ShapeBuilder};

    use super::Number;

    /// Small whole numbers, so that every order of summing gives the same; column-major.
    pub(super) fn numbers<T: Number + From<i8>>(rows: usize, columns: usize, salt: usize) -> Array2<T> {
        let mut matrix = Array2::zeros((rows, columns).f());
        for ((i, j), number) in matrix.indexed_iter_mut() {
            *number = <T as From<i8>>::from(((i * 7 + j * 13 + salt) % 9) as i8 - 4);
        }
        matrix
    }
}
