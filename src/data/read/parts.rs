//! CSV of any length, a part at a time.

use std::collections::HashSet;
use std::fmt;
use std::mem;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::blocks::{Block, Blocks, End, Sizes};
use super::csv::{CsvOptions, delimiter_of};
use super::foreign;
use super::rows::{Format, Piece, parse};
use super::source::{Source, refusal};
use crate::data::Table;
use crate::data::header;
use crate::error::{Error, Position, Result};
use crate::pool;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The tables that the rows of one CSV file are cut into, one after the other;
/// [`read_csv_parts`](super::read_csv_parts) makes them.
///
/// All have the same columns and, if the file has a header, its names. There is one at least, which has no rows where the
/// file has a header alone, and nothing after an error.
pub struct CsvParts<'a> {
    path: PathBuf,
    options: CsvOptions,
    format: Format,
    blocks: Blocks<'a>,
    /// The block to be parsed next, once it has been read.
    block: Option<Block>,
    /// The memory of the last block, for one to be read.
    memory: Vec<u8>,
    /// The rows of a part; of a file without a header, the first has one more.
    rows: usize,
    /// The rows that have been parsed, when the number of columns is known.
    parsed: Option<Table>,
    /// How many of the parsed rows are in parts already.
    given: usize,
    /// The line ends before the text that is parsed next.
    lines: u64,
    /// The error behind the parsed rows, once nothing more is parsed.
    problem: Option<Error>,
    is_parsed: bool,
    is_first: bool,
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
    pub(super) fn new(path: &Path, source: Source<'a>, options: &CsvOptions, rows: usize) -> Result<Self> {
        CsvParts::in_blocks(path, source, options, rows, Sizes::default())
    }

    /// Reads blocks and pieces of these sizes, which change no result.
    fn in_blocks(
        path: &Path,
        mut source: Source<'a>,
        options: &CsvOptions,
        rows: usize,
        sizes: Sizes,
    ) -> Result<Self> {
        options.check()?;
        let mut head = source.read_up_to(sizes.head as u64)?;
        let start = &head[..head.len().min(foreign::HEAD as usize)];
        if let Some(problem) = foreign::format_of(start) {
            return Err(Error::file(path, Position::File, problem));
        }
        if head.starts_with(BYTE_ORDER_MARK) {
            head.drain(..BYTE_ORDER_MARK.len());
        }
        let quote = options.quote();
        let delimiter = options.delimiter.unwrap_or_else(|| delimiter_of(&head, quote));
        let format = Format { delimiter, quote };
        Ok(CsvParts {
            path: path.to_owned(),
            options: options.clone(),
            format,
            blocks: Blocks::new(head, source, format, sizes),
            block: None,
            memory: Vec::new(),
            rows: rows.max(1),
            parsed: None,
            given: 0,
            lines: 0,
            problem: None,
            is_parsed: false,
            is_first: true,
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
        let table = self.take(self.rows.saturating_add(1))?;
        let mut table = table.ok_or_else(|| self.no_rows("the file has no rows"))?;
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
        if let Some(rest) = &mut self.parsed {
            rest.set_names(table.names().to_vec());
        }
        Ok(table)
    }

    /// The next part, until there is none.
    fn part(&mut self) -> Result<Option<Table>> {
        if mem::take(&mut self.is_first) {
            return self.first().map(Some);
        }
        self.take(self.rows)
    }

    /// Takes the next rows as a table, fewer than wanted if no more are there; `None` if there are none. An error is returned
    /// when it is among these rows.
    fn take(&mut self, wanted: usize) -> Result<Option<Table>> {
        let left = |parts: &Self| parts.parsed.as_ref().map_or(0, Table::rows) - parts.given;
        while left(self) < wanted && !self.is_parsed {
            self.parse_block();
        }
        if left(self) < wanted
            && let Some(problem) = self.problem.take()
        {
            return Err(problem);
        }
        let left = left(self);
        let Some(parsed) = self.parsed.as_mut().filter(|_| left > 0) else {
            return Ok(None);
        };
        if self.given == 0 && left <= wanted {
            let rest = parsed.emptied();
            return Ok(Some(mem::replace(parsed, rest)));
        }
        let part = self.given..self.given + wanted.min(left);
        self.given = part.end;
        Ok(Some(parsed.slice(part)))
    }

    /// Parses the pieces of a block on all threads, while one of them reads the next block.
    fn parse_block(&mut self) {
        if let Some(parsed) = self.parsed.as_mut().filter(|_| self.given > 0) {
            *parsed = parsed.slice(self.given..parsed.rows());
            self.given = 0;
        }
        let block = self.block.take().unwrap_or_else(|| self.blocks.read(Vec::new()));
        let (text, format) = (&block.text, self.format);
        let is_file_end = matches!(block.end, Some(End::File));
        let parse_piece = |piece: &Range<usize>, width| {
            let ends = is_file_end && piece.end == text.len();
            parse(&text[piece.clone()], format, width, ends)
        };
        // The first row, alone in knowing it, tells the number of columns to the pieces behind its own.
        let mut width = self.parsed.as_ref().map(Table::width);
        let mut parsed: Vec<Piece> = Vec::new();
        let mut rest = block.pieces.as_slice();
        while let (None, [first, others @ ..]) = (width, rest) {
            let piece = parse_piece(first, None);
            width = piece.width;
            parsed.push(piece);
            rest = others;
        }
        let parse_all = || -> Vec<Piece> { rest.par_iter().map(|piece| parse_piece(piece, width)).collect() };
        let is_last = block.end.is_some();
        match rest {
            [] if is_last => {}
            [single] if is_last => parsed.push(parse_piece(single, width)),
            _ if is_last => parsed.extend(pool::enter(parse_all)),
            _ => {
                let (blocks, memory) = (&mut self.blocks, mem::take(&mut self.memory));
                let (next, others) = pool::enter(|| rayon::join(|| blocks.read(memory), parse_all));
                self.block = Some(next);
                parsed.extend(others);
            }
        }
        for piece in parsed {
            self.append(piece);
            if self.is_parsed {
                return;
            }
        }
        self.memory = block.text;
        match block.end {
            None => return,
            Some(End::Failure(error)) => {
                let line = Position::Line(1 + self.lines);
                self.problem = Some(refusal(&self.path, line, error));
            }
            Some(End::File | End::Row) => {}
        }
        self.is_parsed = true;
    }

    /// Adds the rows of the next piece, and keeps its fault.
    fn append(&mut self, piece: Piece) {
        let first = 1 + self.lines;
        if let Some(width) = piece.width {
            let table = self.parsed.get_or_insert_with(|| {
                let mut table = Table::new(&self.path, width);
                table.set_missing(self.options.missing.clone());
                table.set_separators(self.options.delimiter, self.options.quote);
                table
            });
            table.append(piece.rows, first);
        }
        self.lines += piece.lines;
        if let Some(fault) = piece.fault {
            self.problem = Some(fault.error(&self.path, first));
            self.is_parsed = true;
        }
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

#[cfg(test)]
mod tests {
    use super::super::super::super::property;
    use super::super::{read_csv_from, read_csv_parts_from};
    use super::*;
    use proptest::prelude::*;
    use std::io::{self, Read};

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

    /// A reader that fails at its end.
    struct Failing<'a>(&'a [u8]);

    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("the device is gone")),
                read => Ok(read),
            }
        }
    }

    /// The cells, with their lines, and the error of all parts of this many rows.
    fn read_in(text: &[u8], fails: bool, rows: usize, sizes: Sizes) -> Vec<String> {
        let path = Path::new("t.csv");
        let options = CsvOptions {
            header: Some(false),
            delimiter: Some(b','),
            ..CsvOptions::default()
        };
        let source = match fails {
            true => Source::of(path, Failing(text)),
            false => Source::of(path, text),
        };
        let parts = CsvParts::in_blocks(path, source.unwrap(), &options, rows, sizes).unwrap();
        let described = |part: Result<Table>| match part {
            Ok(part) => {
                let lines: Vec<u64> = (0..part.rows()).map(|row| part.line(row)).collect();
                format!("{:?} {lines:?}", cells(&part))
            }
            Err(error) => error.to_string(),
        };
        parts.map(described).collect()
    }

    proptest! {
        #![proptest_config(property::config(1500))]

        #[test]
        fn the_sizes_of_blocks_and_pieces_change_nothing(
            parts in prop::collection::vec(prop::sample::select(vec![
                "1,2\n", "3,4\r\n", "5,6\r", "\"7\",8\n", "\"a\nb\",c\n", "\"x\"\"y\r\n\",z\r\n", "p\"q,r\n", "\n", "\r\n",
                "\u{e9},1\n", ",\n", "\"", "\"t\"u,v\n", "1,2,3\n", "\"\",\"\"\n",
            ]), 0..30),
            damaged in prop::option::weighted(0.2, 0..60_usize),
            fails: bool,
            rows in 1..12_usize,
            block in 1..40_usize,
            piece in 1..40_usize,
        ) {
            // The first two bytes, which tell gzip, are read apart.
            let mut text = parts.concat().into_bytes();
            if let Some(byte) = damaged.and_then(|place| text.get_mut(place)) {
                *byte = 0xff;
            }
            let whole = Sizes { head: 0, block: 1 << 20, piece: 1 << 20 };
            prop_assert_eq!(
                read_in(&text, fails && text.len() > 2, rows, Sizes { head: 0, block, piece }),
                read_in(&text, fails && text.len() > 2, rows, whole)
            );
        }
    }

    #[test]
    fn threads_change_nothing() {
        let row = |row: usize| match row % 1000 {
            7 => format!("\"{row}\n\",\"a\"\"b\",{}\r\n", row * 31 % 97),
            _ => format!("{row},{}.5,x\n", row * 17 % 89),
        };
        let text: String = (0..60_000).map(row).collect();
        let read = |threads: usize, text: &str| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(
                || match read_csv_from("t.csv", text.as_bytes(), &CsvOptions::default()) {
                    Ok(table) => (cells(&table), String::new()),
                    Err(error) => (Vec::new(), error.to_string()),
                },
            )
        };
        let expected = read(1, &text);
        assert_eq!(expected.0.len(), 3 * 60_000);
        assert_eq!(read(3, &text), expected);
        // Of several faults, the first in the file is reported.
        let faulty = text
            .replacen("\n40000,", "\n40000,1,", 1)
            .replacen("\n20000,", "\n20000,1,", 1);
        for threads in [1, 3] {
            let (_, error) = read(threads, &faulty);
            assert_eq!(
                error,
                "t.csv: line 20021: the row has 4 columns, and the first row has 3"
            );
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
