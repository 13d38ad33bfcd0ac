//! Numbers as people read them.

use indicatif::HumanCount;

/// A count: `60,000`.
pub(super) fn count(number: usize) -> String {
    HumanCount(number as u64).to_string()
}

/// A count with its noun, whose plural ends in s: `1 feature`, `60,000 samples`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// A rate to three digits or so, in samples a second: `153,000`.
pub(super) fn rate(samples_per_second: f64) -> String {
    let unit = if samples_per_second < 1e4 { 1.0 } else { 1e3 };
    count(((samples_per_second / unit).round() * unit) as usize)
}

/// A part of 1: `98.21 %`.
pub(super) fn percent(part: f64) -> String {
    format!("{:.2} %", 100.0 * part)
}

/// A score: four places; one that is not defined, as R2 of a single sample, is not available.
pub(super) fn score(score: f64) -> String {
    match score.is_nan() {
        true => "n/a".to_owned(),
        false => format!("{score:.4}"),
    }
}

/// A loss: four places, more where it is small.
pub(super) fn loss(loss: f64) -> String {
    if loss != 0.0 && loss.abs() < 0.001 || loss.abs() >= 1e6 {
        format!("{loss:.3e}")
    } else {
        format!("{loss:.4}")
    }
}

/// A time: `0.42 s`, `40.2 s`, `3 min 20 s`, `2 h 5 min`.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds < 9.995 => format!("{seconds:.2} s"),
        0..120 => format!("{seconds:.1} s"),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// The time that is left, as a clock shows it: `0:32`, `1:02:05`.
pub(super) fn clock(seconds: f64) -> String {
    let whole = seconds.ceil() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_can_read_them() {
        assert_eq!(
            [0, 1, 1200].map(|number| counted(number, "sample")),
            ["0 samples", "1 sample", "1,200 samples"]
        );
        assert_eq!(count(60_000), "60,000");
        assert_eq!(
            [rate(153_456.7), rate(1234.4), rate(0.0)],
            ["153,000", "1,234", "0"]
        );
        assert_eq!(percent(0.982_11), "98.21 %");
        assert_eq!(
            [loss(0.0), loss(0.41), loss(0.000_123_4), loss(2e7)],
            ["0.0000", "0.4100", "1.234e-4", "2.000e7"]
        );
        assert_eq!(
            [0.421, 40.2, 119.96, 200.0, 7500.0].map(duration),
            ["0.42 s", "40.2 s", "2 min 0 s", "3 min 20 s", "2 h 5 min"]
        );
        assert_eq!([0.2, 32.0, 3725.0].map(clock), ["0:01", "0:32", "1:02:05"]);
    }
}
