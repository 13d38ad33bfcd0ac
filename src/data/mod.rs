//! Data sets: what they hold, where they come from, and how they are cut into batches.

mod dataset;
pub mod digits;
pub mod known;
pub mod read;

pub use dataset::{Dataset, Inputs, Targets};
