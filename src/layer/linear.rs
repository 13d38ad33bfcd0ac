//! The fully connected layer.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, ShapeBuilder, s};
use rayon::prelude::*;

use super::{Initializer, Layer, Samples};
use crate::augment::{body, body_mut};
use crate::blas::product;
use crate::element::Element;
use crate::error::{Error, Result};

/// Z = W A, the bias being column 0 of W.
///
/// # Shapes
///
/// W: (outputs + 1) x (inputs + 1), row 0 constant (1 0 ... 0); A: (inputs + 1) x m; Z: (outputs + 1) x m
///
/// Source: report, section 3.1.
#[derive(Debug, Clone)]
pub struct Linear<T> {
    /// One tensor, column-major; a slice of one because a layer hands out a slice.
    weights: [Array2<T>; 1],
}

impl<T: Element> Linear<T> {
    /// A layer with weights drawn from `seed`, and biases of 0.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for no inputs or no outputs.
    pub fn new(inputs: usize, outputs: usize, initializer: Initializer, seed: u64) -> Result<Self> {
        if inputs == 0 {
            return Err(Error::option("inputs of Linear", inputs, "at least 1"));
        }
        if outputs == 0 {
            return Err(Error::option("outputs of Linear", outputs, "at least 1"));
        }
        let mut weights = Array2::zeros((outputs + 1, inputs + 1).f());
        weights[[0, 0]] = T::one();
        initializer.fill(weights.slice_mut(s![1.., 1..]), seed);
        Ok(Linear { weights: [weights] })
    }

    /// A layer with these weights and biases, in PyTorch's shapes.
    ///
    /// # Shapes
    ///
    /// weights: outputs x inputs; biases: outputs
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for unequal numbers of outputs, [`Error::InvalidOption`] for none, [`Error::InvalidData`] for a
    /// number that is not finite.
    ///
    /// ```
    /// use mfnet::layer::Linear;
    /// use ndarray::array;
    ///
    /// let layer = Linear::from_weights(array![[1.0, 2.0]].view(), &[0.5])?;
    /// assert_eq!(layer.augmented_weights(), array![[1.0, 0.0, 0.0], [0.5, 1.0, 2.0]]);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn from_weights(weights: ArrayView2<'_, T>, biases: &[T]) -> Result<Self> {
        let (outputs, inputs) = weights.dim();
        if biases.len() != outputs {
            return Err(Error::shape(
                "Linear::from_weights",
                format_args!("{outputs} biases for {outputs} x {inputs} weights"),
                biases.len(),
            ));
        }
        if !weights.iter().chain(biases).all(|value| value.is_finite()) {
            return Err(Error::data(
                "Linear::from_weights",
                "a weight or bias is not a finite number",
            ));
        }
        let mut layer = Linear::new(inputs, outputs, Initializer::Zeros, 0)?;
        let [augmented] = &mut layer.weights;
        augmented.slice_mut(s![1.., 1..]).assign(&weights);
        augmented
            .slice_mut(s![1.., 0])
            .iter_mut()
            .zip(biases)
            .for_each(|(bias, &value)| *bias = value);
        Ok(layer)
    }

    /// W with its constant row 0 and the biases in column 0, as the report writes it.
    pub fn augmented_weights(&self) -> ArrayView2<'_, T> {
        self.weights[0].view()
    }
}

impl<T: Element> Layer<T> for Linear<T> {
    fn name(&self) -> &'static str {
        "Linear"
    }

    fn inputs(&self) -> usize {
        self.weights[0].ncols() - 1
    }

    fn outputs(&self) -> usize {
        self.weights[0].nrows() - 1
    }

    fn weights(&self) -> &[Array2<T>] {
        &self.weights
    }

    fn weights_mut(&mut self) -> &mut [Array2<T>] {
        &mut self.weights
    }

    fn forward(&self, input: ArrayView2<'_, T>, output: ArrayViewMut2<'_, T>) {
        let weights = body(self.weights[0].view());
        product(T::one(), weights, input, T::zero(), body_mut(output));
    }

    fn backward(
        &self,
        _input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        delta_input: ArrayViewMut2<'_, T>,
    ) {
        let weights = self.weights[0].slice(s![1.., 1..]);
        product(
            T::one(),
            weights.reversed_axes(),
            body(delta),
            T::zero(),
            body_mut(delta_input),
        );
    }

    fn gradient(&self, samples: Samples<'_, T>, gradients: &mut [Array2<T>]) {
        outer_products(T::one(), samples, T::zero(), gradients[0].view_mut());
    }

    fn descend(&mut self, samples: Samples<'_, T>, rate: T) -> bool {
        outer_products(-rate, samples, T::one(), self.weights[0].view_mut());
        true
    }
}

/// Below so many operations, waking another thread costs more than it gains.
const PARALLEL_OPERATIONS: usize = 1 << 20;

/// C <- alpha Delta A^T + beta C over all blocks, row 0 apart; C is cut in column tiles by its shape alone.
fn outer_products<T: Element>(alpha: T, samples: Samples<'_, T>, beta: T, target: ArrayViewMut2<'_, T>) {
    let columns = target.ncols();
    let operations = 2 * target.len() * samples.count();
    let tile = columns.div_ceil(8).max(64);
    let tiles = body_mut(target);
    let work = |(index, mut target): (usize, ArrayViewMut2<'_, T>)| {
        let first = index * tile;
        let mut beta = beta;
        for (input, delta) in samples.blocks() {
            let input = input.slice_move(s![first..first + target.ncols(), ..]);
            product(alpha, body(delta), input.reversed_axes(), beta, target.view_mut());
            beta = T::one();
        }
    };
    if operations < PARALLEL_OPERATIONS {
        work((0, tiles));
    } else {
        let mut tiles = tiles;
        tiles
            .axis_chunks_iter_mut(Axis(1), tile)
            .into_par_iter()
            .enumerate()
            .for_each(work);
    }
}
