//! The record of a layer or an activation: the one description behind safetensors files, ONNX files and `inspect`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ndarray::ArrayD;

use crate::error::{Error, Result};

/// The description of a layer or an activation in files: the name, options and tensors of PyTorch's module, and the
/// operators of ONNX.
///
/// ```
/// use mfnet::NeuralNetwork;
///
/// let network = NeuralNetwork::<f32>::builder(4).linear(3).relu().build()?;
/// let records = network.records()?;
/// assert_eq!(records[0].kind, "Linear");
/// assert_eq!(records[0].tensors[0].name, "weight");
/// assert_eq!(records[0].tensors[0].values.shape(), [3, 4]);
/// assert_eq!(records[1].kind, "ReLU");
/// # Ok::<(), mfnet::Error>(())
/// ```
///
/// A layer of your own builds its record piece by piece, see [`FileLayer`](super::FileLayer):
///
/// ```
/// use mfnet::checkpoint::{Attribute, Operator, Record};
///
/// let leaky = Operator::new("LeakyRelu").attribute("alpha", Attribute::Float(0.1));
/// let record = Record::<f32>::new().number("negative_slope", 0.1).operator(leaky);
/// assert_eq!(record.operators[0].kind, "LeakyRelu");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Record<T> {
    /// The name in files: for a built-in layer, the class of PyTorch's `torch.nn` that computes the same, such as
    /// `"Linear"`.
    ///
    /// Empty in a new record: the [`Registry`](super::Registry) sets it.
    pub kind: &'static str,
    /// The options, by PyTorch's names.
    pub options: BTreeMap<String, Setting>,
    /// The seed of the random numbers that are drawn in training; `None` for a layer that draws none.
    pub seed: Option<u64>,
    /// Parameters and buffers, with PyTorch's names and shapes.
    pub tensors: Vec<NamedTensor<T>>,
    /// Counters, by PyTorch's names; in files, each is a tensor of one integer without dimensions.
    pub counts: Vec<(&'static str, u64)>,
    /// The computation of a prediction, as a chain of ONNX operators: each reads the result of the one before. A model with
    /// an empty list cannot be exported as ONNX; a layer that does nothing in predictions has `Identity`.
    pub operators: Vec<Operator>,
}

/// A tensor of a record.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NamedTensor<T> {
    /// PyTorch's name of the tensor within its module, such as `"weight"`.
    pub name: &'static str,
    /// The numbers.
    pub values: ArrayD<T>,
}

/// One operator of ONNX's standard set.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Operator {
    /// ONNX's name, such as `"Gemm"`.
    pub kind: &'static str,
    /// The inputs behind the first one, which is the result of the operator before.
    pub operands: Vec<Operand>,
    /// The attributes, by ONNX's names.
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// An input of an operator besides the result of the operator before.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Operand {
    /// The input of the layer, which is that of the record's first operator.
    LayerInput,
    /// A constant number, in the precision of the network.
    Number(f64),
    /// The record's tensor of this name.
    Tensor(&'static str),
    /// A constant list of integers, such as a shape.
    Integers(Vec<i64>),
}

/// The value of an operator's attribute.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Attribute {
    /// An integer.
    Integer(i64),
    /// Integers.
    Integers(Vec<i64>),
    /// A number.
    Float(f32),
}

/// The value of an option.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(untagged)
)]
#[non_exhaustive]
pub enum Setting {
    /// A number.
    #[cfg_attr(feature = "save", serde(serialize_with = "serialize_number"))]
    Number(f64),
    /// Sizes along several axes, such as height and width.
    Sizes(Vec<usize>),
}

/// Writes whole numbers up to `u32::MAX` as JSON integers, as Python distinguishes integers from floats.
#[cfg(feature = "save")]
fn serialize_number<S: serde::Serializer>(
    number: &f64,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    if number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number) {
        serializer.serialize_u32(*number as u32)
    } else {
        serializer.serialize_f64(*number)
    }
}

impl<T> Default for Record<T> {
    fn default() -> Self {
        Record {
            kind: "",
            options: BTreeMap::new(),
            seed: None,
            tensors: Vec::new(),
            counts: Vec::new(),
            operators: Vec::new(),
        }
    }
}

impl<T> Record<T> {
    /// Returns a record without options, tensors and operators.
    pub fn new() -> Self {
        Record::default()
    }

    /// Adds an option that is a finite number.
    pub fn number(mut self, name: &str, value: f64) -> Self {
        self.options.insert(name.to_owned(), Setting::Number(value));
        self
    }

    /// Adds an option that is a list of sizes.
    pub fn sizes(mut self, name: &str, sizes: &[usize]) -> Self {
        self.options
            .insert(name.to_owned(), Setting::Sizes(sizes.to_vec()));
        self
    }

    /// Sets the seed of the random numbers that are drawn in training.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Adds a tensor. Its name must be unique in the record, and must not contain a dot.
    pub fn tensor(mut self, name: &'static str, values: ArrayD<T>) -> Self {
        self.tensors.push(NamedTensor { name, values });
        self
    }

    /// Adds a counter; the rules for its name are those of [`Record::tensor`].
    pub fn count(mut self, name: &'static str, count: u64) -> Self {
        self.counts.push((name, count));
        self
    }

    /// Adds an operator behind the others.
    pub fn operator(mut self, operator: Operator) -> Self {
        self.operators.push(operator);
        self
    }

    /// Refuses a record that could be written, but not read again.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for an option that is not finite, a count above the largest `i64`, or a name that is a
    /// duplicate, is empty or contains a dot.
    pub(super) fn check(&self) -> Result<()> {
        let refused =
            |problem: String| Err(Error::data(format_args!("the record of {}", self.kind), problem));
        for (name, setting) in &self.options {
            if let Setting::Number(number) = setting
                && !number.is_finite()
            {
                return refused(format!("the option {name} is {number}, which is not finite"));
            }
        }
        let tensors = self.tensors.iter().map(|tensor| tensor.name);
        let mut names = BTreeSet::new();
        for name in tensors.chain(self.counts.iter().map(|(name, _)| *name)) {
            if name.is_empty() || name.contains('.') {
                return refused(format!(
                    "`{name}` is no name of a tensor: it is empty or has a dot in it"
                ));
            }
            if !names.insert(name) {
                return refused(format!("there are two tensors named `{name}`"));
            }
        }
        match self
            .counts
            .iter()
            .find(|(_, count)| i64::try_from(*count).is_err())
        {
            Some((name, count)) => refused(format!(
                "`{name}` is {count}, which is beyond the counts of files"
            )),
            None => Ok(()),
        }
    }
}

impl Operator {
    /// Returns an operator without operands and attributes.
    pub fn new(kind: &'static str) -> Self {
        Operator {
            kind,
            operands: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// Adds the record's tensor of this name as an input.
    pub fn tensor(mut self, name: &'static str) -> Self {
        self.operands.push(Operand::Tensor(name));
        self
    }

    /// Adds the layer's own input as an input: it is that of the record's first operator.
    ///
    /// ```
    /// use mfnet::checkpoint::{Operator, Record};
    ///
    /// // z + sin z
    /// let record = Record::<f32>::new()
    ///     .operator(Operator::new("Sin"))
    ///     .operator(Operator::new("Add").layer_input());
    /// assert_eq!(record.operators[1].operands.len(), 1);
    /// ```
    pub fn layer_input(mut self) -> Self {
        self.operands.push(Operand::LayerInput);
        self
    }

    /// Adds a constant number as an input, in the precision of the network.
    pub fn number(mut self, value: f64) -> Self {
        self.operands.push(Operand::Number(value));
        self
    }

    /// Adds a constant list of integers as an input.
    pub fn integers(mut self, values: Vec<i64>) -> Self {
        self.operands.push(Operand::Integers(values));
        self
    }

    /// Adds an attribute.
    pub fn attribute(mut self, name: &'static str, value: Attribute) -> Self {
        self.attributes.push((name, value));
        self
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Number(number) => write!(f, "{number}"),
            Setting::Sizes(sizes) => {
                let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
                f.write_str(&sizes.join("x"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::ArrayD;

    #[test]
    fn settings_are_shown() {
        assert_eq!(Setting::Number(0.5).to_string(), "0.5");
        assert_eq!(Setting::Sizes(vec![3, 2]).to_string(), "3x2");
    }

    #[test]
    fn records_that_cannot_be_read_again_are_refused() {
        let zeros = || ArrayD::<f32>::zeros(vec![2]);
        let sound = || {
            Record::new()
                .number("p", 0.5)
                .tensor("weight", zeros())
                .count("steps", 3)
        };
        assert!(sound().check().is_ok());
        for (record, part) in [
            (sound().number("q", f64::NAN), "the option q is NaN"),
            (sound().number("q", f64::INFINITY), "the option q is inf"),
            (sound().tensor("weight", zeros()), "two tensors named `weight`"),
            (sound().count("weight", 3), "two tensors named `weight`"),
            (sound().tensor("a.b", zeros()), "`a.b` is no name"),
            (sound().tensor("", zeros()), "`` is no name"),
            (sound().count("n", u64::MAX), "beyond the counts"),
        ] {
            let error = record.check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
