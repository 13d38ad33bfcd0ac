//! CSV files of any making, as tables of text.

use std::io::Read;
use std::path::Path;

use super::parts::CsvParts;
use super::source::Source;
use crate::data::Table;
use crate::error::{Error, Result};

/// How a CSV file is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// Whether the first row names the columns. Default: it does if it has text above a column of numbers, or the numbers
    /// 0, 1, 2, ... as pandas writes (alone, four or more that the second row does not continue), or ascending whole numbers above decimals, or texts that no row below repeats while
    /// rows share theirs. [`Examples::reason`](crate::data::Examples) says what was decided.
    pub header: Option<bool>,
    /// The byte between cells. Default: a tab or a semicolon if each of the first lines has it equally often, else a comma.
    pub delimiter: Option<u8>,
    /// The byte around cells that hold delimiters or line ends; two of them stand for one inside. Default: `"`.
    pub quote: Option<u8>,
    /// The spellings of a missing value, as they are written; an empty cell is missing in any case. Default: `NA`, `N/A`,
    /// `#N/A`, `#NA`, `<NA>`, `NaN`, `-NaN`, `null`, `none` and `?`, in any case.
    pub missing: Option<Vec<String>>,
    /// Names of columns: a first row that has all of them is a header. Those of a model's features, for example. Default:
    /// none.
    pub names: Vec<String>,
}

impl CsvOptions {
    /// The byte around cells.
    pub(super) fn quote(&self) -> u8 {
        self.quote.unwrap_or(b'"')
    }

    /// Refuses bytes that cannot be told from others.
    pub(super) fn check(&self) -> Result<()> {
        const EXPECTED: &str = "one byte, no line end, and another than the other of both";
        let shown = |byte: u8| char::from(byte).escape_default();
        let is_usable = |byte: u8| byte.is_ascii() && !matches!(byte, b'\n' | b'\r');
        if let Some(delimiter) = self.delimiter
            && (!is_usable(delimiter) || delimiter == self.quote())
        {
            return Err(Error::option("delimiter", shown(delimiter), EXPECTED));
        }
        if !is_usable(self.quote()) {
            return Err(Error::option("quote", shown(self.quote()), EXPECTED));
        }
        Ok(())
    }
}

/// Lines by which the delimiter is told.
const HEAD_LINES: usize = 10;

/// Reads a CSV file, gzip or not.
///
/// Cells may be quoted, and then hold delimiters and line ends; white space around them is dropped. Lines may end in
/// any system's way; empty ones are passed over.
///
/// # Errors
///
/// [`Error::Io`](crate::Error::Io) if the file cannot be read; [`Error::InvalidFile`](crate::Error::InvalidFile), with
/// the line, for a row of more or fewer cells
/// than the first, a row of more than 16 MB, a quote that is never closed, text that is not UTF-8, two columns of one name, no
/// rows at all, a file of another format (Parquet, Excel, JSON, ...), or damaged gzip;
/// [`Error::InvalidOption`](crate::Error::InvalidOption) for a delimiter or a quote that is a line end, or both the same.
///
/// ```
/// use mfnet::data::read::{CsvOptions, read_csv};
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("trees.csv");
/// std::fs::write(&path, "height,kind\n12.5,oak\n9,\"Betula, young\"\n")?;
/// let table = read_csv(&path, &CsvOptions::default())?;
/// assert_eq!(table.names(), ["height", "kind"]);
/// assert_eq!((table.rows(), table.text(1, 1)), (2, "Betula, young"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_csv(path: &Path, options: &CsvOptions) -> Result<Table> {
    read(path, Source::open(path)?, options)
}

/// Reads CSV from anywhere, such as standard input; `name` is what errors call it.
///
/// # Errors
///
/// As [`read_csv`].
pub fn read_csv_from(name: &str, reader: impl Read + Send, options: &CsvOptions) -> Result<Table> {
    let name = Path::new(name);
    read(name, Source::of(name, reader)?, options)
}

/// Reads a CSV file as [`read_csv`] does, a number of rows at a time, so that a file of any length fits into memory.
///
/// Whether the first row names the columns is told by the rows of the first part. A file that has names and no rows gives one
/// part, a table without rows.
///
/// # Errors
///
/// As [`read_csv`], those of a row when its part is read.
///
/// ```
/// use mfnet::data::read::{CsvOptions, read_csv_parts};
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("trees.csv");
/// std::fs::write(&path, "height,kind\n12.5,oak\n9,birch\n14,oak\n")?;
/// let mut rows = Vec::new();
/// for part in read_csv_parts(&path, &CsvOptions::default(), 2)? {
///     let part = part?;
///     assert_eq!(part.names(), ["height", "kind"]);
///     rows.push(part.rows());
/// }
/// assert_eq!(rows, [2, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_csv_parts(path: &Path, options: &CsvOptions, rows: usize) -> Result<CsvParts<'static>> {
    CsvParts::new(path, Source::open(path)?, options, rows)
}

/// Reads CSV from anywhere, a number of rows at a time; `name` is what errors call it.
///
/// # Errors
///
/// As [`read_csv_parts`].
pub fn read_csv_parts_from<'a>(
    name: &str,
    reader: impl Read + Send + 'a,
    options: &CsvOptions,
    rows: usize,
) -> Result<CsvParts<'a>> {
    let name = Path::new(name);
    CsvParts::new(name, Source::of(name, reader)?, options, rows)
}

fn read(path: &Path, source: Source<'_>, options: &CsvOptions) -> Result<Table> {
    CsvParts::new(path, source, options, usize::MAX)?.whole()
}

/// The beginning of a text, to be shown.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 30;
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

/// The byte between the cells of these lines.
pub(super) fn delimiter_of(head: &[u8], quote: u8) -> u8 {
    let steady = |delimiter: u8| {
        let mut counts = counts_of(head, delimiter, quote).into_iter();
        counts
            .next()
            .is_some_and(|first| first > 0 && counts.all(|count| count == first))
    };
    // Decimal commas are rarer than commas, but a file of both is one of semicolons.
    b"\t;"
        .iter()
        .copied()
        .find(|&delimiter| delimiter != quote && steady(delimiter))
        .unwrap_or(b',')
}

/// How often a byte stands outside quotes in each of the first lines, empty ones left out.
fn counts_of(head: &[u8], byte: u8, quote: u8) -> Vec<usize> {
    let (mut counts, mut count, mut quoted, mut empty) = (Vec::new(), 0, false, true);
    for &found in head {
        match found {
            _ if found == quote => quoted = !quoted,
            b'\r' | b'\n' if !quoted => {
                if !empty {
                    counts.push(count);
                }
                (count, empty) = (0, true);
                continue;
            }
            _ if found == byte && !quoted => count += 1,
            _ => {}
        }
        empty = false;
    }
    // The last line may be cut, unless it is all there is.
    if counts.is_empty() {
        counts.push(count);
    }
    counts.truncate(HEAD_LINES);
    counts
}

/// Reads a table that the tests write down.
#[cfg(test)]
pub(crate) fn table_of(content: &str) -> Table {
    read_csv_from("t.csv", content.as_bytes(), &CsvOptions::default()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::super::super::super::property;
    use super::super::source::tests::{file_of, gzipped};
    use super::*;
    use crate::error::{Error, Position};
    use proptest::prelude::*;

    fn table(content: &str) -> Result<Table> {
        read_csv(file_of(content.as_bytes()).path(), &CsvOptions::default())
    }

    fn rows(table: &Table) -> Vec<Vec<&str>> {
        let row = |row| (0..table.width()).map(|column| table.text(row, column)).collect();
        (0..table.rows()).map(row).collect()
    }

    #[test]
    fn every_way_to_write_a_table_gives_the_same() {
        let plain = "a,b\n1,x y\n-2.5,\"z, z\"\n";
        let packed = file_of(&gzipped(plain.as_bytes()));
        let packed = read_csv(packed.path(), &CsvOptions::default()).unwrap();
        assert_eq!(packed.names(), ["a", "b"]);
        assert_eq!(rows(&packed), [["1", "x y"], ["-2.5", "z, z"]]);
        for content in [
            plain.to_owned(),
            plain.trim_end().to_owned(),
            plain.replace('\n', "\r\n"),
            plain.replace('\n', "\r"),
            format!("\u{feff}{plain}\n\n\r\n"),
            plain.replace("1,", " 1 , "),
            plain
                .replace("\"z, z\"", "\"z; z\"")
                .replace(',', ";")
                .replace("z; z", "z, z"),
            plain.replace(',', "\t").replace("z\t z", "z, z"),
        ] {
            let table = table(&content).unwrap();
            assert_eq!(table.names(), packed.names(), "{content:?}");
            assert_eq!(rows(&table), rows(&packed), "{content:?}");
        }
        let piped = read_csv_from("standard input", plain.as_bytes(), &CsvOptions::default()).unwrap();
        assert_eq!(rows(&piped), rows(&packed));
    }

    #[test]
    fn a_header_can_be_told() {
        let told = |header| CsvOptions {
            header: Some(header),
            ..CsvOptions::default()
        };
        let read = |content: &str, header| read_csv_from("t", content.as_bytes(), &told(header));
        assert_eq!(read("a,b\nc,d\n", true).unwrap().names(), ["a", "b"]);
        assert_eq!(read("a,b\n1,2\n", false).unwrap().rows(), 2);
        let error = read("a,b\n", true).unwrap_err().to_string();
        assert!(error.contains("no rows below"), "{error}");
        let parts = read_csv_parts_from("t", &b"a,b\n"[..], &told(true), 5).unwrap();
        let tables: Vec<Table> = parts.map(Result::unwrap).collect();
        assert_eq!((tables.len(), tables[0].rows()), (1, 0));
    }

    #[test]
    fn delimiter_and_quote_can_be_chosen() {
        let options = |delimiter, quote| CsvOptions {
            delimiter: Some(delimiter),
            quote: Some(quote),
            ..CsvOptions::default()
        };
        let content = "a|b\n1|'x|y'\n2|'it''s'\n";
        let table = read_csv_from("t", content.as_bytes(), &options(b'|', b'\'')).unwrap();
        assert_eq!(rows(&table), [["1", "x|y"], ["2", "it's"]]);
        for (delimiter, quote) in [(b'\n', b'"'), (b',', b'\r'), (b',', b','), (0xc3, b'"')] {
            let error = read_csv_from("t", &b"a,b\n1,2\n"[..], &options(delimiter, quote)).unwrap_err();
            assert!(matches!(error, Error::InvalidOption { .. }), "{error}");
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_is_named_with_its_line() {
        for (content, line) in [
            ("a,b\n1,2\n3,\"4\n5,6\n7,8\n9\n", 3),
            ("a,b\n1,\"x\ny\"\n\n3,\"4\n5,6", 5),
            ("a,b\n1,\"x\"\"\n2,y\n", 2),
            ("\"a,b\n1,2\n", 1),
        ] {
            for content in [content.to_owned(), content.replace('\n', "\r\n")] {
                let error = table(&content).unwrap_err();
                let expected = Position::Line(line);
                assert!(
                    matches!(error, Error::InvalidFile { position, .. } if position == expected),
                    "{content:?}: {error}"
                );
                assert!(error.to_string().contains("never closed"), "{error}");
            }
        }
        // Quotes within a cell are letters.
        assert_eq!(rows(&table("a,b\n1,5\" pipe\n").unwrap()), [["1", "5\" pipe"]]);
        assert_eq!(rows(&table("a,b\n1,\"\"\n").unwrap()), [["1", ""]]);
    }

    #[test]
    fn delimiters_are_told_apart() {
        let delimiter_of_head = |head: &[u8]| delimiter_of(head, b'"');
        assert_eq!(delimiter_of_head(b"a;b\n1,5;2,5\n"), b';');
        assert_eq!(delimiter_of_head(b"1,5;2,5\n"), b';');
        assert_eq!(delimiter_of_head(b"a,b\nx; y,2\nz,3\n"), b',');
        assert_eq!(delimiter_of_head(b"a,\"b;c\"\n1,\"2;3\"\n"), b',');
        assert_eq!(delimiter_of_head(b"a\tb\n1\t2\n3\t4"), b'\t');
        assert_eq!(delimiter_of_head(b""), b',');
    }

    #[test]
    fn a_refusal_names_the_line() {
        let cases = [
            (
                "a,b\n1,2\n3\n",
                3,
                "the row has 1 columns, and the first row has 2",
            ),
            ("a,b\n\n\n1,2\n\n3,4,5\n", 6, "the row has 3 columns"),
            ("a,b\n1,\"x\ny\"\n3\n", 4, "the row has 1 columns"),
            ("a,b\n1,\"x\n\"\n3\n", 4, "the row has 1 columns"),
            ("a,a\n1,2\n", 1, "two columns are named `a`"),
            ("", 1, "no rows"),
            ("\n\r\n\n", 1, "no rows"),
        ];
        for (content, expected, problem) in cases {
            for content in [content.to_owned(), content.replace('\n', "\r\n")] {
                match table(&content) {
                    Err(Error::InvalidFile {
                        position: Position::Line(line),
                        problem: found,
                        ..
                    }) => {
                        assert_eq!(line, expected, "{content:?}: {found}");
                        assert!(found.contains(problem), "{found} is not {problem}");
                    }
                    other => panic!("{content:?}: {other:?}"),
                }
            }
        }
        let latin = read_csv_from("t.csv", &b"a,b\n1,caf\xe9\n"[..], &CsvOptions::default()).unwrap_err();
        assert!(
            latin.to_string().starts_with("t.csv: line 2, column 2: "),
            "{latin}"
        );
    }

    #[test]
    fn damage_and_refusal_are_told_apart() {
        let packed = gzipped(b"a,b\n1,2\n");
        let cut = file_of(&packed[..packed.len() - 4]);
        let error = read_csv(cut.path(), &CsvOptions::default()).unwrap_err();
        assert!(matches!(error, Error::InvalidFile { .. }), "{error}");
        let missing = read_csv(Path::new("no/such.csv"), &CsvOptions::default()).unwrap_err();
        assert!(matches!(missing, Error::Io { .. }), "{missing}");
        // Damage behind the head is met by the reader of rows.
        let long: String = (0..40_000)
            .map(|row| format!("{row},{}\n", row * 7919 % 10_007))
            .collect();
        let packed = gzipped(long.as_bytes());
        let cut = file_of(&packed[..packed.len() - 4]);
        let error = read_csv(cut.path(), &CsvOptions::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("gzip stream is damaged"), "{error}");
    }

    proptest! {
        #![proptest_config(property::config(128))]

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop::sample::select(
            b"a1,;\t\"\r\n \xff.".to_vec()), 0..64)) {
            if let Ok(table) = read_csv_from("bytes", bytes.as_slice(), &CsvOptions::default()) {
                prop_assert!(rows(&table).iter().all(|row| row.len() == table.width()));
            }
        }
    }
}
