//! What training reaches on real data: the report's jobs, from their seeds, against what they are known to reach.
//!
//! The data sets are looked for in `MFNET_DATA_DIR`; without it these tests say that they are skipped.

use mfnet::data::known;
use mfnet::{CrossEntropyLoss, Dataset, NeuralNetwork, Reduction, Sets, Sgd, TrainOptions};

use crate::once;
use crate::real_data::source;

/// Test accuracy after 30 epochs of the report's MNIST training.
fn mnist_accuracy(network: &mut NeuralNetwork<f32>, (train, test): (&Dataset<f32>, &Dataset<f32>)) -> f64 {
    // The report's results are those of the sum's gradient.
    let loss = CrossEntropyLoss::default().with_reduction(Reduction::Sum);
    let options = TrainOptions::default()
        .with_epochs(30)
        .with_batch_size(1024)
        .with_test_interval(30)
        .with_seed(7);
    let (sets, sgd) = (Sets::from(train).with_test(test), Sgd::new(0.001).unwrap());
    let history = once::train(network, sets, Box::new(loss), Box::new(sgd), &options).unwrap();
    let accuracy = history.test().and_then(|test| test.accuracy).unwrap();
    println!(
        "{}: {accuracy} after {:.1} s",
        network.architecture(),
        history.seconds()
    );
    accuracy
}

/// 92.2 % and 98.2 % is what the same trainings reach elsewhere.
#[test]
fn mnist() {
    let Some(source) = source("mnist") else {
        return;
    };
    let (train, test) = known::mnist::<f32>(&source, &mut |_| {}).unwrap();
    let mut linear = NeuralNetwork::builder(784).linear(10).seed(7).build().unwrap();
    let accuracy = mnist_accuracy(&mut linear, (&train, &test));
    assert!((0.92..0.93).contains(&accuracy), "linear: {accuracy}");
    let mut hidden = NeuralNetwork::builder(784)
        .linear(512)
        .relu()
        .linear(10)
        .seed(7)
        .build()
        .unwrap();
    let accuracy = mnist_accuracy(&mut hidden, (&train, &test));
    assert!((0.98..0.99).contains(&accuracy), "512 hidden units: {accuracy}");
}

/// Without hidden units a training comes near the best linear fit and not below it, with them it leaves it behind.
#[cfg(feature = "linalg")]
#[test]
fn california_housing() {
    use mfnet::baseline::{least_squares, mean_predictor};
    use mfnet::data::train_test_split;
    use mfnet::data::{Inputs, Normalization};
    use mfnet::{MseLoss, Targets};

    let Some(source) = source("california_housing") else {
        return;
    };
    let data = known::california_housing::<f64>(&source, &mut |_| {}).unwrap();
    let (train, test) = train_test_split(&data, 0.2, 7).unwrap();
    let values = |data: &Dataset<f64>| match data.targets() {
        Targets::Values(values) => values.clone(),
        Targets::Classes { .. } => unreachable!("house prices are numbers"),
    };
    // Inputs and target by the statistics of the training samples.
    let of_inputs = Normalization::of(train.to_values().view()).unwrap();
    let of_targets = Normalization::of(values(&train).view()).unwrap();
    let normalized = |data: &Dataset<f64>| {
        let inputs = of_inputs.apply(data.to_values().view()).unwrap();
        let targets = of_targets.apply(values(data).view()).unwrap();
        Dataset::new(Inputs::Values(inputs), Targets::Values(targets)).unwrap()
    };
    let (train, test) = (normalized(&train), normalized(&test));
    let loss = MseLoss::default();
    let train_error = |network: &NeuralNetwork<f64>| network.evaluate(&train, &loss).unwrap().loss;

    let naive = train_error(&mean_predictor(&train).unwrap());
    assert!(
        (naive - 1.0).abs() < 1e-9,
        "the variance of a normalised target is 1, not {naive}"
    );
    let best = least_squares(&train).unwrap();
    let options = TrainOptions::default()
        .with_epochs(500)
        .with_batch_size(1024)
        .with_test_interval(500)
        .with_seed(7);
    let trained = |mut network: NeuralNetwork<f64>| {
        let (sets, sgd) = (Sets::from(&train).with_test(&test), Sgd::new(0.001).unwrap());
        once::train(&mut network, sets, Box::new(loss), Box::new(sgd), &options).unwrap();
        network
    };
    let linear = trained(NeuralNetwork::builder(8).linear(1).seed(7).build().unwrap());
    let hidden = trained(
        NeuralNetwork::builder(8)
            .linear(512)
            .relu()
            .linear(1)
            .seed(7)
            .build()
            .unwrap(),
    );

    let test_error = |network: &NeuralNetwork<f64>| network.evaluate(&test, &loss).unwrap().loss;
    for (name, network) in [("least squares", &best), ("linear", &linear), ("hidden", &hidden)] {
        println!(
            "{name}: {:.4} train, {:.4} test",
            train_error(network),
            test_error(network)
        );
    }
    let ratio = train_error(&linear) / train_error(&best);
    assert!(
        (1.0..1.03).contains(&ratio),
        "linear: {ratio} of least squares' error"
    );
    let ratio = train_error(&hidden) / train_error(&best);
    assert!(ratio < 0.85, "512 hidden units: {ratio} of least squares' error");
    let ratio = test_error(&hidden) / test_error(&best);
    assert!(
        ratio < 0.9,
        "512 hidden units: {ratio} of least squares' error on the test set"
    );
}
