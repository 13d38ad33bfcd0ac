//! What a user gets wrong comes back as an error that says which operation, and what it was given; nothing panics.

use mfnet::baseline::mean_predictor;
use mfnet::data::train_test_split;
use mfnet::data::{Normalization, normalize_features, one_hot_decode, one_hot_encode};
use mfnet::layer::Linear;
use mfnet::loss::Loss;
use mfnet::metrics::{accuracy, confusion_matrix};
use mfnet::train::Tolerance;
use mfnet::{
    Clip, CrossEntropyLoss, DataLoader, Dataset, Error, History, MseLoss, NeuralNetwork, Reduction, Schedule,
    Sets, Sgd, Shuffle, TrainOptions, Workspace,
};
use ndarray::{Array2, array};
use std::fmt::Debug;

use crate::once::train;

/// Fails unless the result is an error whose message has all these parts.
fn assert_says<T: Debug>(result: mfnet::Result<T>, parts: &[&str]) {
    let message = result.expect_err("this is wrong").to_string();
    for part in parts {
        assert!(message.contains(part), "no {part:?} in {message:?}");
    }
}

fn network(inputs: usize, outputs: usize) -> NeuralNetwork<f64> {
    NeuralNetwork::builder(inputs)
        .linear(4)
        .tanh()
        .linear(outputs)
        .seed(1)
        .build()
        .unwrap()
}

fn regression() -> Dataset<f64> {
    Dataset::regression(
        array![[0.0, 1.0], [1.0, 0.5], [2.0, -1.0], [3.0, 0.0]],
        array![[1.0], [2.0], [4.0], [3.0]],
    )
    .unwrap()
}

fn classification() -> Dataset<f64> {
    Dataset::classification(array![[0.0, 1.0], [1.0, 0.5], [2.0, -1.0]], vec![0, 1, 2], 3).unwrap()
}

fn trained(
    network: &mut NeuralNetwork<f64>,
    data: &Dataset<f64>,
    loss: impl Loss<f64> + 'static,
    options: &TrainOptions,
) -> mfnet::Result<History> {
    let optimizer = Box::new(Sgd::new(0.01).unwrap());
    train(network, data, Box::new(loss), optimizer, options)
}

fn once() -> TrainOptions {
    TrainOptions::default().with_epochs(1)
}

#[test]
fn inputs_and_targets() {
    let inputs = array![[1.0, 2.0], [3.0, 4.0]];
    assert_says(
        Dataset::regression(inputs.clone(), Array2::zeros((3, 1))),
        &["Dataset::new", "targets of 2 samples", "targets of 3"],
    );
    assert_says(
        Dataset::classification(inputs.clone(), vec![0], 2),
        &["Dataset::new", "targets of 2 samples", "targets of 1"],
    );
    assert_says(
        Dataset::regression(Array2::<f64>::zeros((0, 2)), Array2::zeros((0, 1))),
        &["inputs", "no samples"],
    );
    assert_says(
        Dataset::regression(Array2::<f64>::zeros((2, 0)), Array2::zeros((2, 1))),
        &["inputs", "no features"],
    );
    assert_says(
        Dataset::regression(inputs.clone(), Array2::zeros((2, 0))),
        &["targets", "no outputs"],
    );
    assert_says(
        Dataset::classification(inputs.clone(), vec![0, 0], 0),
        &["targets", "no outputs"],
    );
    assert_says(
        Dataset::classification(inputs.clone(), vec![1, 7], 3),
        &["targets", "row 1", "label 7", "3 classes"],
    );
    for (bad, name) in [
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        let broken = array![[1.0, 2.0], [bad, 4.0]];
        assert_says(
            Dataset::regression(broken.clone(), Array2::zeros((2, 1))),
            &["inputs", "row 1, column 0", name],
        );
        assert_says(
            Dataset::regression(inputs.clone(), broken),
            &["targets", "row 1, column 0", name],
        );
    }
    assert_says(
        regression().select(&[0, 9]),
        &["Dataset::select", "no sample 9 among 4"],
    );
    assert_says(regression().select(&[]), &["Dataset::select", "no samples"]);
}

#[test]
fn preparation() {
    assert_says(
        normalize_features(array![[1.0, 1e300], [2.0, -1e300]].view()),
        &["features to normalise", "column 1", "beyond the range of f64"],
    );
    assert_says(
        normalize_features(array![[1.0], [f64::NAN]].view()),
        &["features to normalise", "row 1, column 0 is NaN"],
    );
    assert_says(
        normalize_features(Array2::<f64>::zeros((0, 3)).view()),
        &["features to normalise", "no samples"],
    );
    let statistics = Normalization::of(array![[1.0, 2.0], [2.0, 3.0]].view()).unwrap();
    assert_says(
        statistics.apply(array![[1.0, 2.0, 3.0]].view()),
        &["Normalization::apply", "samples x 2", "1 x 3"],
    );
    assert_says(
        mfnet::data::denormalize_features(array![[1.0]].view(), &statistics),
        &["denormalize_features", "samples x 2", "1 x 1"],
    );
    assert_says(
        train_test_split(&regression(), 1.5, 0),
        &["test fraction = 1.5", "between 0 and 1"],
    );
    assert_says(
        train_test_split(&regression(), f64::NAN, 0),
        &["test fraction = NaN"],
    );
    let single = Dataset::regression(array![[1.0]], array![[1.0]]).unwrap();
    assert_says(
        train_test_split(&single, 0.5, 0),
        &["data to split", "single sample"],
    );
    assert_says(
        one_hot_encode::<f64>(&[0, 3], 3),
        &["row 1 has label 3", "3 classes"],
    );
    assert_says(
        one_hot_decode(array![[0.0, 1.0], [0.3, 0.7]].view()),
        &["one-hot targets", "row 1 is [0.3, 0.7]"],
    );
}

#[test]
fn networks() {
    let build = NeuralNetwork::<f64>::builder;
    let layer = || Box::new(Linear::from_weights(array![[1.0, 2.0]].view(), &[0.0]).unwrap());
    assert_says(build(3).build(), &["layers = 0", "at least 1"]);
    assert_says(build(0).linear(1).build(), &["inputs of Linear = 0"]);
    assert_says(build(1).linear(0).build(), &["outputs of Linear = 0"]);
    assert_says(
        build(3).tanh().linear(1).build(),
        &["activation = tanh", "behind a layer"],
    );
    assert_says(
        build(3).linear(4).relu().layer(layer()).build(),
        &["Builder::build", "layer 1 to take 4 features", "found 2"],
    );
    assert_says(
        Linear::from_weights(array![[1.0, 2.0]].view(), &[0.0, 0.0]),
        &["Linear::from_weights", "1 biases for 1 x 2 weights", "found 2"],
    );
    assert_says(
        Linear::from_weights(array![[1.0, f64::NAN]].view(), &[0.0]),
        &["Linear::from_weights", "not a finite number"],
    );
    assert_says(
        Linear::from_weights(Array2::<f64>::zeros((0, 2)).view(), &[]),
        &["outputs of Linear = 0"],
    );
}

#[test]
fn predictions() {
    let network = network(2, 1);
    assert_says(
        network.predict(Array2::zeros((5, 3)).view()),
        &["NeuralNetwork::predict", "samples x 2 features", "5 x 3"],
    );
    let wide = Dataset::regression(Array2::zeros((5, 3)), Array2::zeros((5, 1))).unwrap();
    assert_says(
        network.predict_dataset(&wide),
        &["NeuralNetwork::predict_dataset", "samples x 2 features", "5 x 3"],
    );
    assert_says(
        network.evaluate(&wide, &MseLoss::default()),
        &["NeuralNetwork::evaluate", "samples x 2 features", "5 x 3"],
    );
    let targets = Dataset::regression(Array2::zeros((5, 2)), Array2::zeros((5, 2))).unwrap();
    assert_says(
        network.evaluate(&targets, &MseLoss::default()),
        &["NeuralNetwork::evaluate", "targets of 1 outputs", "found 2"],
    );
    assert_says(
        network.evaluate(&regression(), &CrossEntropyLoss::default()),
        &["one-hot targets", "row 1"],
    );
    // No samples are no error: there is nothing to predict.
    assert_eq!(
        network.predict(Array2::zeros((0, 2)).view()).unwrap().dim(),
        (0, 1)
    );
}

#[test]
fn metrics() {
    assert_says(accuracy(&[0], &[0, 1]), &["accuracy", "2 predictions", "found 1"]);
    assert_says(accuracy(&[], &[]), &["accuracy", "no labels"]);
    assert_says(
        confusion_matrix(&[0, 5], &[0, 1], 2),
        &["confusion_matrix", "row 1", "there are 2"],
    );
    assert_says(mean_predictor(&classification()), &["mean_predictor", "classes"]);
}

#[test]
fn options() {
    for rate in [f64::NAN, f64::INFINITY, 0.0, -0.1] {
        let value = format!("learning rate = {rate}");
        assert_says(Sgd::<f32>::new(rate), &[&value, "finite number above 0"]);
        let value = format!("clip norm = {rate}");
        let sgd = Sgd::<f32>::new(0.1).unwrap();
        assert_says(
            sgd.clone().clip(Clip::Global(rate)),
            &[&value, "finite number above 0"],
        );
        assert_says(
            sgd.clip(Clip::PerTensor(rate)),
            &[&value, "finite number above 0"],
        );
    }
    assert_says(
        DataLoader::new(&regression(), 0, Shuffle::None, 0),
        &["batch size = 0", "at least 1"],
    );
    let fails = |options: TrainOptions, parts: &[&str]| {
        let mse = MseLoss::default();
        assert_says(trained(&mut network(2, 1), &regression(), mse, &options), parts);
    };
    fails(once().with_epochs(0), &["epochs = 0", "at least 1"]);
    fails(once().with_batch_size(0), &["batch size = 0", "at least 1"]);
    fails(once().with_test_interval(0), &["test interval = 0", "at least 1"]);
    for odd in [-0.1, f64::NAN, f64::INFINITY] {
        fails(
            once().with_min_delta(odd),
            &["min delta = ", "finite number of at least 0"],
        );
        fails(
            once().with_tolerance(Tolerance::new(odd, 3)),
            &["tolerance = ", "finite number of at least 0"],
        );
        fails(
            once().with_l2_penalty(odd),
            &["L2 penalty = ", "finite number of at least 0"],
        );
    }
    fails(
        once().with_schedule(Schedule::Adaptive),
        &["schedule = adaptive", "used with a tolerance or early stopping"],
    );
}

#[test]
fn trainings() {
    let (mse, cross_entropy) = (MseLoss::default(), CrossEntropyLoss::default());
    assert_says(
        trained(&mut network(3, 1), &regression(), mse, &once()),
        &["training set", "samples x 3 features", "4 x 2"],
    );
    assert_says(
        trained(&mut network(2, 3), &regression(), mse, &once()),
        &["training set", "targets of 3 outputs", "found 1"],
    );
    assert_says(
        trained(
            &mut network(2, 2),
            &classification(),
            cross_entropy.clone(),
            &once(),
        ),
        &["training set", "targets of 2 outputs", "found 3"],
    );
    assert_says(
        trained(&mut network(2, 1), &regression(), cross_entropy.clone(), &once()),
        &["one-hot targets", "row 1", "not a single 1"],
    );

    // A batch beyond the workspace's room.
    let (data, network_of_two) = (regression(), network(2, 1));
    let loader = DataLoader::new(&data, 4, Shuffle::None, 0).unwrap();
    let batch = loader.batches().next().unwrap();
    let mut workspace = Workspace::new(&network_of_two, 3).unwrap();
    assert_says(
        network_of_two.forward_backward(&batch, &mse, &mut workspace),
        &["Workspace", "at most 3 samples", "found 4"],
    );

    // A batch that does not fit the network.
    assert_says(
        network(3, 1).forward_backward(&batch, &mse, &mut workspace),
        &["NeuralNetwork::forward_backward", "samples x 3 features", "4 x 2"],
    );
    assert_says(
        network(2, 3).forward_backward(&batch, &mse, &mut workspace),
        &[
            "NeuralNetwork::forward_backward",
            "targets of 3 outputs",
            "found 1",
        ],
    );

    // A workspace that was made for another network.
    for other in [
        network(2, 3),
        network(3, 1),
        NeuralNetwork::builder(2).linear(1).build().unwrap(),
    ] {
        let mut workspace = Workspace::new(&other, 4).unwrap();
        assert_says(
            network_of_two.forward_backward(&batch, &mse, &mut workspace),
            &[
                "NeuralNetwork::forward_backward",
                "workspace for the widths [2, 4, 1]",
                "one for [",
            ],
        );
    }
}

#[test]
fn a_test_set_that_does_not_fit_is_refused_before_a_step_is_taken() {
    let (numbers, mse) = (regression(), Box::new(MseLoss::default()));
    let wide = Dataset::regression(Array2::zeros((5, 3)), Array2::zeros((5, 1))).unwrap();
    let mut trained = network(2, 1);
    let before: Vec<Array2<f64>> = trained.parameters().cloned().collect();
    let (sets, sgd) = (
        Sets::from(&numbers).with_test(&wide),
        Box::new(Sgd::new(0.1).unwrap()),
    );
    assert_says(
        train(&mut trained, sets, mse, sgd, &once()),
        &["samples x 2 features", "5 x 3"],
    );
    assert!(
        trained.parameters().eq(&before),
        "an error after an epoch's work is an error too late"
    );
}

/// A step of a million times the gradient: the second loss is huge, and soon one is infinite.
#[test]
fn a_divergent_training() {
    let build = NeuralNetwork::<f32>::builder;
    for reduction in [Reduction::Mean, Reduction::Sum] {
        for clipped in [false, true] {
            let inputs = Array2::from_shape_fn((6, 2), |(row, column)| (row + 2 * column) as f32);
            let data = Dataset::regression(inputs, Array2::ones((6, 1))).unwrap();
            let mut network = build(2).linear(3).linear(1).seed(1).build().unwrap();
            let mut sgd = Sgd::new(1e6).unwrap();
            if clipped {
                sgd = sgd.clip(Clip::Global(1e30)).unwrap();
            }
            let options = TrainOptions::default().with_epochs(50).with_batch_size(2);
            let loss = Box::new(MseLoss::default().with_reduction(reduction));
            let error = train(&mut network, &data, loss, Box::new(sgd), &options)
                .expect_err("nothing could learn from such steps");
            let Error::Diverged { epoch, batch, loss } = &error else {
                panic!("{error}");
            };
            assert!((1..=50).contains(epoch) && (1..=3).contains(batch) && !loss.is_finite());
            assert!(
                (*epoch, *batch) > (1, 1),
                "the first loss is that of the initial weights"
            );
            let message = error.to_string();
            let place = format!("epoch {epoch}, batch {batch} is {loss}");
            assert!(
                message.contains(&place) && message.contains("learning rate"),
                "{message}"
            );
            assert!(
                network.parameters().flatten().all(|weight| weight.is_finite()),
                "{reduction:?}, clipped: {clipped}: the weights before that batch are finite"
            );
        }
    }
}
