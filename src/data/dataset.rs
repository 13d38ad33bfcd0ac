//! Data sets in memory: inputs and targets, which are checked once.

use std::sync::OnceLock;

use ndarray::{Array2, ArrayView2, Axis};

use super::compressed::Compressed;
use super::fingerprint::Fingerprint;
use super::one_hot::check_labels;
use super::sparse_rows::SparseRows;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::product::{SparseColumns, skips_zeros};

/// The inputs of a data set, one row for each sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Inputs<T> {
    /// Numbers, used as they are; samples x features.
    Values(Array2<T>),
    /// Pixels, stored as bytes and divided by 255 when a batch is gathered: a quarter of the memory of `f32`;
    /// samples x features.
    Pixels(Array2<u8>),
    /// Numbers that are mostly zeros, of which only the others are stored.
    Sparse(SparseRows<T>),
}

impl<T: Element> Inputs<T> {
    /// The numbers of samples and features.
    ///
    /// ```
    /// use mfnet::data::Inputs;
    /// use ndarray::array;
    ///
    /// assert_eq!(Inputs::Values(array![[0.5, 1.0, 2.0]]).dim(), (1, 3));
    /// ```
    pub fn dim(&self) -> (usize, usize) {
        match self {
            Inputs::Values(values) => values.dim(),
            Inputs::Pixels(pixels) => pixels.dim(),
            Inputs::Sparse(rows) => (rows.samples(), rows.features()),
        }
    }

    /// The inputs of the samples with these indices.
    pub(super) fn select(&self, indices: &[usize]) -> Self {
        match self {
            Inputs::Values(values) => Inputs::Values(values.select(Axis(0), indices)),
            Inputs::Pixels(pixels) => Inputs::Pixels(pixels.select(Axis(0), indices)),
            Inputs::Sparse(rows) => Inputs::Sparse(rows.select(indices)),
        }
    }
}

/// The targets of a data set.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets<T> {
    /// Numbers, samples x outputs.
    Values(Array2<T>),
    /// Classes.
    Classes {
        /// One label for each sample, below `classes`.
        labels: Vec<u32>,
        /// The number of classes.
        classes: usize,
    },
}

/// Samples with their targets: at least one sample, every number finite, every label below the number of classes.
#[derive(Debug, Clone)]
pub struct Dataset<T> {
    inputs: Inputs<T>,
    targets: Targets<T>,
    /// The weight of each sample, 1 on average; `None` if all count the same.
    weights: Option<Vec<T>>,
    /// The fraction of the inputs, 0 to 1, that is not 0.
    density: f64,
    /// The inputs without their zeros, computed on first use.
    compressed: OnceLock<Compressed<T>>,
    /// The shape and the content hash, computed on first use.
    fingerprint: OnceLock<Fingerprint>,
}

impl<T: Element> Targets<T> {
    /// The number of samples.
    pub(super) fn samples(&self) -> usize {
        match self {
            Targets::Values(values) => values.nrows(),
            Targets::Classes { labels, .. } => labels.len(),
        }
    }

    /// The targets of the samples with these indices.
    pub(super) fn select(&self, indices: &[usize]) -> Self {
        match self {
            Targets::Values(values) => Targets::Values(values.select(Axis(0), indices)),
            Targets::Classes { labels, classes } => Targets::Classes {
                labels: indices.iter().map(|&index| labels[index]).collect(),
                classes: *classes,
            },
        }
    }
}

impl<T: Element> PartialEq for Dataset<T> {
    fn eq(&self, other: &Self) -> bool {
        (&self.inputs, &self.targets, &self.weights) == (&other.inputs, &other.targets, &other.weights)
    }
}

impl<T: Element> Dataset<T> {
    /// Creates a data set, and checks it once, so that training need not.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for no samples, no features, no outputs, a number that is not finite (with its row and
    /// column, counted from 0) or a label beyond the classes; [`Error::Shape`] for unequal sample counts.
    pub fn new(inputs: Inputs<T>, targets: Targets<T>) -> Result<Self> {
        let inputs = match inputs {
            Inputs::Values(values) => Inputs::Values(row_major(values)),
            Inputs::Pixels(pixels) => Inputs::Pixels(row_major(pixels)),
            sparse => sparse,
        };
        let dataset = Dataset {
            density: density(&inputs),
            inputs,
            targets,
            weights: None,
            compressed: OnceLock::new(),
            fingerprint: OnceLock::new(),
        };
        let (samples, targets) = (dataset.samples(), dataset.targets.samples());
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

    /// Creates a data set for regression.
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

    /// Creates a data set for classification; labels count from 0.
    ///
    /// # Shapes
    ///
    /// inputs: samples x features; labels: samples
    ///
    /// # Errors
    ///
    /// As [`Dataset::new`].
    ///
    /// ```
    /// use mfnet::Dataset;
    /// use ndarray::array;
    ///
    /// let data = Dataset::classification(array![[0.5], [0.7], [0.9]], vec![0, 1, 1], 2)?;
    /// assert_eq!((data.samples(), data.outputs()), (3, 2));
    /// let error = Dataset::classification(array![[0.5]], vec![2], 2).unwrap_err();
    /// assert_eq!(error.to_string(), "targets: row 0 has label 2, and there are 2 classes, counted from 0");
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn classification(inputs: Array2<T>, labels: Vec<u32>, classes: usize) -> Result<Self> {
        Dataset::new(Inputs::Values(inputs), Targets::Classes { labels, classes })
    }

    /// Sets the weight of each sample: its loss and its gradient count times the weight in training, and its loss in
    /// [`NeuralNetwork::evaluate`](crate::NeuralNetwork::evaluate); metrics count each sample the same.
    ///
    /// The weights w_i are brought to mean 1, w_i n / sum_j w_j for n samples, so that learning rates need no change: a loss is the
    /// weighted mean sum_i w_i J_i / sum_i w_i. A weight of 2 is that of a sample that is there twice. One of 0 is that of a sample
    /// that is left out, but for the statistics of a batch normalisation. Class weights multiply these weights.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of weights than samples; [`Error::InvalidData`] for a weight that is negative or not
    /// finite, and for weights that are all 0.
    ///
    /// ```
    /// use mfnet::{Dataset, MseLoss};
    /// use mfnet::baseline::mean_predictor;
    /// use ndarray::array;
    ///
    /// let data = Dataset::regression(array![[0.0], [0.0]], array![[1.0], [4.0]])?.with_weights(&[2.0, 1.0])?;
    /// // The weighted mean is 2; its errors 1 and 4 have the weighted mean 2.
    /// let mean = mean_predictor(&data)?;
    /// assert_eq!(mean.predict(array![[0.0]].view())?, array![[2.0]]);
    /// assert!((mean.evaluate(&data, &MseLoss::default())?.loss - 2.0_f64).abs() < 1e-12);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn with_weights(mut self, weights: &[f64]) -> Result<Self> {
        if weights.len() != self.samples() {
            return Err(Error::shape(
                "Dataset::with_weights",
                format_args!("{} weights, one for each sample", self.samples()),
                weights.len(),
            ));
        }
        check_weights(weights)?;
        // Divided by the largest first: their sum may be beyond the range.
        let largest = weights.iter().copied().fold(0.0, f64::max);
        let mean = weights.iter().map(|weight| weight / largest).sum::<f64>() / weights.len() as f64;
        let scaled = weights.iter().map(|weight| T::from_f64(weight / largest / mean));
        self.weights = Some(scaled.collect());
        self.fingerprint = OnceLock::new();
        Ok(self)
    }

    /// The weight of each sample, 1 on average; `None` if all count the same.
    pub fn weights(&self) -> Option<&[T]> {
        self.weights.as_deref()
    }

    /// Sets weights that have mean 1 already, as those of a data set of the same samples.
    pub(super) fn with_scaled_weights(mut self, weights: Option<Vec<T>>) -> Self {
        self.weights = weights;
        self
    }

    /// The number of samples, at least 1.
    pub fn samples(&self) -> usize {
        self.inputs.dim().0
    }

    /// The number of features of a sample, without the bias.
    pub fn features(&self) -> usize {
        self.inputs.dim().1
    }

    /// The number of outputs that a network needs: target columns, or classes.
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

    /// The label of each sample; `None` for targets that are numbers.
    ///
    /// ```
    /// use mfnet::Dataset;
    /// use ndarray::array;
    ///
    /// let data = Dataset::classification(array![[0.5], [0.7]], vec![0, 1], 2)?;
    /// assert_eq!((data.labels(), data.values()), (Some(&[0, 1][..]), None));
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn labels(&self) -> Option<&[u32]> {
        match &self.targets {
            Targets::Classes { labels, .. } => Some(labels),
            Targets::Values(_) => None,
        }
    }

    /// The target values; `None` for targets that are classes.
    ///
    /// # Shapes
    ///
    /// samples x outputs
    pub fn values(&self) -> Option<ArrayView2<'_, T>> {
        match &self.targets {
            Targets::Values(values) => Some(values.view()),
            Targets::Classes { .. } => None,
        }
    }

    /// Splits the data set into its inputs, its targets and its weights.
    pub(super) fn into_parts(self) -> (Inputs<T>, Targets<T>, Option<Vec<T>>) {
        (self.inputs, self.targets, self.weights)
    }

    /// Whether products with the inputs skip their zeros.
    pub(crate) fn is_sparse(&self) -> bool {
        skips_zeros(self.density, self.features())
    }

    /// Adds samples without their zeros to the columns of a shard; for a data set that [is sparse](Self::is_sparse).
    pub(crate) fn gather_sparse(&self, indices: &[usize], columns: &mut SparseColumns<T>) {
        match &self.inputs {
            Inputs::Sparse(rows) => rows.gather(indices, columns),
            _ => self.compressed().gather(indices, columns),
        }
    }

    /// Computes the inputs without their zeros, if that is not done yet. Must be called before work is shared among threads,
    /// all of which would wait for the one that computes them.
    pub(crate) fn compress(&self) {
        if !matches!(self.inputs, Inputs::Sparse(_)) {
            self.compressed();
        }
    }

    fn compressed(&self) -> &Compressed<T> {
        self.compressed.get_or_init(|| Compressed::of(&self.inputs))
    }

    /// The shape and the content hash, which differ for different data.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        *self.fingerprint.get_or_init(|| Fingerprint::of(self))
    }

    /// Returns a data set of the samples with these indices, counted from 0, in this order; an index may occur twice. Weights are
    /// brought to mean 1 again.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for an empty list, for an index beyond the samples, and for samples whose weights are all 0.
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
        let selected = Dataset {
            inputs: self.inputs.select(indices),
            targets: self.targets.select(indices),
            weights: None,
            density: self.density,
            compressed: OnceLock::new(),
            fingerprint: OnceLock::new(),
        };
        match &self.weights {
            None => Ok(selected),
            Some(weights) => {
                let weights: Vec<f64> = indices.iter().map(|&index| weights[index].as_f64()).collect();
                selected.with_weights(&weights)
            }
        }
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
            Inputs::Sparse(rows) => rows.to_values(),
        }
    }
}

/// The value of a pixel as a feature, 0 to 1.
#[inline(always)]
pub(crate) fn pixel_value<T: Element>(pixel: u8) -> T {
    T::from_u8(pixel) / T::from_u8(255)
}

fn density<T: Element>(inputs: &Inputs<T>) -> f64 {
    let (nonzero, all) = match inputs {
        Inputs::Values(values) => (
            values.iter().filter(|&&value| value != T::zero()).count(),
            values.len(),
        ),
        Inputs::Pixels(pixels) => (pixels.iter().filter(|&&pixel| pixel != 0).count(), pixels.len()),
        Inputs::Sparse(rows) => return rows.density(),
    };
    nonzero as f64 / all.max(1) as f64
}

/// Returns the matrix in row-major order, so that the features of a sample are contiguous.
fn row_major<A: Clone>(matrix: Array2<A>) -> Array2<A> {
    if matrix.is_standard_layout() {
        matrix
    } else {
        matrix.as_standard_layout().into_owned()
    }
}

/// Refuses weights that are negative or not finite, and weights that are all 0.
pub(super) fn check_weights(weights: &[f64]) -> Result<()> {
    let fits = |weight: &f64| *weight >= 0.0 && weight.is_finite();
    if let Some(row) = weights.iter().position(|weight| !fits(weight)) {
        return Err(Error::data(
            "weights",
            format_args!(
                "row {row} has the weight {}: a weight is a finite number of at least 0",
                weights[row]
            ),
        ));
    }
    match weights.iter().any(|&weight| weight > 0.0) {
        true => Ok(()),
        false => Err(Error::data(
            "weights",
            "all weights are 0, so that no sample counts",
        )),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn errors_name_the_invalid_data() {
        let message = |result: Result<Dataset<f64>>| result.unwrap_err().to_string();
        let good = array![[1.0, 2.0], [3.0, 4.0]];
        let nan = array![[1.0, 2.0], [3.0, f64::NAN]];
        let infinite = array![[0.0], [f64::INFINITY]];
        assert!(
            message(Dataset::regression(nan, array![[1.0], [2.0]]))
                .contains("inputs: row 1, column 1 is NaN")
        );
        assert!(
            message(Dataset::regression(good.clone(), infinite)).contains("targets: row 1, column 0 is inf")
        );
        assert!(message(Dataset::regression(good.clone(), array![[1.0]])).contains("targets of 2 samples"));
        assert!(
            message(Dataset::regression(Array2::zeros((0, 2)), Array2::zeros((0, 1)))).contains("no samples")
        );
        assert!(
            message(Dataset::regression(Array2::zeros((2, 0)), Array2::zeros((2, 1))))
                .contains("no features")
        );
        assert!(message(Dataset::regression(good.clone(), Array2::zeros((2, 0)))).contains("no outputs"));
        assert!(message(Dataset::classification(good, vec![0, 3], 3)).contains("row 1 has label 3"));
    }

    #[test]
    fn layout_of_the_inputs_does_not_matter() {
        let wide = array![[1.0, 3.0], [2.0, 4.0]];
        let targets = array![[0.0], [1.0]];
        let transposed = Dataset::regression(wide.clone().reversed_axes(), targets.clone()).unwrap();
        let plain = Dataset::regression(array![[1.0, 2.0], [3.0, 4.0]], targets).unwrap();
        assert_eq!(transposed, plain);
        assert!(matches!(transposed.inputs(), Inputs::Values(values) if values.is_standard_layout()));
    }

    #[test]
    fn pixels_are_divided_by_255() {
        let targets = Targets::Classes {
            labels: vec![0],
            classes: 1,
        };
        let data = Dataset::<f64>::new(Inputs::Pixels(array![[0, 51, 255]]), targets).unwrap();
        assert_eq!(data.to_values(), array![[0.0, 0.2, 1.0]]);
    }

    #[test]
    fn weights_have_mean_1() {
        let data = || Dataset::<f64>::classification(array![[0.0], [1.0], [2.0]], vec![0, 1, 1], 2).unwrap();
        assert_eq!(data().weights(), None);
        let weighted = data().with_weights(&[0.0, 1.5, 4.5]).unwrap();
        assert_eq!(weighted.weights(), Some(&[0.0, 0.75, 2.25][..]));
        assert_ne!(weighted, data());
        assert_ne!(weighted.fingerprint(), data().fingerprint());
        assert_eq!(
            data().with_weights(&[7.0; 3]).unwrap().weights(),
            Some(&[1.0; 3][..])
        );
        let large = data().with_weights(&[f64::MAX, f64::MAX, 0.0]).unwrap();
        assert_eq!(large.weights(), Some(&[1.5, 1.5, 0.0][..]));
        let selected = weighted.select(&[2, 1, 2]).unwrap();
        assert_eq!(selected.weights().unwrap().iter().sum::<f64>(), 3.0);
        let message = |weights: &[f64]| data().with_weights(weights).unwrap_err().to_string();
        assert!(
            weighted
                .select(&[0])
                .unwrap_err()
                .to_string()
                .contains("all weights are 0")
        );
        assert!(message(&[1.0]).contains("3 weights, one for each sample"));
        assert!(message(&[1.0, -1.0, 1.0]).contains("row 1 has the weight -1"));
        assert!(message(&[1.0, 1.0, f64::NAN]).contains("row 2 has the weight NaN"));
        assert!(message(&[0.0; 3]).contains("all weights are 0"));
    }

    #[test]
    fn selections_keep_their_order() {
        let data = Dataset::classification(array![[0.0], [1.0], [2.0]], vec![0, 1, 2], 3).unwrap();
        let selected = data.select(&[2, 0]).unwrap();
        assert_eq!(
            selected,
            Dataset::classification(array![[2.0], [0.0]], vec![2, 0], 3).unwrap()
        );
        assert!(data.select(&[3]).is_err());
        assert!(data.select(&[]).is_err());
    }
}
