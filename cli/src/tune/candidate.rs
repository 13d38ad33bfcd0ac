//! A candidate of an option: a value, or any number of a range.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A candidate of an option.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Candidate {
    /// As it is written on the command line.
    Value(String),
    Range(Range),
}

/// The numbers from `low` to `high`, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    low: f64,
    high: f64,
    spacing: Spacing,
}

/// The distribution of numbers drawn from a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spacing {
    /// All.
    Even,
    /// Each decade as much as any other.
    Decades,
    /// As decades, whole numbers only.
    Whole,
}

/// Whole numbers up to here are exact in f64.
const WHOLE: f64 = 9_007_199_254_740_992.0;

impl Candidate {
    /// A value, or `LOW..HIGH`.
    pub(super) fn parse(text: &str, spacing: Spacing) -> Result<Self, String> {
        let Some((low, high)) = text.split_once("..") else {
            return Ok(Candidate::Value(text.to_owned()));
        };
        let number = |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite());
        let (Some(low), Some(high)) = (number(low), number(high)) else {
            return Err("a range is two numbers, as 0.001..0.3".to_owned());
        };
        if low >= high {
            return Err("a range goes from the smaller number to the larger, as 0.001..0.3".to_owned());
        }
        let is_whole = |number: f64| number.fract() == 0.0 && number <= WHOLE;
        match spacing {
            Spacing::Decades if low <= 0.0 => {
                Err("the range is drawn from on a logarithmic scale, so it must begin above 0".to_owned())
            }
            Spacing::Whole if low < 1.0 || !is_whole(low) || !is_whole(high) => {
                Err("the range must be of whole numbers of at least 1".to_owned())
            }
            _ => Ok(Candidate::Range(Range { low, high, spacing })),
        }
    }

    /// The value, or the least of the range.
    pub(super) fn first(&self) -> String {
        match self {
            Candidate::Value(value) => value.clone(),
            Candidate::Range(range) => range.low.to_string(),
        }
    }

    /// The value, or one of the range, to three digits.
    pub(super) fn draw(&self, random: &mut ChaCha8Rng) -> String {
        match self {
            Candidate::Value(value) => value.clone(),
            Candidate::Range(range) => range.at(random.random()).to_string(),
        }
    }
}

impl Range {
    /// The number at this part, 0 to 1, of the range.
    fn at(self, part: f64) -> f64 {
        let Range { low, high, spacing } = self;
        let between = |low: f64, high: f64| low + part * (high - low);
        let value = match spacing {
            Spacing::Even => to_three_digits(between(low, high)),
            Spacing::Decades => to_three_digits(between(low.ln(), high.ln()).exp()),
            // Half a number more on either side, so that the ends are not rarer than they should be.
            Spacing::Whole => between((low - 0.5).ln(), (high + 0.5).ln()).exp().round(),
        };
        value.clamp(low, high)
    }
}

/// As people would write it: what a search has found is not more exact.
fn to_three_digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_told_from_values() {
        let parse = |text| Candidate::parse(text, Spacing::Decades);
        assert_eq!(parse("0.1"), Ok(Candidate::Value("0.1".to_owned())));
        assert!(matches!(parse("1e-3..0.3"), Ok(Candidate::Range(_))));
        for (text, spacing, part) in [
            ("0.1..", Spacing::Even, "two numbers"),
            ("0.1..x", Spacing::Even, "two numbers"),
            ("0.3..0.1", Spacing::Even, "the smaller"),
            ("0..0.1", Spacing::Decades, "above 0"),
            ("0.5..3", Spacing::Whole, "whole"),
            ("1..2.5", Spacing::Whole, "whole"),
            ("1..inf", Spacing::Whole, "two numbers"),
        ] {
            let message = Candidate::parse(text, spacing).unwrap_err();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn numbers_are_spread_as_told() {
        let at = |low, high, spacing| {
            [0.0, 0.5, 1.0].map(|part| Range { low, high, spacing }.at(part).to_string())
        };
        assert_eq!(at(0.0, 0.5, Spacing::Even), ["0", "0.25", "0.5"]);
        assert_eq!(at(0.001, 0.1, Spacing::Decades), ["0.001", "0.01", "0.1"]);
        assert_eq!(
            at(0.0012345, 0.1, Spacing::Decades)[0],
            "0.0012345",
            "not below the range"
        );
        assert_eq!(at(4.0, 64.0, Spacing::Whole), ["4", "15", "64"]);
    }
}
