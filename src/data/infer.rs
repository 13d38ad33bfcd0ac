//! Whether targets look like numbers or like classes.

/// The most different whole numbers in a column of text that are taken for classes.
pub(super) const MOST_CLASSES: usize = 20;

/// Why these are numbers and no classes, if they are.
///
/// Classes are whole numbers of which there are at most `most` different ones, each found twice on average; as
/// scikit-learn's `type_of_target`, but for the two bounds.
pub(super) fn why_numbers(numbers: impl Iterator<Item = f64>, most: usize) -> Option<String> {
    let (mut samples, mut different) = (0_usize, std::collections::BTreeSet::new());
    for number in numbers {
        samples += 1;
        match whole(number) {
            None => return Some(format!("{number} is not a whole number")),
            Some(number) if different.len() <= most => {
                different.insert(number);
            }
            Some(_) => {}
        }
    }
    if different.len() > most {
        return Some(format!("there are more than {most} different whole numbers"));
    }
    if different.len() * 2 > samples && different.len() > 2 {
        let count = different.len();
        return Some(format!(
            "there are {count} different whole numbers in {samples} rows"
        ));
    }
    if different.len() == 1 {
        return Some("it has one value only".to_owned());
    }
    None
}

/// A number as an integer, if it is one that `f64` tells from its neighbours.
pub(super) fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_whole_numbers_are_classes() {
        let why = |numbers: &[f64]| why_numbers(numbers.iter().copied(), 3);
        assert_eq!(why(&[2.0, -1.0, 2.0, 10.0, 10.0, -1.0]), None);
        assert_eq!(why(&[0.0, 1.0]), None);
        for (numbers, reason) in [
            (vec![1.0, 2.0, 3.0], "3 different whole numbers in 3 rows"),
            (vec![1.0, 1.5], "1.5 is not"),
            (vec![4.0, 4.0], "one value"),
            ([1.0, 2.0, 3.0, 4.0, 5.0].repeat(4), "more than 3"),
        ] {
            let found = why(&numbers).unwrap();
            assert!(found.contains(reason), "{found} is not {reason}");
        }
        assert_eq!(whole(f64::INFINITY), None);
        assert_eq!(whole(f64::NAN), None);
        assert_eq!(whole(1e300), None);
        assert_eq!(whole(-0.0), Some(0));
    }
}
