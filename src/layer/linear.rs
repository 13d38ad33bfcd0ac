//! The fully connected layer.

use std::sync::PoisonError;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, ShapeBuilder, s};
use rayon::prelude::*;

use super::{Initializer, Layer, Pass, Samples, has_room};
use crate::augment::{body, body_mut};
use crate::blas::product;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernel::{NARROW, Panels, accumulate, combine, dots};
use crate::pool;

/// Z = W A, the bias being column 0 of W.
///
/// # Shapes
///
/// W: (outputs + 1) x (inputs + 1), row 0 constant (1 0 ... 0); A: (inputs + 1) x m; Z: (outputs + 1) x m
///
/// Delta = dJ/dZ goes back as dJ/dA = W^T Delta, and dJ/dW = Delta A^T.
///
/// Source: report, section 3.1.
#[derive(Debug, Clone)]
pub struct Linear<T> {
    /// One tensor; a slice of one because a layer hands out a slice.
    weights: [Array2<T>; 1],
    form: Form,
}

/// Which kernels serve the layer's three products. A narrow side has its numbers far apart, the other's lie together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Few outputs; W is row-major.
    NarrowOutput,
    /// Few inputs; W is column-major.
    NarrowInput,
    /// BLAS; W is column-major.
    Wide,
}

impl Form {
    fn of(inputs: usize, outputs: usize) -> Self {
        /// Beyond, a gradient for each block would no longer be small.
        const MOST_WEIGHTS: usize = 1 << 20;
        if inputs.saturating_mul(outputs) > MOST_WEIGHTS {
            Form::Wide
        } else if outputs <= NARROW {
            Form::NarrowOutput
        } else if inputs < NARROW {
            Form::NarrowInput
        } else {
            Form::Wide
        }
    }
}

impl<T: Element> Linear<T> {
    /// A layer with weights drawn from `seed`, and biases of 0.
    ///
    /// # Shapes
    ///
    /// samples x inputs -> samples x outputs, each at least 1
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for no inputs or no outputs, or for more than there is memory for.
    pub fn new(inputs: usize, outputs: usize, initializer: Initializer, seed: u64) -> Result<Self> {
        if inputs == 0 {
            return Err(Error::option("inputs of Linear", inputs, "at least 1"));
        }
        if outputs == 0 {
            return Err(Error::option("outputs of Linear", outputs, "at least 1"));
        }
        if !has_room::<T>(&[inputs.saturating_add(1), outputs.saturating_add(1)]) {
            return Err(Error::option(
                "outputs of Linear",
                outputs,
                "few enough for the memory",
            ));
        }
        let form = Form::of(inputs, outputs);
        let mut weights = Array2::zeros((outputs + 1, inputs + 1).set_f(form != Form::NarrowOutput));
        weights[[0, 0]] = T::one();
        initializer.fill(weights.slice_mut(s![1.., 1..]), seed);
        Ok(Linear {
            weights: [weights],
            form,
        })
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

    /// Room to pack the weights in for samples that are mostly zeros.
    pub(crate) fn panels(&self) -> Panels<T> {
        Panels::new(self.weights[0].nrows() - 1, self.weights[0].ncols())
    }

    /// Packs the weights, for [`Panels::multiply`] to be this layer's forward pass.
    pub(crate) fn pack(&self, panels: &mut Panels<T>, parallel: bool) {
        let weights = body(self.weights[0].view());
        if parallel {
            pool::enter(|| panels.pack(weights, true));
        } else {
            panels.pack(weights, false);
        }
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

    fn forward(
        &self,
        input: ArrayView2<'_, T>,
        output: ArrayViewMut2<'_, T>,
        _pass: Pass,
        _scratch: &mut [T],
    ) {
        let weights = body(self.weights[0].view());
        let output = body_mut(output);
        match self.form {
            Form::NarrowOutput => dots(weights, input, output),
            Form::NarrowInput => combine(weights.reversed_axes(), input, output),
            Form::Wide => product(T::one(), weights, input, T::zero(), output),
        }
    }

    fn backward(
        &self,
        _input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        delta_input: ArrayViewMut2<'_, T>,
        _pass: Pass,
        _scratch: &mut [T],
    ) {
        let weights = self.weights[0].slice(s![1.., 1..]);
        let (delta, delta_input) = (body(delta), body_mut(delta_input));
        match self.form {
            Form::NarrowOutput => combine(weights, delta, delta_input),
            Form::NarrowInput => dots(weights.reversed_axes(), delta, delta_input),
            Form::Wide => product(T::one(), weights.reversed_axes(), delta, T::zero(), delta_input),
        }
    }

    fn is_small(&self) -> bool {
        self.form != Form::Wide
    }

    fn block_gradient(
        &self,
        input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        gradients: &mut [Array2<T>],
        _scratch: &mut [T],
    ) {
        let (delta, gradient) = (body(delta), body_mut(gradients[0].view_mut()));
        match self.form {
            Form::NarrowOutput => accumulate(T::one(), delta, input, T::zero(), gradient),
            Form::NarrowInput => accumulate(T::one(), input, delta, T::zero(), gradient.reversed_axes()),
            Form::Wide => product(T::one(), delta, input.reversed_axes(), T::zero(), gradient),
        }
    }

    fn gradient(&self, samples: Samples<'_, T>, gradients: &mut [Array2<T>]) {
        add_outer_products(T::one(), samples, T::zero(), gradients[0].view_mut());
    }

    fn descend(&mut self, samples: Samples<'_, T>, rate: T) -> bool {
        add_outer_products(-rate, samples, T::one(), self.weights[0].view_mut());
        true
    }
}

/// Below so many operations, waking another thread costs more than it gains.
const PARALLEL_OPERATIONS: usize = 1 << 20;

/// W <- alpha Delta A^T + beta W over all blocks, row 0 apart, in tiles that are cut by shape alone; beta is 0 or 1.
fn add_outer_products<T: Element>(alpha: T, samples: Samples<'_, T>, beta: T, weights: ArrayViewMut2<'_, T>) {
    let operations = 2 * weights.len() * samples.count();
    let parallel = operations >= PARALLEL_OPERATIONS;
    let mut weights = body_mut(weights);
    if let Some(panels) = samples.panels() {
        if beta == T::zero() {
            weights.fill(T::zero());
        }
        // A panic elsewhere leaves nothing behind that matters: the panels are packed anew.
        let panels = &mut *panels.lock().unwrap_or_else(PoisonError::into_inner);
        let blocks = samples.sparse_blocks().map(|(input, delta)| (input, body(delta)));
        if parallel {
            pool::enter(|| panels.add_outer_products(alpha, blocks, weights, true));
        } else {
            panels.add_outer_products(alpha, blocks, weights, false);
        }
        return;
    }
    let tile = weights.ncols().div_ceil(8).next_multiple_of(64);
    let work = |(index, mut weights): (usize, ArrayViewMut2<'_, T>)| {
        let columns = index * tile..index * tile + weights.ncols();
        let mut beta = beta;
        for (input, delta) in samples.blocks() {
            let input = input.slice_move(s![columns.clone(), ..]);
            product(
                alpha,
                body(delta),
                input.reversed_axes(),
                beta,
                weights.view_mut(),
            );
            beta = T::one();
        }
    };
    let tiles = weights.axis_chunks_iter_mut(Axis(1), tile);
    if parallel {
        pool::enter(|| tiles.into_par_iter().enumerate().for_each(work));
    } else {
        tiles.enumerate().for_each(work);
    }
}
