//! The schema of a data set: the meaning and the scaling of its columns, which a model needs to be used on other data.

use std::fmt;

use ndarray::{Array2, ArrayView2};

use super::dataset::{Dataset, Inputs, Targets};
use super::normalize::{Normalization, denormalize_features};
use super::prepare::Unknown;
use super::target_transform::TargetTransform;
use crate::element::Element;
use crate::error::{Error, Result};

/// The task of a model: what it predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum Task {
    /// Numbers.
    Regression,
    /// One of several classes.
    Classification,
    /// Yes or no for each target, each of its own: targets are the values 1 and 0, and never scaled. For the
    /// [`BinaryCrossEntropyLoss`](crate::loss::BinaryCrossEntropyLoss).
    Binary,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Task::Regression => "regression",
            Task::Classification => "classification",
            Task::Binary => "binary",
        })
    }
}

/// How raw inputs are scaled before they enter a network.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase", bound = "T: Element")
)]
pub enum Scaling<T> {
    /// Inputs are used as they are.
    None,
    /// Inputs are pixels, 0 to 255, and divided by 255.
    Pixels,
    /// x' = (x - mean) / deviation, by the statistics of the training samples.
    Normalized(Normalization<T>),
}

/// The positions of the columns in the table that a model was trained on, counted from 0; for tables without names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Layout {
    /// The number of columns.
    pub width: usize,
    /// The columns of the features, in the order of the features.
    pub features: Vec<usize>,
    /// The columns of the targets, in the order of the targets; a single one for classes.
    pub targets: Vec<usize>,
}

/// The meaning and the scaling of the columns of a data set, to be saved with a model.
///
/// "Raw" data have the numbers of the user's file, "scaled" data those that the network is trained on:
///
/// ```
/// use mfnet::{Dataset, data::Schema};
/// use ndarray::array;
///
/// let raw = Dataset::regression(array![[1.0], [3.0]], array![[10.0], [30.0]])?;
/// let schema = Schema::of(&raw).normalized(&raw)?;
/// let scaled = schema.scale(raw)?;
/// assert_eq!(scaled.to_values(), array![[-1.0], [1.0]]);
/// assert_eq!(schema.unscale(array![[-1.0], [0.0]])?, array![[10.0], [20.0]]);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, bound = "T: Element")
)]
pub struct Schema<T> {
    /// Regression, classification, or yes/no answers.
    pub task: Task,
    /// The number of features, before categories are encoded; [`Schema::network_inputs`] is that of the network's inputs.
    pub features: usize,
    /// The name of each feature; empty if they have no names.
    pub feature_names: Vec<String>,
    /// How raw inputs become scaled ones.
    pub scaling: Scaling<T>,
    /// The value that replaces missing values of each feature, on the raw scale; `None` if missing values are refused.
    #[cfg_attr(feature = "save", serde(default, with = "in_f64"))]
    pub imputation: Option<Vec<T>>,
    /// The number of outputs: targets of a regression or of yes/no answers, classes of a classification.
    pub outputs: usize,
    /// The name of each target column, including the single one of a classification; empty if they have no names.
    pub target_names: Vec<String>,
    /// The name of each class, in the order of the labels; empty for other tasks.
    pub labels: Vec<String>,
    /// For each yes/no target the texts of no and of yes; empty for other tasks.
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub answers: Vec<[String; 2]>,
    /// The function of a regression's targets that is learned.
    #[cfg_attr(
        feature = "save",
        serde(default, skip_serializing_if = "TargetTransform::is_none")
    )]
    pub target_transform: TargetTransform,
    /// The scales of a regression's targets, after their transform.
    pub target_normalization: Option<Normalization<T>>,
    /// The positions of the columns.
    pub layout: Layout,
    /// For each feature the texts of its categories in the order of their numbers, none for a feature of numbers; empty if all
    /// features are numbers. The network has an input for each category: 1 where a sample is of it, and 0 elsewhere.
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub categories: Vec<Vec<String>>,
    /// The treatment of categories that are not among these.
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "Unknown::is_default"))]
    pub unknown: Unknown,
    /// The spellings of a missing value in tables; `None` for the usual ones, see
    /// [`CsvOptions::missing`](super::read::CsvOptions::missing).
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "Option::is_none"))]
    pub missing: Option<Vec<String>>,
    /// The letter between cells of the tables, if it was chosen, see [`CsvOptions::delimiter`](super::read::CsvOptions::delimiter).
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "Option::is_none"))]
    pub delimiter: Option<u8>,
    /// The letter around cells of the tables, if it was chosen, see [`CsvOptions::quote`](field@super::read::CsvOptions::quote).
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "Option::is_none"))]
    pub quote: Option<u8>,
}

/// Numbers of either precision as files have them: in `f64`.
#[cfg(feature = "save")]
mod in_f64 {
    use super::Element;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Element, S: Serializer>(
        values: &Option<Vec<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let to_f64 = |values: &Vec<T>| -> Vec<f64> { values.iter().map(|value| value.as_f64()).collect() };
        values.as_ref().map(to_f64).serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Element, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<T>>, D::Error> {
        let values = Option::<Vec<f64>>::deserialize(deserializer)?;
        Ok(values.map(|values| values.into_iter().map(T::from_f64).collect()))
    }
}

impl<T: Element> Schema<T> {
    /// Creates the schema of a data set without names, whose classes are named by their numbers. Pixels are divided by 255,
    /// and nothing else is scaled. The table has the features first, the targets last.
    pub fn of(dataset: &Dataset<T>) -> Self {
        Schema {
            scaling: match dataset.inputs() {
                Inputs::Values(_) | Inputs::Sparse(_) => Scaling::None,
                Inputs::Pixels(_) => Scaling::Pixels,
            },
            ..Schema::of_targets(dataset.features(), dataset.targets())
        }
    }

    /// The schema of so many features that are numbers, and these targets.
    pub(super) fn of_targets(features: usize, targets: &Targets<T>) -> Self {
        let (task, outputs, labels, targets) = match targets {
            Targets::Values(values) => (Task::Regression, values.ncols(), Vec::new(), values.ncols()),
            Targets::Classes { classes, .. } => {
                let names = (0..*classes).map(|label| label.to_string());
                (Task::Classification, *classes, names.collect(), 1)
            }
        };
        Schema {
            task,
            features,
            feature_names: Vec::new(),
            scaling: Scaling::None,
            imputation: None,
            outputs,
            target_names: Vec::new(),
            labels,
            answers: Vec::new(),
            target_transform: TargetTransform::None,
            target_normalization: None,
            layout: Layout {
                width: features + targets,
                features: (0..features).collect(),
                targets: (features..features + targets).collect(),
            },
            categories: Vec::new(),
            unknown: Unknown::default(),
            missing: None,
            delimiter: None,
            quote: None,
        }
    }

    /// The number of the network's inputs: the features, but for a feature of categories the number of these.
    pub fn network_inputs(&self) -> usize {
        let inputs = |feature: usize| self.categories_of(feature).len().max(1);
        (0..self.features).map(inputs).sum()
    }

    /// The categories of a feature; none for a feature of numbers.
    pub fn categories_of(&self, feature: usize) -> &[String] {
        self.categories.get(feature).map_or(&[], Vec::as_slice)
    }

    /// Whether a feature has categories.
    pub(super) fn is_categorical(&self, feature: usize) -> bool {
        !self.categories_of(feature).is_empty()
    }

    /// Sets the names of features, targets and classes; an empty list leaves them as they are.
    ///
    /// # Errors
    ///
    /// As [`Schema::check`].
    pub fn named(mut self, features: &[&str], targets: &[&str], labels: &[&str]) -> Result<Self> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        for (names, new) in [
            (&mut self.feature_names, features),
            (&mut self.target_names, targets),
            (&mut self.labels, labels),
        ] {
            if !new.is_empty() {
                *names = owned(new);
            }
        }
        self.check()?;
        Ok(self)
    }

    /// Makes the targets yes/no answers: 1 is yes and 0 is no, named so, and no scaling changes them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for classes, and for targets that are scaled already.
    ///
    /// ```
    /// use mfnet::loss::BinaryCrossEntropyLoss;
    /// use mfnet::{Adam, Dataset, NeuralNetwork, Trainer, data::Schema};
    /// use ndarray::array;
    ///
    /// let raw = Dataset::regression(array![[1.0], [2.0], [8.0]], array![[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])?;
    /// let schema = Schema::of(&raw).binary()?.normalized(&raw)?;
    /// let network = NeuralNetwork::<f64>::builder(1).linear(2).seed(7).build()?;
    /// let mut trainer = Trainer::new(network, BinaryCrossEntropyLoss::default(), Adam::new(0.1)?);
    /// trainer.fit(&schema.scale(raw)?)?;
    /// let model = trainer.into_model(schema)?;
    /// let probabilities = model.predict_proba(array![[9.0]].view())?;
    /// assert_eq!(model.predict_answers(array![[9.0]].view())?, probabilities.mapv(|yes| yes > 0.5));
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn binary(mut self) -> Result<Self> {
        let problem = if self.task == Task::Classification {
            "the targets are classes, and yes/no answers are the values 0 and 1"
        } else if self.target_normalization.is_some() {
            "the targets are scaled, and yes/no answers are not: call it before `Schema::normalized`"
        } else {
            self.task = Task::Binary;
            self.answers = vec![["0".to_owned(), "1".to_owned()]; self.outputs];
            return Ok(self);
        };
        Err(Error::data("Schema::binary", problem))
    }

    /// Sets the scaling by the statistics of these raw training samples: each input to mean 0 and deviation 1 (pixels are
    /// still divided by 255), and each target of a regression as well. A feature that is the same in every sample is centred:
    /// its deviation is 1. Categories are not scaled.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a data set of another shape; [`Error::InvalidData`] for a target that is the same in every
    /// sample, with its name: there is nothing to learn.
    pub fn normalized(mut self, raw: &Dataset<T>) -> Result<Self> {
        self.check_samples("Schema::normalized", raw)?;
        if let Inputs::Values(values) = raw.inputs() {
            let mut normalization = Normalization::of(values.view())?;
            (0..self.features)
                .filter(|&feature| self.is_categorical(feature))
                .for_each(|feature| normalization.exempt(feature));
            self.scaling = Scaling::Normalized(normalization);
        }
        if let Targets::Values(values) = raw.targets() {
            refuse_constant_targets(values.view(), &self.target_names)?;
            if self.task == Task::Regression {
                self.check_targets(raw.targets(), None)?;
                let transformed = self.target_transform.apply_all(values.clone());
                self.target_normalization = Some(Normalization::of(transformed.view())?);
            }
        }
        Ok(self)
    }

    /// Scales raw samples for the network.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a data set of another shape or task; [`Error::InvalidData`] for a target that the
    /// [transform](TargetTransform) does not take.
    pub fn scale(&self, raw: Dataset<T>) -> Result<Dataset<T>> {
        self.check_samples("Schema::scale", &raw)?;
        let (inputs, targets, weights) = raw.into_parts();
        self.check_targets(&targets, None)?;
        let targets = match targets {
            Targets::Values(values) => {
                let transformed = self.target_transform.apply_all(values);
                Targets::Values(match &self.target_normalization {
                    Some(normalization) => normalization.apply(transformed.view())?,
                    None => transformed,
                })
            }
            classes => classes,
        };
        Ok(Dataset::new(self.scale_inputs(inputs)?, targets)?.with_scaled_weights(weights))
    }

    /// Scales raw inputs for the network, and encodes categories, which come as numbers: an input for each, 1 for that of the
    /// sample and 0 for the others.
    ///
    /// # Shapes
    ///
    /// samples x features -> samples x the network's inputs
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of features; [`Error::InvalidData`] for a number that is no category's, unless
    /// unknown categories are ignored.
    pub fn scale_inputs(&self, raw: Inputs<T>) -> Result<Inputs<T>> {
        let (samples, features) = raw.dim();
        if features != self.features {
            return Err(Error::shape(
                "Schema::scale_inputs",
                format_args!("samples x {}", self.features),
                format_args!("{samples} x {features}"),
            ));
        }
        let scaled = match (raw, &self.scaling) {
            (Inputs::Pixels(pixels), Scaling::Pixels) => return Ok(Inputs::Pixels(pixels)),
            (Inputs::Values(values), Scaling::Pixels) => {
                let largest = T::from_u8(u8::MAX);
                values.mapv_into(|value| value / largest)
            }
            (Inputs::Sparse(rows), Scaling::None) if self.categories.is_empty() => {
                return Ok(Inputs::Sparse(rows));
            }
            (Inputs::Sparse(_), _) => {
                let problem = "scaling or encoding them would fill in their zeros, which may take all memory: scale them \
                               before, or give them as numbers";
                return Err(Error::data("sparse inputs", problem));
            }
            (raw, Scaling::None) => as_numbers(raw),
            (raw, Scaling::Normalized(normalization)) => normalization.apply(as_numbers(raw).view())?,
        };
        Ok(Inputs::Values(self.encode(scaled)?))
    }

    /// Converts the predictions of a regression to the raw scale; probabilities stay as they are.
    ///
    /// # Shapes
    ///
    /// samples x outputs -> samples x outputs
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of outputs.
    pub fn unscale(&self, predictions: Array2<T>) -> Result<Array2<T>> {
        let transformed = match &self.target_normalization {
            None => predictions,
            Some(normalization) => denormalize_features(predictions.view(), normalization)?,
        };
        Ok(self.target_transform.invert_all(transformed))
    }

    /// The name of a feature; its position, counted from 0, if it has none.
    pub fn feature_name(&self, feature: usize) -> String {
        name_or_position(&self.feature_names, "feature", feature)
    }

    /// The name of a class; its number if it has none.
    pub fn label(&self, class: usize) -> String {
        self.labels
            .get(class)
            .cloned()
            .unwrap_or_else(|| class.to_string())
    }

    /// Checks that all fields agree on the numbers of features and outputs; for a schema that was written by hand or read
    /// from a file.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] that names the field that does not fit.
    pub fn check(&self) -> Result<()> {
        let Layout {
            width,
            features,
            targets,
        } = &self.layout;
        let (target_columns, classes, answers) = match self.task {
            Task::Regression => (self.outputs, 0, 0),
            Task::Classification => (1, self.outputs, 0),
            Task::Binary => (self.outputs, 0, self.outputs),
        };
        let scaled = match &self.scaling {
            Scaling::Normalized(normalization) => normalization.means().len(),
            Scaling::None | Scaling::Pixels => self.features,
        };
        let imputed = self.imputation.as_ref().map_or(self.features, Vec::len);
        let or_none = |names: &[String], expected| if names.is_empty() { expected } else { names.len() };
        let target_scales = (self.target_normalization.as_ref()).map(|scales| scales.means().len());
        let counts = [
            (
                "features' names",
                or_none(&self.feature_names, self.features),
                self.features,
            ),
            ("features' scales", scaled, self.features),
            ("features' imputed values", imputed, self.features),
            ("features' columns", features.len(), self.features),
            (
                "features' categories",
                match self.categories.len() {
                    0 => self.features,
                    features => features,
                },
                self.features,
            ),
            (
                "targets' names",
                or_none(&self.target_names, target_columns),
                target_columns,
            ),
            (
                "targets' scales",
                target_scales.unwrap_or(target_columns),
                target_columns,
            ),
            ("targets' columns", targets.len(), target_columns),
            ("classes' names", self.labels.len(), classes),
            ("texts of yes/no answers", self.answers.len(), answers),
        ];
        if let Some((what, found, expected)) =
            counts.into_iter().find(|(_, found, expected)| found != expected)
        {
            let problem = format_args!("there are {found}, not {expected}");
            return Err(Error::data(format_args!("schema: {what}"), problem));
        }
        let problem = if self.features == 0 || self.outputs == 0 {
            "there must be at least one feature and one output"
        } else if features.iter().chain(targets).any(|column| column >= width) {
            "a column lies beyond the table's width"
        } else if self.task != Task::Regression && self.target_normalization.is_some() {
            "classes and yes/no answers cannot be normalised"
        } else if self.task != Task::Regression && self.target_transform != TargetTransform::None {
            "classes and yes/no answers cannot be transformed"
        } else if self.answers.iter().any(|[no, yes]| no == yes) {
            "yes and no have the same text"
        } else if self.imputation.iter().flatten().any(|value| !value.is_finite()) {
            "an imputed value is not finite"
        } else if self
            .categories
            .iter()
            .any(|texts| !texts.is_sorted_by(|a, b| a < b))
        {
            "the texts of categories are not sorted, or one is there twice"
        } else if !self.categories.is_empty() && self.scaling == Scaling::Pixels {
            "categories are no pixels"
        } else if !self.leaves_categories() {
            "the number of a category is scaled, or an imputed one is no category's"
        } else {
            return Ok(());
        };
        Err(Error::data("schema", problem))
    }

    /// Whether categories are neither scaled nor replaced by a number that is none of them.
    fn leaves_categories(&self) -> bool {
        let is_scaled = |feature: usize| match &self.scaling {
            Scaling::Normalized(scales) => {
                (scales.means()[feature], scales.deviations()[feature]) != (T::zero(), T::one())
            }
            Scaling::None | Scaling::Pixels => false,
        };
        let is_known = |feature: usize| match &self.imputation {
            Some(values) => self.category_of(feature, values[feature]).is_some(),
            None => true,
        };
        (0..self.features)
            .filter(|&feature| self.is_categorical(feature))
            .all(|feature| !is_scaled(feature) && is_known(feature))
    }

    /// Refuses samples of another shape or task.
    fn check_samples(&self, operation: &'static str, dataset: &Dataset<T>) -> Result<()> {
        self.check_shape(operation, dataset, self.features)
    }

    /// Refuses samples that are not ready for the network: of another shape or task.
    #[cfg(feature = "save")]
    pub(crate) fn check_scaled(&self, operation: &'static str, dataset: &Dataset<T>) -> Result<()> {
        self.check_shape(operation, dataset, self.network_inputs())
    }

    fn check_shape(&self, operation: &'static str, dataset: &Dataset<T>, expected: usize) -> Result<()> {
        let task = match (dataset.targets(), self.task) {
            (Targets::Values(_), Task::Binary) => Task::Binary,
            (Targets::Values(_), _) => Task::Regression,
            (Targets::Classes { .. }, _) => Task::Classification,
        };
        let (features, outputs) = (dataset.features(), dataset.outputs());
        if (task, features, outputs) == (self.task, expected, self.outputs) {
            return Ok(());
        }
        let shown = |task, features, outputs| format!("{task} of {features} features and {outputs} outputs");
        Err(Error::shape(
            operation,
            shown(self.task, expected, self.outputs),
            shown(task, features, outputs),
        ))
    }
}

/// Converts pixels to the numbers 0 to 255.
fn as_numbers<T: Element>(raw: Inputs<T>) -> Array2<T> {
    match raw {
        Inputs::Values(values) => values,
        Inputs::Pixels(pixels) => pixels.mapv(T::from_u8),
        Inputs::Sparse(rows) => rows.to_values(),
    }
}

fn name_or_position(names: &[String], what: &str, place: usize) -> String {
    names
        .get(place)
        .cloned()
        .unwrap_or_else(|| format!("{what} {place}"))
}

/// Refuses targets that are the same in every sample, by name.
pub(super) fn refuse_constant_targets<T: Element>(values: ArrayView2<'_, T>, names: &[String]) -> Result<()> {
    let constant = |column: &ndarray::ArrayView1<'_, T>| column.iter().all(|value| *value == column[0]);
    match values.columns().into_iter().position(|column| constant(&column)) {
        None => Ok(()),
        Some(place) => Err(Error::data(
            format_args!("target `{}`", name_or_position(names, "column", place)),
            format_args!(
                "it is {} in every training sample, so there is nothing to learn: name another target",
                values[[0, place]]
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn flowers() -> Dataset<f64> {
        Dataset::classification(array![[1.0, 10.0], [3.0, 30.0]], vec![1, 0], 2).unwrap()
    }

    #[test]
    fn training_statistics_scale_other_samples() {
        let schema = Schema::of(&flowers()).normalized(&flowers()).unwrap();
        let other = schema.scale_inputs(Inputs::Values(array![[5.0, 20.0]])).unwrap();
        assert_eq!(other, Inputs::Values(array![[3.0, 0.0]]));
        assert_eq!(
            schema.scale(flowers()).unwrap().targets(),
            flowers().targets(),
            "classes stay as they are"
        );
        assert_eq!(
            schema.unscale(array![[0.25, 0.75]]).unwrap(),
            array![[0.25, 0.75]]
        );
        assert!(schema.scale_inputs(Inputs::Values(array![[5.0]])).is_err());
    }

    #[test]
    fn pixels_may_be_bytes_or_numbers() {
        let targets = Targets::Values(array![[1.0], [2.0]]);
        let raw = Dataset::<f64>::new(Inputs::Pixels(array![[0, 51], [0, 255]]), targets).unwrap();
        let schema = Schema::of(&raw).normalized(&raw).unwrap();
        assert_eq!(schema.scaling, Scaling::Pixels);
        let as_bytes = schema.scale(raw.clone()).unwrap();
        assert_eq!(as_bytes.inputs(), raw.inputs(), "divided while they are gathered");
        let as_numbers = schema.scale_inputs(Inputs::Values(array![[0.0, 51.0]])).unwrap();
        assert_eq!(as_numbers, Inputs::Values(array![[0.0, 0.2]]));
        let mut unscaled = schema;
        unscaled.scaling = Scaling::None;
        let numbers = unscaled.scale_inputs(Inputs::Pixels(array![[0, 51]])).unwrap();
        assert_eq!(numbers, Inputs::Values(array![[0.0, 51.0]]));
    }

    #[test]
    fn a_constant_feature_is_centred_and_a_constant_target_refused() {
        let raw = Dataset::regression(array![[1.0, 7.0], [3.0, 7.0]], array![[1.0], [2.0]]).unwrap();
        let schema = Schema::of(&raw).normalized(&raw).unwrap();
        assert_eq!(
            schema
                .scale_inputs(Inputs::Values(array![[1.0, 7.0], [3.0, 9.0]]))
                .unwrap(),
            Inputs::Values(array![[-1.0, 0.0], [1.0, 2.0]])
        );
        let raw = Dataset::regression(array![[1.0], [2.0]], array![[7.0], [7.0]]).unwrap();
        let named = Schema::of(&raw).named(&["height"], &["width"], &[]).unwrap();
        let error = named.normalized(&raw).unwrap_err().to_string();
        assert!(error.starts_with("target `width`: it is 7 in every"), "{error}");
    }

    #[test]
    fn answers_are_never_scaled() {
        let raw = Dataset::regression(array![[1.0], [3.0]], array![[1.0, 0.0], [0.0, 1.0]]).unwrap();
        let schema = Schema::of(&raw).binary().unwrap().normalized(&raw).unwrap();
        schema.check().unwrap();
        assert_eq!(schema.task.to_string(), "binary");
        let scaled = schema.scale(raw.clone()).unwrap();
        assert_eq!(
            (scaled.targets(), scaled.to_values()),
            (raw.targets(), array![[-1.0], [1.0]])
        );
        let mut broken = schema.clone();
        broken.answers.pop();
        let error = broken.check().unwrap_err().to_string();
        assert!(
            error.contains("texts of yes/no answers: there are 1, not 2"),
            "{error}"
        );
        broken = schema;
        broken.answers[1][1] = "0".to_owned();
        assert!(broken.check().unwrap_err().to_string().contains("the same text"));
        let late = Schema::of(&raw).normalized(&raw).unwrap().binary().unwrap_err();
        assert!(late.to_string().contains("before `Schema::normalized`"), "{late}");
        assert!(Schema::of(&flowers()).binary().is_err());
        let same = Dataset::regression(array![[1.0], [3.0]], array![[1.0], [1.0]]).unwrap();
        let error = Schema::of(&same).binary().unwrap().normalized(&same).unwrap_err();
        assert!(
            error.to_string().contains("1 in every training sample"),
            "{error}"
        );
    }

    #[test]
    fn errors_name_the_fields_that_do_not_fit() {
        let sound = Schema::of(&flowers()).normalized(&flowers()).unwrap();
        sound.check().unwrap();
        let broken = |change: fn(&mut Schema<f64>)| {
            let mut schema = sound.clone();
            change(&mut schema);
            schema.check().unwrap_err().to_string()
        };
        for (message, part) in [
            (
                broken(|schema| schema.labels.truncate(1)),
                "classes' names: there are 1, not 2",
            ),
            (
                broken(|schema| schema.feature_names = vec![String::new()]),
                "features' names",
            ),
            (broken(|schema| schema.features = 3), "features' scales"),
            (broken(|schema| schema.imputation = Some(vec![1.0])), "imputed"),
            (
                broken(|schema| schema.imputation = Some(vec![1.0, f64::NAN])),
                "not finite",
            ),
            (broken(|schema| schema.layout.targets.clear()), "targets' columns"),
            (
                broken(|schema| schema.categories = vec![vec!["a".into()]]),
                "features' categories: there are 1, not 2",
            ),
            (
                broken(|schema| schema.categories = vec![vec!["a".into()], Vec::new()]),
                "a category is scaled",
            ),
            (broken(|schema| schema.layout.width = 2), "width"),
            (
                broken(|schema| schema.target_names = vec![String::new(); 2]),
                "targets' names",
            ),
        ] {
            assert!(message.contains(part), "{message} is not {part}");
        }
        let other = Dataset::regression(array![[1.0, 10.0]], array![[1.0]]).unwrap();
        assert!(sound.scale(other).is_err(), "another task");
    }
}
