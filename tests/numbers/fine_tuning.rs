//! Frozen layers stay as they are, and the others learn as if the frozen ones were part of the data.

use mfnet::layer::{Context, Layer, Linear};
use mfnet::optimizer::Optimizer;
use mfnet::{Adam, Clip, DataLoader, Dataset, MseLoss, NeuralNetwork, Sgd, Shuffle, Workspace};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, array};

use crate::noise::noise;

fn network() -> NeuralNetwork<f64> {
    let first = NeuralNetwork::builder(5).linear(40).batch_norm().tanh();
    first.linear(60).sigmoid().linear(2).seed(7).build().unwrap()
}

fn optimizers() -> [Box<dyn Optimizer<f64>>; 3] {
    [
        Box::new(Sgd::new(0.1).unwrap()),
        Box::new(
            Sgd::new(0.1)
                .unwrap()
                .weight_decay(0.1)
                .unwrap()
                .clip(Clip::Global(0.1))
                .unwrap(),
        ),
        Box::new(Adam::adamw(0.01).unwrap()),
    ]
}

/// Two epochs of batches of 100, the last of each being shorter.
fn train(network: &mut NeuralNetwork<f64>, data: &Dataset<f64>, optimizer: &mut dyn Optimizer<f64>) {
    let mut loader = DataLoader::new(data, 100, Shuffle::Samples, 7).unwrap();
    let mut workspace = Workspace::new(network, 100).unwrap();
    for epoch in 1..=2 {
        loader.start_epoch(epoch);
        for batch in loader.batches() {
            network
                .forward_backward(&batch, &MseLoss::default(), &mut workspace)
                .unwrap();
            network.apply_gradients(optimizer, &mut workspace).unwrap();
        }
    }
}

fn tensors(layer: &dyn Layer<f64>) -> Vec<Array2<f64>> {
    layer
        .parameters()
        .iter()
        .chain(layer.buffers())
        .cloned()
        .collect()
}

#[test]
fn frozen_layers_stay_and_the_others_learn() {
    let data = Dataset::regression(noise(250, 5, 1), noise(250, 2, 2)).unwrap();
    for index in 0..optimizers().len() {
        for frozen in [vec![0], vec![0, 1], vec![1, 2], vec![3], vec![0, 1, 2, 3]] {
            let mut optimizer = optimizers().into_iter().nth(index).unwrap();
            let (before, mut after) = (network(), network());
            for &layer in &frozen {
                after.set_trainable(layer..=layer, false).unwrap();
            }
            train(&mut after, &data, &mut *optimizer);
            for (index, (before, after)) in before.layers().zip(after.layers()).enumerate() {
                let stays = tensors(before) == tensors(after);
                assert_eq!(
                    stays,
                    frozen.contains(&index),
                    "{}, {frozen:?}: layer {index}",
                    optimizer.name()
                );
            }
        }
    }
}

/// The layers above learn from what the frozen ones make of the samples.
#[test]
fn a_frozen_layer_is_part_of_the_data() {
    let (inputs, targets) = (noise(250, 5, 1), noise(250, 2, 2));
    let weights: Array2<f64> = noise(40, 5, 3);
    let frozen = || Box::new(Linear::from_weights(weights.view(), &[0.1; 40]).unwrap());
    let head = || Box::new(Linear::from_weights(noise::<f64>(2, 40, 4).view(), &[0.0; 2]).unwrap());
    let first = NeuralNetwork::builder(5).layer(frozen()).tanh().build().unwrap();
    let features = Dataset::regression(first.predict(inputs.view()).unwrap(), targets.clone()).unwrap();
    let data = Dataset::regression(inputs, targets).unwrap();
    for index in 0..optimizers().len() {
        let [mut optimizer, mut other] = [0, 1].map(|_| optimizers().into_iter().nth(index).unwrap());
        let mut whole = NeuralNetwork::builder(5)
            .layer(frozen())
            .tanh()
            .layer(head())
            .build()
            .unwrap();
        whole.set_trainable(..1, false).unwrap();
        train(&mut whole, &data, &mut *optimizer);
        let mut part = NeuralNetwork::builder(40).layer(head()).build().unwrap();
        train(&mut part, &features, &mut *other);
        let [found, expected] =
            [&whole, &part].map(|network| network.layers().last().unwrap().parameters()[0].clone());
        let error = (&found - &expected)
            .iter()
            .fold(0.0_f64, |most, error| most.max(error.abs()));
        assert!(error < 1e-13, "{}: off by {error}", optimizer.name());
    }
}

#[test]
fn impossible_ranges_and_layers_are_refused() {
    let mut network = network();
    for range in [3..5, 5..6, 4..5] {
        assert!(network.set_trainable(range.clone(), false).is_err(), "{range:?}");
    }
    assert!(network.set_trainable(..=usize::MAX, false).is_err());
    let layer = |weights: Array2<f64>| {
        Box::new(Linear::from_weights(weights.view(), &vec![0.0; weights.nrows()]).unwrap())
    };
    assert!(network.replace_layer(4, layer(array![[1.0]])).is_err());
    let error = network.replace_layer(0, layer(noise(40, 4, 1))).unwrap_err();
    assert!(error.to_string().contains("40 outputs"), "{error}");
    network.replace_layer(0, layer(noise(40, 5, 1))).unwrap();
}

#[test]
fn more_samples_than_memory_are_refused() {
    let network = network();
    for samples in [usize::MAX, usize::MAX / 8, 1 << 50] {
        let error = Workspace::new(&network, samples).unwrap_err();
        assert!(error.to_string().contains("few enough for the memory"), "{error}");
        assert!(Workspace::with_shard_size(&network, samples, usize::MAX).is_err());
    }
    assert!(Workspace::new(&network, 0).is_ok() && Workspace::with_shard_size(&network, 3, 0).is_err());
    // Only so many at a time.
    assert!(Workspace::for_prediction(&network, usize::MAX).is_ok());
}

/// Other shards are sums cut elsewhere: the same up to rounding.
#[test]
fn shards_can_be_chosen() {
    let data = Dataset::regression(noise(250, 5, 1), noise(250, 2, 2)).unwrap();
    let gradients = |workspace: &mut Workspace<f64>| {
        let loader = DataLoader::new(&data, 250, Shuffle::None, 0).unwrap();
        let (network, batch) = (network(), loader.batches().next().unwrap());
        network
            .forward_backward(&batch, &MseLoss::default(), workspace)
            .unwrap();
        network.gradients(workspace).unwrap();
        workspace.gradients().cloned().collect::<Vec<_>>()
    };
    let expected = gradients(&mut Workspace::new(&network(), 250).unwrap());
    for size in [1, 7, 64, 249, 250, 1000] {
        let found = gradients(&mut Workspace::with_shard_size(&network(), 250, size).unwrap());
        for (found, expected) in found.iter().zip(&expected) {
            let error = (found - expected)
                .iter()
                .fold(0.0_f64, |most, error| most.max(error.abs()));
            assert!(error < 1e-13, "shards of {size}: off by {error}");
        }
    }
}

/// A workspace is for one network: its layers, and which of them learn.
#[test]
fn a_workspace_of_another_network_is_refused() {
    /// A layer that hands on its input.
    #[derive(Debug)]
    struct Copy;

    impl Layer<f64> for Copy {
        fn name(&self) -> &'static str {
            "Copy"
        }

        fn inputs(&self) -> usize {
            2
        }

        fn outputs(&self) -> usize {
            2
        }

        fn forward(
            &self,
            input: ArrayView2<'_, f64>,
            mut output: ArrayViewMut2<'_, f64>,
            _: &mut Context<'_, f64>,
        ) {
            output.assign(&input);
        }

        fn backward(
            &self,
            _: ArrayView2<'_, f64>,
            delta: ArrayView2<'_, f64>,
            mut delta_input: ArrayViewMut2<'_, f64>,
            _: &mut Context<'_, f64>,
        ) {
            delta_input.assign(&delta);
        }
    }

    let data = Dataset::regression(noise(4, 2, 1), noise(4, 2, 2)).unwrap();
    let loader = DataLoader::new(&data, 4, Shuffle::None, 0).unwrap();
    let batch = loader.batches().next().unwrap();
    let copy = NeuralNetwork::builder(2).layer(Box::new(Copy)).build().unwrap();
    let linear = NeuralNetwork::builder(2).linear(2).build().unwrap();
    let propagate = |network: &NeuralNetwork<f64>, mut workspace| {
        network
            .forward_backward(&batch, &MseLoss::default(), &mut workspace)
            .map(|_| workspace)
    };
    let mut own = propagate(&copy, Workspace::new(&copy, 4).unwrap()).unwrap();
    propagate(&linear, Workspace::new(&linear, 4).unwrap()).unwrap();
    let error = propagate(&linear, Workspace::new(&copy, 4).unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "NeuralNetwork::forward_backward: expected a workspace for the widths [2, 2], found one for [2, 2], of other \
         layers, or of others that are frozen"
    );
    assert!(propagate(&copy, Workspace::new(&linear, 4).unwrap()).is_err());
    let error = propagate(&copy, Workspace::for_prediction(&copy, 4).unwrap()).unwrap_err();
    assert!(error.to_string().contains("found one for predictions"), "{error}");
    let mut frozen = NeuralNetwork::builder(2).linear(2).build().unwrap();
    frozen.set_trainable(.., false).unwrap();
    assert!(propagate(&frozen, Workspace::new(&linear, 4).unwrap()).is_err());

    // A prediction takes the place of the batch that was to be learned from.
    let mut network = copy;
    let mut predictions = Array2::zeros((3, 2));
    network
        .predict_into(noise(3, 2, 3).view(), predictions.view_mut(), &mut own)
        .unwrap();
    assert_eq!(predictions, noise::<f64>(3, 2, 3));
    assert!(
        network
            .apply_gradients(&mut Sgd::new(0.1).unwrap(), &mut own)
            .is_err()
    );
}

/// Dropout has no parameters: freezing it changes nothing, and training with it differs from training without.
#[test]
fn frozen_dropout_still_drops_values() {
    let data = Dataset::regression(noise(250, 5, 1), noise(250, 2, 2)).unwrap();
    let trained = |probability, trainable| {
        let first = NeuralNetwork::builder(5).linear(40).tanh().dropout(probability);
        let mut network = first.linear(2).seed(7).build().unwrap();
        network.set_trainable(1..2, trainable).unwrap();
        train(&mut network, &data, &mut Sgd::new(0.1).unwrap());
        tensors(network.layers().last().unwrap())
    };
    assert_eq!(trained(0.5, false), trained(0.5, true));
    assert_ne!(trained(0.5, false), trained(0.0, false));
}

#[test]
fn a_layer_in_the_place_of_a_frozen_one_is_frozen() {
    let data = Dataset::regression(noise(250, 5, 1), noise(250, 2, 2)).unwrap();
    let mut network = network();
    network.set_trainable(0..1, false).unwrap();
    let weights = noise(40, 5, 3);
    let layer = Linear::from_weights(weights.view(), &[0.5; 40]).unwrap();
    let before = tensors(&layer);
    network.replace_layer(0, Box::new(layer)).unwrap();
    train(&mut network, &data, &mut Sgd::new(0.1).unwrap());
    assert_eq!(tensors(network.layers().next().unwrap()), before);
}
