//! The fully connected layer.

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, ShapeBuilder, s};

use super::{Context, Initializer, Layer, LayerKind, has_room};
use crate::augment::{body, body_mut};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::product;

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
    /// One tensor, as an array because [`Layer::parameters`] returns a slice.
    weights: [Array2<T>; 1],
}

impl<T: Element> Linear<T> {
    /// A layer with weights and biases drawn from `seed` by the initialiser.
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
        let column_major = !product::is_row_major(outputs);
        let mut weights = Array2::zeros((outputs + 1, inputs + 1).set_f(column_major));
        weights[[0, 0]] = T::one();
        initializer.fill(weights.slice_mut(s![1.., ..]), seed);
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
    /// [`Error::Shape`] for unequal numbers of outputs, [`Error::InvalidOption`] for no inputs or no outputs,
    /// [`Error::InvalidData`] for a number that is not finite.
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
        augmented.slice_mut(s![1.., 0]).assign(&ArrayView1::from(biases));
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

    fn kind(&self) -> LayerKind {
        LayerKind::Linear
    }

    fn parameters(&self) -> &[Array2<T>] {
        &self.weights
    }

    fn parameters_mut(&mut self) -> &mut [Array2<T>] {
        &mut self.weights
    }

    fn forward(&self, input: ArrayView2<'_, T>, output: ArrayViewMut2<'_, T>, _context: &mut Context<'_, T>) {
        product::forward(body(self.weights[0].view()), input, body_mut(output));
    }

    fn backward(
        &self,
        _input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        delta_input: ArrayViewMut2<'_, T>,
        _context: &mut Context<'_, T>,
    ) {
        product::backward(
            body(self.weights[0].view()),
            None,
            body(delta),
            body_mut(delta_input),
        );
    }

    fn gradient(
        &self,
        input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        gradients: &mut [Array2<T>],
        _context: &mut Context<'_, T>,
    ) {
        let gradient = body_mut(gradients[0].view_mut());
        product::gradient(body(delta), input, gradient);
    }
}
