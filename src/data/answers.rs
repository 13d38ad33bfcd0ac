//! Yes/no targets of a table: which two values a column has, and which of them is yes.

use ndarray::Array2;

use super::examples::missing_target;
use super::infer::whole;
use super::read::shorten;
use super::table::{Cell, Table, truth_value};
use crate::element::Element;
use crate::error::Result;

/// A value of a yes/no column: texts of the same value count as equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer<'a> {
    /// 1, `true` or `yes` for true; 0, `false` or `no` for false; words in any case.
    Truth(bool),
    /// Another whole number, such as `2` and `2.0`.
    Whole(i64),
    /// Any other text, as it is written.
    Text(&'a str),
}

impl<'a> Answer<'a> {
    fn of(text: &'a str) -> Self {
        let number = text.parse().ok().and_then(whole);
        let word = match text.to_ascii_lowercase().as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => truth_value(text).map(|number| number == 1.0),
        };
        match (number, word) {
            (Some(0), _) | (_, Some(false)) => Answer::Truth(false),
            (Some(1), _) | (_, Some(true)) => Answer::Truth(true),
            (Some(number), _) => Answer::Whole(number),
            (None, None) => Answer::Text(text),
        }
    }
}

/// Whether the first of two different texts is no: the lesser number, or the word for false, or the text beside the word for
/// true, or the first in the order of texts.
fn is_no(first: &str, second: &str) -> bool {
    if let (Ok(first), Ok(second)) = (first.parse::<f64>(), second.parse::<f64>()) {
        return first < second;
    }
    match (Answer::of(first), Answer::of(second)) {
        (Answer::Truth(truth), _) => !truth,
        (_, Answer::Truth(truth)) => truth,
        _ => first < second,
    }
}

/// Reads yes/no targets to learn from: 1 for yes and 0 for no, and for each column the texts of no and yes.
///
/// # Errors
///
/// [`Error::InvalidFile`](crate::Error::InvalidFile), with line and column, for a missing value and for the first one beside
/// two others; [`Error::InvalidData`](crate::Error::InvalidData) for a column of a single value.
pub(super) fn read_answers<T: Element>(
    table: &Table,
    columns: &[usize],
) -> Result<(Array2<T>, Vec<[String; 2]>)> {
    let answers = columns.iter().map(|&column| answers_of(table, column));
    let answers = answers.collect::<Result<Vec<_>>>()?;
    let values = known_answers(table, columns, &answers, table.missing())?;
    Ok((values, answers))
}

/// The texts of no and yes in a column.
pub(super) fn answers_of(table: &Table, column: usize) -> Result<[String; 2]> {
    let mut texts: Vec<&str> = Vec::new();
    for row in 0..table.rows() {
        let text = table.text(row, column);
        // Nearly all cells are written as one of the first two.
        if texts.contains(&text) {
            continue;
        }
        if table.cell(row, column) == Cell::Missing {
            return Err(missing_target(table, row, column));
        }
        if texts.iter().any(|known| Answer::of(known) == Answer::of(text)) {
            continue;
        }
        if let [first, second] = texts[..] {
            return Err(table.refuse(
                row,
                column,
                format_args!(
                    "{:?} is a third value beside {:?} and {:?}, and a yes/no target has two",
                    shorten(text),
                    shorten(first),
                    shorten(second)
                ),
            ));
        }
        texts.push(text);
    }
    match texts[..] {
        [first, second] if is_no(first, second) => Ok([first.to_owned(), second.to_owned()]),
        [first, second] => Ok([second.to_owned(), first.to_owned()]),
        _ => Err(table.refuse_all(format_args!(
            "{} is {:?} in every row: there is nothing to learn",
            table.column_name(column),
            shorten(texts.first().copied().unwrap_or_default())
        ))),
    }
}

/// Reads yes/no targets whose texts are known: 1 for yes and 0 for no.
///
/// # Errors
///
/// [`Error::InvalidFile`](crate::Error::InvalidFile), with line and column, for a missing value and for a value that is
/// neither of the two.
pub(super) fn known_answers<T: Element>(
    table: &Table,
    columns: &[usize],
    answers: &[[String; 2]],
    missing: Option<&[String]>,
) -> Result<Array2<T>> {
    let mut values = Array2::zeros((table.rows(), columns.len()));
    for ((mut values, &column), [no, yes]) in values.columns_mut().into_iter().zip(columns).zip(answers) {
        let known = [Answer::of(no), Answer::of(yes)];
        for (row, value) in values.iter_mut().enumerate() {
            let text = table.text(row, column);
            // A text of the training may be a missing value by the spellings of another file.
            let is_written = text == no || text == yes;
            if !is_written && table.cell_by(row, column, missing) == Cell::Missing {
                return Err(missing_target(table, row, column));
            }
            let answer = Answer::of(text);
            *value = if answer == known[1] {
                T::one()
            } else if answer == known[0] {
                T::zero()
            } else {
                let problem = format_args!(
                    "{:?} is neither {:?} nor {:?}, the values of this yes/no target in training",
                    shorten(text),
                    shorten(no),
                    shorten(yes)
                );
                return Err(table.refuse(row, column, problem));
            };
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read::table_of;
    use ndarray::array;

    #[test]
    fn the_two_values_of_a_column_are_no_and_yes() {
        for (column, no, yes) in [
            (["0", "1", "0", "1"], "0", "1"),
            (["1", "0", "1.0", "0"], "0", "1"),
            (["True", "false", "TRUE", "no"], "false", "True"),
            (["yes", "no", "Yes", "1"], "no", "yes"),
            (["ham", "spam", "ham", "ham"], "ham", "spam"),
            (["spam", "ham", "ham", "ham"], "ham", "spam"),
            (["2", "1", "1", "2.0"], "1", "2"),
            (["1", "-1", "1", "1"], "-1", "1"),
            (["maybe", "no", "no", "no"], "no", "maybe"),
            (["yes", "unsure", "yes", "yes"], "unsure", "yes"),
            (["0.5", "1.5", "0.5", "1.5"], "0.5", "1.5"),
        ] {
            let rows: String = column.iter().map(|text| format!("7,{text}\n")).collect();
            let table = table_of(&format!("a,y\n{rows}"));
            let (values, answers) = read_answers::<f64>(&table, &[1]).unwrap();
            assert_eq!(answers, [[no.to_owned(), yes.to_owned()]], "{column:?}");
            for (value, text) in values.iter().zip(column) {
                assert_eq!(*value == 1.0, Answer::of(text) == Answer::of(yes), "{column:?}");
            }
        }
    }

    #[test]
    fn other_values_are_refused_with_their_line() {
        let refused = |content: &str| {
            let error = read_answers::<f32>(&table_of(content), &[1]).unwrap_err();
            error.to_string()
        };
        for (content, part) in [
            (
                "a,y\n1,0\n2,1\n3,2\n",
                "t.csv: line 4, column 2: column `y`: \"2\" is a third value beside \"0\" and \"1\"",
            ),
            (
                "a,y\n1,0\n2,\n3,1\n",
                "line 3, column 2: column `y`: the target is missing",
            ),
            ("a,y\n1,0\n2,0.0\n", "column `y` is \"0\" in every row"),
            (
                "a,y\n1,no\n2,yes\n3,x\n",
                "\"x\" is a third value beside \"no\" and \"yes\"",
            ),
        ] {
            assert!(refused(content).contains(part), "{}", refused(content));
        }
        let known = [["no".to_owned(), "yes".to_owned()]];
        let found = known_answers::<f64>(&table_of("a,y\n1,Yes\n2,0\n3,true\n"), &[1], &known, None).unwrap();
        assert_eq!(found, array![[1.0], [0.0], [1.0]]);
        let error = known_answers::<f64>(&table_of("a,y\n1,yes\n2,2\n"), &[1], &known, None).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("line 3, column 2: column `y`: \"2\" is neither \"no\" nor \"yes\""),
            "{error}"
        );
    }
}
