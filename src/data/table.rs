//! A table of text: what a file of columns holds before anyone says what they mean.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::error::{Error, Position};

/// Rows of text cells, all of the same width, with the lines they stood on; [`read_csv`](super::read::read_csv)
/// makes one.
///
/// A table takes about three times the memory of its file.
#[derive(Debug, Clone)]
pub struct Table {
    path: PathBuf,
    names: Vec<String>,
    width: usize,
    /// The cells' texts, one after the other.
    text: String,
    /// Where each row's text starts, and the line it stood on.
    rows: Vec<(usize, u64)>,
    /// Where each cell ends, counted from its row's start: `width` numbers a row.
    ends: Vec<u32>,
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    Missing,
    Number(f64),
    Text(&'a str),
}

/// Texts that stand for a missing value, in any case.
const MISSING: [&str; 11] = [
    "", "na", "n/a", "nan", "-nan", "null", "none", "#n/a", "#na", "<na>", "?",
];

impl<'a> Cell<'a> {
    fn of(text: &'a str) -> Self {
        match text.parse::<f64>() {
            Ok(number) if !number.is_nan() => Cell::Number(number),
            _ if MISSING.iter().any(|word| word.eq_ignore_ascii_case(text)) => Cell::Missing,
            _ => Cell::Text(text),
        }
    }
}

impl Table {
    /// A table without rows yet; `path` is what errors call it.
    pub(super) fn new(path: &Path, width: usize) -> Self {
        Table {
            path: path.to_owned(),
            names: Vec::new(),
            width,
            text: String::new(),
            rows: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// A table of the same columns, without rows yet.
    pub(super) fn emptied(&self) -> Self {
        Table {
            names: self.names.clone(),
            ..Table::new(&self.path, self.width)
        }
    }

    /// Adds a row of `width` cells; `None` if its text is beyond 4 GiB.
    pub(super) fn push<'c>(&mut self, line: u64, cells: impl Iterator<Item = &'c str>) -> Option<()> {
        let start = self.text.len();
        for cell in cells {
            self.text.push_str(cell);
            self.ends.push(u32::try_from(self.text.len() - start).ok()?);
        }
        self.rows.push((start, line));
        Some(())
    }

    /// Takes the first row for the columns' names; an empty one is called after its column, counted from 0.
    pub(super) fn take_header(&mut self) {
        let named = |column: usize| match self.text(0, column) {
            "" => format!("column {column}"),
            name => name.to_owned(),
        };
        self.names = (0..self.width).map(named).collect();
        self.rows.remove(0);
        self.ends.drain(..self.width);
    }

    /// Whether the first row names the columns: it has text in a column where each row below has a number or
    /// nothing, and some row a number.
    pub(super) fn starts_with_names(&self) -> bool {
        (0..self.width).any(|column| {
            let below = || (1..self.rows()).map(|row| self.cell(row, column));
            matches!(self.cell(0, column), Cell::Text(_))
                && below().all(|cell| !matches!(cell, Cell::Text(_)))
                && below().any(|cell| matches!(cell, Cell::Number(_)))
        })
    }

    /// Whether the table is a single row with text in every column.
    pub(super) fn is_line_of_text(&self) -> bool {
        self.rows() == 1 && (0..self.width).all(|column| matches!(self.cell(0, column), Cell::Text(_)))
    }

    /// The number of rows, the header not counted.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The columns' names, if the file has a header; else none.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The text of a cell without the white space around it, row and column counted from 0.
    ///
    /// # Panics
    ///
    /// For a cell beyond the table.
    pub fn text(&self, row: usize, column: usize) -> &str {
        assert!(
            column < self.width,
            "there is no column {column} among {}",
            self.width
        );
        let (start, _) = self.rows[row];
        let Range { start: from, end: to } = self.span(row, column);
        &self.text[start + from..start + to]
    }

    fn span(&self, row: usize, column: usize) -> Range<usize> {
        let cell = row * self.width + column;
        let start = if column == 0 {
            0
        } else {
            self.ends[cell - 1] as usize
        };
        start..self.ends[cell] as usize
    }

    pub(crate) fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        Cell::of(self.text(row, column))
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
            line: self.rows[row].1,
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
}
