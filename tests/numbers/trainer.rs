//! A trainer stops and goes on, follows its schedule, and goes back to its best.

use std::ops::ControlFlow::{Break, Continue};

use mfnet::data::digits::digits;
use mfnet::layer::Tensor;
use mfnet::optimizer::{Adam, Schedule};
use mfnet::{
    CrossEntropyLoss, Dataset, Error, Event, MseLoss, NeuralNetwork, Sets, Sgd, StopReason, TrainOptions,
    Trainer,
};
use ndarray::array;

fn network() -> NeuralNetwork<f32> {
    NeuralNetwork::builder(784)
        .linear(40)
        .batch_norm()
        .relu()
        .dropout(0.3)
        .linear(10)
        .seed(7)
        .build()
        .unwrap()
}

fn trainer(options: &TrainOptions) -> Trainer<f32> {
    Trainer::new(network(), CrossEntropyLoss::default(), Adam::new(0.003).unwrap()).options(options.clone())
}

fn options(epochs: usize) -> TrainOptions {
    TrainOptions::default()
        .with_epochs(epochs)
        .with_batch_size(64)
        .with_seed(3)
}

/// All that was learned: weights, and running statistics.
fn weights<T: mfnet::Element>(network: &NeuralNetwork<T>) -> Vec<Tensor<T>> {
    let records = network.records().unwrap().into_iter();
    records.flat_map(|record| record.tensors).collect()
}

/// Epochs without their times.
fn losses(trainer: &Trainer<f32>) -> Vec<(usize, f64, f64)> {
    let epochs = trainer.history().epochs.iter();
    epochs
        .map(|record| (record.epoch, record.train_loss, record.learning_rate))
        .collect()
}

#[test]
fn an_interrupted_training_ends_as_if_it_had_not_been() {
    let (data, _) = digits::<f32>(7, 500, 1).unwrap();
    let options = options(4).with_schedule(Schedule::cosine(4));
    let mut whole = trainer(&options);
    whole.fit(&data).unwrap();
    assert_eq!(whole.history().epochs.len(), 4);
    // After each batch of the second epoch, the last of which is the epoch's end, and after the epoch itself.
    for interruption in 1..=9 {
        let mut interrupted = trainer(&options);
        let observer = |event: Event<'_>| match event {
            Event::Batch { epoch: 2, done, .. } if done == interruption => Break(()),
            Event::Epoch(record) if record.epoch == 2 && interruption == 9 => Break(()),
            _ => Continue(()),
        };
        let history = interrupted.fit_with(&data, observer).unwrap();
        assert_eq!(history.stopped, Some(StopReason::Observer));
        assert_eq!(history.epochs.len(), 1 + usize::from(interruption == 9));
        let history = interrupted.fit(&data).unwrap();
        assert_eq!(history.stopped, None);
        assert_eq!(
            losses(&interrupted),
            losses(&whole),
            "interrupted at {interruption}"
        );
        assert_eq!(weights(interrupted.network()), weights(whole.network()));
        assert!(interrupted.history().seconds() > 0.0);
    }
}

#[test]
fn epochs_one_at_a_time_are_the_same_training() {
    let (data, test) = digits::<f32>(7, 300, 50).unwrap();
    let sets = Sets::from(&data).with_test(&test);
    let mut whole = trainer(&options(3));
    whole.fit(sets).unwrap();
    let mut single = trainer(&options(3));
    let mut run = single.start(sets).unwrap();
    let mut count = 0;
    while let Some(record) = run.epoch().unwrap() {
        count += 1;
        assert_eq!(record.epoch, count);
        assert_eq!(record.test, whole.history().epochs[count - 1].test);
    }
    assert_eq!(count, 3);
    assert_eq!(weights(single.network()), weights(whole.network()));
}

#[test]
fn early_stopping_goes_back_to_the_best_epoch() {
    let (data, _) = digits::<f32>(7, 60, 1).unwrap();
    let (_, validation) = digits::<f32>(8, 1, 200).unwrap();
    let sets = Sets::from(&data)
        .with_validation(&validation)
        .with_test(&validation);
    let early = options(1000).with_early_stopping(4).with_test_interval(1000);
    let mut trainer = trainer(&early);
    let history = trainer.fit(sets).unwrap().clone();
    let best = history.restored.expect("60 samples are soon learned by heart");
    let validation_loss = |epoch: usize| history.epochs[epoch - 1].validation.unwrap().loss;
    assert_eq!(history.epochs.len(), best + 4);
    assert!(
        (1..=history.epochs.len())
            .all(|epoch| epoch == best || validation_loss(epoch) >= validation_loss(best))
    );
    let evaluation = trainer
        .network()
        .evaluate(&validation, &CrossEntropyLoss::default())
        .unwrap();
    assert_eq!(
        evaluation.loss,
        validation_loss(best),
        "the weights are those of that epoch"
    );
    assert_eq!(
        history.test().unwrap(),
        evaluation,
        "and are tested although no test was due"
    );
    assert_eq!(history.stopped, Some(StopReason::EarlyStopping));
    assert_eq!(trainer.fit(sets).unwrap().epochs.len(), best + 4, "it is over");

    // With other options it goes on from the best.
    let mut trainer = trainer.options(options(best + 5));
    assert_eq!(trainer.fit(sets).unwrap().epochs.len(), best + 5);
    assert_eq!(trainer.history().restored, None);
}

#[test]
fn a_last_batch_of_one_sample_is_refused_before_anything_is_learned() {
    let (data, _) = digits::<f32>(7, 129, 1).unwrap();
    let mut refused = trainer(&options(1));
    let error = refused.fit(&data).unwrap_err().to_string();
    assert!(
        error.starts_with("training, a batch of 1: BatchNorm1d"),
        "{error}"
    );
    assert!(refused.history().epochs.is_empty());
    assert_eq!(weights(refused.network()), weights(&network()));
    let fitting = options(1).with_batch_size(43);
    trainer(&fitting).fit(&data).unwrap();
}

#[test]
fn a_plateau_lowers_the_rate() {
    let noise = Dataset::regression(array![[0.0], [0.0]], array![[1.0], [-1.0]]).unwrap();
    let network = NeuralNetwork::<f64>::builder(1).linear(1).build().unwrap();
    let options = TrainOptions::default()
        .with_epochs(30)
        .with_schedule(Schedule::plateau());
    let mut trainer = Trainer::new(network, MseLoss::default(), Sgd::new(0.1).unwrap()).options(options);
    let history = trainer.fit(&noise).unwrap();
    // The first loss is the best; eleven that are no better lower the rate.
    let rates: Vec<f64> = history.epochs.iter().map(|record| record.learning_rate).collect();
    assert_eq!(rates[..12], [0.1; 12]);
    assert!(
        (rates[12] - 0.01).abs() < 1e-15 && (rates[29] - 0.001).abs() < 1e-15,
        "{rates:?}"
    );
}

#[test]
fn odd_options_are_refused() {
    let (data, _) = digits::<f32>(7, 10, 1).unwrap();
    let refused = |options: TrainOptions| {
        let error = trainer(&options).fit(&data).unwrap_err();
        assert!(matches!(error, Error::InvalidOption { .. }), "{error}");
    };
    refused(options(0));
    refused(options(1).with_batch_size(0));
    refused(options(1).with_test_interval(0));
    refused(options(1).with_schedule(Schedule::step(0)));
}

#[cfg(feature = "save")]
mod checkpoints {
    use super::*;
    use mfnet::Clip;
    use mfnet::optimizer::Optimizer;
    use std::path::Path;

    type Make<T> = fn() -> Box<dyn Optimizer<T>>;

    fn made<T: mfnet::Element>(optimizer: Make<T>, epochs: usize) -> Trainer<T> {
        let network = NeuralNetwork::builder(784)
            .linear(40)
            .batch_norm()
            .tanh()
            .dropout(0.3)
            .linear(10)
            .seed(7)
            .build()
            .unwrap();
        let options = options(epochs)
            .with_schedule(Schedule::plateau())
            .with_early_stopping(3);
        Trainer::from_parts(network, Box::new(CrossEntropyLoss::default()), optimizer()).options(options)
    }

    /// Trains in one go and in pieces of so many batches, each of which begins with a checkpoint.
    fn check<T: mfnet::Element>(optimizer: Make<T>) {
        let (data, validation) = digits::<T>(7, 300, 60).unwrap();
        let sets = Sets::from(&data).with_validation(&validation);
        let mut whole = made(optimizer, 6);
        whole.fit(sets).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        for piece in [1, 3, 5, 7] {
            let mut trainer = made(optimizer, 6);
            loop {
                let mut batches = 0;
                let interrupt = |event: Event<'_>| {
                    batches += usize::from(matches!(event, Event::Batch { .. }));
                    if batches == piece { Break(()) } else { Continue(()) }
                };
                if trainer.fit_with(sets, interrupt).unwrap().stopped != Some(StopReason::Observer) {
                    break;
                }
                trainer.save_checkpoint(&path, None).unwrap();
                trainer = made(optimizer, 6);
                trainer.load_checkpoint(&path).unwrap();
            }
            assert_eq!(
                weights(trainer.network()),
                weights(whole.network()),
                "pieces of {piece} batches"
            );
            let times = |trainer: &Trainer<T>| {
                let mut history = trainer.history().clone();
                history.epochs.iter_mut().for_each(|record| record.seconds = 0.0);
                history
            };
            assert_eq!(times(&trainer), times(&whole));
        }
    }

    #[test]
    fn going_on_from_checkpoints_is_exact_with_every_optimizer() {
        check::<f32>(|| Box::new(Adam::new(0.003).unwrap()));
        check::<f64>(|| Box::new(Adam::adamw(0.003).unwrap()));
        check::<f32>(|| Box::new(Sgd::new(0.05).unwrap()));
        check::<f64>(|| Box::new(Sgd::new(0.05).unwrap().momentum(0.9).unwrap().nesterov(true)));
        check::<f32>(|| Box::new(Sgd::new(0.05).unwrap().clip(Clip::Global(0.1)).unwrap()));
    }

    #[test]
    fn the_checkpoint_of_another_training_is_refused() {
        let (data, _) = digits::<f32>(7, 50, 1).unwrap();
        let adam: Make<f32> = || Box::new(Adam::new(0.003).unwrap());
        let sgd: Make<f32> = || Box::new(Sgd::new(0.003).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        let mut trainer = made(adam, 2);
        trainer.fit(&data).unwrap();
        trainer.save_checkpoint(&path, None).unwrap();
        fn refused<T: mfnet::Element>(mut trainer: Trainer<T>, path: &Path, part: &str) {
            let error = trainer.load_checkpoint(path).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        refused(made(sgd, 2), &path, "the training is one with Adam, not with SGD");
        let double: Make<f64> = || Box::new(Adam::new(0.003).unwrap());
        refused(made(double, 2), &path, "the training is one in f32, not in f64");
        refused(trainer_of(&options(2)), &path, "ReLU");
        trainer.network().save(&path).unwrap();
        refused(made(adam, 2), &path, "it is no checkpoint");
    }

    /// What an optimizer remembers of weights is shaped as they are; of a file where it is not, nothing can be gone on with.
    #[test]
    fn an_optimizers_state_of_other_shapes_is_refused() {
        let data = Dataset::regression(array![[1.0, 2.0], [0.5, 1.0]], array![[1.0], [3.0]]).unwrap();
        let momentum: Make<f64> = || Box::new(Sgd::new(0.01).unwrap().momentum(0.9).unwrap());
        let adam: Make<f64> = || Box::new(Adam::new(0.01).unwrap());
        for (optimizer, tensors) in [(momentum, &["momentum"][..]), (adam, &["exp_avg", "exp_avg_sq"])] {
            // Weights of 4 x 3 and 2 x 4 numbers.
            let make = || {
                let network = NeuralNetwork::builder(2)
                    .linear(3)
                    .tanh()
                    .linear(1)
                    .build()
                    .unwrap();
                Trainer::from_parts(network, Box::new(MseLoss::default()), optimizer()).options(options(1))
            };
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("checkpoint.safetensors");
            let mut trained = make();
            trained.fit(&data).unwrap();
            trained.save_checkpoint(&path, None).unwrap();
            let sound = std::fs::read(&path).unwrap();
            make().load_checkpoint(&path).unwrap();
            for (from, to, found, own) in [
                ("0", "[3,4]", "3 x 4", "4 x 3"),
                ("0", "[6,2]", "6 x 2", "4 x 3"),
                ("1", "[4,2]", "4 x 2", "2 x 4"),
            ] {
                // All that Adam remembers of these weights, so that it agrees with itself.
                let mut file = sound.clone();
                let shape = if from == "0" { "[4,3]" } else { "[2,4]" };
                for tensor in tensors {
                    let entry = |shape| {
                        format!("\"optimizer.{from}.{tensor}\":{{\"dtype\":\"F64\",\"shape\":{shape}")
                    };
                    replace(&mut file, &entry(shape), &entry(to));
                }
                std::fs::write(&path, &file).unwrap();
                let mut trainer = make();
                let error = trainer.load_checkpoint(&path).unwrap_err().to_string();
                let expected = format!(
                    "tensor `optimizer.{from}.{}` is {found}, and the weights that it is of are {own}",
                    tensors[0]
                );
                assert!(error.contains(&expected), "{error}");
                assert_eq!(
                    weights(trainer.network()),
                    weights(make().network()),
                    "it stays as it was"
                );
            }
            // Of weights that there are not.
            let mut file = sound.clone();
            for tensor in tensors {
                replace(
                    &mut file,
                    &format!("\"optimizer.1.{tensor}\""),
                    &format!("\"optimizer.2.{tensor}\""),
                );
            }
            std::fs::write(&path, &file).unwrap();
            let error = make().load_checkpoint(&path).unwrap_err().to_string();
            let expected = format!(
                "tensor `optimizer.2.{}` is of no weights: there are 2",
                tensors[0]
            );
            assert!(error.contains(&expected), "{error}");
        }
    }

    /// Changes the one place of a file that reads so.
    fn replace(file: &mut [u8], from: &str, to: &str) {
        assert_eq!(from.len(), to.len());
        let mut places =
            (0..=file.len() - from.len()).filter(|&place| file[place..].starts_with(from.as_bytes()));
        let place = places.next().unwrap();
        assert_eq!(places.next(), None);
        file[place..place + to.len()].copy_from_slice(to.as_bytes());
    }

    fn trainer_of(options: &TrainOptions) -> Trainer<f32> {
        super::trainer(options)
    }

    #[test]
    fn losses_that_are_no_numbers_are_kept() {
        let huge = Dataset::regression(array![[1e30]], array![[-1e30]]).unwrap();
        let sane = Dataset::regression(array![[1.0]], array![[1.0]]).unwrap();
        let make = || {
            let network = NeuralNetwork::<f32>::builder(1)
                .linear(1)
                .seed(7)
                .build()
                .unwrap();
            Trainer::new(network, MseLoss::default(), Sgd::new(0.1).unwrap()).options(options(1))
        };
        let sets = Sets::from(&sane).with_validation(&huge);
        let mut trainer = make();
        trainer.fit(sets).unwrap();
        assert!(trainer.history().epochs[0].monitored().is_infinite());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        trainer.save_checkpoint(&path, None).unwrap();
        let mut loaded = make();
        loaded.load_checkpoint(&path).unwrap();
        assert_eq!(loaded.history(), trainer.history());
    }
}
