//! Which data, and what of them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::super::defaults;
use super::names::{Header, Impute, TaskName};

/// Which data, and what of them.
#[derive(Debug, Clone, PartialEq, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Data")]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct DataSettings {
    #[arg(
        value_name = "DATA",
        help = format!(
            "What to learn: {}, or a file: CSV (also .gz), NPZ, or NPY as X.npy,Y.npy [default: mnist; where it is \
             unavailable, digits]",
            defaults::names().collect::<Vec<_>>().join(", ")
        )
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,

    /// Columns to predict: names, or places counted from 0 (-1 is the last) [default: the last column]
    #[arg(
        long,
        value_name = "COLUMN[,COLUMN...]",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) target: Vec<String>,

    /// Columns to leave out, such as row numbers
    #[arg(
        long,
        value_name = "COLUMN[,COLUMN...]",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) ignore: Vec<String>,

    /// What the targets are [default: told from them]
    #[arg(long, value_name = "TASK")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<TaskName>,

    /// Whether the first line of a CSV file has the columns' names
    #[arg(long, value_name = "WHETHER", default_value = "auto")]
    pub(crate) header: Header,

    /// What to put in place of missing values [default: a missing value is an error]
    #[arg(long, value_name = "BY")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) impute: Option<Impute>,

    /// Use all numbers as they are [default: each feature, and each target of a regression, is brought to mean 0 and
    /// deviation 1 by the statistics of the training samples]
    #[arg(long)]
    pub(crate) no_normalize: bool,

    /// Samples to test with: a part of the data such as 0.2, or a file [default: the test set that belongs to the data, a
    /// fifth of california-housing and iris, none of a file of one's own]
    #[arg(long, value_name = "FRACTION|FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) test: Option<Share>,

    /// Samples that decide when to stop: a part of those to train on, such as 0.1, or a file
    #[arg(long, value_name = "FRACTION|FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validation: Option<Share>,

    /// Folder of data sets, with files such as DIR/mnist/train-images-idx3-ubyte.gz [default: the environment variable
    /// MFNET_DATA_DIR]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Download nothing [default: download what neither folder nor cache holds into the cache]
    #[arg(long)]
    pub(crate) no_download: bool,
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
        match text.parse::<f64>() {
            Ok(part) if part > 0.0 && part < 1.0 => Ok(Share::Fraction(part)),
            Ok(_) => Err("a part of the samples must be between 0 and 1".to_owned()),
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
