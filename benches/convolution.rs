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
use mfnet::layer::Window;
use mfnet::{Builder, CrossEntropyLoss, DataLoader, Element, NeuralNetwork, Sgd, Shuffle, Workspace};

use common::cell;
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
        let mut workspace = Workspace::new(&network, BATCH);
        let mut epoch = 0;
        let mut group = criterion.benchmark_group(format!("{} {name}", T::NAME));
        group.throughput(Throughput::Elements(SAMPLES as u64));
        let seconds = median(&mut group, "epoch of 1280", || {
            epoch += 1;
            loader.start_epoch(epoch);
            for batch in loader.batches() {
                let loss = network.propagate(&batch, &loss, &mut workspace).expect("it fits");
                assert!(loss.is_finite());
                network.update(&mut sgd, &mut workspace).expect("it fits");
            }
        });
        let step = seconds.map(|seconds| 1e3 * seconds * BATCH as f64 / SAMPLES as f64);
        lines.push(format!("{:<4}{name:<24}{:>10}", T::NAME, cell(step, 3)));
    }
}

fn main() {
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
