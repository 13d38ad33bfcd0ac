//! What is done with files that may be anything: read, and if that goes well, used. Nothing here may panic, hang, or ask
//! for more memory than a small multiple of the file.

use std::io::Write;

use mfnet::checkpoint::contents_of;
use mfnet::data::read::{self, CsvOptions};
use mfnet::data::{Columns, Imputation, Preparation, Task};
use mfnet::{Adam, CrossEntropyLoss, Model, MseLoss, NeuralNetwork, TrainOptions, Trainer};
use ndarray::Array2;
use tempfile::NamedTempFile;

fn file_of(content: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("there is a folder for temporary files");
    file.write_all(content).expect("there is room for a small file");
    file
}

/// An IDX file, of images, labels, or any numbers.
pub fn idx(content: &[u8]) {
    let file = file_of(content);
    let _ = read::read_idx(file.path());
    let _ = read::read_images(file.path());
    let _ = read::read_labels(file.path());
}

/// A CSV file, to learn from and to predict for.
pub fn csv(content: &[u8]) {
    for header in [None, Some(true), Some(false)] {
        let options = CsvOptions {
            header,
            ..CsvOptions::default()
        };
        let Ok(table) = read::read_csv_from("fuzz.csv", content, &options) else {
            continue;
        };
        for task in [None, Some(Task::Regression), Some(Task::Classification)] {
            let columns = Columns {
                task,
                categorical: (header == Some(false))
                    .then(|| "0".to_owned())
                    .into_iter()
                    .collect(),
                ..Columns::default()
            };
            let Ok(examples) = table.examples::<f32>(&columns) else {
                continue;
            };
            let preparation = Preparation {
                imputation: header.is_none().then_some(Imputation::Median),
                ..Preparation::default()
            };
            let Ok(fitted) = examples.schema.fit(examples.samples, &preparation) else {
                continue;
            };
            fitted.schema.check().expect("a schema that was fitted is sound");
            let again = table
                .raw_samples_for(&fitted.schema)
                .and_then(|samples| fitted.schema.apply(samples))
                .expect("a table fits its own schema");
            assert_eq!(again, fitted.train);
        }
    }
}

/// An NPZ archive or an NPY file.
pub fn numpy(content: &[u8]) {
    let file = file_of(content);
    let _ = read::read_npz::<f32>(file.path(), None);
    let _ = read::read_npz::<f64>(file.path(), Some(Task::Regression));
    let _ = read::read_npz_inputs::<f32>(file.path());
    let _ = read::read_npy_inputs::<f32>(file.path());
    let _ = read::read_npy_pair::<f32>(file.path(), file.path(), None);
}

/// A safetensors file: a model, a network, or the weights of others.
pub fn model(content: &[u8]) {
    let file = file_of(content);
    let _ = contents_of(file.path());
    if let Ok(model) = Model::<f32>::load(file.path()) {
        let design = Array2::zeros((2, model.schema().features));
        let _ = model.predict(design.view());
        let _ = model.predict_names(design.view());
        let _ = model.predict_proba(design.view());
        let onnx = NamedTempFile::new().expect("there is a folder for temporary files");
        let _ = model.export_onnx(onnx.path());
    }
    let _ = NeuralNetwork::<f64>::load(file.path());
    if let Ok(mut network) = NeuralNetwork::<f32>::builder(3)
        .linear(4)
        .relu()
        .linear(2)
        .build()
    {
        let _ = network.load_weights(file.path());
    }
}

/// A training to go on with.
pub fn checkpoint(content: &[u8]) {
    let file = file_of(content);
    if let Ok(network) = NeuralNetwork::<f32>::builder(3)
        .linear(4)
        .relu()
        .linear(2)
        .seed(7)
        .build()
        && let Ok(adam) = Adam::new(0.01)
    {
        // As the sound checkpoints have it: others are refused before their states are read.
        let options = TrainOptions::default().with_batch_size(4);
        let mut trainer = Trainer::new(network, CrossEntropyLoss::default(), adam).options(options);
        let _ = trainer.load_checkpoint(file.path());
    }
    if let Ok(network) = NeuralNetwork::<f64>::builder(3).linear(1).seed(7).build()
        && let Ok(adam) = Adam::adamw(0.01)
    {
        let _ = Trainer::new(network, MseLoss::default(), adam).load_checkpoint(file.path());
    }
}
