//! Learning curves out of a training's history.

use mfnet::report::Series;
use mfnet::{History, train::EpochRecord};

/// A line through a number of each epoch that has it.
pub fn line<'a>(name: &'a str, history: &History, of: fn(&EpochRecord) -> Option<f64>) -> Series<'a> {
    let epochs = history.epochs.iter();
    let points = epochs.filter_map(|record| Some((record.epoch as f64, of(record)?)));
    Series {
        name,
        points: points.collect(),
    }
}
