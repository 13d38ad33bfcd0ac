//! All that a network has learned, in one row.

use mfnet::{Element, NeuralNetwork};

/// The numbers of all weights and running statistics, in the order of the files.
pub fn learned<T: Element>(network: &NeuralNetwork<T>) -> Vec<T> {
    let tensors = network.records().unwrap().into_iter();
    tensors
        .flat_map(|record| record.tensors)
        .flat_map(|tensor| tensor.values)
        .collect()
}
