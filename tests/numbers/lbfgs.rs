//! Training by L-BFGS: minima, threads, pieces, interruptions, and what it refuses.

use std::ops::ControlFlow::{self, Break, Continue};

use mfnet::loss::HuberLoss;
use mfnet::train::{LbfgsEnd, LbfgsOptions, LbfgsResult, fit_lbfgs};
use mfnet::{
    CrossEntropyLoss, Dataset, Error, Event, Loss, MseLoss, NeuralNetwork, Reduction, Sets, StopReason,
};
use ndarray::{Array2, array};

use crate::noise::noise;

fn quiet(_: Event<'_>) -> ControlFlow<()> {
    Continue(())
}

fn classes(samples: usize) -> Dataset<f64> {
    let labels = (0..samples as u32).map(|row| row * 7 / 3 % 3).collect();
    Dataset::classification(noise(samples, 4, 1), labels, 3).unwrap()
}

fn network(seed: u64) -> NeuralNetwork<f64> {
    let builder = NeuralNetwork::builder(4).linear(6).tanh();
    builder.linear(3).seed(seed).build().unwrap()
}

fn weights(network: &NeuralNetwork<f64>) -> Vec<Array2<f64>> {
    network.parameters().cloned().collect()
}

fn fit(data: &Dataset<f64>, options: &LbfgsOptions) -> (NeuralNetwork<f64>, LbfgsResult) {
    let mut network = network(7);
    let result = fit_lbfgs(&mut network, &CrossEntropyLoss::default(), data, options, quiet).unwrap();
    (network, result)
}

/// The least-squares fit with an L2 penalty has a closed form: (X^T X + alpha I) w = X^T y for centred columns.
#[test]
fn the_minimum_of_a_ridge_regression() {
    let inputs = array![[1.0, 2.0], [2.0, 0.5], [-1.0, 1.5], [0.0, -2.0], [-2.0, -2.0]];
    let targets = array![[1.0], [2.0], [0.5], [-1.0], [0.0]];
    let data = Dataset::regression(inputs.clone(), targets.clone()).unwrap();
    let options = LbfgsOptions::default()
        .with_l2_penalty(0.7)
        .with_gradient_tolerance(1e-11)
        .with_loss_tolerance(0.0);
    let mut network = NeuralNetwork::builder(2).linear(1).seed(7).build().unwrap();
    // Half the squares.
    let loss = HuberLoss::default().with_delta(1e30);
    let result = fit_lbfgs(&mut network, &loss, &data, &options, quiet).unwrap();
    assert!(
        matches!(result.end, LbfgsEnd::Gradient | LbfgsEnd::Step),
        "{result:?}"
    );

    // The columns of the inputs have mean 0, and the targets the mean 0.5.
    let gram = inputs.t().dot(&inputs);
    let [a, b, d] = [gram[[0, 0]] + 0.7, gram[[0, 1]], gram[[1, 1]] + 0.7];
    let right = inputs.t().dot(&targets);
    let determinant = a * d - b * b;
    let expected = [
        0.5_f64,
        (d * right[[0, 0]] - b * right[[1, 0]]) / determinant,
        (a * right[[1, 0]] - b * right[[0, 0]]) / determinant,
    ];
    let found = network.parameters().next().unwrap().row(1).to_vec();
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }
}

/// At a minimum with a penalty, the gradient of the loss is that of the penalty, from whatever weights the training began.
#[test]
fn a_convex_loss_has_one_minimum() {
    let data = classes(40);
    let options = LbfgsOptions::default()
        .with_l2_penalty(5.0)
        .with_gradient_tolerance(1e-11)
        .with_loss_tolerance(0.0);
    let minimum = |seed| {
        let mut network = NeuralNetwork::builder(4).linear(3).seed(seed).build().unwrap();
        let loss = CrossEntropyLoss::default();
        let result = fit_lbfgs(&mut network, &loss, &data, &options, quiet).unwrap();
        assert_eq!(result.history.stopped, Some(StopReason::Converged));
        let tensor = weights(&network)[0].clone();
        (result.loss, tensor.slice(ndarray::s![1.., 1..]).to_owned())
    };
    let (first, second) = (minimum(1), minimum(2));
    assert!((first.0 - second.0).abs() < 1e-12);
    assert!((first.1 - second.1).iter().all(|error| error.abs() < 1e-8));
}

#[test]
fn neither_threads_nor_pieces_change_a_training() {
    let data = classes(200);
    let options = LbfgsOptions::default().with_iterations(15).with_l2_penalty(0.1);
    let on = |threads: usize, batch_size: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let options = options.clone().with_batch_size(batch_size);
        let (network, result) = pool.install(|| fit(&data, &options));
        (weights(&network), result.loss, result.evaluations)
    };
    let alone = on(1, 64);
    assert_eq!(alone, on(3, 64), "bit for bit");
    let whole = on(1, 1000);
    assert!((alone.1 - whole.1).abs() < 1e-9 && alone.2 == whole.2);
    for (one, other) in alone.0.iter().zip(&whole.0) {
        assert!((one - other).iter().all(|error| error.abs() < 1e-6));
    }
}

#[test]
fn single_precision_ends_where_its_digits_end() {
    let inputs = noise::<f32>(60, 3, 1);
    let targets = inputs.map_axis(ndarray::Axis(1), |row| row[0] - 2.0 * row[1] + 0.5);
    let data = Dataset::regression(inputs, targets.insert_axis(ndarray::Axis(1))).unwrap();
    let mut network = NeuralNetwork::<f32>::builder(3)
        .linear(1)
        .seed(7)
        .build()
        .unwrap();
    let options = LbfgsOptions::default().with_gradient_tolerance(0.0);
    let observer = |_: Event<'_>| Continue(());
    let result = fit_lbfgs(&mut network, &MseLoss::default(), &data, &options, observer).unwrap();
    assert_eq!(
        result.history.stopped,
        Some(StopReason::Converged),
        "{:?}",
        result.end
    );
    assert!(result.loss < 1e-8, "{}", result.loss);
}

#[test]
fn the_history_has_an_iteration_in_the_place_of_an_epoch() {
    let (data, held) = (classes(50), classes(20));
    let mut network = network(7);
    let loss = CrossEntropyLoss::default();
    let sets = Sets::from(&data).with_validation(&held).with_test(&held);
    let options = LbfgsOptions::default().with_iterations(5);
    let result = fit_lbfgs(&mut network, &loss, sets, &options, quiet).unwrap();
    assert_eq!((result.end, result.history.stopped), (LbfgsEnd::Iterations, None));
    let epochs = &result.history.epochs;
    assert_eq!(
        epochs.iter().map(|record| record.epoch).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert!(
        epochs
            .windows(2)
            .all(|pair| pair[1].train_loss < pair[0].train_loss)
    );
    assert!(
        epochs
            .iter()
            .all(|record| record.validation.is_some() && record.learning_rate > 0.0)
    );
    assert_eq!(epochs.iter().filter(|record| record.test.is_some()).count(), 1);
    let evaluation = network.evaluate(&data, &loss).unwrap();
    assert!((evaluation.loss - result.loss).abs() < 1e-12);
    assert_eq!(
        epochs[4].validation,
        Some(network.evaluate(&held, &loss).unwrap())
    );
    assert!(result.evaluations > 5);
}

#[test]
fn an_interrupted_training_has_the_weights_of_its_last_iteration() {
    let data = classes(50);
    let options = LbfgsOptions::default().with_batch_size(20);
    let (three, _) = fit(&data, &options.clone().with_iterations(3));
    let stopped_at = |stop: fn(Event<'_>) -> bool| {
        let mut network = network(7);
        let observer = |event: Event<'_>| if stop(event) { Break(()) } else { Continue(()) };
        let loss = CrossEntropyLoss::default();
        let result = fit_lbfgs(&mut network, &loss, &data, &options, observer).unwrap();
        assert_eq!(
            (result.end, result.history.stopped),
            (LbfgsEnd::Observer, Some(StopReason::Observer))
        );
        (weights(&network), result.history.epochs.len())
    };
    let expected = (weights(&three), 3);
    let at_the_end = |event: Event<'_>| matches!(event, Event::Epoch(record) if record.epoch == 3);
    assert_eq!(stopped_at(at_the_end), expected);
    let within = |event: Event<'_>| {
        matches!(
            event,
            Event::Batch {
                epoch: 4,
                done: 2,
                ..
            }
        )
    };
    assert_eq!(stopped_at(within), expected);
    let at_once = |event: Event<'_>| matches!(event, Event::Batch { .. });
    assert_eq!(stopped_at(at_once), (weights(&network(7)), 0));
}

#[test]
fn frozen_layers_stay() {
    let mut network = network(7);
    network.set_trainable(..1, false).unwrap();
    let before = weights(&network);
    let options = LbfgsOptions::default().with_l2_penalty(0.1);
    let loss = CrossEntropyLoss::default();
    let result = fit_lbfgs(&mut network, &loss, &classes(50), &options, quiet).unwrap();
    let after = weights(&network);
    assert_eq!(after[0], before[0]);
    assert_ne!(after[1], before[1]);
    // The penalty is that of the layer that learns.
    let squares: f64 = after[1]
        .slice(ndarray::s![1.., 1..])
        .iter()
        .map(|weight| weight * weight)
        .sum();
    let evaluation = network.evaluate(&classes(50), &loss).unwrap();
    assert!((result.loss - evaluation.loss - 0.05 * squares / 50.0).abs() < 1e-12);
}

#[test]
fn sample_weights_count() {
    let twice = classes(30)
        .select(&(0..30).chain(0..10).collect::<Vec<_>>())
        .unwrap();
    let weights_of: Vec<f64> = (0..30).map(|row| if row < 10 { 2.0 } else { 1.0 }).collect();
    let weighted = classes(30).with_weights(&weights_of).unwrap();
    let options = LbfgsOptions::default().with_iterations(10);
    let ((one, first), (other, second)) = (fit(&twice, &options), fit(&weighted, &options));
    assert!((first.loss - second.loss).abs() < 1e-10);
    for (one, other) in one.parameters().zip(other.parameters()) {
        assert!((one - other).iter().all(|error| error.abs() < 1e-8));
    }
}

#[test]
fn unsuitable_networks_losses_and_options_are_refused() {
    let data = classes(20);
    let message = |mut network: NeuralNetwork<f64>, loss: &dyn Loss<f64>, options: &LbfgsOptions| {
        fit_lbfgs(&mut network, loss, &data, options, quiet)
            .unwrap_err()
            .to_string()
    };
    let options = LbfgsOptions::default();
    let loss = CrossEntropyLoss::default();
    let build = |add: fn(mfnet::Builder<f64>) -> mfnet::Builder<f64>| {
        add(NeuralNetwork::builder(4).linear(6))
            .linear(3)
            .build()
            .unwrap()
    };
    assert!(message(build(|builder| builder.dropout(0.5)), &loss, &options).contains("Dropout gives"));
    assert!(message(build(|builder| builder.batch_norm()), &loss, &options).contains("BatchNorm1d gives"));
    let sum = CrossEntropyLoss::default().with_reduction(Reduction::Sum);
    assert!(message(network(7), &sum, &options).contains("reduction = sum"));
    let other = NeuralNetwork::builder(5).linear(3).build().unwrap();
    assert!(message(other, &loss, &options).contains("4"));
    for odd in [
        options.clone().with_iterations(0),
        options.clone().with_evaluations(0),
        options.clone().with_batch_size(0),
        options.clone().with_gradient_tolerance(f64::NAN),
        options.clone().with_loss_tolerance(-1.0),
        options.clone().with_l2_penalty(f64::INFINITY),
    ] {
        assert!(message(network(7), &loss, &odd).contains("at least"), "{odd:?}");
    }
    let huge = Dataset::regression(array![[1e200], [-1e200]], array![[1.0], [2.0]]).unwrap();
    let mut line = NeuralNetwork::builder(1).linear(1).seed(7).build().unwrap();
    let diverged = fit_lbfgs(&mut line, &MseLoss::default(), &huge, &options, quiet);
    assert!(matches!(diverged, Err(Error::Diverged { .. })), "{diverged:?}");
    // Few evaluations, and no history: the steepest descent.
    let few = options.with_evaluations(4).with_history(0);
    let (_, result) = fit(&data, &few);
    assert_eq!(result.end, LbfgsEnd::Evaluations);
}
