//! What all benches share: short measurements, their medians, and agreement before any of them.

#[path = "../../tests/common/noise.rs"]
pub mod noise;

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};

/// Ten short samples of each: all benches together stay below ten minutes.
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .configure_from_args()
}

/// The median seconds of what is timed by itself, for as many turns as asked; none if a filter leaves it out.
pub fn timed(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    mut work: impl FnMut(u64) -> Duration,
) -> Option<f64> {
    let mut seconds = Vec::new();
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|turns| {
            let time = work(turns);
            seconds.push(time.as_secs_f64() / turns as f64);
            time
        });
    });
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied()
}

/// A number for a table, or a dash.
pub fn cell(number: Option<f64>, places: usize) -> String {
    number.map_or_else(|| "-".to_owned(), |number| format!("{number:.places$}"))
}

/// Fails unless |found - expected| <= tolerance (scale + |expected|), scale the largest of all that is expected.
pub fn assert_close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected
        .iter()
        .fold(0.0, |largest: f64, value| largest.max(value.abs()));
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance * (scale + expected.abs()),
            "{what}, number {index}: {found}, not {expected}"
        );
    }
}
