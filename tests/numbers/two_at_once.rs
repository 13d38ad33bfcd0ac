//! Networks in several threads at once: nothing that one does shows in another.

use mfnet::{Clip, CrossEntropyLoss, Dataset, Element, NeuralNetwork, Sgd, TrainOptions, train};
use ndarray::Array2;
use std::ops::ControlFlow;
use std::thread;

use crate::noise::noise;

/// Trains from this seed; wide enough that both trainings hand out work to rayon's pool.
fn trained<T: Element>(seed: u64) -> NeuralNetwork<T> {
    let labels = (0..900).map(|sample| sample % 5).collect();
    let data = Dataset::classification(noise(900, 80, seed), labels, 5).unwrap();
    let mut network = NeuralNetwork::builder(80)
        .linear(120)
        .relu()
        .linear(5)
        .seed(seed)
        .build()
        .unwrap();
    let mut optimizer = Sgd::new(0.3).unwrap();
    if seed.is_multiple_of(2) {
        optimizer = optimizer.clip(Clip::Global(0.5)).unwrap();
    }
    let options = TrainOptions {
        epochs: 10,
        batch_size: 400,
        seed,
        ..TrainOptions::default()
    };
    let loss = CrossEntropyLoss::default();
    train(&mut network, &data, &loss, &mut optimizer, &options, |_| {
        ControlFlow::Continue(())
    })
    .unwrap();
    network
}

fn weights<T: Element>(network: &NeuralNetwork<T>) -> Vec<Array2<T>> {
    network.weights().cloned().collect()
}

#[test]
fn two_trainings() {
    let first = weights(&trained::<f32>(1));
    let second = weights(&trained::<f32>(2));
    let third = weights(&trained::<f64>(3));
    thread::scope(|scope| {
        let one = scope.spawn(|| weights(&trained::<f32>(1)));
        let two = scope.spawn(|| weights(&trained::<f32>(2)));
        let three = scope.spawn(|| weights(&trained::<f64>(3)));
        assert!(one.join().unwrap() == first);
        assert!(two.join().unwrap() == second);
        assert!(three.join().unwrap() == third);
    });
}

#[test]
fn many_predictions_of_one_network() {
    let network = trained::<f32>(1);
    let inputs: Vec<Array2<f32>> = (0..4).map(|seed| noise(700, 80, 50 + seed)).collect();
    let alone: Vec<Array2<f32>> = inputs
        .iter()
        .map(|inputs| network.predict(inputs.view()).unwrap())
        .collect();
    thread::scope(|scope| {
        for (inputs, alone) in inputs.iter().zip(&alone) {
            let network = &network;
            scope.spawn(move || {
                for _ in 0..5 {
                    assert!(network.predict(inputs.view()).unwrap() == alone);
                }
            });
        }
    });
}
