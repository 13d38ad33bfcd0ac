//! California Housing, or numbers in its shape.

use mfnet::data::Normalization;
use mfnet::data::known::{self, Source};
use mfnet::data::train_test_split;
use mfnet::{Dataset, Element, Targets};
use ndarray::Axis;

use super::common::noise::noise;

/// The data set's name and the four fifths of it to train on, inputs and target normalised; nothing is downloaded.
pub fn housing_or_noise<T: Element>() -> (&'static str, Dataset<T>) {
    let source = Source {
        download: false,
        ..Source::default()
    };
    let (name, all) = match known::california_housing(&source, &mut |_| {}) {
        Ok(data) => ("California Housing", data),
        Err(_) => {
            eprintln!("California Housing is not there: its jobs run on noise of its shape");
            let inputs = noise::<T>(20_640, 8, 0);
            let targets = inputs.sum_axis(Axis(1)).insert_axis(Axis(1));
            ("noise", Dataset::regression(inputs, targets).unwrap())
        }
    };
    let (train, _) = train_test_split(&all, 0.2, 0).unwrap();
    let Targets::Values(targets) = train.targets() else {
        unreachable!("house values are numbers");
    };
    let (inputs, targets) = (train.to_values(), targets.clone());
    let normalized = [inputs, targets].map(|values| {
        let statistics = Normalization::of(values.view()).unwrap();
        statistics.apply(values.view()).unwrap()
    });
    let [inputs, targets] = normalized;
    (name, Dataset::regression(inputs, targets).unwrap())
}
