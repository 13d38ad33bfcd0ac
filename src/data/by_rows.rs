//! Rows shared among threads, in tasks whose size depends on the width of the table alone.

use std::ops::Range;

use rayon::prelude::*;

use crate::pool;

/// The number of cells of a task.
const CELLS: usize = 1 << 15;

fn rows_of_task(width: usize) -> usize {
    (CELLS / width.max(1)).max(1)
}

/// Calls `work` with ranges that make up all rows, and returns the results in the order of the rows.
pub(super) fn by_rows<R: Send>(rows: usize, width: usize, work: impl Fn(Range<usize>) -> R + Sync) -> Vec<R> {
    let task = rows_of_task(width);
    let range = |number: usize| number * task..rows.min((number + 1) * task);
    match rows.div_ceil(task) {
        0 => Vec::new(),
        1 => vec![work(0..rows)],
        tasks => pool::enter(|| (0..tasks).into_par_iter().map(|task| work(range(task))).collect()),
    }
}

/// The first row of which something is true.
pub(super) fn first_row(rows: usize, is_wanted: impl Fn(usize) -> bool + Sync) -> Option<usize> {
    let found = by_rows(rows, 1, |mut rows| rows.find(|&row| is_wanted(row)));
    found.into_iter().flatten().next()
}

/// As [`by_rows`], with the values of these rows, `width` for each row, to be written.
pub(super) fn fill_by_rows<T: Send, R: Send>(
    values: &mut [T],
    width: usize,
    work: impl Fn(Range<usize>, &mut [T]) -> R + Sync,
) -> Vec<R> {
    if width == 0 {
        return Vec::new();
    }
    let task = rows_of_task(width);
    let fill = |(number, values): (usize, &mut [T])| {
        let first = number * task;
        work(first..first + values.len() / width, values)
    };
    if values.len() <= task * width {
        return values.chunks_mut(task * width).enumerate().map(fill).collect();
    }
    pool::enter(|| {
        values
            .par_chunks_mut(task * width)
            .enumerate()
            .map(fill)
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_worked_on_once_and_in_order() {
        for (rows, width) in [
            (0, 3),
            (1, 3),
            (5, 0),
            (10_000, 10),
            (2 * CELLS, 1),
            (3, CELLS * 2),
        ] {
            let ranges = by_rows(rows, width, |range| range);
            assert_eq!(
                ranges.into_iter().flatten().collect::<Vec<_>>(),
                (0..rows).collect::<Vec<_>>()
            );
            assert_eq!(
                first_row(rows, |row| row % 7000 == 6999),
                (rows > 6999).then_some(6999)
            );
            let mut values = vec![0; rows * width];
            let ranges = fill_by_rows(&mut values, width, |range, values| {
                for (row, values) in range.clone().zip(values.chunks_mut(width)) {
                    values.fill(row + 1);
                }
                range
            });
            let covered: usize = ranges.iter().map(Range::len).sum();
            assert_eq!(covered, if width == 0 { 0 } else { rows });
            assert!(
                values
                    .iter()
                    .enumerate()
                    .all(|(place, &value)| value == place / width + 1)
            );
        }
    }
}
