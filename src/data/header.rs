//! The decision whether the first line of a table names its columns.

use std::collections::HashSet;

use super::by_rows::by_rows;
use super::read::shorten;
use super::table::{Cell, Table, truth_value};

/// From this many columns on, the first line `0,1,2,...` alone is taken for names: rows of data rarely are that line.
const LONG_SEQUENCE: usize = 4;

/// Up to this many rows, decimals below ascending numbers may be chance.
const FEW_ROWS: usize = 5;

/// Decides whether the first row of a table names the columns, and says why.
///
/// It does if
///
/// - it has all the names that are `known`, those of a model's features;
/// - or more texts of it stand above columns of numbers than it has numbers, or one such text beside the numbers 0, 1, 2, ...;
/// - or it has the numbers 0, 1, 2, ... and texts that no row below repeats, as pandas writes;
/// - or it has ascending whole numbers, and most of these stand above columns of decimals;
/// - or it is the numbers 0, 1, 2, ... of four columns or more, which the second line does not continue, or one of them stands above a column of texts, or an empty cell
///   stands before them, as pandas writes an index;
/// - or it has texts alone, none of which is repeated below, while other texts of a column are.
pub(super) fn decide(table: &Table, known: &[String]) -> (bool, String) {
    let names = |why: String| (true, format!("the first line names the columns: {why}"));
    if !known.is_empty() && holds_all(table, known) {
        return names("they are those of the model".to_owned());
    }
    let first = FirstLine::of(table);
    // A header of many columns is told by a few of them, which need not be read again for the others.
    let needed = match first.is_sequence(2) {
        true => 1,
        false => first.numbers.len() + 1,
    };
    let mut above_numbers = first
        .texts
        .iter()
        .filter(|&&column| has_numbers_alone(table, column))
        .take(needed);
    if let Some(&column) = above_numbers.next()
        && above_numbers.count() + 1 == needed
    {
        let name = shorten(table.text(0, column));
        return names(format!("`{name}` stands above numbers"));
    }
    let repeats = || first.texts.iter().any(|&column| is_repeated(table, column));
    if first.is_sequence(2) && !first.texts.is_empty() && !repeats() {
        return names("it has 0, 1, ... and texts that no row repeats".to_owned());
    }
    let number_columns: Vec<usize> = first.numbers.iter().map(|&(column, _)| column).collect();
    let decimals = || {
        Below::of(table, &number_columns)
            .into_iter()
            .filter(Below::are_decimals)
    };
    let is_told = first.is_sequence(2) || table.rows() > FEW_ROWS;
    if is_told && first.is_ascending() && 2 * decimals().count() > first.numbers.len() && !repeats() {
        return names("it has ascending whole numbers above decimals".to_owned());
    }
    let is_above_texts = || {
        let mut below = Below::of(table, &number_columns).into_iter();
        below.any(|below| below.texts && !below.numbers)
    };
    if first.is_sequence(LONG_SEQUENCE) && !is_continued(table, first.numbers.len())
        || first.texts.is_empty()
            && first.is_sequence(2)
            && (first.is_behind_index(table) || is_above_texts())
    {
        return names("it has 0, 1, 2, ...".to_owned());
    }
    let has_categories = || first.texts.iter().any(|&column| has_few_texts(table, column));
    if first.numbers.is_empty() && !first.texts.is_empty() && !repeats() && has_categories() {
        return names("no row repeats its texts, while rows share theirs".to_owned());
    }
    let why = "the first line is a row of data: it does not look like names";
    (false, why.to_owned())
}

/// Whether a table is a single line of texts: names without rows, most likely.
pub(super) fn is_line_of_texts(table: &Table) -> bool {
    let first = FirstLine::of(table);
    table.rows() == 1 && first.numbers.is_empty() && !first.texts.is_empty()
}

/// The cells of the first line that are not missing.
struct FirstLine {
    /// Columns with a text, truth values left out.
    texts: Vec<usize>,
    /// Columns with a number, and the number if it is written as digits alone.
    numbers: Vec<(usize, Option<u64>)>,
}

impl FirstLine {
    fn of(table: &Table) -> Self {
        let (mut texts, mut numbers) = (Vec::new(), Vec::new());
        for column in 0..table.width() {
            match table.cell(0, column) {
                Cell::Missing => {}
                Cell::Text(text) if truth_value(text).is_none() => texts.push(column),
                Cell::Number(_) | Cell::Text(_) => {
                    let text = table.text(0, column);
                    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                    numbers.push((column, text.parse().ok().filter(|_| digits)));
                }
            }
        }
        FirstLine { texts, numbers }
    }

    /// Whether the numbers are whole, at least two, and each is larger than the one before.
    fn is_ascending(&self) -> bool {
        let ascends =
            |pair: &[(usize, Option<u64>)]| matches!((pair[0].1, pair[1].1), (Some(a), Some(b)) if a < b);
        self.numbers.len() >= 2 && self.numbers.windows(2).all(ascends)
    }

    /// Whether all columns but the first have a number, and the first has nothing.
    fn is_behind_index(&self, table: &Table) -> bool {
        self.numbers.len() + 1 == table.width() && table.cell(0, 0) == Cell::Missing
    }

    /// Whether the numbers are 0, 1, 2, ..., at least so many of them.
    fn is_sequence(&self, least: usize) -> bool {
        let mut places = (0_u64..).zip(&self.numbers);
        self.numbers.len() >= least && places.all(|(place, (_, number))| *number == Some(place))
    }
}

/// Whether the second row goes on counting where the first, 0 to `count` - 1, ends, as rows of counted cells do.
fn is_continued(table: &Table, count: usize) -> bool {
    let numbers = |row: usize| {
        (0..table.width()).filter_map(move |column| match table.cell(row, column) {
            Cell::Number(number) => Some(number),
            Cell::Missing | Cell::Text(_) => None,
        })
    };
    table.rows() > 1 && numbers(1).eq((count..2 * count).map(|number| number as f64))
}

fn holds_all(table: &Table, known: &[String]) -> bool {
    let first: HashSet<&str> = (0..table.width()).map(|column| table.text(0, column)).collect();
    known.iter().all(|name| first.contains(name.as_str()))
}

/// The cells of a column below the first line.
fn below(table: &Table, column: usize) -> impl Iterator<Item = Cell<'_>> {
    (1..table.rows()).map(move |row| table.cell(row, column))
}

/// The kinds of cells of a column below the first line.
#[derive(Debug, Clone, Copy, Default)]
struct Below {
    /// Whether there are numbers or truth values.
    numbers: bool,
    /// Whether there are numbers that are no decimals: written without a point and an exponent, or truth values.
    others: bool,
    /// Whether there are other texts.
    texts: bool,
}

impl Below {
    /// The kinds of cells of some columns.
    fn of(table: &Table, columns: &[usize]) -> Vec<Self> {
        let mut all = vec![Below::default(); columns.len()];
        if columns.is_empty() {
            return all;
        }
        let blocks = by_rows(table.rows(), columns.len(), |rows| {
            let mut found = vec![Below::default(); columns.len()];
            for row in rows.filter(|&row| row > 0) {
                for (below, &column) in found.iter_mut().zip(columns) {
                    below.add(table, row, column);
                }
            }
            found
        });
        for block in blocks {
            for (all, below) in all.iter_mut().zip(block) {
                all.numbers |= below.numbers;
                all.others |= below.others;
                all.texts |= below.texts;
            }
        }
        all
    }

    /// Adds a cell to those of a column.
    fn add(&mut self, table: &Table, row: usize, column: usize) {
        let text = table.text(row, column);
        // Numbers of digits need not be computed to be told, unless one may stand for a missing value.
        let is_number = table.missing().is_none() && is_plain_number(text)
            || match table.cell(row, column) {
                Cell::Missing => return,
                Cell::Number(_) => true,
                Cell::Text(text) if truth_value(text).is_some() => {
                    self.others = true;
                    true
                }
                Cell::Text(_) => false,
            };
        match is_number {
            true => self.numbers = true,
            false => self.texts = true,
        }
        self.others |= is_number && !text.contains(['.', 'e', 'E']);
    }

    /// Whether all cells are written with a decimal point or an exponent, as programs write a column of decimals.
    fn are_decimals(&self) -> bool {
        self.numbers && !self.others && !self.texts
    }
}

/// Whether a column has numbers or truth values below the first line, and no other texts.
fn has_numbers_alone(table: &Table, column: usize) -> bool {
    let blocks = by_rows(table.rows(), 1, |rows| {
        let mut found = Below::default();
        for row in rows.filter(|&row| row > 0) {
            found.add(table, row, column);
            if found.texts {
                break;
            }
        }
        found
    });
    blocks.iter().any(|below| below.numbers) && !blocks.iter().any(|below| below.texts)
}

/// Whether a text is digits, with or without a sign and a point: a number for certain. Others may be numbers, too.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text).as_bytes();
    let (mut points, mut others) = (0, 0);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {}
            b'.' => points += 1,
            _ => others += 1,
        }
    }
    others == 0 && points <= 1 && digits.len() > points
}

fn is_repeated(table: &Table, column: usize) -> bool {
    let first = table.cell(0, column);
    below(table, column).any(|cell| cell == first)
}

/// Whether each text below stands in two rows on average.
fn has_few_texts(table: &Table, column: usize) -> bool {
    let mut different = HashSet::new();
    let mut texts = 0;
    for cell in below(table, column) {
        if let Cell::Text(text) = cell {
            different.insert(text);
            texts += 1;
        }
    }
    texts > 2 && different.len() * 2 <= texts
}

#[cfg(test)]
mod tests {
    use super::is_plain_number;
    use crate::data::read::{CsvOptions, read_csv_from, table_of};

    fn names(content: &str) -> String {
        let table = table_of(content);
        table.names().join("|")
    }

    #[test]
    fn plain_numbers_are_numbers() {
        for text in ["1", "-1", "+1.", ".5", "-0.25", "00.10", &"9".repeat(400)] {
            assert!(is_plain_number(text) && text.parse::<f64>().is_ok(), "{text}");
        }
        for text in [
            "", "-", ".", "-.", "1.2.3", "--1", "1e5", "1 ", "x", "inf", "\u{0661}",
        ] {
            assert!(!is_plain_number(text), "{text}");
        }
    }

    #[test]
    fn texts_above_numbers_are_names() {
        assert_eq!(names("a,b\n1,x\n2,y\n"), "a|b");
        assert_eq!(names("a,b\n?,x\n2,y\n"), "a|b", "missing values are no text");
        assert_eq!(names("a,b\nTrue,x\nFalse,y\n"), "a|b", "truth values are numbers");
        assert_eq!(names(",a\n0,5\n1,6\n"), "column 0|a");
        assert_eq!(names("1,x\n2,y\n"), "");
        assert_eq!(names("a,b\nc,d\n"), "", "nothing but text");
        assert_eq!(names("a,b\n,\n"), "");
        // A row of data with a text in it.
        assert_eq!(names("5.1,unknown,1\n4.9,3.0,0\n6.0,2.5,1\n"), "");
        assert_eq!(names("5,unknown\n4,3\n6,2\n"), "");
        assert_eq!(names("id,a,b,-1\n7,1,2,3\n"), "id|a|b|-1");
        assert_eq!(names("1.5,oak\n2.5,elm\n3.5,oak\n"), "");
    }

    #[test]
    fn numbers_as_pandas_writes_them_are_names() {
        assert_eq!(names("0,1,target\n5,6,7\n"), "0|1|target");
        assert_eq!(
            names("0,1,2,target\n5.1,3.5,1,setosa\n4.9,3.0,1,virginica\n"),
            "0|1|2|target"
        );
        assert_eq!(names("0,1,2\n5.1,3.5,1\n4.9,3.0,0\n"), "0|1|2");
        let rows = "north,1.5,2.5\nsouth,1.0,2.0\n";
        let years = |count| format!("region,2019,2020\n{}", rows.repeat(count));
        assert_eq!(names(&years(3)), "region|2019|2020");
        assert_eq!(names(&years(1)), "", "too few rows to tell");
        assert_eq!(names("0,1,2,3\n5,6,7,1\n8,9,1,0\n"), "0|1|2|3", "integers alone");
        assert_eq!(
            names("0,1,2,3\n0,1,2,3\n4,5,6,7\n"),
            "0|1|2|3",
            "above counted cells"
        );
        assert_eq!(names("0,1,2,3\n4,5,6,7\n8,9,10,11\n"), "", "counted cells");
        assert_eq!(names("0,1,2\n5,6,no\n8,9,yes\n"), "0|1|2", "integers and a text");
        assert_eq!(names(",0,1\n0,5,6\n1,8,9\n"), "column 0|0|1", "with the index");
        // Data that only begin alike.
        assert_eq!(names("0,1,oak\n1,0,elm\n0,0,oak\n"), "");
        assert_eq!(names("0,1\n0.5,0.8\n1,0.2\n"), "");
        assert_eq!(names("0,1,2\n5,6,7\n8,9,1\n"), "");
        assert_eq!(names("1,2,3\n4,5,6\n"), "");
    }

    #[test]
    fn texts_that_no_row_repeats_are_names() {
        let rows = "red,round\nblue,round\nred,long\nred,long\n";
        assert_eq!(names(&format!("colour,shape\n{rows}")), "colour|shape");
        assert_eq!(names(&format!("blue,long\n{rows}")), "");
    }

    #[test]
    fn the_names_of_a_model_are_known() {
        let options = CsvOptions {
            names: vec!["colour".into(), "shape".into()],
            ..CsvOptions::default()
        };
        let read = |content: &str| read_csv_from("t.csv", content.as_bytes(), &options).unwrap();
        let table = read("shape,colour,more\nround,red,x\n");
        assert_eq!((table.names().len(), table.rows()), (3, 1));
        assert!(table.header_reason().unwrap().contains("those of the model"));
        assert_eq!(read("round,red\n").rows(), 1, "a row, since it has other texts");
    }

    #[test]
    fn a_line_of_texts_has_no_rows() {
        let error = read_csv_from("t.csv", &b"a,b\n"[..], &CsvOptions::default()).unwrap_err();
        assert!(error.to_string().contains("no rows"), "{error}");
    }
}
