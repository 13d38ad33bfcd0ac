//! Features that meet: what one of them leaves behind is not mistaken for its own by another.

use std::ops::ControlFlow::{Break, Continue};
use std::panic::{AssertUnwindSafe, catch_unwind};

use mfnet::loss::TargetsView;
use mfnet::{
    Adam, CrossEntropyLoss, DataLoader, Dataset, Event, Loss, MseLoss, NeuralNetwork, Reduction, Schedule,
    Sets, Sgd, Shuffle, TrainOptions, Trainer, Workspace,
};
use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use crate::noise::noise;

fn network() -> NeuralNetwork<f64> {
    NeuralNetwork::builder(3)
        .linear(6)
        .tanh()
        .linear(1)
        .seed(7)
        .build()
        .unwrap()
}

fn data(seed: u64) -> Dataset<f64> {
    Dataset::regression(noise(40, 3, seed), noise(40, 1, seed + 1)).unwrap()
}

fn options(epochs: usize) -> TrainOptions {
    TrainOptions::default().with_epochs(epochs).with_batch_size(8)
}

fn trainer(options: TrainOptions) -> Trainer<f64> {
    Trainer::new(network(), MseLoss::default(), Sgd::new(0.05).unwrap()).options(options)
}

fn parameters(network: &NeuralNetwork<f64>) -> Vec<Array2<f64>> {
    network.parameters().cloned().collect()
}

#[cfg(feature = "save")]
#[test]
fn a_frozen_training_is_resumed_frozen() {
    let (data, folder) = (data(1), tempfile::tempdir().unwrap());
    let path = folder.path().join("checkpoint.safetensors");
    let make = |frozen: bool| {
        let mut network = network();
        network.set_trainable(..1, !frozen).unwrap();
        Trainer::new(network, MseLoss::default(), Adam::new(0.01).unwrap()).options(options(4))
    };
    let mut whole = make(true);
    whole.fit(&data).unwrap();
    let mut interrupted = make(true);
    interrupted
        .fit_with(&data, |event| match event {
            Event::Batch {
                epoch: 2, done: 3, ..
            } => Break(()),
            _ => Continue(()),
        })
        .unwrap();
    interrupted.save_checkpoint(&path, None).unwrap();
    let mut resumed = make(true);
    resumed.load_checkpoint(&path).unwrap();
    resumed.fit(&data).unwrap();
    assert_eq!(parameters(resumed.network()), parameters(whole.network()));
    let error = make(false).load_checkpoint(&path).unwrap_err().to_string();
    assert!(
        error.contains("frozen layers is 0 there and none here"),
        "{error}"
    );
}

/// Early stopping whose best epoch is the first: the data of the others are no use.
fn stopped_early(training: &Dataset<f64>, validation: &Dataset<f64>) -> Trainer<f64> {
    let mut trainer = Trainer::new(network(), MseLoss::default(), Sgd::new(0.3).unwrap());
    trainer = trainer.options(options(30).with_early_stopping(2));
    trainer
        .fit(Sets::from(training).with_validation(validation))
        .unwrap();
    assert!(trainer.history().restored.is_some(), "{:?}", trainer.history());
    trainer
}

#[test]
fn the_restored_epoch_is_known_until_training_continues() {
    let (training, validation) = (data(1), data(3));
    let mut trainer = stopped_early(&training, &validation);
    let (restored, epochs) = (trainer.history().restored, trainer.history().epochs.len());
    trainer = trainer.options(options(epochs).with_early_stopping(2));
    trainer
        .fit(Sets::from(&training).with_validation(&validation))
        .unwrap();
    assert_eq!(
        (trainer.history().restored, trainer.history().epochs.len()),
        (restored, epochs)
    );
    trainer.partial_fit(&training).unwrap();
    assert_eq!(trainer.history().restored, None);
}

#[test]
fn early_stopping_starts_anew_on_other_data() {
    let (training, validation) = (data(1), data(3));
    let zeros = Dataset::regression(Array2::zeros((8, 3)), Array2::zeros((8, 1))).unwrap();
    let mut trainer = trainer(options(3).with_early_stopping(3));
    trainer.fit(&zeros).unwrap();
    trainer = trainer.options(options(12).with_early_stopping(30));
    trainer
        .fit(Sets::from(&training).with_validation(&validation))
        .unwrap();
    let history = trainer.history();
    assert_eq!(history.epochs.len(), 12);
    assert!(
        history.result().unwrap().epoch > 3,
        "not the weights of other data: {:?}",
        history.restored
    );
}

#[test]
fn a_training_that_ends_where_it_was_stopped_has_its_best_weights() {
    let (training, validation) = (data(1), data(3));
    let early = || options(30).with_early_stopping(25);
    let mut trainer = Trainer::new(network(), MseLoss::default(), Sgd::new(0.3).unwrap()).options(early());
    let sets = Sets::from(&training).with_validation(&validation);
    trainer
        .fit_with(sets, |event| match event {
            Event::Epoch(record) if record.epoch == 10 => Break(()),
            _ => Continue(()),
        })
        .unwrap();
    let best = |trainer: &Trainer<f64>| {
        let losses = trainer.history().epochs.iter().map(|record| record.monitored());
        let least = losses.clone().fold(f64::INFINITY, f64::min);
        losses.clone().position(|loss| loss == least).unwrap() + 1
    };
    let expected = best(&trainer);
    assert!(expected < 10, "the last epoch is not the best one");
    trainer = trainer.options(early().with_epochs(10));
    trainer.fit(sets).unwrap();
    assert_eq!(trainer.history().restored, Some(expected));
}

#[test]
fn an_observer_that_panics_loses_no_epoch() {
    let data = data(1);
    for epoch in 1..=4 {
        let mut trainer = trainer(options(4).with_early_stopping(9));
        let panics = |event: Event<'_>| match event {
            Event::Epoch(record) if record.epoch == epoch => panic!("on purpose"),
            _ => Continue(()),
        };
        assert!(catch_unwind(AssertUnwindSafe(|| trainer.fit_with(&data, panics).map(|_| ()))).is_err());
        trainer.fit(&data).unwrap();
        let epochs: Vec<usize> = trainer
            .history()
            .epochs
            .iter()
            .map(|record| record.epoch)
            .collect();
        assert_eq!(epochs, [1, 2, 3, 4]);
    }
}

/// A partial fit has no validation set: its loss is not compared with those that a `fit` was validated by.
#[test]
fn a_plateau_compares_losses_of_one_kind() {
    let training = data(1);
    let large = Dataset::regression(noise(40, 3, 5), noise::<f64>(40, 1, 6) * 50.0).unwrap();
    let plateau = Schedule::Plateau {
        factor: 0.5,
        patience: 2,
        threshold: 0.0,
        minimum: 0.0,
    };
    let rates = |interrupted: bool| {
        let mut trainer = trainer(options(8).with_schedule(plateau));
        let sets = Sets::from(&training).with_validation(&large);
        if interrupted {
            let stops = |event: Event<'_>| match event {
                Event::Batch {
                    epoch: 2, done: 3, ..
                } => Break(()),
                _ => Continue(()),
            };
            trainer.fit_with(sets, stops).unwrap();
            trainer.partial_fit(&training).unwrap();
        }
        trainer.fit(sets).unwrap();
        trainer
            .history()
            .epochs
            .iter()
            .map(|record| record.learning_rate)
            .collect::<Vec<_>>()
    };
    assert_eq!(rates(true)[..5], rates(false)[..5]);
}

#[test]
fn an_infinite_loss_is_no_improvement() {
    /// A loss of minus infinity where nothing is learned from it.
    #[derive(Debug)]
    struct Bottomless;

    impl Loss<f64> for Bottomless {
        fn name(&self) -> &'static str {
            "bottomless"
        }

        fn reduction(&self) -> Reduction {
            Reduction::Mean
        }

        fn evaluate(
            &self,
            _: ArrayView2<'_, f64>,
            _: TargetsView<'_, f64>,
            _: f64,
            delta: Option<ArrayViewMut2<'_, f64>>,
        ) -> f64 {
            match delta {
                Some(mut delta) => {
                    delta.fill(0.0);
                    1.0
                }
                None => f64::NEG_INFINITY,
            }
        }
    }

    let (training, validation) = (data(1), data(3));
    let mut trainer = Trainer::new(network(), Bottomless, Sgd::new(0.1).unwrap());
    for epochs in [2, 4] {
        trainer = trainer.options(options(epochs).with_schedule(Schedule::plateau()));
        trainer
            .fit(Sets::from(&training).with_validation(&validation))
            .unwrap();
    }
    assert_eq!(trainer.history().epochs.len(), 4);
}

#[test]
fn an_own_loop_is_told_what_does_not_fit() {
    let classes = Dataset::classification(noise(6, 2, 1), vec![0, 1, 0, 1, 1, 0], 2).unwrap();
    let numbers = Dataset::regression(noise(6, 2, 1), noise(6, 2, 2)).unwrap();
    let build = || {
        NeuralNetwork::<f64>::builder(2)
            .linear(2)
            .seed(7)
            .build()
            .unwrap()
    };
    let network = build();
    let propagate = |data: &Dataset<f64>, loss: &CrossEntropyLoss| {
        let mut workspace = Workspace::new(&network, 6).unwrap();
        let loader = DataLoader::new(data, 6, Shuffle::None, 0).unwrap();
        let batch = loader.batches().next().unwrap();
        network
            .forward_backward(&batch, loss, &mut workspace)
            .map(|_| workspace)
    };
    let loss = CrossEntropyLoss::default;
    for odd in [
        loss().with_class_weights(vec![5.0]),
        loss().with_class_weights(vec![1.0, 1.0, 9.0]),
        loss().with_class_weights(vec![-1.0, f64::NAN]),
        loss().with_label_smoothing(7.0),
    ] {
        assert!(propagate(&classes, &odd).is_err(), "{odd:?}");
    }
    assert!(
        propagate(&numbers, &loss()).is_err(),
        "numbers are no one-hot vectors"
    );
    let mut workspace = propagate(&classes, &loss()).unwrap();
    // The batch of one network is none of another's, however alike.
    let mut other = build();
    let error = other
        .apply_gradients(&mut Sgd::new(0.1).unwrap(), &mut workspace)
        .unwrap_err();
    assert!(error.to_string().contains("one of another network"), "{error}");
    assert!(other.gradients(&mut workspace).is_err() && network.gradients(&mut workspace).is_ok());
}

#[test]
fn dropout_behind_the_softmax_leaves_probabilities() {
    let network = NeuralNetwork::<f64>::builder(3)
        .linear(4)
        .softmax()
        .dropout(0.1)
        .seed(7)
        .build()
        .unwrap();
    let samples = noise(5, 3, 1);
    let predictions = network.predict(samples.view()).unwrap();
    assert_eq!(network.predict_proba(samples.view()).unwrap(), predictions);
    assert!(network.gives_probabilities());
    let hidden = NeuralNetwork::<f64>::builder(3)
        .linear(4)
        .softmax()
        .dropout(0.1)
        .linear(2)
        .build()
        .unwrap();
    assert!(!hidden.gives_probabilities());
}
