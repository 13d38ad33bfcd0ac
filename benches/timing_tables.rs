//! The rows of the report's Tables 3 and 4: plain against mfnet in f64 and f32, an epoch or an evaluation each.
//!
//! Table 3 is California Housing: the naive mean predictor, linear regression and the network 8-512-1. Table 4 is
//! MNIST: linear classification and the network 784-512-10. The seconds are those of a whole training of the report,
//! 500 or 100 epochs, scaled from an epoch; those of the plain implementation from 1024 samples, of which every batch
//! costs the same. Beside them stand the seconds that the report prints for its own program and for PyTorch, on its
//! machine and with its settings. `mfnet tables` runs the trainings in full.

#[path = "common/agreement.rs"]
mod agreement;
mod common;
#[path = "common/digits.rs"]
mod digits;
#[path = "common/housing.rs"]
mod housing;
#[path = "common/whole.rs"]
mod whole;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::Criterion;
use mfnet::baseline::mean_predictor;
use mfnet::{Dataset, Element, TrainOptions, Trainer};

use common::{cell, timed};
use mfnet::internal::jobs::twin::{self, Twin};
use mfnet::internal::jobs::{Data, JOBS, Job, Set, Work};
use whole::median;

/// The samples that the plain implementation is timed on.
const PLAIN_SAMPLES: usize = 1024;

/// To train on, and to evaluate.
struct Sets<T> {
    housing: Dataset<T>,
    mnist: Dataset<T>,
    test: Dataset<T>,
}

impl<T: Element> Sets<T> {
    fn load() -> (String, Self) {
        let (housing_name, housing) = housing::housing_or_noise();
        let (mnist_name, mnist, test) = digits::mnist_or_digits();
        let sets = Sets { housing, mnist, test };
        (format!("{housing_name} and {mnist_name}"), sets)
    }

    fn of(&self, job: &Job) -> &Dataset<T> {
        match (job.work, job.data) {
            (Work::Evaluate, _) => &self.test,
            (_, Data::Housing) => &self.housing,
            (_, Data::Mnist) => &self.mnist,
            (_, data) => unreachable!("{data:?} is not in the report"),
        }
    }
}

/// Seconds of an epoch, an evaluation or a fit.
fn ours<T: Element>(criterion: &mut Criterion, job: &Job, data: &Dataset<T>) -> Option<f64> {
    if job.work != Work::Mean {
        agreement::check(job, data);
    }
    let mut group = criterion.benchmark_group(job.name);
    let network = job.network(data.features(), data.outputs(), 0).unwrap();
    let loss = job.loss();
    match job.work {
        Work::Mean => median(&mut group, T::NAME, || {
            black_box(mean_predictor(data).unwrap());
        }),
        Work::Evaluate => median(&mut group, T::NAME, || {
            black_box(network.evaluate(data, &*loss).unwrap());
        }),
        Work::Train | Work::Reach => {
            let optimizer = job.optimizer().unwrap();
            let options = TrainOptions::default()
                .with_epochs(usize::MAX)
                .with_batch_size(job.batch_size);
            let mut trainer = Trainer::from_parts(network, loss, optimizer).options(options);
            let mut run = trainer.start(data).unwrap();
            timed(&mut group, T::NAME, |epochs| {
                let seconds = (0..epochs).map(|_| run.epoch().unwrap().unwrap().seconds);
                Duration::from_secs_f64(seconds.sum())
            })
        }
    }
}

/// Seconds of an epoch or an evaluation.
fn plain(criterion: &mut Criterion, job: &Job, data: &Dataset<f64>) -> Option<f64> {
    if job.work == Work::Mean {
        return None;
    }
    let network = job.network::<f64>(data.features(), data.outputs(), 0).unwrap();
    let first: Vec<usize> = (0..PLAIN_SAMPLES).collect();
    let part = data.select(&first).unwrap();
    let mut twin = Twin::new(job, &network, &part).unwrap();
    let (inputs, targets) = (twin::inputs(&part).unwrap(), twin::targets(&part).unwrap());
    let mut group = criterion.benchmark_group(job.name);
    let scale = data.samples() as f64 / PLAIN_SAMPLES as f64;
    timed(&mut group, "plain", |turns| {
        let start = Instant::now();
        for _ in 0..turns {
            if job.work == Work::Evaluate {
                let mean = mfnet::plain::Reduction::Mean;
                let loss = twin.network().loss(&inputs, &targets, twin.loss(), mean);
                black_box(loss.unwrap());
            } else {
                for batch in first.chunks(job.batch_size) {
                    black_box(twin.step(batch).unwrap());
                }
            }
        }
        start.elapsed().mul_f64(scale)
    })
}

fn main() {
    let mut criterion = common::criterion();
    let (names, wide) = Sets::<f64>::load();
    let (_, narrow) = Sets::<f32>::load();
    let mut rows = Vec::new();
    let timed = |job: &&Job| {
        job.set == Set::Report && job.work != Work::Reach && (job.round.is_some() || job.work == Work::Mean)
    };
    for job in JOBS.iter().filter(timed) {
        let times = [
            plain(&mut criterion, job, wide.of(job)),
            ours(&mut criterion, job, wide.of(job)),
            ours(&mut criterion, job, narrow.of(job)),
        ];
        if times.iter().any(Option::is_some) {
            rows.push((job, times));
        }
    }
    criterion.final_summary();
    if rows.is_empty() {
        return;
    }
    println!("Seconds for a whole training, scaled from an epoch; {names}");
    println!(
        "{:<18} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "epochs", "report*", "PyTorch*", "plain", "f64", "f32", "plain/f64", "plain/f32"
    );
    let mut settings = Vec::new();
    for (job, [plain, wide, narrow]) in rows {
        let scaled = |seconds: Option<f64>| cell(seconds.map(|seconds| seconds * job.epochs as f64), 4);
        let ratio = |ours: Option<f64>| cell(plain.zip(ours).map(|(plain, ours)| plain / ours), 1);
        let printed = |column: usize| cell(job.report.get(column).map(|printed| printed.seconds), 1);
        println!(
            "{:<18} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
            job.name,
            job.epochs,
            printed(0),
            printed(1),
            scaled(plain),
            scaled(wide),
            scaled(narrow),
            ratio(wide),
            ratio(narrow)
        );
        let with_settings = job.report.iter().filter(|printed| !printed.settings.is_empty());
        settings.extend(
            with_settings
                .map(|printed| format!("  {}, {}: {}", job.name, printed.implementation, printed.settings)),
        );
    }
    println!(
        "* as the report prints them for its own mfnet and for PyTorch, on a MacBook Pro of 2019 (quad-core"
    );
    println!("  Intel Core i7, 2.3 GHz), with these settings:");
    settings.iter().for_each(|line| println!("{line}"));
}
