//! No more threads than rayon's, however many train at once. Alone in its file: it counts all threads of the process.
#![cfg(target_os = "linux")]

use std::ops::ControlFlow::Continue;
use std::sync::Barrier;
use std::thread;

use mfnet::{CrossEntropyLoss, NeuralNetwork, Sgd, TrainOptions, Trainer};

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Trains, and gives the most threads that were there at the end of an epoch.
fn most_threads_of_a_training() -> usize {
    let (data, _) = mfnet::data::digits::digits::<f32>(7, 1000, 10).unwrap();
    let network = NeuralNetwork::builder(784)
        .linear(200)
        .relu()
        .linear(10)
        .build()
        .unwrap();
    let options = TrainOptions::default().with_epochs(3).with_batch_size(500);
    let (loss, sgd) = (CrossEntropyLoss::default(), Sgd::new(0.1).unwrap());
    let mut trainer = Trainer::new(network, loss, sgd).options(options);
    let mut most = 0;
    trainer
        .fit_with(&data, |_| {
            most = most.max(threads());
            Continue(())
        })
        .unwrap();
    most
}

#[test]
fn trainings_share_the_threads_there_are() {
    const TRAININGS: usize = 8;
    // Starts the pool, and OpenBLAS.
    most_threads_of_a_training();
    let before = threads();
    assert_eq!(
        most_threads_of_a_training(),
        before,
        "a training starts no threads"
    );
    let start = Barrier::new(TRAININGS);
    let most = thread::scope(|scope| {
        let training = || {
            start.wait();
            most_threads_of_a_training()
        };
        let all: Vec<_> = (0..TRAININGS).map(|_| scope.spawn(training)).collect();
        all.into_iter().map(|training| training.join().unwrap()).max()
    });
    // Each data set is compressed once, by as many threads as the pool has, the caller's being one of them.
    let compressing = TRAININGS * (rayon::current_num_threads() - 1);
    assert!(
        most.unwrap() <= before + TRAININGS + compressing,
        "{most:?} threads, {before} before"
    );
    assert_eq!(threads(), before);
}
