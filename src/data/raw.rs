//! Raw samples: what a table or arrays hold, before anything is fitted on them.

use std::borrow::Cow;
use std::path::PathBuf;

use super::dataset::{Dataset, Inputs, Targets, check_weights};
use super::schema::{Schema, Task};
use super::split_by::{SplitBy, SplitKeys};
use super::stratify::{fold_rows, split_rows};
use super::table::Table;
use crate::element::Element;
use crate::error::{Error, Position, Result};

/// Samples as they are in a file: nothing is imputed, encoded or scaled yet.
///
/// A missing feature is NaN, and a category is the number of its text in a list of the samples' own. [`Schema::fit`] makes
/// training data of them, [`Schema::apply`] data to validate, test or predict with.
///
/// ```
/// use mfnet::data::read::{CsvOptions, read_csv_from};
/// use mfnet::data::{Columns, Imputation, Preparation};
///
/// let file = "height,bark,kind\n12,rough,oak\n9,white,birch\n,rough,oak\n8,white,birch\n";
/// let table = read_csv_from("trees.csv", file.as_bytes(), &CsvOptions::default())?;
/// let trees = table.examples::<f32>(&Columns::default())?;
/// let (train, test) = trees.samples.split(0.5, 7, &trees.schema)?;
/// let preparation = Preparation {
///     imputation: Some(Imputation::Mean),
///     ..Preparation::default()
/// };
/// let fitted = trees.schema.fit(train, &preparation)?;
/// let test = fitted.schema.apply(test)?;
/// assert_eq!((fitted.train.samples(), test.samples()), (2, 2));
/// assert_eq!(test.features(), 3, "the height, rough, white");
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RawSamples<T> {
    pub(super) inputs: Inputs<T>,
    pub(super) targets: Targets<T>,
    /// For each feature the texts that its numbers stand for, none for a feature of numbers; empty if no feature has texts.
    pub(super) texts: Vec<Vec<String>>,
    /// The weight of each sample, of any scale; `None` if all count the same.
    pub(super) weights: Option<Vec<f64>>,
    /// The values of the column that decides splits; `None` for splits at random.
    pub(super) split_keys: Option<SplitKeys>,
    /// `None` for samples that are not from a table.
    pub(super) origin: Option<Origin>,
}

/// The places of samples in a file, for errors.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) path: PathBuf,
    /// The column of each feature, counted from 0.
    pub(super) columns: Vec<usize>,
    /// The line of each sample, counted from 1.
    pub(super) lines: Vec<u64>,
}

impl<T: Element> From<Dataset<T>> for RawSamples<T> {
    /// Samples of which nothing is missing, and whose features are numbers.
    fn from(dataset: Dataset<T>) -> Self {
        let (inputs, targets, weights) = dataset.into_parts();
        RawSamples {
            inputs,
            targets,
            texts: Vec::new(),
            weights: weights.map(|weights| weights.into_iter().map(T::as_f64).collect()),
            split_keys: None,
            origin: None,
        }
    }
}

impl<T: Element> RawSamples<T> {
    /// The number of samples.
    pub fn samples(&self) -> usize {
        self.inputs.dim().0
    }

    /// The number of features: columns of a table.
    pub fn features(&self) -> usize {
        self.inputs.dim().1
    }

    /// The features: NaN where one is missing, and the number of its text for a category.
    ///
    /// # Shapes
    ///
    /// samples x features
    pub fn inputs(&self) -> &Inputs<T> {
        &self.inputs
    }

    /// The targets, none of which is missing.
    pub fn targets(&self) -> &Targets<T> {
        &self.targets
    }

    /// Sets the weight of each sample, of any scale: [`Schema::fit`] and [`Schema::apply`] bring the weights of their samples to
    /// mean 1, as [`Dataset::with_weights`] does.
    ///
    /// # Errors
    ///
    /// As [`Dataset::with_weights`].
    ///
    /// ```
    /// use mfnet::Dataset;
    /// use mfnet::data::{Preparation, RawSamples, Schema};
    /// use ndarray::array;
    ///
    /// let data = Dataset::regression(array![[1.0], [2.0]], array![[3.0], [5.0]])?;
    /// let (schema, raw) = (Schema::of(&data), RawSamples::from(data).with_weights(vec![30.0, 10.0])?);
    /// let fitted = schema.fit(raw, &Preparation::default())?;
    /// assert_eq!(fitted.train.weights(), Some(&[1.5, 0.5][..]));
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn with_weights(mut self, weights: Vec<f64>) -> Result<Self> {
        if weights.len() != self.samples() {
            return Err(Error::shape(
                "RawSamples::with_weights",
                format_args!("{} weights, one for each sample", self.samples()),
                weights.len(),
            ));
        }
        check_weights(&weights)?;
        self.weights = Some(weights);
        Ok(self)
    }

    /// Sets the column of the samples' table by which [`RawSamples::split`] and [`RawSamples::folds`] divide them.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a table with another number of rows; [`Error::InvalidData`] for a column that is not there;
    /// [`Error::InvalidFile`] for a cell that is missing, and for one that is no time, with line and column.
    pub fn with_split_by(mut self, table: &Table, by: &SplitBy) -> Result<Self> {
        if table.rows() != self.samples() {
            return Err(Error::shape(
                "RawSamples::with_split_by",
                format_args!("a table of the {} samples", self.samples()),
                table.rows(),
            ));
        }
        self.split_keys = Some(by.keys(table, table.column(by.column())?)?);
        Ok(self)
    }

    /// Returns the samples with these indices, counted from 0, in this order.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for an index beyond the samples.
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        if let Some(row) = rows.iter().find(|&&row| row >= self.samples()) {
            let problem = format_args!("there is no sample {row} among {}", self.samples());
            return Err(Error::data("RawSamples::select", problem));
        }
        let lines = |origin: &Origin| Origin {
            lines: rows.iter().map(|&row| origin.lines[row]).collect(),
            ..origin.clone()
        };
        Ok(RawSamples {
            inputs: self.inputs.select(rows),
            targets: self.targets.select(rows),
            texts: self.texts.clone(),
            weights: self
                .weights
                .as_ref()
                .map(|weights| rows.iter().map(|&row| weights[row]).collect()),
            split_keys: self.split_keys.as_ref().map(|keys| keys.select(rows)),
            origin: self.origin.as_ref().map(lines),
        })
    }

    /// Splits the samples at random, as [`train_test_split`](super::train_test_split) does, into those to train on and those
    /// to test with: each part has each class, or yes and no of a single yes/no target, in proportion; by time or by group where
    /// [`Columns::split_by`](super::Columns::split_by) names a column. Errors call the classes by their names in the schema.
    ///
    /// # Errors
    ///
    /// As [`train_test_split`](super::train_test_split). By a column: [`Error::InvalidData`] for samples of a single time or
    /// group, and for a class without a sample to train on.
    pub fn split(&self, test_fraction: f64, seed: u64, schema: &Schema<T>) -> Result<(Self, Self)> {
        let class = |class| name(schema, class);
        let strata = self.strata(schema);
        let (train, test) = match &self.split_keys {
            None => split_rows(&strata, test_fraction, seed, &class)?,
            Some(keys) => keys.split(&strata, test_fraction, seed, &class)?,
        };
        Ok((self.select(&train)?, self.select(&test)?))
    }

    /// Splits the samples at random into folds, as [`k_folds`](super::k_folds) does; with all samples of a group in one fold
    /// where [`Columns::split_by`](super::Columns::split_by) names groups. Errors call the classes by their names in the schema.
    ///
    /// # Errors
    ///
    /// As [`k_folds`](super::k_folds). By a column: [`Error::InvalidData`] for fewer groups than folds, for a class without a
    /// sample to train on, and for samples in the order of time, which have no folds.
    pub fn folds(&self, folds: usize, seed: u64, schema: &Schema<T>) -> Result<Vec<(Self, Self)>> {
        let class = |class| name(schema, class);
        let strata = self.strata(schema);
        let pairs = match &self.split_keys {
            None => fold_rows(&strata, folds, seed, &class)?,
            Some(keys) => keys.folds(&strata, folds, seed, &class)?,
        };
        let select =
            |(train, judged): (Vec<usize>, Vec<usize>)| Ok((self.select(&train)?, self.select(&judged)?));
        pairs.into_iter().map(select).collect()
    }

    /// The targets by which samples are split: a single yes/no target has two classes.
    fn strata(&self, schema: &Schema<T>) -> Cow<'_, Targets<T>> {
        match &self.targets {
            Targets::Values(values) if schema.task == Task::Binary && values.ncols() == 1 => {
                Cow::Owned(Targets::Classes {
                    labels: values.iter().map(|&value| u32::from(value == T::one())).collect(),
                    classes: 2,
                })
            }
            targets => Cow::Borrowed(targets),
        }
    }
}

/// The name of a class, or of an answer of the single yes/no target.
fn name<T: Element>(schema: &Schema<T>, class: usize) -> String {
    let answer = schema.answers.first().and_then(|answers| answers.get(class));
    answer.cloned().unwrap_or_else(|| schema.label(class))
}

/// An error at a feature of a sample, with the line and the column's name if the sample is from a table that has such.
pub(super) fn refuse<T: Element>(
    schema: &Schema<T>,
    origin: Option<&Origin>,
    (row, feature): (usize, usize),
    problem: impl std::fmt::Display,
) -> Error {
    let Some(origin) = origin else {
        let name = schema.feature_name(feature);
        return Error::data(format_args!("row {row}, {name}"), problem);
    };
    let position = Position::Cell {
        line: origin.lines[row],
        column: origin.columns[feature] + 1,
    };
    match schema.feature_names.get(feature) {
        Some(name) => Error::file(&origin.path, position, format_args!("column `{name}`: {problem}")),
        None => Error::file(&origin.path, position, problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Columns;
    use crate::data::read::{CsvOptions, read_csv_from};

    #[test]
    fn selected_samples_keep_their_lines_and_texts() {
        let file = "a,b,y\n1,x,0.5\n2,w,1\n3,x,2\n4,w,2\n";
        let table = read_csv_from("t.csv", file.as_bytes(), &CsvOptions::default()).unwrap();
        let samples = table.examples::<f64>(&Columns::default()).unwrap().samples;
        let some = samples.select(&[2, 1]).unwrap();
        assert_eq!(
            some.inputs(),
            &Inputs::Values(ndarray::array![[3.0, 1.0], [2.0, 0.0]])
        );
        assert_eq!(some.texts, [vec![], vec!["w".to_owned(), "x".to_owned()]]);
        assert_eq!(some.origin.unwrap().lines, [4, 3]);
        assert!(samples.select(&[4]).is_err());
    }
}
