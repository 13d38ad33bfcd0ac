//! Networks under other people's threads: many trainings at once, one network asked from many threads, pools and runtimes
//! that are not ours. Nothing waits for ever, and no result changes.

use std::sync::Arc;
use std::thread;

use mfnet::{Adam, CrossEntropyLoss, Dataset, Element, NeuralNetwork, TrainOptions, Trainer};
use ndarray::Array2;
use rayon::prelude::*;

use crate::drawn::{self, noise};

fn data<T: Element>(place: u64) -> Dataset<T> {
    let labels = (0..600).map(|sample| sample % 4).collect();
    Dataset::classification(noise(600, 70, place), labels, 4).unwrap()
}

/// Wide enough to hand out work to rayon's pool.
fn trained<T: Element>(place: u64) -> NeuralNetwork<T> {
    let seed = drawn::seed(place);
    let network = NeuralNetwork::builder(70)
        .linear(100)
        .batch_norm()
        .relu()
        .dropout(0.2)
        .linear(4)
        .seed(seed)
        .build()
        .unwrap();
    let options = TrainOptions::default()
        .with_epochs(4)
        .with_batch_size(300)
        .with_seed(seed);
    let (loss, adam) = (CrossEntropyLoss::default(), Adam::new(0.01).unwrap());
    let mut trainer = Trainer::new(network, loss, adam).options(options);
    trainer.fit(&data(place)).unwrap();
    trainer.into_network()
}

fn weights<T: Element>(network: &NeuralNetwork<T>) -> Vec<Array2<T>> {
    network.parameters().cloned().collect()
}

#[test]
fn many_trainings_at_once_are_those_one_after_the_other() {
    let narrow = |seed| weights(&trained::<f32>(seed));
    let wide = |seed| weights(&trained::<f64>(seed));
    let alone: Vec<_> = (0..10).map(|seed| (narrow(seed), wide(seed))).collect();
    let threads: Vec<_> = (0..10)
        .map(|seed| {
            (
                thread::spawn(move || narrow(seed)),
                thread::spawn(move || wide(seed)),
            )
        })
        .collect();
    for (alone, (narrow, wide)) in alone.into_iter().zip(threads) {
        assert_eq!((narrow.join().unwrap(), wide.join().unwrap()), alone);
    }
}

#[test]
fn one_network_answers_many_threads() {
    let network = Arc::new(trained::<f32>(1));
    let samples = Arc::new(noise::<f32>(3000, 70, 9));
    let expected = network.predict(samples.view()).unwrap();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (network, samples) = (Arc::clone(&network), Arc::clone(&samples));
            thread::spawn(move || {
                (0..5)
                    .map(|_| network.predict(samples.view()).unwrap())
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    for thread in threads {
        assert!(thread.join().unwrap().iter().all(|answer| *answer == expected));
    }
}

#[test]
fn pools_of_others_do_the_work() {
    let expected = weights(&trained::<f32>(3));
    for threads in [1, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        assert_eq!(weights(&pool.install(|| trained::<f32>(3))), expected);
        // From a task of that pool, with others of its tasks beside it.
        let (first, second) = pool.install(|| rayon::join(|| trained::<f32>(3), || trained::<f32>(3)));
        assert_eq!(weights(&first), expected);
        assert_eq!(weights(&second), expected);
    }
}

#[test]
fn blocking_tasks_of_a_runtime_train() {
    let expected = weights(&trained::<f32>(3));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answers = runtime.block_on(async {
        let tasks: Vec<_> = (0..6)
            .map(|_| tokio::task::spawn_blocking(|| weights(&trained::<f32>(3))))
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        answers
    });
    assert!(answers.iter().all(|weights| *weights == expected));
}

/// Samples that are mostly zeros, which the first training to see them stores without: the others wait for that, and must
/// not be what it waits for.
#[test]
fn tasks_of_a_pool_share_samples_that_are_mostly_zeros() {
    let inputs = Array2::from_shape_fn(
        (30_000, 40),
        |(sample, feature)| {
            if feature == sample % 40 { 1.0 } else { 0.0 }
        },
    );
    let labels: Vec<u32> = (0..30_000).map(|sample| sample % 4).collect();
    let options = TrainOptions::default().with_epochs(1).with_batch_size(300);
    let trained = |data: &Dataset<f32>| {
        let network = NeuralNetwork::builder(40)
            .linear(64)
            .relu()
            .linear(4)
            .seed(1)
            .build()
            .unwrap();
        let (loss, adam) = (CrossEntropyLoss::default(), Adam::new(0.01).unwrap());
        let mut trainer = Trainer::new(network, loss, adam).options(options.clone());
        trainer.fit(data).unwrap();
        weights(trainer.network())
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(16).build().unwrap();
    let mut first = None;
    for _ in 0..10 {
        let data = Dataset::classification(inputs.clone(), labels.clone(), 4).unwrap();
        let found: Vec<_> = pool.install(|| (0..64).into_par_iter().map(|_| trained(&data)).collect());
        let first = first.get_or_insert_with(|| found[0].clone());
        assert!(found.iter().all(|weights| weights == first));
    }
}
