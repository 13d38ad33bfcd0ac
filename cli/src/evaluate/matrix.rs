//! The confusion matrix as text, or where there is no room for it, what is confused most.

use super::scores::Classes;
use crate::format::count;
use crate::model_path::shown;

/// Up to here the matrix is shown.
const MOST_CLASSES: usize = 30;
/// The confusions that are shown of more classes.
const MOST_CONFUSIONS: usize = 20;
/// The letters of a class's name beside the matrix.
const NAME: usize = 16;
/// The columns of a line where nobody says: wide enough for 30 classes.
const WIDTH: usize = 160;

pub(super) fn text(classes: &Classes) -> String {
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    within(classes, columns.unwrap_or(WIDTH))
}

fn within(classes: &Classes, columns: usize) -> String {
    let matrix = (classes.labels.len() <= MOST_CLASSES).then(|| matrix(classes));
    let fits = |matrix: &String| matrix.lines().all(|line| line.chars().count() <= columns);
    matrix.filter(fits).unwrap_or_else(|| most_confused(classes))
}

/// Rows of true classes, columns of predicted ones by their numbers; a dot is a zero.
fn matrix(classes: &Classes) -> String {
    let numbered = (0..)
        .zip(&classes.labels)
        .all(|(class, label)| *label == format!("{class}"));
    let heads: Vec<String> = (0..classes.labels.len())
        .map(|class| {
            if numbered {
                String::new()
            } else {
                class.to_string()
            }
        })
        .collect();
    let names: Vec<String> = classes.labels.iter().map(|label| shown(label, NAME)).collect();
    let longest = |texts: &[String]| texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let (head, name) = (longest(&heads), longest(&names));
    let cell = |count: u64| {
        if count == 0 {
            ".".to_owned()
        } else {
            count.to_string()
        }
    };
    let cells: Vec<String> = classes.confusion.iter().copied().map(cell).collect();
    let width = longest(&cells).max(classes.labels.len().saturating_sub(1).to_string().len()) + 1;

    let indent = if numbered { name } else { head + 1 + name };
    let mut text = "true class (rows), predicted (columns)\n".to_owned() + &" ".repeat(indent);
    for class in 0..names.len() {
        text += &format!("{class:>width$}");
    }
    for (class, row) in cells.chunks(names.len().max(1)).enumerate() {
        text += "\n";
        text += &match numbered {
            true => format!("{:>name$}", names[class]),
            false => format!("{:>head$} {:<name$}", heads[class], names[class]),
        };
        for cell in row {
            text += &format!("{cell:>width$}");
        }
    }
    text + "\n"
}

/// The confusions, the most frequent first.
fn most_confused(classes: &Classes) -> String {
    let wrong = classes
        .confusion
        .indexed_iter()
        .filter(|((truth, predicted), count)| truth != predicted && **count > 0);
    let mut wrong: Vec<_> = wrong
        .map(|((truth, predicted), &count)| (count, truth, predicted))
        .collect();
    wrong.sort_by_key(|&(count, truth, predicted)| (std::cmp::Reverse(count), truth, predicted));
    if wrong.is_empty() {
        return "no class is taken for another\n".to_owned();
    }
    let mut text = "samples  true class, taken for\n".to_owned();
    let name = |class: usize| shown(&classes.labels[class], NAME);
    for &(samples, truth, predicted) in wrong.iter().take(MOST_CONFUSIONS) {
        text += &format!(
            "{:>7}  {}, {}\n",
            count(samples as usize),
            name(truth),
            name(predicted)
        );
    }
    match wrong.len().saturating_sub(MOST_CONFUSIONS) {
        0 => text,
        more => text + &format!("and {} more confusions, each as frequent or rarer\n", count(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mfnet::metrics::classification_scores;
    use ndarray::{Array2, array};

    fn classes(labels: &[&str], confusion: Array2<u64>) -> Classes {
        Classes {
            accuracy: 0.5,
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
            scores: classification_scores(confusion.view()).unwrap(),
            ranking: Vec::new(),
            roc_auc: None,
            average_precision: None,
            threshold: None,
            confusion,
        }
    }

    #[test]
    fn small_matrices_are_shown() {
        let named = classes(&["oak", "birch, very young"], array![[1200, 0], [3, 7]]);
        let expected = "\
true class (rows), predicted (columns)
                      0    1
0 oak              1200    .
1 birch, very y...    3    7
";
        assert_eq!(within(&named, 80), expected);
        let numbered = classes(&["0", "1"], array![[5, 1], [0, 7]]);
        assert_eq!(
            within(&numbered, 80),
            "true class (rows), predicted (columns)\n  0 1\n0 5 1\n1 . 7\n"
        );
    }

    #[test]
    fn wide_ones_are_summed_up() {
        let named = classes(&["a", "b", "c"], array![[5, 1, 0], [4, 7, 1], [0, 0, 3]]);
        let expected = "samples  true class, taken for\n      4  b, a\n      1  a, b\n      1  b, c\n";
        assert_eq!(within(&named, 9), expected);
        let labels: Vec<String> = (0..40).map(|label| label.to_string()).collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let many = within(&classes(&labels, Array2::ones((40, 40))), 1000);
        assert_eq!(many.lines().count(), 1 + MOST_CONFUSIONS + 1);
        assert!(
            many.ends_with("and 1,540 more confusions, each as frequent or rarer\n"),
            "{many}"
        );
        let right = within(&classes(&labels, Array2::eye(40)), 1000);
        assert_eq!(right, "no class is taken for another\n");
    }
}
