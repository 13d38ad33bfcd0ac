//! A data set in memory: inputs, targets, and the promise that both are fit to be learned from.

use ndarray::{Array2, ArrayView2, Axis};

use crate::element::Element;
use crate::error::{Error, Result};

/// The inputs of a data set, one sample a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Inputs<T> {
    /// Numbers, used as they are.
    Values(Array2<T>),
    /// Pixels, kept as bytes and divided by 255 while a batch is gathered: a quarter of the memory of `f32`.
    Pixels(Array2<u8>),
}

/// What the network is to learn of each sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets<T> {
    /// Numbers, samples x outputs.
    Values(Array2<T>),
    /// Classes.
    Classes {
        /// One label a sample, each below `classes`.
        labels: Vec<u32>,
        /// The number of classes.
        classes: usize,
    },
}

/// Samples with their targets: at least one sample, every number finite, every label below the number of classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset<T> {
    inputs: Inputs<T>,
    targets: Targets<T>,
}

impl<T: Element> Dataset<T> {
    /// Puts inputs and targets together and checks them once, so that training need not.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for no samples, no features, no outputs, a number that is not finite (with its row and
    /// column, counted from 0) or a label beyond the classes; [`Error::Shape`] for unequal sample counts.
    pub fn new(inputs: Inputs<T>, targets: Targets<T>) -> Result<Self> {
        let dataset = Dataset { inputs, targets };
        let (samples, targets) = (dataset.samples(), dataset.target_samples());
        if samples == 0 {
            return Err(Error::data("inputs", "there are no samples"));
        }
        if dataset.features() == 0 {
            return Err(Error::data("inputs", "there are no features"));
        }
        if dataset.outputs() == 0 {
            return Err(Error::data("targets", "there are no outputs"));
        }
        if targets != samples {
            return Err(Error::shape(
                "Dataset::new",
                format_args!("targets of {samples} samples, as the inputs"),
                format_args!("targets of {targets}"),
            ));
        }
        if let Inputs::Values(values) = &dataset.inputs {
            check_finite("inputs", values.view())?;
        }
        match &dataset.targets {
            Targets::Values(values) => check_finite("targets", values.view())?,
            Targets::Classes { labels, classes } => check_labels(labels, *classes)?,
        }
        Ok(dataset)
    }

    /// A data set for regression.
    ///
    /// # Shapes
    ///
    /// inputs: samples x features; targets: samples x outputs
    ///
    /// # Errors
    ///
    /// As [`Dataset::new`].
    ///
    /// ```
    /// use mfnet::Dataset;
    /// use ndarray::array;
    ///
    /// let data = Dataset::regression(array![[1.0, 2.0], [1.0, 3.0]], array![[1.0], [2.0]])?;
    /// assert_eq!((data.samples(), data.features(), data.outputs()), (2, 2, 1));
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn regression(inputs: Array2<T>, targets: Array2<T>) -> Result<Self> {
        Dataset::new(Inputs::Values(inputs), Targets::Values(targets))
    }

    /// A data set for classification; labels count from 0.
    ///
    /// # Shapes
    ///
    /// inputs: samples x features; labels: samples
    ///
    /// # Errors
    ///
    /// As [`Dataset::new`].
    pub fn classification(inputs: Array2<T>, labels: Vec<u32>, classes: usize) -> Result<Self> {
        Dataset::new(Inputs::Values(inputs), Targets::Classes { labels, classes })
    }

    /// The number of samples, at least 1.
    pub fn samples(&self) -> usize {
        match &self.inputs {
            Inputs::Values(values) => values.nrows(),
            Inputs::Pixels(pixels) => pixels.nrows(),
        }
    }

    /// The number of features of a sample, the bias not counted.
    pub fn features(&self) -> usize {
        match &self.inputs {
            Inputs::Values(values) => values.ncols(),
            Inputs::Pixels(pixels) => pixels.ncols(),
        }
    }

    /// The number of outputs a network needs: target columns, or classes.
    pub fn outputs(&self) -> usize {
        match &self.targets {
            Targets::Values(values) => values.ncols(),
            Targets::Classes { classes, .. } => *classes,
        }
    }

    /// The inputs.
    pub fn inputs(&self) -> &Inputs<T> {
        &self.inputs
    }

    /// The targets.
    pub fn targets(&self) -> &Targets<T> {
        &self.targets
    }

    /// The samples of these indices, in this order, as a data set of their own.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for no indices or an index beyond the samples.
    pub fn select(&self, indices: &[usize]) -> Result<Self> {
        if let Some(index) = indices.iter().find(|&&index| index >= self.samples()) {
            return Err(Error::data(
                "Dataset::select",
                format_args!("there is no sample {index} among {}", self.samples()),
            ));
        }
        if indices.is_empty() {
            return Err(Error::data("Dataset::select", "no samples are selected"));
        }
        let inputs = match &self.inputs {
            Inputs::Values(values) => Inputs::Values(values.select(Axis(0), indices)),
            Inputs::Pixels(pixels) => Inputs::Pixels(pixels.select(Axis(0), indices)),
        };
        let targets = match &self.targets {
            Targets::Values(values) => Targets::Values(values.select(Axis(0), indices)),
            Targets::Classes { labels, classes } => Targets::Classes {
                labels: indices.iter().map(|&index| labels[index]).collect(),
                classes: *classes,
            },
        };
        Ok(Dataset { inputs, targets })
    }

    /// The inputs as numbers, pixels divided by 255.
    ///
    /// # Shapes
    ///
    /// samples x features
    pub fn to_values(&self) -> Array2<T> {
        match &self.inputs {
            Inputs::Values(values) => values.clone(),
            Inputs::Pixels(pixels) => pixels.mapv(pixel_value),
        }
    }

    fn target_samples(&self) -> usize {
        match &self.targets {
            Targets::Values(values) => values.nrows(),
            Targets::Classes { labels, .. } => labels.len(),
        }
    }
}

/// A pixel's value as a feature: 0 to 1.
pub(crate) fn pixel_value<T: Element>(pixel: u8) -> T {
    T::from_f64(f64::from(pixel) / 255.0)
}

/// Refuses NaN and infinity.
pub(crate) fn check_finite<T: Element>(what: &str, values: ArrayView2<'_, T>) -> Result<()> {
    match values.indexed_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some(((row, column), value)) => Err(Error::data(
            what,
            format_args!("row {row}, column {column} is {value}, not a finite number"),
        )),
    }
}

fn check_labels(labels: &[u32], classes: usize) -> Result<()> {
    match labels.iter().position(|&label| label as usize >= classes) {
        None => Ok(()),
        Some(row) => Err(Error::data(
            "targets",
            format_args!(
                "row {row} has label {}, and labels of {classes} classes are 0 to {}",
                labels[row],
                classes.saturating_sub(1)
            ),
        )),
    }
}
