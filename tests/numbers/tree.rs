//! Gradients of large batches are added up along a binary tree: sums of neighbouring leaves of 256 samples or more first.

use mfnet::layer::Window;
use mfnet::loss::Reduction;
use mfnet::{
    Builder, CrossEntropyLoss, DataLoader, Dataset, Element, NeuralNetwork, Sgd, Shuffle, Workspace,
};
use ndarray::Array2;

use crate::drawn::noise;

const FEATURES: usize = 90;
const SAMPLES: usize = 2048;
const RATE: f64 = 0.37;

/// Samples of ten classes, three of four inputs being 0 if they are sparse.
fn samples<T: Element>(sparse: bool) -> Dataset<T> {
    let zero = |number: T| if number.as_f64() > 0.5 { number } else { T::zero() };
    let inputs = noise::<T>(SAMPLES, FEATURES, 1).mapv(|number| if sparse { zero(number) } else { number });
    let labels = (0..SAMPLES as u32).map(|sample| sample % 10).collect();
    Dataset::classification(inputs, labels, 10).unwrap()
}

/// The gradients of each batch of so many samples, in order.
fn gradients<T: Element>(network: &NeuralNetwork<T>, data: &Dataset<T>, batch: usize) -> Vec<Vec<Array2<T>>> {
    // The gradient of a sum: that of a part of a batch is part of that of the batch.
    let loss = CrossEntropyLoss::default().with_reduction(Reduction::Sum);
    let mut workspace = Workspace::with_shard_size(network, batch, 64).unwrap();
    let mut loader = DataLoader::new(data, batch, Shuffle::None, 0).unwrap();
    loader.start_epoch(1);
    let gradients = loader.batches().map(|batch| {
        network.forward_backward(&batch, &loss, &mut workspace).unwrap();
        network.gradients(&mut workspace).unwrap();
        workspace.gradients().cloned().collect()
    });
    gradients.collect()
}

/// The sum of these lists of tensors along the tree.
fn along_the_tree<T: Element>(lists: &[Vec<Array2<T>>]) -> Vec<Array2<T>> {
    let [one] = lists else {
        let (left, right) = lists.split_at(lists.len() / 2);
        let sums = along_the_tree(left).into_iter().zip(along_the_tree(right));
        return sums.map(|(left, right)| left + right).collect();
    };
    one.clone()
}

fn check<T: Element>(name: &str, sparse: bool, hidden: impl Fn(Builder<T>) -> Builder<T>) {
    let data = samples::<T>(sparse);
    let network = || {
        hidden(NeuralNetwork::builder(FEATURES))
            .linear(10)
            .seed(5)
            .build()
            .unwrap()
    };
    let leaves = gradients(&network(), &data, 256);
    for batch in [256, 512, 1024, 2048] {
        let expected = leaves.chunks(batch / 256).map(along_the_tree);
        let found = gradients(&network(), &data, batch);
        assert!(
            expected.eq(found),
            "{name}, {}, sparse: {sparse}, {batch} samples",
            T::NAME
        );
    }

    // A plain step, which is fused into the sums, takes the same gradient.
    let gradient = along_the_tree(&leaves);
    let mut stepped = network();
    let expected: Vec<Array2<T>> = stepped
        .parameters()
        .zip(&gradient)
        .map(|(weights, gradient)| {
            let mut weights = weights.clone();
            weights.zip_mut_with(gradient, |weight, &number| *weight += -T::from_f64(RATE) * number);
            weights
        })
        .collect();
    let loss = CrossEntropyLoss::default().with_reduction(Reduction::Sum);
    let mut workspace = Workspace::with_shard_size(&stepped, SAMPLES, 64).unwrap();
    let mut loader = DataLoader::new(&data, SAMPLES, Shuffle::None, 0).unwrap();
    loader.start_epoch(1);
    let batch = loader.batches().next().unwrap();
    stepped.forward_backward(&batch, &loss, &mut workspace).unwrap();
    stepped
        .apply_gradients(&mut Sgd::new(RATE).unwrap(), &mut workspace)
        .unwrap();
    assert!(
        stepped.parameters().eq(&expected),
        "{name}, {}, sparse: {sparse}: a step",
        T::NAME
    );
}

fn check_layers<T: Element>() {
    // Wide layers are summed in tiles, or without the zeros of their input, and narrow ones by shards.
    for sparse in [false, true] {
        check::<T>("wide", sparse, |builder| {
            builder.linear(300).relu().linear(130).tanh()
        });
    }
    check::<T>("narrow", false, |builder| builder.linear(20).sigmoid());
    check::<T>("linear", false, |builder| builder);
    let window = Window::new([3, 3]);
    check::<T>("conv2d", false, |builder| {
        builder.image(2, 9, 5).conv2d(6, window).relu()
    });
}

#[test]
fn sums_follow_the_tree_in_f32() {
    check_layers::<f32>();
}

#[test]
fn sums_follow_the_tree_in_f64() {
    check_layers::<f64>();
}
