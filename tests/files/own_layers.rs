//! A user's own layers and activations in files: saved, loaded, exported and resumed with a registry that knows them, and
//! refused before anything is written by one that does not.

use std::fs;
use std::ops::ControlFlow::{Break, Continue};
use std::path::Path;

use mfnet::checkpoint::{
    Attribute, FeatureLayout, FileActivation, FileKind, FileLayer, Operator, Record, Registry, SavedLayer,
    contents_of,
};
use mfnet::data::Schema;
use mfnet::layer::{Activation, Context, Layer, Window};
use mfnet::{Adam, Dataset, Error, Event, Model, MseLoss, NeuralNetwork, Result, TrainOptions, Trainer};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, array, s};

use crate::header::edited;
use crate::noise::noise;

/// a = f z, with a factor f for each feature that is learned.
#[derive(Debug)]
struct Scale {
    /// 2 x (features + 1): row 0 constant, row 1 the factors, column 0 unused.
    weights: [Array2<f32>; 1],
}

impl Scale {
    fn new(factors: &[f32]) -> Self {
        let mut weights = Array2::zeros((2, factors.len() + 1));
        weights[[0, 0]] = 1.0;
        weights.slice_mut(s![1, 1..]).assign(&ndarray::aview1(factors));
        Scale { weights: [weights] }
    }
}

impl Layer<f32> for Scale {
    fn name(&self) -> &'static str {
        "Scale"
    }

    fn inputs(&self) -> usize {
        self.weights[0].ncols() - 1
    }

    fn outputs(&self) -> usize {
        self.inputs()
    }

    fn parameters(&self) -> &[Array2<f32>] {
        &self.weights
    }

    fn parameters_mut(&mut self) -> &mut [Array2<f32>] {
        &mut self.weights
    }

    fn forward(
        &self,
        input: ArrayView2<'_, f32>,
        mut output: ArrayViewMut2<'_, f32>,
        _: &mut Context<'_, f32>,
    ) {
        for ((row, column), value) in output.indexed_iter_mut().filter(|((row, _), _)| *row > 0) {
            *value = self.weights[0][[1, row]] * input[[row, column]];
        }
    }

    fn backward(
        &self,
        _: ArrayView2<'_, f32>,
        delta: ArrayView2<'_, f32>,
        delta_input: ArrayViewMut2<'_, f32>,
        context: &mut Context<'_, f32>,
    ) {
        self.forward(delta, delta_input, context);
    }

    fn gradient(
        &self,
        input: ArrayView2<'_, f32>,
        delta: ArrayView2<'_, f32>,
        gradients: &mut [Array2<f32>],
        _: &mut Context<'_, f32>,
    ) {
        gradients[0].fill(0.0);
        for ((row, column), value) in input.indexed_iter().filter(|((row, _), _)| *row > 0) {
            gradients[0][[1, row]] += value * delta[[row, column]];
        }
    }
}

impl FileLayer<f32> for Scale {
    const KIND: &'static str = "Scale";

    fn record(&self) -> Record<f32> {
        let factors = self.weights[0].slice(s![1, 1..]).to_owned().into_dyn();
        let record = Record::new().number("features", self.inputs() as f64);
        record
            .tensor("factors", factors)
            .operator(Operator::new("Mul").tensor("factors"))
    }

    fn from_record(saved: &mut SavedLayer<'_, f32>) -> Result<Self> {
        let factors = saved.tensor("factors", &[saved.size("features")?])?;
        let factors: Vec<f32> = factors.into_iter().collect();
        if factors.contains(&0.0) {
            let what = "factors".to_owned();
            let problem = "a factor of 0".to_owned();
            return Err(Error::InvalidData { what, problem });
        }
        Ok(Scale::new(&factors))
    }

    fn feature_layout(&self) -> FeatureLayout {
        FeatureLayout::Any
    }
}

/// a = z above 0, and slope z below.
#[derive(Debug)]
struct LeakyRelu {
    slope: f32,
}

impl Activation<f32> for LeakyRelu {
    fn name(&self) -> &'static str {
        "leaky ReLU"
    }

    fn forward(&self, mut values: ArrayViewMut2<'_, f32>) {
        values.mapv_inplace(|z| if z < 0.0 { self.slope * z } else { z });
    }

    fn backward(&self, output: ArrayView2<'_, f32>, mut delta: ArrayViewMut2<'_, f32>) {
        delta.zip_mut_with(&output, |delta, &a| {
            if a < 0.0 {
                *delta *= self.slope;
            }
        });
    }
}

impl FileActivation<f32> for LeakyRelu {
    const KIND: &'static str = "OwnLeakyReLU";

    fn record(&self) -> Record<f32> {
        let leaky = Operator::new("LeakyRelu").attribute("alpha", Attribute::Float(self.slope));
        Record::new()
            .number("negative_slope", self.slope.into())
            .operator(leaky)
    }

    fn from_record(saved: &mut SavedLayer<'_, f32>) -> Result<Self> {
        let slope = saved.number("negative_slope")? as f32;
        Ok(LeakyRelu { slope })
    }
}

fn registry() -> Registry<f32> {
    let registry = Registry::new().layer::<Scale>().unwrap();
    registry.activation::<LeakyRelu>().unwrap()
}

/// A network with both, among images.
fn network(seed: u64) -> NeuralNetwork<f32> {
    NeuralNetwork::builder(6)
        .image(1, 2, 3)
        .conv2d(2, Window::new([1, 2]))
        .activation(Box::new(LeakyRelu { slope: 0.125 }))
        .layer(Box::new(Scale::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])))
        .image(2, 2, 2)
        .conv2d(2, Window::new([2, 2]))
        .tanh()
        .linear(2)
        .seed(seed)
        .build()
        .unwrap()
}

fn data() -> Dataset<f32> {
    Dataset::regression(noise(20, 6, 1), noise(20, 2, 2)).unwrap()
}

fn message<T>(outcome: Result<T>) -> String {
    outcome.err().expect("it is refused").to_string()
}

#[test]
fn they_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let (registry, network) = (registry(), network(7));
    let kinds: Vec<&str> = (network.records_with(&registry).unwrap().iter())
        .map(|record| record.kind)
        .collect();
    let expected = [
        "Unflatten",
        "Conv2d",
        "OwnLeakyReLU",
        "Scale",
        "Conv2d",
        "Tanh",
        "Flatten",
        "Linear",
    ];
    assert_eq!(kinds, expected, "the images go through both");

    network.save_with(&path, &registry).unwrap();
    let same = NeuralNetwork::load_with(&path, &registry).unwrap();
    assert_eq!(
        same.records_with(&registry).unwrap(),
        network.records_with(&registry).unwrap()
    );
    let design = noise(5, 6, 3);
    let predicted = network.predict(design.view()).unwrap();
    assert_eq!(same.predict(design.view()).unwrap(), predicted);
    let mut other = self::network(8);
    other.load_weights_with(&path, &registry).unwrap();
    assert_eq!(other.predict(design.view()).unwrap(), predicted);

    let model = Model::new(network, Schema::of(&data())).unwrap();
    model.save_with(&path, &registry).unwrap();
    let same = Model::load_with(&path, &registry).unwrap();
    assert_eq!(same.predict(design.view()).unwrap(), predicted);
    let onnx = folder.path().join("x.onnx");
    model.export_onnx_with(&onnx, &registry).unwrap();
    let onnx = fs::read(&onnx).unwrap();
    let holds = |text: &[u8]| onnx.windows(text.len()).any(|window| window == text);
    assert!(holds(b"LeakyRelu") && holds(b"3.factors") && holds(b"Mul"));
}

#[test]
fn they_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let only_layers = Registry::new().layer::<Scale>().unwrap();
    let trainer = Trainer::new(network(7), MseLoss::default(), Adam::new(0.01).unwrap());
    let model = Model::new(network(7), Schema::of(&data())).unwrap();
    for outcome in [
        network(7).save(&path),
        network(7).save_with(&path, &only_layers),
        model.save(&path),
        model.export_onnx(&path),
        trainer.save_checkpoint(&path, None),
        network(7).records().map(drop),
    ] {
        let error = message(outcome);
        assert!(
            error.starts_with("leaky ReLU: the registry does not know this activation"),
            "{error}"
        );
        assert!(
            error.contains("implement `checkpoint::FileActivation`"),
            "{error}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    network(7).save_with(&path, &registry()).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(trainer.save_checkpoint(&path, None).is_err());
    assert_eq!(fs::read(&path).unwrap(), before, "what was there stays");
    let error = message(NeuralNetwork::<f32>::load(&path));
    assert!(
        error.contains("layer 2: layer: \"OwnLeakyReLU\" is not known; known are Linear"),
        "{error}"
    );
    let error = message(NeuralNetwork::load_with(&path, &only_layers));
    assert!(
        error.contains("\"OwnLeakyReLU\" is not known") && error.contains("Scale"),
        "{error}"
    );
    assert!(network(7).load_weights(&path).is_err());
}

/// A training with a layer of a user's own, which is kept with its optimizer's averages and the best weights.
#[test]
fn a_training_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let (registry, data) = (registry(), data());
    let trainer = || {
        let options = TrainOptions::default()
            .with_epochs(6)
            .with_batch_size(8)
            .with_early_stopping(20);
        Trainer::new(network(7), MseLoss::default(), Adam::new(0.01).unwrap()).options(options)
    };
    let mut interrupted = trainer();
    let mut batches = 0;
    let in_the_third_epoch = |_: Event<'_>| {
        batches += 1;
        if batches < 9 { Continue(()) } else { Break(()) }
    };
    interrupted.fit_with(&data, in_the_third_epoch).unwrap();
    interrupted.save_checkpoint_with(&path, None, &registry).unwrap();
    assert!(matches!(
        contents_of(&path).unwrap().kind,
        FileKind::Checkpoint { epochs: 2, .. }
    ));

    let mut resumed = trainer();
    assert!(resumed.load_checkpoint(&path).is_err(), "without the registry");
    resumed.load_checkpoint_with(&path, &registry).unwrap();
    resumed.fit(&data).unwrap();
    let mut whole = trainer();
    whole.fit(&data).unwrap();
    assert!(resumed.network().parameters().eq(whole.network().parameters()));

    // Another run of the same layers with other options is another training.
    let mut other = Trainer::new(
        NeuralNetwork::builder(6).linear(2).build().unwrap(),
        MseLoss::default(),
        Adam::new(0.01).unwrap(),
    );
    let error = message(other.load_checkpoint_with(&path, &registry));
    assert!(
        error.contains("the checkpoint is of another network: layer 0 is Unflatten"),
        "{error}"
    );
}

/// The bytes of a saved network with another first number in a tensor.
fn with_number(path: &Path, tensor: &str, number: f32) {
    let mut content = fs::read(path).unwrap();
    let start = 8 + u64::from_le_bytes(content[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&content[8..start]).unwrap();
    let offset = header[tensor]["data_offsets"][0].as_u64().expect(tensor) as usize;
    content[start + offset..][..4].copy_from_slice(&number.to_le_bytes());
    fs::write(path, content).unwrap();
}

#[test]
fn weights_are_loaded_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let registry = registry();
    let normed = |seed| {
        let builder = NeuralNetwork::<f32>::builder(3).linear(4).relu().batch_norm();
        builder.seed(seed).build().unwrap()
    };
    let scaled = |seed| {
        let builder = NeuralNetwork::<f32>::builder(3).linear(4).batch_norm();
        let scale = Scale::new(&[seed as f32; 4]);
        builder.layer(Box::new(scale)).seed(seed).build().unwrap()
    };
    type Make<'a> = &'a dyn Fn(u64) -> NeuralNetwork<f32>;
    for (make, tensor, number, part) in [
        (&normed as Make<'_>, "2.running_var", -1.0, "-1 is no variance"),
        (&normed, "2.running_var", f32::NAN, "is not finite"),
        (&scaled, "2.factors", 0.0, "layer 2: factors: a factor of 0"),
    ] {
        make(8).save_with(&path, &registry).unwrap();
        with_number(&path, tensor, number);
        let mut network = make(7);
        let before = network.records_with(&registry).unwrap();
        for _ in 0..2 {
            let error = message(network.load_weights_with(&path, &registry));
            assert!(error.contains(part), "{error}");
            assert_eq!(
                network.records_with(&registry).unwrap(),
                before,
                "none of it was taken"
            );
        }
        // The same file without the fault is taken as a whole.
        make(8).save_with(&path, &registry).unwrap();
        network.load_weights_with(&path, &registry).unwrap();
        let taken = network.records_with(&registry).unwrap();
        assert_eq!(taken, make(8).records_with(&registry).unwrap());
    }
}

/// An activation that nobody has put in ONNX's words.
#[derive(Debug)]
struct Cube;

impl Activation<f32> for Cube {
    fn name(&self) -> &'static str {
        "cube"
    }

    fn forward(&self, mut values: ArrayViewMut2<'_, f32>) {
        values.mapv_inplace(|z| z * z * z);
    }

    fn backward(&self, output: ArrayView2<'_, f32>, mut delta: ArrayViewMut2<'_, f32>) {
        delta.zip_mut_with(&output, |delta, &a| *delta *= 3.0 * a.cbrt() * a.cbrt());
    }
}

impl FileActivation<f32> for Cube {
    const KIND: &'static str = "Cube";

    fn record(&self) -> Record<f32> {
        Record::new()
    }

    fn from_record(_: &mut SavedLayer<'_, f32>) -> Result<Self> {
        Ok(Cube)
    }
}

#[test]
fn what_onnx_has_no_operators_for_is_not_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (path, onnx) = (folder.path().join("x.safetensors"), folder.path().join("x.onnx"));
    let registry = Registry::new().activation::<Cube>().unwrap();
    let network = NeuralNetwork::builder(6)
        .linear(2)
        .activation(Box::new(Cube))
        .dropout(0.5);
    let model = Model::new(network.build().unwrap(), Schema::of(&data())).unwrap();
    model.save_with(&path, &registry).unwrap();
    Model::load_with(&path, &registry).unwrap();
    let error = message(model.export_onnx_with(&onnx, &registry));
    assert_eq!(
        error,
        "layer 1, Cube: its record has no ONNX operators, so that it cannot be exported"
    );
    assert!(!onnx.exists());
}

/// A layer whose record says less, or other things, than it takes to make it.
#[derive(Debug)]
struct Odd {
    record: fn() -> Record<f32>,
}

impl Layer<f32> for Odd {
    fn name(&self) -> &'static str {
        "Odd"
    }

    fn inputs(&self) -> usize {
        2
    }

    fn outputs(&self) -> usize {
        2
    }

    fn forward(
        &self,
        input: ArrayView2<'_, f32>,
        mut output: ArrayViewMut2<'_, f32>,
        _: &mut Context<'_, f32>,
    ) {
        output.assign(&input);
    }

    fn backward(
        &self,
        _: ArrayView2<'_, f32>,
        delta: ArrayView2<'_, f32>,
        mut delta_input: ArrayViewMut2<'_, f32>,
        _: &mut Context<'_, f32>,
    ) {
        delta_input.assign(&delta);
    }
}

impl FileLayer<f32> for Odd {
    const KIND: &'static str = "Odd";

    fn record(&self) -> Record<f32> {
        (self.record)()
    }

    fn from_record(saved: &mut SavedLayer<'_, f32>) -> Result<Self> {
        saved.tensor("weight", &[1])?;
        Ok(Odd {
            record: || Record::new().tensor("weight", array![1.0].into_dyn()),
        })
    }
}

#[test]
fn odd_records_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, onnx) = (folder.path().join("x.safetensors"), folder.path().join("x.onnx"));
    let registry = Registry::new().layer::<Odd>().unwrap();
    let network = |record| {
        let odd = Box::new(Odd { record });
        NeuralNetwork::builder(2).layer(odd).linear(2).build().unwrap()
    };
    for (record, part) in [
        (
            (|| Record::new().number("x", f64::NAN)) as fn() -> Record<f32>,
            "the record of Odd: the option x is NaN",
        ),
        (
            || Record::new().tensor("a.b", array![1.0].into_dyn()),
            "the record of Odd: `a.b` is no name",
        ),
        (
            || Record::new().tensor("a", array![f32::NAN].into_dyn()),
            "tensor `0.a`: it holds NaN",
        ),
    ] {
        let error = message(network(record).save_with(&path, &registry));
        assert!(error.contains(part) && !path.exists(), "{error}");
    }
    // A tensor that is asked for and not there, and one that is there and not asked for.
    let less: fn() -> Record<f32> = Record::new;
    let more: fn() -> Record<f32> = || {
        let weight = Record::new().tensor("weight", array![1.0].into_dyn());
        weight
            .tensor("more", array![1.0].into_dyn())
            .operator(Operator::new("Mul").tensor("less"))
    };
    for (record, part) in [
        (less, "there is no tensor `0.weight`"),
        (more, "tensor `0.more` belongs to none"),
    ] {
        network(record).save_with(&path, &registry).unwrap();
        let error = message(NeuralNetwork::load_with(&path, &registry));
        assert!(error.contains(part), "{error}");
    }
    let two = Dataset::regression(noise(3, 2, 1), noise(3, 2, 2)).unwrap();
    let model = Model::new(network(more), Schema::of(&two)).unwrap();
    let error = message(model.export_onnx_with(&onnx, &registry));
    assert!(
        error.contains("layer 0, Odd: Mul reads the tensor `less`"),
        "{error}"
    );
    assert!(!onnx.exists());

    // A layer that the file gives other features than the ones before it.
    network(|| Record::new().tensor("weight", array![1.0].into_dyn()))
        .save_with(&path, &registry)
        .unwrap();
    let wider = edited(&fs::read(&path).unwrap(), |header| {
        header.replacen(r#"\"inputs\":2"#, r#"\"inputs\":3"#, 1)
    });
    fs::write(&path, wider).unwrap();
    let error = message(NeuralNetwork::load_with(&path, &registry));
    assert!(
        error.contains("layer 0: it takes 2 features, and gets 3"),
        "{error}"
    );
}

#[test]
fn what_could_not_be_loaded_is_not_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let weightless = NeuralNetwork::<f32>::builder(2).dropout(0.5).build().unwrap();
    let error = message(weightless.save(&path));
    assert!(
        error.starts_with("the network: none of its layers has weights"),
        "{error}"
    );
    let many = (0..4097).fold(NeuralNetwork::<f32>::builder(1), |builder, _| builder.linear(1));
    let error = message(many.build().unwrap().save(&path));
    assert!(
        error.contains("4097 layers and activations, and a file describes 4096"),
        "{error}"
    );
    assert!(!path.exists());
}
