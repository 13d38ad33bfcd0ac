//! The preparation of raw samples: what stands in for missing values, which categories there are, and the scales are fitted
//! on training samples, and applied to all.

use std::fmt;
use std::str::FromStr;

use ndarray::{Array2, ArrayView1};

use super::columns::enumerated;
use super::dataset::{Dataset, Inputs, Targets};
use super::raw::{Origin, RawSamples, refuse};
use super::read::shorten;
use super::schema::{Schema, Task, refuse_constant_targets};
use super::target_transform::TargetTransform;
use crate::element::Element;
use crate::error::{Error, Result};

/// The remedy of missing values that nothing stands in for.
const REMEDY: &str = "leave such rows out, or train with a value in their place (`--impute mean`, median, most-frequent or \
                      a number)";

/// The problem of a column without any value.
pub(super) const EMPTY_COLUMN: &str = "the column is empty in every row, as after a delimiter at the end of each line: leave \
                                       it out with --ignore";

/// The preparation of raw samples for the training of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preparation {
    /// The replacement of missing features. Default: none, so that a missing feature is an error.
    pub imputation: Option<Imputation>,
    /// The treatment of categories that are not among the training samples. Default: an error.
    pub unknown: Unknown,
    /// Whether features and the targets of a regression are brought to mean 0 and deviation 1. Default: yes.
    pub normalize: bool,
    /// The function of a regression's targets that is learned. Default: the targets as they are.
    pub target_transform: TargetTransform,
}

impl Default for Preparation {
    fn default() -> Self {
        Preparation {
            imputation: None,
            unknown: Unknown::default(),
            normalize: true,
            target_transform: TargetTransform::None,
        }
    }
}

/// The replacement of a missing feature: a statistic of the feature's values in the training samples, or a number. A missing
/// category is replaced by the most frequent one, whichever of these is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Imputation {
    /// The mean.
    Mean,
    /// The median: of an even number of values the mean of the middle two.
    Median,
    /// The most frequent value, the least of those that are equally frequent.
    MostFrequent,
    /// This number.
    Constant(f64),
}

impl fmt::Display for Imputation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Imputation::Mean => f.write_str("mean"),
            Imputation::Median => f.write_str("median"),
            Imputation::MostFrequent => f.write_str("most-frequent"),
            Imputation::Constant(number) => number.fmt(f),
        }
    }
}

impl FromStr for Imputation {
    type Err = Error;

    /// Reads `mean`, `median`, `most-frequent`, or a number.
    ///
    /// ```
    /// use mfnet::data::Imputation;
    ///
    /// assert_eq!("median".parse::<Imputation>()?, Imputation::Median);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "mean" => Imputation::Mean,
            "median" => Imputation::Median,
            "most-frequent" => Imputation::MostFrequent,
            _ => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Imputation::Constant(number),
                _ => {
                    return Err(Error::option(
                        "imputation",
                        text,
                        "mean, median, most-frequent or a number",
                    ));
                }
            },
        })
    }
}

/// The treatment of a category that is not among the training samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum Unknown {
    /// It is an error.
    #[default]
    Error,
    /// It is none of the known categories: the inputs of all of these are 0.
    Ignore,
}

impl Unknown {
    #[cfg(feature = "save")]
    pub(super) fn is_default(&self) -> bool {
        *self == Unknown::Error
    }
}

/// The result of [`Schema::fit`].
#[derive(Debug, Clone)]
pub struct Fitted<T> {
    /// The schema, to be kept with the model and applied to other samples.
    pub schema: Schema<T>,
    /// The training samples, ready for the network.
    pub train: Dataset<T>,
    /// The names of the features that are the same in every training sample: they are kept, and carry no information.
    pub constant: Vec<String>,
}

impl<T: Element> Schema<T> {
    /// Fits the preparation to the training samples: which categories occur, what stands in for missing values, and the scales,
    /// in this order. Weights of the samples change none of these.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for samples of another shape; [`Error::InvalidData`] for a feature without any value in the training
    /// samples, and as [`Schema::normalized`]; errors of [`Schema::apply`].
    pub fn fit(mut self, train: RawSamples<T>, preparation: &Preparation) -> Result<Fitted<T>> {
        self.check_features("Schema::fit", &train)?;
        let transform = preparation.target_transform;
        if self.task == Task::Classification && transform != TargetTransform::None {
            return Err(Error::option(
                "target transform",
                transform,
                "left out with classes",
            ));
        }
        self.target_transform = transform;
        self.unknown = preparation.unknown;
        self.imputation = None;
        if let Inputs::Values(values) = &train.inputs {
            for (feature, texts) in train
                .texts
                .iter()
                .enumerate()
                .filter(|(_, texts)| !texts.is_empty())
            {
                self.categories[feature] = self.seen(feature, texts, values.column(feature))?;
            }
            if let Some(how) = preparation.imputation {
                let imputed = |feature| self.imputed(feature, &train, values.column(feature), how);
                self.imputation = Some((0..self.features).map(imputed).collect::<Result<_>>()?);
            }
        }
        let train = self.complete(train)?;
        let mut constant = Vec::new();
        if let (Targets::Values(values), Task::Binary) = (train.targets(), self.task) {
            refuse_constant_targets(values.view(), &self.target_names)?;
        }
        if preparation.normalize {
            self = self.normalized(&train)?;
            if let Inputs::Values(values) = train.inputs() {
                let is_constant = |column: ArrayView1<'_, T>| column.iter().all(|value| *value == column[0]);
                let features = (0..self.features).filter(|&feature| is_constant(values.column(feature)));
                constant.extend(features.map(|feature| self.feature_name(feature)));
            }
        }
        Ok(Fitted {
            train: self.scale(train)?,
            schema: self,
            constant,
        })
    }

    /// Applies the schema to raw samples: imputes, scales and encodes.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for samples of another shape or task; for a missing feature if there is no imputation, and for an unknown
    /// category unless such are ignored, and for a target that the transform does not take, [`Error::InvalidFile`] with its place, or [`Error::InvalidData`] for samples that
    /// are from no table.
    pub fn apply(&self, raw: RawSamples<T>) -> Result<Dataset<T>> {
        self.scale(self.complete(raw)?)
    }

    /// Replaces missing features, and gives categories their numbers in the schema; nothing is scaled or encoded yet.
    ///
    /// # Errors
    ///
    /// As [`Schema::apply`].
    pub fn complete(&self, raw: RawSamples<T>) -> Result<Dataset<T>> {
        self.check_targets(&raw.targets, raw.origin.as_ref())?;
        let (targets, weights) = (raw.targets.clone(), raw.weights.clone());
        let dataset = Dataset::new(self.complete_inputs(raw)?, targets)?;
        match weights {
            None => Ok(dataset),
            Some(weights) => dataset.with_weights(&weights),
        }
    }

    /// The inputs of [`Schema::complete`].
    pub(super) fn complete_inputs(&self, raw: RawSamples<T>) -> Result<Inputs<T>> {
        self.check_features("Schema::complete", &raw)?;
        let RawSamples {
            inputs,
            texts,
            origin,
            ..
        } = raw;
        let mut values = match inputs {
            Inputs::Values(values) => values,
            complete => return Ok(complete),
        };
        let has_gaps = values.iter().any(|value| value.is_nan());
        if has_gaps && self.imputation.is_none() {
            return Err(self.missing(&values, origin.as_ref()));
        }
        if !has_gaps && texts.iter().all(Vec::is_empty) {
            return Ok(Inputs::Values(values));
        }
        // The numbers in the schema of the samples' own texts.
        let numbers = |(feature, texts): (usize, &Vec<String>)| -> Vec<Option<T>> {
            let known = self.categories_of(feature);
            let number = |text: &String| {
                known
                    .binary_search(text)
                    .ok()
                    .map(|place| T::from_f64(place as f64))
            };
            texts.iter().map(number).collect()
        };
        let numbers: Vec<Vec<Option<T>>> = texts.iter().enumerate().map(numbers).collect();
        for ((row, feature), value) in values.indexed_iter_mut() {
            if value.is_nan() {
                if let Some(imputation) = &self.imputation {
                    *value = imputation[feature];
                }
            } else if let Some(own) = numbers.get(feature).filter(|own| !own.is_empty()) {
                // Read as the place of a text.
                let own_number = value.as_f64() as usize;
                *value = match (own[own_number], self.unknown) {
                    (Some(number), _) => number,
                    (None, Unknown::Ignore) => -T::one(),
                    (None, Unknown::Error) => {
                        let text = &texts[feature][own_number];
                        return Err(self.unknown_category(origin.as_ref(), (row, feature), text));
                    }
                };
            }
        }
        Ok(Inputs::Values(values))
    }

    /// The network's inputs: an indicator for each category, and the numbers as they are.
    pub(super) fn encode(&self, values: Array2<T>) -> Result<Array2<T>> {
        if self.categories.is_empty() {
            return Ok(values);
        }
        let mut encoded = Array2::zeros((values.nrows(), self.network_inputs()));
        for (row, (values, mut encoded)) in values.rows().into_iter().zip(encoded.rows_mut()).enumerate() {
            let mut start = 0;
            for (feature, &value) in values.iter().enumerate() {
                let categories = self.categories_of(feature).len();
                if categories == 0 {
                    encoded[start] = value;
                    start += 1;
                    continue;
                }
                match self.category_of(feature, value) {
                    Some(category) => encoded[start + category] = T::one(),
                    None if self.unknown == Unknown::Ignore => {}
                    None => {
                        return Err(Error::data(
                            format_args!("row {row}, {}", self.feature_name(feature)),
                            format_args!(
                                "{value} is the number of no category: they count from 0 to {}",
                                categories - 1
                            ),
                        ));
                    }
                }
                start += categories;
            }
        }
        Ok(encoded)
    }

    /// The category of this number, if it is one's.
    pub(super) fn category_of(&self, feature: usize, value: T) -> Option<usize> {
        let number = value.as_f64();
        let categories = self.categories_of(feature).len();
        (number >= 0.0 && number.fract() == 0.0 && number < categories as f64).then_some(number as usize)
    }

    /// The texts of a feature's categories that occur in these samples.
    fn seen(&self, feature: usize, texts: &[String], values: ArrayView1<'_, T>) -> Result<Vec<String>> {
        let mut seen = vec![false; texts.len()];
        for value in values.iter().filter(|value| !value.is_nan()) {
            seen[value.as_f64() as usize] = true;
        }
        let known = texts.iter().zip(seen).filter(|(_, seen)| *seen);
        let known: Vec<String> = known.map(|(text, _)| text.clone()).collect();
        match known.is_empty() {
            true => Err(self.without_values(feature)),
            false => Ok(known),
        }
    }

    /// The value that stands in for a missing one of a feature.
    fn imputed(
        &self,
        feature: usize,
        train: &RawSamples<T>,
        values: ArrayView1<'_, T>,
        how: Imputation,
    ) -> Result<T> {
        let there = values.iter().filter(|value| !value.is_nan());
        let mut numbers: Vec<f64> = there.map(|value| value.as_f64()).collect();
        numbers.sort_by(f64::total_cmp);
        if let Some(texts) = train.texts.get(feature).filter(|texts| !texts.is_empty()) {
            let most = most_frequent(&numbers).ok_or_else(|| self.without_values(feature))?;
            let place = self.categories_of(feature).binary_search(&texts[most as usize]);
            return Ok(T::from_f64(place.unwrap_or(0) as f64));
        }
        let middle = numbers.len() / 2;
        let statistic = match how {
            Imputation::Constant(number) => Some(number),
            _ if self.is_categorical(feature) => most_frequent(&numbers),
            _ if numbers.is_empty() => None,
            Imputation::Mean => Some(numbers.iter().sum::<f64>() / numbers.len() as f64),
            Imputation::Median if numbers.len().is_multiple_of(2) => {
                Some(numbers[middle - 1] / 2.0 + numbers[middle] / 2.0)
            }
            Imputation::Median => Some(numbers[middle]),
            Imputation::MostFrequent => most_frequent(&numbers),
        };
        let value = T::from_f64(statistic.ok_or_else(|| self.without_values(feature))?);
        if value.is_finite() {
            return Ok(value);
        }
        let problem = format_args!(
            "the value in place of missing ones is beyond the range of {}",
            T::NAME
        );
        Err(Error::data(self.column_name(feature), problem))
    }

    fn without_values(&self, feature: usize) -> Error {
        let problem = "it has no values in the training samples: leave it out with --ignore";
        Error::data(self.column_name(feature), problem)
    }

    /// A feature as errors call it.
    fn column_name(&self, feature: usize) -> String {
        match self.feature_names.get(feature) {
            Some(name) => format!("column `{name}`"),
            None => self.feature_name(feature),
        }
    }

    /// The error of values that are missing: the place of a single column's first, or all columns with the first line of each.
    fn missing(&self, values: &Array2<T>, origin: Option<&Origin>) -> Error {
        /// As many columns as are listed.
        const LISTED: usize = 20;
        let gaps = |feature: usize| {
            let column = values.column(feature);
            let mut rows = (0..column.len()).filter(|&row| column[row].is_nan());
            let first = rows.next()?;
            Some((feature, first, 1 + rows.count()))
        };
        let gaps: Vec<(usize, usize, usize)> = (0..self.features).filter_map(gaps).collect();
        if let [(feature, row, count)] = gaps.as_slice() {
            let spelling = match self.is_categorical(*feature) && self.missing.is_none() {
                true => {
                    "; if `None` or the like is a category here, --missing lists the spellings that are not"
                }
                false => "",
            };
            let problem = match *count == values.nrows() && *count > 1 {
                true => EMPTY_COLUMN.to_owned(),
                false => format!("the value is missing; {REMEDY}{spelling}"),
            };
            return refuse(self, origin, (*row, *feature), problem);
        }
        let line = |&(feature, row, count): &(usize, usize, usize)| {
            let place = match origin {
                Some(origin) => format!("line {}", origin.lines[row]),
                None => format!("row {row}"),
            };
            let name = self.column_name(feature);
            match count == values.nrows() {
                true => format!("\n  {name}: all"),
                false => format!("\n  {name}: {count}, the first in {place}"),
            }
        };
        let lines: String = gaps.iter().take(LISTED).map(line).collect();
        let more = match gaps.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!("\n  and {more} more"),
        };
        let name = origin.map_or_else(
            || "samples".to_owned(),
            |origin| origin.path.display().to_string(),
        );
        let problem = format_args!(
            "values are missing in {} columns; {REMEDY}{lines}{more}",
            gaps.len()
        );
        Error::data(name, problem)
    }

    fn unknown_category(&self, origin: Option<&Origin>, place: (usize, usize), text: &str) -> Error {
        let known = self.categories_of(place.1);
        let is_equal = |known: &&String| match (known.parse::<f64>(), text.parse::<f64>()) {
            (Ok(known), Ok(number)) => known == number,
            _ => false,
        };
        let written = known.iter().find(is_equal).map_or(String::new(), |known| {
            format!(" (categories count as they are written, and {known:?} is one)")
        });
        let problem = format_args!(
            "the category {:?} was not there in training, which knew {}{written}; --unknown ignore trains a model that \
             takes any",
            shorten(text),
            enumerated(known)
        );
        refuse(self, origin, place, problem)
    }

    fn check_features(&self, operation: &'static str, raw: &RawSamples<T>) -> Result<()> {
        let (samples, features) = (raw.samples(), raw.features());
        if features != self.features {
            return Err(Error::shape(
                operation,
                format_args!("samples x {}", self.features),
                format_args!("{samples} x {features}"),
            ));
        }
        let is_text = |feature: usize| raw.texts.get(feature).is_some_and(|texts| !texts.is_empty());
        match (0..features).find(|&feature| is_text(feature) && !self.is_categorical(feature)) {
            None => Ok(()),
            Some(feature) => Err(Error::data(
                self.column_name(feature),
                "it is a number in the schema, and a category in the samples",
            )),
        }
    }
}

/// The most frequent of sorted numbers, the least of those that are equally frequent.
fn most_frequent(sorted: &[f64]) -> Option<f64> {
    let runs = sorted.chunk_by(|a, b| a == b);
    // Of equals, `max_by_key` gives the last.
    let longest = runs.rev().max_by_key(|run| run.len())?;
    longest.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read::{CsvOptions, read_csv_from};
    use crate::data::{Columns, Examples, Scaling};
    use ndarray::array;

    fn read(content: &str) -> Examples<f64> {
        let table = read_csv_from("t.csv", content.as_bytes(), &CsvOptions::default()).unwrap();
        table.examples(&Columns::default()).unwrap()
    }

    fn raw() -> Preparation {
        Preparation {
            normalize: false,
            ..Preparation::default()
        }
    }

    fn values(dataset: &Dataset<f64>) -> Array2<f64> {
        dataset.to_values()
    }

    /// The statistics of training rows alone stand in.
    #[test]
    fn missing_values_are_replaced_by_those_of_the_training_rows() {
        let examples = read("a,y\n1,0.5\n1,1\n4,2\n,3\n100,4\n,5\n");
        let train = examples.samples.select(&[0, 1, 2, 3]).unwrap();
        let test = examples.samples.select(&[4, 5]).unwrap();
        for (imputation, expected) in [
            (Imputation::Mean, 2.0),
            (Imputation::Median, 1.0),
            (Imputation::MostFrequent, 1.0),
            (Imputation::Constant(-7.0), -7.0),
        ] {
            let preparation = Preparation {
                imputation: Some(imputation),
                ..raw()
            };
            let fitted = examples.schema.clone().fit(train.clone(), &preparation).unwrap();
            assert_eq!(values(&fitted.train).column(0), array![1.0, 1.0, 4.0, expected]);
            let test = fitted.schema.apply(test.clone()).unwrap();
            assert_eq!(values(&test).column(0), array![100.0, expected], "{imputation}");
            assert_eq!(fitted.schema.imputation, Some(vec![expected]));
            fitted.schema.check().unwrap();
        }
        let error = examples
            .schema
            .clone()
            .fit(train, &raw())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("t.csv: line 5, column 1: column `a`: the value is missing"),
            "{error}"
        );
        let both = read("a,b,y\n1,,0.5\n,1,1\n4,,2\n");
        let error = both.schema.apply(both.samples).unwrap_err().to_string();
        assert!(
            error.contains("t.csv: values are missing in 2 columns; leave such rows out"),
            "{error}"
        );
        assert!(
            error.ends_with("\n  column `a`: 1, the first in line 3\n  column `b`: 2, the first in line 2"),
            "{error}"
        );
        let empty = examples.samples.select(&[3, 5]).unwrap();
        let preparation = Preparation {
            imputation: Some(Imputation::Median),
            ..raw()
        };
        let error = examples.schema.fit(empty, &preparation).unwrap_err().to_string();
        assert!(
            error.contains("column `a`: it has no values in the training samples"),
            "{error}"
        );
    }

    #[test]
    fn statistics_by_hand() {
        assert_eq!(most_frequent(&[1.0, 2.0, 2.0, 3.0, 3.0]), Some(2.0));
        assert_eq!(most_frequent(&[]), None);
        let even = read("a,y\n1,0.5\n2,1\n4,2\n10,3\n,3\n");
        let median = Preparation {
            imputation: Some(Imputation::Median),
            ..raw()
        };
        let fitted = even.schema.fit(even.samples, &median).unwrap();
        assert_eq!(fitted.schema.imputation, Some(vec![3.0]));
        for text in ["mean", "median", "most-frequent", "-1.5"] {
            assert_eq!(text.parse::<Imputation>().unwrap().to_string(), text);
        }
        assert!("inf".parse::<Imputation>().is_err() && "average".parse::<Imputation>().is_err());
    }

    #[test]
    fn categories_are_those_of_the_training_rows() {
        let examples = read("a,b,y\nred,1,0.5\nblue,3,1\nred,1,2\ngreen,3,3\n,5,4\n");
        assert_eq!(examples.schema.categories, [vec!["blue", "green", "red"], vec![]]);
        let train = examples.samples.select(&[0, 1, 2]).unwrap();
        let test = examples.samples.select(&[1, 3]).unwrap();
        let strict = examples.schema.clone().fit(train.clone(), &raw()).unwrap();
        assert_eq!(strict.schema.categories, [vec!["blue", "red"], vec![]]);
        assert_eq!(strict.schema.network_inputs(), 3);
        assert_eq!(
            values(&strict.train),
            array![[0.0, 1.0, 1.0], [1.0, 0.0, 3.0], [0.0, 1.0, 1.0]]
        );
        let error = strict.schema.apply(test.clone()).unwrap_err().to_string();
        assert!(
            error.starts_with(
                "t.csv: line 5, column 1: column `a`: the category \"green\" was not there in training, which knew blue, red;"
            ),
            "{error}"
        );
        let lenient = Preparation {
            imputation: Some(Imputation::Mean),
            unknown: Unknown::Ignore,
            ..Preparation::default()
        };
        let fitted = examples.schema.clone().fit(train, &lenient).unwrap();
        let Scaling::Normalized(scales) = &fitted.schema.scaling else {
            panic!("numbers are scaled");
        };
        assert_eq!(
            (scales.means()[0], scales.deviations()[0]),
            (0.0, 1.0),
            "categories are not"
        );
        let known = fitted.schema.apply(test).unwrap();
        assert_eq!(
            values(&known).slice(ndarray::s![.., ..2]),
            array![[1.0, 0.0], [0.0, 0.0]]
        );
        let gap = fitted
            .schema
            .apply(examples.samples.select(&[4]).unwrap())
            .unwrap();
        assert_eq!(
            values(&gap).slice(ndarray::s![.., ..2]),
            array![[0.0, 1.0]],
            "the most frequent"
        );
        fitted.schema.check().unwrap();
        let error = strict
            .schema
            .scale_inputs(Inputs::Values(array![[2.0, 1.0]]))
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("row 0, a: 2 is the number of no category"),
            "{error}"
        );
    }

    #[test]
    fn constant_features_are_kept_and_named() {
        let examples = read("a,b,y\n1,5,0.5\n2,5,1\n3,5,2\n3,6,3\n");
        let train = examples.samples.select(&[0, 1, 2]).unwrap();
        let fitted = examples.schema.fit(train, &Preparation::default()).unwrap();
        assert_eq!(fitted.constant, ["b"]);
        assert_eq!(values(&fitted.train).column(1), array![0.0, 0.0, 0.0]);
        let other = fitted
            .schema
            .apply(examples.samples.select(&[3]).unwrap())
            .unwrap();
        assert_eq!(
            values(&other)[[0, 1]],
            1.0,
            "in a prediction its value may differ"
        );
    }
}
