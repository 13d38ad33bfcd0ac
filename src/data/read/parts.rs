//! CSV of any length, a part at a time.

use std::collections::HashSet;
use std::fmt;
use std::io::{Chain, Cursor, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::csv::{CsvOptions, delimiter_of, shorten};
use super::foreign;
use super::lines::Lines;
use super::source::{Source, refusal};
use crate::data::Table;
use crate::data::header;
use crate::error::{Error, Position, Result};

/// Bytes by whose lines the delimiter is told.
const HEAD: u64 = 1 << 16;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The tables that the rows of one CSV file are cut into, one after the other;
/// [`read_csv_parts`](super::read_csv_parts) makes them.
///
/// All have the same columns and, if the file has a header, its names. There is one at least, which has no rows where the
/// file has a header alone, and nothing after an error.
pub struct CsvParts<'a> {
    path: PathBuf,
    options: CsvOptions,
    reader: Reader<Lines<Chain<Cursor<Vec<u8>>, Source<'a>>>>,
    /// The rows of a part; of a file without a header, the first has one more.
    rows: usize,
    /// A table of the file's columns, when these are known.
    columns: Option<Table>,
    ended: bool,
}

impl fmt::Debug for CsvParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvParts")
            .field("path", &self.path)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl<'a> CsvParts<'a> {
    pub(super) fn new(
        path: &Path,
        mut source: Source<'a>,
        options: &CsvOptions,
        rows: usize,
    ) -> Result<Self> {
        options.check()?;
        let mut head = source.read_up_to(HEAD)?;
        let start = &head[..head.len().min(foreign::HEAD as usize)];
        if let Some(problem) = foreign::format_of(start) {
            return Err(Error::file(path, Position::File, problem));
        }
        if head.starts_with(BYTE_ORDER_MARK) {
            head.drain(..BYTE_ORDER_MARK.len());
        }
        let quote = options.quote();
        let delimiter = options.delimiter.unwrap_or_else(|| delimiter_of(&head, quote));
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .quote(quote)
            .from_reader(Lines::of(Cursor::new(head).chain(source), delimiter, quote));
        Ok(CsvParts {
            path: path.to_owned(),
            options: options.clone(),
            reader,
            rows: rows.max(1),
            columns: None,
            ended: false,
        })
    }

    /// All rows as one table; an error for a file without rows.
    pub(super) fn whole(&mut self) -> Result<Table> {
        let table = self.first()?;
        match table.rows() {
            0 => Err(self.no_rows("there are no rows below the columns' names")),
            _ => Ok(table),
        }
    }

    fn no_rows(&self, problem: &str) -> Error {
        Error::file(&self.path, Position::Line(1), problem)
    }

    /// The first part, which has no rows if the file names its columns and has none; an error for an empty file.
    fn first(&mut self) -> Result<Table> {
        let mut none = None;
        self.fill(&mut none, self.rows.saturating_add(1))?;
        let mut table = none.ok_or_else(|| self.no_rows("the file has no rows"))?;
        let names_columns = match self.options.header {
            Some(told) => told,
            None => {
                let (decision, reason) = header::decide(&table, &self.options.names);
                if !decision && self.options.names.is_empty() && header::is_line_of_texts(&table) {
                    return Err(self.no_rows(
                        "the file is one line of texts: there are no rows below the columns' names (if it is a row of \
                         data, say that there is no header: --header no)",
                    ));
                }
                table.set_header_reason(reason);
                decision
            }
        };
        if names_columns {
            table.take_header();
            let mut seen = HashSet::new();
            if let Some(twice) = table.names().iter().find(|&name| !seen.insert(name)) {
                let problem = format_args!("two columns are named `{twice}`");
                return Err(Error::file(&self.path, Position::Line(1), problem));
            }
        }
        Ok(table)
    }

    /// The next part, until there is none.
    fn part(&mut self) -> Result<Option<Table>> {
        let table = match self.columns.take() {
            None => self.first()?,
            Some(columns) => {
                let mut table = Some(columns);
                self.fill(&mut table, self.rows)?;
                match table.filter(|table| table.rows() > 0) {
                    Some(table) => table,
                    None => return Ok(None),
                }
            }
        };
        self.columns = Some(table.emptied());
        Ok(Some(table))
    }

    /// Adds so many rows to a table, or fewer if no more are there; the first row makes it where there is none yet.
    fn fill(&mut self, table: &mut Option<Table>, rows: usize) -> Result<()> {
        let path = &self.path;
        let mut record = ByteRecord::new();
        for _ in 0..rows {
            let more = self.reader.read_byte_record(&mut record);
            let line = self.reader.position().line();
            let more = more.map_err(|error| match error.into_kind() {
                csv::ErrorKind::Io(error) => refusal(path, Position::Line(line), error),
                other => Error::file(path, Position::Line(line), format_args!("{other:?}")),
            })?;
            if let Some(line) = self.reader.get_ref().unclosed_quote() {
                let problem = "the quote that opens on this line is never closed";
                return Err(Error::file(path, Position::Line(line), problem));
            }
            if !more {
                break;
            }
            // The reader stands behind the row, which always ends in a line end; those within are its cells'.
            let inside = record.iter().flatten().filter(|&&byte| byte == b'\n').count() as u64;
            let line = line.saturating_sub(1 + inside).max(1);
            self.reader.get_mut().next_row();
            let table = table.get_or_insert_with(|| {
                let mut table = Table::new(path, record.len());
                table.set_missing(self.options.missing.clone());
                table.set_separators(self.options.delimiter, self.options.quote);
                table
            });
            add(table, line, &record).map_err(|(position, problem)| Error::file(path, position, problem))?;
        }
        Ok(())
    }
}

impl Iterator for CsvParts<'_> {
    type Item = Result<Table>;

    fn next(&mut self) -> Option<Result<Table>> {
        if self.ended {
            return None;
        }
        let part = self.part().transpose();
        self.ended = !matches!(part, Some(Ok(_)));
        part
    }
}

fn add(table: &mut Table, line: u64, record: &ByteRecord) -> std::result::Result<(), (Position, String)> {
    let width = table.width();
    if record.len() != width {
        let problem = format!(
            "the row has {} columns, and the first row has {width}",
            record.len()
        );
        return Err((Position::Line(line), problem));
    }
    let mut cells = Vec::with_capacity(width);
    for (column, cell) in (1..).zip(record) {
        let text = std::str::from_utf8(cell).map_err(|_| {
            let shown = String::from_utf8_lossy(cell);
            let problem = format!(
                "{:?} is not UTF-8; save the file in that encoding",
                shorten(&shown)
            );
            (Position::Cell { line, column }, problem)
        })?;
        cells.push(text.trim_ascii());
    }
    table
        .push(line, cells.into_iter())
        .ok_or_else(|| (Position::Line(line), "the row is longer than 4 GiB".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::{read_csv_from, read_csv_parts_from};
    use super::*;

    fn parts(content: &str, rows: usize) -> Vec<Result<Table>> {
        let parts = read_csv_parts_from("t.csv", content.as_bytes(), &CsvOptions::default(), rows);
        parts.unwrap().collect()
    }

    fn cells(table: &Table) -> Vec<String> {
        let row = |row| (0..table.width()).map(move |column| table.text(row, column).to_owned());
        (0..table.rows()).flat_map(row).collect()
    }

    #[test]
    fn parts_make_up_the_whole() {
        for content in ["a,b\n1,x\n2,y\n3,z\n4,w\n5,v\n", "1,x\n2,y\n3,z\n4,w\n5,v\n"] {
            let whole = read_csv_from("t.csv", content.as_bytes(), &CsvOptions::default()).unwrap();
            for rows in [0, 1, 2, 3, 4, 5, 6, usize::MAX] {
                let parts: Vec<Table> = parts(content, rows).into_iter().map(Result::unwrap).collect();
                assert!(
                    parts
                        .iter()
                        .all(|part| part.rows() > 0 && part.names() == whole.names())
                );
                let together: Vec<String> = parts.iter().flat_map(cells).collect();
                assert_eq!(together, cells(&whole), "{rows} rows a part");
            }
        }
    }

    #[test]
    fn a_header_alone_is_a_part_without_rows() {
        let (told, named) = (
            CsvOptions {
                header: Some(true),
                ..CsvOptions::default()
            },
            CsvOptions {
                names: vec!["width".to_owned()],
                ..CsvOptions::default()
            },
        );
        for options in [told, named] {
            let parts = read_csv_parts_from("t.csv", "height,width\n".as_bytes(), &options, 7).unwrap();
            let parts: Vec<Table> = parts.map(Result::unwrap).collect();
            assert_eq!(parts.len(), 1);
            assert_eq!(
                (parts[0].rows(), parts[0].names()),
                (0, &["height".to_owned(), "width".to_owned()][..])
            );
        }
        // Without either, the line could be a row of texts.
        for error in [
            read_csv_from("t.csv", "height,width\n".as_bytes(), &CsvOptions::default()).err(),
            parts("height,width\n", 7).remove(0).err(),
        ] {
            let error = error.unwrap().to_string();
            assert!(error.contains("no rows below the columns' names"), "{error}");
        }
    }

    #[test]
    fn errors_come_with_their_part_and_end_it() {
        let found = parts("a,b\n1,2\n3,4\n5,6\n7\n8,9\n", 2);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].as_ref().unwrap().rows(), 2);
        let error = found[1].as_ref().unwrap_err().to_string();
        assert!(error.contains("line 5: the row has 1 columns"), "{error}");
        let empty = parts("", 2);
        assert!(matches!(empty.as_slice(), [Err(_)]));
    }
}
