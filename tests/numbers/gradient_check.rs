//! Every layer, activation and loss: the gradient that the fast pipeline computes is the slope of its loss.
//!
//! The slope is a difference of losses in f64, whose own error is some 1e-10 here.

use mfnet::layer::{BatchNorm1d, Context, Conv2d, Image, Layer, Linear, Window};
use mfnet::loss::Loss;
use mfnet::loss::ProbabilityCrossEntropyLoss;
use mfnet::{
    Builder, CrossEntropyLoss, DataLoader, Dataset, MseLoss, NeuralNetwork, Reduction, Sgd, Shuffle,
    Workspace,
};
use ndarray::{Array2, s};

use crate::drawn::noise;
use crate::each::{self, Takes};

/// The most that a gradient may be off: a part of itself, and a little for numbers near 0.
const RELATIVE: f64 = 1e-7;
const ABSOLUTE: f64 = 1e-9;

/// The distance of the nearer two of a difference's points from the middle.
const STEP: f64 = 1e-5;

/// Augmented weights and the name of the activation behind, layer by layer.
type Layers = Vec<(Array2<f64>, &'static str)>;
/// L'(0), by the difference of fourth order in h = [`STEP`]:
///
/// ```text
/// (8 (L(h) - L(-h)) - (L(2h) - L(-2h))) / 12 h
/// ```
///
/// Its error is h^4 / 30 times the fifth derivative, that of the central difference h^2 / 6 times the third. Batch
/// normalisation of few samples divides by a deviation d that may be small, and derivatives of order k grow as d^-k: the
/// central difference is off by more than the tolerance where d is some 0.01.
fn slope(loss: impl Fn(f64) -> f64) -> f64 {
    let difference = |step: f64| loss(step) - loss(-step);
    (8.0 * difference(STEP) - difference(2.0 * STEP)) / (12.0 * STEP)
}

fn layers(sizes: &[usize], activations: &[&'static str], seed: u64) -> Layers {
    assert_eq!(sizes.len(), activations.len() + 1);
    let layers = sizes.windows(2).zip(activations).enumerate();
    let layer = |(index, (sizes, &activation)): (usize, (&[usize], &&'static str))| {
        let mut weights = noise(sizes[1] + 1, sizes[0] + 1, 100 * seed + index as u64);
        weights.row_mut(0).fill(0.0);
        weights[[0, 0]] = 1.0;
        (weights, activation)
    };
    layers.map(layer).collect()
}

fn network(layers: &[(Array2<f64>, &'static str)]) -> NeuralNetwork<f64> {
    let mut builder = NeuralNetwork::builder(layers[0].0.ncols() - 1);
    for (weights, activation) in layers {
        let layer = Linear::from_weights(weights.slice(s![1.., 1..]), &weights.slice(s![1.., 0]).to_vec());
        builder = builder.layer(Box::new(layer.unwrap()));
        builder = builder.activation_named(activation).unwrap();
    }
    builder.build().unwrap()
}

/// The first random layers whose activations all have arguments so far from 0 that no difference reaches across a kink.
fn layers_off_the_kink(sizes: &[usize], activations: &[&'static str], inputs: &Array2<f64>) -> Layers {
    let is_off = |layers: &Layers| {
        (0..layers.len()).all(|layer| {
            let mut before = layers[..=layer].to_vec();
            before[layer].1 = "identity";
            let arguments = network(&before).predict(inputs.view()).unwrap();
            arguments.iter().all(|z| z.abs() > 100.0 * STEP)
        })
    };
    let mut drawn = (1..1000).map(|seed| layers(sizes, activations, seed));
    drawn.find(is_off).expect("few arguments are near 0")
}

/// The gradients of a network's whole batch, and the loss that they are of: the sum where the gradient is the sum's.
fn gradients(
    network: &NeuralNetwork<f64>,
    data: &Dataset<f64>,
    loss: &dyn Loss<f64>,
) -> (f64, Vec<Array2<f64>>) {
    let loader = DataLoader::new(data, data.samples(), Shuffle::None, 0).unwrap();
    let batch = loader.batches().next().unwrap();
    let mut workspace = Workspace::new(network, data.samples()).unwrap();
    let mean = network.forward_backward(&batch, loss, &mut workspace).unwrap();
    network.gradients(&mut workspace).unwrap();
    let value = match loss.reduction() {
        Reduction::Mean => mean,
        Reduction::Sum => mean * data.samples() as f64,
    };
    (value, workspace.gradients().cloned().collect())
}

/// The slopes of the loss along each weight, by central differences; 0 in the constant rows.
fn slopes(layers: &Layers, data: &Dataset<f64>, loss: &dyn Loss<f64>) -> Vec<Array2<f64>> {
    let slope_of = |layer: usize, (row, column): (usize, usize)| {
        if row == 0 {
            return 0.0;
        }
        let moved = |step: f64| {
            let mut layers = layers.clone();
            layers[layer].0[[row, column]] += step;
            gradients(&network(&layers), data, loss).0
        };
        slope(moved)
    };
    let tensor =
        |layer: usize| Array2::from_shape_fn(layers[layer].0.raw_dim(), |index| slope_of(layer, index));
    (0..layers.len()).map(tensor).collect()
}

/// The first number that is off, if any.
fn find_error(gradients: &[Array2<f64>], slopes: &[Array2<f64>]) -> Option<String> {
    assert_eq!(gradients.len(), slopes.len());
    let tensors = gradients.iter().zip(slopes).enumerate();
    tensors.into_iter().find_map(|(layer, (gradient, slope))| {
        assert_eq!(gradient.dim(), slope.dim());
        let mut pairs = gradient.indexed_iter().zip(slope);
        let off = pairs.find(|((_, gradient), slope)| {
            let close = (*gradient - *slope).abs() <= RELATIVE * slope.abs() + ABSOLUTE;
            !close
        });
        off.map(|((index, gradient), slope)| {
            format!("layer {layer}, {index:?}: gradient {gradient}, slope {slope}")
        })
    })
}

#[derive(Debug, Clone, Copy)]
enum Targets {
    Values,
    Labels,
    OneHot,
    Answers,
}

fn dataset(inputs: Array2<f64>, targets: Targets, outputs: usize) -> Dataset<f64> {
    let samples = inputs.nrows();
    let labels: Vec<u32> = (0..samples)
        .map(|sample| ((2 * sample + 1) % outputs) as u32)
        .collect();
    let data = match targets {
        Targets::Values => Dataset::regression(inputs, noise(samples, outputs, 2)),
        Targets::Answers => {
            let answers = noise::<f64>(samples, outputs, 2).mapv(|value| f64::from(value > 0.0));
            Dataset::regression(inputs, answers)
        }
        Targets::Labels => Dataset::classification(inputs, labels, outputs),
        Targets::OneHot => {
            Dataset::regression(inputs, mfnet::data::one_hot_encode(&labels, outputs).unwrap())
        }
    };
    data.unwrap()
}

/// Checks every loss that fits the output, with every kind of targets that it takes.
fn check(sizes: &[usize], activations: &[&'static str], samples: usize) {
    let outputs = sizes[sizes.len() - 1];
    let inputs = noise(samples, sizes[0], 1);
    let layers = layers_off_the_kink(sizes, activations, &inputs);
    let gives_probabilities = network(&layers).gives_probabilities();
    for (takes, loss) in each::losses::<f64>(outputs) {
        let kinds = match takes {
            Takes::Numbers => vec![Targets::Values, Targets::Labels],
            Takes::Values => vec![Targets::Values],
            Takes::Logits if !gives_probabilities => vec![Targets::Labels, Targets::OneHot],
            Takes::Probabilities if gives_probabilities => vec![Targets::Labels, Targets::OneHot],
            Takes::Answers if !gives_probabilities && activations.last() != Some(&"sigmoid") => {
                vec![Targets::Answers]
            }
            Takes::Logits | Takes::Probabilities | Takes::Answers => continue,
        };
        for targets in kinds {
            let data = dataset(inputs.clone(), targets, outputs);
            let (_, gradients) = gradients(&network(&layers), &data, &*loss);
            let slopes = slopes(&layers, &data, &*loss);
            if let Some(error) = find_error(&gradients, &slopes) {
                panic!("{sizes:?} {activations:?}, {samples} samples, {targets:?}, {loss:?}: {error}");
            }
        }
    }
}

#[test]
fn one_layer_with_each_activation() {
    for activation in each::activations() {
        for samples in [1, 2, 5] {
            check(&[3, 4], &[activation], samples);
            check(&[1, 2], &[activation], samples);
        }
    }
}

#[test]
fn a_hidden_layer_with_each_activation() {
    for activation in each::activations() {
        for samples in [1, 6] {
            check(&[3, 5, 2], &[activation, "identity"], samples);
        }
    }
}

#[test]
fn deep_chains() {
    check(&[3, 4, 5, 3], &["relu", "relu", "relu"], 4);
    check(&[2, 4, 3, 4, 2], &["sigmoid", "tanh", "relu", "identity"], 5);
    check(&[4, 3, 3, 3, 3], &["identity"; 4], 3);
    check(&[2, 1, 1, 2], &["tanh", "sigmoid", "identity"], 1);
}

/// The numbers of a layer as it is made from them: [bias | W], without the constant row.
fn parts(weights: &Array2<f64>) -> (ndarray::ArrayView2<'_, f64>, Vec<f64>) {
    (weights.slice(s![.., 1..]), weights.column(0).to_vec())
}

fn linear(weights: &Array2<f64>) -> Box<Linear<f64>> {
    let (weights, biases) = parts(weights);
    Box::new(Linear::from_weights(weights, &biases).unwrap())
}

fn batch_norm(weights: &Array2<f64>) -> Box<BatchNorm1d<f64>> {
    let (gamma, beta) = parts(weights);
    Box::new(BatchNorm1d::from_weights(&gamma.column(0).to_vec(), &beta).unwrap())
}

fn conv2d([channels, height, width]: [usize; 3], window: Window, weights: &Array2<f64>) -> Box<Conv2d<f64>> {
    let image = Image {
        channels,
        height,
        width,
    };
    let (weights, biases) = parts(weights);
    Box::new(Conv2d::from_weights(image, window, weights, &biases).unwrap())
}

/// Checks the gradients of a network with weights of these shapes, [bias | W], for a batch of `samples`: of every weight, or
/// of every third, and so on.
fn check_network(
    what: &str,
    shapes: &[(usize, usize)],
    samples: usize,
    every: usize,
    make: &dyn Fn(&[Array2<f64>]) -> Builder<f64>,
) {
    let weights = shapes.iter().zip(50..);
    let weights: Vec<Array2<f64>> = weights
        .map(|(&(rows, columns), seed)| noise(rows, columns, seed))
        .collect();
    let build = |weights: &[Array2<f64>]| make(weights).build().unwrap();
    let network = build(&weights);
    let data = dataset(
        noise(samples, network.inputs(), 1),
        Targets::Labels,
        network.outputs(),
    );
    let (logits, probabilities) = (
        CrossEntropyLoss::default(),
        ProbabilityCrossEntropyLoss::default(),
    );
    let loss: &dyn Loss<f64> = if network.gives_probabilities() {
        &probabilities
    } else {
        &logits
    };
    let (_, found) = gradients(&network, &data, loss);
    for layer in 0..weights.len() {
        let body = found[layer].slice(s![1.., ..]);
        assert_eq!(body.dim(), shapes[layer]);
        for (index, &gradient) in body.indexed_iter().step_by(every) {
            let moved = |step: f64| {
                let mut weights = weights.clone();
                weights[layer][index] += step;
                gradients(&build(&weights), &data, loss).0
            };
            let slope = slope(moved);
            assert!(
                (gradient - slope).abs() <= RELATIVE * slope.abs() + ABSOLUTE,
                "{what}, {samples} samples, layer {layer}, {index:?}: gradient {gradient}, slope {slope}"
            );
        }
    }
}

#[test]
fn batch_normalisation() {
    for samples in [2, 3, 7] {
        check_network("behind", &[(4, 4), (4, 2), (3, 5)], samples, 1, &|weights| {
            NeuralNetwork::builder(3)
                .layer(linear(&weights[0]))
                .layer(batch_norm(&weights[1]))
                .tanh()
                .layer(linear(&weights[2]))
        });
        check_network(
            "first and last",
            &[(3, 2), (4, 4), (4, 2)],
            samples,
            1,
            &|weights| {
                NeuralNetwork::builder(3)
                    .layer(batch_norm(&weights[0]))
                    .layer(linear(&weights[1]))
                    .sigmoid()
                    .layer(batch_norm(&weights[2]))
            },
        );
        check_network("alone", &[(3, 2), (3, 2)], samples, 1, &|weights| {
            let first = NeuralNetwork::builder(3).layer(batch_norm(&weights[0]));
            first.layer(batch_norm(&weights[1])).softmax()
        });
    }
}

/// More features than are worked on at a time, and more samples than a block has.
#[test]
fn batch_normalisation_over_several_blocks() {
    check_network("blocks", &[(80, 31), (80, 2), (2, 81)], 600, 397, &|weights| {
        NeuralNetwork::builder(30)
            .layer(linear(&weights[0]))
            .layer(batch_norm(&weights[1]))
            .tanh()
            .layer(linear(&weights[2]))
    });
}

#[test]
fn convolutions() {
    for samples in [1, 3] {
        let first = Window::new([3, 2]).stride([1, 2]).padding([2, 1]);
        let second = Window::new([2, 3]).stride([2, 1]).padding([0, 1]);
        check_network("conv2d", &[(3, 13), (2, 13), (2, 13)], samples, 1, &|weights| {
            NeuralNetwork::builder(2 * 4 * 5)
                .layer(conv2d([2, 4, 5], first, &weights[0]))
                .tanh()
                .layer(conv2d([3, 6, 3], Window::new([2, 2]), &weights[1]))
                .sigmoid()
                .layer(conv2d([2, 5, 2], second, &weights[2]))
                .layer(linear(&noise(2, 9, 9)))
        });
    }
    // Several blocks, and several images in a product: the last of a block are fewer.
    check_network("blocks", &[(5, 28), (3, 81)], 130, 7, &|weights| {
        NeuralNetwork::builder(3 * 4 * 4)
            .layer(conv2d(
                [3, 4, 4],
                Window::new([3, 3]).padding([1, 1]),
                &weights[0],
            ))
            .tanh()
            .layer(linear(&weights[1]))
    });
}

#[test]
fn a_batch_of_one_is_refused_where_it_has_no_variance() {
    let mut network = NeuralNetwork::<f64>::builder(3)
        .linear(2)
        .batch_norm()
        .build()
        .unwrap();
    let data = dataset(noise(1, 3, 1), Targets::Values, 2);
    let loader = DataLoader::new(&data, 1, Shuffle::None, 0).unwrap();
    let mut workspace = Workspace::new(&network, 4).unwrap();
    let batch = loader.batches().next().unwrap();
    let error = network
        .forward_backward(&batch, &MseLoss::default(), &mut workspace)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("BatchNorm1d learns from a batch as a whole"),
        "{error}"
    );
    // The workspace holds no batch, and nothing is learned from it.
    let error = network
        .apply_gradients(&mut Sgd::new(0.1).unwrap(), &mut workspace)
        .unwrap_err();
    assert!(
        error.to_string().contains("the workspace holds no batch"),
        "{error}"
    );
}

/// A block holds so many samples of a network like this that a batch of 600 makes several.
#[test]
fn several_blocks() {
    let (sizes, activations) = ([30, 60, 2], ["tanh", "identity"]);
    let inputs = noise(600, sizes[0], 1);
    let layers = layers(&sizes, &activations, 1);
    let data = dataset(inputs, Targets::Labels, sizes[2]);
    let loss = CrossEntropyLoss::default();
    let (_, gradients) = gradients(&network(&layers), &data, &loss);
    // Differences for a few weights only: each takes two passes over the batch.
    for (layer, row, column) in [
        (0, 1, 0),
        (0, 60, 30),
        (0, 17, 5),
        (1, 1, 0),
        (1, 2, 60),
        (1, 2, 33),
    ] {
        let moved = |step: f64| {
            let mut layers = layers.clone();
            layers[layer].0[[row, column]] += step;
            network(&layers).evaluate(&data, &loss).unwrap().loss
        };
        let slope = slope(moved);
        let gradient = gradients[layer][[row, column]];
        assert!(
            (gradient - slope).abs() <= RELATIVE * slope.abs() + ABSOLUTE,
            "layer {layer}, [{row}, {column}]: gradient {gradient}, slope {slope}"
        );
    }
}

/// What the checks are worth: one number of one gradient, off by a ten-thousandth of itself, is found.
#[test]
fn a_small_error_is_found() {
    let (sizes, activations) = ([3, 4, 2], ["tanh", "identity"]);
    let layers = layers(&sizes, &activations, 1);
    let data = dataset(noise(5, sizes[0], 1), Targets::Labels, sizes[2]);
    let loss = CrossEntropyLoss::default();
    let (_, right) = gradients(&network(&layers), &data, &loss);
    let slopes = slopes(&layers, &data, &loss);
    assert_eq!(find_error(&right, &slopes), None);
    for layer in 0..right.len() {
        for (index, &value) in right[layer].indexed_iter().filter(|((row, _), _)| *row > 0) {
            for wrong_value in [value * (1.0 + 1e-4), value * (1.0 - 1e-4), -value, f64::NAN] {
                let mut wrong = right.clone();
                wrong[layer][index] = wrong_value;
                let found = find_error(&wrong, &slopes);
                assert!(
                    found.is_some(),
                    "layer {layer}, {index:?}: {wrong_value} for {value}"
                );
            }
        }
    }
}

/// A layer of a user's own, written against the public trait: each feature times a weight, and no fused step.
#[derive(Debug)]
struct Scale {
    /// 2 x (features + 1): row 0 constant, row 1 the factors, column 0 unused.
    weights: [Array2<f64>; 1],
}

impl Layer<f64> for Scale {
    fn name(&self) -> &'static str {
        "Scale"
    }

    fn inputs(&self) -> usize {
        self.weights[0].ncols() - 1
    }

    fn outputs(&self) -> usize {
        self.inputs()
    }

    fn parameters(&self) -> &[Array2<f64>] {
        &self.weights
    }

    fn parameters_mut(&mut self) -> &mut [Array2<f64>] {
        &mut self.weights
    }

    fn forward(
        &self,
        input: ndarray::ArrayView2<'_, f64>,
        mut output: ndarray::ArrayViewMut2<'_, f64>,
        _context: &mut Context<'_, f64>,
    ) {
        for ((row, column), value) in output.indexed_iter_mut().filter(|((row, _), _)| *row > 0) {
            *value = self.weights[0][[1, row]] * input[[row, column]];
        }
    }

    fn backward(
        &self,
        _input: ndarray::ArrayView2<'_, f64>,
        delta: ndarray::ArrayView2<'_, f64>,
        delta_input: ndarray::ArrayViewMut2<'_, f64>,
        context: &mut Context<'_, f64>,
    ) {
        self.forward(delta, delta_input, context);
    }

    fn gradient(
        &self,
        input: ndarray::ArrayView2<'_, f64>,
        delta: ndarray::ArrayView2<'_, f64>,
        gradients: &mut [Array2<f64>],
        _context: &mut Context<'_, f64>,
    ) {
        gradients[0].fill(0.0);
        for ((row, column), value) in input.indexed_iter().filter(|((row, _), _)| *row > 0) {
            gradients[0][[1, row]] += value * delta[[row, column]];
        }
    }
}

#[test]
fn a_layer_of_a_users_own() {
    let linear = layers(&[3, 4, 2], &["tanh", "identity"], 1);
    let build = |factors: &[f64; 4]| {
        let mut weights = Array2::zeros((2, 5));
        weights[[0, 0]] = 1.0;
        weights.slice_mut(s![1, 1..]).assign(&ndarray::aview1(factors));
        let of = |weights: &Array2<f64>| {
            let biases = weights.slice(s![1.., 0]).to_vec();
            Box::new(Linear::from_weights(weights.slice(s![1.., 1..]), &biases).unwrap())
        };
        NeuralNetwork::builder(3)
            .layer(of(&linear[0].0))
            .tanh()
            .layer(Box::new(Scale { weights: [weights] }))
            .sigmoid()
            .layer(of(&linear[1].0))
            .build()
            .unwrap()
    };
    let factors = [0.5, -1.0, 2.0, 0.7];
    let data = dataset(noise(5, 3, 1), Targets::Values, 2);
    let loss = MseLoss::default();
    let mut network = build(&factors);
    let (_, gradients) = gradients(&network, &data, &loss);
    let mut slopes = gradients.clone();
    for index in 0..factors.len() {
        let moved = |step: f64| {
            let mut factors = factors;
            factors[index] += step;
            build(&factors).evaluate(&data, &loss).unwrap().loss
        };
        slopes[1][[1, index + 1]] = slope(moved);
    }
    assert_eq!(find_error(&gradients, &slopes), None);

    // It has no fused step of its own, and yet one step goes down its gradient.
    let expected: Vec<Array2<f64>> = network
        .parameters()
        .zip(&gradients)
        .map(|(weights, gradient)| weights - &(gradient * 0.5))
        .collect();
    let loader = DataLoader::new(&data, 5, Shuffle::None, 0).unwrap();
    let mut workspace = Workspace::new(&network, 5).unwrap();
    let batch = loader.batches().next().unwrap();
    network.forward_backward(&batch, &loss, &mut workspace).unwrap();
    network
        .apply_gradients(&mut Sgd::new(0.5).unwrap(), &mut workspace)
        .unwrap();
    for (weights, expected) in network.parameters().zip(&expected) {
        assert!((weights - expected).iter().all(|error| error.abs() < 1e-14));
    }
}
