//! Arrays of NumPy as arrays of the library: in place where the type fits, otherwise converted.

use mfnet::Element;
use ndarray::{Array2, ArrayView2, CowArray, Ix2};
use numpy::{PyArrayDyn, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// A number of a network and of NumPy: `f32` or `f64`.
pub(crate) trait Number: Element + numpy::Element {}

impl Number for f32 {}
impl Number for f64 {}

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
    /// The numbers as single precision: the matrix itself if it has that type, otherwise a copy.
    pub(crate) fn in_f32(self) -> CowArray<'a, f32, Ix2> {
        match self {
            MatrixView::F32(matrix) => matrix.into(),
            MatrixView::F64(matrix) => matrix.mapv(|number| number as f32).into(),
        }
    }

    /// The numbers as double precision: the matrix itself if it has that type, otherwise a copy.
    pub(crate) fn in_f64(self) -> CowArray<'a, f64, Ix2> {
        match self {
            MatrixView::F32(matrix) => matrix.mapv(f64::from).into(),
            MatrixView::F64(matrix) => matrix.into(),
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
