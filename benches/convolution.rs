//! Training steps of networks with convolutions and with batch normalisation, on digits of 28 x 28 pixels.
//!
//! `benches/peers/convolution.py` times the same steps in PyTorch. A step is gather, forward, back and plain SGD on a batch
//! of 128.

mod common;
#[path = "common/digits.rs"]
mod digits;
#[path = "common/whole.rs"]
mod whole;

use criterion::{Criterion, Throughput};
use mfnet::layer::{Conv2d, Image, Window};
use mfnet::{Builder, CrossEntropyLoss, DataLoader, Element, NeuralNetwork, Sgd, Shuffle, Workspace};

use common::noise::noise;
use common::{assert_close, cell};
use whole::median;

const BATCH: usize = 128;

/// The samples of a short epoch.
const SAMPLES: usize = 10 * BATCH;

type Network<T> = fn(Builder<T>) -> Builder<T>;

/// As in the peer.
fn networks<T: Element>() -> [(&'static str, Network<T>); 4] {
    fn window() -> Window {
        Window::new([3, 3]).padding([1, 1])
    }
    [
        ("conv 8", |builder| {
            builder.image(1, 28, 28).conv2d(8, window()).relu()
        }),
        ("conv 8-16", |builder| {
            let first = builder.image(1, 28, 28).conv2d(8, window()).relu();
            first.conv2d(16, window().stride([2, 2])).relu()
        }),
        ("dense 512", |builder| builder.linear(512).relu()),
        ("dense 512, batch norm", |builder| {
            builder.linear(512).batch_norm().relu()
        }),
    ]
}

fn bench<T: Element>(criterion: &mut Criterion, lines: &mut Vec<String>) {
    let (_, data, _) = digits::mnist_or_digits::<T>();
    let data = data
        .select(&(0..SAMPLES).collect::<Vec<_>>())
        .expect("there are more");
    for (name, add) in networks::<T>() {
        let network = add(NeuralNetwork::builder(784)).linear(10).seed(7).build();
        let mut network = network.expect("the network is sound");
        let (loss, mut sgd) = (CrossEntropyLoss::default(), Sgd::new(0.01).expect("a rate"));
        let mut loader = DataLoader::new(&data, BATCH, Shuffle::Samples, 7).expect("a batch size");
        let mut workspace = Workspace::new(&network, BATCH).unwrap();
        let mut epoch = 0;
        let mut group = criterion.benchmark_group(format!("{} {name}", T::NAME));
        group.throughput(Throughput::Elements(SAMPLES as u64));
        let seconds = median(&mut group, "epoch of 1280", || {
            epoch += 1;
            loader.start_epoch(epoch);
            for batch in loader.batches() {
                let loss = network
                    .forward_backward(&batch, &loss, &mut workspace)
                    .expect("it fits");
                assert!(loss.is_finite());
                network
                    .apply_gradients(&mut sgd, &mut workspace)
                    .expect("it fits");
            }
        });
        let step = seconds.map(|seconds| 1e3 * seconds * BATCH as f64 / SAMPLES as f64);
        lines.push(format!("{:<4}{name:<24}{:>10}", T::NAME, cell(step, 3)));
    }
}

/// A convolution agrees with sums written straight down, before any is timed.
fn check<T: Element>(tolerance: f64) {
    let image = Image {
        channels: 2,
        height: 7,
        width: 6,
    };
    let window = Window::new([3, 2]).stride([2, 1]).padding([1, 1]);
    let [rows, columns] = window.places(image).expect("the window fits");
    let (weights, samples) = (noise::<T>(3, 2 * 3 * 2, 1), noise::<T>(4, 2 * 7 * 6, 2));
    let biases = [0.5, -0.25, 0.0].map(T::from_f64);
    let layer = Conv2d::from_weights(image, window, weights.view(), &biases).expect("the weights fit");
    let network = NeuralNetwork::builder(samples.ncols())
        .layer(Box::new(layer))
        .build();
    let found = network.and_then(|network| network.predict(samples.view()));
    let found: Vec<f64> = found
        .expect("the samples fit")
        .iter()
        .map(|value| value.as_f64())
        .collect();

    let mut expected = Vec::new();
    for sample in samples.rows() {
        for (filter, bias) in weights.rows().into_iter().zip(biases) {
            for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
                let mut sum = bias.as_f64();
                for (index, weight) in filter.iter().enumerate() {
                    let (channel, down, right) = (index / 6, index / 2 % 3, index % 2);
                    let (y, x) = (2 * row + down, column + right);
                    // Outside there are zeros.
                    if (1..=7).contains(&y) && (1..=6).contains(&x) {
                        sum += weight.as_f64() * sample[channel * 42 + (y - 1) * 6 + x - 1].as_f64();
                    }
                }
                expected.push(sum);
            }
        }
    }
    assert_close("convolution", &found, &expected, tolerance);
}

fn main() {
    check::<f32>(1e-6);
    check::<f64>(1e-14);
    let mut criterion = common::criterion();
    let mut lines = Vec::new();
    bench::<f32>(&mut criterion, &mut lines);
    bench::<f64>(&mut criterion, &mut lines);
    println!(
        "\nms per step of {BATCH} samples, {} threads",
        rayon::current_num_threads()
    );
    lines.iter().for_each(|line| println!("{line}"));
    criterion.final_summary();
}
