//! Whether targets look like numbers or like classes.

/// The most different whole numbers in a column of text that are taken for classes.
pub(super) const MOST_CLASSES: usize = 20;

/// Up to here, exclusively, `f64` has all whole numbers.
const EXACT: f64 = (1_u64 << 53) as f64;

/// Why these are numbers and no classes, if they are.
///
/// The numbers are integers, or others that [`whole`] makes none of. Classes are whole numbers of which there are at most `most` different ones, each found twice on average; as
/// scikit-learn's `type_of_target`, but for the two bounds.
pub(super) fn why_numbers(numbers: impl Iterator<Item = Result<i64, f64>>, most: usize) -> Option<String> {
    let (mut samples, mut different) = (0_usize, std::collections::BTreeSet::new());
    for number in numbers {
        samples += 1;
        match number {
            Err(number) => return Some(format!("{number} is {}", why_no_class(number))),
            Ok(number) if different.len() <= most => {
                different.insert(number);
            }
            Ok(_) => {}
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
    // 2^53 itself may have been 2^53 + 1.
    (number.fract() == 0.0 && number.abs() < EXACT).then_some(number as i64)
}

/// Why a number is no class that [`whole`] makes nothing of.
pub(super) fn why_no_class(number: f64) -> &'static str {
    match number.abs() >= EXACT && number.is_finite() {
        true => "too large to be told from its neighbours",
        false => "not a whole number",
    }
}

/// Whether a text is an integer that `f64` does not tell from its neighbours, such as an identifier of 17 digits.
pub(super) fn is_long_integer(text: &str) -> bool {
    is_integer(text) && text.parse().is_ok_and(|number: f64| whole(number).is_none())
}

/// Whether a text is digits alone, but for a sign.
pub(super) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_whole_numbers_are_classes() {
        let why = |numbers: &[f64]| why_numbers(numbers.iter().map(|&number| whole(number).ok_or(number)), 3);
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
        let limit = 9_007_199_254_740_992.0;
        assert_eq!((whole(limit), whole(limit - 1.0)), (None, Some((1 << 53) - 1)));
        assert_eq!(why_no_class(limit), "too large to be told from its neighbours");
        for (text, is_long) in [
            ("9007199254740993", true),
            ("-9007199254740993", true),
            ("9007199254740991", false),
            ("9007199254740993.0", false),
            ("1e300", false),
            ("-", false),
        ] {
            assert_eq!(is_long_integer(text), is_long, "{text}");
        }
    }
}
