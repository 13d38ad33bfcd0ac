//! Several measurements of one thing: their median, and how far they lie apart.

/// Median, least and greatest of at least one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) greatest: f64,
}

impl Spread {
    /// None of no numbers.
    pub(super) fn of(numbers: &[f64]) -> Option<Self> {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (&least, &greatest) = (sorted.first()?, sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            0.5 * (sorted[middle - 1] + sorted[middle])
        } else {
            sorted[middle]
        };
        Some(Spread {
            median,
            least,
            greatest,
        })
    }
}

/// The middle one of at least one number; NaN of none.
pub(super) fn median(numbers: &[f64]) -> f64 {
    Spread::of(numbers).map_or(f64::NAN, |spread| spread.median)
}

/// How many times as long they take as we do, pair by pair of (ours, theirs): what slows the machine down slows both of
/// a pair.
pub(super) fn ratio(pairs: &[(f64, f64)]) -> Option<Spread> {
    let ratios: Vec<f64> = pairs.iter().map(|(ours, theirs)| theirs / ours).collect();
    Spread::of(&ratios)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_by_hand() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_ratio_is_of_pairs() {
        // The second round took twice as long for both; the ratio of the medians would be 5.
        let ratio = ratio(&[(1.0, 2.0), (2.0, 4.0), (1.0, 5.0)]).unwrap();
        assert_eq!((ratio.least, ratio.median, ratio.greatest), (2.0, 2.0, 5.0));
        assert_eq!(super::ratio(&[]), None);
    }
}
