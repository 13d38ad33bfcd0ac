//! Whether targets look like numbers or like classes.

/// The most different whole numbers in a column of text that are taken for classes.
pub(super) const MOST_CLASSES: usize = 20;

/// What a column of numbers looks like.
pub(super) enum Look {
    /// Classes: these whole numbers, in ascending order.
    Classes(Vec<i64>),
    /// Numbers, and why they are taken for such.
    Numbers(String),
}

/// Classes are whole numbers of which there are at most `most` different ones, each found twice on average; as
/// scikit-learn's `type_of_target`, but for the two bounds.
pub(super) fn look_of(numbers: impl Iterator<Item = f64>, most: usize) -> Look {
    let (mut samples, mut different) = (0_usize, std::collections::BTreeSet::new());
    for number in numbers {
        samples += 1;
        match whole(number) {
            None => return Look::Numbers(format!("{number} is not a whole number")),
            Some(number) if different.len() <= most => {
                different.insert(number);
            }
            Some(_) => {}
        }
    }
    if different.len() > most {
        return Look::Numbers(format!("there are more than {most} different whole numbers"));
    }
    if different.len() * 2 > samples && different.len() > 2 {
        let count = different.len();
        return Look::Numbers(format!(
            "there are {count} different whole numbers in {samples} rows"
        ));
    }
    if different.len() == 1 {
        return Look::Numbers("it has one value only".to_owned());
    }
    Look::Classes(different.into_iter().collect())
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
        let classes = |numbers: &[f64]| match look_of(numbers.iter().copied(), 3) {
            Look::Classes(classes) => Ok(classes),
            Look::Numbers(reason) => Err(reason),
        };
        assert_eq!(classes(&[2.0, -1.0, 2.0, 10.0, 10.0, -1.0]), Ok(vec![-1, 2, 10]));
        assert_eq!(classes(&[0.0, 1.0]), Ok(vec![0, 1]));
        assert!(
            classes(&[1.0, 2.0, 3.0])
                .unwrap_err()
                .contains("3 different whole numbers in 3 rows")
        );
        assert!(classes(&[1.0, 1.5]).unwrap_err().contains("1.5 is not"));
        assert!(classes(&[4.0, 4.0]).unwrap_err().contains("one value"));
        let five = [1.0, 2.0, 3.0, 4.0, 5.0].repeat(4);
        assert!(classes(&five).unwrap_err().contains("more than 3"));
        assert_eq!(whole(f64::INFINITY), None);
        assert_eq!(whole(f64::NAN), None);
        assert_eq!(whole(1e300), None);
        assert_eq!(whole(-0.0), Some(0));
    }
}
