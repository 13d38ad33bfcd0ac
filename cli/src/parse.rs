//! Numbers on the command line, with their ranges.

use std::fmt::Display;
use std::ops::RangeInclusive;

/// A whole number from 1 to `MAX`.
pub(super) fn whole<const MAX: usize>(text: &str) -> Result<usize, String> {
    let range: RangeInclusive<usize> = 1..=MAX;
    let expected: &dyn Display = if MAX == usize::MAX {
        &"it must be a whole number of at least 1"
    } else {
        &format_args!("it must be a whole number from 1 to {MAX}")
    };
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| expected.to_string())
}

/// A finite number above 0.
pub(super) fn above_zero(text: &str) -> Result<f64, String> {
    number(text, |number| number > 0.0, "it must be a finite number above 0")
}

/// A finite number of at least 0.
pub(super) fn at_least_zero(text: &str) -> Result<f64, String> {
    number(
        text,
        |number| number >= 0.0,
        "it must be a finite number of at least 0",
    )
}

/// A number from 0 to below 1.
pub(super) fn part_below_one(text: &str) -> Result<f64, String> {
    number(
        text,
        |number| (0.0..1.0).contains(&number),
        "it must be a number from 0 to below 1",
    )
}

/// A number above 0 and up to 1.
pub(super) fn above_zero_to_one(text: &str) -> Result<f64, String> {
    number(
        text,
        |number| number > 0.0 && number <= 1.0,
        "it must be a number above 0 and up to 1",
    )
}

/// One ASCII letter, or `tab`.
pub(super) fn letter(text: &str) -> Result<char, String> {
    if matches!(text, "tab" | "\\t") {
        return Ok('\t');
    }
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_ascii() && !matches!(letter, '\n' | '\r') => Ok(letter),
        _ => Err("it must be one ASCII letter, or tab".to_owned()),
    }
}

fn number(text: &str, fits: impl Fn(f64) -> bool, expected: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number
        .filter(|&number| fits(number))
        .ok_or_else(|| expected.to_owned())
}
