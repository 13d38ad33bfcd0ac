//! Single steps: the gradients of a batch, and what an optimizer makes of them.

use mfnet::loss::Loss;
use mfnet::optimizer::Optimizer;
use mfnet::{DataLoader, Dataset, Element, NeuralNetwork, Shuffle, Workspace};
use ndarray::Array2;

/// The loss and the gradients of each batch of so many samples, in their order.
pub fn gradients_of_batches<T: Element>(
    network: &NeuralNetwork<T>,
    data: &Dataset<T>,
    loss: &dyn Loss<T>,
    batch_size: usize,
) -> Vec<(f64, Vec<Array2<T>>)> {
    let loader = DataLoader::new(data, batch_size, Shuffle::None, 0).unwrap();
    let mut workspace = Workspace::new(network, batch_size).unwrap();
    let gradients = |batch| {
        let loss = network.forward_backward(&batch, loss, &mut workspace).unwrap();
        network.gradients(&mut workspace).unwrap();
        (loss, workspace.gradients().cloned().collect())
    };
    loader.batches().map(gradients).collect()
}

/// The loss and the gradients of all samples as one batch.
pub fn gradients<T: Element>(
    network: &NeuralNetwork<T>,
    data: &Dataset<T>,
    loss: &dyn Loss<T>,
) -> (f64, Vec<Array2<T>>) {
    gradients_of_batches(network, data, loss, data.samples()).remove(0)
}

/// The weights after one step with all samples as one batch.
pub fn weights_after_a_step<T: Element>(
    mut network: NeuralNetwork<T>,
    data: &Dataset<T>,
    loss: &dyn Loss<T>,
    optimizer: &mut dyn Optimizer<T>,
) -> Vec<Array2<T>> {
    let loader = DataLoader::new(data, data.samples(), Shuffle::None, 0).unwrap();
    let mut workspace = Workspace::new(&network, data.samples()).unwrap();
    let batch = loader.batches().next().unwrap();
    network.forward_backward(&batch, loss, &mut workspace).unwrap();
    network.apply_gradients(optimizer, &mut workspace).unwrap();
    network.parameters().cloned().collect()
}

/// The length of all tensors as one vector.
pub fn norm<'a, T: Element>(tensors: impl IntoIterator<Item = &'a Array2<T>>) -> f64 {
    let squares = tensors.into_iter().flatten().map(|value| value.as_f64().powi(2));
    squares.sum::<f64>().sqrt()
}
