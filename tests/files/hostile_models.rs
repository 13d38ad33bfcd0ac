//! Hostile model files by name: tensor lists, descriptions and checkpoints that an attacker may make, and what their
//! reader says. The memory that a refusal takes is bounded by the file, as in `hostile_files`.

use std::ops::ControlFlow::{Break, Continue};
use std::path::Path;

use mfnet::checkpoint::{Contents, contents_of};
use mfnet::data::read::{self, CsvOptions};
use mfnet::{Adam, CrossEntropyLoss, Dataset, Model, NeuralNetwork, Result, Schedule, TrainOptions, Trainer};
use ndarray::Array2;
use tempfile::NamedTempFile;

use crate::header::{assembled, edited};
use crate::measuring::bounded;
use crate::refusal::{assert_refused, file_of};

/// A network with running statistics, and data for it.
fn normed() -> NeuralNetwork<f32> {
    let builder = NeuralNetwork::builder(2).linear(3).batch_norm().tanh();
    builder.linear(2).seed(7).build().unwrap()
}

fn data() -> Dataset<f32> {
    let inputs = Array2::from_shape_fn((8, 2), |(row, column)| (row * (column + 2) % 5) as f32);
    Dataset::classification(inputs, vec![0, 1, 0, 1, 1, 0, 1, 0], 2).unwrap()
}

/// A training that comes to its end, or goes on to it.
fn trainer() -> Trainer<f32> {
    let options = TrainOptions::default()
        .with_epochs(6)
        .with_batch_size(4)
        .with_early_stopping(20)
        .with_schedule(Schedule::plateau());
    Trainer::new(normed(), CrossEntropyLoss::default(), Adam::new(0.01).unwrap()).options(options)
}

/// A checkpoint in the middle of the third epoch.
fn checkpoint() -> Vec<u8> {
    let (mut trainer, mut batches) = (trainer(), 0);
    let interrupted = |_: mfnet::Event<'_>| {
        batches += 1;
        if batches < 8 { Continue(()) } else { Break(()) }
    };
    trainer.fit_with(&data(), interrupted).unwrap();
    let file = NamedTempFile::new().unwrap();
    trainer.save_checkpoint(file.path(), None).unwrap();
    std::fs::read(file.path()).unwrap()
}

/// The file with another number at the start of a tensor.
fn poisoned(content: &[u8], tensor: &str, number: f32) -> Vec<u8> {
    let start = 8 + u64::from_le_bytes(content[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&content[8..start]).unwrap();
    let offset = header[tensor]["data_offsets"][0].as_u64().expect(tensor) as usize;
    let mut poisoned = content.to_vec();
    poisoned[start + offset..][..4].copy_from_slice(&number.to_le_bytes());
    poisoned
}

fn contents(path: &Path) -> Result<Contents> {
    contents_of(path)
}

fn load(path: &Path) -> Result<NeuralNetwork<f32>> {
    NeuralNetwork::load(path)
}

#[test]
fn hostile_tensor_lists() {
    let tensor = |shape: &str, start: u64, end: u64| {
        format!(r#"{{"dtype":"F32","shape":{shape},"data_offsets":[{start},{end}]}}"#)
    };
    let one = tensor("[1]", 0, 4);
    let huge = 1_u64 << 60;
    for (name, header, part) in [
        (
            "twice",
            format!(r#"{{"a":{one},"a":{one}}}"#),
            "`a` is there twice",
        ),
        (
            "a key twice",
            r#"{"a":{"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,4]}}"#.to_owned(),
            "duplicate field `shape`",
        ),
        (
            "overlapping",
            format!(r#"{{"a":{one},"b":{}}}"#, tensor("[1]", 2, 6)),
            "tensor `b`: its bytes are 2",
        ),
        (
            "the same bytes",
            format!(r#"{{"a":{one},"b":{one}}}"#),
            "tensor `b`: its bytes are 0",
        ),
        (
            "a gap",
            format!(r#"{{"a":{}}}"#, tensor("[1]", 4, 8)),
            "would have to start at 0",
        ),
        (
            "reversed",
            format!(r#"{{"a":{}}}"#, tensor("[1]", 4, 0)),
            "its bytes are 4 to 0",
        ),
        (
            "beyond the file",
            format!(r#"{{"a":{}}}"#, tensor("[4]", 0, 16)),
            "8 bytes of tensors follow",
        ),
        (
            "2^60 bytes",
            format!(r#"{{"a":{}}}"#, tensor(&format!("[{}]", huge / 4), 0, huge)),
            "bytes of tensors follow",
        ),
        (
            "2^60 numbers in 8 bytes",
            format!(r#"{{"a":{}}}"#, tensor(&format!("[{huge}]"), 0, 8)),
            "8 bytes are not",
        ),
        (
            "2^64 numbers",
            format!(r#"{{"a":{}}}"#, tensor(&format!("[{huge},16]"), 0, 0)),
            "0 bytes are not",
        ),
        (
            "deep arrays",
            format!(r#"{{"a":{}"#, "[".repeat(100_000)),
            "cannot be read",
        ),
        ("deep objects", r#"{"a":"#.repeat(100_000), "cannot be read"),
        (
            "a deep shape",
            format!(r#"{{"a":{{"shape":{}"#, "[".repeat(100_000)),
            "cannot be read",
        ),
        (
            "an escape sequence",
            r#"{"\u001b[2J":7}"#.to_owned(),
            r"`\u{1b}[2J`",
        ),
    ] {
        assert_refused(name, &assembled(header, &[0; 8]), part, contents);
    }
    let latin = assembled(b"{\"caf\xe9\":7}", &[]);
    assert_refused("a name that is not UTF-8", &latin, "cannot be read", contents);
    for (name, stated) in [("2^60", huge), ("2^64", u64::MAX), ("100 MB", 100_000_000)] {
        let file = [&stated.to_le_bytes()[..], b"{}"].concat();
        assert_refused(name, &file, "it states a header of", contents);
    }
    assert_refused("nothing", &[], "8 bytes", contents);
}

#[test]
fn hostile_descriptions() {
    let file = NamedTempFile::new().unwrap();
    normed().save(file.path()).unwrap();
    let content = std::fs::read(file.path()).unwrap();
    for (name, from, to, part) in [
        (
            "deep arrays",
            r#"\"layers\":["#,
            format!(r#"\"layers\":[{}"#, "[".repeat(100_000)),
            "cannot be read",
        ),
        (
            "deep objects",
            r#"\"options\":{"#,
            r#"\"options\":{\"a\":{"#.repeat(100_000),
            "cannot be read",
        ),
        (
            "a key twice",
            r#"\"inputs\":2"#,
            r#"\"inputs\":2,\"inputs\":3"#.to_owned(),
            "duplicate field",
        ),
        (
            "2^60 inputs",
            r#"\"inputs\":2"#,
            format!(r#"\"inputs\":{}"#, 1_u64 << 60),
            "layer 0",
        ),
    ] {
        let hostile = edited(&content, |header| header.replacen(from, &to, 1));
        assert_refused(name, &hostile, part, load);
    }
    for tensor in [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.running_mean",
        "1.running_var",
    ] {
        for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let part = format!("tensor `{tensor}`: number 0, counted from 0, is not finite");
            let hostile = poisoned(&content, tensor, number);
            assert_refused(tensor, &hostile, &part, load);
            let into = |path: &Path| normed().load_weights(path);
            assert_refused(tensor, &hostile, "not finite", into);
        }
    }
    let negative = poisoned(&content, "1.running_var", -1.0);
    assert_refused("a negative variance", &negative, "-1 is no variance", load);
    assert_refused("a network", &content, "not", |path| Model::<f32>::load(path));
}

/// Goes on with a training from a file, to its end.
fn go_on(path: &Path) -> Result<Trainer<f32>> {
    let mut trainer = trainer();
    trainer.load_checkpoint(path)?;
    trainer.fit(&data())?;
    Ok(trainer)
}

#[test]
fn hostile_checkpoints() {
    let content = checkpoint();
    go_on(file_of(&content).path()).unwrap();
    for tensor in [
        "0.weight",
        "optimizer.0.exp_avg",
        "optimizer.1.exp_avg_sq",
        "best.0",
    ] {
        for number in [f32::NAN, f32::INFINITY] {
            let hostile = poisoned(&content, tensor, number);
            assert_refused(tensor, &hostile, "is not finite", go_on);
        }
    }
    let negative = poisoned(&content, "optimizer.0.exp_avg_sq", -1.0);
    assert_refused(
        "a negative mean of squares",
        &negative,
        "holds a negative number",
        go_on,
    );
    let number = |key: &str, to: &str| {
        edited(&content, |header| {
            let start = header.find(&format!(r#"\"{key}\":"#)).expect(key) + key.len() + 5;
            let length = header[start..].find([',', '}']).unwrap();
            format!("{}{to}{}", &header[..start], &header[start + length..])
        })
    };
    for (key, to, part) in [
        ("learning rate", r#"\"1e999\""#, "learning rate is 1e999 there"),
        ("seed", r#"\"-1\""#, "seed is -1 there"),
        ("fit_epochs", "77", "are no partial fits"),
        ("fit_epochs", "-1", "cannot be read"),
        ("hash", r#"\"x\""#, "`x` is no hash of data"),
        ("hash", r#"\"10000000000000000\""#, "is no hash of data"),
        ("steps", "-1", "cannot be read"),
        ("steps", "0", "the state of Adam"),
        ("rate", "2", "the state of the learning rate's schedule"),
        ("train_loss", "true", "cannot be read"),
        ("train_loss", r#"\"much\""#, "cannot be read"),
        ("train_loss", "1e999", "cannot be read"),
        ("epoch", "77", "its best epoch is none of the"),
        ("restored", "77", "its best epoch is none of the"),
    ] {
        assert_refused(key, &number(key, to), part, go_on);
    }
    // What is only odd is gone on with: no step, no epoch and no loss is beyond a number.
    for (key, to) in [
        ("steps", "18446744073709551615"),
        ("bad_epochs", "18446744073709551615"),
        ("samples", "18446744073709551615"),
        ("batches", "18446744073709551615"),
        // The interrupted epoch is of other data then, and begun anew.
        ("hash", r#"\"0\""#),
        ("train_loss", r#"\"NaN\""#),
        ("train_loss", r#"\"inf\""#),
        ("seconds", "-1e308"),
        ("learning_rate", "-1e308"),
    ] {
        let trained = go_on(file_of(&number(key, to)).path()).expect(key);
        assert_eq!(trained.history().epochs.len(), 6, "{key}");
        assert!(
            trained
                .network()
                .parameters()
                .flatten()
                .all(|weight| weight.is_finite()),
            "{key}"
        );
        let file = NamedTempFile::new().unwrap();
        trained.save_checkpoint(file.path(), None).expect(key);
    }
}

/// What is no file, or is without end.
#[cfg(unix)]
#[test]
fn folders_and_devices_are_refused() {
    type Reader = fn(&Path) -> Result<()>;
    let readers: [(&str, Reader); 7] = [
        ("IDX", |path| read::read_idx(path).map(drop)),
        ("CSV", |path| {
            read::read_csv(path, &CsvOptions::default()).map(drop)
        }),
        ("NPY", |path| read::read_npy_inputs::<f32>(path).map(drop)),
        ("NPZ", |path| read::read_npz::<f32>(path, None).map(drop)),
        ("a model", |path| Model::<f32>::load(path).map(drop)),
        ("weights", |path| normed().load_weights(path)),
        ("a checkpoint", |path| trainer().load_checkpoint(path)),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, read) in readers {
        for path in [folder.path(), Path::new("/dev/null"), Path::new("/dev/zero")] {
            // No more than for a file of 1 MB.
            let outcome = bounded(name, 1 << 20, || read(path));
            let error = outcome.expect_err(name).to_string();
            assert!(error.starts_with(&path.display().to_string()), "{name}: {error}");
        }
    }
}
