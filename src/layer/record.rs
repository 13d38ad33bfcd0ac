//! Layers as files know them: the names, options and tensors of PyTorch's modules, and the operators of ONNX.

use std::collections::BTreeMap;
use std::fmt;

use ndarray::ArrayD;

use crate::error::{Error, Result};

/// What a file says of a layer or an activation.
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
#[derive(Debug, Clone, PartialEq)]
pub struct Record<T> {
    /// The class of PyTorch's `torch.nn` that does the same, such as `"Linear"`.
    pub kind: &'static str,
    /// That class's options, by its names.
    pub options: Options,
    /// What it draws its random numbers by in training; none if it draws none.
    pub seed: Option<u64>,
    /// What it has learned, by that class's names and in its shapes.
    pub tensors: Vec<Tensor<T>>,
    /// What it has counted, by that class's names: in files, tensors of one whole number without dimensions.
    pub counts: Vec<(&'static str, u64)>,
    /// What it computes in a prediction, as a chain of ONNX's operators: each works on what the one before gives.
    pub operators: Vec<Operator>,
}

/// A named tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<T> {
    /// PyTorch's name for it within its module, such as `"weight"`.
    pub name: &'static str,
    /// Its numbers.
    pub values: ArrayD<T>,
}

/// One operator of ONNX's standard set.
#[derive(Debug, Clone, PartialEq)]
pub struct Operator {
    /// Its name, such as `"Gemm"`.
    pub kind: &'static str,
    /// What it reads behind the value that flows.
    pub operands: Vec<Operand>,
    /// Its attributes.
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// What an operator reads besides the value that flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// The record's tensor of this name.
    Tensor(&'static str),
    /// A constant list of whole numbers, such as a shape.
    Integers(Vec<i64>),
}

/// The value of an operator's attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// A whole number.
    Integer(i64),
    /// Whole numbers.
    Integers(Vec<i64>),
    /// A number.
    Float(f32),
}

/// Options by their names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options(pub BTreeMap<String, Setting>);

/// What an option is set to.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// A number.
    Number(f64),
    /// Counts, such as height and width.
    Counts(Vec<usize>),
}

impl<T> Record<T> {
    /// A record of something without options and tensors, which is one operator without operands.
    pub(super) fn plain(kind: &'static str, operator: &'static str) -> Self {
        Record {
            kind,
            options: Options::default(),
            seed: None,
            tensors: Vec::new(),
            counts: Vec::new(),
            operators: vec![Operator {
                kind: operator,
                operands: Vec::new(),
                attributes: Vec::new(),
            }],
        }
    }
}

impl Options {
    /// These numbers under these names.
    pub(super) fn of(options: &[(&str, f64)]) -> Self {
        Options(
            options
                .iter()
                .map(|&(name, value)| (name.to_owned(), Setting::Number(value)))
                .collect(),
        )
    }

    /// These, and counts under this name.
    pub(super) fn counts_of(mut self, name: &str, counts: &[usize]) -> Self {
        self.0.insert(name.to_owned(), Setting::Counts(counts.to_vec()));
        self
    }

    /// The counts of this name, so many.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] if there are none, or others.
    pub fn counts<const N: usize>(&self, name: &str) -> Result<[usize; N]> {
        let counts = match self.0.get(name) {
            Some(Setting::Counts(counts)) => <[usize; N]>::try_from(counts.as_slice()).ok(),
            _ => None,
        };
        counts.ok_or_else(|| {
            Error::data(
                "layer",
                format_args!("the option {name} is missing, or not {N} counts"),
            )
        })
    }

    /// The number of this name.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] if there is none.
    pub fn number(&self, name: &str) -> Result<f64> {
        match self.0.get(name) {
            Some(Setting::Number(number)) => Ok(*number),
            _ => {
                let problem = format_args!("the option {name} is missing, or no number");
                Err(Error::data("layer", problem))
            }
        }
    }

    /// The number of this name as a count.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] if there is none, or it is no whole number of at least 0.
    pub fn count(&self, name: &str) -> Result<usize> {
        /// Beyond, `f64` leaves out whole numbers.
        const LARGEST: f64 = 9_007_199_254_740_992.0;
        let number = self.number(name)?;
        if number.fract() == 0.0 && (0.0..=LARGEST).contains(&number) {
            return Ok(number as usize);
        }
        Err(Error::data(
            "layer",
            format_args!("the option {name} is {number}, which is no count"),
        ))
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Number(number) => write!(f, "{number}"),
            Setting::Counts(counts) => {
                let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
                f.write_str(&counts.join("x"))
            }
        }
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        f.write_str(&options.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_checked() {
        let options = Options::of(&[("p", 0.5), ("n", 3.0), ("m", -1.0), ("huge", 1e300)]);
        assert_eq!(options.number("p").unwrap(), 0.5);
        assert_eq!(options.count("n").unwrap(), 3);
        for name in ["p", "m", "huge", "none"] {
            assert!(options.count(name).is_err(), "{name}");
        }
        assert_eq!(Options::of(&[("p", 0.5), ("n", 3.0)]).to_string(), "n=3, p=0.5");
        let sizes = Options::default().counts_of("size", &[3, 2]);
        assert_eq!(sizes.to_string(), "size=3x2");
        assert_eq!(sizes.counts("size").unwrap(), [3, 2]);
        assert!(sizes.counts::<3>("size").is_err() && sizes.number("size").is_err());
        assert!(options.counts::<1>("n").is_err());
    }
}
