//! Samples without their zeros: the same trainings, evaluations and predictions as with them.

use mfnet::data::{Inputs, Schema, SparseRows};
use mfnet::loss::Loss;
use mfnet::train::{LbfgsOptions, fit_lbfgs};
use mfnet::{Adam, CrossEntropyLoss, Dataset, Element, Event, NeuralNetwork, Targets, TrainOptions, Trainer};
use ndarray::Array2;

use crate::noise::noise;

/// Samples of which so many of ten features are not 0, and their rows without the zeros.
fn samples<T: Element>(samples: usize, features: usize, tenths: usize) -> (Array2<T>, SparseRows<T>) {
    let mut dense = noise::<T>(samples, features, 3);
    for ((row, column), value) in dense.indexed_iter_mut() {
        if (row * 7 + column * 3) % 10 >= tenths {
            *value = T::zero();
        }
    }
    let (mut starts, mut indices, mut values) = (vec![0_i64], Vec::new(), Vec::new());
    for row in dense.rows() {
        for (column, &value) in row.iter().enumerate().filter(|(_, value)| **value != T::zero()) {
            indices.push(column as i64);
            values.push(value);
        }
        starts.push(indices.len() as i64);
    }
    let rows = SparseRows::from_csr(features, &starts, &indices, &values).unwrap();
    (dense, rows)
}

fn targets<T>(samples: usize) -> Targets<T> {
    Targets::Classes {
        labels: (0..samples as u32).map(|row| row % 3).collect(),
        classes: 3,
    }
}

fn check<T: Element>(tenths: usize) {
    let (dense, rows) = samples::<T>(150, 40, tenths);
    assert_eq!(rows.to_values(), dense);
    let loss = CrossEntropyLoss::default();
    let data = |inputs| Dataset::new(inputs, targets(150)).unwrap();
    let (dense, sparse) = (data(Inputs::Values(dense)), data(Inputs::Sparse(rows.clone())));
    let train = |data: &Dataset<T>| {
        let network = NeuralNetwork::builder(40)
            .linear(20)
            .relu()
            .linear(3)
            .seed(7)
            .build()
            .unwrap();
        let options = TrainOptions::default().with_epochs(3).with_batch_size(32);
        let optimizer = Adam::new(0.01).unwrap();
        let mut trainer = Trainer::new(network, CrossEntropyLoss::default(), optimizer).options(options);
        trainer.fit(data).unwrap();
        trainer.into_network()
    };
    let (one, other) = (train(&dense), train(&sparse));
    assert!(one.parameters().eq(other.parameters()), "bit for bit");
    assert_eq!(
        one.evaluate(&dense, &loss).unwrap(),
        one.evaluate(&sparse, &loss).unwrap()
    );
    let predicted = one.predict_dataset(&dense).unwrap();
    assert_eq!(one.predict_dataset(&sparse).unwrap(), predicted);
    assert_eq!(one.predict_sparse(&rows).unwrap(), predicted);
    // Selections, and the compressed inputs of the whole set.
    let indices = [149, 0, 3, 3];
    let (few, same) = (dense.select(&indices).unwrap(), sparse.select(&indices).unwrap());
    assert_eq!(few.to_values(), same.to_values());
    assert_eq!(
        one.evaluate(&few, &loss).unwrap(),
        one.evaluate(&same, &loss).unwrap()
    );
}

#[test]
fn the_same_as_with_zeros() {
    // Products that skip zeros, and dense ones.
    for tenths in [1, 3, 8] {
        check::<f32>(tenths);
        check::<f64>(tenths);
    }
}

#[test]
fn all_samples_in_each_step() {
    let (dense, rows) = samples::<f64>(80, 30, 2);
    let fit = |inputs| {
        let data = Dataset::new(inputs, targets(80)).unwrap();
        let mut network = NeuralNetwork::builder(30).linear(3).seed(7).build().unwrap();
        let options = LbfgsOptions::default().with_iterations(10).with_batch_size(30);
        let observer = |_: Event<'_>| std::ops::ControlFlow::Continue(());
        fit_lbfgs(
            &mut network,
            &CrossEntropyLoss::default(),
            &data,
            &options,
            observer,
        )
        .unwrap()
        .loss
    };
    assert_eq!(fit(Inputs::Values(dense)), fit(Inputs::Sparse(rows)));
}

#[test]
fn other_layers_come_first() {
    let (dense, rows) = samples::<f64>(20, 12, 2);
    let network = NeuralNetwork::<f64>::builder(12)
        .batch_norm()
        .linear(3)
        .seed(7)
        .build()
        .unwrap();
    assert_eq!(
        network.predict_sparse(&rows).unwrap(),
        network.predict(dense.view()).unwrap()
    );
    let error = network
        .predict_sparse(&samples::<f64>(5, 11, 2).1)
        .unwrap_err()
        .to_string();
    assert!(error.contains("5 x 11"), "{error}");
}

#[test]
fn scaling_does_not_fill_in_zeros() {
    let (dense, rows) = samples::<f64>(20, 12, 2);
    let data = |inputs| Dataset::new(inputs, targets(20)).unwrap();
    let (dense, sparse) = (data(Inputs::Values(dense)), data(Inputs::Sparse(rows)));
    let schema = Schema::of(&sparse);
    assert_eq!(schema.scale(sparse.clone()).unwrap(), sparse);
    let normalized = Schema::of(&dense).normalized(&dense).unwrap();
    let error = normalized.scale(sparse.clone()).unwrap_err().to_string();
    assert!(
        error.starts_with("sparse inputs: scaling or encoding them"),
        "{error}"
    );
    let loss = CrossEntropyLoss::default();
    let network = NeuralNetwork::<f64>::builder(12).linear(3).build().unwrap();
    let of = |data: &Dataset<f64>| network.evaluate(data, &loss as &dyn Loss<f64>).unwrap().loss;
    assert_eq!(of(&dense), of(&sparse));
}
