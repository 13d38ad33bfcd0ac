//! Networks under other people's threads: many trainings at once, one network asked from many threads, pools that are not
//! ours, and processes that were forked. Nothing waits for ever, and no result changes.

use std::ops::ControlFlow::Continue;
use std::sync::Arc;
use std::thread;

use mfnet::{Adam, CrossEntropyLoss, Dataset, NeuralNetwork, TrainOptions, train};
use ndarray::Array2;

#[path = "common/noise.rs"]
mod noise;

use noise::noise;

fn data(seed: u64) -> Dataset<f32> {
    let labels = (0..600).map(|sample| sample % 4).collect();
    Dataset::classification(noise(600, 70, seed), labels, 4).unwrap()
}

/// Wide enough to hand out work to rayon's pool.
fn trained(seed: u64) -> NeuralNetwork<f32> {
    let mut network = NeuralNetwork::builder(70)
        .linear(100)
        .batch_norm()
        .relu()
        .dropout(0.2)
        .linear(4)
        .seed(seed)
        .build()
        .unwrap();
    let options = TrainOptions {
        epochs: 4,
        batch_size: 300,
        seed,
        ..TrainOptions::default()
    };
    let (loss, mut adam) = (CrossEntropyLoss::default(), Adam::new(0.01).unwrap());
    train(&mut network, &data(seed), &loss, &mut adam, &options, |_| {
        Continue(())
    })
    .unwrap();
    network
}

fn weights(network: &NeuralNetwork<f32>) -> Vec<Array2<f32>> {
    network.weights().cloned().collect()
}

#[test]
fn many_trainings_at_once_are_those_one_after_the_other() {
    let alone: Vec<_> = (0..12).map(|seed| weights(&trained(seed))).collect();
    let threads: Vec<_> = (0..12)
        .map(|seed| thread::spawn(move || weights(&trained(seed))))
        .collect();
    for (alone, thread) in alone.into_iter().zip(threads) {
        assert_eq!(thread.join().unwrap(), alone);
    }
}

#[test]
fn one_network_answers_many_threads() {
    let network = Arc::new(trained(1));
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
    let expected = weights(&trained(3));
    for threads in [1, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        assert_eq!(weights(&pool.install(|| trained(3))), expected);
        // From a task of that pool, with others of its tasks beside it.
        let (first, second) = pool.install(|| rayon::join(|| trained(3), || trained(3)));
        assert_eq!(weights(&first), expected);
        assert_eq!(weights(&second), expected);
    }
}

#[cfg(feature = "cli")]
#[test]
fn a_process_of_ours_may_start_others() {
    // The pool and BLAS are at work here before the other process is forked and starts its own.
    let network = trained(5);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_mfnet"))
        .args(["train", "circle", "--epochs", "2", "--quiet", "--json"])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(weights(&trained(5)), weights(&network));
}
