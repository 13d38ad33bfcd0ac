//! One seed, one result: bit for bit, whatever the number of threads; and the same numbers in every release.

use mfnet::layer::Window;
use mfnet::optimizer::Optimizer;
use mfnet::{
    Adam, Clip, CrossEntropyLoss, DataLoader, Dataset, Element, NeuralNetwork, Sgd, Shuffle, TrainOptions,
    train_test_classification, train_test_split,
};
use ndarray::Array2;
use std::ops::ControlFlow;

#[path = "common/noise.rs"]
mod noise;

use noise::noise;

/// All that a training leaves behind, but for its seconds.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// The bits of all weights and running statistics.
    weights: Vec<u64>,
    /// The bits of each epoch's training loss, test loss and test accuracy.
    history: Vec<[u64; 3]>,
}

fn labels(samples: usize) -> Vec<u32> {
    (0..samples).map(|sample| (sample % 10) as u32).collect()
}

/// A network that is wide enough for several blocks, tiles and threads.
fn dense<T: Element>(seed: u64) -> NeuralNetwork<T> {
    NeuralNetwork::builder(90)
        .linear(300)
        .relu()
        .linear(130)
        .tanh()
        .linear(10)
        .seed(seed)
        .build()
        .unwrap()
}

/// One with layers that work otherwise: together on images, on the batch as a whole, by chance.
fn mixed<T: Element>(seed: u64) -> NeuralNetwork<T> {
    NeuralNetwork::builder(90)
        .image(2, 9, 5)
        .conv2d(6, Window::new([3, 3]).padding([1, 1]))
        .relu()
        .dropout(0.2)
        .conv2d(8, Window::new([3, 3]).stride([2, 1]))
        .batch_norm()
        .relu()
        .linear(130)
        .batch_norm()
        .softmax()
        .linear(10)
        .seed(seed)
        .build()
        .unwrap()
}

/// Trains a network.
fn outcome<T: Element>(make: fn(u64) -> NeuralNetwork<T>, seed: u64, optimizer: &Make<T>) -> Outcome {
    let data =
        |samples, seed| Dataset::<T>::classification(noise(samples, 90, seed), labels(samples), 10).unwrap();
    let mut network = make(seed);
    let options = TrainOptions {
        epochs: 3,
        batch_size: 700,
        seed,
        ..TrainOptions::default()
    };
    let history = train_test_classification(
        &mut network,
        (&data(1500, 1), &data(999, 2)),
        &CrossEntropyLoss::default(),
        &mut *optimizer(),
        &options,
        |_| ControlFlow::Continue(()),
    );
    let epochs = history.unwrap().epochs.into_iter().map(|epoch| {
        let test = epoch.test.expect("every epoch is tested");
        let accuracy = test.accuracy.expect("the targets are classes");
        [epoch.train_loss, test.loss, accuracy].map(f64::to_bits)
    });
    Outcome {
        weights: (network.records().unwrap().into_iter())
            .flat_map(|record| record.tensors)
            .flat_map(|tensor| tensor.values)
            .map(|weight| weight.as_f64().to_bits())
            .collect(),
        history: epochs.collect(),
    }
}

/// Makes an optimizer that has learned nothing yet.
type Make<T> = dyn Fn() -> Box<dyn Optimizer<T>> + Sync;

fn optimizers<T: Element>() -> Vec<Box<Make<T>>> {
    let sgd = || Sgd::new(0.3).unwrap();
    let swift = || Sgd::new(0.05).unwrap().momentum(0.9).unwrap();
    let clip = Clip::Global(0.2);
    vec![
        Box::new(move || Box::new(sgd())),
        Box::new(move || Box::new(sgd().clip(Clip::PerTensor(0.2)).unwrap())),
        Box::new(move || Box::new(sgd().clip(clip).unwrap())),
        Box::new(move || Box::new(swift().nesterov(true).unwrap().weight_decay(0.01).unwrap())),
        Box::new(move || Box::new(Adam::adamw(0.01).unwrap().clip(clip).unwrap())),
    ]
}

fn threads_change_nothing<T: Element>(make: fn(u64) -> NeuralNetwork<T>, count: usize) {
    for optimizer in optimizers::<T>().into_iter().take(count) {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| outcome(make, 7, &*optimizer))
        };
        let alone = with(1);
        let name = format!("{}, {:?}", T::NAME, optimizer());
        assert!(
            alone.history[0] != alone.history[2],
            "{name}: something is learned"
        );
        for threads in [2, 3, 4, 8] {
            assert!(with(threads) == alone, "{name}: {threads} threads");
        }
        assert!(outcome(make, 7, &*optimizer) == alone, "{name}: the global pool");
    }
}

#[test]
fn threads_change_nothing_in_f32() {
    threads_change_nothing::<f32>(dense, usize::MAX);
    threads_change_nothing::<f32>(mixed, 2);
}

#[test]
fn threads_change_nothing_in_f64() {
    threads_change_nothing::<f64>(dense, usize::MAX);
    threads_change_nothing::<f64>(mixed, 1);
}

#[test]
fn seeds_change_everything() {
    let optimizer = &*optimizers()[0];
    let (first, second) = (outcome(dense::<f32>, 7, optimizer), outcome(dense, 8, optimizer));
    assert!(first.weights != second.weights);
    assert!(first.history != second.history);
}

/// Not a law of nature, but a promise: a release that draws other weights from a seed says so in its change log.
#[test]
fn initial_weights_are_stable() {
    let network = NeuralNetwork::<f64>::builder(2)
        .linear(2)
        .relu()
        .linear(1)
        .seed(7)
        .build()
        .unwrap();
    let weights: Vec<f64> = network.weights().flatten().copied().collect();
    assert_eq!(
        weights,
        [
            1.0,
            0.0,
            0.0,
            0.0,
            0.45999492956014687,
            -0.9272297473723424,
            0.0,
            0.63288741776328,
            -0.1734141074154251,
            1.0,
            0.0,
            0.0,
            0.0,
            -1.800061351172908,
            0.20358710044425282
        ]
    );
    let network = NeuralNetwork::<f32>::builder(2)
        .linear(2)
        .relu()
        .linear(1)
        .seed(7)
        .build()
        .unwrap();
    let narrow: Vec<f32> = network.weights().flatten().copied().collect();
    let rounded: Vec<f32> = weights.iter().map(|&weight| weight as f32).collect();
    assert_eq!(narrow, rounded, "both precisions draw the same");
}

/// As with the weights.
#[test]
fn orders_are_stable() {
    let numbers = Array2::from_shape_fn((8, 1), |(sample, _)| sample as f64);
    let data = Dataset::regression(numbers.clone(), numbers).unwrap();
    let order = |shuffle, epoch| {
        let mut loader = DataLoader::new(&data, 3, shuffle, 7).unwrap();
        loader.start_epoch(epoch);
        let batches: Vec<Vec<usize>> = loader.batches().map(|batch| batch.indices().to_vec()).collect();
        batches
    };
    assert_eq!(
        order(Shuffle::Samples, 1),
        [vec![2, 3, 6], vec![7, 1, 4], vec![5, 0]]
    );
    assert_eq!(
        order(Shuffle::Samples, 2),
        [vec![1, 7, 2], vec![5, 3, 6], vec![4, 0]]
    );
    assert_eq!(
        order(Shuffle::Batches, 1),
        [vec![6, 7], vec![0, 1, 2], vec![3, 4, 5]]
    );
    assert_eq!(
        order(Shuffle::None, 1),
        [vec![0, 1, 2], vec![3, 4, 5], vec![6, 7]]
    );
    let (_, test) = train_test_split(&data, 0.4, 7).unwrap();
    assert_eq!(test.to_values().into_raw_vec_and_offset().0, [0.0, 4.0, 5.0]);
}
