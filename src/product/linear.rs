//! The three products of a fully connected layer, and the choice of kernels by its shape.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::gemm;
use crate::element::compiled;
use crate::kernel::{NARROW, accumulate, combine, dots};

/// The kernels that compute a layer's products. The weights are strided along a narrow side, and contiguous along the
/// other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kernels {
    /// Few outputs; W is row-major.
    NarrowOutput,
    /// Few inputs; W is column-major.
    NarrowInput,
    /// BLAS; W is column-major.
    Blas,
}

impl Kernels {
    fn of(inputs: usize, outputs: usize) -> Self {
        /// The largest number of weights of a layer whose gradient each shard of a batch computes on its own.
        const MOST_WEIGHTS: usize = 1 << 20;
        if inputs.saturating_mul(outputs) > MOST_WEIGHTS {
            Kernels::Blas
        } else if outputs <= NARROW {
            Kernels::NarrowOutput
        } else if inputs < NARROW {
            Kernels::NarrowInput
        } else {
            Kernels::Blas
        }
    }

    /// The kernels for weights of outputs x (inputs + 1).
    fn of_weights<T>(weights: ArrayView2<'_, T>) -> Self {
        Kernels::of(weights.ncols() - 1, weights.nrows())
    }
}

/// Whether a layer of this shape has a narrow side, and so few weights compared with the values of its samples.
pub(crate) fn is_narrow(inputs: usize, outputs: usize) -> bool {
    Kernels::of(inputs, outputs) != Kernels::Blas
}

/// Whether the products of a layer of this shape need row-major weights; they need column-major weights otherwise.
pub(crate) fn is_row_major(inputs: usize, outputs: usize) -> bool {
    Kernels::of(inputs, outputs) == Kernels::NarrowOutput
}

compiled! {
    /// Z <- W A.
    ///
    /// # Shapes
    ///
    /// W: outputs x (inputs + 1); A: (inputs + 1) x m, columns contiguous; Z: outputs x m, columns contiguous
    pub(crate) fn forward<'a, 'b, T>(
        weights: ArrayView2<'a, T>,
        input: ArrayView2<'a, T>,
        output: ArrayViewMut2<'a, T>,
    ) {
        match Kernels::of_weights(weights) {
            Kernels::NarrowOutput => dots(weights, input, output),
            Kernels::NarrowInput => combine(weights.reversed_axes(), input, output),
            Kernels::Blas => gemm(T::one(), weights, input, T::zero(), output),
        }
    }
}

compiled! {
    /// dJ/dA <- W^T Delta, without the bias row and column.
    ///
    /// # Shapes
    ///
    /// W: outputs x (inputs + 1); Delta: outputs x m, dJ/dA: inputs x m, columns contiguous
    pub(crate) fn backward<'a, 'b, T>(
        weights: ArrayView2<'a, T>,
        delta: ArrayView2<'a, T>,
        delta_input: ArrayViewMut2<'a, T>,
    ) {
        let kernels = Kernels::of_weights(weights);
        let weights = weights.slice_move(ndarray::s![.., 1..]);
        match kernels {
            Kernels::NarrowOutput => combine(weights, delta, delta_input),
            Kernels::NarrowInput => dots(weights.reversed_axes(), delta, delta_input),
            Kernels::Blas => gemm(T::one(), weights.reversed_axes(), delta, T::zero(), delta_input),
        }
    }
}

compiled! {
    /// dJ/dW <- alpha Delta A^T + beta dJ/dW.
    ///
    /// # Shapes
    ///
    /// Delta: outputs x m, A: (inputs + 1) x m, columns contiguous; dJ/dW: outputs x (inputs + 1), laid out as W
    pub(crate) fn gradient<'a, 'b, T>(
        alpha: T,
        delta: ArrayView2<'a, T>,
        input: ArrayView2<'a, T>,
        beta: T,
        gradient: ArrayViewMut2<'a, T>,
    ) {
        match Kernels::of_weights(gradient.view()) {
            Kernels::NarrowOutput => accumulate(alpha, delta, input, beta, gradient),
            Kernels::NarrowInput => accumulate(alpha, input, delta, beta, gradient.reversed_axes()),
            Kernels::Blas => gemm(alpha, delta, input.reversed_axes(), beta, gradient),
        }
    }
}
