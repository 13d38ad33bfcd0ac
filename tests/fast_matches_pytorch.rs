//! The fast pipeline takes the same steps as PyTorch.

use mfnet::plain::{Loss, Matrix, Network};
use mfnet::{DataLoader, Dataset, Shuffle, Workspace, classes};
use ndarray::Array2;

mod common;
#[path = "common/twins.rs"]
mod twins;

fn array(matrix: &Matrix) -> Array2<f64> {
    Array2::from_shape_vec((matrix.rows(), matrix.columns()), matrix.values().to_vec()).unwrap()
}

#[test]
fn every_golden_is_reproduced() {
    for case in common::cases() {
        let layers = case.weights().into_iter().zip(case.activations.iter().copied());
        let mut network = twins::fast_network::<f64>(&Network::new(layers.collect()).unwrap());
        let (inputs, targets) = (array(&case.inputs()), array(&case.targets()));
        let data = match case.training.loss {
            Loss::Mse => Dataset::regression(inputs, targets),
            Loss::CrossEntropy => Dataset::classification(inputs, classes(targets.view()), targets.ncols()),
        };
        let data = data.unwrap();
        let loss = twins::fast_loss(&case.training);
        let mut optimizer = twins::fast_optimizer(&case.training);
        let golden = case.golden();
        let batches = case.batches();
        let mut workspace = Workspace::new(&network, batches[0].len());
        let mut losses = Vec::new();
        for batch in &batches {
            let batch = data.select(batch).unwrap();
            let loader = DataLoader::new(&batch, batch.samples(), Shuffle::None, 0).unwrap();
            let batch = loader.batches().next().unwrap();
            losses.push(network.propagate(&batch, &*loss, &mut workspace).unwrap());
            network.update(&mut optimizer, &mut workspace).unwrap();
        }

        let expected: Vec<f64> = golden
            .losses
            .iter()
            .zip(&batches)
            .map(|(&loss, batch)| twins::mean_loss(&case.training, loss, batch.len()))
            .collect();
        common::assert_close(&format!("{}: losses", case.name), &losses, &expected, 1e-11);
        assert_eq!(network.weights().count(), golden.weights.len());
        for (layer, (weights, expected)) in network.weights().zip(&golden.weights).enumerate() {
            let what = format!("{}: weights of layer {layer}", case.name);
            common::assert_close(&what, &twins::rows(weights.view()), expected.values(), 1e-11);
        }
    }
}
