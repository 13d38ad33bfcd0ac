//! Large things: samples of several gigabytes, more numbers than a `u32` counts, layers of a million parameters and a
//! hundred of them. Each in a process of its own, whose peak of memory is held to a bound and shown.
//!
//! A test run does all of it some hundred times smaller; `MFNET_LIMITS=1` does it in full size, with 16 GB of memory and
//! 10 GB of disk.
#![cfg(target_os = "linux")]

use std::env;
use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use mfnet::data::Inputs;
use mfnet::{Adam, CrossEntropyLoss, Dataset, NeuralNetwork, Sgd, Targets, TrainOptions, Trainer};
use ndarray::{Array2, ArrayViewMut1, s};

/// The place of a case in its process: its name, how large it is, and a folder for its files.
const CASE: &str = "MFNET_LIMIT_CASE";
const FOLDER: &str = "MFNET_LIMIT_FOLDER";

const MB: u64 = 1 << 20;

/// What a process may use that has nothing to do yet: the program, its threads, and OpenBLAS's buffers.
const PROGRAM: u64 = 100 * MB;

const FEATURES: usize = 784;
const CLASSES: usize = 10;

fn is_full() -> bool {
    env::var_os("MFNET_LIMITS").is_some()
}

/// Samples of which there are more features than a `u32` counts, if in full size.
fn many() -> usize {
    let samples = if is_full() { 5_600_000 } else { 20_000 };
    assert!(!is_full() || samples * FEATURES > u32::MAX as usize);
    samples
}

fn label(sample: usize) -> u32 {
    let mixed = (sample as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed >> 40) % CLASSES as u64) as u32
}

/// The pixels of a class are bright in one place; `noise` is elsewhere.
fn write_pixels(sample: usize, noise: &[u8], mut pixels: ArrayViewMut1<'_, u8>) {
    if !noise.is_empty() {
        let start = sample * 31 % (noise.len() - FEATURES);
        pixels.assign(&ndarray::aview1(&noise[start..start + FEATURES]));
    }
    let place = label(sample) as usize * (FEATURES / CLASSES);
    pixels.slice_mut(s![place..place + FEATURES / CLASSES]).fill(200);
}

/// Dim pixels, none of them 0.
fn noise() -> Vec<u8> {
    let number = |index: u64| (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as u8 + 1;
    (0..1 << 16).map(number).collect()
}

fn pixels(samples: usize, noise: &[u8]) -> Array2<u8> {
    let mut pixels = Array2::zeros((samples, FEATURES));
    for (sample, row) in pixels.rows_mut().into_iter().enumerate() {
        write_pixels(sample, noise, row);
    }
    pixels
}

fn options(batch_size: usize) -> TrainOptions {
    TrainOptions::default().with_epochs(1).with_batch_size(batch_size)
}

/// Learns from many samples, each where it is.
fn learn(noise: &[u8]) {
    let samples = many();
    let labels: Vec<u32> = (0..samples).map(label).collect();
    let targets = Targets::Classes {
        labels,
        classes: CLASSES,
    };
    let data = Dataset::<f32>::new(Inputs::Pixels(pixels(samples, noise)), targets).unwrap();
    let network = NeuralNetwork::builder(FEATURES)
        .linear(CLASSES)
        .seed(7)
        .build()
        .unwrap();
    let (loss, sgd) = (CrossEntropyLoss::default(), Sgd::new(0.1).unwrap());
    let mut trainer = Trainer::new(network, loss.clone(), sgd).options(options(256));
    trainer.fit(&data).unwrap();
    let network = trainer.into_network();
    // A sample that was taken from another's place would have another's class.
    for first in [0, samples / 2, samples - 10_000] {
        let some: Vec<usize> = (first..first + 10_000).collect();
        let evaluation = network.evaluate(&data.select(&some).unwrap(), &loss).unwrap();
        assert!(
            evaluation.accuracy > Some(0.999),
            "{evaluation:?} from {first} on"
        );
    }
    let all = network.evaluate(&data, &loss).unwrap();
    assert!(all.accuracy > Some(0.999), "{all:?}");
}

/// Learns with a hundred layers of a million parameters, and goes on from a checkpoint.
fn learn_deep(folder: &Path) {
    let width = if is_full() { 1000 } else { 100 };
    let trainer = || {
        let mut builder = NeuralNetwork::<f32>::builder(width);
        for _ in 0..100 {
            builder = builder.linear(width).relu();
        }
        let network = builder.linear(CLASSES).seed(7).build().unwrap();
        assert!(network.parameter_count() > 100 * width * width);
        let adam = Adam::new(1e-4).unwrap();
        Trainer::new(network, CrossEntropyLoss::default(), adam).options(options(64))
    };
    let inputs = Array2::from_shape_fn((256, width), |(sample, feature)| {
        if feature % CLASSES == label(sample) as usize {
            1.0
        } else {
            0.1
        }
    });
    let data = Dataset::classification(inputs, (0..256).map(label).collect(), CLASSES).unwrap();
    let mut deep = trainer();
    let sums = |network: &NeuralNetwork<f32>| -> Vec<f32> {
        network.parameters().map(|weights| weights.sum()).collect()
    };
    let before = sums(deep.network());
    let first = deep.partial_fit(&data).unwrap();
    let path = folder.join("checkpoint.safetensors");
    deep.save_checkpoint(&path, None).unwrap();
    let second = deep.partial_fit(&data).unwrap();
    assert!(second < first, "loss {first}, then {second}");
    let after = sums(deep.network());
    assert!(
        after.iter().zip(&before).all(|(after, before)| after != before),
        "every layer learns"
    );
    let expected = deep.network().predict(data.to_values().view()).unwrap();
    drop(deep);
    let mut resumed = trainer();
    resumed.load_checkpoint(&path).unwrap();
    resumed.partial_fit(&data).unwrap();
    assert_eq!(
        resumed.network().predict(data.to_values().view()).unwrap(),
        expected
    );
}

/// Learns with a layer of a hundred million parameters.
fn learn_wide() {
    let width = if is_full() { 10_000 } else { 1_000 };
    let builder = NeuralNetwork::<f32>::builder(width).linear(width).relu();
    let network = builder.linear(CLASSES).seed(7).build().unwrap();
    let inputs = Array2::from_shape_fn((128, width), |(sample, feature)| {
        if feature % CLASSES == label(sample) as usize {
            1.0
        } else {
            0.1
        }
    });
    let data = Dataset::classification(inputs, (0..128).map(label).collect(), CLASSES).unwrap();
    let (loss, sgd) = (CrossEntropyLoss::default(), Sgd::new(0.01).unwrap());
    let before = network.evaluate(&data, &loss).unwrap().loss;
    let mut trainer = Trainer::new(network, loss.clone(), sgd).options(options(64));
    trainer.fit(&data).unwrap();
    assert!(trainer.network().evaluate(&data, &loss).unwrap().loss < before);
}

/// Pixels and labels as NumPy files; their size.
fn write_numpy(folder: &Path) -> u64 {
    let (samples, noise) = (many(), noise());
    let create = |name: &str, shape: &str| {
        let mut file = BufWriter::new(File::create(folder.join(name)).unwrap());
        let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}");
        let header = format!("{header:117}\n");
        file.write_all(b"\x93NUMPY\x01\x00").unwrap();
        file.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
        file.write_all(header.as_bytes()).unwrap();
        file
    };
    let mut x = create("x.npy", &format!("({samples}, {FEATURES})"));
    let mut y = create("y.npy", &format!("({samples},)"));
    let mut row = Array2::zeros((1, FEATURES));
    for sample in 0..samples {
        write_pixels(sample, &noise, row.row_mut(0));
        x.write_all(row.as_slice().unwrap()).unwrap();
        y.write_all(&[label(sample) as u8]).unwrap();
    }
    (samples * FEATURES) as u64
}

/// A table of ten numbers a line, the last of which follows from the others; its size.
fn write_table(path: &Path) -> u64 {
    let rows = if is_full() { 3_000_000 } else { 30_000 };
    let mut file = BufWriter::new(File::create(path).unwrap());
    for row in 0..rows {
        let numbers = (0..9).map(|column| f64::from(row * (column + 3) % 1009) / 1000.0);
        let numbers: Vec<f64> = numbers.collect();
        numbers
            .iter()
            .for_each(|number| write!(file, "{number:.6},").unwrap());
        writeln!(file, "{:.6}", numbers.iter().sum::<f64>()).unwrap();
    }
    file.flush().unwrap();
    fs::metadata(path).unwrap().len()
}

/// No test: what the one below starts as a process of its own.
#[test]
#[ignore = "does what another test asks for"]
fn one_case() {
    let Ok(case) = env::var(CASE) else {
        return;
    };
    let folder = env::var_os(FOLDER).unwrap();
    match case.as_str() {
        "dense" => learn(&noise()),
        "sparse" => learn(&[]),
        "deep" => learn_deep(Path::new(&folder)),
        "wide" => learn_wide(),
        _ => panic!("no case {case}"),
    }
}

/// Runs a process to its end, and shows and checks its peak of memory.
fn run(what: &str, size: u64, command: &mut Command, bound: u64) {
    let start = Instant::now();
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let peak = watch(what, output.spawn().unwrap());
    eprintln!(
        "| {what} | {:.2} GB | {:.2} GB | {:.1} s |",
        size as f64 / 1e9,
        peak as f64 / 1e9,
        start.elapsed().as_secs_f64()
    );
    assert!(
        peak <= bound,
        "{what}: {peak} bytes at most, and {bound} are promised"
    );
}

/// Waits for a process to end well; its peak of memory.
fn watch(what: &str, mut child: Child) -> u64 {
    let mut message = String::new();
    child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    let (id, mut status, mut usage) = (child.id() as i32, 0, std::mem::MaybeUninit::zeroed());
    // SAFETY: both places are there to be written to; the child is ours, and nobody else waits for it.
    let waited = unsafe { libc::wait4(id, &mut status, 0, usage.as_mut_ptr()) };
    assert_eq!((waited, status), (id, 0), "{what}: {message}");
    // SAFETY: all of it was zero, and then written to.
    let usage: libc::rusage = unsafe { usage.assume_init() };
    usage.ru_maxrss as u64 * 1024
}

fn case(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "one_case", "--ignored"])
        .env(CASE, name)
        .env(FOLDER, folder);
    command
}

fn mfnet(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mfnet"));
    command.current_dir(folder).args(arguments);
    command
}

#[test]
fn large_things_take_the_memory_that_is_promised() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    eprintln!("| what | its size | peak of memory | time |");
    eprintln!("|---|---:|---:|---:|");
    let size = (many() * FEATURES) as u64;
    // The order of the samples and their labels take 12 bytes for each sample.
    let bound = size + 20 * many() as u64 + PROGRAM;
    run("pixels, none of them 0", size, &mut case("dense", folder), bound);
    // A tenth of the pixels is not 0; each of these takes 3 bytes more.
    run(
        "pixels, nine tenths of them 0",
        size,
        &mut case("sparse", folder),
        bound + size * 2 / 5,
    );

    let size = write_numpy(folder);
    let arguments = [
        "train",
        "x.npy,y.npy",
        "--linear",
        "--epochs",
        "1",
        "--quiet",
        "--out",
        "pixels",
    ];
    // Targets are read as numbers, 16 bytes each, before they are told to be classes.
    let bound = size + 60 * many() as u64 + PROGRAM;
    run(
        "the same as a NumPy file, by `mfnet train`",
        size,
        &mut mfnet(folder, &arguments),
        bound,
    );
    fs::remove_file(folder.join("x.npy")).unwrap();

    let size = write_table(&folder.join("table.csv"));
    let arguments = [
        "train",
        "table.csv",
        "--linear",
        "--epochs",
        "1",
        "--quiet",
        "--out",
        "sums",
    ];
    run(
        "a CSV table, by `mfnet train`",
        size,
        &mut mfnet(folder, &arguments),
        4 * size + PROGRAM,
    );
    let arguments = ["predict", "sums", "table.csv", "--out", "sums.csv", "--quiet"];
    run(
        "a CSV table, by `mfnet predict`",
        size,
        &mut mfnet(folder, &arguments),
        PROGRAM,
    );

    let parameters = if is_full() { 100_000_000 } else { 1_000_000 };
    // Weights, two moments and a gradient; as much again while a checkpoint is written, or read beside them; and what the
    // system's allocator keeps of memory that was given back.
    let size = 4 * parameters;
    run(
        "100 layers, with Adam",
        size,
        &mut case("deep", folder),
        9 * size + PROGRAM,
    );
    run(
        "a layer, with gradient descent",
        size,
        &mut case("wide", folder),
        2 * size + PROGRAM,
    );
}
