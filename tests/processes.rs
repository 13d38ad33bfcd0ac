//! Networks in a process that was forked, and in one that starts others: nobody waits for threads that are not there.
#![cfg(unix)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use mfnet::data::digits::digits;
use mfnet::{
    Adam, Clip, CrossEntropyLoss, DataLoader, Dataset, Evaluation, NeuralNetwork, Sgd, Shuffle, TrainOptions,
    Trainer, Workspace,
};
use ndarray::Array2;

/// What comes of everything that hands out work, each part of it in the first call from outside of the pool.
#[derive(Debug, PartialEq)]
struct Answers {
    weights: Vec<Array2<f32>>,
    predictions: Array2<f32>,
    evaluation: Evaluation,
    order: Vec<usize>,
}

fn answers() -> Answers {
    let (data, other) = digits::<f32>(7, 600, 300).unwrap();
    let loss = CrossEntropyLoss::default();
    let mut trainer = Trainer::new(network(), loss.clone(), Adam::new(0.01).unwrap()).options(options());
    trainer.fit(&data).unwrap();
    let mut network = trainer.into_network();
    // A loop of one's own, which no training has brought to the pool.
    let mut workspace = Workspace::new(&network, 300).unwrap();
    let loader = DataLoader::new(&data, 300, Shuffle::Samples, 7).unwrap();
    let mut plain = Sgd::new(0.1).unwrap();
    let mut clipped = Sgd::new(0.1).unwrap().clip(Clip::Global(0.1)).unwrap();
    for batch in loader.batches() {
        network.forward_backward(&batch, &loss, &mut workspace).unwrap();
        network.apply_gradients(&mut plain, &mut workspace).unwrap();
        network.forward_backward(&batch, &loss, &mut workspace).unwrap();
        network.apply_gradients(&mut clipped, &mut workspace).unwrap();
    }
    Answers {
        predictions: network.predict_dataset(&other).unwrap(),
        evaluation: network.evaluate(&other, &loss).unwrap(),
        weights: network.parameters().cloned().collect(),
        order: long_order(),
    }
}

fn network() -> NeuralNetwork<f32> {
    let builder = NeuralNetwork::builder(784).linear(300).relu().linear(200).tanh();
    builder.linear(10).seed(7).build().unwrap()
}

fn options() -> TrainOptions {
    TrainOptions::default().with_epochs(2).with_batch_size(200)
}

/// The first batch of an order that is long enough to be drawn by several threads.
fn long_order() -> Vec<usize> {
    let numbers = || Array2::<f32>::zeros((200_000, 1));
    let data = Dataset::regression(numbers(), numbers()).unwrap();
    let mut loader = DataLoader::new(&data, 1000, Shuffle::Samples, 7).unwrap();
    loader.start_epoch(1);
    loader.batches().next().unwrap().indices().to_vec()
}

/// Forks, and says whether all went well in the child; one that takes a minute is ended.
fn in_a_child(work: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child goes on in this thread alone. What other threads held when it was made stays held: it is the
    // test's purpose that nothing of this crate waits for them. It ends without returning to the test's harness.
    unsafe {
        match libc::fork() {
            -1 => panic!("{}", std::io::Error::last_os_error()),
            0 => {
                libc::alarm(60);
                let fine = catch_unwind(AssertUnwindSafe(work)).unwrap_or(false);
                libc::_exit(if fine { 0 } else { 1 })
            }
            child => {
                let mut status = 0;
                assert_eq!(libc::waitpid(child, &mut status, 0), child);
                libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
            }
        }
    }
}

#[test]
fn a_forked_process_has_the_same_answers() {
    // The pool's threads are there before the process is forked, and are not there in the child.
    let expected = answers();
    assert!(in_a_child(|| answers() == expected), "a child");
    assert!(
        in_a_child(|| answers() == expected && in_a_child(|| answers() == expected)),
        "a child's child"
    );
    assert!(
        in_a_child(|| long_order() == expected.order),
        "what draws an order"
    );
    let own = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    assert!(
        own.install(|| in_a_child(|| answers() == expected)),
        "forked by a thread of a pool"
    );
    assert_eq!(answers(), expected, "the parent goes on");
}

#[test]
fn a_process_may_start_others() {
    // The pool and BLAS are at work here before the other process is forked and starts its own.
    let expected = answers();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_started_process", "--ignored"])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(answers(), expected);
}

#[test]
#[ignore = "runs in a process of its own"]
fn a_started_process() {
    assert_eq!(answers(), answers());
}
