//! The plain implementation takes the same steps as PyTorch.

use mfnet::plain::{Network, train_step};

use crate::goldens;

#[test]
fn every_golden_is_reproduced() {
    for case in goldens::cases() {
        let layers = case.weights().into_iter().zip(case.activations.iter().copied());
        let mut network = Network::new(layers.collect()).unwrap();
        let (inputs, targets) = (case.inputs(), case.targets());
        let mut losses = Vec::new();
        for batch in case.batches() {
            let inputs = inputs.select_rows(&batch).unwrap();
            let targets = targets.select_rows(&batch).unwrap();
            losses.push(train_step(&mut network, &inputs, &targets, &case.training).unwrap());
        }

        let golden = case.golden();
        goldens::assert_close(&format!("{}: losses", case.name), &losses, &golden.losses, 1e-12);
        assert_eq!(network.layers().len(), golden.weights.len());
        for (layer, ((weights, _), expected)) in network.layers().iter().zip(&golden.weights).enumerate() {
            let what = format!("{}: weights of layer {layer}", case.name);
            goldens::assert_close(&what, weights.values(), expected.values(), 1e-12);
        }
    }
}
