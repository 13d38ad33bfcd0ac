//! Files that travel: what mfnet writes is read by the formats' own libraries and by PyTorch, and the other way round.
//!
//! `MFNET_PYTHON` names a Python with numpy, onnx, onnxruntime and safetensors, `MFNET_PYTORCH` one with PyTorch and
//! safetensors; without them these tests are skipped.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use mfnet::data::{Inputs, Schema, TargetTransform, Targets};
use mfnet::layer::Window;
use mfnet::loss::BinaryCrossEntropyLoss;
use mfnet::{Builder, Dataset, Element, Model, MseLoss, NeuralNetwork, Sgd, TrainOptions, Trainer};
use ndarray::{Array2, array};
use serde_json::{Value, json};

use crate::each;
use crate::noise::noise;

/// Adds something to a network.
type Add<T> = Box<dyn Fn(Builder<T>) -> Builder<T>>;

/// Every activation and every layer there is, and more of them together, each between two fully connected layers.
fn layers<T: Element>() -> Vec<(String, Add<T>)> {
    let mut all: Vec<(String, Add<T>)> = Vec::new();
    for name in each::activations() {
        let add = move |builder: Builder<T>| builder.activation_named(name).unwrap();
        all.push((name.replace([':', '.'], "_"), Box::new(add)));
    }
    for (name, add) in each::layers().into_iter().chain(mixed()) {
        all.push((name.to_owned(), Box::new(add)));
    }
    all
}

fn mixed<T: Element>() -> [(&'static str, each::Add<T>); 6] {
    [
        ("none", |builder| builder),
        ("relu_dropout", |builder| builder.relu().dropout(0.3)),
        ("batch_norm_relu", |builder| builder.batch_norm().relu()),
        ("conv2d_twice", |builder| {
            let first = builder
                .relu()
                .image(2, 1, 3)
                .conv2d(4, Window::new([1, 2]).padding([0, 1]));
            let second = first
                .tanh()
                .dropout(0.3)
                .conv2d(3, Window::new([1, 3]).stride([1, 2]).padding([0, 2]));
            second.linear(6)
        }),
        ("conv2d_last", |builder| {
            builder
                .relu()
                .image(3, 2, 1)
                .conv2d(6, Window::new([2, 1]))
                .softmax()
        }),
        ("wide", |builder| builder.relu().linear(300).relu().linear(6)),
    ]
}

/// A network after a few steps: nothing in it is as it started.
fn stirred<T: Element>(network: NeuralNetwork<T>) -> NeuralNetwork<T> {
    let targets = noise(SAMPLES, network.outputs(), 61);
    let data = Dataset::regression(noise(SAMPLES, network.inputs(), 60), targets).unwrap();
    let options = TrainOptions::default().with_epochs(3);
    let sgd = Sgd::new(0.01).unwrap();
    let mut trainer = Trainer::new(network, MseLoss::default(), sgd).options(options);
    trainer.fit(&data).unwrap();
    trainer.into_network()
}

const INPUTS: usize = 5;
const SAMPLES: usize = 40;

/// A model for each layer and each way to scale data, and raw inputs for it.
fn cases<T: Element>() -> Vec<(String, Model<T>, Array2<T>)> {
    let mut cases = Vec::new();
    for (seed, (name, add)) in (7..).zip(layers::<T>()) {
        let builder = NeuralNetwork::builder(INPUTS).linear(6).seed(seed);
        let network = stirred(add(builder).linear(3).build().unwrap());
        // Numbers of different size, as in tables.
        let scales = array![1.0, 10.0, 100.0, 0.1, 5.0].mapv(T::from_f64);
        let input = noise::<T>(SAMPLES, INPUTS, seed) * &scales + &scales;
        let values = noise::<T>(SAMPLES, 3, seed + 100) * T::from_f64(10.0);
        let raw = Dataset::regression(input.clone(), values).unwrap();
        let mut schema = Schema::of(&raw).normalized(&raw).unwrap();
        let mut input = input;
        if seed % 2 == 0 {
            schema.imputation = Some(scales.to_vec());
            input[[3, 2]] = T::nan();
        }
        cases.push((
            format!("regression-{name}"),
            Model::new(network, schema).unwrap(),
            input,
        ));
    }
    let network = |seed| {
        NeuralNetwork::builder(INPUTS)
            .linear(6)
            .relu()
            .linear(3)
            .seed(seed)
            .build()
            .unwrap()
    };
    for (name, transform) in [("log", TargetTransform::Log), ("log1p", TargetTransform::Log1p)] {
        let input = noise::<T>(SAMPLES, INPUTS, 49);
        let prices = noise::<T>(SAMPLES, 3, 48).mapv(|value| T::from_f64((2.0 * value.as_f64()).exp()));
        let raw = Dataset::regression(input.clone(), prices).unwrap();
        let mut schema = Schema::of(&raw);
        schema.target_transform = transform;
        let schema = schema.normalized(&raw).unwrap();
        let model = Model::new(network(57), schema).unwrap();
        cases.push((format!("regression-{name}"), model, input));
    }
    let labels: Vec<u32> = (0..3).cycle().take(SAMPLES).collect();
    let input = noise::<T>(SAMPLES, INPUTS, 50);
    let raw = Dataset::classification(input.clone(), labels.clone(), 3).unwrap();
    let names = ["width", "height", "f, \"quoted\"", "größe", "x"];
    let schema = Schema::of(&raw)
        .named(&names, &["kind"], &["a", "b", "ç"])
        .unwrap();
    cases.push((
        "classes-raw".to_owned(),
        Model::new(network(51), schema.clone()).unwrap(),
        input.clone(),
    ));
    let last = NeuralNetwork::builder(INPUTS).linear(3).softmax().seed(54);
    cases.push((
        "classes-softmax".to_owned(),
        Model::new(last.build().unwrap(), schema.clone()).unwrap(),
        input.clone(),
    ));
    let scores = Model::new(network(55), schema.clone()).unwrap();
    cases.push((
        "classes-scores".to_owned(),
        scores.trained_with(&MseLoss::default()).unwrap(),
        input.clone(),
    ));
    let answers = noise::<T>(SAMPLES, 3, 57).mapv(|value| T::from_u8((value > T::zero()).into()));
    let yes_no = Dataset::regression(input.clone(), answers).unwrap();
    let yes_no = Schema::of(&yes_no).binary().unwrap().normalized(&yes_no).unwrap();
    let answering = Model::new(network(58), yes_no).unwrap();
    cases.push((
        "yes-no".to_owned(),
        answering
            .trained_with(&BinaryCrossEntropyLoss::default())
            .unwrap(),
        input.clone(),
    ));
    let schema = schema.normalized(&raw).unwrap();
    cases.push((
        "classes-normalized".to_owned(),
        Model::new(network(52), schema).unwrap(),
        input,
    ));
    // Three categories and two numbers, some of them missing.
    let mut input = noise::<T>(SAMPLES, 3, 55);
    for (row, value) in input.column_mut(0).iter_mut().enumerate() {
        *value = T::from_f64((row % 3) as f64);
    }
    let raw = Dataset::classification(input.clone(), labels.clone(), 3).unwrap();
    let mut schema = Schema::of(&raw);
    schema.categories = vec![vec!["a".into(), "b".into(), "c".into()], Vec::new(), Vec::new()];
    schema.imputation = Some([1.0, 0.25, -3.0].map(T::from_f64).to_vec());
    let schema = schema.normalized(&raw).unwrap();
    input[[3, 0]] = T::nan();
    input[[4, 1]] = T::nan();
    cases.push((
        "classes-categories".to_owned(),
        Model::new(network(56), schema).unwrap(),
        input,
    ));
    let pixels = Array2::from_shape_fn((SAMPLES, INPUTS), |(row, column)| (row * 31 + column * 57) as u8);
    let input = pixels.mapv(T::from_u8);
    let raw = Dataset::new(Inputs::Pixels(pixels), Targets::Classes { labels, classes: 3 }).unwrap();
    cases.push((
        "classes-pixels".to_owned(),
        Model::new(network(53), Schema::of(&raw)).unwrap(),
        input,
    ));
    cases
}

/// A matrix as JSON; what is not finite becomes null.
fn rows<T: Element>(matrix: &Array2<T>) -> Value {
    let row = |row: ndarray::ArrayView1<'_, T>| row.iter().map(|value| json!(value.as_f64())).collect();
    matrix.rows().into_iter().map(row).collect::<Vec<Value>>().into()
}

fn matrix<T: Element>(path: &Path) -> Array2<T> {
    let rows: Vec<Vec<f64>> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, column)| {
        T::from_f64(rows[row][column])
    })
}

/// What the network itself is given and gives, without the scaling around it.
fn inside<T: Element>() -> Array2<T> {
    noise(SAMPLES, INPUTS, 99)
}

fn write_cases<T: Element>(folder: &Path) {
    for (name, model, input) in cases::<T>() {
        let stem = folder.join(format!("{name}-{}", T::NAME));
        model.save(stem.with_extension("safetensors")).unwrap();
        model.export_onnx(stem.with_extension("onnx")).unwrap();
        let records = model.network().records().unwrap();
        let shapes = records.iter().enumerate().flat_map(|(index, record)| {
            let shape = move |tensor: &mfnet::checkpoint::NamedTensor<T>| {
                (format!("{index}.{}", tensor.name), tensor.values.shape().to_vec())
            };
            let counts = record.counts.iter();
            let counts = counts.map(move |(name, _)| (format!("{index}.{name}"), Vec::new()));
            record.tensors.iter().map(shape).chain(counts)
        });
        let mut case = json!({
            "precision": T::NAME,
            "task": model.schema().task.to_string(),
            "labels": model.schema().labels,
            "shapes": shapes.collect::<BTreeMap<_, _>>(),
            "input": rows(&input),
            "output": rows(&model.predict(input.view()).unwrap()),
            "network_input": rows(&inside::<T>()),
            "network_output": rows(&model.network().predict(inside::<T>().view()).unwrap()),
        });
        if let Ok(label) = model.predict_labels(input.view()) {
            case["label"] = label.into();
        }
        if let Ok(answers) = model.predict_answers(input.view()) {
            let numbers =
                |row: ndarray::ArrayView1<'_, bool>| row.iter().map(|&yes| json!(u8::from(yes))).collect();
            case["label"] = answers
                .rows()
                .into_iter()
                .map(numbers)
                .collect::<Vec<Value>>()
                .into();
        }
        if let Ok(probabilities) = model.predict_proba(input.view()) {
            case["probabilities"] = rows(&probabilities);
        }
        fs::write(stem.with_extension("json"), case.to_string()).unwrap();
    }
}

fn run(python: &OsString, script: &str, folder: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/interop")
        .join(script);
    let output = Command::new(python).arg(&script).arg(folder).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{}:\n{out}{error}", script.display());
    eprint!("{out}");
}

/// The Python of this variable; says so if there is none.
fn python(variable: &str) -> Option<OsString> {
    let python = std::env::var_os(variable);
    if python.is_none() {
        eprintln!("SKIPPED: {variable} names no Python to read model files with");
    }
    python
}

/// Loads each type that Python wrote into a network of other weights, which then has the numbers that are in the file.
fn read_types<T: Element>(folder: &Path) {
    for (name, model, _) in cases::<T>() {
        for dtype in ["F16", "BF16", "F32", "F64"] {
            let stem = format!("{name}-{}.{dtype}", T::NAME);
            let (mut network, _) = model_of(&model).into_parts();
            network
                .load_weights(folder.join(format!("{stem}.safetensors")))
                .unwrap();
            let file = fs::read(folder.join(format!("{stem}.weights.json"))).unwrap();
            let mut expected: BTreeMap<String, Vec<f64>> = serde_json::from_slice(&file).unwrap();
            for (index, record) in network.records().unwrap().iter().enumerate() {
                for tensor in &record.tensors {
                    let values = expected
                        .remove(&format!("net.{}.{}", index + 1, tensor.name))
                        .unwrap();
                    let values = values.into_iter().map(T::from_f64);
                    assert!(
                        tensor.values.iter().copied().eq(values),
                        "{stem}: {index}.{}",
                        tensor.name
                    );
                }
            }
            for (index, record) in network.records().unwrap().iter().enumerate() {
                for (name, count) in &record.counts {
                    let found = expected.remove(&format!("net.{}.{name}", index + 1));
                    assert_eq!(found, Some(vec![*count as f64]), "{stem}: {index}.{name}");
                }
            }
            assert!(expected.is_empty(), "{stem}: {expected:?}");
        }
    }
}

/// The same model, through a file.
fn model_of<T: Element>(model: &Model<T>) -> Model<T> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    model.save(&path).unwrap();
    Model::load(&path).unwrap()
}

#[test]
fn the_formats_own_libraries_agree() {
    let Some(python) = python("MFNET_PYTHON") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    write_cases::<f32>(folder.path());
    write_cases::<f64>(folder.path());
    run(&python, "check_formats.py", folder.path());
    read_types::<f32>(folder.path());
    read_types::<f64>(folder.path());
}

/// Loads what PyTorch wrote; predictions are PyTorch's.
fn read_pytorch<T: Element>(folder: &Path, tolerance: f64) {
    for (name, model, _) in cases::<T>() {
        let stem = folder.join(format!("{name}-{}", T::NAME));
        let (mut network, _) = model.into_parts();
        network
            .load_weights(stem.with_extension("torch.safetensors"))
            .unwrap();
        let found = network.predict(inside::<T>().view()).unwrap();
        let expected = matrix::<T>(&stem.with_extension("torch.json"));
        for (found, expected) in found.iter().zip(&expected) {
            let (found, expected) = (found.as_f64(), expected.as_f64());
            assert!(
                (found - expected).abs() <= tolerance * expected.abs().max(1.0),
                "{name}: {found}, not {expected}"
            );
        }
    }
}

#[test]
fn pytorch_agrees() {
    let Some(python) = python("MFNET_PYTORCH") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    write_cases::<f32>(folder.path());
    write_cases::<f64>(folder.path());
    run(&python, "check_pytorch.py", folder.path());
    read_pytorch::<f32>(folder.path(), 1e-5);
    read_pytorch::<f64>(folder.path(), 1e-10);
}
