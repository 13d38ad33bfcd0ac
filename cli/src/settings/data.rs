//! The settings of the data: source, columns, preparation, splits.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use mfnet::data::read::CsvOptions;
use mfnet::data::{Columns, Imputation, Schema, SplitBy};
use serde::{Deserialize, Serialize};

use super::super::known;
use super::column_list::{self, ColumnList, names_of, one_column};
use super::names::{Header, TargetTransformName, TaskName, UnknownName};
use crate::parse::letter;

/// The settings of the data.
#[derive(Debug, Clone, PartialEq, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Data")]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct DataSettings {
    #[arg(
        value_name = "DATA",
        help = format!(
            "Data to train on: {}, or a file: CSV (also .gz), NPZ, NPY as X.npy,Y.npy, or - for CSV from standard input \
             [default: mnist; where it is unavailable, digits]",
            known::listed()
        )
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,

    /// Target columns, to be predicted: names, or positions counted from 0 (-1 is the last) [default: the last column]. A name
    /// with a comma stands in quotes, in this and all other options that name columns: '"a,b",c'
    #[arg(long, value_name = "COLUMN[,COLUMN...]", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Vec::is_empty", default, with = "column_list")]
    pub(crate) target: Vec<ColumnList>,

    /// Columns to leave out, such as row numbers
    #[arg(long, value_name = "COLUMN[,COLUMN...]", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Vec::is_empty", default, with = "column_list")]
    pub(crate) ignore: Vec<ColumnList>,

    /// Task: regression for numbers, classification for classes, binary for yes/no targets, which are one column or several of
    /// two values each [default: binary with --loss bce, else inferred from the targets]
    #[arg(long, value_name = "TASK")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<TaskName>,

    /// Header of a CSV file: whether the first line names the columns
    #[arg(long, value_name = "WHETHER", default_value = "auto")]
    pub(crate) header: Header,

    /// Letter between the cells of a CSV file, or tab [default: a tab or a semicolon if all of the first lines have it,
    /// else a comma]
    #[arg(long, value_name = "LETTER", value_parser = letter)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) delimiter: Option<char>,

    /// Letter around cells of a CSV file that hold the delimiter or line ends [default: "]
    #[arg(long, value_name = "LETTER", value_parser = letter)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) quote: Option<char>,

    /// Texts that stand for a missing value, as they are written; an empty cell is missing in any case [default: NA, N/A,
    /// #N/A, #NA, <NA>, NaN, -NaN, null, none and ?, in any case]
    #[arg(
        long,
        value_name = "TEXT[,TEXT...]",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) missing: Vec<String>,

    /// Value in place of missing features, from the training samples: mean, median or most-frequent, or a number; a
    /// missing category becomes the most frequent one [default: a missing value is an error]
    #[arg(
        long,
        value_name = "mean|median|most-frequent|NUMBER",
        allow_hyphen_values = true
    )]
    #[serde(skip_serializing_if = "Option::is_none", default, with = "in_words")]
    pub(crate) impute: Option<Imputation>,

    /// Features that are categories although they have numbers or many different texts; they count as they are written [default: columns of text that
    /// have at most 100 different ones, and not nearly as many as rows]
    #[arg(long, value_name = "COLUMN[,COLUMN...]", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Vec::is_empty", default, with = "column_list")]
    pub(crate) categorical: Vec<ColumnList>,

    /// Treatment of a category that is not among the training samples
    #[arg(long, value_name = "HOW", default_value = "error")]
    #[serde(default)]
    pub(crate) unknown: UnknownName,

    /// Use all numbers as they are [default: each feature, and each target of a regression, is brought to mean 0 and
    /// deviation 1 by the statistics of the training samples]
    #[arg(long)]
    pub(crate) no_normalize: bool,

    /// Function of the targets of a regression that is learned, before they are normalised: a logarithm suits targets over orders
    /// of magnitude, such as prices. Predictions, RMSE, MAE and R2 are in the units of the targets [default: none]
    #[arg(long, value_name = "FUNCTION")]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) target_transform: Option<TargetTransformName>,

    /// Samples to test with: a part of the data such as 0.2 or 20%, or a file [default: the test set that belongs to the data, a
    /// fifth of california-housing and iris, none of a file of one's own]
    #[arg(long, value_name = "FRACTION|FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) test: Option<Share>,

    /// Samples that decide when to stop: a part of those to train on, such as 0.1, or a file
    #[arg(long, value_name = "FRACTION|FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validation: Option<Share>,

    /// Split by time: this column has the time of each row, a number or a date such as 2024-03-31, and the latest rows are those to
    /// test with, the rows before them those to validate with. The column is no feature, unless --categorical names it too
    /// [default: splits are at random]
    #[arg(
        long,
        value_name = "COLUMN",
        allow_hyphen_values = true,
        value_parser = one_column,
        conflicts_with = "split_by_group"
    )]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) split_by_time: Option<String>,

    /// Split by group: all rows with the same text in this column, such as those of one customer, are on the same side of each
    /// split, and in the same fold. The column is no feature, unless --categorical names it too
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true, value_parser = one_column)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) split_by_group: Option<String>,

    /// Sample weights: this column has a number of at least 0 for each row, and the loss of the row counts times it, in training and
    /// in all losses that are shown; accuracy and the other scores count each row the same. The weights of each set are scaled to a
    /// mean of 1. The column is no feature [default: all rows have the same weight]
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true, value_parser = one_column)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) weights: Option<String>,

    /// Folder of data sets, with files such as DIR/mnist/train-images-idx3-ubyte.gz [default: the environment variable
    /// MFNET_DATA_DIR]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Download nothing [default: download what neither folder nor cache holds into the cache]
    #[arg(long)]
    pub(crate) no_download: bool,
}

/// Splits `X.npy,Y.npy` into its two files. Where names have commas, the split whose files exist counts; a single file of
/// the whole name is no pair.
pub(crate) fn npy_pair(text: &str) -> Option<(PathBuf, PathBuf)> {
    let is_npy = |name: &str| name.to_ascii_lowercase().ends_with(".npy");
    let splits = text
        .match_indices(',')
        .map(|(comma, _)| (&text[..comma], &text[comma + 1..]));
    let splits: Vec<_> = splits
        .filter(|(inputs, targets)| is_npy(inputs) && is_npy(targets))
        .collect();
    if splits.is_empty() || Path::new(text).exists() {
        return None;
    }
    let exist = |(inputs, targets): &&(&str, &str)| Path::new(inputs).exists() && Path::new(targets).exists();
    let (inputs, targets) = splits.iter().find(exist).unwrap_or(&splits[0]);
    Some((inputs.into(), targets.into()))
}

/// The name with which the same data are found from any folder: paths become absolute.
pub(crate) fn located(name: &str) -> String {
    let absolute = |path: &Path| match std::path::absolute(path) {
        Ok(path) => path.to_string_lossy().into_owned(),
        Err(_) => path.to_string_lossy().into_owned(),
    };
    if name == "-" || known::find(name).is_some() {
        return name.to_owned();
    }
    match npy_pair(name) {
        Some((inputs, targets)) => format!("{},{}", absolute(&inputs), absolute(&targets)),
        None => absolute(Path::new(name)),
    }
}

impl DataSettings {
    /// The use of a table's columns.
    pub(crate) fn columns(&self) -> Columns {
        Columns {
            targets: names_of(&self.target),
            ignore: names_of(&self.ignore),
            task: self.task.map(TaskName::task),
            categorical: names_of(&self.categorical),
            split_by: self.split_by(),
            weights: self.weights.clone(),
        }
    }

    /// The column by which samples are split.
    pub(crate) fn split_by(&self) -> Option<SplitBy> {
        let by_time = self.split_by_time.clone().map(SplitBy::Time);
        by_time.or_else(|| self.split_by_group.clone().map(SplitBy::Group))
    }

    /// The split by a column, in words.
    pub(crate) fn split_in_words(&self) -> Option<String> {
        Some(match self.split_by()? {
            SplitBy::Time(column) => format!("by the time in `{column}`: the latest rows are set apart"),
            SplitBy::Group(column) => format!("by `{column}`: all rows of a group are on the same side"),
        })
    }

    /// Whether an option for the form of CSV files is given, and no file of samples to test or validate with could be one.
    pub(crate) fn has_unused_csv_options(&self) -> bool {
        let is_file = |share: &Option<Share>| matches!(share, Some(Share::File(_)));
        let is_given = has_csv_options(self.header, self.delimiter, self.quote) || !self.missing.is_empty();
        is_given && !is_file(&self.test) && !is_file(&self.validation)
    }

    /// The form of the CSV files that the settings name; a first line with all of `names` is a header.
    pub(crate) fn csv_options(&self, names: &[String]) -> CsvOptions {
        CsvOptions {
            missing: (!self.missing.is_empty()).then(|| self.missing.clone()),
            names: names.to_vec(),
            ..csv_options(self.header, self.delimiter, self.quote)
        }
    }
}

/// Whether an option for the form of CSV files is given.
pub(crate) fn has_csv_options(header: Header, delimiter: Option<char>, quote: Option<char>) -> bool {
    header != Header::Auto || delimiter.is_some() || quote.is_some()
}

/// The form of a CSV file, by the options of the command.
pub(crate) fn csv_options(header: Header, delimiter: Option<char>, quote: Option<char>) -> CsvOptions {
    let byte = |letter: char| u8::try_from(letter).unwrap_or(u8::MAX);
    CsvOptions {
        header: header.told(),
        delimiter: delimiter.map(byte),
        quote: quote.map(byte),
        ..CsvOptions::default()
    }
}

/// The form of a CSV file for a model: missing values are spelled, and columns named, as in training; so are delimiter and
/// quote, unless others are given.
pub(crate) fn csv_options_for<T>(given: CsvOptions, schema: &Schema<T>) -> CsvOptions {
    CsvOptions {
        missing: schema.missing.clone(),
        names: schema.feature_names.clone(),
        delimiter: given.delimiter.or(schema.delimiter),
        quote: given.quote.or(schema.quote),
        ..given
    }
}

/// An imputation as `config.toml` has it: its name, or a number as text.
mod in_words {
    use mfnet::data::Imputation;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        imputation: &Option<Imputation>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match imputation {
            Some(imputation) => serializer.collect_str(imputation),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Imputation>, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            other => return Err(D::Error::custom(format!("{other} is no imputation"))),
        };
        text.parse().map(Some).map_err(D::Error::custom)
    }
}

/// Samples that are set apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "toml::Value", into = "toml::Value")]
pub(crate) enum Share {
    /// A part of the samples, between 0 and 1.
    Fraction(f64),
    File(PathBuf),
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let part = match text.strip_suffix('%') {
            Some(percent) => percent.trim_end().parse::<f64>().map(|percent| percent / 100.0),
            None => text.parse(),
        };
        match part {
            Ok(part) if part > 0.0 && part < 1.0 => Ok(Share::Fraction(part)),
            Ok(_) => Err("a part of the samples must be between 0 and 1, such as 0.2 or 20%".to_owned()),
            Err(_) if text.is_empty() => Err("it must be a number between 0 and 1, or a file".to_owned()),
            Err(_) => Ok(Share::File(text.into())),
        }
    }
}

impl TryFrom<toml::Value> for Share {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::String(text) => text.parse(),
            toml::Value::Float(part) => part.to_string().parse(),
            other => Err(format!("{other} is neither a part between 0 and 1 nor a file")),
        }
    }
}

impl From<Share> for toml::Value {
    fn from(share: Share) -> Self {
        match share {
            Share::Fraction(part) => toml::Value::Float(part),
            Share::File(path) => toml::Value::String(path.to_string_lossy().into_owned()),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Share::Fraction(part) => part.fmt(f),
            Share::File(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_may_be_a_percentage() {
        for text in ["0.2", "20%", "20 %"] {
            assert_eq!(text.parse(), Ok(Share::Fraction(0.2)), "{text}");
        }
        assert_eq!("./20%".parse(), Ok(Share::File("./20%".into())));
        for text in ["20", "0%", "100%", "-5%", "nan%"] {
            assert!(text.parse::<Share>().unwrap_err().contains("20%"), "{text}");
        }
    }

    #[test]
    fn pairs_are_told_from_files_with_commas_in_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let pair = |inputs: &str, targets: &str| Some((path(inputs).into(), path(targets).into()));
        let written = |inputs: &str, targets: &str| format!("{},{}", path(inputs), path(targets));
        assert_eq!(npy_pair(&written("x.npy", "y.npy")), pair("x.npy", "y.npy"));
        assert_eq!(npy_pair(&path("a,b.npy")), None);
        for name in ["x.npy,1.npy", "y.npy", "x.npy,y.npy"] {
            std::fs::write(path(name), "").unwrap();
        }
        assert_eq!(
            npy_pair(&written("x.npy,1.npy", "y.npy")),
            pair("x.npy,1.npy", "y.npy")
        );
        assert_eq!(npy_pair(&path("x.npy,y.npy")), None, "a file of this name");
    }
}
