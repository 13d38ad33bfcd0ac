//! Splits by a column of a table: in the order of time, or with all rows of a group on one side.

use rand::seq::SliceRandom;

use super::dataset::Targets;
use super::examples::numbered;
use super::stratify::{Rows, check_folds, test_samples};
use super::table::{Cell, Table};
use super::times;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::random::{Stream, generator};

/// The column by which samples are split, where chance would tell a model about the rows it is tested with.
///
/// The column is no feature, unless it is also named as [categorical](super::Columns::categorical).
///
/// ```
/// use mfnet::Targets;
/// use mfnet::data::read::{CsvOptions, read_csv_from};
/// use mfnet::data::{Columns, SplitBy};
/// use ndarray::array;
///
/// let file = "day,a,y\n2024-03-02,1,0.5\n2024-03-01,2,1.5\n2024-03-03,3,2.5\n2024-02-28,4,3.5\n";
/// let table = read_csv_from("days.csv", file.as_bytes(), &CsvOptions::default())?;
/// let columns = Columns { split_by: Some(SplitBy::Time("day".into())), ..Columns::default() };
/// let days = table.examples::<f32>(&columns)?;
/// let (_, test) = days.samples.split(0.25, 7, &days.schema)?;
/// assert_eq!(test.targets(), &Targets::Values(array![[2.5]]), "of the latest day");
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SplitBy {
    /// The rows of the latest times are set apart. Times are numbers, or dates as ISO 8601 writes them (`2024-03-31`,
    /// `2024-03-31T12:30:00Z`). Rows of the same time stay together: the split is at the change of time that is nearest to the
    /// fraction asked for. Such samples have no folds.
    Time(String),
    /// Groups are drawn at random, and all rows of a group are in the same part and in the same fold. A group is a text as it is
    /// written. Groups are taken until the part is as near to the fraction asked for as they allow.
    Group(String),
}

/// The value of the column for each sample.
#[derive(Debug, Clone)]
pub(super) enum SplitKeys {
    /// The rank of the sample's time.
    Times(Vec<u32>),
    /// The number of the sample's group.
    Groups(Vec<u32>),
}

impl SplitBy {
    /// The name or the position of the column.
    pub fn column(&self) -> &str {
        match self {
            SplitBy::Time(column) | SplitBy::Group(column) => column,
        }
    }

    /// Reads the column, which is at this place.
    pub(super) fn keys(&self, table: &Table, column: usize) -> Result<SplitKeys> {
        match self {
            SplitBy::Time(_) => times::ranks(table, column).map(SplitKeys::Times),
            SplitBy::Group(_) => {
                let text = |row| match table.cell(row, column) {
                    Cell::Missing => Err(table.refuse(
                        row,
                        column,
                        "the group is missing, and the split is by it; leave the row out",
                    )),
                    _ => Ok(table.text(row, column)),
                };
                let texts: Vec<&str> = (0..table.rows()).map(text).collect::<Result<_>>()?;
                Ok(SplitKeys::Groups(numbered(&texts).0))
            }
        }
    }
}

impl SplitKeys {
    /// The keys of the samples with these indices.
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        let select = |keys: &[u32]| rows.iter().map(|&row| keys[row]).collect();
        match self {
            SplitKeys::Times(times) => SplitKeys::Times(select(times)),
            SplitKeys::Groups(groups) => SplitKeys::Groups(select(groups)),
        }
    }

    /// Splits the rows in two, those to train on first; `class` names a class.
    pub(super) fn split<T: Element>(
        &self,
        targets: &Targets<T>,
        test_fraction: f64,
        seed: u64,
        class: &dyn Fn(usize) -> String,
    ) -> Result<Rows> {
        let test = test_samples(targets.samples(), test_fraction)?;
        let rows = match self {
            SplitKeys::Times(times) => latest(times, test)?,
            SplitKeys::Groups(groups) => drawn(groups, test, seed)?,
        };
        check_classes(targets, &rows, class)?;
        Ok(rows)
    }

    /// Splits the rows into folds, and gives for each fold the rows outside of it and those in it; `class` names a class.
    pub(super) fn folds<T: Element>(
        &self,
        targets: &Targets<T>,
        folds: usize,
        seed: u64,
        class: &dyn Fn(usize) -> String,
    ) -> Result<Vec<Rows>> {
        check_folds(targets.samples(), folds)?;
        let SplitKeys::Groups(groups) = self else {
            let problem = "samples in the order of time have no folds, since later rows would predict earlier ones: validate \
                           with the latest rows (--validation 0.2)";
            return Err(Error::data("data to split", problem));
        };
        let pairs = group_folds(groups, folds, seed)?;
        for pair in &pairs {
            check_classes(targets, pair, class)?;
        }
        Ok(pairs)
    }
}

/// The rows before a change of time and those behind it, about `test` of them, in the order of time.
fn latest(times: &[u32], test: usize) -> Result<Rows> {
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by_key(|&row| times[row]);
    let wanted = times.len() - test;
    let is_change = |at: &usize| (1..times.len()).contains(at) && times[order[at - 1]] != times[order[*at]];
    let near = |distance: usize| {
        let below = wanted.checked_sub(distance);
        below.into_iter().chain([wanted + distance]).find(is_change)
    };
    match (0..times.len()).find_map(near) {
        Some(at) => {
            let latest = order.split_off(at);
            Ok((order, latest))
        }
        None => Err(Error::data(
            "data to split",
            format_args!(
                "all {} samples have the same time: split by another column, or at random",
                times.len()
            ),
        )),
    }
}

/// The rows of each group, in random order of the groups.
fn groups_in_random_order(groups: &[u32], seed: u64, stream: Stream) -> Vec<Vec<usize>> {
    let count = groups.iter().max().map_or(0, |&last| last as usize + 1);
    let mut rows = vec![Vec::new(); count];
    for (row, &group) in groups.iter().enumerate() {
        rows[group as usize].push(row);
    }
    // A part of the samples need not have all groups.
    rows.retain(|rows| !rows.is_empty());
    rows.shuffle(&mut generator(seed, stream, 0));
    rows
}

/// Draws groups until about `test` rows are apart.
fn drawn(groups: &[u32], test: usize, seed: u64) -> Result<Rows> {
    let mut rest = groups_in_random_order(groups, seed, Stream::Split);
    if rest.len() < 2 {
        return Err(Error::data(
            "data to split",
            "all samples are of one group, which cannot be on both sides: split by another column, or at random",
        ));
    }
    let mut apart = Vec::new();
    let mut place = 0;
    while place < rest.len() && rest.len() > 1 {
        let with_group = apart.len() + rest[place].len();
        match with_group.abs_diff(test) < test.abs_diff(apart.len()) {
            true => apart.extend(rest.remove(place)),
            false => place += 1,
        }
    }
    if apart.is_empty() {
        let sizes = rest.iter().map(Vec::len).enumerate();
        let smallest = sizes.min_by_key(|&(_, size)| size).map_or(0, |(group, _)| group);
        apart = rest.remove(smallest);
    }
    Ok((rest.concat(), apart))
}

/// Gives each group to the fold with the fewest rows, the largest groups first, as scikit-learn's `GroupKFold`.
fn group_folds(groups: &[u32], folds: usize, seed: u64) -> Result<Vec<Rows>> {
    let mut groups = groups_in_random_order(groups, seed, Stream::Folds);
    if groups.len() < folds {
        return Err(Error::data(
            "data to split",
            format_args!(
                "there are {} groups, fewer than the {folds} folds, and all rows of a group are in one fold: take fewer folds",
                groups.len()
            ),
        ));
    }
    // Stable: groups of the same size stay in random order.
    groups.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    let mut parts = vec![Vec::new(); folds];
    for rows in groups {
        if let Some(smallest) = parts.iter_mut().min_by_key(|part| part.len()) {
            smallest.extend(rows);
        }
    }
    let pair = |fold: usize| {
        let others = parts.iter().enumerate().filter(|(other, _)| *other != fold);
        let train: Vec<usize> = others.flat_map(|(_, rows)| rows.iter().copied()).collect();
        (train, parts[fold].clone())
    };
    Ok((0..folds).map(pair).collect())
}

/// Refuses a split without a sample of some class to train on.
fn check_classes<T: Element>(
    targets: &Targets<T>,
    (train, _): &Rows,
    class: &dyn Fn(usize) -> String,
) -> Result<()> {
    let Targets::Classes { labels, classes } = targets else {
        return Ok(());
    };
    let (mut occurs, mut is_learned) = (vec![false; *classes], vec![false; *classes]);
    labels.iter().for_each(|&label| occurs[label as usize] = true);
    train
        .iter()
        .for_each(|&row| is_learned[labels[row] as usize] = true);
    match (0..*classes).find(|&class| occurs[class] && !is_learned[class]) {
        None => Ok(()),
        Some(missing) => Err(Error::data(
            "data to split",
            format_args!(
                "no sample of class `{}` is on the side to train on: set a smaller part apart, take another seed where groups \
                 are drawn, or leave the class out",
                class(missing)
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(samples: usize) -> Targets<f64> {
        Targets::Values(ndarray::Array2::zeros((samples, 1)))
    }

    fn name(class: usize) -> String {
        format!("c{class}")
    }

    fn sorted(mut rows: Vec<usize>) -> Vec<usize> {
        rows.sort_unstable();
        rows
    }

    #[test]
    fn the_latest_rows_are_apart_and_equal_times_together() {
        let split = |times: &[u32], fraction| {
            let keys = SplitKeys::Times(times.to_vec());
            keys.split(&numbers(times.len()), fraction, 0, &name)
        };
        assert_eq!(split(&[3, 0, 2, 1], 0.25).unwrap(), (vec![1, 3, 2], vec![0]));
        assert_eq!(
            split(&[0, 1, 1, 1, 2, 3], 0.5).unwrap(),
            (vec![0, 1, 2, 3], vec![4, 5])
        );
        assert_eq!(
            split(&[0, 0, 1, 1, 1, 1], 0.2).unwrap(),
            (vec![0, 1], vec![2, 3, 4, 5]),
            "the only change of time"
        );
        assert_eq!(
            split(&[0, 1, 1, 2], 0.5).unwrap(),
            (vec![0], vec![1, 2, 3]),
            "of two, the larger part"
        );
        let error = split(&[5, 5, 5], 0.5).unwrap_err().to_string();
        assert!(error.contains("all 3 samples have the same time"), "{error}");
        assert!(split(&[0, 1], 1.0).is_err());
        let folds = SplitKeys::Times(vec![0, 1, 2]).folds(&numbers(3), 2, 0, &name);
        assert!(folds.unwrap_err().to_string().contains("no folds"));
    }

    #[test]
    fn a_group_is_on_one_side() {
        let groups: Vec<u32> = (0..200).map(|row| (row * row) % 31).collect();
        let keys = SplitKeys::Groups(groups.clone());
        let disjoint = |(one, other): &Rows| {
            assert_eq!(
                sorted([one.clone(), other.clone()].concat()),
                (0..200).collect::<Vec<_>>()
            );
            assert!(!one.is_empty() && !other.is_empty());
            one.iter().all(|&a| other.iter().all(|&b| groups[a] != groups[b]))
        };
        for seed in 0..20 {
            let pair = keys.split(&numbers(200), 0.2, seed, &name).unwrap();
            assert!(
                disjoint(&pair) && pair.1.len().abs_diff(40) <= 7,
                "{}",
                pair.1.len()
            );
            let folds = keys.folds(&numbers(200), 5, seed, &name).unwrap();
            assert!(folds.iter().all(disjoint));
            let judged: Vec<usize> = folds.iter().flat_map(|(_, judged)| judged.clone()).collect();
            assert_eq!(sorted(judged), (0..200).collect::<Vec<_>>());
        }
        assert_ne!(
            keys.split(&numbers(200), 0.2, 0, &name).unwrap(),
            keys.split(&numbers(200), 0.2, 1, &name).unwrap()
        );
        let large = SplitKeys::Groups(vec![0, 0, 0, 0, 1, 1, 1]);
        assert_eq!(
            large.split(&numbers(7), 0.1, 0, &name).unwrap().1,
            [4, 5, 6],
            "the smallest"
        );
        let equal = SplitKeys::Groups(vec![0, 0, 1, 1]);
        assert_eq!(
            equal.split(&numbers(4), 0.9, 0, &name).unwrap().0.len(),
            2,
            "never all groups"
        );
        let error = SplitKeys::Groups(vec![3; 4])
            .split(&numbers(4), 0.5, 0, &name)
            .unwrap_err();
        assert!(error.to_string().contains("all samples are of one group"));
        let error = equal.folds(&numbers(4), 3, 0, &name).unwrap_err().to_string();
        assert!(
            error.contains("there are 2 groups, fewer than the 3 folds"),
            "{error}"
        );
    }

    #[test]
    fn folds_of_groups_have_the_sizes_of_scikit_learns() {
        // python: g = [(i * i) % 31 for i in range(200)]
        //         sorted(len(test) for _, test in GroupKFold(5).split(g, groups=g))
        let groups: Vec<u32> = (0..200).map(|row| (row * row) % 31).collect();
        let folds = group_folds(&groups, 5, 3).unwrap();
        assert_eq!(
            sorted(folds.iter().map(|(_, judged)| judged.len()).collect()),
            [38, 39, 39, 39, 45]
        );
    }

    #[test]
    fn classes_that_would_not_be_learned_are_named() {
        let targets = Targets::<f64>::Classes {
            labels: vec![0, 0, 0, 1],
            classes: 3,
        };
        let error = SplitKeys::Times(vec![0, 1, 2, 3])
            .split(&targets, 0.25, 0, &name)
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("no sample of class `c1` is on the side to train on"),
            "{error}"
        );
        SplitKeys::Times(vec![3, 2, 1, 0])
            .split(&targets, 0.25, 0, &name)
            .unwrap();
    }
}
