//! Arrays of NumPy as arrays of the library: in place where the type fits, otherwise converted.

use mfnet::data::SparseRows;
use mfnet::{Element, Result};
use ndarray::{Array2, ArrayView2, CowArray, Ix2};
use numpy::{PyArrayDyn, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// A number of a network and of NumPy: `f32` or `f64`.
pub(crate) trait Number: Element + numpy::Element {
    /// The numbers of a matrix: the matrix itself if it has this type, otherwise a copy.
    fn from_f32s(matrix: ArrayView2<'_, f32>) -> CowArray<'_, Self, Ix2>;

    /// The numbers of a matrix: the matrix itself if it has this type, otherwise a copy.
    fn from_f64s(matrix: ArrayView2<'_, f64>) -> CowArray<'_, Self, Ix2>;
}

impl Number for f32 {
    fn from_f32s(matrix: ArrayView2<'_, f32>) -> CowArray<'_, f32, Ix2> {
        matrix.into()
    }

    fn from_f64s(matrix: ArrayView2<'_, f64>) -> CowArray<'_, f32, Ix2> {
        matrix.mapv(|number| number as f32).into()
    }
}

impl Number for f64 {
    fn from_f32s(matrix: ArrayView2<'_, f32>) -> CowArray<'_, f64, Ix2> {
        matrix.mapv(f64::from).into()
    }

    fn from_f64s(matrix: ArrayView2<'_, f64>) -> CowArray<'_, f64, Ix2> {
        matrix.into()
    }
}

/// A matrix of NumPy in one of the two types that networks compute in.
pub(crate) enum Matrix<'py> {
    F32(PyReadonlyArray2<'py, f32>),
    F64(PyReadonlyArray2<'py, f64>),
}

impl<'py> Matrix<'py> {
    /// # Errors
    ///
    /// `TypeError` for any other object.
    pub(crate) fn of(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(matrix) = object.extract() {
            return Ok(Matrix::F32(matrix));
        }
        if let Ok(matrix) = object.extract() {
            return Ok(Matrix::F64(matrix));
        }
        let found = match object.cast::<PyArrayDyn<f64>>() {
            Ok(array) => format!("one of {} dimensions", array.ndim()),
            Err(_) => object.get_type().to_string(),
        };
        let message = format!("expected a matrix of float32 or float64, found {found}");
        Err(PyTypeError::new_err(message))
    }

    pub(crate) fn view(&self) -> MatrixView<'_> {
        match self {
            Matrix::F32(matrix) => MatrixView::F32(matrix.as_array()),
            Matrix::F64(matrix) => MatrixView::F64(matrix.as_array()),
        }
    }
}

/// A matrix that a thread can read while it is detached from the interpreter.
#[derive(Clone, Copy)]
pub(crate) enum MatrixView<'a> {
    F32(ArrayView2<'a, f32>),
    F64(ArrayView2<'a, f64>),
}

impl<'a> MatrixView<'a> {
    /// The numbers in a precision: the matrix itself if it has that, otherwise a copy.
    pub(crate) fn numbers<T: Number>(self) -> CowArray<'a, T, Ix2> {
        match self {
            MatrixView::F32(matrix) => T::from_f32s(matrix),
            MatrixView::F64(matrix) => T::from_f64s(matrix),
        }
    }
}

/// Samples as NumPy and scipy have them.
pub(crate) enum Inputs<'py> {
    Dense(Matrix<'py>),
    Sparse(Csr<'py>),
}

/// A matrix in compressed sparse rows.
pub(crate) struct Csr<'py> {
    features: usize,
    starts: PyReadonlyArray1<'py, i64>,
    indices: PyReadonlyArray1<'py, i64>,
    values: Values<'py>,
}

enum Values<'py> {
    F32(PyReadonlyArray1<'py, f32>),
    F64(PyReadonlyArray1<'py, f64>),
}

/// Samples that a thread can read while it is detached from the interpreter.
#[derive(Clone, Copy)]
pub(crate) enum InputsView<'a> {
    Dense(MatrixView<'a>),
    Sparse(CsrView<'a>),
}

/// A matrix in compressed sparse rows.
#[derive(Clone, Copy)]
pub(crate) struct CsrView<'a> {
    features: usize,
    starts: &'a [i64],
    indices: &'a [i64],
    values: ValuesView<'a>,
}

#[derive(Clone, Copy)]
enum ValuesView<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
}

impl<'py> Inputs<'py> {
    /// # Errors
    ///
    /// `TypeError` for an object that is neither a matrix nor the parts of a CSR matrix.
    pub(crate) fn of(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        let Ok(parts) = object.cast::<PyTuple>() else {
            return Ok(Inputs::Dense(Matrix::of(object)?));
        };
        let (features, starts, indices, values): (usize, _, _, Bound<'py, PyAny>) = parts.extract()?;
        let values = match values.extract() {
            Ok(values) => Values::F32(values),
            Err(_) => Values::F64(values.extract()?),
        };
        Ok(Inputs::Sparse(Csr {
            features,
            starts,
            indices,
            values,
        }))
    }

    /// # Errors
    ///
    /// `ValueError` for arrays of a CSR matrix that are not contiguous.
    pub(crate) fn view(&self) -> PyResult<InputsView<'_>> {
        Ok(match self {
            Inputs::Dense(matrix) => InputsView::Dense(matrix.view()),
            Inputs::Sparse(csr) => InputsView::Sparse(CsrView {
                features: csr.features,
                starts: csr.starts.as_slice()?,
                indices: csr.indices.as_slice()?,
                values: match &csr.values {
                    Values::F32(values) => ValuesView::F32(values.as_slice()?),
                    Values::F64(values) => ValuesView::F64(values.as_slice()?),
                },
            }),
        })
    }
}

impl CsrView<'_> {
    /// The samples in a precision.
    pub(crate) fn numbers<T: Number>(self) -> Result<SparseRows<T>> {
        let rows = |values: &[T]| SparseRows::from_csr(self.features, self.starts, self.indices, values);
        match self.values {
            ValuesView::F32(values) => rows(
                &values
                    .iter()
                    .map(|&value| T::from_f64(value.into()))
                    .collect::<Vec<T>>(),
            ),
            ValuesView::F64(values) => {
                rows(&values.iter().map(|&value| T::from_f64(value)).collect::<Vec<T>>())
            }
        }
    }
}

/// The matrix in row-major order, as the library wants its own.
pub(crate) fn row_major<T: Number>(matrix: CowArray<'_, T, Ix2>) -> Array2<T> {
    if matrix.is_standard_layout() {
        return matrix.into_owned();
    }
    matrix.as_standard_layout().into_owned()
}
