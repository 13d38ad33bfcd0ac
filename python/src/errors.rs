//! Errors of the library as Python exceptions.

use std::any::Any;

use mfnet::Error;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// The exception for an error: `OSError` for one of the file system, otherwise `ValueError`.
pub(crate) fn exception(error: Error) -> PyErr {
    match error {
        Error::Io { .. } => PyOSError::new_err(error.to_string()),
        Error::Diverged { .. } => PyValueError::new_err(format!(
            "Solver produced non-finite parameter weights. The input data may contain large values and need to be \
             preprocessed: {error}"
        )),
        error => PyValueError::new_err(error.to_string()),
    }
}

/// The exception for a panic, which is a defect of this package.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> PyErr {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    PyRuntimeError::new_err(format!("a defect of mfnet stopped the computation: {text}"))
}
