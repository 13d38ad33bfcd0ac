//! Numbers as most tables write them: digits with a point among them, read in one pass.

/// The most bytes of digits and point that are read here: their number fits a `u64`.
const LONGEST: usize = 17;
/// The whole numbers up to here are exact in `f64`.
const MOST_EXACT: u64 = 1 << 53;
/// The powers of ten by which up to [`LONGEST`] decimals are divided, all exact in `f64`.
const POWERS: [f64; LONGEST] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
];

/// The `f64` nearest to the number that a text writes, as `str::parse` finds it; `None` for a text that is no number.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    short_number(text.as_bytes()).or_else(|| text.parse().ok())
}

/// A number of few digits: the quotient of two exact numbers, which is rounded once. `None` for any other text.
fn short_number(text: &[u8]) -> Option<f64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > LONGEST {
        return None;
    }
    let (mut whole, mut point) = (0_u64, None);
    for (place, &byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            whole = 10 * whole + u64::from(digit);
        } else if byte == b'.' && point.is_none() {
            point = Some(place);
        } else {
            return None;
        }
    }
    let decimals = point.map_or(0, |point| digits.len() - 1 - point);
    if digits.len() == usize::from(point.is_some()) || whole > MOST_EXACT {
        return None;
    }
    let number = whole as f64 / POWERS[decimals];
    Some(if is_negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::super::super::property;
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str) {
        let bits = |number: Option<f64>| number.map(f64::to_bits);
        assert_eq!(bits(parse_number(text)), bits(text.parse().ok()), "{text:?}");
    }

    #[test]
    fn the_edges_are_those_of_the_standard_library() {
        for text in [
            "",
            "-",
            ".",
            "-.",
            "5.",
            ".5",
            "-.5",
            "0",
            "-0",
            "-0.0",
            "+1",
            "1e5",
            "1_0",
            "1,5",
            "1..2",
            "--1",
            "\u{663}",
            "9007199254740992",
            "9007199254740993",
            "90071992547409.93",
            "00000000000000001",
            "99999999999999999",
            "0.1234567890123456",
            "0.12345678901234567",
            "123456789012345678",
            "inf",
            "infinity",
            "0x10",
            " 1",
        ] {
            check(text);
        }
        assert!(parse_number("nan").is_some_and(f64::is_nan));
        assert_eq!(short_number(b"-12.5"), Some(-12.5), "the short way");
    }

    proptest! {
        #![proptest_config(property::config(5000))]

        #[test]
        fn numbers_are_those_of_the_standard_library(text in "-?[0-9]{0,12}\\.?[0-9]{0,12}") {
            check(&text);
        }

        #[test]
        fn other_texts_are_too(text in "[-+.0-9eE, ]{0,8}") {
            check(&text);
        }
    }
}
