//! The arguments DATA and the reading options of the commands that use a model.

use std::io;
use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use mfnet::data::Inputs;
use mfnet::data::known::Source;
use mfnet::data::read::{self, CsvOptions, CsvParts};
use mfnet::data::{Schema, Table};
use mfnet::{Dataset, Element};
use ndarray::{Array2, Axis};

use super::data::source;
use super::data_source::{DataSource, STANDARD_INPUT};
use super::known;
use super::parse::{letter, whole};
use super::settings::{Header, csv_options, has_csv_options};
use super::usage;

/// The cells of a CSV file that are held in memory at a time: less than 100 MB of text.
const CELLS: usize = 1 << 20;
/// The rows of an array that are predicted at a time.
const ROWS: usize = 1 << 13;

/// How samples are to be read.
#[derive(Debug, Args)]
pub(super) struct SampleArguments {
    /// Header of a CSV file: whether the first line names the columns
    #[arg(long, value_name = "WHETHER", default_value = "auto")]
    header: Header,

    /// Letter between the cells of a CSV file, or tab [default: that of --delimiter in training, else a tab or a semicolon if
    /// all of the first lines have it, else a comma]
    #[arg(long, value_name = "LETTER", value_parser = letter)]
    delimiter: Option<char>,

    /// Letter around cells of a CSV file that hold the delimiter or line ends [default: that of --quote in training, else "]
    #[arg(long, value_name = "LETTER", value_parser = letter)]
    quote: Option<char>,

    /// Folder of data sets, with files such as DIR/mnist/t10k-images-idx3-ubyte.gz [default: the environment variable
    /// MFNET_DATA_DIR]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Download nothing [default: download what neither folder nor cache holds into the cache]
    #[arg(long)]
    no_download: bool,

    /// Seed of samples that are drawn, those of digits and circle, and of the orders of --importance
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,

    /// Threads to work with; results do not depend on their number [default: one for each core]
    #[arg(long, value_name = "N", value_parser = whole::<1024>)]
    pub(super) threads: Option<usize>,

    /// Show no progress
    #[arg(long)]
    pub(super) quiet: bool,
}

/// Raw samples with their targets.
#[derive(Debug)]
pub(super) struct Samples<T> {
    pub(super) dataset: Dataset<T>,
    /// Which they are: `iris: all samples`.
    pub(super) title: String,
    /// What the targets are counted in, where that is known.
    pub(super) unit: Option<&'static str>,
}

/// Raw inputs, a part at a time.
pub(super) type Parts<T> = Box<dyn Iterator<Item = anyhow::Result<Part<T>>>>;

/// Some of the raw inputs.
#[derive(Debug)]
pub(super) struct Part<T> {
    /// Samples x features.
    pub(super) inputs: Array2<T>,
    /// The columns that are copied beside the predictions; `None` if none are.
    pub(super) kept: Option<KeptColumns>,
}

/// Columns of a table that are copied beside the predictions, in the order in which they were named.
#[derive(Debug)]
pub(super) struct KeptColumns {
    table: Table,
    columns: Vec<usize>,
}

impl KeptColumns {
    /// Finds the columns of these names, and returns their places.
    fn find(table: &Table, names: &[String]) -> anyhow::Result<Vec<usize>> {
        ensure!(
            names.is_empty() || !table.names().is_empty(),
            usage(
                "--keep takes columns with names, and the first line of the file is no line of names: --header yes makes it one"
                    .to_owned()
            )
        );
        let mut columns = Vec::new();
        for name in names {
            let column = table.column(name)?;
            ensure!(
                !columns.contains(&column),
                usage(format!(
                    "--keep names the column `{}` twice",
                    table.names()[column]
                ))
            );
            columns.push(column);
        }
        Ok(columns)
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns
            .iter()
            .map(|&column| self.table.names()[column].as_str())
    }

    /// The texts of a row.
    pub(super) fn cells(&self, row: usize) -> impl Iterator<Item = &str> {
        self.columns
            .iter()
            .map(move |&column| self.table.text(row, column))
    }
}

impl SampleArguments {
    /// Refuses samples that are not there, and options for the form of CSV files where they are none.
    fn check(&self, source: &DataSource) -> anyhow::Result<()> {
        let is_table = matches!(source, DataSource::Csv(_) | DataSource::StandardInput);
        ensure!(
            is_table || !has_csv_options(self.header, self.delimiter, self.quote),
            usage(format!(
                "--header, --delimiter and --quote are for CSV files, and {source} is none: leave them out"
            ))
        );
        source.check()
    }

    fn source(&self) -> anyhow::Result<Source> {
        source(self.data_dir.as_deref(), self.no_download)
    }

    /// The form of a CSV file for a model: missing values are spelled, and columns named, as in training; so are delimiter and
    /// quote, unless others are given.
    fn options<T: Element>(&self, schema: &Schema<T>) -> CsvOptions {
        let given = csv_options(self.header, self.delimiter, self.quote);
        CsvOptions {
            missing: schema.missing.clone(),
            names: schema.feature_names.clone(),
            delimiter: given.delimiter.or(schema.delimiter),
            quote: given.quote.or(schema.quote),
            ..given
        }
    }

    /// The samples, targets included, for a model whose schema this is.
    pub(super) fn samples<T: Element>(
        &self,
        source: &DataSource,
        schema: &Schema<T>,
    ) -> anyhow::Result<Samples<T>> {
        self.check(source)?;
        if let DataSource::Known(name) = source {
            let samples = known::samples(name, &self.source()?, self.seed, self.quiet)?;
            samples.check(name, schema)?;
            return Ok(Samples {
                title: format!("{name}: {}", samples.part),
                dataset: samples.dataset,
                unit: samples.unit,
            });
        }
        let dataset = source.samples(&self.options(schema), schema)?;
        Ok(Samples {
            dataset,
            title: source.to_string(),
            unit: None,
        })
    }

    /// The inputs for a model whose schema this is, and the columns of a CSV file that are to be kept.
    pub(super) fn inputs<T: Element>(
        &self,
        source: &DataSource,
        schema: &Schema<T>,
        keep: &[String],
    ) -> anyhow::Result<Parts<T>> {
        self.check(source)?;
        ensure!(
            keep.is_empty() || matches!(source, DataSource::Csv(_) | DataSource::StandardInput),
            usage(format!(
                "--keep is for columns of CSV files, and {source} is none: leave it out"
            ))
        );
        let rows = CELLS / schema.layout.width.max(1);
        Ok(match source {
            DataSource::Known(name) => {
                let samples = known::samples(name, &self.source()?, self.seed, self.quiet)?;
                samples.check(name, schema)?;
                rows_of(samples.dataset.inputs().clone())
            }
            DataSource::Csv(path) => {
                let parts = read::read_csv_parts(path, &self.options(schema), rows)?;
                tables(parts, schema, keep)
            }
            DataSource::StandardInput => {
                let parts =
                    read::read_csv_parts_from(STANDARD_INPUT, io::stdin(), &self.options(schema), rows)?;
                tables(parts, schema, keep)
            }
            DataSource::Npz(path) => arrays(source, read::read_npz_inputs(path)?, schema)?,
            DataSource::Npy(path) | DataSource::NpyPair(path, _) => {
                arrays(source, read::read_npy_inputs(path)?, schema)?
            }
        })
    }
}

fn tables<T: Element>(parts: CsvParts<'static>, schema: &Schema<T>, keep: &[String]) -> Parts<T> {
    let (schema, keep) = (schema.clone(), keep.to_vec());
    Box::new(parts.map(move |table| {
        let table = table?;
        ensure!(
            table.rows() > 0 || !schema.feature_names.is_empty(),
            usage("the only line is text, and the model knows no names of columns: is it a sample (--header no)?".to_owned())
        );
        let columns = KeptColumns::find(&table, &keep)?;
        let inputs = values(table.inputs_for(&schema)?);
        let kept = (!columns.is_empty()).then_some(KeptColumns { table, columns });
        Ok(Part { inputs, kept })
    }))
}

fn arrays<T: Element>(
    source: &DataSource,
    inputs: Inputs<T>,
    schema: &Schema<T>,
) -> anyhow::Result<Parts<T>> {
    let (_, found) = inputs.dim();
    ensure!(
        found == schema.features,
        "{source}: the samples have {found} features, and the model takes {}: they are for another model",
        schema.features
    );
    Ok(rows_of(inputs))
}

fn rows_of<T: Element>(inputs: Inputs<T>) -> Parts<T> {
    let (samples, _) = inputs.dim();
    let part = move |first: usize| {
        let rows = ndarray::Slice::from(first..samples.min(first + ROWS));
        let inputs = match &inputs {
            Inputs::Values(values) => values.slice_axis(Axis(0), rows).to_owned(),
            Inputs::Pixels(pixels) => pixels.slice_axis(Axis(0), rows).mapv(T::from_u8),
            Inputs::Sparse(sparse) => sparse.to_values().slice_axis(Axis(0), rows).to_owned(),
        };
        Ok(Part { inputs, kept: None })
    };
    Box::new((0..samples).step_by(ROWS).map(part))
}

/// Pixels as the numbers 0 to 255 that they are in a file.
fn values<T: Element>(inputs: Inputs<T>) -> Array2<T> {
    match inputs {
        Inputs::Values(values) => values,
        Inputs::Pixels(pixels) => pixels.mapv(T::from_u8),
        Inputs::Sparse(sparse) => sparse.to_values(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_told_by_their_names() {
        for (text, source) in [
            ("iris", DataSource::Known("iris")),
            ("./iris", DataSource::Csv("./iris".into())),
            ("a,b.csv.gz", DataSource::Csv("a,b.csv.gz".into())),
            ("-", DataSource::StandardInput),
            ("A.NPZ", DataSource::Npz("A.NPZ".into())),
            ("x.npy", DataSource::Npy("x.npy".into())),
            ("x.npy,y.npy", DataSource::NpyPair("x.npy".into(), "y.npy".into())),
        ] {
            assert_eq!(text.parse(), Ok(source), "{text}");
        }
        assert!("".parse::<DataSource>().is_err());
    }

    #[test]
    fn arrays_are_cut_into_rows() {
        let pixels = Array2::from_shape_fn((ROWS + 1, 2), |(row, column)| (row + column) as u8);
        let parts = rows_of(Inputs::Pixels(pixels)).map(|part| part.unwrap().inputs);
        let parts: Vec<Array2<f32>> = parts.collect();
        assert_eq!(parts.iter().map(Array2::nrows).collect::<Vec<_>>(), [ROWS, 1]);
        assert_eq!(parts[0][[1, 1]], 2.0);
        assert_eq!(parts[1][[0, 1]], 1.0);
    }
}
