//! Columns of numbers that differ by less than a precision can tell, such as times in seconds since 1970 in `f32`.

use crate::element::Element;

/// The largest rounding error that is accepted, as a part of the range of the numbers.
const MOST: f64 = 1e-3;

/// The range of a column's numbers, and the largest error of rounding them to a `T`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rounding {
    least: f64,
    greatest: f64,
    error: f64,
}

impl Rounding {
    /// Without any number yet.
    pub(super) fn new() -> Self {
        Rounding {
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
            error: 0.0,
        }
    }

    /// Adds a number; one that is not finite as a `T` is refused elsewhere.
    pub(super) fn add<T: Element>(&mut self, number: f64) {
        let rounded = T::from_f64(number);
        if rounded.is_finite() {
            (self.least, self.greatest) = (self.least.min(number), self.greatest.max(number));
            self.error = self.error.max((rounded.as_f64() - number).abs());
        }
    }

    /// Adds the numbers of another part of the column.
    pub(super) fn extend(&mut self, other: &Rounding) {
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        self.error = self.error.max(other.error);
    }

    /// Why the numbers cannot be rounded to a `T`: rounded, their mean and deviation, and every score, would be wrong.
    pub(super) fn problem<T: Element>(&self) -> Option<String> {
        let Rounding {
            least,
            greatest,
            error,
        } = self;
        (greatest > least && *error > MOST * (greatest - least)).then(|| {
            format!(
                "has numbers from {least} to {greatest}, which {} rounds by up to {error:.3e}: train with --precision f64, \
                 or subtract a number that they have in common",
                T::NAME
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_differences_are_told_from_small_errors() {
        let problem = |numbers: &[f64]| {
            let mut rounding = Rounding::new();
            numbers.iter().for_each(|&number| rounding.add::<f32>(number));
            rounding.problem::<f32>()
        };
        assert!(
            problem(&[16_777_217.0, 16_777_218.0])
                .unwrap()
                .contains("f32 rounds by up to 1")
        );
        for numbers in [
            &[0.1, 0.2][..],
            &[16_777_217.0; 2],
            &[1e30, 1e39],
            &[f64::NAN, 0.5],
            &[],
        ] {
            assert_eq!(problem(numbers), None, "{numbers:?}");
        }
    }
}
