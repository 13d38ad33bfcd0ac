//! Numbers that look random, others for each seed of a run.

use mfnet::Element;
use ndarray::Array2;

use crate::noise;
use crate::property;

/// A seed for this place in a test.
pub fn seed(place: u64) -> u64 {
    property::seed().wrapping_add(place)
}

/// Numbers between -1 and 1, exact in both precisions, for this place in a test.
pub fn noise<T: Element>(rows: usize, columns: usize, place: u64) -> Array2<T> {
    noise::noise(rows, columns, seed(place))
}
