//! Times in a table's column: numbers, or dates as ISO 8601 writes them.

use super::read::shorten;
use super::table::{Cell, Table};
use crate::error::{Error, Result};

/// The form of a time, for errors.
const FORM: &str = "a time is a number, or a date such as 2024-03-31 or 2024-03-31T12:30:00Z";

/// A date and time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Date {
    /// The seconds since the start of 1970, in UTC where a zone is named.
    seconds: i64,
    nanoseconds: u32,
}

/// The rank of each row's time, equal for equal times: 0 for the earliest.
///
/// # Errors
///
/// [`Error::InvalidFile`] with the line of a cell that is missing or is no time, or of another form than the rows before.
pub(super) fn ranks(table: &Table, column: usize) -> Result<Vec<u32>> {
    let cells = || (0..table.rows()).map(|row| (row, table.cell(row, column)));
    let is_number = matches!(cells().next(), Some((_, Cell::Number(_))));
    if is_number {
        let number = |(row, cell)| match cell {
            // Negative zero is zero.
            Cell::Number(number) if number.is_finite() => Ok(number + 0.0),
            cell => Err(refused(table, row, column, cell, "a number")),
        };
        let numbers: Vec<f64> = cells().map(number).collect::<Result<_>>()?;
        return Ok(dense_ranks(&numbers, f64::total_cmp));
    }
    let mut has_zone = None;
    let mut date = |(row, cell)| {
        let Cell::Text(text) = cell else {
            return Err(refused(table, row, column, cell, "a date"));
        };
        let Some((date, zone)) = parse(text) else {
            return Err(refused(table, row, column, cell, "a date"));
        };
        if *has_zone.get_or_insert(zone) != zone {
            let problem =
                "of two dates, one names a time zone and the other does not: their order is unknown";
            return Err(table.refuse(row, column, problem));
        }
        Ok(date)
    };
    let dates: Vec<Date> = cells().map(&mut date).collect::<Result<_>>()?;
    Ok(dense_ranks(&dates, Date::cmp))
}

/// The error of a cell that is not of the form of the first row's.
fn refused(table: &Table, row: usize, column: usize, cell: Cell<'_>, expected: &str) -> Error {
    let text = shorten(table.text(row, column));
    let problem = match cell {
        Cell::Missing => "the time is missing, and the split is by it; leave the row out".to_owned(),
        Cell::Text(text) if row > 0 && parse(text).is_some() => {
            format!("{text:?} is a date, and the rows before have numbers")
        }
        Cell::Number(number) if row > 0 && number.is_finite() => {
            format!("{text:?} is a number, and the rows before have dates")
        }
        _ => format!("{text:?} is not {expected}: {FORM}"),
    };
    table.refuse(row, column, problem)
}

/// The place of each value among the different ones in ascending order.
fn dense_ranks<V>(values: &[V], order: impl Fn(&V, &V) -> std::cmp::Ordering) -> Vec<u32> {
    let mut rows: Vec<usize> = (0..values.len()).collect();
    rows.sort_by(|&a, &b| order(&values[a], &values[b]));
    let mut ranks = vec![0; values.len()];
    let mut rank = 0;
    for pair in rows.windows(2) {
        rank += u32::from(order(&values[pair[0]], &values[pair[1]]).is_ne());
        ranks[pair[1]] = rank;
    }
    ranks
}

/// A date, and whether it names a time zone.
fn parse(text: &str) -> Option<(Date, bool)> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year: i64 = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2)?;
    let day = parts.next().map_or(Some(1), |day| digits(day, 2))?;
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    let midnight = days_since_1970(year, month, day) * 86_400;
    let Some(time) = time else {
        let date = Date {
            seconds: midnight,
            nanoseconds: 0,
        };
        return Some((date, false));
    };
    let (time, zone) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => (&time[..at], Some(offset(&time[at..])?)),
        None => (time, None),
    };
    let mut parts = time.split(':');
    let (hours, minutes) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let (seconds, fraction) = match parts.next() {
        None => (0, ""),
        Some(text) => match text.split_once(['.', ',']) {
            None => (digits(text, 2)?, ""),
            Some((_, "")) => return None,
            Some((seconds, fraction)) => (digits(seconds, 2)?, fraction),
        },
    };
    // A leap second is the sixtieth.
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    if fraction.len() > 9 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
    let of_day = hours * 3600 + minutes * 60 + seconds;
    let date = Date {
        seconds: midnight + of_day - zone.unwrap_or(0),
        nanoseconds,
    };
    Some((date, zone.is_some()))
}

/// The seconds that a zone is ahead of UTC, written as `Z`, `+02:00`, `+0200` or `+02`.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match zone.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, zone.strip_prefix('+')?),
    };
    let (hours, minutes) = match (rest.split_once(':'), rest.len()) {
        (Some((hours, minutes)), _) => (hours, minutes),
        (None, 4) => rest.split_at_checked(2)?,
        (None, _) => (rest, "00"),
    };
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    let is_number = text.len() == count && text.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn days_of(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their leap day at the end.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read::table_of;

    fn of(cells: &[&str]) -> Result<Vec<u32>> {
        let rows: String = cells.iter().map(|cell| format!("{cell},1\n")).collect();
        let content = format!("when,y\n{rows}");
        ranks(&table_of(&content), 0)
    }

    #[test]
    fn times_are_ranked() {
        assert_eq!(of(&["3", "-1.5", "3.0", "1e3"]).unwrap(), [1, 0, 1, 2]);
        let dates = [
            "2024-03-01",
            "1999-12-31",
            "2024-02-29",
            "2024-03",
            "2024-03-01 00:00",
        ];
        assert_eq!(of(&dates).unwrap(), [2, 0, 1, 2, 2]);
        let zones = [
            "2024-03-31T12:30:00Z",
            "2024-03-31T14:00+02:00",
            "2024-03-31t07:30:00.5-0500",
            "2024-03-31 12:30:00.000+00",
        ];
        assert_eq!(of(&zones).unwrap(), [1, 0, 2, 1]);
    }

    #[test]
    fn dates_are_counted_as_python_counts() {
        // Python: (datetime.fromisoformat(text) - datetime(1970, 1, 1)).total_seconds()
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("1969-12-31 23:59:59", -1),
            ("2000-02-29", 951_782_400),
            ("2024-03-31T12:30:00", 1_711_888_200),
            ("0001-01-01", -62_135_596_800),
            ("9999-12-31T23:59:59", 253_402_300_799),
        ] {
            assert_eq!(parse(text).unwrap().0.seconds, seconds, "{text}");
        }
        assert_eq!(
            parse("2024-01-01T00:00:00.25").unwrap().0.nanoseconds,
            250_000_000
        );
    }

    #[test]
    fn unreadable_times_are_refused_with_their_line() {
        for (cells, part) in [
            (
                &["1", "x"][..],
                "line 3, column 1: column `when`: \"x\" is not a number: a time is",
            ),
            (&["1", ""], "line 3, column 1: column `when`: the time is missing"),
            (&["2024-01-01", "NA"], "the time is missing"),
            (
                &["31.12.2024", "1"],
                "line 2, column 1: column `when`: \"31.12.2024\" is not a date",
            ),
            (&["2024-02-30", "2024-01-01"], "\"2024-02-30\" is not a date"),
            (
                &["2024-01-01", "5"],
                "\"5\" is a number, and the rows before have dates",
            ),
            (
                &["5", "2024-01-01"],
                "\"2024-01-01\" is a date, and the rows before have numbers",
            ),
            (&["5", "inf"], "\"inf\" is not a number"),
            (
                &["2024-01-01T10:00", "2024-01-01T10:00Z"],
                "one names a time zone",
            ),
        ] {
            let error = of(cells).unwrap_err().to_string();
            assert!(error.contains(part), "{error} is not {part}");
        }
        for text in [
            "2024",
            "2024-1-1",
            "2024-13-01",
            "2024-00-01",
            "2023-02-29",
            "2024-01-01T",
            "2024-01-01T25:00",
            "2024-01-01T10",
            "2024-01-01T10:60",
            "2024-01-01T10:00:00.",
            "2024-01-01T10:00+",
            "2024-01-01T10:00+24:00",
            "2024-01-01-01",
            "2024-01-01T10:00:00:00",
            "24-01-01",
            "2024-01-01T10:00é",
            "2024-01-01T10:00+é1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
