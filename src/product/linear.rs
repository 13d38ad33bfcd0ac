//! The three products of a fully connected layer, and the choice of kernels for them.

use std::iter;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, ShapeBuilder, s};
use rayon::prelude::*;

use super::gemm;
use super::{Products, products};
use crate::element::{Element, compiled};
use crate::kernel::{FEW, dots, multiply, multiply_terms, transpose};
use crate::{pool, timing};

/// The size in bytes of an L2 cache, or of a thread's part of an L3 cache.
const CACHE: usize = 1 << 20;

fn bytes<T>(weights: ArrayView2<'_, T>) -> usize {
    weights.len() * size_of::<T>()
}

/// The kernels that compute a layer's products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernels {
    /// Few outputs, row-major weights: dot products forward, else as [`Kernels::Dense`].
    FewOutputs,
    /// Column-major weights that are read where they lie.
    Dense,
    /// BLAS, for any layout.
    Blas,
}

impl Kernels {
    /// The kernels for weights of outputs x inputs, by the choice of this process.
    pub(crate) fn of<T>(weights: ArrayView2<'_, T>) -> Self {
        Kernels::by(products(), weights)
    }

    fn by<T>(choice: Products, weights: ArrayView2<'_, T>) -> Self {
        /// The largest number of weights for which the dense kernels are faster than BLAS: BLAS packs the weights anew
        /// for each shard, which pays once they are too large for the caches.
        const MOST_WEIGHTS: usize = 1 << 21;
        let (outputs, inputs) = weights.dim();
        let large = cfg!(feature = "openblas") && outputs * inputs > MOST_WEIGHTS;
        if choice == Products::Blas || (choice == Products::Auto && large) {
            return Kernels::Blas;
        }
        let strides = weights.strides();
        if is_row_major(outputs) && (inputs < 2 || strides[1] == 1) {
            Kernels::FewOutputs
        } else if outputs < 2 || strides[0] == 1 {
            Kernels::Dense
        } else {
            Kernels::Blas
        }
    }

    /// The number of samples from which on a product is worth its reading of the weights, outputs x (inputs + 1).
    pub(crate) fn fewest_samples<T>(self, weights: ArrayView2<'_, T>) -> usize {
        match self {
            Kernels::FewOutputs => 16,
            Kernels::Dense => 16 * bytes(weights).div_ceil(CACHE),
            // BLAS packs the weights before it multiplies.
            Kernels::Blas => 128,
        }
    }

    /// The number of columns from which on computing a part of the gradient is worth a task.
    pub(crate) fn fewest_columns(self) -> usize {
        match self {
            Kernels::FewOutputs | Kernels::Dense => 8,
            // BLAS packs the deltas for each part.
            Kernels::Blas => 64,
        }
    }

    /// dJ/dW <- alpha (the sum of Delta A^T over the shards) + beta dJ/dW.
    ///
    /// # Shapes
    ///
    /// Delta: outputs x m, A: (inputs + 1) x m, columns contiguous, for each shard; dJ/dW: outputs x (inputs + 1) in the
    /// layout of the weights, or some of the columns together with the same rows of A
    pub(crate) fn add_gradient<'a, T: Element>(
        self,
        alpha: T,
        shards: impl Iterator<Item = (ArrayView2<'a, T>, ArrayView2<'a, T>)>,
        beta: T,
        mut gradient: ArrayViewMut2<'_, T>,
    ) {
        match self {
            Kernels::FewOutputs => {
                let terms = shards.map(|(delta, input)| (input, delta.reversed_axes()));
                multiply_terms(alpha, terms, beta, gradient.reversed_axes());
            }
            Kernels::Dense => {
                let terms = shards.map(|(delta, input)| (delta, input.reversed_axes()));
                multiply_terms(alpha, terms, beta, gradient);
            }
            Kernels::Blas => {
                let mut beta = beta;
                for (delta, input) in shards {
                    gemm(alpha, delta, input.reversed_axes(), beta, gradient.view_mut());
                    beta = T::one();
                }
            }
        }
    }
}

/// Whether the weights of a layer with so many outputs should be row-major; column-major otherwise.
pub(crate) fn is_row_major(outputs: usize) -> bool {
    outputs <= FEW
}

/// Whether a layer of this shape has a narrow side, and so few weights compared with the values of its samples.
pub(crate) fn is_narrow(inputs: usize, outputs: usize) -> bool {
    const NARROW: usize = 32;
    const MOST_WEIGHTS: usize = 1 << 20;
    (inputs < NARROW || outputs <= NARROW) && inputs.saturating_mul(outputs) <= MOST_WEIGHTS
}

/// The weights of a layer in a second layout: as the backward pass reads them.
#[derive(Debug)]
pub(crate) struct TransposedWeights<T> {
    /// W^T without the biases: inputs x outputs, columns contiguous.
    weights: Array2<T>,
}

impl<T: Element> TransposedWeights<T> {
    /// Allocates memory for a layer with these weights and batches of up to `samples` samples; `None` if its backward
    /// pass reads the weights where they are.
    ///
    /// # Shapes
    ///
    /// weights: outputs x (inputs + 1)
    pub(crate) fn for_weights(weights: ArrayView2<'_, T>, samples: usize) -> Option<Self> {
        /// The number of samples up to which dot products with large weights are faster than the copy and a product.
        const MOST_SAMPLES_OF_DOTS: usize = 128;
        let copies = bytes(weights) <= CACHE || samples > MOST_SAMPLES_OF_DOTS;
        (copies && Kernels::of(weights) == Kernels::Dense).then(|| TransposedWeights {
            weights: Array2::zeros((weights.ncols() - 1, weights.nrows()).f()),
        })
    }

    /// Copies the weights.
    pub(crate) fn assign(&mut self, weights: ArrayView2<'_, T>, parallel: bool) {
        transpose(weights.slice_move(s![.., 1..]), self.weights.view_mut(), parallel);
    }
}

/// Computes blocks of the rows of a product with large weights, which threads share: the weights are read once, and few
/// samples keep many threads busy.
///
/// # Shapes
///
/// weights: rows x n, in the order of the product; result: rows x m
fn by_blocks<T: Element>(
    weights: ArrayView2<'_, T>,
    mut result: ArrayViewMut2<'_, T>,
    product: impl Fn(ArrayView2<'_, T>, ArrayViewMut2<'_, T>) + Sync,
) {
    /// The number of floating-point operations that are worth a task.
    const TASK: usize = 1 << 22;
    /// The largest part of the weights that one task reads, in bytes: it stays in an L2 cache with its operands.
    const BLOCK: usize = CACHE / 2;
    /// The number of rows that fill the registers of a tile, for every instruction set.
    const ROWS: usize = 48;
    let (rows, n) = weights.dim();
    if bytes(weights) <= CACHE || weights.len() * result.ncols() < TASK {
        return product(weights, result);
    }
    let rows_of_task = (TASK / (2 * n * result.ncols())).max(BLOCK / (n * size_of::<T>()));
    let rows_of_task = rows_of_task.clamp(1, rows).next_multiple_of(ROWS);
    timing::phase("outputs", true, || {
        pool::enter(|| {
            let blocks = weights.axis_chunks_iter(Axis(0), rows_of_task).into_par_iter();
            let blocks = blocks.zip(result.axis_chunks_iter_mut(Axis(0), rows_of_task));
            blocks.for_each(|(weights, result)| timing::task(|| product(weights, result)));
        });
    });
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
        match Kernels::of(weights) {
            Kernels::FewOutputs => dots(weights, input, output),
            Kernels::Dense => by_blocks(weights, output, |rows, output| {
                multiply(T::one(), rows, input, T::zero(), output);
            }),
            Kernels::Blas => gemm(T::one(), weights, input, T::zero(), output),
        }
    }
}

compiled! {
    /// dJ/dA <- W^T Delta, without the bias row and column; `transposed` holds the weights, if there is one.
    ///
    /// # Shapes
    ///
    /// W: outputs x (inputs + 1); Delta: outputs x m, dJ/dA: inputs x m, columns contiguous
    pub(crate) fn backward<'a, 'b, T>(
        weights: ArrayView2<'a, T>,
        transposed: Option<&'a TransposedWeights<T>>,
        delta: ArrayView2<'a, T>,
        delta_input: ArrayViewMut2<'a, T>,
    ) {
        let kernels = Kernels::of(weights);
        let own = weights.slice_move(s![.., 1..]).reversed_axes();
        match (kernels, transposed) {
            (Kernels::FewOutputs, _) => multiply(T::one(), own, delta, T::zero(), delta_input),
            (Kernels::Dense, Some(transposed)) => by_blocks(transposed.weights.view(), delta_input, |rows, part| {
                multiply(T::one(), rows, delta, T::zero(), part);
            }),
            (Kernels::Dense, None) => by_blocks(own, delta_input, |rows, part| {
                dots(delta.reversed_axes(), rows.reversed_axes(), part.reversed_axes());
            }),
            (Kernels::Blas, _) => gemm(T::one(), own, delta, T::zero(), delta_input),
        }
    }
}

compiled! {
    /// dJ/dW <- Delta A^T for a shard.
    ///
    /// # Shapes
    ///
    /// As [`Kernels::add_gradient`]
    pub(crate) fn gradient<'a, 'b, T>(
        delta: ArrayView2<'a, T>,
        input: ArrayView2<'a, T>,
        gradient: ArrayViewMut2<'a, T>,
    ) {
        let kernels = Kernels::of(gradient.view());
        kernels.add_gradient(T::one(), iter::once((delta, input)), T::zero(), gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::ArrayView2;

    /// The three products of a layer in this layout.
    fn products_of(inputs: usize, outputs: usize, column_major: bool) -> [Array2<f64>; 3] {
        let number = |(i, j): (usize, usize)| ((i * 7 + j * 5) % 11) as f64 - 5.0;
        let samples = 9;
        let matrix = |rows, columns, column_major| {
            let mut matrix = Array2::zeros((rows, columns).set_f(column_major));
            matrix
                .indexed_iter_mut()
                .for_each(|(place, value)| *value = number(place));
            matrix
        };
        let weights: Array2<f64> = matrix(outputs, inputs + 1, column_major);
        let [input, delta] = [matrix(inputs + 1, samples, true), matrix(outputs, samples, true)];
        let mut output = Array2::zeros((outputs, samples).f());
        forward(weights.view(), input.view(), output.view_mut());
        let mut delta_input = Array2::zeros((inputs, samples).f());
        let mut transposed = TransposedWeights::for_weights(weights.view(), samples);
        if let Some(transposed) = &mut transposed {
            transposed.assign(weights.view(), false);
        }
        backward(
            weights.view(),
            transposed.as_ref(),
            delta.view(),
            delta_input.view_mut(),
        );
        let mut without = Array2::zeros((inputs, samples).f());
        backward(weights.view(), None, delta.view(), without.view_mut());
        assert_eq!(without, delta_input);
        let mut sum = weights.clone();
        gradient(delta.view(), input.view(), sum.view_mut());
        [output, delta_input, sum]
    }

    #[test]
    fn both_layouts_agree() {
        for (inputs, outputs) in [(5, 3), (3, 1), (30, 12), (30, 13), (1, 40)] {
            let by_columns = products_of(inputs, outputs, true);
            assert_eq!(
                by_columns,
                products_of(inputs, outputs, false),
                "{inputs} - {outputs}"
            );
        }
    }

    /// Large weights, of which threads compute blocks of rows: whole numbers, so that every order of a sum is exact.
    #[test]
    fn products_with_large_weights_are_exact() {
        let matrix = |rows: usize, columns: usize| {
            Array2::from_shape_fn((rows, columns).f(), |(i, j)| ((i * 7 + j * 5) % 11) as f64 - 5.0)
        };
        let (outputs, inputs) = (401, 690);
        let weights = matrix(outputs, inputs + 1);
        assert!(bytes(weights.view()) > CACHE);
        for (samples, copied) in [(3, false), (40, false), (150, true)] {
            let (input, delta) = (matrix(inputs + 1, samples), matrix(outputs, samples));
            let mut output = Array2::from_elem((outputs, samples).f(), f64::NAN);
            forward(weights.view(), input.view(), output.view_mut());
            assert_eq!(output, weights.dot(&input), "{samples} samples");

            let mut transposed = TransposedWeights::for_weights(weights.view(), samples);
            assert_eq!(transposed.is_some(), copied, "{samples} samples");
            if let Some(transposed) = &mut transposed {
                transposed.assign(weights.view(), true);
            }
            let mut delta_input = Array2::from_elem((inputs, samples).f(), f64::NAN);
            backward(
                weights.view(),
                transposed.as_ref(),
                delta.view(),
                delta_input.view_mut(),
            );
            let expected = weights.slice(s![.., 1..]).t().dot(&delta);
            assert_eq!(delta_input, expected, "{samples} samples");
        }
    }

    #[test]
    fn the_choice_is_by_shape_layout_and_wish() {
        let kernels = |choice, shape: (usize, usize), column_major| {
            Kernels::by(choice, Array2::<f32>::zeros(shape.set_f(column_major)).view())
        };
        assert_eq!(kernels(Products::Auto, (10, 20), false), Kernels::FewOutputs);
        assert_eq!(kernels(Products::Auto, (10, 20), true), Kernels::Dense);
        assert_eq!(kernels(Products::Auto, (20, 10), true), Kernels::Dense);
        assert_eq!(kernels(Products::Auto, (20, 10), false), Kernels::Blas);
        assert_eq!(kernels(Products::Blas, (20, 10), true), Kernels::Blas);
        let large = kernels(Products::Auto, (2048, 2048), true);
        assert_eq!(large == Kernels::Blas, cfg!(feature = "openblas"));
        assert_eq!(kernels(Products::Rust, (2048, 2048), true), Kernels::Dense);
        let numbers = [1.0; 160];
        let strided = ArrayView2::from_shape((20, 3).strides((2, 40)), &numbers).unwrap();
        assert_eq!(
            Kernels::by(Products::Rust, strided),
            Kernels::Blas,
            "a layout that only BLAS's wrapper takes"
        );
    }
}
