//! A hint at the other task, where targets look like classes and are learned as numbers, or the reverse.

use std::collections::BTreeSet;

use ndarray::ArrayView1;

use super::dataset::Targets;
use super::examples::Examples;
use super::infer::{MOST_CLASSES, whole};
use super::schema::Task;
use crate::element::Element;

/// Whole numbers that count up from 0 or 1 are taken for classes up to this number of them, where each is frequent.
const MOST_NUMBERED: usize = 1000;
/// The average number of rows of each of such numbers.
const FREQUENT: usize = 10;
/// More classes of whole numbers than this are taken for quantities.
const MOST_NUMBER_CLASSES: usize = 100;

impl<T: Element> Examples<T> {
    /// One line that names the other task, for whole numbers that are learned as numbers and look like classes, and for very many
    /// classes of whole numbers, and for several targets of two values each, which may be yes and no; `None` for all others.
    ///
    /// Numbers look like classes if there are at most 20 different ones, or if they count up from 0 or 1 and each is there ten
    /// times on average. Very many are more than 100.
    ///
    /// ```
    /// use mfnet::data::{Columns, Task};
    /// use mfnet::data::read::{CsvOptions, read_csv_from};
    ///
    /// let table = read_csv_from("t.csv", "a,y\n1,0\n2,1\n3,1\n4,0\n".as_bytes(), &CsvOptions::default())?;
    /// let columns = Columns { task: Some(Task::Regression), ..Columns::default() };
    /// let hint = table.examples::<f32>(&columns)?.hint().unwrap();
    /// assert!(hint.contains("column `y` holds 2 different whole numbers, 0 to 1"));
    /// assert_eq!(table.examples::<f32>(&Columns::default())?.hint(), None);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn hint(&self) -> Option<String> {
        let name = match self.schema.target_names.as_slice() {
            [] => "the target".to_owned(),
            [name, ..] => format!("column `{name}`"),
        };
        match self.samples.targets() {
            Targets::Values(values) if self.schema.task == Task::Regression && values.ncols() == 1 => {
                let mut different = BTreeSet::new();
                for value in values {
                    different.insert(whole(value.as_f64())?);
                    if different.len() > MOST_NUMBERED {
                        return None;
                    }
                }
                let (&first, &last) = (different.first()?, different.last()?);
                let (count, samples) = (different.len(), values.nrows());
                let is_few = count <= MOST_CLASSES && count * 2 <= samples;
                let is_numbered = (0..=1).contains(&first) && last - first + 1 == count as i64;
                let looks_like_classes = count > 1 && (is_few || is_numbered && count * FREQUENT <= samples);
                looks_like_classes.then(|| {
                    format!(
                        "hint: {name} holds {count} different whole numbers, {first} to {last}, and is learned as a number; if \
                         these are classes, choose --task classification"
                    )
                })
            }
            Targets::Values(values) if self.schema.task == Task::Regression => {
                let is_of_two = |target: ArrayView1<'_, T>| {
                    let mut others = target.iter().filter(|&value| Some(value) != target.first());
                    let second = others.next();
                    second.is_some() && others.all(|value| Some(value) == second)
                };
                values.columns().into_iter().all(is_of_two).then(|| {
                    format!(
                        "hint: each of the {} targets holds two different values, which are learned as numbers; if these are no and \
                         yes, choose --loss bce",
                        values.ncols()
                    )
                })
            }
            Targets::Values(_) => None,
            Targets::Classes { classes, .. } => {
                let are_numbers = self
                    .schema
                    .labels
                    .iter()
                    .all(|label| label.parse::<i64>().is_ok());
                (*classes > MOST_NUMBER_CLASSES && are_numbers).then(|| {
                    format!(
                        "hint: {name} holds {classes} different whole numbers, each of which is learned as a class of its own; if \
                         these are quantities, choose --task regression"
                    )
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::data::read::table_of;
    use crate::data::{Columns, Task};

    fn hint(targets: impl Iterator<Item = String>, task: Option<Task>) -> Option<String> {
        let rows: String = targets
            .enumerate()
            .map(|(row, target)| format!("{row},{target}\n"))
            .collect();
        let content = format!("a,y\n{rows}");
        let table = table_of(&content);
        let columns = Columns {
            task,
            ..Columns::default()
        };
        table.examples::<f32>(&columns).unwrap().hint()
    }

    #[test]
    fn numbers_that_look_like_classes_are_told() {
        let cycle = |count: usize, rows: usize, first: usize| {
            (0..rows).map(move |row| (row % count + first).to_string())
        };
        let regression = Some(Task::Regression);
        assert!(
            hint(cycle(3, 30, 0), regression)
                .unwrap()
                .contains("3 different whole numbers, 0 to 2")
        );
        assert!(
            hint(cycle(26, 260, 1), None)
                .unwrap()
                .contains("--task classification"),
            "by default numbers"
        );
        for (targets, why) in [
            (cycle(26, 250, 1), "rare"),
            (cycle(26, 260, 2), "not counted from 0 or 1"),
            (cycle(3, 5, 0), "nearly as many as rows"),
        ] {
            assert_eq!(hint(targets, regression), None, "{why}");
        }
        assert_eq!(hint((0..30).map(|row| format!("{}.5", row % 3)), None), None);
        assert_eq!(hint(cycle(3, 30, 0), None), None, "classes by default");
        assert_eq!(hint(cycle(2, 30, 0), Some(Task::Binary)), None, "yes and no");
    }

    #[test]
    fn several_targets_of_two_values_may_be_yes_and_no() {
        let of = |content: &str, task: Option<Task>| {
            let table = table_of(content);
            let columns = Columns {
                targets: vec!["y".to_owned(), "z".to_owned()],
                task,
                ..Columns::default()
            };
            table.examples::<f32>(&columns).map(|examples| examples.hint())
        };
        let numbers = "a,y,z\n1,0,1\n2,1,2\n3,1,1\n";
        let hint = of(numbers, None).unwrap().unwrap();
        assert!(
            hint.contains("each of the 2 targets holds two different values") && hint.contains("--loss bce")
        );
        assert_eq!(of(numbers, Some(Task::Binary)).unwrap(), None);
        assert_eq!(of("a,y,z\n1,0,1\n2,1,2\n3,2,1\n", None).unwrap(), None);
        let words = "a,y,z\n1,no,1\n2,yes,2\n3,no,1\n";
        let error = of(words, None).unwrap_err().to_string();
        assert!(
            error.contains("column `y` holds \"no\" and \"yes\"") && error.contains("--loss bce"),
            "{error}"
        );
        let error = of("a,y,z\n1,no,1\n2,yes,2\n3,maybe,1\n", None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("\"no\" is not a number"), "{error}");
    }

    #[test]
    fn very_many_classes_of_numbers_are_told() {
        let classification = Some(Task::Classification);
        let numbers = |count: usize| (0..2 * count).map(move |row| (row % count).to_string());
        assert!(
            hint(numbers(101), classification)
                .unwrap()
                .contains("101 different whole numbers, each")
        );
        assert_eq!(hint(numbers(100), classification), None);
        assert_eq!(
            hint((0..400).map(|row| format!("c{}", row % 150)), classification),
            None
        );
    }
}
