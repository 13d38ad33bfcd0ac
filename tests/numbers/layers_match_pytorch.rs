//! Every layer of the fast pipeline learns as PyTorch's does: values, gradients, weights and running statistics.

use std::path::Path;

use mfnet::layer::{BatchNorm1d, Conv2d, Elu, Image, Layer, LeakyRelu, Linear, Window};
use mfnet::loss::Loss;
use mfnet::loss::ProbabilityCrossEntropyLoss;
use mfnet::{CrossEntropyLoss, DataLoader, Dataset, NeuralNetwork, Sgd, Shuffle, Workspace};
use ndarray::{Array2, s};

/// As in `tests/goldens/make_goldens.py`.
const SAMPLES: usize = 18;
const BATCH: usize = 4;
const EPOCHS: usize = 2;

/// scale * sin(step * index + phase), row by row.
fn wave(rows: usize, columns: usize, scale: f64, step: f64, phase: f64) -> Array2<f64> {
    let values = (0..rows * columns).map(|index| scale * (step * index as f64 + phase).sin());
    Array2::from_shape_vec((rows, columns), values.collect()).unwrap()
}

/// Layers whose parameters are the goldens', one after the other.
#[derive(Default)]
struct Parameters {
    taken: usize,
}

impl Parameters {
    fn next(&mut self, rows: usize, columns: usize) -> Array2<f64> {
        self.taken += 1;
        wave(rows, columns, 0.5, 0.7, (self.taken - 1) as f64)
    }

    fn linear(&mut self, inputs: usize, outputs: usize) -> Box<dyn Layer<f64>> {
        let (weights, biases) = (self.next(outputs, inputs), self.next(1, outputs));
        Box::new(Linear::from_weights(weights.view(), biases.as_slice().unwrap()).unwrap())
    }

    fn batch_norm(&mut self, features: usize) -> Box<dyn Layer<f64>> {
        let (gamma, beta) = (self.next(1, features) + 1.0, self.next(1, features));
        Box::new(BatchNorm1d::from_weights(gamma.as_slice().unwrap(), beta.as_slice().unwrap()).unwrap())
    }

    fn conv2d(&mut self, input: Image, outputs: usize, window: Window) -> Box<dyn Layer<f64>> {
        let numbers = input.channels * window.size[0] * window.size[1];
        let (weights, biases) = (self.next(outputs, numbers), self.next(1, outputs));
        let layer = Conv2d::from_weights(input, window, weights.view(), biases.as_slice().unwrap());
        Box::new(layer.unwrap())
    }
}

/// An image of channels x height x width.
fn image([channels, height, width]: [usize; 3]) -> Image {
    Image {
        channels,
        height,
        width,
    }
}

/// The golden's lines: names and numbers, in order.
fn golden(name: &str) -> Vec<(String, Vec<f64>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
    let text = std::fs::read_to_string(folder.join(name).with_extension("txt")).unwrap();
    let line = |line: &str| {
        let (key, numbers) = line.split_once(' ').unwrap();
        let numbers = numbers.split(' ').map(|number| number.parse().unwrap());
        (key.to_owned(), numbers.collect())
    };
    text.lines().map(line).collect()
}

/// The gradients by PyTorch's names: column 0 of a tensor is the bias's, the others are the weight's.
fn gradients(network: &NeuralNetwork<f64>, workspace: &Workspace<f64>) -> Vec<(String, Vec<f64>)> {
    let records = network.records().unwrap();
    let learned = records
        .iter()
        .enumerate()
        .filter(|(_, record)| !record.tensors.is_empty());
    let named = learned
        .zip(workspace.gradients())
        .flat_map(|((index, _), gradient)| {
            let weight = gradient.slice(s![1.., 1..]).iter().copied().collect();
            let bias = gradient.slice(s![1.., 0]).to_vec();
            assert!(gradient.row(0).iter().all(|&constant| constant == 0.0));
            [
                (format!("gradient.{index}.weight"), weight),
                (format!("gradient.{index}.bias"), bias),
            ]
        });
    named.collect()
}

/// Trains as the golden was trained, and compares all of it.
fn check(name: &str, mut network: NeuralNetwork<f64>, loss: &dyn Loss<f64>, rate: f64) {
    let labels = (0..SAMPLES).map(|index| ((7 * index / 3) % 3) as u32).collect();
    let inputs = wave(SAMPLES, network.inputs(), 1.5, 0.9, 0.2);
    let data = Dataset::classification(inputs.clone(), labels, 3).unwrap();
    let mut workspace = Workspace::new(&network, BATCH).unwrap();
    let mut sgd = Sgd::new(rate).unwrap();
    let (mut found, mut losses) = (Vec::new(), Vec::new());
    for epoch in 0..EPOCHS {
        let order: Vec<usize> = (0..SAMPLES)
            .map(|index| (7 * index + 5 * epoch) % SAMPLES)
            .collect();
        for batch in order.chunks(BATCH) {
            let batch = data.select(batch).unwrap();
            let loader = DataLoader::new(&batch, batch.samples(), Shuffle::None, 0).unwrap();
            let batch = loader.batches().next().unwrap();
            losses.push(network.forward_backward(&batch, loss, &mut workspace).unwrap());
            if found.is_empty() {
                network.gradients(&mut workspace).unwrap();
                found = gradients(&network, &workspace);
            }
            network.apply_gradients(&mut sgd, &mut workspace).unwrap();
        }
    }
    found.push(("losses".to_owned(), losses));
    for (index, record) in network.records().unwrap().into_iter().enumerate() {
        for tensor in record.tensors {
            found.push((
                format!("{index}.{}", tensor.name),
                tensor.values.iter().copied().collect(),
            ));
        }
        for (name, count) in record.counts {
            found.push((format!("{index}.{name}"), vec![count as f64]));
        }
    }
    let predictions = network.predict(inputs.view()).unwrap();
    found.push(("predictions".to_owned(), predictions.iter().copied().collect()));

    let golden = golden(name);
    let names = |lines: &[(String, Vec<f64>)]| lines.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&found), names(&golden), "{name}");
    for ((key, found), (_, expected)) in found.iter().zip(&golden) {
        assert_eq!(found.len(), expected.len(), "{name}: {key}");
        for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
            let close = (found - expected).abs() <= 1e-11 * expected.abs().max(1.0);
            assert!(close, "{name}: {key}, number {index}: {found}, not {expected}");
        }
    }
}

#[test]
fn batch_normalisation() {
    let mut parameters = Parameters::default();
    let network = NeuralNetwork::builder(5)
        .layer(parameters.linear(5, 7))
        .layer(parameters.batch_norm(7))
        .relu()
        .layer(parameters.linear(7, 4))
        .tanh()
        .layer(parameters.batch_norm(4))
        .layer(parameters.linear(4, 3));
    check(
        "batch_norm",
        network.build().unwrap(),
        &CrossEntropyLoss::default(),
        0.5,
    );
}

#[test]
fn batch_normalisation_as_first_and_last_layer() {
    let mut parameters = Parameters::default();
    let network = NeuralNetwork::builder(5)
        .layer(parameters.batch_norm(5))
        .layer(parameters.linear(5, 3))
        .layer(parameters.batch_norm(3));
    check(
        "batch_norm_first",
        network.build().unwrap(),
        &CrossEntropyLoss::default(),
        0.5,
    );
}

#[test]
fn softmax_and_the_cross_entropy_of_probabilities() {
    let mut parameters = Parameters::default();
    let network = NeuralNetwork::builder(5)
        .layer(parameters.linear(5, 7))
        .relu()
        .layer(parameters.linear(7, 3))
        .softmax();
    let loss = ProbabilityCrossEntropyLoss::default();
    check("softmax", network.build().unwrap(), &loss, 0.5);
}

#[test]
fn leaky_relu_and_smoothed_labels() {
    let mut parameters = Parameters::default();
    let network = NeuralNetwork::builder(5)
        .layer(parameters.linear(5, 7))
        .activation(Box::new(LeakyRelu::new(0.2).unwrap()))
        .layer(parameters.linear(7, 3))
        .activation(Box::new(LeakyRelu::default()));
    let loss = CrossEntropyLoss::default().with_label_smoothing(0.1);
    check("leaky_relu", network.build().unwrap(), &loss, 0.5);
}

#[test]
fn smooth_activations() {
    let mut parameters = Parameters::default();
    let network = NeuralNetwork::builder(5)
        .layer(parameters.linear(5, 7))
        .activation(Box::new(Elu::new(0.3).unwrap()))
        .layer(parameters.linear(7, 6))
        .gelu()
        .layer(parameters.linear(6, 5))
        .silu()
        .layer(parameters.batch_norm(5))
        .gelu()
        .layer(parameters.linear(5, 4))
        .softplus()
        .layer(parameters.linear(4, 3));
    check(
        "smooth",
        network.build().unwrap(),
        &CrossEntropyLoss::default(),
        0.5,
    );
}

#[test]
fn softmax_in_between() {
    let mut parameters = Parameters::default();
    let network = NeuralNetwork::builder(5)
        .layer(parameters.linear(5, 7))
        .softmax()
        .layer(parameters.linear(7, 3));
    check(
        "softmax_hidden",
        network.build().unwrap(),
        &CrossEntropyLoss::default(),
        0.5,
    );
}

#[test]
fn convolutions() {
    let mut parameters = Parameters::default();
    let first = Window::new([3, 2]).stride([2, 1]).padding([1, 0]);
    let second = Window::new([2, 2]).padding([1, 1]);
    let network = NeuralNetwork::builder(60)
        .layer(parameters.conv2d(image([2, 6, 5]), 3, first))
        .relu()
        .layer(parameters.conv2d(image([3, 3, 4]), 4, second))
        .tanh()
        .layer(parameters.linear(80, 3));
    check(
        "conv2d",
        network.build().unwrap(),
        &CrossEntropyLoss::default(),
        0.1,
    );
}

#[test]
fn convolutions_with_batch_normalisation() {
    let mut parameters = Parameters::default();
    let window = Window::new([3, 3]).padding([1, 1]);
    let network = NeuralNetwork::builder(48)
        .layer(parameters.conv2d(image([3, 4, 4]), 5, window))
        .relu()
        .layer(parameters.conv2d(image([5, 4, 4]), 1, window))
        .layer(parameters.batch_norm(16))
        .layer(parameters.linear(16, 3));
    check(
        "conv2d_cube",
        network.build().unwrap(),
        &CrossEntropyLoss::default(),
        0.1,
    );
}
