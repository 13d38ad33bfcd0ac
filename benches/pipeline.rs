//! The parts of an epoch, each with one thread and with all: shuffle, gather, activations, loss, update, evaluation.
//!
//! Samples are gathered inside of the first layer's pass: "gather" is the pass of a network of one output, the least
//! that goes with it. Activations and losses work on blocks of 256 samples, as in a step with batches of 1024.

#[path = "common/agreement.rs"]
mod agreement;
mod common;
#[path = "common/digits.rs"]
mod digits;

use std::hint::black_box;
use std::time::Instant;

use criterion::Criterion;
use mfnet::data::Batch;
use mfnet::layer::activation;
use mfnet::loss::{Loss, TargetsView};
use mfnet::{
    CrossEntropyLoss, DataLoader, Dataset, Element, MseLoss, NeuralNetwork, Sgd, Shuffle, Workspace,
};
use ndarray::{Array2, ShapeBuilder, s};
use rayon::ThreadPool;
use rayon::prelude::*;

use common::noise::noise;
use common::{cell, timed};
use mfnet::internal::jobs::{JOBS, LEARNING_RATE};

const BATCH: usize = 1024;
const BLOCK: usize = 256;
const HIDDEN: usize = 512;

/// Times work in each pool, and keeps a line of the table.
struct Bench {
    criterion: Criterion,
    serial: ThreadPool,
    parallel: ThreadPool,
    lines: Vec<String>,
}

impl Bench {
    fn time(&mut self, name: &str, mut work: impl FnMut() + Send) {
        let mut group = self.criterion.benchmark_group(name);
        let mut time_in = |pool: &ThreadPool, name: &str| {
            timed(&mut group, name, |turns| {
                pool.install(|| {
                    let start = Instant::now();
                    (0..turns).for_each(|_| work());
                    start.elapsed()
                })
            })
        };
        let serial = time_in(&self.serial, "serial");
        let parallel = time_in(&self.parallel, "parallel");
        if serial.or(parallel).is_some() {
            let ratio = serial.zip(parallel).map(|(serial, parallel)| serial / parallel);
            let milliseconds = |seconds: Option<f64>| cell(seconds.map(|seconds| 1e3 * seconds), 4);
            self.lines.push(format!(
                "{name:<34}{:>10}{:>10}{:>8}",
                milliseconds(serial),
                milliseconds(parallel),
                cell(ratio, 2)
            ));
        }
    }

    fn shuffle(&mut self) {
        for samples in [60_000, 1_000_000] {
            let data = Dataset::regression(Array2::<f32>::zeros((samples, 1)), Array2::zeros((samples, 1)));
            let data = data.unwrap();
            let mut loader = DataLoader::new(&data, BATCH, Shuffle::Samples, 0).unwrap();
            let mut epoch = 0;
            self.time(&format!("shuffle of {samples}"), || {
                epoch += 1;
                loader.start_epoch(epoch);
            });
        }
    }

    fn activations<T: Element>(&mut self) {
        for named in activation::names() {
            let activation = activation::by_name::<T>(named.name).expect("a name of the table");
            let mut blocks: Vec<[Array2<T>; 2]> = (0..BATCH / BLOCK)
                .map(|seed| [0, 1].map(|other| column_major(noise(HIDDEN, BLOCK, 2 * seed as u64 + other))))
                .collect();
            let name = format!("{} {} of {HIDDEN}", T::NAME, activation.name());
            self.time(&format!("{name}, forward"), || {
                blocks
                    .par_iter_mut()
                    .for_each(|[values, _]| activation.forward(values.view_mut()));
            });
            self.time(&format!("{name}, backward"), || {
                blocks.par_iter_mut().for_each(|[output, delta]| {
                    activation.backward(output.view(), delta.view_mut());
                });
            });
        }
    }

    fn losses<T: Element>(&mut self) {
        let labels: Vec<u32> = (0..BLOCK as u32).map(|sample| sample * 7 % 10).collect();
        let values = column_major(noise::<T>(1, BLOCK, 9));
        let cases: [(&dyn Loss<T>, usize, TargetsView<'_, T>); 2] = [
            (&CrossEntropyLoss::default(), 10, TargetsView::Classes(&labels)),
            (&MseLoss::default(), 1, TargetsView::Values(values.view())),
        ];
        for (loss, outputs, targets) in cases {
            let mut blocks: Vec<[Array2<T>; 2]> = (0..BATCH / BLOCK)
                .map(|seed| [0, 1].map(|other| column_major(noise(outputs, BLOCK, 2 * seed as u64 + other))))
                .collect();
            self.time(&format!("{} {} of {outputs}", T::NAME, loss.name()), || {
                blocks.par_iter_mut().for_each(|[output, delta]| {
                    let delta = Some(delta.view_mut());
                    black_box(loss.evaluate(output.view(), targets, T::one(), delta));
                });
            });
        }
    }

    /// The parts of a step, for an epoch's first batch.
    fn step<T: Element>(&mut self, data: &Dataset<T>, test: &Dataset<T>) {
        let job = JOBS.iter().find(|job| job.name == "mnist-network").unwrap();
        agreement::check(job, data);
        let loss = job.loss();
        let mut loader = DataLoader::new(data, BATCH, Shuffle::Samples, 0).unwrap();
        loader.start_epoch(1);
        let batch = loader.batches().next().unwrap();
        self.check_threads(&batch, &*loss);

        let thin = network::<T>(&[1]);
        let thin_data = Dataset::new(
            data.inputs().clone(),
            mfnet::Targets::Values(Array2::zeros((data.samples(), 1))),
        );
        let thin_data = thin_data.unwrap();
        let mut thin_loader = DataLoader::new(&thin_data, BATCH, Shuffle::Samples, 0).unwrap();
        thin_loader.start_epoch(1);
        let thin_batch = thin_loader.batches().next().unwrap();
        let mut workspace = Workspace::new(&thin, BATCH).unwrap();
        let squares = MseLoss::default();
        self.time(&format!("{} gather (and one output)", T::NAME), || {
            black_box(
                thin.forward_backward(&thin_batch, &squares, &mut workspace)
                    .unwrap(),
            );
        });

        let mut network = network::<T>(&[HIDDEN, 10]);
        let mut workspace = Workspace::new(&network, BATCH).unwrap();
        self.time(&format!("{} forward, loss and backward", T::NAME), || {
            black_box(network.forward_backward(&batch, &*loss, &mut workspace).unwrap());
        });
        // Without a length the step stays where it is, however often it is taken.
        let mut optimizer = Sgd::new(f64::MIN_POSITIVE).unwrap();
        // The filter may have left out what comes before.
        network.forward_backward(&batch, &*loss, &mut workspace).unwrap();
        self.time(&format!("{} gradients and update", T::NAME), || {
            network.apply_gradients(&mut optimizer, &mut workspace).unwrap();
        });
        self.time(&format!("{} evaluation of {}", T::NAME, test.samples()), || {
            black_box(network.evaluate(test, &*loss).unwrap());
        });
    }

    /// One thread and all of them come to the same weights, bit by bit.
    fn check_threads<T: Element>(&self, batch: &Batch<'_, T>, loss: &dyn Loss<T>) {
        let after_a_step = || {
            let mut network = network::<T>(&[HIDDEN, 10]);
            let mut workspace = Workspace::new(&network, BATCH).unwrap();
            network.forward_backward(batch, loss, &mut workspace).unwrap();
            let mut optimizer = Sgd::new(LEARNING_RATE).unwrap();
            network.apply_gradients(&mut optimizer, &mut workspace).unwrap();
            network.parameters().cloned().collect::<Vec<_>>()
        };
        assert!(self.serial.install(after_a_step) == self.parallel.install(after_a_step));
    }
}

/// 784 pixels and these layers, ReLUs between.
fn network<T: Element>(layers: &[usize]) -> NeuralNetwork<T> {
    let mut builder = NeuralNetwork::builder(784).linear(layers[0]);
    for &outputs in &layers[1..] {
        builder = builder.relu().linear(outputs);
    }
    builder.seed(7).build().unwrap()
}

/// As the blocks of a step: rows 1.. of a matrix that holds one sample a column.
fn column_major<T: Element>(values: Array2<T>) -> Array2<T> {
    let mut matrix = Array2::zeros(values.raw_dim().f());
    matrix.slice_mut(s![.., ..]).assign(&values);
    matrix
}

fn main() {
    let pool = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    };
    let threads = rayon::current_num_threads();
    let mut bench = Bench {
        criterion: common::criterion(),
        serial: pool(1),
        parallel: pool(threads),
        lines: Vec::new(),
    };
    bench.shuffle();
    bench.activations::<f32>();
    bench.activations::<f64>();
    bench.losses::<f32>();
    bench.losses::<f64>();
    let (name, train, test) = digits::mnist_or_digits::<f32>();
    bench.step(&train, &test);
    let (_, train, test) = digits::mnist_or_digits::<f64>();
    bench.step(&train, &test);
    bench.criterion.final_summary();
    if !bench.lines.is_empty() {
        println!("Milliseconds for a batch of {BATCH} of {name}, with 1 thread and with {threads}");
        println!("{:<34}{:>10}{:>10}{:>8}", "", "serial", "parallel", "ratio");
        bench.lines.iter().for_each(|line| println!("{line}"));
    }
}
