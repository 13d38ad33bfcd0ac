//! The argument DATA: a data set's name, files, or standard input.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{bail, ensure};
use mfnet::data::read::{self, CsvOptions};
use mfnet::data::{RawSamples, Schema, Table};
use mfnet::{Dataset, Element};

use super::known;
use super::settings::npy_pair;
use super::usage;

/// The name of standard input in errors.
pub(super) const STANDARD_INPUT: &str = "standard input";

/// The source of samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DataSource {
    /// A data set that needs no file of the user's.
    Known(&'static str),
    Csv(PathBuf),
    StandardInput,
    Npz(PathBuf),
    /// Inputs alone.
    Npy(PathBuf),
    /// Inputs and targets.
    NpyPair(PathBuf, PathBuf),
}

impl FromStr for DataSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ends = |text: &str, ending: &str| text.to_ascii_lowercase().ends_with(ending);
        if text.is_empty() {
            return Err("it must be a file, a data set's name, or - for standard input".to_owned());
        }
        if let Some(set) = known::find(text) {
            return Ok(DataSource::Known(set.name()));
        }
        if let Some((inputs, targets)) = npy_pair(text) {
            return Ok(DataSource::NpyPair(inputs, targets));
        }
        Ok(match text {
            "-" => DataSource::StandardInput,
            _ if ends(text, ".npz") => DataSource::Npz(text.into()),
            _ if ends(text, ".npy") => DataSource::Npy(text.into()),
            _ => DataSource::Csv(text.into()),
        })
    }
}

impl fmt::Display for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataSource::Known(name) => f.write_str(name),
            DataSource::StandardInput => f.write_str(STANDARD_INPUT),
            DataSource::Csv(path) | DataSource::Npz(path) | DataSource::Npy(path) => path.display().fmt(f),
            DataSource::NpyPair(inputs, targets) => write!(f, "{},{}", inputs.display(), targets.display()),
        }
    }
}

/// The samples of a table with the weights in a column of it, if one is named.
pub(super) fn weighted<T: Element>(
    samples: RawSamples<T>,
    table: &Table,
    column: Option<&str>,
) -> anyhow::Result<RawSamples<T>> {
    Ok(match column {
        Some(column) => samples.with_weights(table.weights(column)?)?,
        None => samples,
    })
}

impl DataSource {
    /// Refuses a file that is not there, which may be a data set's name that was mistyped.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if let DataSource::Csv(path) = self {
            ensure!(
                path.exists(),
                usage(format!(
                    "{self}: there is no such file, and no data set of this name; the data sets are {}",
                    known::listed()
                ))
            );
        }
        Ok(())
    }

    /// The samples of files, targets included, for a model whose schema this is.
    pub(super) fn samples<T: Element>(
        &self,
        csv: &CsvOptions,
        schema: &Schema<T>,
    ) -> anyhow::Result<Dataset<T>> {
        self.check()?;
        Ok(match self {
            DataSource::Csv(_) | DataSource::StandardInput => self.table(csv)?.samples_for(schema)?,
            DataSource::Npz(path) => read::read_npz_samples(path, schema)?,
            DataSource::NpyPair(inputs, targets) => read::read_npy_samples(inputs, targets, schema)?,
            DataSource::Npy(_) => return Err(self.without_targets()),
            DataSource::Known(name) => bail!(usage(format!("{name} is a data set's name: name a file here"))),
        })
    }

    /// The samples of files as they are, targets included, for a schema that may not be fitted yet; with the weights in a column
    /// of CSV files, if one is named.
    pub(super) fn raw_samples<T: Element>(
        &self,
        csv: &CsvOptions,
        schema: &Schema<T>,
        weights: Option<&str>,
    ) -> anyhow::Result<RawSamples<T>> {
        match self {
            DataSource::Csv(_) | DataSource::StandardInput => {
                self.check()?;
                let table = self.table(csv)?;
                weighted(table.raw_samples_for(schema)?, &table, weights)
            }
            _ => {
                ensure!(
                    weights.is_none(),
                    usage(format!(
                        "{self}: arrays have no column of weights, and the training samples have one: name a CSV file"
                    ))
                );
                ensure!(
                    schema.categories.is_empty(),
                    usage(format!(
                        "{self}: arrays have no texts, and the training samples have categories: name a CSV file"
                    ))
                );
                Ok(self.samples(csv, schema)?.into())
            }
        }
    }

    /// The table in a CSV file, or that comes in on standard input.
    pub(super) fn table(&self, csv: &CsvOptions) -> anyhow::Result<Table> {
        Ok(match self {
            DataSource::Csv(path) => read::read_csv(path, csv)?,
            DataSource::StandardInput => read::read_csv_from(STANDARD_INPUT, io::stdin(), csv)?,
            _ => bail!(usage(format!("{self}: this is not a table"))),
        })
    }

    /// The error of a single array where targets are needed.
    pub(super) fn without_targets(&self) -> anyhow::Error {
        let problem = "this is one array, and the targets are missing: name two";
        usage(format!("{self}: {problem}, as {self},Y.npy")).into()
    }
}
