//! Property tests that measure something in each case, and judge all measurements of a run together.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::property;

/// Tries so many cases, and returns what was measured in them.
///
/// # Panics
///
/// If a case fails, with the smallest that does.
pub fn measured<S: Strategy, M>(
    cases: u32,
    strategy: &S,
    measure: impl Fn(S::Value) -> Result<M, TestCaseError>,
) -> Vec<M> {
    let mut runner = TestRunner::new(property::config(cases));
    let measurements = RefCell::new(Vec::new());
    let outcome = runner.run(strategy, |case| {
        measurements.borrow_mut().push(measure(case)?);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}\n{runner}");
    }
    measurements.into_inner()
}

/// Fails if more than `allowed` of the bounds, each a part of what it bounds, are not below `limit`.
pub fn assert_narrow(what: &str, bounds: &[f64], limit: f64, allowed: usize) {
    let wide = bounds
        .iter()
        .filter(|bound| bound.is_nan() || **bound >= limit)
        .count();
    assert!(
        wide <= allowed,
        "{what}: {wide} of {} bounds are not below {limit}",
        bounds.len()
    );
}
