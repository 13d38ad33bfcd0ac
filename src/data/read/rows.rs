//! The parser of CSV rows: from a piece of text that begins with a row to the texts of its cells.

use std::path::Path;

use memchr::memchr3;

use super::csv::shorten;
use crate::data::cells::TableRows;
use crate::error::{Error, Position};

/// The longest row that is read, in bytes: a file without line ends, such as `/dev/zero`, must not fill the memory.
pub(super) const LONGEST_ROW: usize = 1 << 24;

/// The byte behind a cell that is not kept as it stands in the text.
const SEPARATOR: u8 = b'\n';

/// The bytes that separate and enclose cells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
}

impl Format {
    /// The number of bytes before the next delimiter or line end.
    pub(super) fn plain_length(self, text: &[u8]) -> usize {
        memchr3(self.delimiter, b'\n', b'\r', text).unwrap_or(text.len())
    }
}

/// The rows of a piece of text, up to its end or its first fault.
#[derive(Debug)]
pub(super) struct Piece {
    /// The rows, whose lines count from 0: the first line of the piece.
    pub(super) rows: TableRows,
    /// The number of cells of each row, if there is a row.
    pub(super) width: Option<usize>,
    /// The number of line ends, those of an unfinished last row included.
    pub(super) lines: u64,
    pub(super) fault: Option<Fault>,
}

/// A fault that ends the reading of rows; lines count from 0, the first line of the piece.
#[derive(Debug)]
pub(super) enum Fault {
    /// A row that has another number of cells than the first row of the file.
    Width {
        line: u64,
        found: usize,
        expected: usize,
    },
    /// A cell that is not UTF-8; the column counts from 1.
    Encoding { line: u64, column: usize, cell: String },
    /// A quote that no other one closes before the text ends.
    Unclosed { line: u64 },
    /// A row that is longer than [`LONGEST_ROW`], and the line of the quote that is open there.
    Length { line: u64, quote: Option<u64> },
}

impl Fault {
    /// The error of a fault in a piece that begins on this line, counted from 1.
    pub(super) fn error(self, path: &Path, first: u64) -> Error {
        match self {
            Fault::Width {
                line,
                found,
                expected,
            } => Error::file(
                path,
                Position::Line(first + line),
                format_args!("the row has {found} columns, and the first row has {expected}"),
            ),
            Fault::Encoding { line, column, cell } => Error::file(
                path,
                Position::Cell {
                    line: first + line,
                    column,
                },
                format_args!(
                    "{:?} is not UTF-8; save the file in that encoding",
                    shorten(&cell)
                ),
            ),
            Fault::Unclosed { line } => Error::file(
                path,
                Position::Line(first + line),
                "the quote that opens on this line is never closed",
            ),
            Fault::Length { line, quote } => {
                let why = match quote {
                    Some(quote) => format!("the quote that opens on line {} is not closed", first + quote),
                    None => "this is no table".to_owned(),
                };
                let problem = format_args!("the row has more than {LONGEST_ROW} bytes: {why}");
                Error::file(path, Position::Line(first + line), problem)
            }
        }
    }
}

/// Parses the rows of a text, each of `width` cells, or of as many as the first if that is `None`.
///
/// The last row may lack a line end only if the file `ends` with this text; else that row is unfinished and left out.
///
/// Cells may be quoted, and two quotes inside stand for one; a quote within a cell that does not begin with one is a letter.
/// Line ends are `\n`, `\r` and `\r\n`, and are `\n` within quoted cells. Empty lines are passed over, and so is white space
/// around cells.
pub(super) fn parse(text: &[u8], format: Format, width: Option<usize>, ends: bool) -> Piece {
    let mut parser = Parser {
        text,
        format,
        at: 0,
        line: 0,
        width,
        cells: Vec::with_capacity(text.len() + 1),
        rows: Vec::new(),
        ends: Vec::new(),
    };
    let is_utf8 = std::str::from_utf8(text).is_ok();
    let fault = loop {
        parser.pass_empty_lines();
        if parser.at == text.len() {
            break None;
        }
        if is_utf8 && parser.plain_row() {
            continue;
        }
        match parser.row(is_utf8, ends) {
            Ok(true) => {}
            Ok(false) => break None,
            Err(fault) => break Some(fault),
        }
    };
    parser.finish(fault)
}

struct Parser<'a> {
    text: &'a [u8],
    format: Format,
    /// The place in the text.
    at: usize,
    /// The line ends before that place.
    line: u64,
    width: Option<usize>,
    /// The texts of the cells, each with the byte behind it; all UTF-8 where a row is complete.
    cells: Vec<u8>,
    rows: Vec<(usize, u64)>,
    ends: Vec<u32>,
}

impl Parser<'_> {
    fn pass_empty_lines(&mut self) {
        while self.pass_line_end() {}
    }

    /// Passes a line end, if one is here.
    fn pass_line_end(&mut self) -> bool {
        let length = match self.text.get(self.at) {
            Some(b'\n') => 1,
            Some(b'\r') => 1 + usize::from(self.text.get(self.at + 1) == Some(&b'\n')),
            _ => return false,
        };
        self.at += length;
        self.line += 1;
        true
    }

    /// Reads a row whose cells stand in the text as they are kept: without quotes, without white space around them, and as many
    /// as expected. Any other row is left to [`row`](Parser::row), and `false` is returned.
    fn plain_row(&mut self) -> bool {
        let (text, Format { delimiter, quote }) = (self.text, self.format);
        let (first_byte, first_end) = (self.at, self.ends.len());
        let mut start = first_byte;
        let end = loop {
            let Some(length) = memchr3(delimiter, b'\n', b'\r', &text[start..]) else {
                break None;
            };
            let end = start + length;
            let is_kept = |byte: u8| byte > b' ' && byte != quote;
            if length > 0 && !(is_kept(text[start]) && is_kept(text[end - 1])) {
                break None;
            }
            // A row that is too long for the number is refused by the other way.
            self.ends.push((end - first_byte) as u32);
            if text[end] != delimiter {
                break Some(end);
            }
            start = end + 1;
        };
        let found = self.ends.len() - first_end;
        match end.filter(|end| self.width == Some(found) && end - first_byte <= LONGEST_ROW) {
            Some(end) => {
                self.rows.push((self.cells.len(), self.line));
                self.cells.extend_from_slice(&text[first_byte..=end]);
                self.at = end;
                self.pass_line_end()
            }
            None => {
                self.ends.truncate(first_end);
                false
            }
        }
    }

    /// Reads a row; `false` if it is unfinished.
    fn row(&mut self, is_utf8: bool, ends: bool) -> Result<bool, Fault> {
        let (first_byte, line) = (self.at, self.line);
        let (first_cell, first_end) = (self.cells.len(), self.ends.len());
        let most = self.width.unwrap_or(usize::MAX);
        let mut found = 0;
        let is_finished = loop {
            let start = self.cells.len();
            let quote = (self.text.get(self.at) == Some(&self.format.quote)).then_some(self.line);
            let mut is_open = false;
            match quote {
                Some(_) => is_open = !self.quoted_cell(first_byte),
                None => self.plain_cell(),
            }
            if self.at - first_byte > LONGEST_ROW {
                let quote = quote.filter(|_| is_open);
                self.drop_row(first_cell, first_end);
                return Err(Fault::Length { line, quote });
            }
            if let Some(line) = quote.filter(|_| is_open) {
                self.drop_row(first_cell, first_end);
                return if ends {
                    Err(Fault::Unclosed { line })
                } else {
                    Ok(false)
                };
            }
            found += 1;
            match found > most {
                true => self.cells.truncate(start),
                // A row has at most 2^24 bytes.
                false => {
                    self.ends.push((self.cells.len() - first_cell) as u32);
                    self.cells.push(SEPARATOR);
                }
            }
            if self.text.get(self.at) == Some(&self.format.delimiter) {
                self.at += 1;
            } else {
                break self.pass_line_end() || ends;
            }
        };
        let expected = *self.width.get_or_insert(found);
        let fault = if !is_finished {
            None
        } else if found != expected {
            Some(Fault::Width {
                line,
                found,
                expected,
            })
        } else if is_utf8 {
            None
        } else {
            self.encoding_fault(line, first_cell, first_end)
        };
        if fault.is_some() || !is_finished {
            self.drop_row(first_cell, first_end);
            return fault.map_or(Ok(false), Err);
        }
        self.rows.push((first_cell, line));
        Ok(true)
    }

    /// Reads a cell that begins with no quote.
    fn plain_cell(&mut self) {
        let rest = &self.text[self.at..];
        let cell = &rest[..self.format.plain_length(rest)];
        self.at += cell.len();
        self.cells.extend_from_slice(cell.trim_ascii());
    }

    /// Reads a cell that begins with a quote; `false` if that is closed nowhere, or not within the longest row.
    fn quoted_cell(&mut self, first_byte: usize) -> bool {
        let (text, Format { quote, .. }) = (self.text, self.format);
        let start = self.cells.len();
        self.at += 1;
        loop {
            let rest = &text[self.at..];
            let is_special = |&byte: &u8| (byte == quote) | (byte == b'\n') | (byte == b'\r');
            let length = rest.iter().position(is_special).unwrap_or(rest.len());
            self.cells.extend_from_slice(&rest[..length]);
            self.at += length;
            if self.at == text.len() || self.at - first_byte > LONGEST_ROW {
                return false;
            }
            if self.pass_line_end() {
                self.cells.push(b'\n');
            } else if text.get(self.at + 1) == Some(&quote) {
                self.cells.push(quote);
                self.at += 2;
            } else {
                self.at += 1;
                break;
            }
        }
        // Whatever follows the closing quote belongs to the cell.
        let rest = &text[self.at..];
        let length = self.format.plain_length(rest);
        self.cells.extend_from_slice(&rest[..length]);
        self.at += length;
        let cell = &self.cells[start..];
        let (leading, length) = (
            cell.len() - cell.trim_ascii_start().len(),
            cell.trim_ascii().len(),
        );
        if leading > 0 {
            self.cells.drain(start..start + leading);
        }
        self.cells.truncate(start + length);
        true
    }

    fn drop_row(&mut self, first_cell: usize, first_end: usize) {
        self.cells.truncate(first_cell);
        self.ends.truncate(first_end);
    }

    /// The fault of the first cell of a row that is not UTF-8.
    fn encoding_fault(&self, line: u64, first_cell: usize, first_end: usize) -> Option<Fault> {
        let mut start = first_cell;
        for (column, &end) in (1..).zip(&self.ends[first_end..]) {
            let cell = &self.cells[start..first_cell + end as usize];
            start += cell.len() + 1;
            if std::str::from_utf8(cell).is_err() {
                let cell = String::from_utf8_lossy(cell).into_owned();
                return Some(Fault::Encoding { line, column, cell });
            }
        }
        None
    }

    fn finish(self, fault: Option<Fault>) -> Piece {
        let mut text = String::from_utf8(self.cells).expect("every cell of a complete row is UTF-8");
        let (mut rows, mut ends) = (self.rows, self.ends);
        text.shrink_to_fit();
        rows.shrink_to_fit();
        ends.shrink_to_fit();
        Piece {
            width: self.width,
            rows: TableRows { text, rows, ends },
            lines: self.line,
            fault,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::super::property;
    use super::*;
    use csv::{ByteRecord, ReaderBuilder};
    use proptest::prelude::*;

    const FORMAT: Format = Format {
        delimiter: b',',
        quote: b'"',
    };

    /// The line and the cells of each row, the number of line ends, and the fault.
    type Parsed = (Vec<(u64, Vec<String>)>, u64, Option<Fault>);

    fn parsed(text: &[u8], width: Option<usize>) -> Parsed {
        let piece = parse(text, FORMAT, width, true);
        let width = piece.width.unwrap_or(1);
        let TableRows { text, rows, ends } = piece.rows;
        let cells = |(&(start, line), ends): (&(usize, u64), &[u32])| {
            let mut from = start;
            let cell = |&end: &u32| {
                let cell = text[from..start + end as usize].to_owned();
                from = start + end as usize + 1;
                cell
            };
            (line, ends.iter().map(cell).collect())
        };
        let rows = rows.iter().zip(ends.chunks(width)).map(cells).collect();
        (rows, piece.lines, piece.fault)
    }

    /// The same by the csv crate: rows up to the first that has another number of cells or is not UTF-8, and its line.
    fn expected(text: &[u8]) -> (Vec<(u64, Vec<String>)>, Option<u64>) {
        let text: Vec<u8> = text
            .iter()
            .enumerate()
            .filter(|&(place, &byte)| !(byte == b'\n' && place > 0 && text[place - 1] == b'\r'))
            .map(|(_, &byte)| if byte == b'\r' { b'\n' } else { byte })
            .chain([b'\n'])
            .collect();
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_slice());
        let (mut rows, mut record) = (Vec::<(u64, Vec<String>)>::new(), ByteRecord::new());
        while reader.read_byte_record(&mut record).unwrap() {
            let inside = record.iter().flatten().filter(|&&byte| byte == b'\n').count() as u64;
            let line = reader.position().line().saturating_sub(2 + inside);
            let cells: Option<Vec<String>> = record
                .iter()
                .map(|cell| Some(std::str::from_utf8(cell).ok()?.trim_ascii().to_owned()))
                .collect();
            match cells.filter(|cells| rows.first().is_none_or(|(_, first)| first.len() == cells.len())) {
                Some(cells) => rows.push((line, cells)),
                None => return (rows, Some(line)),
            }
        }
        (rows, None)
    }

    /// Texts of few different bytes, quotes and line ends among them; most are UTF-8.
    fn texts() -> impl Strategy<Value = Vec<u8>> {
        let parts = prop::sample::select(vec![
            "a", "1", "\u{e9}", ",", ",", "\"", "\"\"", "\",\"", "\n", "\n", "\r", "\r\n", " ", "\t",
            "\u{a0}",
        ]);
        let damaged = (prop::collection::vec(parts, 0..40), any::<u8>()).prop_map(|(parts, damage)| {
            let mut bytes = parts.concat().into_bytes();
            if damage < 40 && !bytes.is_empty() {
                let place = usize::from(damage) % bytes.len();
                bytes[place] = 0xc3;
            }
            bytes
        });
        damaged.boxed()
    }

    proptest! {
        #![proptest_config(property::config(2000))]

        #[test]
        fn rows_are_those_of_the_csv_crate(text in texts()) {
            let (rows, _, fault) = parsed(&text, None);
            let (expected_rows, faulty) = expected(&text);
            match fault {
                None => prop_assert_eq!((rows, None), (expected_rows, faulty)),
                Some(Fault::Width { line, .. } | Fault::Encoding { line, .. }) => {
                    prop_assert_eq!((rows, Some(line)), (expected_rows, faulty));
                }
                // The crate takes the rest of the text for the cell.
                Some(Fault::Unclosed { .. }) => prop_assert_eq!(&rows[..], &expected_rows[..rows.len()]),
                Some(Fault::Length { .. }) => prop_assert!(false, "no row is long"),
            }
        }
    }

    #[test]
    fn a_row_without_its_end_is_left_out_where_the_text_goes_on() {
        let rows = |text: &str, ends| {
            let piece = parse(text.as_bytes(), FORMAT, Some(2), ends);
            (piece.rows.rows.len(), piece.lines, piece.fault.is_some())
        };
        assert_eq!(rows("1,2\n3,4", false), (1, 1, false));
        assert_eq!(rows("1,2\n3,4", true), (2, 1, false));
        assert_eq!(rows("1,2\n3", false), (1, 1, false));
        assert_eq!(rows("1,2\n3", true), (1, 1, true));
        assert_eq!(rows("1,2\n3,\"4\r\n5", false), (1, 2, false));
        assert_eq!(rows("1,2\n3,\"4\r\n5", true), (1, 2, true));
    }

    #[test]
    fn long_rows_are_refused() {
        let long = |start: &str, byte: u8| [start.as_bytes(), &vec![byte; LONGEST_ROW + 1]].concat();
        for (text, quoted) in [
            (long("1,2\n", 0), None),
            (long("1,2\n", b','), None),
            (long("1,2\n3,\"", b'\n'), Some(1)),
            ([&long("1,2\n3,\"", b'x')[..], b"\"\n"].concat(), Some(1)),
            ([&long("1,2\n\"3\",", b'x')[..], b"\n"].concat(), None),
        ] {
            for ends in [false, true] {
                let piece = parse(&text, FORMAT, None, ends);
                assert!(
                    matches!(piece.fault, Some(Fault::Length { line: 1, quote }) if quote == quoted),
                    "{:?}",
                    piece.fault
                );
                assert_eq!((piece.rows.rows.len(), piece.rows.ends.len()), (1, 2));
            }
        }
        let longest = [&vec![b'x'; LONGEST_ROW - 2][..], b",2\n3,4\n"].concat();
        assert!(parse(&longest, FORMAT, None, true).fault.is_none());
    }
}
