//! The matrix products of the report's networks, in GFLOP/s and beside the peak of the cores.
//!
//! Forward and backward go through `Layer`, on blocks of samples that rayon hands out as a training step does. So does
//! the gradient of a small layer, which is made block by block; that of a large one is made over all blocks, and goes
//! through a network of one layer. Data are dense: none of the zeros of MNIST are left out.

mod common;
#[path = "common/whole.rs"]
mod whole;

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use mfnet::internal::machine::peak_flops;
use mfnet::layer::{Context, Initializer, Layer, Linear, Mode};
use mfnet::{DataLoader, Dataset, Element, MseLoss, NeuralNetwork, Shuffle, Workspace};
use ndarray::{Array2, ArrayView2, Axis, ShapeBuilder, s};
use rayon::prelude::*;

use common::noise::noise;
use common::{assert_close, cell};
use whole::median;

/// A layer's inputs and outputs, and whether a network has another layer below, which wants dJ/dA.
const LAYERS: [(usize, usize, bool); 5] = [
    (784, 512, false),
    (512, 10, true),
    (8, 512, false),
    (512, 1, true),
    (784, 10, false),
];
const BATCHES: [usize; 2] = [1024, 128];

/// Of a layer for some samples.
#[derive(Clone, Copy)]
struct Shape {
    inputs: usize,
    outputs: usize,
    samples: usize,
}

impl Shape {
    /// Multiplications and additions of one of the products; the bias counts as a feature.
    fn operations(&self) -> f64 {
        (2 * (self.inputs + 1) * self.outputs * self.samples) as f64
    }

    /// Whether each shard of a batch computes a gradient of its own.
    fn is_narrow(&self) -> bool {
        self.inputs.min(self.outputs) <= 32
    }

    /// The samples of a block, as in a training step.
    fn block(&self) -> usize {
        self.samples.div_ceil(32).max(16)
    }
}

/// The matrices of a block.
struct Block<T> {
    input: Array2<T>,
    output: Array2<T>,
    delta: Array2<T>,
    delta_input: Array2<T>,
    /// As the layer's weights.
    gradient: Vec<Array2<T>>,
}

impl<T: Element> Block<T> {
    fn new(shape: Shape, layer: &Linear<T>, seed: u64) -> Self {
        let constant = |rows: usize, first: T| {
            let mut matrix = Array2::zeros((rows + 1, shape.block()).f());
            matrix.row_mut(0).fill(first);
            matrix
        };
        let filled = |rows: usize, first: T, seed: u64| {
            let mut matrix = constant(rows, first);
            matrix
                .slice_mut(s![1.., ..])
                .assign(&noise::<T>(rows, shape.block(), seed));
            matrix
        };
        Block {
            input: filled(shape.inputs, T::one(), 2 * seed),
            output: constant(shape.outputs, T::one()),
            delta: filled(shape.outputs, T::zero(), 2 * seed + 1),
            delta_input: constant(shape.inputs, T::zero()),
            gradient: layer
                .parameters()
                .iter()
                .map(|weights| weights.mapv(|_| T::zero()))
                .collect(),
        }
    }
}

fn tolerance<T: Element>() -> f64 {
    if T::NAME == "f32" { 1e-4 } else { 1e-12 }
}

/// Compares some columns of a product with three loops.
fn check<T: Element>(what: &str, a: ArrayView2<'_, T>, b: ArrayView2<'_, T>, found: ArrayView2<'_, T>) {
    const COLUMNS: usize = 3;
    for column in (0..b.ncols()).step_by(b.ncols().div_ceil(COLUMNS)) {
        let dot = |row: usize| -> f64 {
            let terms = a.row(row).into_iter().zip(b.column(column));
            terms.map(|(a, b)| a.as_f64() * b.as_f64()).sum()
        };
        let expected: Vec<f64> = (0..a.nrows()).map(dot).collect();
        let found: Vec<f64> = found.column(column).iter().map(|value| value.as_f64()).collect();
        assert_close(what, &found, &expected, tolerance::<T>());
    }
}

/// Seconds of the forward product, of the backward product if asked, and of the gradient if it is made block by block.
fn passes<T: Element>(criterion: &mut Criterion, shape: Shape, below: bool) -> [Option<f64>; 3] {
    let layer = Linear::<T>::new(shape.inputs, shape.outputs, Initializer::default(), 7).unwrap();
    let weights = layer.augmented_weights();
    let count = shape.samples / shape.block();
    let mut blocks: Vec<Block<T>> = (0..count)
        .map(|seed| Block::new(shape, &layer, seed as u64))
        .collect();
    let mut forward = || {
        blocks.par_iter_mut().for_each(|block| {
            let output = block.output.view_mut();
            layer.forward(
                block.input.view(),
                output,
                &mut Context::new(Mode::Eval, &mut Vec::new()),
            )
        });
    };
    forward();
    let mut group = criterion.benchmark_group(name::<T>(shape));
    group.throughput(Throughput::Elements(shape.operations() as u64));
    let forward_seconds = median(&mut group, "forward", forward);
    check(
        "forward",
        weights,
        blocks[0].input.view(),
        blocks[0].output.view(),
    );
    let mut backward_seconds = None;
    if below {
        let mut backward = || {
            blocks.par_iter_mut().for_each(|block| {
                let delta_input = block.delta_input.view_mut();
                layer.backward(
                    block.input.view(),
                    block.delta.view(),
                    delta_input,
                    &mut Context::new(Mode::Eval, &mut Vec::new()),
                );
            });
        };
        backward();
        backward_seconds = median(&mut group, "backward", backward);
        check(
            "backward",
            weights.t().slice(s![1.., ..]),
            blocks[0].delta.view(),
            blocks[0].delta_input.slice(s![1.., ..]),
        );
    }
    let mut gradient_seconds = None;
    if shape.is_narrow() {
        let mut gradient = || {
            blocks.par_iter_mut().for_each(|block| {
                layer.gradient(
                    block.input.view(),
                    block.delta.view(),
                    &mut block.gradient,
                    &mut Context::new(Mode::Eval, &mut Vec::new()),
                );
            });
        };
        gradient();
        gradient_seconds = median(&mut group, "gradient", gradient);
        check(
            "gradient",
            blocks[0].delta.slice(s![1.., ..]),
            blocks[0].input.t(),
            blocks[0].gradient[0].slice(s![1.., ..]),
        );
    }
    [forward_seconds, backward_seconds, gradient_seconds]
}

/// Seconds of the gradient over all blocks.
fn gradient<T: Element>(criterion: &mut Criterion, shape: Shape) -> Option<f64> {
    let inputs = noise::<T>(shape.samples, shape.inputs, 1);
    let targets = noise::<T>(shape.samples, shape.outputs, 2);
    let network = NeuralNetwork::builder(shape.inputs)
        .linear(shape.outputs)
        .build()
        .unwrap();
    // dJ/dZ = 2 (Z - Y) / m
    let scale = T::from_f64(2.0 / shape.samples as f64);
    let delta = (network.predict(inputs.view()).unwrap() - &targets).mapv(|error| error * scale);
    let mut augmented = Array2::ones((shape.samples, shape.inputs + 1));
    augmented.slice_mut(s![.., 1..]).assign(&inputs);

    let data = Dataset::regression(inputs, targets).unwrap();
    let loader = DataLoader::new(&data, shape.samples, Shuffle::None, 0).unwrap();
    let mut workspace = Workspace::new(&network, shape.samples).unwrap();
    let batch = loader.batches().next().unwrap();
    network
        .forward_backward(&batch, &MseLoss::default(), &mut workspace)
        .unwrap();
    network.gradients(&mut workspace).unwrap();
    let found = workspace.gradients().next().unwrap();
    check(
        "gradient",
        delta.t(),
        augmented.view(),
        found.slice_axis(Axis(0), (1..).into()),
    );
    let mut group = criterion.benchmark_group(name::<T>(shape));
    group.throughput(Throughput::Elements(shape.operations() as u64));
    median(&mut group, "gradient", || {
        network.gradients(black_box(&mut workspace)).unwrap();
    })
}

fn name<T: Element>(shape: Shape) -> String {
    format!(
        "{} {}-{} batch {}",
        T::NAME,
        shape.inputs,
        shape.outputs,
        shape.samples
    )
}

fn products<T: Element>(criterion: &mut Criterion, peak: f64, lines: &mut Vec<String>) {
    for (inputs, outputs, below) in LAYERS {
        for samples in BATCHES {
            let shape = Shape {
                inputs,
                outputs,
                samples,
            };
            let mut times = passes::<T>(criterion, shape, below);
            if !shape.is_narrow() {
                times[2] = gradient::<T>(criterion, shape);
            }
            if times.iter().all(Option::is_none) {
                continue;
            }
            let cells = times.map(|seconds| {
                let rate = seconds.map(|seconds| shape.operations() / seconds / 1e9);
                let percent = cell(rate.map(|rate| 100.0 * rate / peak), 0);
                format!("{:>8} {percent:>4}", cell(rate, 1))
            });
            lines.push(format!("{:<26}{}", name::<T>(shape), cells.concat()));
        }
    }
}

fn main() {
    // Has the BLAS library choose its kernel.
    let blas = mfnet::blas();
    let (narrow, wide) = (peak_flops::<f32>() / 1e9, peak_flops::<f64>() / 1e9);
    let mut criterion = common::criterion();
    let mut lines = Vec::new();
    products::<f32>(&mut criterion, narrow, &mut lines);
    products::<f64>(&mut criterion, wide, &mut lines);
    criterion.final_summary();
    if lines.is_empty() {
        return;
    }
    println!(
        "{} {}, kernel {}, {} threads; peak of the registers {narrow:.0} GFLOP/s in f32, {wide:.0} in f64",
        blas.library, blas.version, blas.kernel, blas.workers
    );
    println!(
        "{:<26}{:>8} {:>4}{:>8} {:>4}{:>8} {:>4}",
        "GFLOP/s, % of the peak", "forward", "", "backward", "", "gradient", ""
    );
    lines.iter().for_each(|line| println!("{line}"));
}
