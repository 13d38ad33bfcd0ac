//! Samples with their targets and weights, which a network is trained on.

use mfnet::{Dataset, Error, Result, Targets, data};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::arrays::{Inputs, InputsView, Matrix, MatrixView, Number, row_major};
use crate::errors::exception;
use crate::spec::is_double;

/// Samples in one of the two precisions.
#[derive(Debug)]
pub(crate) enum AnySamples {
    F32(Samples<f32>),
    F64(Samples<f64>),
}

/// Samples with their targets, and their weights as they were given.
#[derive(Debug)]
pub(crate) struct Samples<T> {
    pub(crate) dataset: Dataset<T>,
    pub(crate) weights: Option<Vec<f64>>,
    pub(crate) mean_weight: f64,
}

/// Samples with their targets and weights: a copy in the precision of a network.
///
/// `inputs` is a matrix of float32 or float64, or a tuple of the number of features and the three arrays of a CSR matrix: `indptr` and
/// `indices` of int64, `data` of float32 or float64. `targets` is a matrix of numbers, or an array of labels (uint32) where `classes`
/// is given. `weights` is an array of float64.
#[pyclass(frozen, module = "mfnet._mfnet")]
pub(crate) struct Data {
    pub(crate) samples: AnySamples,
}

/// Targets that a thread can read while it is detached from the interpreter.
enum TargetsOf<'a> {
    Values(MatrixView<'a>),
    Labels(Vec<u32>, usize),
}

#[pymethods]
impl Data {
    #[new]
    #[pyo3(signature = (inputs, targets, precision, *, classes=None, weights=None))]
    fn new(
        py: Python<'_>,
        inputs: &Bound<'_, PyAny>,
        targets: &Bound<'_, PyAny>,
        precision: &str,
        classes: Option<usize>,
        weights: Option<PyReadonlyArray1<'_, f64>>,
    ) -> PyResult<Self> {
        let is_double = is_double(precision).map_err(exception)?;
        let inputs = Inputs::of(inputs)?;
        let values;
        let targets = match classes {
            Some(classes) => {
                let labels: PyReadonlyArray1<'_, u32> = targets.extract()?;
                TargetsOf::Labels(labels.as_array().to_vec(), classes)
            }
            None => {
                values = Matrix::of(targets)?;
                TargetsOf::Values(values.view())
            }
        };
        let weights = weights.map(|weights| weights.as_array().to_vec());
        let inputs = inputs.view()?;
        let samples = py.detach(|| -> Result<AnySamples> {
            Ok(match is_double {
                true => AnySamples::F64(Samples::of(inputs, targets, weights)?),
                false => AnySamples::F32(Samples::of(inputs, targets, weights)?),
            })
        });
        Ok(Data {
            samples: samples.map_err(exception)?,
        })
    }

    /// Returns the samples with these indices, in this order.
    fn select(&self, py: Python<'_>, indices: Vec<usize>) -> PyResult<Self> {
        let samples = py.detach(|| -> Result<AnySamples> {
            Ok(match &self.samples {
                AnySamples::F32(samples) => AnySamples::F32(samples.select(&indices)?),
                AnySamples::F64(samples) => AnySamples::F64(samples.select(&indices)?),
            })
        });
        Ok(Data {
            samples: samples.map_err(exception)?,
        })
    }

    fn __len__(&self) -> usize {
        match &self.samples {
            AnySamples::F32(samples) => samples.dataset.samples(),
            AnySamples::F64(samples) => samples.dataset.samples(),
        }
    }
}

impl<T: Number> Samples<T> {
    fn of(inputs: InputsView<'_>, targets: TargetsOf<'_>, weights: Option<Vec<f64>>) -> Result<Self> {
        let inputs = match inputs {
            InputsView::Dense(matrix) => data::Inputs::Values(row_major(matrix.numbers())),
            InputsView::Sparse(rows) => data::Inputs::Sparse(rows.numbers()?),
        };
        let targets = match targets {
            TargetsOf::Values(values) => Targets::Values(row_major(values.numbers())),
            TargetsOf::Labels(labels, classes) => Targets::Classes { labels, classes },
        };
        let dataset = Dataset::new(inputs, targets)?;
        let dataset = match &weights {
            Some(weights) => dataset.with_weights(weights)?,
            None => dataset,
        };
        let mean_weight = match &weights {
            Some(weights) => weights.iter().sum::<f64>() / weights.len() as f64,
            None => 1.0,
        };
        if !mean_weight.is_finite() {
            return Err(Error::InvalidData {
                what: "weights".to_owned(),
                problem: "their sum is beyond the range of numbers".to_owned(),
            });
        }
        Ok(Samples {
            dataset,
            weights,
            mean_weight,
        })
    }

    fn select(&self, indices: &[usize]) -> Result<Self> {
        let dataset = self.dataset.select(indices)?;
        let weights = self.weights.as_ref();
        let weights: Option<Vec<f64>> =
            weights.map(|weights| indices.iter().map(|&index| weights[index]).collect());
        let mean_weight = match &weights {
            Some(weights) => weights.iter().sum::<f64>() / weights.len() as f64,
            None => 1.0,
        };
        Ok(Samples {
            dataset,
            weights,
            mean_weight,
        })
    }
}
