//! Examples to learn from, out of a table: which columns are features, what the classes are, and what is missing.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::answers::read_answers;
use super::by_rows::{fill_by_rows, first_row};
use super::columns::{Chosen, Columns};
use super::dataset::{Inputs, Targets};
use super::features::{Features, Use, checked, not_a_number, read_features, refuse_lost_differences};
use super::infer::{MOST_CLASSES, is_integer, is_long_integer, whole, why_no_class, why_numbers};
use super::notation::foreign_notation;
use super::prepare::EMPTY_COLUMN;
use super::raw::{Origin, RawSamples};
use super::read::shorten;
use super::rounding::Rounding;
use super::schema::{Layout, Scaling, Schema, Task};
use super::table::{Cell, Table, truth_value};
use crate::element::Element;
use crate::error::{Error, Result};

/// Samples as they are in a file, and what their columns mean.
///
/// The task, if it was not told, is
///
/// - regression for several targets, and for one that is not whole in some row, has more than 20 different values, or
///   nearly as many as there are rows;
/// - classification for one target of text, or of few different whole numbers.
///
/// Yes/no answers, [`Task::Binary`], are told: a target of two different values, or several such.
#[derive(Debug, Clone)]
pub struct Examples<T> {
    /// The samples; nothing is imputed, encoded or scaled.
    pub samples: RawSamples<T>,
    /// The meaning of their columns; [`Schema::fit`] fits it to the samples to train on.
    pub schema: Schema<T>,
    /// The task and why it was chosen, and what else was decided by the look of the file, as one line: "classification:
    /// column `kind` holds 3 different texts; the first line names the columns: `height` stands above numbers".
    pub reason: String,
}

/// A target column's values.
struct Target<T> {
    targets: Targets<T>,
    labels: Vec<String>,
    /// The texts of no and yes for each column of yes/no answers.
    answers: Vec<[String; 2]>,
    /// The range of each column of numbers; none for classes.
    roundings: Vec<Rounding>,
    reason: String,
}

impl Table {
    /// The samples of a table, its columns used as told.
    ///
    /// Features are numbers, truth values (`True` is 1, `False` is 0, in any case), or categories: columns of text that have
    /// at most 100 different ones, and not nearly as many as rows, and the columns that are named so, whose texts count as they
    /// are written. Targets of a regression are numbers or truth values. Yes/no targets have two values each, of which yes is 1,
    /// `true` or `yes`, or else the greater number or the later text. Classes and categories are sorted as Python sorts
    /// texts, classes of whole numbers by their value (those of 2^53 and more are texts); labels count from 0 in that order.
    /// Missing are
    /// empty cells and the spellings of [`CsvOptions::missing`](super::read::CsvOptions::missing).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for columns that are not there, with the names of those that are, for targets from
    /// which nothing can be learned, and for a column of text that looks like an identifier; [`Error::InvalidFile`], with line
    /// and column, for text among numbers, a number in another notation (decimal comma, thousands separator, percentage), a
    /// number that is not finite (or not as a `T`), a third value of a yes/no target, and a missing target, time, group or weight of a row; [`Error::InvalidData`] for a column whose numbers
    /// differ by less than a `T` can tell. The problems of several columns are one
    /// [`Error::InvalidData`].
    ///
    /// ```
    /// use mfnet::data::Columns;
    /// use mfnet::data::read::{CsvOptions, read_csv_from};
    ///
    /// let file = "height,kind\n12.5,oak\n9,birch\n14,oak\n";
    /// let table = read_csv_from("trees.csv", file.as_bytes(), &CsvOptions::default())?;
    /// let examples = table.examples::<f32>(&Columns::default())?;
    /// assert!(examples.reason.starts_with("classification: column `kind` holds 2 different texts; "));
    /// assert_eq!(examples.schema.labels, ["birch", "oak"]);
    /// assert_eq!(examples.samples.samples(), 3);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn examples<T: Element>(&self, columns: &Columns) -> Result<Examples<T>> {
        let Chosen {
            features,
            targets,
            categorical,
            weights,
        } = columns.find(self)?;
        let is_asked = |column: &usize| match categorical.contains(column) {
            true => Use::Asked,
            false => Use::Inferred,
        };
        let uses: Vec<Use> = features.iter().map(is_asked).collect();
        let read = read_features(self, &features, &uses, self.missing());
        let (read, target) = match (read, target(self, &targets, columns.task)) {
            (Ok(read), Ok(target)) => (read, target),
            (Ok(_), Err(error)) => return Err(error),
            (Err(problems), target) => {
                let problems = problems.into_iter().chain(target.err());
                return Err(self.refuse_columns(problems.collect()));
            }
        };
        let Features {
            values,
            texts,
            roundings,
        } = read;
        let is_number = |place: &usize| texts.get(*place).is_none_or(Vec::is_empty);
        for place in (0..features.len()).filter(is_number) {
            refuse_lost_differences::<T>(self, features[place], &roundings[place])?;
        }
        for (rounding, &column) in target.roundings.iter().zip(&targets) {
            refuse_lost_differences::<T>(self, column, rounding)?;
        }
        let names = |columns: &[usize]| match self.names() {
            [] => Vec::new(),
            names => columns.iter().map(|&column| names[column].clone()).collect(),
        };
        let reason = match self.header_reason() {
            Some(header) => format!("{}; {header}", target.reason),
            None => target.reason,
        };
        let mut samples = self.samples(values, texts, target.targets, features.clone());
        if let Some(by) = &columns.split_by {
            samples = samples.with_split_by(self, by)?;
        }
        if let Some(column) = weights {
            samples = samples.with_weights(self.weights_in(column)?)?;
        }
        let (delimiter, quote) = self.separators();
        let task = match (samples.targets(), target.answers.is_empty()) {
            (Targets::Classes { .. }, _) => Task::Classification,
            (Targets::Values(_), true) => Task::Regression,
            (Targets::Values(_), false) => Task::Binary,
        };
        let schema = Schema {
            feature_names: names(&features),
            target_names: names(&targets),
            labels: target.labels,
            answers: target.answers,
            scaling: Scaling::None,
            categories: samples.texts.clone(),
            missing: self.missing().map(<[String]>::to_vec),
            delimiter,
            quote,
            layout: Layout {
                width: self.width(),
                features,
                targets,
            },
            task,
            ..Schema::of_targets(samples.features(), samples.targets())
        };
        Ok(Examples {
            samples,
            schema,
            reason,
        })
    }

    /// The weights in a column of this name, or at this place, for [`RawSamples::with_weights`].
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a column that is not there, and for weights that are all 0; [`Error::InvalidFile`], with line
    /// and column, for a cell that is missing or no finite number of at least 0.
    ///
    /// ```
    /// use mfnet::data::read::{CsvOptions, read_csv_from};
    ///
    /// let table = read_csv_from("t.csv", "a,w,y\n1,2,0.5\n2,0,1.5\n".as_bytes(), &CsvOptions::default())?;
    /// assert_eq!(table.weights("w")?, [2.0, 0.0]);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn weights(&self, column: &str) -> Result<Vec<f64>> {
        self.weights_in(self.column(column)?)
    }

    fn weights_in(&self, column: usize) -> Result<Vec<f64>> {
        let weight = |row| match self.cell(row, column) {
            Cell::Number(number) if number.is_finite() && number >= 0.0 => Ok(number),
            Cell::Missing => Err(self.refuse(row, column, "the weight is missing; leave the row out")),
            Cell::Number(_) | Cell::Text(_) => {
                let text = shorten(self.text(row, column));
                let problem =
                    format_args!("{text:?} is no weight: a weight is a finite number of at least 0");
                Err(self.refuse(row, column, problem))
            }
        };
        let weights: Vec<f64> = (0..self.rows()).map(weight).collect::<Result<_>>()?;
        match weights.iter().any(|&weight| weight > 0.0) {
            true => Ok(weights),
            false => Err(self.refuse_all(format_args!(
                "{} has the weight 0 in every row, so that no sample counts",
                self.column_name(column)
            ))),
        }
    }

    /// Raw samples of all rows.
    pub(super) fn samples<T: Element>(
        &self,
        values: Array2<T>,
        texts: Vec<Vec<String>>,
        targets: Targets<T>,
        columns: Vec<usize>,
    ) -> RawSamples<T> {
        RawSamples {
            inputs: Inputs::Values(values),
            targets,
            texts,
            weights: None,
            split_keys: None,
            origin: Some(Origin {
                path: self.path().to_owned(),
                columns,
                lines: (0..self.rows()).map(|row| self.line(row)).collect(),
            }),
        }
    }
}

/// The targets, by the task if it was told.
fn target<T: Element>(table: &Table, columns: &[usize], task: Option<Task>) -> Result<Target<T>> {
    match (columns, task) {
        (&[column], None) => inferred(table, column),
        (&[column], Some(Task::Classification)) => {
            let mut target = classes(table, column)?;
            target.reason = "classification, as asked".to_owned();
            Ok(target)
        }
        (_, Some(Task::Binary)) => of_answers(table, columns),
        (_, Some(Task::Classification)) => {
            Err(table.refuse_all("a classification has one target column, not several"))
        }
        (_, Some(Task::Regression)) => of_numbers(table, columns, "regression, as asked".to_owned()),
        (_, None) => of_numbers(
            table,
            columns,
            format!("regression: there are {} targets", columns.len()),
        ),
    }
}

/// One target whose task was not told.
fn inferred<T: Element>(table: &Table, column: usize) -> Result<Target<T>> {
    let name = table.column_name(column);
    if is_of_long_integers(table, column) {
        return few_classes(table, column);
    }
    let cells = || (0..table.rows()).map(|row| (row, table.cell(row, column)));
    let text = first_row(table.rows(), |row| {
        matches!(table.cell(row, column), Cell::Text(_))
    });
    let text = text.map(|row| (row, table.cell(row, column)));
    let Some((row, Cell::Text(text))) = text else {
        let known = |(_, cell)| {
            if let Cell::Number(number) = cell {
                Some(whole(number).ok_or(number))
            } else {
                None
            }
        };
        return match why_numbers(cells().filter_map(known), MOST_CLASSES) {
            None => classes(table, column),
            Some(why) => of_numbers(table, &[column], format!("regression: in {name}, {why}")),
        };
    };
    if foreign_notation(text).is_some() {
        return Err(not_a_number(table, row, column, table.missing()));
    }
    if cells().any(|(_, cell)| matches!(cell, Cell::Number(number) if whole(number).is_none())) {
        return Err(table.refuse(
            row,
            column,
            format_args!(
                "{:?} is not a number; while other rows have decimals; if these are classes, ask for a classification",
                shorten(text)
            ),
        ));
    }
    few_classes(table, column)
}

/// Classes that are texts, of which there are not nearly as many as rows.
fn few_classes<T: Element>(table: &Table, column: usize) -> Result<Target<T>> {
    let target = classes(table, column)?;
    let (different, rows) = (target.labels.len(), table.rows());
    if different > MOST_CLASSES && different * 2 > rows {
        return Err(table.refuse_all(format_args!(
            "{} holds {different} different texts in {rows} rows, which are no classes: name another target",
            table.column_name(column)
        )));
    }
    Ok(target)
}

/// Whether a column has integers alone, one of which `f64` does not tell from its neighbours: their texts tell them apart.
fn is_of_long_integers(table: &Table, column: usize) -> bool {
    let text = |row| table.text(row, column);
    first_row(table.rows(), |row| is_long_integer(text(row))).is_some()
        && first_row(table.rows(), |row| !is_integer(text(row))).is_none()
}

/// Targets that are numbers, or truth values as 1 and 0, of all rows, and the rounding of each column.
pub(super) fn read_numbers<T: Element>(
    table: &Table,
    columns: &[usize],
    missing: Option<&[String]>,
) -> Result<(Array2<T>, Vec<Rounding>)> {
    let width = columns.len();
    let mut values = vec![T::zero(); table.rows() * width];
    let blocks = fill_by_rows(&mut values, width, |rows, values| {
        let mut roundings = vec![Rounding::new(); width];
        for (row, values) in rows.zip(values.chunks_mut(width)) {
            for ((value, rounding), &column) in values.iter_mut().zip(&mut roundings).zip(columns) {
                *value = match table.cell_by(row, column, missing) {
                    Cell::Number(number) => {
                        rounding.add::<T>(number);
                        checked(table, row, column, number)?
                    }
                    Cell::Missing => return Err(missing_target(table, row, column)),
                    Cell::Text(text) => match truth_value(text) {
                        Some(number) => T::from_f64(number),
                        None => return Err(not_a_number(table, row, column, missing)),
                    },
                };
            }
        }
        Ok(roundings)
    });
    let mut roundings = vec![Rounding::new(); width];
    for block in blocks {
        for (rounding, below) in roundings.iter_mut().zip(&block?) {
            rounding.extend(below);
        }
    }
    let values = Array2::from_shape_vec((table.rows(), width), values);
    Ok((
        values.expect("there is a value for each row and column"),
        roundings,
    ))
}

fn of_numbers<T: Element>(table: &Table, columns: &[usize], reason: String) -> Result<Target<T>> {
    let (values, roundings) = read_numbers(table, columns, table.missing())?;
    Ok(Target {
        targets: Targets::Values(values),
        labels: Vec::new(),
        answers: Vec::new(),
        roundings,
        reason,
    })
}

/// Targets of yes/no answers.
fn of_answers<T: Element>(table: &Table, columns: &[usize]) -> Result<Target<T>> {
    /// The most columns whose yes is listed.
    const LISTED: usize = 5;
    let (values, answers) = read_answers(table, columns)?;
    let yes = |(&column, [_, yes]): (&usize, &[String; 2])| {
        format!("{:?} in {}", shorten(yes), table.column_name(column))
    };
    let listed: Vec<String> = columns.iter().zip(&answers).take(LISTED).map(yes).collect();
    let more = match columns.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more columns"),
    };
    Ok(Target {
        targets: Targets::Values(values),
        labels: Vec::new(),
        answers,
        roundings: Vec::new(),
        reason: format!("yes/no: yes is {}{more}", listed.join(", ")),
    })
}

/// A target of classes: whole numbers, or else texts, such as integers of very many digits.
fn classes<T: Element>(table: &Table, column: usize) -> Result<Target<T>> {
    let rows = 0..table.rows();
    let cell = |row| table.cell(row, column);
    if let Some(row) = first_row(table.rows(), |row| cell(row) == Cell::Missing) {
        return Err(missing_target(table, row, column));
    }
    let all_numbers = first_row(table.rows(), |row| !matches!(cell(row), Cell::Number(_))).is_none();
    let (labels, names, what) = if all_numbers && !is_of_long_integers(table, column) {
        let class = |row| match cell(row) {
            Cell::Number(number) => whole(number).ok_or_else(|| {
                let text = table.text(row, column);
                table.refuse(
                    row,
                    column,
                    format_args!("{text:?} is {}, so it is no class", why_no_class(number)),
                )
            }),
            Cell::Missing | Cell::Text(_) => unreachable!("all cells are numbers"),
        };
        let values = rows.map(class).collect::<Result<Vec<i64>>>()?;
        let (labels, names) = numbered(&values);
        (
            labels,
            names.iter().map(i64::to_string).collect(),
            "whole numbers",
        )
    } else {
        let texts: Vec<&str> = rows.map(|row| table.text(row, column)).collect();
        let (labels, names) = numbered(&texts);
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        (labels, names, "texts")
    };
    let name = table.column_name(column);
    let different = names.len();
    if different < 2 {
        return Err(table.refuse_all(format_args!(
            "{name} is {:?} in every row: there is nothing to learn",
            shorten(table.text(0, column))
        )));
    }
    Ok(Target {
        targets: Targets::Classes {
            labels,
            classes: different,
        },
        labels: names,
        answers: Vec::new(),
        roundings: Vec::new(),
        reason: format!("classification: {name} holds {different} different {what}"),
    })
}

/// The place of each value among the different ones, and these in ascending order.
pub(super) fn numbered<V: Ord + Copy>(values: &[V]) -> (Vec<u32>, Vec<V>) {
    let mut places: BTreeMap<V, u32> = values.iter().map(|&value| (value, 0)).collect();
    for (label, place) in (0..).zip(places.values_mut()) {
        *place = label;
    }
    (
        values.iter().map(|value| places[value]).collect(),
        places.into_keys().collect(),
    )
}

/// The error of a row without a target.
pub(super) fn missing_target(table: &Table, row: usize, column: usize) -> Error {
    if table.rows() > 1 && (0..table.rows()).all(|row| table.cell(row, column) == Cell::Missing) {
        return table.refuse(
            row,
            column,
            format_args!("this is the target, and {EMPTY_COLUMN}"),
        );
    }
    let text = table.text(row, column);
    let reading = if text.is_empty() {
        String::new()
    } else {
        format!(" ({text:?} stands for that)")
    };
    table.refuse(
        row,
        column,
        format_args!("the target is missing{reading}; leave the row out"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read::{CsvOptions, read_csv, read_csv_from};
    use ndarray::array;
    use std::path::Path;

    fn table(content: &str) -> Table {
        read_csv_from("t.csv", content.as_bytes(), &CsvOptions::default()).unwrap()
    }

    fn learn(content: &str, columns: &Columns) -> Result<Examples<f64>> {
        table(content).examples(columns)
    }

    fn default(content: &str) -> Examples<f64> {
        learn(content, &Columns::default()).unwrap()
    }

    fn message(content: &str) -> String {
        learn(content, &Columns::default()).unwrap_err().to_string()
    }

    fn labels(examples: &Examples<f64>) -> &[u32] {
        match examples.samples.targets() {
            Targets::Classes { labels, .. } => labels,
            Targets::Values(_) => panic!("{}", examples.reason),
        }
    }

    fn values(examples: &Examples<f64>) -> &Array2<f64> {
        match examples.samples.inputs() {
            Inputs::Values(values) => values,
            _ => panic!("a table has numbers"),
        }
    }

    /// The reason for the task.
    fn task_of(examples: &Examples<f64>) -> &str {
        examples.reason.split("; ").next().unwrap()
    }

    #[test]
    fn classes_keep_their_names_in_order() {
        let kinds = default("a,b,kind\n1,2,pine\n3,4,ash\n5,6,Elm\n7,8,ash\n");
        assert_eq!(kinds.schema.labels, ["Elm", "ash", "pine"], "as Python sorts");
        assert_eq!(labels(&kinds), [2, 1, 0, 1]);
        assert_eq!(values(&kinds).row(1), array![3.0, 4.0]);
        assert_eq!(
            (&kinds.schema.feature_names[..], kinds.schema.features),
            (&["a".into(), "b".into()][..], 2)
        );
        assert_eq!(kinds.schema.target_names, ["kind"]);
        kinds.schema.check().unwrap();

        let grades = default("a,grade\n1,10\n3,9\n5,10.0\n7,9\n1,-1\n2,-1\n");
        assert_eq!(grades.schema.labels, ["-1", "9", "10"], "by value");
        assert_eq!(labels(&grades), [2, 1, 2, 1, 0, 0]);
        assert_eq!(
            task_of(&grades),
            "classification: column `grade` holds 3 different whole numbers"
        );
        // Integers that `f64` would make equal.
        let long =
            default("a,id\n1,9007199254740993\n2,9007199254740992\n3,9007199254740993\n4,7\n5,7\n6,7\n");
        assert_eq!(long.schema.labels, ["7", "9007199254740992", "9007199254740993"]);
        assert_eq!(labels(&long), [2, 1, 2, 0, 0, 0]);
        let mixed = default("a,level\n1,1\n2,2\n3,3+\n4,1\n");
        assert_eq!(mixed.schema.labels, ["1", "2", "3+"]);
    }

    #[test]
    fn the_task_is_inferred_with_a_reason() {
        assert_eq!(
            task_of(&default("a,y\n1,2.5\n2,3\n")),
            "regression: in column `y`, 2.5 is not a whole number"
        );
        let counts: String = (0..50).map(|row| format!("{row},{}\n", row % 21)).collect();
        assert_eq!(
            task_of(&default(&counts)),
            "regression: in column 1 (counted from 0), there are more than 20 different whole numbers"
        );
        let two = Columns {
            targets: vec!["y".into(), "x".into()],
            ..Columns::default()
        };
        let examples = learn("x,y,z\n1,2,3\n4,5,6\n", &two).unwrap();
        assert_eq!(task_of(&examples), "regression: there are 2 targets");
        assert_eq!(
            examples.reason,
            "regression: there are 2 targets; the first line names the columns: `x` stands above numbers"
        );
        assert_eq!(
            examples.samples.targets(),
            &Targets::Values(array![[2.0, 1.0], [5.0, 4.0]])
        );
        assert_eq!(examples.schema.target_names, ["y", "x"]);
        examples.schema.check().unwrap();
    }

    #[test]
    fn a_task_that_is_told_stands() {
        let asked = |content: &str, task| {
            let columns = Columns {
                task: Some(task),
                ..Columns::default()
            };
            learn(content, &columns)
        };
        let number = asked("a,y\n1,0\n2,1\n", Task::Regression).unwrap();
        assert_eq!(number.samples.targets(), &Targets::Values(array![[0.0], [1.0]]));
        let truth = asked("a,y\n1,True\n2,0.5\n3,false\n", Task::Regression).unwrap();
        assert_eq!(
            truth.samples.targets(),
            &Targets::Values(array![[1.0], [0.5], [0.0]])
        );
        let class = asked("a,y\n1,5\n2,6\n3,7\n", Task::Classification).unwrap();
        assert_eq!(class.schema.labels, ["5", "6", "7"]);
        let error = asked("a,y\n1,0.5\n2,1\n", Task::Classification)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 2, column 2: column `y`: \"0.5\" is not a whole number"),
            "{error}"
        );
        let error = asked("a,y\n1,oak\n2,1\n", Task::Regression)
            .unwrap_err()
            .to_string();
        assert!(error.contains("\"oak\" is not a number"), "{error}");
    }

    #[test]
    fn what_cannot_be_learned_from_is_named() {
        let identifiers = (0..30_u64).map(|row| format!("{row},{}\n", (1 << 53) + row));
        let many_identifiers = format!("a,y\n{}", identifiers.collect::<String>());
        for (content, expected) in [
            (
                "a,y\n1,0.5\nx,1\n3,2\n",
                "t.csv: line 3, column 1: column `a`: \"x\" is not a number, as 2 of",
            ),
            (
                "a,b,y\n1,5,0.5\n2,x,1\n",
                "t.csv: line 3, column 2: column `b`: \"x\" is not a number, as 1 of",
            ),
            (
                "a,b,y\n1,1,\n2,2,1\n",
                "line 2, column 3: column `y`: the target is missing; leave",
            ),
            (
                "a,b,y,\n1,1,0.5,\n2,2,1,\n",
                "line 2, column 4: column `column 3`: this is the target, and the column is empty in every row",
            ),
            ("a,b,y\n1,1,None\n2,2,x\n", "(\"None\" stands for that)"),
            ("a,b,y\n1,inf,1\n2,2,0\n", "\"inf\" is not a finite number"),
            ("a,b,y\n1,1e999,1\n2,2,0\n", "\"1e999\" is not a finite number"),
            (
                &many_identifiers,
                "column `y` holds 30 different texts in 30 rows, which are no classes",
            ),
            ("a,y\n1,oak\n2,oak\n", "column `y` is \"oak\" in every row"),
            (
                "a,y\n1,0.5\n2,oak\n3,0.7\n",
                "line 3, column 2: column `y`: \"oak\" is not a number; while",
            ),
        ] {
            assert!(
                message(content).contains(expected),
                "{} is not {expected}",
                message(content)
            );
        }
        let names: String = (0..30).map(|row| format!("{row},name {row}\n")).collect();
        assert!(message(&names).contains("30 different texts in 30 rows, which are no classes"));
        let error = table("a,y\n1e39,0\n2,1\n")
            .examples::<f32>(&Columns::default())
            .unwrap_err();
        assert!(error.to_string().contains("beyond the range of f32"), "{error}");
    }

    #[test]
    fn the_spellings_of_a_missing_value_can_be_told() {
        let content = "a,kind\n1,None\n-,oak\n3,None\n4,oak\n";
        let options = CsvOptions {
            missing: Some(vec!["-".into()]),
            ..CsvOptions::default()
        };
        let table = read_csv_from("t.csv", content.as_bytes(), &options).unwrap();
        let examples = table.examples::<f64>(&Columns::default()).unwrap();
        assert_eq!(examples.schema.labels, ["None", "oak"]);
        assert!(values(&examples)[[1, 0]].is_nan());
        assert_eq!(examples.schema.missing.as_deref(), Some(&["-".to_owned()][..]));
        assert!(message(content).contains("stands for that"));
    }

    #[test]
    fn the_published_files_are_learned_from() {
        let Some(folder) = std::env::var_os("MFNET_DATA_DIR") else {
            eprintln!("SKIPPED: MFNET_DATA_DIR is not set, no published table is read");
            return;
        };
        let read = |name| read_csv(&Path::new(&folder).join(name), &CsvOptions::default()).unwrap();
        let iris = read("iris/iris.data")
            .examples::<f64>(&Columns::default())
            .unwrap();
        assert_eq!((iris.samples.samples(), iris.samples.features()), (150, 4));
        assert_eq!(
            iris.schema.labels,
            ["Iris-setosa", "Iris-versicolor", "Iris-virginica"]
        );
        let housing = read("california_housing/cal_housing.data.gz");
        let housing = housing.examples::<f32>(&Columns::default()).unwrap();
        assert_eq!(
            (housing.samples.samples(), housing.samples.features()),
            (20_640, 8)
        );
        assert_eq!(housing.schema.task, Task::Regression);
    }
}
