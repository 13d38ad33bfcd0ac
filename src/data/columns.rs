//! Which columns of a table are features, which are targets, and how they are named.

use strsim::levenshtein;

use super::schema::Task;
use super::split_by::SplitBy;
use super::table::Table;
use crate::error::Result;

/// How a table's columns are used to learn from.
///
/// A column is called by its name or by its place, counted from 0 (-1 is the last, as in Python); where a name looks
/// like a number, the name comes first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The columns to be predicted; several make a regression with as many outputs,
    /// or as many yes/no answers. Default: the last column.
    pub targets: Vec<String>,
    /// Columns that are neither targets nor features. Default: none.
    pub ignore: Vec<String>,
    /// What is predicted. Default: what the targets look like, see [`Examples`](super::Examples).
    pub task: Option<Task>,
    /// Features that are categories whatever their cells look like, such as postcodes. Default: columns of text that have few
    /// different ones.
    pub categorical: Vec<String>,
    /// The column by which samples are split; it is no feature unless it is named as categorical. Default: none, splits are at
    /// random.
    pub split_by: Option<SplitBy>,
    /// The column with the weight of each sample, see [`Dataset::with_weights`](super::Dataset::with_weights); it is no feature.
    /// Default: none, all samples count the same.
    pub weights: Option<String>,
}

/// The columns of a table, sorted by their use.
pub(super) struct Chosen {
    pub(super) features: Vec<usize>,
    pub(super) targets: Vec<usize>,
    /// Features that the user calls categories.
    pub(super) categorical: Vec<usize>,
    /// The column with the weights of the samples.
    pub(super) weights: Option<usize>,
}

impl Columns {
    /// Finds the columns in a table.
    pub(super) fn find(&self, table: &Table) -> Result<Chosen> {
        let mut unknown = Vec::new();
        let mut find = |names: &[String]| -> Vec<usize> {
            let mut column = |name: &String| find_column(table, name).map_err(|error| unknown.push(error));
            names.iter().filter_map(|name| column(name).ok()).collect()
        };
        let (mut targets, ignored) = (find(&self.targets), find(&self.ignore));
        let categorical = find(&self.categorical);
        let mut one =
            |name: Option<&str>| find(&name.map(str::to_owned).into_iter().collect::<Vec<_>>()).pop();
        let split = one(self.split_by.as_ref().map(SplitBy::column));
        let weights = one(self.weights.as_deref());
        if !unknown.is_empty() {
            return Err(table.refuse_columns(unknown));
        }
        let is_apart = |column: &usize| {
            weights == Some(*column) || split == Some(*column) && !categorical.contains(column)
        };
        let free = |column: &usize| !ignored.contains(column) && !is_apart(column);
        if self.targets.is_empty() {
            targets.extend((0..table.width()).rfind(free));
        }
        for (place, target) in targets.iter().enumerate() {
            let name = table.column_name(*target);
            if targets[..place].contains(target) {
                return Err(table.refuse_all(format_args!("{name} is named as a target twice")));
            }
            if ignored.contains(target) {
                return Err(table.refuse_all(format_args!("{name} is a target, and is to be ignored too")));
            }
            if split == Some(*target) {
                return Err(table.refuse_all(format_args!(
                    "{name} is a target, and cannot decide the split too"
                )));
            }
            if weights == Some(*target) {
                return Err(
                    table.refuse_all(format_args!("{name} is a target, and cannot be the weight too"))
                );
            }
        }
        let is_feature = |column: &usize| free(column) && !targets.contains(column);
        let features: Vec<usize> = (0..table.width()).filter(is_feature).collect();
        if features.is_empty() {
            return Err(table.refuse_all(format_args!(
                "no column is left to learn from: the table has {}",
                listed(table)
            )));
        }
        if let Some(column) = categorical.iter().find(|column| !features.contains(column)) {
            let name = table.column_name(*column);
            return Err(table.refuse_all(format_args!(
                "{name} is named as categorical, and is no feature: it is a target or the weight, or is to be ignored"
            )));
        }
        Ok(Chosen {
            features,
            targets,
            categorical,
            weights,
        })
    }
}

/// The column of this name, or at this place.
pub(super) fn find_column(table: &Table, name: &str) -> Result<usize> {
    if let Some(column) = table.names().iter().position(|known| known == name) {
        return Ok(column);
    }
    let width = table.width();
    if let Ok(place) = name.parse::<i64>() {
        let from_start = if place < 0 {
            place.saturating_add_unsigned(width as u64)
        } else {
            place
        };
        return match usize::try_from(from_start) {
            Ok(column) if column < width => Ok(column),
            _ => Err(table.refuse_all(format_args!(
                "there is no column {place}: the {width} columns count from 0 to {}, or from -1 backwards",
                width - 1
            ))),
        };
    }
    let is_in_first_line = table.names().is_empty() && (0..width).any(|column| table.text(0, column) == name);
    let hint = match is_in_first_line {
        true => {
            "; the first line has this text, and was taken for a row of data: --header yes takes it for names"
        }
        false => "",
    };
    Err(table.refuse_all(format_args!(
        "there is no column `{name}`{}: the table has {}{hint}",
        nearest(table.names(), name).map_or(String::new(), |near| format!(" (did you mean `{near}`?)")),
        listed(table)
    )))
}

/// The columns of a table, to be shown; of a single one, also the delimiter that the file seems to have.
pub(super) fn listed(table: &Table) -> String {
    let columns = match (table.names(), table.width()) {
        ([], 1) => "1 column without a name".to_owned(),
        ([], width) => format!("{width} columns without names"),
        ([name], _) => format!("the column {name}"),
        (names, _) => format!("the columns {}", enumerated(names)),
    };
    columns + &delimiter_hint(table)
}

/// A hint at the delimiter that the lines of a table of a single column seem to have; empty if they have none.
pub(super) fn delimiter_hint(table: &Table) -> String {
    delimiter_within(table).map_or(String::new(), |(delimiter, count)| {
        format!(
            "; each line has {count} times '{delimiter}': is it the delimiter (--delimiter '{delimiter}')?"
        )
    })
}

/// A byte between parts of the cells of a table's only column, and how often each of the first lines has it.
fn delimiter_within(table: &Table) -> Option<(char, usize)> {
    const LINES: usize = 10;
    if table.width() != 1 {
        return None;
    }
    let rows = (0..table.rows().min(LINES)).map(|row| table.text(row, 0));
    let lines: Vec<&str> = table.names().iter().map(String::as_str).chain(rows).collect();
    ['|', ',', ';', ':', '^', '~', ' ']
        .into_iter()
        .find_map(|delimiter| {
            let mut counts = lines.iter().map(|line| line.matches(delimiter).count());
            let first = counts.next().filter(|&count| count > 0)?;
            counts.all(|count| count == first).then_some((delimiter, first))
        })
}

/// Names, to be shown: the first of them if they are many.
pub(super) fn enumerated(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The name that is most like this one, if one is at all.
pub(super) fn nearest<'a>(names: &'a [String], wanted: &str) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    names
        .iter()
        .map(|name| (levenshtein(&name.to_lowercase(), &wanted), name.as_str()))
        .min()
        .filter(|(distance, _)| *distance <= wanted.chars().count() / 3)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read::table_of;

    fn columns(targets: &[&str], ignore: &[&str]) -> Columns {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Columns {
            targets: owned(targets),
            ignore: owned(ignore),
            ..Columns::default()
        }
    }

    #[test]
    fn columns_are_found_by_name_and_place() {
        let named = table_of("id,a,b,-1\n7,1,2,3\n");
        let chosen = |targets: &[&str], ignore: &[&str]| {
            let chosen = columns(targets, ignore).find(&named).unwrap();
            (chosen.features, chosen.targets)
        };
        assert_eq!(chosen(&[], &[]), (vec![0, 1, 2], vec![3]));
        assert_eq!(
            chosen(&[], &["-1"]),
            (vec![0, 1], vec![2]),
            "the last that is not ignored"
        );
        assert_eq!(chosen(&["a"], &["id"]), (vec![2, 3], vec![1]));
        assert_eq!(chosen(&["b", "0"], &[]), (vec![1, 3], vec![2, 0]));
        assert_eq!(chosen(&["-2"], &[]), (vec![0, 1, 3], vec![2]));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let named = table_of("id,height,kind\n7,1,2\n");
        let message = |targets: &[&str], ignore: &[&str], table: &Table| {
            columns(targets, ignore).find(table).err().unwrap().to_string()
        };
        assert_eq!(
            message(&["hieght"], &[], &named),
            "t.csv: there is no column `hieght` (did you mean `height`?): the table has the columns id, height, kind"
        );
        assert!(message(&["colour"], &[], &named).contains("no column `colour`: the table"));
        assert!(message(&["3"], &[], &named).contains("count from 0 to 2"));
        assert!(message(&["-4"], &[], &named).contains("no column -4"));
        assert!(message(&["-9223372036854775808"], &[], &named).contains("no column"));
        assert!(message(&["kind", "2"], &[], &named).contains("`kind` is named as a target twice"));
        assert!(message(&["kind"], &["kind"], &named).contains("ignored too"));
        let both = message(&["kin", "a"], &[], &named);
        assert!(
            both.contains("2 columns cannot be used:\n  there is no column `kin`"),
            "{both}"
        );
        let target = Columns {
            categorical: vec!["kind".into()],
            ..columns(&["kind"], &[])
        };
        assert!(
            target
                .find(&named)
                .err()
                .unwrap()
                .to_string()
                .contains("is no feature")
        );
        assert!(message(&["kind"], &["0", "1"], &named).contains("no column is left"));
        assert!(message(&[], &["0", "1", "2"], &named).contains("no column is left"));
        assert!(message(&["kind"], &[], &table_of("1,2\n")).contains("2 columns without names"));
        let data = table_of("1,kind\n2,kind\n");
        assert!(
            message(&["kind"], &[], &data).contains("2 columns without names; the first line has this text")
        );
        let pipes = table_of("a|b|y\n1|2|3\n4|5|6\n");
        for error in [message(&[], &[], &pipes), message(&["y"], &[], &pipes)] {
            assert!(
                error.contains(
                    "1 column without a name; each line has 2 times '|': is it the delimiter (--delimiter '|')?"
                ),
                "{error}"
            );
        }
        let many: Vec<String> = (0..25).map(|column| format!("c{column}")).collect();
        assert!(enumerated(&many).ends_with("c19 and 5 more"));
    }
}
