//! The rows of the parts that data are split into: at random, and for classes each part with all of them in proportion.

use rand::seq::SliceRandom;

use super::dataset::Targets;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::random::{Stream, generator};

/// The rows to train on, and those to test or to judge with.
pub(super) type Rows = (Vec<usize>, Vec<usize>);

/// Splits the rows of some targets in two; `class` names a class.
pub(super) fn split_rows<T: Element>(
    targets: &Targets<T>,
    test_fraction: f64,
    seed: u64,
    class: &dyn Fn(usize) -> String,
) -> Result<Rows> {
    let samples = targets.samples();
    let test = test_samples(samples, test_fraction)?;
    let order = shuffled(samples, seed, Stream::Split);
    let Targets::Classes { labels, classes } = targets else {
        let (test, train) = order.split_at(test);
        return Ok((train.to_vec(), test.to_vec()));
    };
    let counts = counts(labels, *classes);
    if let Some(rare) = counts.iter().position(|&count| count == 1) {
        return Err(too_rare(
            &class(rare),
            "1 sample among the",
            samples,
            "both parts of the split need one: add samples of it, leave it out, or name files for the parts",
        ));
    }
    let mut left = in_proportion(&counts, test);
    let is_test = |&row: &usize| {
        let left = &mut left[labels[row] as usize];
        let is_test = *left > 0;
        *left = left.saturating_sub(1);
        is_test
    };
    let (test, train) = order.into_iter().partition(is_test);
    Ok((train, test))
}

/// Splits the rows of some targets into folds, and gives for each fold the rows outside of it and those in it; `class` names
/// a class.
pub(super) fn fold_rows<T: Element>(
    targets: &Targets<T>,
    folds: usize,
    seed: u64,
    class: &dyn Fn(usize) -> String,
) -> Result<Vec<Rows>> {
    let samples = targets.samples();
    check_folds(samples, folds)?;
    let order = shuffled(samples, seed, Stream::Folds);
    let Targets::Classes { labels, classes } = targets else {
        // The first `longer` folds have one more sample than the others.
        let (size, longer) = (samples / folds, samples % folds);
        let start = |fold: usize| fold * size + fold.min(longer);
        let pair = |fold: usize| {
            let (start, end) = (start(fold), start(fold + 1));
            (
                [&order[..start], &order[end..]].concat(),
                order[start..end].to_vec(),
            )
        };
        return Ok((0..folds).map(pair).collect());
    };
    let counts = counts(labels, *classes);
    if let Some(rare) = counts.iter().position(|&count| count > 0 && count < folds) {
        let count = counts[rare];
        let remedy = if count < 2 {
            "add samples of it, or leave it out".to_owned()
        } else {
            format!("take {count} folds or fewer (--folds {count}), add samples of it, or leave it out")
        };
        return Err(too_rare(
            &class(rare),
            &format!("{count} of the"),
            samples,
            &format!("each of the {folds} folds needs one: {remedy}"),
        ));
    }
    // Each class is dealt to the folds in turn, from where the class before ended, so that the folds' sizes differ by one
    // at most.
    let mut next: Vec<usize> = counts
        .iter()
        .scan(0, |start, count| {
            let own = *start;
            *start += count;
            Some(own)
        })
        .collect();
    let mut fold_of = vec![0; samples];
    for &row in &order {
        let next = &mut next[labels[row] as usize];
        fold_of[row] = *next % folds;
        *next += 1;
    }
    let pair = |fold: usize| {
        let (judged, train) = order.iter().partition(|&&row| fold_of[row] == fold);
        (train, judged)
    };
    Ok((0..folds).map(pair).collect())
}

/// The number of samples to test with.
pub(super) fn test_samples(samples: usize, test_fraction: f64) -> Result<usize> {
    if !(test_fraction > 0.0 && test_fraction < 1.0) {
        return Err(Error::option("test fraction", test_fraction, "between 0 and 1"));
    }
    if samples < 2 {
        return Err(Error::data(
            "data to split",
            "a single sample cannot be split in two",
        ));
    }
    Ok(((samples as f64 * test_fraction).round() as usize).clamp(1, samples - 1))
}

/// Refuses a number of folds that these samples do not have.
pub(super) fn check_folds(samples: usize, folds: usize) -> Result<()> {
    if folds < 2 {
        return Err(Error::option("folds", folds, "at least 2"));
    }
    if samples < folds {
        return Err(Error::data(
            "data to split",
            format_args!("there are {samples} samples, fewer than the {folds} folds"),
        ));
    }
    Ok(())
}

fn shuffled(samples: usize, seed: u64, stream: Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..samples).collect();
    order.shuffle(&mut generator(seed, stream, 0));
    order
}

fn counts(labels: &[u32], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for &label in labels {
        counts[label as usize] += 1;
    }
    counts
}

fn too_rare(class: &str, count: &str, samples: usize, remedy: &str) -> Error {
    let problem = format_args!("class `{class}` has {count} {samples} samples, and {remedy}");
    Error::data("data to split", problem)
}

/// The number of samples of each class in a part of about `total` samples: in proportion, and at least one of each class
/// that occurs, but not all. The largest remainders are rounded up.
fn in_proportion(counts: &[usize], total: usize) -> Vec<usize> {
    let samples: usize = counts.iter().sum();
    let exact = |count: usize| count as f64 * total as f64 / samples as f64;
    let mut parts: Vec<usize> = counts.iter().map(|&count| exact(count) as usize).collect();
    let mut by_remainder: Vec<usize> = (0..counts.len()).collect();
    by_remainder.sort_by(|&a, &b| exact(counts[b]).fract().total_cmp(&exact(counts[a]).fract()));
    let missing = total.saturating_sub(parts.iter().sum());
    for &class in by_remainder.iter().take(missing) {
        parts[class] += 1;
    }
    for (part, &count) in parts.iter_mut().zip(counts).filter(|(_, count)| **count > 1) {
        *part = (*part).clamp(1, count - 1);
    }
    // The samples that rare classes have too many are taken from the others, where they have more than their share.
    let surplus = |parts: &[usize], class: usize| parts[class] as f64 - exact(counts[class]);
    while parts.iter().sum::<usize>() > total {
        let others = (0..counts.len()).filter(|&class| parts[class] > 1);
        let Some(most) = others.max_by(|&a, &b| surplus(&parts, a).total_cmp(&surplus(&parts, b))) else {
            break;
        };
        parts[most] -= 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(counts: &[usize]) -> Targets<f32> {
        // Mixed, so that no order of the rows helps.
        let labels = (0_u32..)
            .zip(counts)
            .flat_map(|(label, &count)| vec![label; count]);
        let mut labels: Vec<u32> = labels.collect();
        labels.shuffle(&mut generator(1, Stream::Circle, 0));
        Targets::Classes {
            labels,
            classes: counts.len(),
        }
    }

    fn counted(targets: &Targets<f32>, rows: &[usize]) -> Vec<usize> {
        match targets.select(rows) {
            Targets::Classes { labels, classes } => counts(&labels, classes),
            Targets::Values(_) => panic!("classes"),
        }
    }

    fn name(class: usize) -> String {
        format!("c{class}")
    }

    #[test]
    fn each_part_has_each_class_in_proportion() {
        for seed in 0..20 {
            let targets = classes(&[90, 7, 3]);
            let (train, test) = split_rows(&targets, 0.2, seed, &name).unwrap();
            assert_eq!(counted(&targets, &test), [18, 1, 1]);
            assert_eq!(counted(&targets, &train), [72, 6, 2]);
            let folds = fold_rows(&targets, 3, seed, &name).unwrap();
            let mut sizes: Vec<usize> = folds.iter().map(|(_, judged)| judged.len()).collect();
            sizes.sort_unstable();
            assert_eq!(sizes, [33, 33, 34]);
            for (train, judged) in folds {
                let (train, judged) = (counted(&targets, &train), counted(&targets, &judged));
                assert_eq!((judged[0], judged[2]), (30, 1));
                assert!((2..=3).contains(&judged[1]) && train[1] + judged[1] == 7);
            }
        }
        assert_eq!(
            in_proportion(&[2, 2, 2, 2], 1),
            [1, 1, 1, 1],
            "one of each at least"
        );
        assert_eq!(in_proportion(&[50, 0, 50], 20), [10, 0, 10]);
        assert_eq!(in_proportion(&[2, 98], 99), [1, 97], "and not all");
        assert_eq!(in_proportion(&[3, 3, 994], 100), [1, 1, 98]);
    }

    #[test]
    fn parts_depend_on_the_seed_and_are_mixed() {
        let targets = classes(&[50, 50]);
        let split = |seed| split_rows(&targets, 0.5, seed, &name).unwrap();
        assert_eq!(split(1), split(1));
        assert_ne!(split(1), split(2));
        let (train, test) = split(1);
        let mut all = [train.clone(), test].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        assert!(!train.is_sorted());
        let changes = match targets.select(&train) {
            Targets::Classes { labels, .. } => labels.windows(2).filter(|pair| pair[0] != pair[1]).count(),
            Targets::Values(_) => 0,
        };
        assert!(changes > 10, "the classes are mixed: {changes} changes");
    }

    #[test]
    fn rare_classes_are_named_with_a_remedy() {
        let targets = classes(&[10, 1]);
        let error = split_rows(&targets, 0.2, 0, &name).unwrap_err().to_string();
        assert!(
            error.contains(
                "class `c1` has 1 sample among the 11 samples, and both parts of the split need one: add"
            ),
            "{error}"
        );
        let targets = classes(&[10, 3]);
        let error = fold_rows(&targets, 5, 0, &name).unwrap_err().to_string();
        assert!(
            error.contains(
                "class `c1` has 3 of the 13 samples, and each of the 5 folds needs one: take 3 folds"
            ),
            "{error}"
        );
        fold_rows(&targets, 3, 0, &name).unwrap();
    }
}
