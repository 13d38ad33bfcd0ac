//! How the cost of training grows with samples, width, depth, batch size and threads.
//!
//! Everything but what a group varies stays at 8192 dense samples of 256 features, one hidden layer of 256 ReLUs, 10
//! outputs, batches of 1024, all threads, f32.

#[path = "common/agreement.rs"]
mod agreement;
mod common;

use std::time::Duration;

use criterion::{Criterion, Throughput};
use mfnet::{Dataset, Sgd, TrainOptions, Trainer};

use common::noise::noise;
use common::{cell, timed};
use mfnet::internal::jobs::{JOBS, Job, LEARNING_RATE};

const FEATURES: usize = 256;
const CLASSES: usize = 10;
const SAMPLES: usize = 8192;

fn data(samples: usize) -> Dataset<f32> {
    let labels = (0..samples).map(|sample| (sample % CLASSES) as u32).collect();
    Dataset::classification(noise(samples, FEATURES, 1), labels, CLASSES).unwrap()
}

/// Measures epochs, and keeps a line of the table for each.
struct Bench {
    criterion: Criterion,
    lines: Vec<String>,
}

impl Bench {
    /// Seconds of an epoch.
    fn time(&mut self, varied: &str, value: usize, job: &Job, data: &Dataset<f32>, threads: usize) {
        agreement::check(job, data);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let network = job.network(FEATURES, CLASSES, 7).unwrap();
        let parameters = network.parameter_count() as f64;
        let optimizer = Box::new(Sgd::new(LEARNING_RATE).unwrap());
        let options = TrainOptions::default()
            .with_epochs(usize::MAX)
            .with_batch_size(job.batch_size);
        let mut trainer = Trainer::from_parts(network, job.loss(), optimizer).options(options);
        let mut run = trainer.start(data).unwrap();
        let mut group = self.criterion.benchmark_group(varied);
        group.throughput(Throughput::Elements(data.samples() as u64));
        let seconds = timed(&mut group, &value.to_string(), |epochs| {
            let epochs = || (0..epochs).map(|_| run.epoch().unwrap().unwrap().seconds).sum();
            Duration::from_secs_f64(pool.install(epochs))
        });
        if let Some(seconds) = seconds {
            // Forward, gradient and, but for the first layer, backward.
            let first = job.hidden.first().map_or(CLASSES, |&units| units) * (FEATURES + 1);
            let operations = (6.0 * parameters - 2.0 * first as f64) * data.samples() as f64;
            self.lines.push(format!(
                "{varied:<10}{value:>10}{:>12}{:>14}{:>10}",
                cell(Some(1e3 * seconds), 2),
                cell(Some(data.samples() as f64 / seconds), 0),
                cell(Some(operations / seconds / 1e9), 1)
            ));
        }
    }
}

fn main() {
    let mut bench = Bench {
        criterion: common::criterion(),
        lines: Vec::new(),
    };
    let base = JOBS.iter().find(|job| job.name == "mnist-linear-mean").unwrap();
    let base = Job {
        hidden: &[256],
        ..*base
    };
    let (all, usual) = (rayon::current_num_threads(), data(SAMPLES));
    for samples in [1024, 4096, 16_384, 65_536] {
        bench.time("samples", samples, &base, &data(samples), all);
    }
    const WIDTHS: [&[usize]; 7] = [&[16], &[64], &[128], &[256], &[512], &[1024], &[2048]];
    for hidden in WIDTHS {
        bench.time("width", hidden[0], &Job { hidden, ..base }, &usual, all);
    }
    const DEPTHS: [&[usize]; 5] = [&[], &[256], &[256; 2], &[256; 4], &[256; 8]];
    for hidden in DEPTHS {
        bench.time("depth", hidden.len(), &Job { hidden, ..base }, &usual, all);
    }
    for batch_size in [16, 64, 128, 256, 1024, 4096, SAMPLES] {
        bench.time("batch", batch_size, &Job { batch_size, ..base }, &usual, all);
    }
    // One more than there are cores shows what too many cost.
    for threads in (1..all).chain([all, all + 1]) {
        bench.time("threads", threads, &base, &usual, threads);
    }
    bench.criterion.final_summary();
    if !bench.lines.is_empty() {
        println!(
            "{:<10}{:>10}{:>12}{:>14}{:>10}",
            "varied", "", "ms/epoch", "samples/s", "GFLOP/s"
        );
        bench.lines.iter().for_each(|line| println!("{line}"));
    }
}
