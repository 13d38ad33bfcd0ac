//! Which data, and what of them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use mfnet::data::Imputation;
use mfnet::data::read::CsvOptions;
use serde::{Deserialize, Serialize};

use super::super::defaults;
use super::names::{Header, TaskName, UnknownName};
use crate::cli::parse::letter;

/// Which data, and what of them.
#[derive(Debug, Clone, PartialEq, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Data")]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::cli) struct DataSettings {
    #[arg(
        value_name = "DATA",
        help = format!(
            "What to learn: {}, or a file: CSV (also .gz), NPZ, or NPY as X.npy,Y.npy [default: mnist; where it is \
             unavailable, digits]",
            defaults::names().collect::<Vec<_>>().join(", ")
        )
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) source: Option<String>,

    /// Columns to predict: names, or places counted from 0 (-1 is the last) [default: the last column]
    #[arg(
        long,
        value_name = "COLUMN[,COLUMN...]",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(in crate::cli) target: Vec<String>,

    /// Columns to leave out, such as row numbers
    #[arg(
        long,
        value_name = "COLUMN[,COLUMN...]",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(in crate::cli) ignore: Vec<String>,

    /// What the targets are [default: told from them]
    #[arg(long, value_name = "TASK")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) task: Option<TaskName>,

    /// Whether the first line of a CSV file has the columns' names
    #[arg(long, value_name = "WHETHER", default_value = "auto")]
    pub(in crate::cli) header: Header,

    /// Letter between the cells of a CSV file, or tab [default: a tab or a semicolon if all of the first lines have it,
    /// else a comma]
    #[arg(long, value_name = "LETTER", value_parser = letter)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(in crate::cli) delimiter: Option<char>,

    /// Letter around cells of a CSV file that hold the delimiter or line ends [default: "]
    #[arg(long, value_name = "LETTER", value_parser = letter)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(in crate::cli) quote: Option<char>,

    /// Texts that stand for a missing value, as they are written; an empty cell is missing in any case [default: NA, N/A,
    /// #N/A, #NA, <NA>, NaN, -NaN, null, none and ?, in any case]
    #[arg(
        long,
        value_name = "TEXT[,TEXT...]",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(in crate::cli) missing: Vec<String>,

    /// Value in place of missing features, from the training samples: mean, median or most-frequent, or a number; a
    /// missing category becomes the most frequent one [default: a missing value is an error]
    #[arg(
        long,
        value_name = "mean|median|most-frequent|NUMBER",
        allow_hyphen_values = true
    )]
    #[serde(skip_serializing_if = "Option::is_none", default, with = "in_words")]
    pub(in crate::cli) impute: Option<Imputation>,

    /// Features that are categories although they have numbers or many different texts [default: columns of text that
    /// have at most 100 different ones, and not nearly as many as rows]
    #[arg(
        long,
        value_name = "COLUMN[,COLUMN...]",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(in crate::cli) categorical: Vec<String>,

    /// Treatment of a category that is not among the training samples
    #[arg(long, value_name = "HOW", default_value = "error")]
    #[serde(default)]
    pub(in crate::cli) unknown: UnknownName,

    /// Use all numbers as they are [default: each feature, and each target of a regression, is brought to mean 0 and
    /// deviation 1 by the statistics of the training samples]
    #[arg(long)]
    pub(in crate::cli) no_normalize: bool,

    /// Samples to test with: a part of the data such as 0.2, or a file [default: the test set that belongs to the data, a
    /// fifth of california-housing and iris, none of a file of one's own]
    #[arg(long, value_name = "FRACTION|FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) test: Option<Share>,

    /// Samples that decide when to stop: a part of those to train on, such as 0.1, or a file
    #[arg(long, value_name = "FRACTION|FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) validation: Option<Share>,

    /// Folder of data sets, with files such as DIR/mnist/train-images-idx3-ubyte.gz [default: the environment variable
    /// MFNET_DATA_DIR]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) data_dir: Option<PathBuf>,

    /// Download nothing [default: download what neither folder nor cache holds into the cache]
    #[arg(long)]
    pub(in crate::cli) no_download: bool,
}

impl DataSettings {
    /// How the CSV files are written that the settings name; names are those of columns by which a header is known.
    pub(in crate::cli) fn csv_options(&self, names: &[String]) -> CsvOptions {
        CsvOptions {
            missing: (!self.missing.is_empty()).then(|| self.missing.clone()),
            names: names.to_vec(),
            ..csv_options(self.header, self.delimiter, self.quote)
        }
    }
}

/// How a CSV file is written, by the options of the command.
pub(in crate::cli) fn csv_options(
    header: Header,
    delimiter: Option<char>,
    quote: Option<char>,
) -> CsvOptions {
    let byte = |letter: char| u8::try_from(letter).unwrap_or(u8::MAX);
    CsvOptions {
        header: header.told(),
        delimiter: delimiter.map(byte),
        quote: quote.map(byte),
        ..CsvOptions::default()
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
pub(in crate::cli) enum Share {
    /// A part of the samples, between 0 and 1.
    Fraction(f64),
    File(PathBuf),
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<f64>() {
            Ok(part) if part > 0.0 && part < 1.0 => Ok(Share::Fraction(part)),
            Ok(_) => Err("a part of the samples must be between 0 and 1".to_owned()),
            Err(_) if text.ends_with('%') && text.trim_end_matches('%').trim().parse::<f64>().is_ok() => {
                Err("a part of the samples is a number between 0 and 1, as 0.2 for 20%".to_owned())
            }
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
