//! A checkpoint is continued by the training it is of, and by no other.

use std::ops::ControlFlow::{Break, Continue};
use std::path::PathBuf;

use mfnet::loss::Loss;
use mfnet::optimizer::{Adam, Optimizer, Schedule};
use mfnet::train::Tolerance;
use mfnet::{
    Clip, CrossEntropyLoss, Dataset, Error, Event, MseLoss, NeuralNetwork, Reduction, Sets, Sgd, Shuffle,
    StopReason, TrainOptions, Trainer,
};
use tempfile::TempDir;

use crate::noise::noise;

fn data(seed: u64) -> Dataset<f64> {
    let labels = (0..30).map(|row| row % 3).collect();
    Dataset::classification(noise(30, 4, seed), labels, 3).unwrap()
}

fn network(dropout: f64, seed: u64) -> NeuralNetwork<f64> {
    let builder = NeuralNetwork::builder(4).linear(6).tanh().dropout(dropout);
    builder.linear(3).seed(seed).build().unwrap()
}

fn options() -> TrainOptions {
    TrainOptions::default()
        .with_epochs(4)
        .with_batch_size(8)
        .with_seed(3)
        .with_schedule(Schedule::plateau())
}

fn adam() -> Adam<f64> {
    Adam::new(0.01).unwrap()
}

fn trainer(
    network: NeuralNetwork<f64>,
    loss: impl Loss<f64> + 'static,
    optimizer: impl Optimizer<f64> + 'static,
    options: TrainOptions,
) -> Trainer<f64> {
    Trainer::new(network, loss, optimizer).options(options)
}

/// The training that the checkpoints of these tests are of.
fn own() -> Trainer<f64> {
    trainer(network(0.2, 7), CrossEntropyLoss::default(), adam(), options())
}

/// The checkpoint of that training, interrupted after the second batch of its second epoch; with validation if asked for.
fn checkpoint(validation: Option<&Dataset<f64>>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let mut interrupted = own();
    let observer = |event: Event<'_>| match event {
        Event::Batch {
            epoch: 2, done: 2, ..
        } => Break(()),
        _ => Continue(()),
    };
    interrupted
        .fit_with(Sets::from(&data(1)).with_validation(validation), observer)
        .unwrap();
    interrupted.save_checkpoint(&path, None).unwrap();
    (folder, path)
}

#[test]
fn another_training_is_refused_with_names_and_both_values() {
    let (_folder, path) = checkpoint(None);
    let loss = CrossEntropyLoss::default;
    let with = |options: TrainOptions| trainer(network(0.2, 7), loss(), adam(), options);
    let with_loss = |loss| trainer(network(0.2, 7), loss, adam(), options());
    let with_adam = |adam: Adam<f64>| trainer(network(0.2, 7), loss(), adam, options());
    let weighted = loss().with_class_weights(vec![1.0, 2.0, 0.5]);
    let mse = trainer(network(0.2, 7), MseLoss::default(), adam(), options());
    for (mut other, part) in [
        (
            with(options().with_batch_size(16)),
            "batch size is 8 there and 16 here",
        ),
        (with(options().with_seed(4)), "seed is 3 there and 4 here"),
        (
            with(options().with_shuffle(Shuffle::Batches)),
            "shuffle is samples there and batches here",
        ),
        (
            with(options().with_drop_last(true)),
            "drop last is false there and true here",
        ),
        (
            with(options().with_schedule(Schedule::cosine(4))),
            "schedule is times 0.1 on a plateau of 10 epochs, threshold 0.0001, to 0 there and cosine over 4 epochs to 0 \
             here",
        ),
        (
            with(options().with_warmup_epochs(2)),
            "warm-up epochs is 0 there and 2 here",
        ),
        (mse, "loss is cross-entropy there and MSE here"),
        (
            with_loss(CrossEntropyLoss::default().with_reduction(Reduction::Sum)),
            "loss: reduction is mean there and sum here",
        ),
        (
            with_loss(weighted),
            "loss: class weights is none there and 1, 2, 0.5 here",
        ),
        (
            with_loss(loss().with_label_smoothing(0.1)),
            "loss: label smoothing is 0 there and 0.1 here",
        ),
        (
            with_adam(Adam::new(0.02).unwrap()),
            "learning rate is 0.01 there and 0.02 here",
        ),
        (
            with_adam(adam().betas(0.9, 0.99).unwrap()),
            "optimizer: betas is 0.9, 0.999 there and 0.9, 0.99 here",
        ),
        (
            with_adam(adam().epsilon(1e-4).unwrap()),
            "optimizer: epsilon is 0.00000001 there and 0.0001 here",
        ),
        (
            with_adam(adam().weight_decay(0.5).unwrap()),
            "optimizer: weight decay is 0 there and 0.5 here",
        ),
        (
            with_adam(adam().clip(Clip::Global(2.0)).unwrap()),
            "optimizer: gradient clipping is none there and 2 global here",
        ),
        (
            with_adam(Adam::adamw(0.01).unwrap()),
            "the training is one with Adam, not with AdamW",
        ),
        (
            trainer(network(0.2, 7), loss(), Sgd::new(0.01).unwrap(), options()),
            "the training is one with Adam, not with SGD",
        ),
        (
            trainer(network(0.3, 7), loss(), adam(), options()),
            "layer 2 is Dropout (p=0.2, seed=",
        ),
    ] {
        let before: Vec<_> = other.network().parameters().cloned().collect();
        let error = other.load_checkpoint(&path).unwrap_err();
        assert!(matches!(error, Error::InvalidFile { .. }), "{error}");
        assert!(error.to_string().contains(part), "no {part:?} in {error}");
        assert!(
            other.history().epochs.is_empty() && other.network().parameters().eq(&before),
            "{part}: the trainer stays as it was"
        );
    }
    // All differences at once.
    let mut other = with(options().with_batch_size(16).with_seed(4));
    let error = other.load_checkpoint(&path).unwrap_err().to_string();
    assert!(
        error.ends_with("another training: batch size is 8 there and 16 here; seed is 3 there and 4 here"),
        "{error}"
    );
}

#[test]
fn what_may_differ_is_free() {
    let (_folder, path) = checkpoint(None);
    let test = data(9);
    let more = options()
        .with_epochs(6)
        .with_early_stopping(5)
        .with_min_delta(1e-3)
        .with_test_interval(2);
    let mut resumed = own().options(more);
    resumed.load_checkpoint(&path).unwrap();
    let history = resumed.fit(Sets::from(&data(1)).with_test(&test)).unwrap();
    assert_eq!(history.epochs.len(), 6);
}

#[test]
fn other_data_are_refused_when_the_training_goes_on() {
    let validation = data(5);
    for validation in [None, Some(&validation)] {
        let (_folder, path) = checkpoint(validation);
        let mut resumed = own();
        resumed.load_checkpoint(&path).unwrap();
        let fewer = data(1).select(&[0, 1, 2]).unwrap();
        let (same, other) = (data(1), data(2));
        for (sets, parts) in [
            (
                Sets::from(&other).with_validation(validation),
                &["the training set is 30 samples x 4 features, 3 outputs, hash "][..],
            ),
            (
                Sets::from(&fewer).with_validation(validation),
                &["is 30 samples x 4 features", "and 3 samples x 4 features"],
            ),
            (
                Sets::from(&same).with_validation(&fewer),
                &["the validation set is ", "and 3 samples x 4 features"],
            ),
        ] {
            let error = resumed.fit(sets).unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
            assert!(resumed.start(sets).is_err(), "and again");
        }
        assert_eq!(resumed.history().epochs.len(), 1, "nothing was learned");
        // The same numbers in another place of memory are the same data.
        let mut whole = own();
        whole.fit(Sets::from(&same).with_validation(validation)).unwrap();
        resumed
            .fit(Sets::from(&same).with_validation(validation))
            .unwrap();
        assert!(resumed.network().parameters().eq(whole.network().parameters()));
        // That was the training; another `fit` may be on anything.
        let mut resumed = resumed.options(options().with_epochs(5));
        assert_eq!(resumed.fit(&other).unwrap().epochs.len(), 5);
    }

    // A stream of partial fits has other data each time.
    let (_folder, path) = checkpoint(None);
    let mut fed = own();
    fed.load_checkpoint(&path).unwrap();
    fed.partial_fit(&data(2)).unwrap();
    assert!(fed.fit(&data(2)).is_err(), "fit still goes on with its own");
    assert_eq!(fed.fit(&data(1)).unwrap().epochs.len(), 5);
}

#[test]
fn the_way_a_training_ended_is_kept() {
    let (train, validation) = (data(1), data(5));
    let sets = Sets::from(&train).with_validation(&validation);
    let early = || own().options(options().with_epochs(500).with_early_stopping(3));
    let mut ended = early();
    ended.partial_fit(&validation).unwrap();
    let history = ended.fit(sets).unwrap().clone();
    assert_eq!(history.stopped, Some(StopReason::EarlyStopping));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    ended.save_checkpoint(&path, None).unwrap();
    let mut resumed = early();
    resumed.load_checkpoint(&path).unwrap();
    assert_eq!(resumed.history(), &history);
    assert_eq!(resumed.fit(sets).unwrap(), &history, "it is over");
    // With more epochs both go on alike.
    let more = |trainer: Trainer<f64>| {
        let mut trainer = trainer.options(options().with_epochs(600).with_early_stopping(3));
        assert!(trainer.fit(sets).unwrap().epochs.len() >= history.epochs.len() + 3);
        trainer.into_network()
    };
    assert!(more(resumed).parameters().eq(more(ended).parameters()));
}

#[test]
fn a_tolerance_and_a_penalty_go_on() {
    let data = data(1);
    let stops = options()
        .with_epochs(2000)
        .with_schedule(Schedule::Adaptive)
        .with_tolerance(Tolerance::new(0.02, 2))
        .with_l2_penalty(0.1);
    let numbers = |trainer: &Trainer<f64>| -> Vec<[f64; 3]> {
        let records = trainer.history().epochs.iter();
        let numbers =
            records.map(|record| [record.train_loss, record.loss_per_sample(), record.learning_rate]);
        numbers.collect()
    };
    let mut whole = own().options(stops.clone());
    whole.fit(&data).unwrap();
    let epochs = whole.history().epochs.len();
    assert_eq!(whole.history().stopped, Some(StopReason::Converged));
    assert!(whole.history().epochs[epochs - 1].learning_rate <= 1e-6);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    for interruption in [1, 4, epochs / 2, epochs] {
        let mut interrupted = own().options(stops.clone());
        let observer = |event: Event<'_>| match event {
            Event::Batch { epoch, done: 3, .. } if epoch == interruption => Break(()),
            _ => Continue(()),
        };
        interrupted.fit_with(&data, observer).unwrap();
        interrupted.save_checkpoint(&path, None).unwrap();
        let mut resumed = own().options(stops.clone());
        resumed.load_checkpoint(&path).unwrap();
        resumed.fit(&data).unwrap();
        assert_eq!(
            numbers(&resumed),
            numbers(&whole),
            "interrupted in epoch {interruption}"
        );
        assert_eq!(resumed.history().stopped, Some(StopReason::Converged));
        assert!(resumed.network().parameters().eq(whole.network().parameters()));
    }
    // The tolerance may change, and the penalty may not.
    let other = stops.with_tolerance(Tolerance::new(0.1, 0));
    own().options(other.clone()).load_checkpoint(&path).unwrap();
    let mut other = own().options(other.with_l2_penalty(0.0));
    let error = other.load_checkpoint(&path).unwrap_err().to_string();
    assert!(
        error.ends_with("L2 penalty is 0.1 there and not set here"),
        "{error}"
    );
}

/// Files that were written before settings were kept do not say of which training they are.
#[test]
fn a_checkpoint_without_settings_is_refused() {
    let (_folder, path) = checkpoint(None);
    let content = std::fs::read(&path).unwrap();
    // The header is JSON in JSON: the key gets another name of the same length.
    let from = br#"\"settings\":"#;
    let place = content
        .windows(from.len())
        .position(|window| window == from)
        .unwrap();
    let mut old = content.clone();
    old[place..place + from.len()].copy_from_slice(br#"\"sittings\":"#);
    std::fs::write(&path, old).unwrap();
    let error = own().load_checkpoint(&path).unwrap_err().to_string();
    assert!(error.contains("written by an older version"), "{error}");
}
