//! The targets in NumPy's arrays: numbers, answers, or classes by their numbers.

use std::collections::HashMap;

use ndarray::Array2;

use super::arrays::{Array, Numbers, shown, values_of};
use crate::data::infer::{whole, why_no_class};
use crate::data::matching::truth_labels;
use crate::element::Element;
use crate::error::{Error, Result};

/// Targets as they are stored, one or several numbers a sample.
pub(super) struct RawTargets<T> {
    pub(super) name: String,
    pub(super) columns: usize,
    pub(super) values: Array2<T>,
    /// The integers, if they are stored as such.
    pub(super) integers: Option<Vec<i64>>,
    /// The numbers in `f64`.
    exact: Vec<f64>,
}

impl<T: Element> RawTargets<T> {
    pub(super) fn of(array: Array) -> Result<Self> {
        let Array { name, shape, numbers } = array;
        let columns = match shape.as_slice() {
            [_] => 1,
            [_, columns] => *columns,
            _ => {
                return Err(Error::data(
                    name,
                    format_args!(
                        "targets have the shape (samples) or (samples, outputs), not {}",
                        shown(&shape)
                    ),
                ));
            }
        };
        let integers = match &numbers {
            Numbers::Bytes(bytes) => Some(bytes.iter().copied().map(i64::from).collect()),
            Numbers::Integers(integers) => Some(integers.clone()),
            Numbers::Singles(_) | Numbers::Doubles(_) => None,
        };
        let exact: Vec<f64> = values_of(numbers);
        if exact.is_empty() {
            return Err(Error::data(
                name,
                format_args!("the array is empty: its shape is {}", shown(&shape)),
            ));
        }
        let values = exact.iter().map(|&number| T::from_f64(number)).collect();
        let values = Array2::from_shape_vec((shape[0], columns), values)
            .map_err(|error| Error::shape("targets", "an array of its own shape", error))?;
        crate::data::dataset::check_finite(&name, values.view())?;
        Ok(RawTargets {
            name,
            columns,
            integers,
            values,
            exact,
        })
    }

    /// The place of the 1 in each row, if each is a single 1 among zeros.
    pub(super) fn one_hot(&self) -> Option<Vec<u32>> {
        if self.columns < 2 {
            return None;
        }
        crate::data::one_hot_decode(self.values.view()).ok()
    }

    /// Each number as an integer, or as it is if it is none.
    pub(super) fn integers(&self) -> Box<dyn Iterator<Item = std::result::Result<i64, f64>> + '_> {
        match &self.integers {
            Some(integers) => Box::new(integers.iter().copied().map(Ok)),
            None => Box::new(self.exact.iter().map(|&number| whole(number).ok_or(number))),
        }
    }

    /// The values, which are 0 or 1.
    pub(super) fn answers(self) -> Result<Array2<T>> {
        let is_answer = |value: T| value == T::zero() || value == T::one();
        match self.values.indexed_iter().find(|&(_, &value)| !is_answer(value)) {
            None => Ok(self.values),
            Some(((row, column), value)) => Err(Error::data(
                &self.name,
                format_args!("row {row}, column {column} is {value}: yes/no targets are 1 and 0"),
            )),
        }
    }

    /// The whole numbers of a single column.
    pub(super) fn whole(&self) -> Result<Vec<i64>> {
        if self.columns != 1 {
            return Err(Error::data(
                &self.name,
                format_args!("{} columns that are not one-hot are no classes", self.columns),
            ));
        }
        let number = |(row, number): (usize, std::result::Result<i64, f64>)| {
            number.map_err(|number| {
                let why = why_no_class(number);
                Error::data(
                    &self.name,
                    format_args!("row {row} is {number}, {why}, so it is no class"),
                )
            })
        };
        self.integers().enumerate().map(number).collect()
    }
}

/// The labels of whole numbers by the names of the classes of a training.
pub(super) fn known_labels<T: Element>(raw: &RawTargets<T>, names: &[String]) -> Result<Vec<u32>> {
    let known: HashMap<String, u32> = if let Some(truth) = truth_labels(names) {
        ["0", "1"].map(str::to_owned).into_iter().zip(truth).collect()
    } else if names.iter().all(|name| name.parse::<i64>().is_err()) {
        // Classes that are called by texts are numbered by their places.
        (0..)
            .take(names.len())
            .map(|place| (place.to_string(), place))
            .collect()
    } else {
        names.iter().cloned().zip(0..).collect()
    };
    let label = |(row, number): (usize, i64)| {
        known.get(&number.to_string()).copied().ok_or_else(|| {
            Error::data(
                &raw.name,
                format_args!(
                    "row {row}: the class {number} was not there in training, which knew {}",
                    names.join(", ")
                ),
            )
        })
    };
    raw.whole()?.into_iter().enumerate().map(label).collect()
}
