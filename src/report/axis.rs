//! The scale of an axis: which numbers it runs over, and which of them are written beside it.

/// How the numbers of an axis are spaced and written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    /// Linear, with ticks at whole numbers only.
    Whole,
    /// Linear, of parts of one that are written as percentages.
    Percent,
    Logarithmic,
}

pub(super) struct Axis {
    pub label: String,
    scale: Scale,
    low: f64,
    high: f64,
}

/// Whether a number can be drawn: sums and differences of such ones are finite.
pub(super) fn drawable(value: f64) -> bool {
    value.abs() <= 1e300
}

/// The least and greatest of the numbers that can be drawn.
pub(super) fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let values = values.into_iter().filter(|value| drawable(*value));
    values.fold(None, |range, value| match range {
        None => Some((value, value)),
        Some((low, high)) => Some((low.min(value), high.max(value))),
    })
}

impl Axis {
    /// An axis that runs over a little more than the range.
    pub(super) fn new(label: &str, scale: Scale, (low, high): (f64, f64)) -> Self {
        let (low, high) = match scale {
            Scale::Logarithmic => (low.log10(), high.log10()),
            _ => (low, high),
        };
        // A range too narrow to have ticks of its own is one number.
        let (low, high) = if high - low > 1e-9 * low.abs().max(high.abs()) {
            let margin = 0.04 * (high - low);
            (low - margin, high + margin)
        } else {
            let margin: f64 = match scale {
                Scale::Whole => 1.0,
                Scale::Percent => 0.05,
                Scale::Logarithmic => 0.5,
                Scale::Linear if low == 0.0 => 0.1,
                Scale::Linear => 0.0,
            };
            let margin = margin.max(0.1 * low.abs()).max(f64::MIN_POSITIVE * 1e9);
            (low - margin, high + margin)
        };
        Axis {
            label: label.to_owned(),
            scale,
            low,
            high,
        }
    }

    /// An axis for losses: logarithmic if they are all above 0, and not denormal, and span more than two decades.
    pub(super) fn loss(label: &str, (low, high): (f64, f64)) -> Self {
        let scale = if low >= 1e-300 && high / low > 100.0 {
            Scale::Logarithmic
        } else {
            Scale::Linear
        };
        Axis::new(label, scale, (low, high))
    }

    /// Exactly the range.
    pub(super) fn tight(label: &str, (low, high): (f64, f64)) -> Self {
        Axis {
            label: label.to_owned(),
            scale: Scale::Linear,
            low,
            high,
        }
    }

    pub(super) fn is_logarithmic(&self) -> bool {
        self.scale == Scale::Logarithmic
    }

    /// Where a number is on the axis: 0 at its start, 1 at its end.
    pub(super) fn part(&self, value: f64) -> f64 {
        let value = match self.scale {
            Scale::Logarithmic => value.log10(),
            _ => value,
        };
        (value - self.low) / (self.high - self.low)
    }

    /// The numbers to write, about so many, and how.
    pub(super) fn ticks(&self, count: f64) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Logarithmic => self.powers(count),
            Scale::Percent => {
                let step = step((self.high - self.low) * 100.0 / count);
                let percent = multiples(self.low * 100.0, self.high * 100.0, step);
                let decimals = decimals(step);
                let tick = |value: f64| (value / 100.0, format!("{} %", fixed(value, decimals)));
                percent
                    .into_iter()
                    .filter(|value| (-1e-9..100.0 + 1e-9).contains(value))
                    .map(tick)
                    .collect()
            }
            Scale::Linear | Scale::Whole => {
                let mut step = step((self.high - self.low) / count);
                if self.scale == Scale::Whole {
                    step = if step == 2.5 { 5.0 } else { step.max(1.0) };
                }
                let values = multiples(self.low, self.high, step);
                let largest = values
                    .iter()
                    .fold(0.0_f64, |largest, value| largest.max(value.abs()));
                let name = |value: f64| written(value, step, largest);
                values.into_iter().map(|value| (value, name(value))).collect()
            }
        }
    }

    /// Numbers that get a faint line and no name.
    pub(super) fn minor(&self) -> Vec<f64> {
        if !self.is_logarithmic() || self.high - self.low > 6.0 {
            return Vec::new();
        }
        let powers = self.low.floor() as i32..=self.high.floor() as i32;
        let between =
            powers.flat_map(|power| (2..10).map(move |factor| f64::from(factor) * 10f64.powi(power)));
        between
            .filter(|value| (0.0..=1.0).contains(&self.part(*value)))
            .collect()
    }

    fn powers(&self, count: f64) -> Vec<(f64, String)> {
        let (first, last) = (self.low.ceil() as i32, self.high.floor() as i32);
        let step = (f64::from(last - first + 1) / count).ceil().max(1.0) as i32;
        let plain = first >= -3 && last <= 4;
        let name = |power: i32| {
            if plain {
                fixed(10f64.powi(power), usize::try_from(-power).unwrap_or(0))
            } else {
                format!("10{}", superscript(power))
            }
        };
        (first..=last)
            .filter(|power| power.rem_euclid(step) == 0)
            .map(|power| (10f64.powi(power), name(power)))
            .collect()
    }
}

/// The least of 1, 2, 2.5, 5 or 10 times a power of ten that is not below the given number.
fn step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factors = [1.0, 2.0, 2.5, 5.0];
    let factor = factors
        .into_iter()
        .find(|factor| factor * power >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// The multiples of a step in a range.
fn multiples(low: f64, high: f64, step: f64) -> Vec<f64> {
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    // A step is a fair part of the range, so there are few; the bound is for ranges of rounding errors.
    let count = (last - first + 1.0).clamp(0.0, 100.0) as usize;
    (0..count).map(|index| (first + index as f64) * step).collect()
}

/// How many decimals a multiple of the step needs.
fn decimals(step: f64) -> usize {
    let whole = |decimals: &i32| {
        let scaled = step * 10f64.powi(*decimals);
        (scaled - scaled.round()).abs() < 1e-6 * scaled
    };
    (0..20).find(whole).unwrap_or(20) as usize
}

fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let zero = text
        .trim_start_matches('-')
        .chars()
        .all(|letter| matches!(letter, '0' | '.'));
    if zero {
        text.trim_start_matches('-').to_owned()
    } else {
        text.replace('-', "−")
    }
}

/// A multiple of the step, as it is written among others up to `largest`.
fn written(value: f64, step: f64, largest: f64) -> String {
    if (1e-3..1e5).contains(&largest) || largest == 0.0 {
        return fixed(value, decimals(step));
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let power = largest.log10().floor();
    // In two steps: 10^308 times a number below 1 is still a number, 10^-308 has no inverse.
    let unit = 10f64.powf(power);
    let mantissa = fixed(value / unit, decimals(step / unit));
    format!("{mantissa}×10{}", superscript(power as i32))
}

fn superscript(power: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let sign = if power < 0 { "⁻" } else { "" };
    let digits = power.unsigned_abs().to_string();
    let digits = digits.bytes().map(|digit| DIGITS[usize::from(digit - b'0')]);
    digits.fold(sign.to_owned(), |text, digit| {
        text + digit.encode_utf8(&mut [0; 4])
    })
}

/// A count with commas between its thousands, where it has more than four digits.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let places = digits.char_indices();
    places.fold(String::new(), |mut text, (at, digit)| {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(axis: &Axis) -> Vec<String> {
        axis.ticks(5.0).into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(
            names(&Axis::new("", Scale::Linear, (0.0, 1.0))),
            ["0.00", "0.25", "0.50", "0.75", "1.00"]
        );
        assert_eq!(
            names(&Axis::new("", Scale::Linear, (-30.0, 40.0))),
            ["−20", "0", "20", "40"]
        );
        assert_eq!(
            names(&Axis::new("", Scale::Linear, (0.0, 2e5))),
            ["0", "0.5×10⁵", "1.0×10⁵", "1.5×10⁵", "2.0×10⁵"]
        );
        assert_eq!(names(&Axis::new("", Scale::Whole, (1.0, 3.0))), ["1", "2", "3"]);
        assert_eq!(names(&Axis::new("", Scale::Whole, (1.0, 1.0))), ["0", "1", "2"]);
        assert_eq!(
            names(&Axis::new("", Scale::Percent, (0.8, 1.0))),
            ["80 %", "85 %", "90 %", "95 %", "100 %"]
        );
    }

    #[test]
    fn a_loss_of_many_decades_is_logarithmic() {
        assert_eq!(names(&Axis::loss("", (0.02, 0.9))).len(), 5);
        assert_eq!(names(&Axis::loss("", (1e-3, 1.0))), ["0.001", "0.01", "0.1", "1"]);
        let wide = Axis::loss("", (1e-7, 2e5));
        assert!(wide.is_logarithmic());
        assert_eq!(names(&wide), ["10⁻⁶", "10⁻³", "10⁰", "10³"]);
        assert!(!Axis::loss("", (0.0, 2e5)).is_logarithmic(), "0 has no logarithm");
    }

    #[test]
    fn any_range_has_ticks_and_places() {
        let numbers = [
            0.0,
            1e-300,
            1e-7,
            1.0,
            1.0 + 1e-15,
            3e5,
            1e300,
            -1e300,
            -2.0,
            5e-324,
        ];
        for low in numbers {
            for high in numbers.into_iter().filter(|high| *high >= low) {
                for axis in [
                    Axis::loss("", (low, high)),
                    Axis::new("", Scale::Whole, (low, high)),
                ] {
                    for value in [low, high] {
                        assert!(
                            (-1e-9..=1.0 + 1e-9).contains(&axis.part(value)),
                            "{low} {high}: {value}"
                        );
                    }
                    for (value, name) in axis.ticks(5.0) {
                        assert!(
                            (-1e-6..=1.0 + 1e-6).contains(&axis.part(value)),
                            "{low} {high}: {name}"
                        );
                        assert!(name.chars().count() < 24, "{low} {high}: {name}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_no_part_of_the_range() {
        assert_eq!(
            range([3.0, f64::NAN, 1.0, f64::INFINITY, 2.0, -f64::MAX]),
            Some((1.0, 3.0))
        );
        assert_eq!(range([f64::NAN]), None);
    }
}
