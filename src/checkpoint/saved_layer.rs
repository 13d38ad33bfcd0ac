//! A layer or an activation in a file: the options and tensors from which it is made.

use std::collections::BTreeMap;

use ndarray::ArrayD;

use super::Setting;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::layer::Image;

/// The options and tensors of one layer or activation in a file, and the shape of its input.
///
/// See [`FileLayer`](super::FileLayer).
pub struct SavedLayer<'a, T> {
    pub(super) options: &'a BTreeMap<String, Setting>,
    pub(super) seed: u64,
    pub(super) inputs: usize,
    pub(super) image: Option<Image>,
    pub(super) tensors: &'a mut dyn TensorSource<T>,
}

/// The tensors of one layer, by their names in its record.
pub(super) trait TensorSource<T> {
    /// Takes the tensor of this name and shape.
    fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<ArrayD<T>>;

    /// Takes the counter of this name.
    fn count(&mut self, name: &str) -> Result<u64>;
}

impl<T: Element> SavedLayer<'_, T> {
    /// The number of input features.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The shape of the input images; `None` for rows of features.
    pub fn image(&self) -> Option<Image> {
        self.image
    }

    /// The seed of the random numbers that are drawn in training; 0 if the record has none.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns the option of this name, a number.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] if it is missing or not a number.
    pub fn number(&self, name: &str) -> Result<f64> {
        match self.options.get(name) {
            Some(Setting::Number(number)) => Ok(*number),
            _ => Err(refused(format_args!(
                "the option {name} is missing, or no number"
            ))),
        }
    }

    /// Returns the option of this name, an integer of at least 0.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] if it is missing or not such an integer.
    pub fn size(&self, name: &str) -> Result<usize> {
        /// 2^53: above, `f64` does not have all integers.
        const LARGEST: f64 = 9_007_199_254_740_992.0;
        let number = self.number(name)?;
        if number.fract() == 0.0 && (0.0..=LARGEST).contains(&number) {
            return Ok(number as usize);
        }
        Err(refused(format_args!(
            "the option {name} is {number}, which is no count"
        )))
    }

    /// Returns the option of this name, N sizes.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] if it is missing or not a list of N sizes.
    pub fn sizes<const N: usize>(&self, name: &str) -> Result<[usize; N]> {
        let sizes = match self.options.get(name) {
            Some(Setting::Sizes(sizes)) => <[usize; N]>::try_from(sizes.as_slice()).ok(),
            _ => None,
        };
        sizes.ok_or_else(|| refused(format_args!("the option {name} is missing, or not {N} sizes")))
    }

    /// Takes the tensor of this name; all its numbers are finite.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFile`] if there is no tensor of this name and shape, or a number is not finite.
    pub fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<ArrayD<T>> {
        self.tensors.tensor(name, shape)
    }

    /// Takes the counter of this name.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFile`] if there is no counter of this name.
    pub fn count(&mut self, name: &str) -> Result<u64> {
        self.tensors.count(name)
    }
}

/// Returns an error about a layer of a file.
pub(super) fn refused(problem: impl std::fmt::Display) -> Error {
    Error::data("layer", problem)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::checkpoint::Record;

    /// Takes tensors from a record.
    #[derive(Debug)]
    pub(in crate::checkpoint) struct Own<'a, T>(pub(in crate::checkpoint) &'a Record<T>);

    impl<T: Element> TensorSource<T> for Own<'_, T> {
        fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<ArrayD<T>> {
            let tensor = self.0.tensors.iter().find(|tensor| tensor.name == name);
            let values = &tensor.expect(name).values;
            assert_eq!(values.shape(), shape, "{name}");
            Ok(values.clone())
        }

        fn count(&mut self, name: &str) -> Result<u64> {
            let count = self.0.counts.iter().find(|(own, _)| *own == name);
            Ok(count.expect(name).1)
        }
    }

    #[test]
    fn options_are_checked() {
        let record = Record::<f32>::new().number("p", 0.5).number("n", 3.0);
        let record = record
            .number("m", -1.0)
            .number("huge", 1e300)
            .sizes("size", &[3, 2]);
        let saved = SavedLayer {
            options: &record.options,
            seed: 0,
            inputs: 1,
            image: None,
            tensors: &mut Own(&record),
        };
        assert_eq!(saved.number("p").unwrap(), 0.5);
        assert_eq!(saved.size("n").unwrap(), 3);
        for name in ["p", "m", "huge", "none"] {
            assert!(saved.size(name).is_err(), "{name}");
        }
        assert_eq!(saved.sizes("size").unwrap(), [3, 2]);
        assert!(saved.sizes::<3>("size").is_err() && saved.number("size").is_err());
        assert!(saved.sizes::<1>("n").is_err());
    }
}
