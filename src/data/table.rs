//! A table of text: what a file of columns holds before anyone says what they mean.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::cells::{Cells, Row, TableRows};
use super::columns::find_column;
use super::decimal::parse_number;
use crate::error::{Error, Position, Result};

/// Rows of text cells, all of the same width, with the lines they stood on; [`read_csv`](super::read::read_csv)
/// makes one.
///
/// A table takes about three times the memory of its file.
#[derive(Debug, Clone)]
pub struct Table {
    path: PathBuf,
    names: Vec<String>,
    cells: Cells,
    /// The spellings of a missing value; `None` for the usual ones.
    missing: Option<Vec<String>>,
    /// Delimiter and quote, those that were chosen.
    separators: (Option<u8>, Option<u8>),
    /// How it was decided whether the first line names the columns; `None` if the user said so.
    header_reason: Option<String>,
}

/// The content of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    Missing,
    Number(f64),
    Text(&'a str),
}

/// The usual spellings of a missing value, in any case.
const MISSING: [&str; 10] = [
    "na", "n/a", "nan", "-nan", "null", "none", "#n/a", "#na", "<na>", "?",
];

impl<'a> Cell<'a> {
    /// The content of a cell, given the spellings of a missing value, or `None` for the usual ones. An empty cell is always
    /// missing.
    pub(super) fn of(text: &'a str, missing: Option<&[String]>) -> Self {
        if text.is_empty() || missing.is_some_and(|spellings| spellings.iter().any(|word| word == text)) {
            return Cell::Missing;
        }
        match parse_number(text) {
            Some(number) if !number.is_nan() => Cell::Number(number),
            _ if missing.is_none() && MISSING.iter().any(|word| word.eq_ignore_ascii_case(text)) => {
                Cell::Missing
            }
            _ => Cell::Text(text),
        }
    }
}

/// The number that a truth value stands for among numbers: 1 for `true`, 0 for `false`, in any case.
pub(super) fn truth_value(text: &str) -> Option<f64> {
    if text.eq_ignore_ascii_case("true") {
        Some(1.0)
    } else if text.eq_ignore_ascii_case("false") {
        Some(0.0)
    } else {
        None
    }
}

impl Table {
    /// A table without rows yet; `path` is what errors call it.
    pub(super) fn new(path: &Path, width: usize) -> Self {
        Table {
            path: path.to_owned(),
            names: Vec::new(),
            cells: Cells::new(width),
            missing: None,
            separators: (None, None),
            header_reason: None,
        }
    }

    /// Sets the spellings of a missing value; `None` for the usual ones.
    pub(super) fn set_missing(&mut self, missing: Option<Vec<String>>) {
        self.missing = missing;
    }

    /// The spellings of a missing value; `None` for the usual ones.
    pub(super) fn missing(&self) -> Option<&[String]> {
        self.missing.as_deref()
    }

    /// Keeps delimiter and quote, those that were chosen.
    pub(super) fn set_separators(&mut self, delimiter: Option<u8>, quote: Option<u8>) {
        self.separators = (delimiter, quote);
    }

    /// Delimiter and quote, those that were chosen.
    pub(super) fn separators(&self) -> (Option<u8>, Option<u8>) {
        self.separators
    }

    /// Keeps how it was decided whether the first line names the columns.
    pub(super) fn set_header_reason(&mut self, reason: String) {
        self.header_reason = Some(reason);
    }

    /// How it was decided whether the first line names the columns; `None` if the user said so.
    pub(super) fn header_reason(&self) -> Option<&str> {
        self.header_reason.as_deref()
    }

    /// The file, or the name that stands for it in errors.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The line of the file in which a row begins, counted from 1.
    pub(super) fn line(&self, row: usize) -> u64 {
        self.cells.row(row).line
    }

    /// A table of the same columns, without rows yet.
    pub(super) fn emptied(&self) -> Self {
        Table {
            names: self.names.clone(),
            missing: self.missing.clone(),
            ..Table::new(&self.path, self.width())
        }
    }

    /// Adds rows of as many cells as there are columns; their lines count from 0, which is line `first` of the file.
    pub(super) fn append(&mut self, rows: TableRows, first: u64) {
        self.cells.append(rows, first);
    }

    /// A table of some of the rows.
    pub(super) fn slice(&self, rows: Range<usize>) -> Self {
        Table {
            cells: self.cells.slice(rows),
            ..self.emptied()
        }
    }

    /// Sets the columns' names.
    pub(super) fn set_names(&mut self, names: Vec<String>) {
        self.names = names;
    }

    /// Takes the first row for the columns' names; an empty one is called after its column, counted from 0.
    pub(super) fn take_header(&mut self) {
        let named = |column: usize| match self.text(0, column) {
            "" => format!("column {column}"),
            name => name.to_owned(),
        };
        self.names = (0..self.width()).map(named).collect();
        self.cells.remove_first();
    }

    /// The number of rows, the header not counted.
    pub fn rows(&self) -> usize {
        self.cells.rows()
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.cells.width()
    }

    /// The columns' names, if the file has a header; else none.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The column of this name, or at this place, counted from 0 (-1 is the last); where a name looks like a number, the name
    /// comes first.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a column that is not there, with the names of those that are.
    ///
    /// ```
    /// use mfnet::data::read::{CsvOptions, read_csv_from};
    ///
    /// let table = read_csv_from("trees.csv", "height,kind\n12.5,oak\n9,birch\n".as_bytes(), &CsvOptions::default())?;
    /// assert_eq!((table.column("kind")?, table.column("-2")?), (1, 0));
    /// let error = table.column("kinds").unwrap_err().to_string();
    /// assert!(error.contains("there is no column `kinds` (did you mean `kind`?)"));
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn column(&self, name: &str) -> Result<usize> {
        find_column(self, name)
    }

    /// The text of a cell without the white space around it, row and column counted from 0.
    ///
    /// # Panics
    ///
    /// For a cell beyond the table.
    pub fn text(&self, row: usize, column: usize) -> &str {
        let width = self.width();
        assert!(column < width, "there is no column {column} among {width}");
        self.cells.row(row).text(column)
    }

    /// The cells of a row.
    pub(super) fn row(&self, row: usize) -> Row<'_> {
        self.cells.row(row)
    }

    pub(crate) fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        self.cell_by(row, column, self.missing())
    }

    /// A cell, with other spellings of a missing value than the table's: those of a model.
    pub(super) fn cell_by(&self, row: usize, column: usize, missing: Option<&[String]>) -> Cell<'_> {
        Cell::of(self.text(row, column), missing)
    }

    /// A column as errors call it: its name, or its place, counted from 0.
    pub(crate) fn column_name(&self, column: usize) -> String {
        match self.names.get(column) {
            Some(name) => format!("column `{name}`"),
            None => format!("column {column} (counted from 0)"),
        }
    }

    /// What is wrong with a cell.
    pub(crate) fn refuse(&self, row: usize, column: usize, problem: impl std::fmt::Display) -> Error {
        let position = Position::Cell {
            line: self.line(row),
            column: column + 1,
        };
        match self.names.get(column) {
            Some(name) => Error::file(&self.path, position, format_args!("column `{name}`: {problem}")),
            None => Error::file(&self.path, position, problem),
        }
    }

    /// What is wrong with the whole table.
    pub(crate) fn refuse_all(&self, problem: impl std::fmt::Display) -> Error {
        Error::data(self.path.display(), problem)
    }

    /// The problems of several columns as one error, so that they can be mended in one go.
    pub(super) fn refuse_columns(&self, mut errors: Vec<Error>) -> Error {
        if errors.len() == 1 {
            return errors.remove(0);
        }
        /// As many problems as are listed.
        const LISTED: usize = 20;
        let line = |error: &Error| match error {
            Error::InvalidFile {
                position, problem, ..
            } => format!("\n  {position}: {problem}"),
            Error::InvalidData { problem, .. } => format!("\n  {problem}"),
            other => format!("\n  {other}"),
        };
        let lines: String = errors.iter().take(LISTED).map(line).collect();
        let more = match errors.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!("\n  and {more} more"),
        };
        self.refuse_all(format_args!(
            "{} columns cannot be used:{lines}{more}",
            errors.len()
        ))
    }
}
