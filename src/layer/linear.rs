//! The fully connected layer.

use ndarray::{Array2, ArrayD, ArrayView2, ArrayViewD, ArrayViewMut2, ShapeBuilder, s};

use super::record::{Attribute, Operand, Operator, Options, Record, Tensor};
use super::{Context, Fetch, Initializer, Layer, LayerKind};
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
    /// One tensor; a slice of one because a layer hands out a slice.
    weights: [Array2<T>; 1],
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
        // Asked for beforehand, as the process would end where it cannot be had.
        let sides = inputs.checked_add(1).zip(outputs.checked_add(1));
        let numbers = sides.and_then(|(columns, rows)| rows.checked_mul(columns));
        if numbers.is_none_or(|numbers| Vec::<T>::new().try_reserve_exact(numbers).is_err()) {
            return Err(Error::option(
                "outputs of Linear",
                outputs,
                "few enough for the memory",
            ));
        }
        let column_major = !product::is_row_major(inputs, outputs);
        let mut weights = Array2::zeros((outputs + 1, inputs + 1).set_f(column_major));
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

    /// A layer with saved weights and biases.
    #[cfg(feature = "save")]
    pub(super) fn restored(inputs: usize, outputs: usize, fetch: &mut Fetch<'_, T>) -> Result<Self> {
        // Before any memory is taken: that there are tensors of such sizes is what bounds it.
        let (weights, biases) = (fetch("weight", &[outputs, inputs])?, fetch("bias", &[outputs])?);
        let mut layer = Linear::new(inputs, outputs, Initializer::Zeros, 0)?;
        layer.assign(&weights, &biases);
        Ok(layer)
    }

    /// Takes over weights and biases of this layer's shapes.
    fn assign(&mut self, values: &ArrayD<T>, biases: &ArrayD<T>) {
        let [weights] = &mut self.weights;
        weights.slice_mut(s![1.., 1..]).into_dyn().assign(values);
        weights.slice_mut(s![1.., 0]).into_dyn().assign(biases);
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
        product::backward(body(self.weights[0].view()), body(delta), body_mut(delta_input));
    }

    fn gradient(
        &self,
        input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        gradients: &mut [Array2<T>],
        _context: &mut Context<'_, T>,
    ) {
        let gradient = body_mut(gradients[0].view_mut());
        product::gradient(T::one(), body(delta), input, T::zero(), gradient);
    }

    fn record(&self) -> Option<Record<T>> {
        let [weights] = &self.weights;
        let (outputs, inputs) = (weights.nrows() - 1, weights.ncols() - 1);
        let tensor = |name, values| Tensor { name, values };
        Some(Record {
            kind: "Linear",
            options: Options::of(&[("in_features", inputs as f64), ("out_features", outputs as f64)]),
            seed: None,
            tensors: vec![
                tensor("weight", row_major(weights.slice(s![1.., 1..]).into_dyn())),
                tensor("bias", row_major(weights.slice(s![1.., 0]).into_dyn())),
            ],
            counts: Vec::new(),
            operators: vec![Operator {
                kind: "Gemm",
                operands: vec![Operand::Tensor("weight"), Operand::Tensor("bias")],
                attributes: vec![("transB", Attribute::Integer(1))],
            }],
        })
    }

    fn restore(&mut self, fetch: &mut Fetch<'_, T>) -> Result<()> {
        let (inputs, outputs) = (self.inputs(), self.outputs());
        let (weights, biases) = (fetch("weight", &[outputs, inputs])?, fetch("bias", &[outputs])?);
        self.assign(&weights, &biases);
        Ok(())
    }
}

/// The same numbers, row after row, as files have them.
fn row_major<T: Element>(view: ArrayViewD<'_, T>) -> ArrayD<T> {
    view.as_standard_layout().into_owned()
}
