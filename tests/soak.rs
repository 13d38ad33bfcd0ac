//! A process that goes on for long: data, trainings, checkpoints, models, pictures, and errors, round after round. What a
//! round allocates is given back, threads and files included.
//!
//! A test run makes a few rounds. `MFNET_SOAK_MINUTES=60` goes on for an hour.
#![cfg(all(target_os = "linux", feature = "save", feature = "npy", feature = "plots"))]

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use mfnet::data::Schema;
use mfnet::data::digits::digits;
use mfnet::data::read::{CsvOptions, read_csv, read_idx, read_npz_inputs, write_npz};
use mfnet::report::{Curves, Panel, Series, curves};
use mfnet::{
    Adam, Clip, CrossEntropyLoss, Dataset, Error, History, Model, MseLoss, NeuralNetwork, Schedule, Sets,
    Sgd, TrainOptions, Trainer,
};
use ndarray::{Array2, s};

#[path = "common/memory.rs"]
mod memory;

/// Rounds of a test run.
const ROUNDS: u64 = 24;

/// What a process holds.
#[derive(Debug, Clone, Copy, Default)]
struct Holdings {
    allocated: usize,
    /// What the system says that it has in memory.
    resident: usize,
    threads: usize,
    open_files: usize,
}

impl Holdings {
    fn now() -> Self {
        let count = |folder| fs::read_dir(folder).unwrap().count();
        let pages = fs::read_to_string("/proc/self/statm").unwrap();
        let resident = pages.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap();
        Holdings {
            allocated: memory::in_use(),
            resident: resident * 4096,
            threads: count("/proc/self/task"),
            open_files: count("/proc/self/fd"),
        }
    }

    fn most(self, other: Self) -> Self {
        Holdings {
            allocated: self.allocated.max(other.allocated),
            resident: self.resident.max(other.resident),
            threads: self.threads.max(other.threads),
            open_files: self.open_files.max(other.open_files),
        }
    }
}

/// Everything once, in sizes that depend on the round.
fn round(number: u64, folder: &Path) {
    let (data, other) = digits::<f32>(number, 300 + 10 * (number % 20) as usize, 100).unwrap();
    let sets = Sets::from(&data).with_validation(&other).with_test(&other);
    let schema = Schema::of(&data);
    let checkpoint = folder.join("checkpoint.safetensors");
    let mut trainer = trainer(number, 2);
    let mut run = trainer.start(sets).unwrap();
    while run.epoch().unwrap().is_some() {
        run.save_checkpoint(&checkpoint, Some(&schema)).unwrap();
    }
    let mut resumed = self::trainer(number, 4);
    resumed.load_checkpoint(&checkpoint).unwrap();
    resumed.fit(sets).unwrap();
    resumed.partial_fit(&other).unwrap();
    draw(resumed.history(), &folder.join("curves"));

    let model = Model::new(resumed.into_network(), schema).unwrap();
    let path = folder.join("model.safetensors");
    model.save(&path).unwrap();
    model.export_onnx(folder.join("model.onnx")).unwrap();
    let model = Model::<f32>::load(&path).unwrap();
    let samples = other.to_values();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| model.predict(samples.view()).unwrap());
        }
    });

    let mut archive = Cursor::new(Vec::new());
    write_npz(&path, &mut archive, samples.view(), None).unwrap();
    let npz = folder.join("samples.npz");
    fs::write(&npz, archive.into_inner()).unwrap();
    read_npz_inputs::<f32>(&npz).unwrap();
    fs::write(folder.join("table.csv"), "a,b\n1,2\n3,4\n".repeat(20)).unwrap();
    read_csv(&folder.join("table.csv"), &CsvOptions::default()).unwrap();
    read_idx(&npz).unwrap_err();
    diverge(&samples);
}

fn trainer(number: u64, epochs: usize) -> Trainer<f32> {
    let builder = NeuralNetwork::builder(784)
        .linear(64 + 8 * (number % 16) as usize)
        .relu();
    let builder = if number.is_multiple_of(2) {
        builder.batch_norm().dropout(0.2)
    } else {
        builder.linear(20).tanh()
    };
    let network = builder.linear(10).seed(number).build().unwrap();
    let options = TrainOptions::default()
        .with_epochs(epochs)
        .with_batch_size(64)
        .with_early_stopping(2)
        .with_schedule(Schedule::step(2));
    let adam = Adam::new(0.001).unwrap().clip(Clip::Global(1.0)).unwrap();
    Trainer::new(network, CrossEntropyLoss::default(), adam).options(options)
}

fn draw(history: &History, stem: &Path) {
    let points = |loss: fn(&mfnet::train::EpochRecord) -> f64| {
        let point = |record: &mfnet::train::EpochRecord| (record.epoch as f64, loss(record));
        history.epochs.iter().map(point).collect()
    };
    let train = Series {
        name: "train",
        points: points(|record| record.train_loss),
    };
    let panels = vec![Panel::loss("cross-entropy", vec![train])];
    let picture = curves(&Curves {
        panels,
        ..Curves::default()
    });
    picture.unwrap().save(stem).unwrap();
}

/// A training that ends in an error.
fn diverge(samples: &Array2<f32>) {
    let line = Dataset::regression(samples.clone(), samples.slice(s![.., ..1]).to_owned() + 1.0).unwrap();
    let network = NeuralNetwork::builder(784).linear(1).build().unwrap();
    let sgd = Sgd::new(1e10).unwrap();
    let error = Trainer::new(network, MseLoss::default(), sgd)
        .fit(&line)
        .unwrap_err();
    assert!(matches!(error, Error::Diverged { .. }), "{error}");
}

#[test]
fn rounds_leave_nothing_behind() {
    let minutes = std::env::var("MFNET_SOAK_MINUTES")
        .ok()
        .map(|text| text.parse::<f64>().unwrap());
    let all = minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes));
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    // The most of each quarter. The first may still fill what stays: the pool's queues, the allocator's arenas.
    let mut quarters = [Holdings::default(); 4];
    let mut rounds = 0;
    loop {
        let done = match all {
            Some(all) => start.elapsed().as_secs_f64() / all.as_secs_f64(),
            None => rounds as f64 / ROUNDS as f64,
        };
        let Some(quarter) = quarters.get_mut((4.0 * done) as usize) else {
            break;
        };
        round(rounds, folder.path());
        *quarter = quarter.most(Holdings::now());
        rounds += 1;
    }
    eprintln!(
        "{rounds} rounds in {:.1} minutes; quarters: {quarters:#?}",
        start.elapsed().as_secs_f64() / 60.0
    );
    let [_, second, _, last] = quarters;
    assert!(
        last.allocated <= second.allocated + (16 << 10),
        "allocated memory grows"
    );
    assert!(last.resident <= second.resident + (16 << 20), "the process grows");
    assert!(last.threads <= second.threads, "threads are left");
    assert!(last.open_files <= second.open_files, "files stay open");
}
