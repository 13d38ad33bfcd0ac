//! Files that earlier versions have written, which every version reads; `old/` holds them.

use std::fs;
use std::path::PathBuf;

use mfnet::checkpoint::{FileKind, contents_of};
use mfnet::{Model, NeuralNetwork};
use ndarray::array;

fn old(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/files/old")
        .join(name)
}

/// A network of each layer and activation that version 0.1 has, three epochs of Adam.
const ARCHITECTURE: &str =
    "12 - 20 Conv2d ReLU, Dropout - 6 Conv2d tanh, BatchNorm1d sigmoid - 4 softmax - 3 identity - 2";

#[test]
fn a_model_is_read_and_written_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let model = Model::<f32>::load(old("model.safetensors")).unwrap();
    assert_eq!(model.network().architecture(), ARCHITECTURE);
    let row = array![[
        1.0_f32,
        2.0,
        3.0,
        f32::NAN,
        5.0,
        6.0,
        7.0,
        8.0,
        9.0,
        10.0,
        11.0,
        12.0
    ]];
    let predicted = model.predict(row.view()).unwrap();
    // As that version predicted.
    for (found, expected) in predicted.iter().zip([3.056_846_6, 2.592_226]) {
        assert!((found - expected).abs() < 1e-5, "{found}");
    }
    model.save(&path).unwrap();
    let before = fs::read(old("model.safetensors")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before, "the same bytes");
}

#[test]
fn a_checkpoints_network_is_read() {
    let path = old("checkpoint.safetensors");
    let FileKind::Checkpoint {
        optimizer,
        epochs,
        model,
    } = contents_of(&path).unwrap().kind
    else {
        panic!("it is a checkpoint");
    };
    assert_eq!((optimizer.as_str(), epochs, model), ("Adam", 3, true));
    let network = NeuralNetwork::<f32>::load(&path).unwrap();
    let (of_model, _) = Model::<f32>::load(old("model.safetensors")).unwrap().into_parts();
    assert_eq!(network.records().unwrap(), of_model.records().unwrap());
    let mut other = Model::<f32>::load(old("model.safetensors"))
        .unwrap()
        .into_parts()
        .0;
    other.load_weights(&path).unwrap();
    assert_eq!(other.records().unwrap(), of_model.records().unwrap());
}
