//! The features in a table's cells: numbers, truth values, and categories.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ndarray::{Array2, ArrayViewMut1};

use super::by_rows::{by_rows, fill_by_rows, first_row};
use super::notation::foreign_notation;
use super::read::shorten;
use super::rounding::Rounding;
use super::table::{Cell, Table, truth_value};
use crate::element::Element;
use crate::error::Error;

/// The most different texts of a column that is taken for categories by itself.
const MOST_CATEGORIES: usize = 100;
/// The most categories of a column that the user names.
const MOST_ASKED: usize = 1000;
/// The most different texts of a model's categories in a table, most of which it does not know then.
const MOST_TEXTS: usize = 1 << 20;

/// The use of a feature's column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Numbers, or categories if it has texts alone, and few different ones.
    Inferred,
    /// Categories, since the user says so.
    Asked,
    /// Numbers, since a model takes such.
    Numbers,
    /// Categories, since a model takes such.
    Categories,
}

/// The features of a table's rows.
pub(super) struct Features<T> {
    /// Rows x columns: numbers, 1 and 0 for truth values, the numbers of categories, NaN where a value is missing.
    pub(super) values: Array2<T>,
    /// For each column the texts of its categories, sorted; none for numbers. Empty if all columns are numbers.
    pub(super) texts: Vec<Vec<String>>,
    /// For each column the rounding of its numbers.
    pub(super) roundings: Vec<Rounding>,
}

/// What the cells of a column have in them, as far as they are read: up to the first text.
struct Column {
    /// The row of the first text.
    first_text: Option<usize>,
    /// The first number that is none of the features' type.
    problem: Option<Error>,
    rounding: Rounding,
}

impl Column {
    fn new() -> Self {
        Column {
            first_text: None,
            problem: None,
            rounding: Rounding::new(),
        }
    }

    /// Goes on by the rows that follow.
    fn extend(&mut self, below: Column) {
        if self.first_text.is_none() {
            self.first_text = below.first_text;
            self.problem = self.problem.take().or(below.problem);
            self.rounding.extend(&below.rounding);
        }
    }

    /// Reads a cell of a column of numbers.
    fn number<T: Element>(&mut self, cell: Cell<'_>, table: &Table, row: usize, column: usize) -> T {
        match cell {
            Cell::Missing => T::nan(),
            Cell::Number(number) => {
                self.rounding.add::<T>(number);
                checked(table, row, column, number).unwrap_or_else(|problem| {
                    self.problem.get_or_insert(problem);
                    T::zero()
                })
            }
            Cell::Text(text) => truth_value(text).map_or_else(
                || {
                    self.first_text = Some(row);
                    T::zero()
                },
                T::from_f64,
            ),
        }
    }
}

/// Reads columns of features, each by its use; a problem for each column that cannot be read.
pub(super) fn read_features<T: Element>(
    table: &Table,
    columns: &[usize],
    uses: &[Use],
    missing: Option<&[String]>,
) -> Result<Features<T>, Vec<Error>> {
    let mut values = vec![T::zero(); table.rows() * columns.len()];
    let is_read = |place: usize| !matches!(uses[place], Use::Asked | Use::Categories);
    let blocks = fill_by_rows(&mut values, columns.len(), |rows, values| {
        let mut found: Vec<Column> = columns.iter().map(|_| Column::new()).collect();
        for (row, values) in rows.zip(values.chunks_mut(columns.len())) {
            let cells = table.row(row);
            for (place, value) in values.iter_mut().enumerate() {
                if is_read(place) && found[place].first_text.is_none() {
                    let cell = Cell::of(cells.text(columns[place]), missing);
                    *value = found[place].number(cell, table, row, columns[place]);
                }
            }
        }
        found
    });
    let mut found: Vec<Column> = columns.iter().map(|_| Column::new()).collect();
    for block in blocks {
        found
            .iter_mut()
            .zip(block)
            .for_each(|(column, below)| column.extend(below));
    }
    let mut values = Array2::from_shape_vec((table.rows(), columns.len()), values)
        .expect("there is a value for each row and column");
    // The row of the first text in each column, and the problem that ends the reading of a column.
    let mut first_text = Vec::with_capacity(columns.len());
    let mut roundings = Vec::with_capacity(columns.len());
    let mut problems: BTreeMap<usize, Error> = BTreeMap::new();
    for (place, column) in found.into_iter().enumerate() {
        first_text.push(column.first_text);
        roundings.push(column.rounding);
        problems.extend(column.problem.map(|problem| (place, problem)));
    }
    let mut texts = vec![Vec::new(); columns.len()];
    for (place, &column) in columns.iter().enumerate() {
        if problems.contains_key(&place) {
            continue;
        }
        let most = match (uses[place], first_text[place]) {
            (Use::Asked, _) => MOST_ASKED,
            (Use::Categories, _) => MOST_TEXTS,
            (_, None) => continue,
            (Use::Numbers, Some(row)) => {
                problems.insert(place, not_a_number(table, row, column, missing));
                continue;
            }
            (Use::Inferred, Some(row)) => match refuse_mixture(table, row, column, missing) {
                Ok(()) => MOST_CATEGORIES,
                Err(problem) => {
                    problems.insert(place, problem);
                    continue;
                }
            },
        };
        match categories(table, column, missing, values.column_mut(place)) {
            Ok(own) => {
                match refuse_identifier(table, column, &own, most, uses[place], values.column(place)) {
                    Ok(()) => texts[place] = own,
                    Err(problem) => drop(problems.insert(place, problem)),
                }
            }
            Err(problem) => drop(problems.insert(place, problem)),
        }
    }
    if !problems.is_empty() {
        return Err(problems.into_values().collect());
    }
    if texts.iter().all(Vec::is_empty) {
        texts.clear();
    }
    Ok(Features {
        values,
        texts,
        roundings,
    })
}

/// A number as a `T`, or the problem that it has.
pub(super) fn checked<T: Element>(table: &Table, row: usize, column: usize, number: f64) -> Result<T, Error> {
    let value = T::from_f64(number);
    if value.is_finite() {
        return Ok(value);
    }
    let text = shorten(table.text(row, column));
    Err(if number.is_finite() {
        table.refuse(
            row,
            column,
            format_args!("{text:?} is beyond the range of {}", T::NAME),
        )
    } else {
        table.refuse(row, column, format_args!("{text:?} is not a finite number"))
    })
}

/// Refuses a column whose numbers differ by less than a `T` can tell.
pub(super) fn refuse_lost_differences<T: Element>(
    table: &Table,
    column: usize,
    rounding: &Rounding,
) -> Result<(), Error> {
    match rounding.problem::<T>() {
        Some(problem) => {
            let name = table.column_name(column);
            Err(table.refuse_all(format_args!("{name} {problem}")))
        }
        None => Ok(()),
    }
}

/// The problem of a text where a number must be.
pub(super) fn not_a_number(table: &Table, row: usize, column: usize, missing: Option<&[String]>) -> Error {
    let text = table.text(row, column);
    let problem = match foreign_notation(text) {
        Some(notation) => format!("{:?} {notation}", shorten(text)),
        None => {
            let is_number = |row: &usize| matches!(table.cell_by(*row, column, missing), Cell::Number(_));
            let numbers = (0..table.rows()).filter(is_number).count();
            let others = match numbers {
                0 => String::new(),
                numbers => format!(", as {numbers} of the column's cells are"),
            };
            let header = match row == 0 && table.names().is_empty() {
                true => "; if the first line names the columns, say so with --header yes",
                false => "",
            };
            format!(
                "{:?} is not a number{others}{header}; if it stands for a missing value, train with --missing, if the column is a \
                 feature of categories, with --categorical, else with --ignore",
                shorten(text)
            )
        }
    };
    table.refuse(row, column, problem)
}

/// Refuses a column of texts that has numbers too, or whose texts are all numbers in another notation; `row` has its first
/// text.
fn refuse_mixture(table: &Table, row: usize, column: usize, missing: Option<&[String]>) -> Result<(), Error> {
    let cell = |row| table.cell_by(row, column, missing);
    let is_number = |row| matches!(cell(row), Cell::Number(_));
    let is_own = |row| matches!(cell(row), Cell::Text(text) if foreign_notation(text).is_none());
    if first_row(table.rows(), is_number).is_some() || first_row(table.rows(), is_own).is_none() {
        return Err(not_a_number(table, row, column, missing));
    }
    Ok(())
}

/// The texts of a column's categories, sorted, and their numbers in `values`.
fn categories<T: Element>(
    table: &Table,
    column: usize,
    missing: Option<&[String]>,
    mut values: ArrayViewMut1<'_, T>,
) -> Result<Vec<String>, Error> {
    let category = |row| match table.cell_by(row, column, missing) {
        Cell::Missing => None,
        // As they are written: 01234 and 1234, or 1e3 and 1000, may be two codes.
        Cell::Number(_) | Cell::Text(_) => Some(table.text(row, column)),
    };
    let mut different: BTreeSet<&str> = BTreeSet::new();
    let texts = |rows: Range<usize>| rows.filter_map(category).collect::<BTreeSet<_>>();
    for texts in by_rows(table.rows(), 1, texts) {
        different.extend(texts);
        if different.len() > MOST_TEXTS {
            return Err(table.refuse_all(format_args!(
                "{} holds more than {MOST_TEXTS} different texts, which are no categories",
                table.column_name(column)
            )));
        }
    }
    let places: BTreeMap<&str, usize> = different.iter().copied().zip(0..).collect();
    let number = |row| match category(row) {
        Some(text) => T::from_f64(places[text] as f64),
        None => T::nan(),
    };
    let numbers = by_rows(table.rows(), 1, |rows| rows.map(number).collect::<Vec<T>>());
    for (value, number) in values.iter_mut().zip(numbers.into_iter().flatten()) {
        *value = number;
    }
    Ok(different.into_iter().map(str::to_owned).collect())
}

/// Refuses a column with too many categories for an indicator each, or with nearly as many as it has values.
fn refuse_identifier<T: Element>(
    table: &Table,
    column: usize,
    texts: &[String],
    most: usize,
    use_: Use,
    values: ndarray::ArrayView1<'_, T>,
) -> Result<(), Error> {
    let (name, different) = (table.column_name(column), texts.len());
    let rows = values.iter().filter(|value| !value.is_nan()).count();
    let is_identifier = different > 2 && different * 4 > rows * 3;
    if use_ == Use::Inferred && (different > most || is_identifier) {
        return Err(table.refuse_all(format_args!(
            "{name} has {different} different texts in {rows} rows and looks like an identifier: leave it out with \
             --ignore, or name it with --categorical if these are categories"
        )));
    }
    if use_ == Use::Asked && different > most {
        return Err(table.refuse_all(format_args!(
            "{name} has {different} different values, and categories are encoded up to {most}: leave it out with --ignore"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::data::read::table_of;
    use crate::data::{Columns, Examples, Inputs};
    use crate::error::Result;
    use ndarray::array;

    fn read(content: &str, columns: &Columns) -> Result<Examples<f64>> {
        table_of(content).examples(columns)
    }

    fn message(content: &str) -> String {
        read(content, &Columns::default()).unwrap_err().to_string()
    }

    #[test]
    fn truth_values_are_numbers_beside_numbers_and_alone() {
        let examples = read("a,b,y\nTrue,1,0.5\nFALSE,true,1\n,0,2\n", &Columns::default()).unwrap();
        let Inputs::Values(values) = examples.samples.inputs() else {
            panic!("numbers");
        };
        assert_eq!(values.slice(ndarray::s![..2, ..]), array![[1.0, 1.0], [0.0, 1.0]]);
        assert!(values[[2, 0]].is_nan());
        assert_eq!(examples.schema.categories, [[""; 0]; 0]);
    }

    #[test]
    fn texts_are_categories_by_themselves_and_numbers_as_they_are_written_if_asked() {
        let content = "a,b,y\nred,2,0.5\nblue,10,1\nred,2,2\n,,2\n";
        let asked = Columns {
            categorical: vec!["b".into()],
            ..Columns::default()
        };
        let examples = read(content, &asked).unwrap();
        assert_eq!(examples.schema.categories, [["blue", "red"], ["10", "2"]]);
        let Inputs::Values(values) = examples.samples.inputs() else {
            panic!("numbers");
        };
        assert_eq!(
            values.slice(ndarray::s![..3, ..]),
            array![[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
        );
        let codes = read("b,y\n01234,0.5\n1234,1\n1e3,2\n1000,2\n", &asked).unwrap();
        assert_eq!(codes.schema.categories, [["01234", "1000", "1234", "1e3"]]);
        assert!(values.row(3).iter().all(|value| value.is_nan()));
        let unknown = Columns {
            categorical: vec!["c".into()],
            ..Columns::default()
        };
        assert!(
            read(content, &unknown)
                .unwrap_err()
                .to_string()
                .contains("no column `c`")
        );
    }

    #[test]
    fn numbers_that_rounding_makes_equal_are_refused() {
        let rows: String = (0..60)
            .map(|i| format!("{},{}\n", 1_600_000_000 + i, 20_000_000.5 + f64::from(i)))
            .collect();
        let table = table_of(&format!("a,y\n{rows}"));
        let error = table
            .examples::<f32>(&Columns::default())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("column `a` has numbers from 1600000000 to 1600000059, which f32 rounds by up to"),
            "{error}"
        );
        let only_target = Columns {
            ignore: vec!["a".into()],
            targets: vec!["y".into()],
            ..Columns::default()
        };
        assert!(table.examples::<f64>(&Columns::default()).is_ok());
        let narrow = "a,y\n1,20000000.5\n2,20000001.5\n3,20000002.5\n4,20000003.5\n";
        let table = table_of(narrow);
        let error = table
            .examples::<f32>(&Columns::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("column `y` has numbers"), "{error}");
        assert!(table.examples::<f32>(&only_target).is_err(), "no feature is left");
        // Large numbers whose differences are as large are no problem, nor is a constant.
        let wide = "a,b,y\n1e30,16777217,0.5\n2e30,16777217,0.1\n-1e30,16777217,7\n";
        let table = table_of(wide);
        assert!(table.examples::<f32>(&Columns::default()).is_ok());
    }

    #[test]
    fn identifiers_are_refused() {
        let names: String = (0..40).map(|row| format!("n{row},{row}.5\n")).collect();
        let found = message(&format!("name,y\n{names}"));
        assert!(
            found.contains("column `name` has 40 different texts in 40 rows and looks like an identifier: leave it out with --ignore"),
            "{found}"
        );
        let many: String = (0..404).map(|row| format!("n{},{row}.5\n", row % 101)).collect();
        let many = format!("name,y\n{many}");
        assert!(message(&many).contains("101 different texts in 404 rows"));
        let asked = Columns {
            categorical: vec!["name".into()],
            ..Columns::default()
        };
        assert_eq!(read(&many, &asked).unwrap().schema.categories[0].len(), 101);
        let few: String = (0..12).map(|row| format!("n{},{row}.5\n", row % 4)).collect();
        read(&format!("name,y\n{few}"), &Columns::default()).unwrap();
    }

    #[test]
    fn numbers_in_another_notation_are_named() {
        for (content, part) in [
            (
                "a;y\n1,5;1\n2,25;2\n",
                "line 2, column 1: column `a`: \"1,5\" has a decimal comma",
            ),
            (
                "a;y\n1.234,5;1\n2;2\n",
                "has a thousands separator and a decimal comma",
            ),
            ("a,y\n20%,1\n30%,2\n", "\"20%\" is a percentage"),
            ("a,y\n5,20%\n6,30%\n", "column `y`: \"20%\" is a percentage"),
            (
                "a,y\n5,20\n6,30%\n",
                "line 3, column 2: column `y`: \"30%\" is a percentage",
            ),
        ] {
            let found = message(content);
            assert!(found.contains(part), "{content:?}: {found}");
        }
    }

    #[test]
    fn all_bad_columns_are_named_at_once() {
        let found = message("a,b,c,y\n1,x,inf,0.5\n2,3,4,oak\nz,4,5,2\n");
        for part in [
            "4 columns cannot be used:",
            "line 4, column 1: column `a`: \"z\" is not a number, as 2 of the column's cells are",
            "line 2, column 2: column `b`: \"x\"",
            "column `c`: \"inf\" is not a finite number",
            "line 3, column 4: column `y`: \"oak\"",
        ] {
            assert!(found.contains(part), "{part} is not in {found}");
        }
    }
}
