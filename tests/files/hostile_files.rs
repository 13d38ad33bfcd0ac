//! Files that are anything but sound: whatever a reader is given ends in data or in an error, soon, and in memory that is
//! bounded by the file.
//!
//! The harnesses are those of `fuzz/`, where a fuzzer has all day; here each sound file is mutated a fixed number of
//! times, at random.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use mfnet::data::Schema;
use mfnet::data::read::{write_npy, write_npz};
use mfnet::{Adam, CrossEntropyLoss, Dataset, Model, NeuralNetwork, TrainOptions, Trainer};
use ndarray::{Array2, array};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::harness;
use crate::measuring::bounded;
use crate::mutation::mutated;
use crate::property;

/// A harness, its sound files, and how many mutations of each are tried.
struct Trial {
    name: &'static str,
    run: fn(&[u8]),
    seeds: Vec<Vec<u8>>,
    mutations: usize,
}

fn trials() -> Vec<Trial> {
    let trial = |name, run, seeds, mutations| Trial {
        name,
        run,
        seeds,
        mutations,
    };
    vec![
        trial("idx", harness::idx as fn(&[u8]), idx_files(), 2000),
        trial("csv", harness::csv, csv_files(), 2000),
        trial("numpy", harness::numpy, numpy_files(), 1500),
        trial("model", harness::model, model_files(), 1000),
        trial("checkpoint", harness::checkpoint, checkpoint_files(), 1000),
    ]
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn idx_files() -> Vec<Vec<u8>> {
    let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2][..], &[7; 8]].concat();
    let labels = vec![0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3];
    vec![gzipped(&images), images, labels]
}

fn csv_files() -> Vec<Vec<u8>> {
    let plain = "height,kind\n12.5,oak\n9,birch\n14,\"oak\"\n11,birch\n";
    let windows = "\u{feff}a;b;c\r\n1;2;3.5\r\n4;5;6\r\n7;8;9\r\n\r\n";
    let mixed = "colour,big,size,kind\nred,True,1,oak\nblue,False,,elm\nred,true,3,oak\n,False,4,elm\nblue,True,2,oak\n";
    let quoted = "\"a\nb\",c\n1,\"2\n\"\n3,4\n5,\n";
    vec![
        plain.into(),
        mixed.into(),
        windows.into(),
        quoted.into(),
        gzipped(plain.as_bytes()),
    ]
}

fn numpy_files() -> Vec<Vec<u8>> {
    let matrix = array![[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.5]];
    let mut npy = Cursor::new(Vec::new());
    write_npy(Path::new("x.npy"), &mut npy, matrix.view()).unwrap();
    let mut npz = Cursor::new(Vec::new());
    write_npz(Path::new("x.npz"), &mut npz, matrix.view(), Some(&[0, 1, 1])).unwrap();
    vec![npy.into_inner(), npz.into_inner(), examples_npz()]
}

/// An archive with `x` and `y`, put together by hand: both stored as they are.
fn examples_npz() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let inputs = Array2::from_shape_fn((6, 2), |(row, column)| (row + 2 * column) as f32);
    let targets = Array2::from_shape_fn((6, 1), |(row, _)| (row % 2) as f32);
    for (name, matrix) in [("x.npy", inputs), ("y.npy", targets)] {
        archive
            .start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        let mut bytes = Cursor::new(Vec::new());
        write_npy(Path::new(name), &mut bytes, matrix.view()).unwrap();
        archive.write_all(&bytes.into_inner()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn small_network() -> NeuralNetwork<f32> {
    NeuralNetwork::builder(3)
        .linear(4)
        .relu()
        .linear(2)
        .seed(7)
        .build()
        .unwrap()
}

fn small_data() -> Dataset<f32> {
    let inputs = Array2::from_shape_fn((8, 3), |(row, column)| (row * (column + 1)) as f32 / 8.0);
    Dataset::classification(inputs, vec![0, 0, 0, 0, 1, 1, 1, 1], 2).unwrap()
}

fn in_a_file(write: impl FnOnce(&Path)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    write(&path);
    fs::read(path).unwrap()
}

fn model_files() -> Vec<Vec<u8>> {
    let data = small_data();
    let schema = Schema::of(&data).normalized(&data).unwrap();
    let model = Model::new(small_network(), schema).unwrap();
    let network = NeuralNetwork::<f64>::builder(3)
        .linear(4)
        .batch_norm()
        .tanh()
        .dropout(0.5)
        .linear(2)
        .build()
        .unwrap();
    vec![
        in_a_file(|path| model.save(path).unwrap()),
        in_a_file(|path| network.save(path).unwrap()),
        in_a_file(|path| small_network().save(path).unwrap()),
    ]
}

fn checkpoint_files() -> Vec<Vec<u8>> {
    let options = TrainOptions::default()
        .with_epochs(3)
        .with_batch_size(4)
        .with_early_stopping(2);
    let adam = Adam::new(0.01).unwrap();
    let mut trainer = Trainer::new(small_network(), CrossEntropyLoss::default(), adam).options(options);
    let data = small_data();
    trainer.fit(&data).unwrap();
    vec![in_a_file(|path| {
        trainer.save_checkpoint(path, Some(&Schema::of(&data))).unwrap()
    })]
}

#[test]
fn no_mutation_breaks_a_reader() {
    for trial in trials() {
        let mut generator = ChaCha8Rng::seed_from_u64(property::seed());
        for seed in &trial.seeds {
            (trial.run)(seed);
            for _ in 0..trial.mutations {
                let content = mutated(seed, &mut generator);
                bounded(trial.name, content.len(), || (trial.run)(&content));
            }
        }
    }
}

#[test]
fn sound_files_are_read_by_their_harnesses() {
    // Else the mutations would be of rubbish.
    let file = |content: &[u8]| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        file
    };
    let [_, images, labels] = <[_; 3]>::try_from(idx_files()).unwrap();
    mfnet::data::read::read_images(file(&images).path()).unwrap();
    mfnet::data::read::read_labels(file(&labels).path()).unwrap();
    mfnet::data::read::read_npz::<f32>(file(&examples_npz()).path(), None).unwrap();
    Model::<f32>::load(file(&model_files()[0]).path()).unwrap();
    NeuralNetwork::<f64>::load(file(&model_files()[1]).path()).unwrap();
    let adam = Adam::new(0.01).unwrap();
    let options = TrainOptions::default().with_batch_size(4);
    let mut trainer = Trainer::new(small_network(), CrossEntropyLoss::default(), adam).options(options);
    trainer
        .load_checkpoint(file(&checkpoint_files()[0]).path())
        .unwrap();
}

#[test]
#[ignore = "writes the fuzzers' corpus into the source folder"]
fn write_the_corpus() {
    for Trial { name, seeds, .. } in trials() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/corpus")
            .join(name);
        fs::create_dir_all(&folder).unwrap();
        for (index, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{index}")), seed).unwrap();
        }
    }
}
