//! Trainings follow scikit-learn's from the same weights and batches: losses and weights, epoch by epoch.

use std::collections::BTreeMap;
use std::ops::ControlFlow::Continue;

use mfnet::layer::Linear;
use mfnet::loss::{BinaryCrossEntropyLoss, HuberLoss};
use mfnet::optimizer::Optimizer;
use mfnet::train::{LbfgsOptions, Tolerance, fit_lbfgs};
use mfnet::{
    Adam, Builder, CrossEntropyLoss, Dataset, History, Loss, NeuralNetwork, Schedule, Sgd, Shuffle,
    StopReason, TrainOptions, Trainer,
};
use ndarray::{Array2, s};

use crate::goldens::assert_close;

const SAMPLES: usize = 18;
const ALPHA: f64 = 0.3;

/// What scikit-learn computed.
struct Golden {
    epochs: usize,
    losses: Vec<f64>,
    /// [bias, W] of each layer, row by row.
    weights: Vec<Vec<f64>>,
}

fn goldens() -> BTreeMap<String, Golden> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/goldens/scikit_learn.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let golden = |case: &str| {
        let mut lines = case.lines();
        let name = lines.next().unwrap().to_owned();
        let numbers = |line: &str| -> Vec<f64> {
            line.split(' ')
                .skip(1)
                .map(|number| number.parse().unwrap())
                .collect()
        };
        let mut next = || numbers(lines.next().unwrap());
        let golden = Golden {
            epochs: next()[0] as usize,
            losses: next(),
            weights: vec![next(), next(), next()],
        };
        (name, golden)
    };
    text.split("case ").skip(1).map(golden).collect()
}

/// scale * sin(step * index + phase), row by row.
fn wave(rows: usize, columns: usize, scale: f64, step: f64, phase: f64) -> Array2<f64> {
    Array2::from_shape_fn((rows, columns), |(row, column)| {
        scale * (step * (row * columns + column) as f64 + phase).sin()
    })
}

/// The samples of a task and the loss to train with.
fn task(name: &str) -> (Dataset<f64>, Box<dyn Loss<f64>>) {
    let inputs = wave(SAMPLES, 5, 1.5, 0.9, 0.2);
    let numbers = wave(SAMPLES, 1, 1.0, 0.5, 1.0);
    match name {
        "classes" => {
            let labels = (0..SAMPLES as u32).map(|index| (7 * index / 3) % 3).collect();
            let data = Dataset::classification(inputs, labels, 3).unwrap();
            (data, Box::new(CrossEntropyLoss::default()))
        }
        "answers" => {
            let answers = numbers.mapv(|number| f64::from(number > 0.3));
            let data = Dataset::regression(inputs, answers).unwrap();
            (data, Box::new(BinaryCrossEntropyLoss::default()))
        }
        _ => {
            // Beyond all errors, half the square counts, as in scikit-learn.
            let data = Dataset::regression(inputs, numbers).unwrap();
            (data, Box::new(HuberLoss::default().with_delta(1e30)))
        }
    }
}

/// The network 5-4-3-outputs, whose weights [bias, W] are waves.
fn network(activation: &str, outputs: usize) -> NeuralNetwork<f64> {
    let layer = |inputs: usize, outputs: usize, index: u32| {
        let weights = wave(outputs, inputs + 1, 0.8, 0.7, f64::from(index));
        let biases = weights.column(0).to_vec();
        Box::new(Linear::from_weights(weights.slice(s![.., 1..]), &biases).unwrap())
    };
    let hidden = |builder: Builder<f64>, layer| builder.layer(layer).activation_named(activation).unwrap();
    let builder = hidden(NeuralNetwork::builder(5), layer(5, 4, 1));
    let builder = hidden(builder, layer(4, 3, 2));
    builder.layer(layer(3, outputs, 3)).build().unwrap()
}

fn optimizer(solver: &str) -> Box<dyn Optimizer<f64>> {
    let sgd = || Sgd::new(0.05).unwrap();
    let swift = || sgd().momentum(0.9).unwrap().velocities_are_steps(true);
    match solver {
        "sgd" => Box::new(sgd()),
        "momentum" => Box::new(swift()),
        "nesterov" => Box::new(swift().nesterov(true)),
        _ => Box::new(Adam::new(0.01).unwrap().uncorrected_epsilon(true)),
    }
}

fn options() -> TrainOptions {
    TrainOptions::default()
        .with_epochs(20)
        .with_batch_size(4)
        .with_shuffle(Shuffle::None)
        .with_l2_penalty(ALPHA)
}

fn check(name: &str, golden: &Golden, history: &History, network: &NeuralNetwork<f64>) {
    assert_eq!(history.epochs.len(), golden.epochs, "{name}");
    let losses: Vec<f64> = history
        .epochs
        .iter()
        .map(|record| record.loss_per_sample())
        .collect();
    assert_close(name, &losses, &golden.losses, 1e-10);
    check_weights(name, golden, network);
}

fn check_weights(name: &str, golden: &Golden, network: &NeuralNetwork<f64>) {
    for (tensor, expected) in network.parameters().zip(&golden.weights) {
        let found: Vec<f64> = tensor.slice(s![1.., ..]).iter().copied().collect();
        assert_close(name, &found, expected, 1e-9);
    }
}

fn fit(name: &str, data: &Dataset<f64>, trainer: &mut Trainer<f64>, golden: &Golden) {
    trainer.fit(data).unwrap();
    check(name, golden, trainer.history(), trainer.network());
}

#[test]
fn steps_with_an_l2_penalty() {
    let goldens = goldens();
    let mut tried = 0;
    for (name, golden) in &goldens {
        let [of, activation, solver] = name.split(' ').collect::<Vec<_>>()[..] else {
            continue;
        };
        let (data, loss) = task(of);
        let activation = if activation == "logistic" {
            "sigmoid"
        } else {
            activation
        };
        let network = network(activation, data.outputs());
        let trainer = Trainer::from_parts(network, loss, optimizer(solver));
        fit(name, &data, &mut trainer.options(options()), golden);
        tried += 1;
    }
    assert_eq!(tried, 21);
}

#[test]
fn schedules_and_tolerance() {
    let goldens = goldens();
    let (data, _) = task("numbers");
    let stops = options()
        .with_epochs(2000)
        .with_tolerance(Tolerance::new(1e-3, 3));
    let inverse = Schedule::InverseScaling { power: 0.3 };
    for (name, options) in [
        ("inverse scaling", options().with_schedule(inverse)),
        ("tolerance", stops.clone()),
        ("adaptive", stops.with_schedule(Schedule::Adaptive)),
    ] {
        let (_, loss) = task("numbers");
        let trainer = Trainer::from_parts(network("tanh", 1), loss, optimizer("nesterov"));
        let mut trainer = trainer.options(options);
        fit(name, &data, &mut trainer, &goldens[name]);
        let stopped = (name != "inverse scaling").then_some(StopReason::Converged);
        assert_eq!(trainer.history().stopped, stopped, "{name}");
    }
}

#[test]
fn iterations_of_lbfgs() {
    let goldens = goldens();
    let mut tried = 0;
    for (name, golden) in &goldens {
        let [of, activation, "lbfgs", iterations] = name.split(' ').collect::<Vec<_>>()[..] else {
            continue;
        };
        let (data, loss) = task(of);
        let mut network = network(activation, data.outputs());
        let options = LbfgsOptions::default()
            .with_iterations(iterations.parse().unwrap())
            .with_gradient_tolerance(1e-12)
            .with_l2_penalty(ALPHA);
        let result = fit_lbfgs(&mut network, &*loss, &data, &options, |_| Continue(())).unwrap();
        assert_eq!(result.history.epochs.len(), golden.epochs, "{name}");
        assert_close(name, &[result.loss], &golden.losses, 1e-10);
        check_weights(name, golden, &network);
        tried += 1;
    }
    assert_eq!(tried, 6);
}

/// Rounding parts the ways of long trainings; the losses at their ends are alike. With a smaller penalty, scikit-learn's own
/// end depends on the last digits of the first weights.
#[test]
fn long_trainings_by_lbfgs_end_as_low() {
    let goldens = goldens();
    for (of, outputs) in [("classes", 3), ("numbers", 1)] {
        let (data, loss) = task(of);
        let mut network = network("tanh", outputs);
        let options = LbfgsOptions::default()
            .with_iterations(2000)
            .with_gradient_tolerance(1e-6)
            .with_l2_penalty(0.1);
        let result = fit_lbfgs(&mut network, &*loss, &data, &options, |_| Continue(())).unwrap();
        let expected = goldens[&format!("long {of}")].losses[0];
        assert!(
            result.loss < expected + 1e-5,
            "{of}: {} and {expected}",
            result.loss
        );
    }
}
