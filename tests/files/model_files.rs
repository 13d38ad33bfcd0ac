//! Models as files: what is saved comes back bit for bit, and what is no model is an error, whatever its bytes.

use std::fs;
use std::path::{Path, PathBuf};

use mfnet::checkpoint::{Precision, precision_of};
use mfnet::data::read::{CsvOptions, read_csv_from};
use mfnet::data::{Columns, Imputation, Inputs, Preparation, Schema, Unknown};
use mfnet::layer::Window;
use mfnet::{Dataset, Element, Error, Model, NeuralNetwork};
use ndarray::{Array2, array};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::each;
use crate::header::{assembled, edited};
use crate::noise::noise;
use crate::property;

/// A layer of a random network.
#[derive(Debug, Clone)]
struct Layer {
    outputs: usize,
    /// An activation, or another layer.
    behind: &'static str,
    dropout: Option<f64>,
}

fn layers() -> impl Strategy<Value = Vec<Layer>> {
    let dropout = prop_oneof![Just(None), (0.0..0.9).prop_map(Some)];
    let behind = [each::activations(), vec!["batch_norm", "conv2d"]].concat();
    let behind = prop::sample::select(behind);
    let layer = (1..40_usize, behind, dropout).prop_map(|(outputs, behind, dropout)| Layer {
        outputs,
        behind,
        dropout,
    });
    prop::collection::vec(layer, 1..6)
}

fn network<T: Element>(inputs: usize, layers: &[Layer], seed: u64) -> NeuralNetwork<T> {
    let mut builder = NeuralNetwork::builder(inputs).seed(seed);
    for layer in layers {
        builder = builder.linear(layer.outputs);
        builder = match layer.behind {
            "batch_norm" => builder.batch_norm(),
            "conv2d" => {
                (builder.relu().image(1, 1, layer.outputs)).conv2d(2, Window::new([1, 2]).padding([0, 1]))
            }
            activation => builder.activation_named(activation).unwrap(),
        };
        if let Some(probability) = layer.dropout {
            builder = builder.dropout(probability);
        }
    }
    builder.build().unwrap()
}

/// A model with a schema that has everything.
fn model<T: Element>(inputs: usize, layers: &[Layer], seed: u64) -> Model<T> {
    let network = network::<T>(inputs, layers, seed);
    let outputs = network.outputs();
    let raw = Dataset::regression(noise(20, inputs, seed), noise(20, outputs, seed + 1)).unwrap();
    let schema = Schema::of(&raw).normalized(&raw).unwrap();
    Model::new(network, schema).unwrap()
}

fn small() -> Model<f32> {
    let layer = |outputs, behind, dropout| Layer {
        outputs,
        behind,
        dropout,
    };
    model(2, &[layer(3, "relu", Some(0.5)), layer(2, "tanh", None)], 7)
}

/// A folder that goes, and a path in it.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    (folder, path)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn comes_back<T: Element>(inputs: usize, layers: &[Layer], seed: u64, precision: Precision) {
    let (_folder, path) = place();
    let model = model::<T>(inputs, layers, seed);
    model.save(&path).unwrap();
    let back = Model::<T>::load(&path).unwrap();
    // Records have every option, seed and tensor.
    assert_eq!(
        back.network().records().unwrap(),
        model.network().records().unwrap()
    );
    assert!(back.network().parameters().eq(model.network().parameters()));
    assert_eq!(back.schema(), model.schema());
    assert_eq!(precision_of(&path).unwrap(), precision);
    let design = noise::<T>(7, inputs, seed + 2);
    assert_eq!(
        back.predict(design.view()).unwrap(),
        model.predict(design.view()).unwrap()
    );
    let first = fs::read(&path).unwrap();
    back.save(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), first, "the same model is the same file");

    let mut other = network::<T>(inputs, layers, seed + 1);
    other.load_weights(&path).unwrap();
    assert!(other.parameters().eq(model.network().parameters()));
}

proptest! {
    #![proptest_config(property::config(40))]

    #[test]
    fn saved_models_come_back(inputs in 1..30_usize, layers in layers(), seed in 0..1000_u64) {
        comes_back::<f32>(inputs, &layers, seed, Precision::F32);
        comes_back::<f64>(inputs, &layers, seed, Precision::F64);
    }

    #[test]
    fn any_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), header in ".{0,200}") {
        let (_folder, path) = place();
        fs::write(&path, &bytes).unwrap();
        prop_assert!(Model::<f32>::load(&path).is_err());
        fs::write(&path, assembled(&header, &bytes)).unwrap();
        prop_assert!(Model::<f32>::load(&path).is_err());
    }
}

/// Loads these bytes in every way there is, which must be errors or sound networks.
fn try_all(path: &Path, content: &[u8]) -> Result<(), Error> {
    fs::write(path, content).unwrap();
    let _ = precision_of(path);
    let _ = Model::<f64>::load(path);
    let _ = small().into_parts().0.load_weights(path);
    let network = NeuralNetwork::<f32>::load(path)?;
    assert!(network.parameters().flatten().all(|weight| weight.is_finite()));
    let model = Model::<f32>::load(path)?;
    let _ = model.predict(array![[0.5, -0.5]].view());
    Ok(())
}

#[test]
fn cut_files_are_errors() {
    let (_folder, path) = place();
    small().save(&path).unwrap();
    let content = fs::read(&path).unwrap();
    for length in 0..content.len() {
        let error = try_all(&path, &content[..length]).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
    }
    let longer = [&content[..], &[0]].concat();
    assert!(try_all(&path, &longer).is_err());
}

/// No sum guards the weights, so that some flips only change them; none may do more.
#[test]
fn flipped_bits_are_errors_or_other_weights() {
    let (_folder, path) = place();
    small().save(&path).unwrap();
    let content = fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(content[..8].try_into().unwrap()) as usize;
    let mut errors = 0;
    for place in 0..content.len() {
        for flip in [0x01, 0x10, 0x80, 0xff] {
            let mut flipped = content.clone();
            flipped[place] ^= flip;
            let failed = try_all(&path, &flipped).is_err();
            assert!(failed || place >= 8, "a header of another length");
            errors += usize::from(failed && place < header);
        }
    }
    assert!(
        errors > header * 2,
        "{errors} of {} flips in the header were errors",
        header * 4
    );
}

#[test]
fn hostile_descriptions_are_named() {
    let (_folder, path) = place();
    small().save(&path).unwrap();
    let content = fs::read(&path).unwrap();
    let huge = u64::MAX.to_string();
    for (from, to, part) in [
        (r#"\"format\":1"#, r#"\"format\":9"#, "format 9"),
        (
            r#"\"inputs\":2"#,
            r#"\"inputs\":4611686018427387904"#,
            "layer 0: it takes 2 features",
        ),
        (
            r#"\"inputs\":2"#,
            &format!(r#"\"inputs\":{huge}"#),
            "layer 0: it takes 2 features",
        ),
        (
            r#"\"in_features\":2"#,
            r#"\"in_features\":9007199254740992"#,
            "tensor `0.weight`: its shape is 3 x 2, not",
        ),
        (
            r#"\"in_features\":2"#,
            r#"\"in_features\":-1"#,
            "layer 0: layer: the option in_features is -1",
        ),
        (r#"\"in_features\":2"#, r#"\"in_features\":1e300"#, "layer 0"),
        (
            r#"\"in_features\":2"#,
            r#"\"in_features\":1e999"#,
            "cannot be read",
        ),
        (
            r#"\"in_features\":2,"#,
            "",
            "layer 0: layer: the option in_features is missing",
        ),
        (
            r#"\"out_features\":3"#,
            r#"\"out_features\":0"#,
            "tensor `0.weight`: its shape is 3 x 2, not 0 x 2",
        ),
        (
            r#"\"kind\":\"ReLU\""#,
            r#"\"kind\":\"Re\\u001bLU\""#,
            r"layer 1: layer:",
        ),
        (
            r#"\"kind\":\"ReLU\""#,
            r#"\"kind\":\"Linear\""#,
            "layer 1: layer: the option in_features is missing",
        ),
        (
            r#"{\"kind\":\"Tanh\"}"#,
            r#"{\"kind\":\"Tanh\"},{\"kind\":\"ReLU\"}"#,
            "activation",
        ),
        (r#"\"p\":0.5"#, r#"\"p\":1.5"#, "layer 2: dropout = 1.5"),
        (r#"\"layers\":["#, r#"\"layers\":[],\"x\":["#, "unknown field"),
        (r#"\"features\":2,"#, r#"\"features\":3,"#, "features' scales"),
        (r#"\"outputs\":2,"#, &format!(r#"\"outputs\":{huge},"#), "schema"),
        (r#"\"deviations\":["#, r#"\"deviations\":[0,"#, "deviation"),
        (
            r#"\"task\":\"regression\""#,
            r#"\"task\":\"classification\""#,
            "schema",
        ),
        (r#"\"width\":4"#, r#"\"width\":3"#, "width"),
        (r#""mfnet":"#, r#""other":"#, "was not written by mfnet"),
        (r#""3.bias""#, r#""3.bases""#, "there is no tensor `3.bias`"),
        (r#""3.bias""#, r#""3.weight""#, "is there twice"),
    ] {
        let hostile = edited(&content, |header| header.replacen(from, to, 1));
        let error = try_all(&path, &hostile).unwrap_err().to_string();
        assert!(error.contains(part), "{from} -> {to}: {error}");
        assert!(!error.contains('\x1b'), "{error}");
    }

    let images = |builder: mfnet::Builder<f32>| {
        let conv2d = builder.image(1, 2, 3).conv2d(2, Window::new([2, 2]));
        conv2d.batch_norm().linear(2).softmax().build().unwrap()
    };
    images(NeuralNetwork::builder(6)).save(&path).unwrap();
    let of_images = fs::read(&path).unwrap();
    for (from, to, part) in [
        (
            "[1,2,3]",
            "[1,3,3]",
            "layer 0: 6 features are no images of 1 x 3 x 3",
        ),
        (
            "[1,2,3]",
            "[4294967296,4294967296,4294967296]",
            "layer 0: 6 features",
        ),
        ("[1,2,3]", "[1,2]", "layer 0: layer: the option unflattened_size"),
        ("[1,2,3]", "[1,2,-3]", "cannot be read"),
        ("[2,2]", "[2,9]", "layer 1: convolution"),
        ("[2,2]", "2", "layer 1: layer: the option kernel_size"),
        ("[1,1]", "[0,1]", "layer 1: stride = 0"),
        (
            r#"\"in_channels\":1"#,
            r#"\"in_channels\":2"#,
            "layer 1: layer: it is not given images of 2 channels",
        ),
        (
            r#"\"out_channels\":2"#,
            r#"\"out_channels\":3"#,
            "tensor `1.weight`: its shape is 2 x 1 x 2 x 2, not 3 x",
        ),
        (
            r#"\"eps\":0.00001"#,
            r#"\"eps\":-0.00001"#,
            "layer 3: epsilon = -0.00001",
        ),
        (
            r#"\"num_features\":4"#,
            r#"\"num_features\":5"#,
            "tensor `3.weight`: its shape is 4, not 5",
        ),
        (
            r#"\"kind\":\"Softmax\",\"options\":{\"dim\":1}"#,
            r#"\"kind\":\"Softmax\",\"options\":{\"dim\":0}"#,
            "layer 5: layer: a softmax along 0",
        ),
        (
            r#""I64","shape":[]"#,
            r#""U64","shape":[]"#,
            "tensor `3.num_batches_tracked`: its type is U64",
        ),
        (
            r#""3.num_batches_tracked""#,
            r#""3.num_batches_cracked""#,
            "there is no tensor `3.num_batches_tracked`",
        ),
    ] {
        let hostile = edited(&of_images, |header| header.replacen(from, to, 1));
        let error = try_all(&path, &hostile).unwrap_err().to_string();
        assert!(error.contains(part), "{from} -> {to}: {error}");
    }

    let nested = edited(&content, |header| {
        header.replacen(
            r#"\"layers\":["#,
            &format!(r#"\"layers\":[{}"#, "[".repeat(100_000)),
            1,
        )
    });
    assert!(try_all(&path, &nested).is_err());
    let extra = edited(&content, |header| {
        let end = content.len() - 8 - header.len();
        let entry = format!(r#","x":{{"dtype":"F32","shape":[0],"data_offsets":[{end},{end}]}}}}"#);
        header.trim_end().strip_suffix('}').unwrap().to_owned() + &entry
    });
    let error = try_all(&path, &extra).unwrap_err().to_string();
    assert!(
        error.contains("tensor `x` belongs to none of the layers"),
        "{error}"
    );
}

#[test]
fn hostile_records_of_the_loss_are_named() {
    let (_folder, path) = place();
    let data = Dataset::classification(noise::<f32>(4, 2, 7), vec![0, 1, 1, 0], 2).unwrap();
    let network = NeuralNetwork::builder(2).linear(2).seed(7).build().unwrap();
    let loss = mfnet::CrossEntropyLoss::default().with_class_weights(vec![0.75, 1.5]);
    let model = Model::new(network, Schema::of(&data)).unwrap();
    model.trained_with(&loss).unwrap().save(&path).unwrap();
    let content = fs::read(&path).unwrap();
    let long = format!(r#"\"name\":\"{}\""#, "x".repeat(1000));
    for (from, to, part) in [
        (
            r#"\"name\":\"cross-entropy\""#,
            r#"\"name\":\"cross\""#,
            "cross-entropy",
        ),
        (
            r#"\"name\":\"cross-entropy\""#,
            long.as_str(),
            "more than 100 letters",
        ),
        ("[0.75,1.5]", "[0.75]", "2 class weights"),
        ("[0.75,1.5]", "[0.75,-1.5]", "class weight = -1.5"),
        (
            r#"\"label_smoothing\":0.0"#,
            r#"\"label_smoothing\":7"#,
            "label smoothing = 7",
        ),
        (
            r#"\"expects\":\"logits\""#,
            r#"\"expects\":\"any\""#,
            "another kind of output",
        ),
        (
            r#"\"expects\":\"logits\""#,
            r#"\"expects\":\"probabilities\""#,
            "expects probabilities",
        ),
        (
            r#"\"reduction\":\"mean\""#,
            r#"\"reduction\":\"max\""#,
            "cannot be read",
        ),
    ] {
        let hostile = edited(&content, |header| header.replacen(from, to, 1));
        fs::write(&path, hostile).unwrap();
        let error = Model::<f32>::load(&path).unwrap_err().to_string();
        assert!(
            error.contains(part) && error.len() < 1000,
            "{from} -> {to}: {error}"
        );
    }
}

#[test]
fn what_cannot_be_written_leaves_no_file() {
    let (folder, path) = place();
    let missing = folder.path().join("missing").join("model.safetensors");
    assert!(matches!(small().save(&missing), Err(Error::Io { .. })));
    assert!(matches!(small().export_onnx(&missing), Err(Error::Io { .. })));
    assert!(matches!(
        small().save(folder.path()),
        Err(Error::InvalidFile { .. })
    ));
    assert!(names(folder.path()).is_empty());
    // A problem of the whole file is no place in it.
    for outcome in [
        small().save(folder.path()),
        Model::<f32>::load(folder.path()).map(drop),
        small().into_parts().0.load_weights(folder.path()),
    ] {
        let error = outcome.unwrap_err().to_string();
        assert!(!error.contains("byte 0"), "{error}");
    }

    small().save(&path).unwrap();
    let before = fs::read(&path).unwrap();
    let broken = mfnet::layer::Linear::from_weights(array![[f32::MAX]].view(), &[0.0]).unwrap();
    let mut network = NeuralNetwork::builder(1).layer(Box::new(broken)).build().unwrap();
    network.save(&path).unwrap();
    assert_ne!(fs::read(&path).unwrap(), before);
    let before = fs::read(&path).unwrap();
    diverge(&mut network);
    let error = network.save(&path).unwrap_err().to_string();
    assert!(
        error.starts_with("tensor `0.") && error.contains("not finite"),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), before, "what was there stays");
    assert_eq!(names(folder.path()), ["model.safetensors"]);
}

/// One step beyond all numbers.
fn diverge(network: &mut NeuralNetwork<f32>) {
    let data = Dataset::regression(array![[1e10_f32]], array![[1e30]]).unwrap();
    let mut loader = mfnet::DataLoader::new(&data, 1, mfnet::Shuffle::None, 0).unwrap();
    loader.start_epoch(1);
    let mut workspace = mfnet::Workspace::new(network, 1).unwrap();
    for batch in loader.batches() {
        network
            .forward_backward(&batch, &mfnet::MseLoss::default(), &mut workspace)
            .unwrap();
        network
            .apply_gradients(&mut mfnet::Sgd::new(1e30).unwrap(), &mut workspace)
            .unwrap();
    }
}

#[test]
fn precisions_are_converted() {
    let (_folder, path) = place();
    small().save(&path).unwrap();
    let wide = Model::<f64>::load(&path).unwrap();
    let pairs = small()
        .network()
        .parameters()
        .flatten()
        .map(|&weight| f64::from(weight))
        .collect::<Vec<_>>();
    assert!(wide.network().parameters().flatten().eq(&pairs));
    wide.save(&path).unwrap();
    assert_eq!(precision_of(&path).unwrap(), Precision::F64);
    let narrow = Model::<f32>::load(&path).unwrap();
    assert!(narrow.network().parameters().eq(small().network().parameters()));
    assert_eq!(narrow.schema(), small().schema());

    let beyond = mfnet::layer::Linear::from_weights(array![[1e300]].view(), &[0.0]).unwrap();
    let network = NeuralNetwork::builder(1).layer(Box::new(beyond)).build().unwrap();
    network.save(&path).unwrap();
    let error = NeuralNetwork::<f32>::load(&path).unwrap_err().to_string();
    assert!(
        error.contains("tensor `0.weight`: number 0, counted from 0, is not finite in f32"),
        "{error}"
    );
    let error = Model::<f64>::load(&path).unwrap_err().to_string();
    assert!(error.contains("it holds a network alone"), "{error}");
}

/// A file that PyTorch could have written: zeros, and ones for biases, under these names.
fn foreign(modules: &[(&str, usize, usize)]) -> Vec<u8> {
    let (mut entries, mut bytes) = (Vec::new(), Vec::new());
    for &(path, outputs, inputs) in modules {
        for (name, shape, value) in [
            ("weight", vec![outputs, inputs], 0_f32),
            ("bias", vec![outputs], 1.0),
        ] {
            let start = bytes.len();
            let count = shape.iter().product();
            bytes.extend(std::iter::repeat_n(value.to_le_bytes(), count).flatten());
            entries.push(format!(
                r#""{path}{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[{start},{}]}}"#,
                bytes.len()
            ));
        }
    }
    assembled(format!("{{{}}}", entries.join(",")), &bytes)
}

#[test]
fn weights_of_others_are_told_by_their_numbers() {
    let (_folder, path) = place();
    let fresh = || {
        NeuralNetwork::<f32>::builder(2)
            .linear(3)
            .relu()
            .dropout(0.1)
            .linear(3)
            .tanh()
            .linear(3)
            .seed(7)
            .build()
            .unwrap()
    };
    let load = |names: [&str; 3]| {
        let [first, second, third] = names;
        fs::write(&path, foreign(&[(third, 3, 3), (first, 3, 2), (second, 3, 3)])).unwrap();
        let mut network = fresh();
        network.load_weights(&path).map(|()| network)
    };
    for names in [
        ["0.", "3.", "5."],
        ["1.", "3.", "10."],
        ["net.0.", "net.2.", "net.4."],
        ["fc1.", "fc2.", "fc11."],
        ["layers.0.linear.", "layers.1.linear.", "layers.2.linear."],
    ] {
        let network = load(names).unwrap();
        for weights in network.parameters() {
            assert!(weights.column(0).iter().all(|&bias| bias == 1.0), "{names:?}");
            assert_eq!(
                weights.iter().filter(|&&weight| weight != 0.0).count(),
                weights.nrows()
            );
        }
    }
    for names in [
        ["a.", "b.", "c."],
        ["a0.", "b1.", "c2."],
        ["5.", "3.", "0."],
        ["0.", "1.", "01."],
    ] {
        let error = load(names).unwrap_err().to_string();
        let wanted = "expected 0.bias (3), 0.weight (3 x 2), 3.bias (3), 3.weight (3 x 3), 5.bias (3), 5.weight (3 x 3)";
        assert!(error.contains(wanted) && error.contains("found"), "{error}");
    }
    fs::write(&path, foreign(&[("", 1, 2)])).unwrap();
    let mut line = NeuralNetwork::<f32>::builder(2).linear(1).build().unwrap();
    line.load_weights(&path).unwrap();
    assert_eq!(line.predict(array![[5.0, 6.0]].view()).unwrap(), array![[1.0]]);

    let (mut network, mut content) = (fresh(), foreign(&[("0.", 3, 2), ("3.", 3, 3), ("5.", 3, 3)]));
    let end = content.len();
    content[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&path, content).unwrap();
    let error = network.load_weights(&path).unwrap_err().to_string();
    assert!(error.contains("tensor `5.bias`: number 2"), "{error}");
    assert!(
        network.parameters().eq(fresh().parameters()),
        "none of it was taken"
    );
    assert!(
        NeuralNetwork::<f32>::load(&path).is_err(),
        "it does not say what the layers are"
    );
}

#[test]
fn predictions_are_on_the_raw_scale() {
    let raw = Dataset::regression(array![[10.0], [30.0]], array![[1.0], [3.0]]).unwrap();
    let mut schema = Schema::of(&raw).normalized(&raw).unwrap();
    schema.imputation = Some(vec![20.0]);
    let same = mfnet::layer::Linear::from_weights(array![[1.0]].view(), &[0.0]).unwrap();
    let network = || {
        NeuralNetwork::builder(1)
            .layer(Box::new(same.clone()))
            .build()
            .unwrap()
    };
    let model = Model::new(network(), schema).unwrap();
    let predicted = model.predict(array![[10.0], [40.0], [f64::NAN]].view()).unwrap();
    assert_eq!(predicted, array![[1.0], [4.0], [2.0]]);
    for (design, part) in [
        (array![[f64::INFINITY]], "row 0, feature 0: inf"),
        (array![[1.0, 2.0]], "samples x 1"),
    ] {
        let error = model.predict(design.view()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(model.predict_labels(array![[1.0]].view()).is_err());
    assert!(model.predict_proba(array![[1.0]].view()).is_err());
    let error = model.network().predict_proba(array![[1.0]].view()).unwrap_err();
    assert!(
        error.to_string().contains("a network of a single output"),
        "{error}"
    );

    let other = Dataset::regression(array![[1.0, 2.0]], array![[1.0]]).unwrap();
    assert!(Model::new(network(), Schema::of(&other)).is_err());

    let classes = Dataset::classification(array![[1.0], [2.0]], vec![0, 1], 2).unwrap();
    let schema = Schema::of(&classes)
        .named(&["size"], &["kind"], &["small", "large"])
        .unwrap();
    let scale = mfnet::layer::Linear::from_weights(array![[-1.0], [1.0]].view(), &[3.0, 0.0]).unwrap();
    let network = NeuralNetwork::builder(1).layer(Box::new(scale)).build().unwrap();
    let model = Model::new(network, schema).unwrap();
    let design: Array2<f64> = array![[1.0], [2.0]];
    assert_eq!(
        model.predict(design.view()).unwrap(),
        array![[2.0, 1.0], [1.0, 2.0]]
    );
    assert_eq!(model.predict_labels(design.view()).unwrap(), [0, 1]);
    assert_eq!(model.predict_names(design.view()).unwrap(), ["small", "large"]);
    let half = model.predict_proba(array![[1.5]].view()).unwrap();
    assert_eq!(half, array![[0.5, 0.5]]);
    let missing = model.predict(array![[f64::NAN]].view()).unwrap_err().to_string();
    assert!(missing.contains("row 0, size: NaN"), "{missing}");
}

#[test]
fn categories_travel_with_the_model() {
    let table = |content: &str| read_csv_from("t.csv", content.as_bytes(), &CsvOptions::default()).unwrap();
    let examples = table("a,b,y\nred,1,0.5\nblue,3,1\nred,1,2\n,5,2\nblue,2,2\n")
        .examples::<f64>(&Columns::default())
        .unwrap();
    let preparation = Preparation {
        imputation: Some(Imputation::MostFrequent),
        unknown: Unknown::Ignore,
        normalize: false,
        ..Preparation::default()
    };
    let schema = examples
        .schema
        .fit(examples.samples, &preparation)
        .unwrap()
        .schema;
    let weights = array![[10.0, 20.0, 1.0]];
    let linear = mfnet::layer::Linear::from_weights(weights.view(), &[0.0]).unwrap();
    let network = |inputs, layer| {
        NeuralNetwork::builder(inputs)
            .layer(Box::new(layer))
            .build()
            .unwrap()
    };
    let narrow = mfnet::layer::Linear::from_weights(array![[1.0, 1.0]].view(), &[0.0]).unwrap();
    let error = Model::new(network(2, narrow), schema.clone())
        .unwrap_err()
        .to_string();
    assert!(error.contains("found 3 features"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    Model::new(network(3, linear), schema)
        .unwrap()
        .save(&path)
        .unwrap();

    let model = Model::<f64>::load(&path).unwrap();
    let new = table("b,a\n1,blue\n2,red\n3,\n4,green\n");
    let Inputs::Values(inputs) = new.inputs_for(model.schema()).unwrap() else {
        panic!("a table has numbers");
    };
    assert_eq!(inputs, array![[0.0, 1.0], [1.0, 2.0], [0.0, 3.0], [-1.0, 4.0]]);
    // Without a category among the training rows, only the number counts.
    assert_eq!(
        model.predict(inputs.view()).unwrap(),
        array![[11.0], [22.0], [13.0], [4.0]]
    );
    assert_eq!(
        model.predict(array![[f64::NAN, 1.0]].view()).unwrap(),
        array![[11.0]]
    );
}
