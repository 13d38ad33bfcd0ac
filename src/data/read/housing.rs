//! California Housing as StatLib publishes it: the 1990 census, one row a block group.
//!
//! Source: R. K. Pace, R. Barry, "Sparse spatial autoregressions", Statistics & Probability Letters 33 (1997) 291-297.

use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, Trim};
use ndarray::Array2;

use super::source::Source;
use crate::data::Dataset;
use crate::element::Element;
use crate::error::{Error, Position, Result};

/// The names of the eight features, in the order of the columns of [`read_california_housing`].
pub const CALIFORNIA_HOUSING_FEATURES: [&str; 8] = [
    "MedInc",
    "HouseAge",
    "AveRooms",
    "AveBedrms",
    "Population",
    "AveOccup",
    "Latitude",
    "Longitude",
];

const COLUMNS: usize = 9;
/// Where StatLib's columns hold the number of households, counted from 0.
const HOUSEHOLDS: usize = 6;
/// The longest file that is read, after decompression; the published one has 2 MB.
const MAX_BYTES: u64 = 64 << 20;

/// Reads StatLib's `cal_housing.data`, gzip or not, as a data set for regression.
///
/// The file is CSV without a header; its columns are longitude, latitude, housingMedianAge, totalRooms,
/// totalBedrooms, population, households, medianIncome and medianHouseValue. The features are those in common use,
/// named in [`CALIFORNIA_HOUSING_FEATURES`]:
///
/// | feature | is | unit |
/// |---|---|---|
/// | `MedInc` | medianIncome | 10,000 dollars |
/// | `HouseAge` | housingMedianAge | years |
/// | `AveRooms` | totalRooms / households | rooms |
/// | `AveBedrms` | totalBedrooms / households | rooms |
/// | `Population` | population | persons |
/// | `AveOccup` | population / households | persons |
/// | `Latitude` | latitude | degrees |
/// | `Longitude` | longitude | degrees |
///
/// The target is medianHouseValue / 100,000 dollars. Nothing is normalised.
///
/// # Shapes
///
/// inputs: rows x 8; targets: rows x 1; the published file has 20,640 rows
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read; [`Error::InvalidFile`], with the line and mostly the column, for a row
/// of more or fewer than 9 columns, something that is not a finite number, households that are not positive, a feature
/// beyond the range of `T`, no rows at all, more than 64 MiB, or damaged gzip.
pub fn read_california_housing<T: Element>(path: &Path) -> Result<Dataset<T>> {
    let mut source = Source::open(path)?;
    let content = source.read_up_to(MAX_BYTES + 1)?;
    if content.len() as u64 > MAX_BYTES {
        return Err(source.invalid(
            MAX_BYTES,
            format_args!("the file is longer than {MAX_BYTES} bytes"),
        ));
    }
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(content.as_slice());
    let (mut features, mut targets) = (Vec::new(), Vec::new());
    let mut lines = LineCounter::new(&content);
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| {
        let line = error.position().map_or(1, csv::Position::line);
        Error::file(path, Position::Line(line), error)
    })? {
        let line = lines.line_at(record.position().map_or(0, csv::Position::byte));
        let (row, target) = convert::<T>(path, line, &parse(path, line, &record)?)?;
        features.extend(row);
        targets.push(target);
    }
    let rows = targets.len();
    if rows == 0 {
        return Err(Error::file(path, Position::Line(1), "there are no rows"));
    }
    let misfit = |error| Error::shape("read_california_housing", "rows of equal length", error);
    let features = Array2::from_shape_vec((rows, CALIFORNIA_HOUSING_FEATURES.len()), features);
    let targets = Array2::from_shape_vec((rows, 1), targets);
    Dataset::regression(features.map_err(misfit)?, targets.map_err(misfit)?)
}

/// Counts lines, since the `csv` crate places a row after `\r\n` or a blank line at the line before.
struct LineCounter<'a> {
    content: &'a [u8],
    counted: usize,
    line: u64,
}

impl<'a> LineCounter<'a> {
    fn new(content: &'a [u8]) -> Self {
        LineCounter {
            content,
            counted: 0,
            line: 1,
        }
    }

    /// The line, counted from 1, of the row that starts at this byte or after the line ends there.
    /// The bytes asked for must not go back.
    fn line_at(&mut self, byte: u64) -> u64 {
        let from = usize::try_from(byte).unwrap_or(usize::MAX);
        let ends = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        let start = from + self.content.iter().skip(from).take_while(ends).count();
        let passed = self.content.get(self.counted..start).unwrap_or_default();
        self.line += passed.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.counted = start;
        self.line
    }
}

/// The nine numbers of a row.
fn parse(path: &Path, line: u64, record: &ByteRecord) -> Result<[f64; COLUMNS]> {
    if record.len() != COLUMNS {
        return Err(Error::file(
            path,
            Position::Line(line),
            format_args!("the row has {} columns, not {COLUMNS}", record.len()),
        ));
    }
    let mut numbers = [0.0; COLUMNS];
    for (index, (field, number)) in record.iter().zip(&mut numbers).enumerate() {
        let text = String::from_utf8_lossy(field);
        let refuse = |problem: &str| {
            let shown: String = text.chars().take(30).collect();
            let column = index + 1;
            Error::file(
                path,
                Position::Cell { line, column },
                format_args!("{shown:?} {problem}"),
            )
        };
        let parsed: f64 = text.parse().map_err(|_| refuse("is not a number"))?;
        if !parsed.is_finite() {
            return Err(refuse("is not a finite number"));
        }
        if index == HOUSEHOLDS && parsed <= 0.0 {
            return Err(refuse("households: averages need a positive number of them"));
        }
        *number = parsed;
    }
    Ok(numbers)
}

/// A row's features and its target.
fn convert<T: Element>(path: &Path, line: u64, row: &[f64; COLUMNS]) -> Result<([T; 8], T)> {
    let &[
        longitude,
        latitude,
        age,
        rooms,
        bedrooms,
        population,
        households,
        income,
        value,
    ] = row;
    let features = [
        income,
        age,
        rooms / households,
        bedrooms / households,
        population,
        population / households,
        latitude,
        longitude,
    ]
    .map(T::from_f64);
    let target = T::from_f64(value / 100_000.0);
    let names = CALIFORNIA_HOUSING_FEATURES.iter().chain(&["the target"]);
    match features
        .iter()
        .chain([&target])
        .zip(names)
        .find(|(number, _)| !number.is_finite())
    {
        None => Ok((features, target)),
        Some((_, name)) => Err(Error::file(
            path,
            Position::Line(line),
            format_args!("{name} is beyond the range of {}", T::NAME),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::{file_of, gzipped};
    use super::*;
    use crate::data::{Inputs, Targets};
    use ndarray::array;

    const ROW: &str = "-122.5,37.5,41.0,880.0,128.0,320.0,64.0,8.25,452600.0";

    fn read(content: &str) -> Result<Dataset<f64>> {
        read_california_housing(file_of(content.as_bytes()).path())
    }

    #[test]
    fn the_usual_features_come_out() {
        let expected = Dataset::regression(
            array![
                [8.25, 41.0, 13.75, 2.0, 320.0, 5.0, 37.5, -122.5],
                [8.25, 41.0, 13.75, 2.0, 320.0, 5.0, 37.5, -122.5]
            ],
            array![[4.526], [4.526]],
        )
        .unwrap();
        for end in ["\n", "\r\n"] {
            assert_eq!(read(&format!("{ROW}{end}{ROW}{end}")).unwrap(), expected);
        }
        assert_eq!(
            read(&format!("{ROW}\n {}\n\n", ROW.replace(',', " , "))).unwrap(),
            expected
        );
        let packed = file_of(&gzipped(format!("{ROW}\n{ROW}").as_bytes()));
        assert_eq!(read_california_housing::<f64>(packed.path()).unwrap(), expected);
    }

    #[test]
    fn a_refusal_names_the_cell() {
        let cell = |column| Position::Cell { line: 3, column };
        let cases = [
            ("37.5", "north", cell(2), "\"north\" is not a number"),
            ("880.0", "", cell(4), "\"\" is not a number"),
            ("8.25", "NaN", cell(8), "not a finite number"),
            ("452600.0", "inf", cell(9), "not a finite number"),
            ("452600.0", "1e999", cell(9), "not a finite number"),
            (",64.0", ",0", cell(7), "\"0\" households"),
            (
                ",64.0",
                ",1e-308",
                Position::Line(3),
                "AveRooms is beyond the range of f64",
            ),
            (",64.0", "", Position::Line(3), "8 columns, not 9"),
            (",64.0", ",64.0,1", Position::Line(3), "10 columns, not 9"),
        ];
        for (old, new, expected, message) in cases {
            for end in ["\n", "\r\n"] {
                let content = [ROW, ROW, &ROW.replace(old, new), ROW].join(end);
                match read(&content) {
                    Err(Error::InvalidFile {
                        position, problem, ..
                    }) => {
                        assert_eq!(position, expected, "{problem}");
                        assert!(problem.contains(message), "{problem} is not {message}");
                    }
                    other => panic!("{new}: {other:?}"),
                }
            }
        }
        let file = file_of(ROW.replace("320.0", "1e39").as_bytes());
        assert!(read_california_housing::<f64>(file.path()).is_ok());
        let error = read_california_housing::<f32>(file.path()).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("Population is beyond the range of f32"),
            "{error}"
        );
    }

    #[test]
    fn nothing_and_rubbish_are_refused() {
        for content in ["", "\n\n", "\"", "\u{0}\u{1}", "longitude,latitude"] {
            let error = read(content).unwrap_err();
            assert!(matches!(error, Error::InvalidFile { .. }), "{error}");
        }
        let bytes = read_california_housing::<f64>(file_of(&[0xff; 9]).path()).unwrap_err();
        assert!(matches!(bytes, Error::InvalidFile { .. }), "{bytes}");
    }

    #[test]
    fn the_published_file_is_read() {
        let Some(folder) = std::env::var_os("MFNET_DATA_DIR") else {
            eprintln!("SKIPPED: MFNET_DATA_DIR is not set, California Housing is not read");
            return;
        };
        let path = Path::new(&folder).join("california_housing/cal_housing.data.gz");
        let data = read_california_housing::<f64>(&path).unwrap();
        assert_eq!((data.samples(), data.features(), data.outputs()), (20_640, 8, 1));
        let (Inputs::Values(inputs), Targets::Values(targets)) = (data.inputs(), data.targets()) else {
            panic!("a regression has values");
        };
        let first = array![
            8.3252,
            41.0,
            880.0 / 126.0,
            129.0 / 126.0,
            322.0,
            322.0 / 126.0,
            37.88,
            -122.23
        ];
        assert_eq!(inputs.row(0), first);
        assert_eq!(targets[[0, 0]], 4.526);
        let mean = targets.mean().unwrap();
        assert!((mean - 2.068_558).abs() < 1e-6, "{mean}");
    }
}
