//! Sample weights: with every loss, a weight of 2 is a sample that is there twice, and one of 0 a sample that is left out.

use mfnet::loss::Loss;
use mfnet::{
    CrossEntropyLoss, DataLoader, Dataset, MseLoss, NeuralNetwork, Reduction, Sets, Sgd, Shuffle,
    TrainOptions, Trainer, Workspace, argmax,
};
use ndarray::Array2;

use crate::each::{self, Takes};
use crate::goldens;
use crate::noise::noise;
use crate::twins;

const SAMPLES: usize = 11;
const OUTPUTS: usize = 3;
/// Integers, so that samples can be repeated.
const WEIGHTS: [f64; SAMPLES] = [1.0, 0.0, 2.0, 1.0, 3.0, 0.0, 1.0, 1.0, 2.0, 1.0, 0.0];

fn data(takes: Takes) -> Dataset<f64> {
    let inputs = noise(SAMPLES, 4, 1);
    match takes {
        Takes::Numbers | Takes::Values => Dataset::regression(inputs, noise(SAMPLES, OUTPUTS, 2)),
        Takes::Answers => {
            let answer = |value: f64| f64::from(u8::from(value > 0.0));
            Dataset::regression(inputs, noise(SAMPLES, OUTPUTS, 2).mapv(answer))
        }
        _ => Dataset::classification(inputs, (0..SAMPLES as u32).map(|row| row % 3).collect(), OUTPUTS),
    }
    .unwrap()
}

fn network(takes: Takes) -> NeuralNetwork<f64> {
    let builder = NeuralNetwork::builder(4).linear(5).tanh().linear(OUTPUTS).seed(3);
    match takes {
        Takes::Probabilities => builder.softmax(),
        _ => builder,
    }
    .build()
    .unwrap()
}

/// The loss of all samples as one batch, its gradients, and the loss of an evaluation.
fn of_batch(data: &Dataset<f64>, takes: Takes, loss: &dyn Loss<f64>) -> (f64, Vec<Array2<f64>>, f64) {
    let network = network(takes);
    let loader = DataLoader::new(data, data.samples(), Shuffle::None, 0).unwrap();
    let batch = loader.batches().next().unwrap();
    let mut workspace = Workspace::with_shard_size(&network, data.samples(), 4).unwrap();
    let mean = network.forward_backward(&batch, loss, &mut workspace).unwrap();
    network.gradients(&mut workspace).unwrap();
    let gradients = workspace.gradients().cloned().collect();
    (mean, gradients, network.evaluate(data, loss).unwrap().loss)
}

#[test]
fn integer_weights_repeat_and_leave_out_samples() {
    let rows = WEIGHTS.iter().enumerate();
    let repeated: Vec<usize> = rows
        .flat_map(|(row, &weight)| vec![row; weight as usize])
        .collect();
    for (takes, loss) in each::losses::<f64>(OUTPUTS) {
        let data = data(takes);
        let weighted = of_batch(&data.clone().with_weights(&WEIGHTS).unwrap(), takes, &*loss);
        let expected = of_batch(&data.select(&repeated).unwrap(), takes, &*loss);
        // The gradient of the sum is that of the mean times the number of samples, which is another one.
        let factor = match loss.reduction() {
            Reduction::Mean => 1.0,
            Reduction::Sum => SAMPLES as f64 / repeated.len() as f64,
        };
        let close = |found: f64, expected: f64| (found - expected).abs() < 1e-13 * expected.abs().max(1.0);
        assert!(
            close(weighted.0, expected.0) && close(weighted.2, expected.2),
            "{loss:?}"
        );
        for (found, expected) in weighted.1.iter().zip(&expected.1) {
            let mut pairs = found.iter().zip(expected);
            assert!(
                pairs.all(|(&found, &expected)| close(found, factor * expected)),
                "{loss:?}"
            );
        }
    }
}

#[test]
fn pytorch_takes_the_same_steps() {
    for (like, name) in [
        ("cross_entropy_mean", "weighted_cross_entropy"),
        ("mse_mean", "weighted_mse"),
    ] {
        let case = goldens::cases()
            .into_iter()
            .find(|case| case.name == like)
            .unwrap();
        let case = goldens::Case { name, ..case };
        let layers = case.weights().into_iter().zip(case.activations.iter().copied());
        let plain = mfnet::plain::Network::new(layers.collect()).unwrap();
        let mut network = twins::fast_network::<f64>(&plain);
        let array = |matrix: mfnet::plain::Matrix| {
            let shape = (matrix.rows(), matrix.columns());
            Array2::from_shape_vec(shape, matrix.values().to_vec()).unwrap()
        };
        let (inputs, targets) = (array(case.inputs()), array(case.targets()));
        let samples = inputs.nrows();
        let (data, loss): (_, Box<dyn Loss<f64>>) = match like {
            "mse_mean" => (Dataset::regression(inputs, targets), Box::new(MseLoss::default())),
            _ => {
                let labels = argmax(targets.view()).unwrap();
                let loss = CrossEntropyLoss::default().with_class_weights(vec![0.5, 2.0, 1.0]);
                (Dataset::classification(inputs, labels, 3), Box::new(loss))
            }
        };
        let weights: Vec<f64> = (0..samples).map(|row| (3 * row % 5) as f64).collect();
        let data = data.unwrap().with_weights(&weights).unwrap();
        let loader = DataLoader::new(&data, samples, Shuffle::None, 0).unwrap();
        let mut workspace = Workspace::new(&network, samples).unwrap();
        let mut optimizer = Sgd::new(if like == "mse_mean" { 0.1 } else { 0.5 }).unwrap();
        let golden = case.golden();
        let mut losses = Vec::new();
        for _ in 0..golden.losses.len() {
            let batch = loader.batches().next().unwrap();
            losses.push(network.forward_backward(&batch, &*loss, &mut workspace).unwrap());
            network.apply_gradients(&mut optimizer, &mut workspace).unwrap();
        }
        goldens::assert_close(&format!("{name}: losses"), &losses, &golden.losses, 1e-11);
        for (layer, (weights, expected)) in network.parameters().zip(&golden.weights).enumerate() {
            let what = format!("{name}: weights of layer {layer}");
            goldens::assert_close(&what, &twins::rows(weights.view()), expected.values(), 1e-11);
        }
    }
}

/// Some epochs of a small training.
fn trained(train: &Dataset<f64>, validation: &Dataset<f64>, seed: u64) -> (Trainer<f64>, f64) {
    let options = TrainOptions::default()
        .with_epochs(3)
        .with_batch_size(4)
        .with_seed(seed);
    let network = network(Takes::Logits);
    let mut trainer =
        Trainer::new(network, CrossEntropyLoss::default(), Sgd::new(0.1).unwrap()).options(options);
    let history = trainer
        .fit(Sets::from(train).with_validation(validation))
        .unwrap();
    let loss = history.epochs[2].validation.unwrap().loss;
    (trainer, loss)
}

#[test]
fn trainings_and_validations_are_weighted() {
    let data = data(Takes::Logits);
    let weighted = data.clone().with_weights(&WEIGHTS).unwrap();
    let (trainer, loss) = trained(&weighted, &weighted, 1);
    assert_ne!(
        loss,
        trained(&data, &weighted, 1).1,
        "the weights change the training"
    );
    let network = trainer.into_network();
    let of = |row: usize| {
        let one = data.select(&[row]).unwrap();
        network.evaluate(&one, &CrossEntropyLoss::default()).unwrap().loss
    };
    let sum: f64 = (0..SAMPLES).map(|row| WEIGHTS[row] * of(row)).sum();
    let mean = sum / WEIGHTS.iter().sum::<f64>();
    assert!((loss - mean).abs() < 1e-13, "{loss} is not {mean}");
    // A metric counts every sample the same.
    let accuracy = |data: &Dataset<f64>| {
        network
            .evaluate(data, &CrossEntropyLoss::default())
            .unwrap()
            .accuracy
    };
    assert_eq!(accuracy(&weighted), accuracy(&data));
}

#[cfg(feature = "save")]
#[test]
fn a_checkpoint_is_resumed_with_the_same_weights_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let data = data(Takes::Logits);
    let weighted = data.clone().with_weights(&WEIGHTS).unwrap();
    trained(&weighted, &weighted, 1)
        .0
        .save_checkpoint(&path, None)
        .unwrap();
    let resumed = |data: &Dataset<f64>| {
        let options = TrainOptions::default()
            .with_epochs(4)
            .with_batch_size(4)
            .with_seed(1);
        let trainer = Trainer::new(
            network(Takes::Logits),
            CrossEntropyLoss::default(),
            Sgd::new(0.1).unwrap(),
        );
        let mut trainer = trainer.options(options);
        trainer.load_checkpoint(&path).unwrap();
        trainer
            .fit(Sets::from(data).with_validation(data))
            .map(|history| history.epochs.len())
    };
    assert_eq!(resumed(&weighted).unwrap(), 4);
    let error = resumed(&data).unwrap_err().to_string();
    assert!(error.contains("training on other data"), "{error}");
}
