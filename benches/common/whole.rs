//! Work that is timed from its beginning to its end.

use std::time::Instant;

use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;

use super::common::timed;

/// The median seconds of a turn; none if a filter leaves it out.
pub fn median(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, mut work: impl FnMut()) -> Option<f64> {
    timed(group, name, |turns| {
        let start = Instant::now();
        (0..turns).for_each(|_| work());
        start.elapsed()
    })
}
