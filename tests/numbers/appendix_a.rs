//! The report's worked example (Appendix A) through the fast pipeline: one step of a 2-3-2-1 ReLU network.
//!
//! `src/plain/appendix_a.rs` says which of its numbers are the report's, which are misprints, and which are ours. All
//! are small integers, so that both precisions give them exactly.

use mfnet::data::Batch;
use mfnet::layer::Linear;
use mfnet::{DataLoader, Dataset, Element, MseLoss, NeuralNetwork, Sgd, Shuffle, Workspace};
use ndarray::{Array2, array};

/// A tensor of the example in this precision.
fn tensor<T: Element>(values: Array2<f64>) -> Array2<T> {
    values.mapv(T::from_f64)
}

fn network<T: Element>() -> NeuralNetwork<T> {
    let layer = |weights: Array2<f64>, biases: &[f64]| {
        let biases: Vec<T> = biases.iter().map(|&bias| T::from_f64(bias)).collect();
        Box::new(Linear::from_weights(tensor(weights).view(), &biases).unwrap())
    };
    NeuralNetwork::builder(2)
        .layer(layer(
            array![[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]],
            &[0.0, 0.0, 1.0],
        ))
        .relu()
        .layer(layer(array![[1.0, 0.0, 1.0], [1.0, 2.0, -2.0]], &[1.0, 0.0]))
        .relu()
        .layer(layer(array![[1.0, -1.0]], &[1.0]))
        .build()
        .unwrap()
}

fn inputs<T: Element>() -> Array2<T> {
    tensor(array![[1.0, 2.0], [1.0, 3.0], [2.0, 2.0], [2.0, 3.0]])
}

/// Hands the whole example over as one batch.
fn with_batch<T: Element>(work: impl FnOnce(Batch<'_, T>)) {
    let targets = tensor(array![[1.0], [1.0], [2.0], [2.0]]);
    let data = Dataset::regression(inputs(), targets).unwrap();
    let loader = DataLoader::new(&data, 4, Shuffle::None, 0).unwrap();
    work(loader.batches().next().unwrap());
}

fn assert_tensors<'a, T: Element>(found: impl Iterator<Item = &'a Array2<T>>, expected: [Array2<f64>; 3]) {
    let found: Vec<Array2<T>> = found.cloned().collect();
    assert_eq!(found, expected.map(tensor::<T>));
}

fn the_prediction<T: Element>() {
    let prediction = network::<T>().predict(inputs().view()).unwrap();
    assert_eq!(prediction, tensor(array![[2.0], [0.0], [3.0], [1.0]]));
}

fn the_loss_and_the_gradients<T: Element>() {
    let network = network::<T>();
    let mut workspace = Workspace::new(&network, 4).unwrap();
    with_batch(|batch| {
        let loss = network
            .forward_backward(&batch, &MseLoss::default(), &mut workspace)
            .unwrap();
        assert_eq!(loss, 1.0);
    });
    network.gradients(&mut workspace).unwrap();
    let w1 = array![
        [0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0],
        [0.0, 0.0, 2.0],
        [0.0, 0.0, -3.0]
    ];
    let w2 = array![[0.0, 0.0, 0.0, 0.0], [0.0, -1.0, -1.0, 0.0], [0.0, 1.0, 1.0, 0.0]];
    let w3 = array![[0.0, 0.0, 0.0], [0.0, -1.0, -3.0]];
    assert_tensors(workspace.gradients(), [w1, w2, w3]);
}

/// Once with the update fused into the gradient, once with a clip norm that no gradient reaches, which is not fused.
fn the_updated_weights<T: Element>() {
    let plain = Sgd::new(2.0).unwrap();
    let unfused = plain.clone().clip(mfnet::Clip::Global(100.0)).unwrap();
    for mut optimizer in [plain, unfused] {
        let mut network = network::<T>();
        let mut workspace = Workspace::new(&network, 4).unwrap();
        with_batch(|batch| {
            network
                .forward_backward(&batch, &MseLoss::default(), &mut workspace)
                .unwrap();
            network.apply_gradients(&mut optimizer, &mut workspace).unwrap();
        });
        let w1 = array![
            [1.0, 0.0, 0.0],
            [0.0, 0.0, 1.0],
            [0.0, 1.0, -3.0],
            [1.0, 1.0, 6.0]
        ];
        let w2 = array![[1.0, 0.0, 0.0, 0.0], [1.0, 3.0, 2.0, 1.0], [0.0, -1.0, 0.0, -2.0]];
        let w3 = array![[1.0, 0.0, 0.0], [1.0, 3.0, 5.0]];
        assert_tensors(network.parameters(), [w1, w2, w3]);
    }
}

#[test]
fn in_f64() {
    the_prediction::<f64>();
    the_loss_and_the_gradients::<f64>();
    the_updated_weights::<f64>();
}

#[test]
fn in_f32() {
    the_prediction::<f32>();
    the_loss_and_the_gradients::<f32>();
    the_updated_weights::<f32>();
}
