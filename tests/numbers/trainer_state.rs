//! What a trainer remembers from one call to the next, and what it must not: interrupted epochs, early stopping, learning
//! rates, optimizers of other networks, partial fits.

use std::ops::ControlFlow::{self, Break, Continue};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use mfnet::layer::Linear;
use mfnet::loss::{Loss, ProbabilityCrossEntropyLoss};
use mfnet::metrics::{Score, accuracy, class_scores, ranking_scores};
use mfnet::optimizer::{Adam, Gradients, Optimizer, Schedule, Scheduler};
use mfnet::{
    CrossEntropyLoss, DataLoader, Dataset, Event, MseLoss, NeuralNetwork, Sets, Sgd, Shuffle, StopReason,
    Targets, TrainOptions, Trainer, Workspace, argmax, train::EpochRecord,
};
use ndarray::{Array2, array};

use crate::noise::noise;

fn data(samples: usize, seed: u64) -> Dataset<f64> {
    Dataset::regression(noise(samples, 3, seed), noise(samples, 2, seed + 1)).unwrap()
}

fn network() -> NeuralNetwork<f64> {
    let builder = NeuralNetwork::builder(3).linear(6).tanh().dropout(0.2);
    builder.linear(2).seed(7).build().unwrap()
}

/// Ten batches of 8 samples make an epoch of 80.
fn trainer(epochs: usize) -> Trainer<f64> {
    let options = TrainOptions::default()
        .with_epochs(epochs)
        .with_batch_size(8)
        .with_seed(3);
    Trainer::new(network(), MseLoss::default(), Adam::new(0.01).unwrap()).options(options)
}

fn weights(trainer: &Trainer<f64>) -> Vec<Array2<f64>> {
    trainer.network().parameters().cloned().collect()
}

/// Breaks off after this batch of an epoch.
fn after_batch(batch: usize) -> impl FnMut(Event<'_>) -> ControlFlow<()> + Send {
    move |event| match event {
        Event::Batch { done, .. } if done == batch => Break(()),
        _ => Continue(()),
    }
}

/// The numbers of the batches that a call of `fit` learns from.
fn batches_of_fit(trainer: &mut Trainer<f64>, data: &Dataset<f64>) -> Vec<usize> {
    let mut batches = Vec::new();
    let observer = |event: Event<'_>| {
        if let Event::Batch { done, .. } = event {
            batches.push(done);
        }
        Continue(())
    };
    trainer.fit_with(data, observer).unwrap();
    batches
}

#[test]
fn a_partial_fit_on_other_data_gives_up_an_interrupted_epoch() {
    let (first, other) = (data(80, 1), data(20, 5));
    let mut trainer = trainer(2);
    trainer.fit_with(&first, after_batch(3)).unwrap();
    let before = weights(&trainer);
    // Dropout draws by epoch and place, and nothing of the old epoch is left: a trainer that never saw it does the same.
    let loss = trainer.partial_fit(&other).unwrap();
    assert_ne!(weights(&trainer), before, "the other data are learned from");
    let expected = trainer
        .network()
        .evaluate(&other, &MseLoss::default())
        .unwrap()
        .loss;
    assert!(
        (loss / expected - 1.0).abs() < 0.5,
        "{loss} is a loss of the other data alone, as {expected} is"
    );
    let record = trainer.history().epochs[0].clone();
    assert_eq!((record.epoch, record.samples), (1, 20));
    // The epochs of `fit` are all there still, and the first begins at its first batch.
    let batches = batches_of_fit(&mut trainer, &first);
    assert_eq!(batches, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].repeat(2));
    let samples: Vec<usize> = trainer
        .history()
        .epochs
        .iter()
        .map(|record| record.samples)
        .collect();
    assert_eq!(samples, [20, 80, 80]);
}

#[test]
fn a_fit_on_other_data_or_other_batches_begins_a_fresh_epoch() {
    let (first, other) = (data(80, 1), data(80, 5));
    let mut interrupted = trainer(1);
    interrupted.fit_with(&first, after_batch(3)).unwrap();
    assert_eq!(batches_of_fit(&mut interrupted, &other), Vec::from_iter(1..=10));
    assert_eq!(interrupted.history().epochs.len(), 1);

    let options = || {
        TrainOptions::default()
            .with_epochs(1)
            .with_batch_size(8)
            .with_seed(3)
    };
    for (changed, batches) in [
        (options().with_batch_size(16), 1..=5),
        (options().with_seed(4), 1..=10),
        (options().with_shuffle(Shuffle::None), 1..=10),
        (options().with_drop_last(true), 1..=10),
        // These leave the batches as they are.
        (options().with_early_stopping(3), 4..=10),
        (options().with_test_interval(2), 4..=10),
    ] {
        let mut interrupted = trainer(1);
        interrupted.fit_with(&first, after_batch(3)).unwrap();
        let mut changed_trainer = interrupted.options(changed.clone());
        let found = batches_of_fit(&mut changed_trainer, &first);
        assert_eq!(found, Vec::from_iter(batches), "{changed:?}");
    }

    // What is refused changes nothing: the epoch can still be continued.
    let mut refused = trainer(1);
    refused.fit_with(&first, after_batch(3)).unwrap();
    let wide = Dataset::regression(noise(80, 4, 1), noise(80, 2, 2)).unwrap();
    assert!(refused.fit(&wide).is_err() && refused.partial_fit(&wide).is_err());
    assert_eq!(batches_of_fit(&mut refused, &first), Vec::from_iter(4..=10));
}

#[test]
fn a_partial_fit_on_the_same_data_completes_an_interrupted_epoch() {
    let data = data(80, 1);
    let mut whole = trainer(2);
    whole.fit(&data).unwrap();
    let mut interrupted = trainer(2);
    interrupted.fit_with(&data, after_batch(3)).unwrap();
    let loss = interrupted.partial_fit(&data.clone()).unwrap();
    assert_eq!(loss, whole.history().epochs[0].train_loss);
    interrupted.fit(&data).unwrap();
    assert_eq!(
        interrupted.history().epochs.len(),
        2,
        "the epoch counts as one of fit"
    );
    assert_eq!(weights(&interrupted), weights(&whole));
}

#[test]
fn a_run_goes_on_in_the_middle_of_an_epoch() {
    let data = data(80, 1);
    let mut whole = trainer(2);
    whole.fit(&data).unwrap();
    let mut pieces = trainer(2);
    let mut run = pieces.start(&data).unwrap();
    for batch in [3, 7, 10] {
        assert_eq!(run.epoch_with(after_batch(batch)).unwrap(), None);
        assert_eq!(run.history().stopped, Some(StopReason::Observer));
    }
    let record = run.epoch().unwrap().expect("the epoch is complete");
    assert_eq!(record.train_loss, whole.history().epochs[0].train_loss);
    assert_eq!(run.history().stopped, None);
    assert_eq!(run.epoch().unwrap().unwrap().epoch, 2);
    assert_eq!(run.epoch().unwrap(), None);
    assert_eq!(weights(&pieces), weights(&whole));

    // At the end of an epoch the record comes first, then `None` ends a loop over the epochs.
    let mut pieces = trainer(2);
    let mut run = pieces.start(&data).unwrap();
    let ends = |event: Event<'_>| match event {
        Event::Epoch(_) => Break(()),
        _ => Continue(()),
    };
    assert_eq!(run.epoch_with(ends).unwrap().unwrap().epoch, 1);
    assert_eq!(run.epoch_with(ends).unwrap(), None);
    assert_eq!(run.epoch_with(ends).unwrap().unwrap().epoch, 2);
    assert_eq!(weights(&pieces), weights(&whole));
}

/// Noise to learn by heart: the validation loss rises after a few epochs.
#[test]
fn an_early_stopped_training_goes_on_with_more_epochs() {
    let (train, validation) = (data(16, 1), data(80, 5));
    let sets = Sets::from(&train).with_validation(&validation);
    let options = TrainOptions::default().with_batch_size(4).with_early_stopping(3);
    let network = NeuralNetwork::builder(3)
        .linear(30)
        .tanh()
        .linear(2)
        .seed(7)
        .build()
        .unwrap();
    let trainer = Trainer::new(network, MseLoss::default(), Adam::new(0.01).unwrap());
    let mut trainer = trainer.options(options.clone().with_epochs(500));
    let history = trainer.fit(sets).unwrap().clone();
    let (epochs, best) = (history.epochs.len(), history.restored.unwrap());
    assert_eq!(history.stopped, Some(StopReason::EarlyStopping));
    assert_eq!(epochs, best + 3);
    assert_eq!(trainer.fit(sets).unwrap().epochs.len(), epochs, "it is over");

    let mut trainer = trainer.options(options.with_epochs(1000));
    let history = trainer.fit(sets).unwrap().clone();
    assert!(
        history.epochs.len() >= epochs + 3,
        "patience counts anew: {epochs}, {}",
        history.epochs.len()
    );
    assert_eq!(history.stopped, Some(StopReason::EarlyStopping));
    let loss = |epoch: usize| history.epochs[epoch - 1].validation.unwrap().loss;
    let again = history.restored.unwrap();
    assert!(
        again == best || loss(again) < loss(best),
        "the best weights are kept"
    );
    let evaluation = trainer
        .network()
        .evaluate(&validation, &MseLoss::default())
        .unwrap();
    assert_eq!(evaluation.loss, loss(again));
}

#[test]
fn min_delta_ends_a_training_that_hardly_improves() {
    let train = data(80, 1);
    let fit = |min_delta: f64| {
        let options = TrainOptions::default().with_epochs(40).with_early_stopping(2);
        let sgd = Sgd::new(0.001).unwrap();
        let network = NeuralNetwork::builder(3).linear(2).seed(7).build().unwrap();
        let options = options.with_min_delta(min_delta);
        let mut trainer = Trainer::new(network, MseLoss::default(), sgd).options(options);
        trainer.fit(&train).unwrap().epochs.len()
    };
    // Full batches with short steps: each epoch is a little better than the one before.
    assert_eq!(fit(0.0), 40);
    assert_eq!(fit(0.1), 3);
}

/// Plain steps, with the learning rate where a test can see it.
#[derive(Debug)]
struct Recorder {
    rate: Arc<Mutex<f64>>,
    /// The rates of all steps.
    steps: Arc<Mutex<Vec<f64>>>,
    /// The step that panics.
    panics_at: Option<usize>,
}

impl Optimizer<f64> for Recorder {
    fn name(&self) -> &'static str {
        "recorder"
    }

    fn learning_rate(&self) -> f64 {
        *self.rate.lock().unwrap()
    }

    fn set_learning_rate(&mut self, rate: f64) {
        *self.rate.lock().unwrap() = rate;
    }

    fn reset(&mut self) {
        self.steps.lock().unwrap().clear();
    }

    fn start_step(&mut self, _gradients: &Gradients<'_, f64>) -> mfnet::Result<()> {
        let rate = self.learning_rate();
        let mut steps = self.steps.lock().unwrap();
        steps.push(rate);
        let count = steps.len();
        drop(steps);
        assert_ne!(Some(count), self.panics_at, "as asked for");
        Ok(())
    }

    fn update(&mut self, _index: usize, weights: &mut Array2<f64>, gradient: &mut Array2<f64>) {
        weights.scaled_add(-self.learning_rate(), gradient);
    }
}

#[test]
fn the_learning_rate_outside_of_a_step_is_the_users() {
    let data = data(80, 1);
    let (rate, steps) = (Arc::new(Mutex::new(0.25)), Arc::new(Mutex::new(vec![9.0])));
    let schedule = Schedule::cosine_per_step(2);
    let options = TrainOptions::default().with_epochs(2).with_batch_size(8);
    let options = options.with_schedule(schedule).with_warmup_epochs(1);
    let make = |panics_at| {
        let recorder = Recorder {
            rate: rate.clone(),
            steps: steps.clone(),
            panics_at,
        };
        Trainer::new(network(), MseLoss::default(), recorder).options(options.clone())
    };
    let own = || *rate.lock().unwrap();
    let mut trainer = make(None);
    assert!(
        steps.lock().unwrap().is_empty(),
        "a trainer resets the optimizer it is given"
    );
    trainer.fit_with(&data, after_batch(3)).unwrap();
    assert_eq!(own(), 0.25);
    let seen = |_: Event<'_>| {
        assert_eq!(own(), 0.25);
        Continue(())
    };
    trainer.fit_with(&data, seen).unwrap();
    assert_eq!(own(), 0.25);
    // The rates of the steps themselves.
    let scheduler = Scheduler::new(schedule, 0.25).unwrap().with_warmup(1);
    let places = (1..=2).flat_map(|epoch| (0..10).map(move |batch| (epoch, batch)));
    let expected: Vec<f64> = places
        .map(|(epoch, batch)| scheduler.step_rate(epoch, batch, 10))
        .collect();
    assert_eq!(*steps.lock().unwrap(), expected);
    let recorded: Vec<f64> = trainer
        .history()
        .epochs
        .iter()
        .map(|record| record.learning_rate)
        .collect();
    assert_eq!(recorded, [expected[9], expected[19]]);

    // A partial fit has no schedule.
    trainer.partial_fit(&data).unwrap();
    assert_eq!(steps.lock().unwrap()[20..], [0.25; 10]);

    // Panics, of the observer and of the optimizer, and divergence.
    let mut panicking = make(None);
    let panic = |_: Event<'_>| -> ControlFlow<()> { panic!("as asked for") };
    assert!(catch_unwind(AssertUnwindSafe(|| panicking.fit_with(&data, panic).map(drop))).is_err());
    assert_eq!(own(), 0.25);
    let mut panicking = make(Some(3));
    assert!(catch_unwind(AssertUnwindSafe(|| panicking.fit(&data).map(drop))).is_err());
    assert_eq!(own(), 0.25);
    *rate.lock().unwrap() = 1e200;
    let mut diverging = make(None);
    assert!(diverging.fit(&data).is_err());
    assert_eq!(own(), 1e200);
}

#[test]
fn a_trainer_forgets_what_its_optimizer_remembers_of_another_network() {
    let data = data(80, 1);
    let mut fresh = trainer(2);
    fresh.fit(&data).unwrap();

    let mut adam = Adam::new(0.01).unwrap();
    let mut other = network();
    let mut workspace = Workspace::new(&other, 8).unwrap();
    let loader = DataLoader::new(&data, 8, Shuffle::None, 0).unwrap();
    for batch in loader.batches() {
        other
            .forward_backward(&batch, &MseLoss::default(), &mut workspace)
            .unwrap();
        other.apply_gradients(&mut adam, &mut workspace).unwrap();
    }
    let options = TrainOptions::default()
        .with_epochs(2)
        .with_batch_size(8)
        .with_seed(3);
    let mut used = Trainer::new(network(), MseLoss::default(), adam.clone()).options(options);
    used.fit(&data).unwrap();
    assert_eq!(weights(&used), weights(&fresh));

    // In a loop of one's own it is an error, and changes nothing.
    let mut second = network();
    let before: Vec<Array2<f64>> = second.parameters().cloned().collect();
    let batch = loader.batches().next().unwrap();
    second
        .forward_backward(&batch, &MseLoss::default(), &mut workspace)
        .unwrap();
    let error = second
        .apply_gradients(&mut adam, &mut workspace)
        .unwrap_err()
        .to_string();
    assert!(error.contains("another network of the same shapes"), "{error}");
    assert!(second.parameters().eq(&before));
    Optimizer::<f64>::reset(&mut adam);
    second.apply_gradients(&mut adam, &mut workspace).unwrap();
    assert!(second.parameters().ne(&before));
}

#[test]
fn partial_fits_use_up_no_epochs_and_count_their_own_samples() {
    let (large, small) = (data(80, 1), data(24, 5));
    let mut trainer = trainer(3);
    for _ in 0..5 {
        trainer.partial_fit(&small).unwrap();
    }
    let before = weights(&trainer);
    let history = trainer.fit(&large).unwrap();
    assert_eq!(history.epochs.len(), 8);
    let numbers: Vec<usize> = history.epochs.iter().map(|record| record.epoch).collect();
    assert_eq!(numbers, Vec::from_iter(1..=8));
    let samples: usize = history.epochs.iter().map(|record| record.samples).sum();
    assert_eq!(samples, 5 * 24 + 3 * 80);
    let speed = samples as f64 / history.seconds();
    assert!((history.samples_per_second() / speed - 1.0).abs() < 1e-12);
    assert_ne!(weights(&trainer), before);
}

#[test]
fn the_last_short_batch_can_be_left_out() {
    let data = data(83, 1);
    let options = TrainOptions::default()
        .with_epochs(2)
        .with_batch_size(8)
        .with_drop_last(true);
    let mut trainer = trainer(2).options(options);
    assert_eq!(
        batches_of_fit(&mut trainer, &data),
        Vec::from_iter(1..=10).repeat(2)
    );
    assert_eq!(trainer.history().epochs[1].samples, 80);
    // A rest of one sample is no hindrance to batch normalisation then.
    let normed = || {
        let network = NeuralNetwork::builder(3)
            .linear(4)
            .batch_norm()
            .linear(2)
            .build()
            .unwrap();
        Trainer::new(network, MseLoss::default(), Sgd::new(0.01).unwrap())
    };
    let options = TrainOptions::default().with_epochs(1).with_batch_size(82);
    assert!(normed().options(options.clone()).fit(&data).is_err());
    normed().options(options.with_drop_last(true)).fit(&data).unwrap();
}

#[test]
fn a_loss_that_does_not_fit_the_head_is_refused_before_the_first_step() {
    let data =
        Dataset::classification(noise::<f64>(20, 3, 1), (0..20).map(|row| row % 4).collect(), 4).unwrap();
    let build = || NeuralNetwork::builder(3).linear(4).seed(1);
    let (logits, probabilities) = (build().build().unwrap(), build().softmax().build().unwrap());
    let on_logits = CrossEntropyLoss::default();
    let on_probabilities = ProbabilityCrossEntropyLoss::default();
    assert!(logits.evaluate(&data, &on_logits).is_ok());
    assert!(probabilities.evaluate(&data, &on_probabilities).is_ok());
    // Of the squared error both heads are right.
    assert!(logits.evaluate(&data, &MseLoss::default()).is_ok());
    assert!(probabilities.evaluate(&data, &MseLoss::default()).is_ok());

    let loader = DataLoader::new(&data, 20, Shuffle::None, 0).unwrap();
    let batch = loader.batches().next().unwrap();
    let mut workspace = Workspace::new(&logits, 20).unwrap();
    let double_softmax = "expects logits, and the network ends in a softmax and gives probabilities: take the \
                          ProbabilityCrossEntropyLoss, or leave out the softmax";
    let no_softmax = "expects probabilities, and the network does not end in a softmax and gives logits: take the \
                      CrossEntropyLoss, or add a softmax";
    let says = |result: mfnet::Result<()>, expected: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
    };
    says(
        probabilities.evaluate(&data, &on_logits).map(drop),
        double_softmax,
    );
    says(logits.evaluate(&data, &on_probabilities).map(drop), no_softmax);
    says(
        probabilities
            .forward_backward(&batch, &on_logits, &mut workspace)
            .map(drop),
        double_softmax,
    );
    says(
        logits
            .forward_backward(&batch, &on_probabilities, &mut workspace)
            .map(drop),
        no_softmax,
    );
    let mut trainer = Trainer::new(probabilities, on_logits, Sgd::new(0.1).unwrap());
    says(trainer.fit(&data).map(drop), double_softmax);
    says(trainer.partial_fit(&data).map(drop), double_softmax);
    let mut trainer = Trainer::new(logits, on_probabilities, Sgd::new(0.1).unwrap());
    says(trainer.fit(&data).map(drop), no_softmax);
}

#[test]
fn rows_of_nan_are_never_right() {
    // The outputs are infinity - infinity.
    let layer = Linear::from_weights(array![[1e308, -1e308], [1e308, -1e308]].view(), &[0.0, 0.0]).unwrap();
    let network = NeuralNetwork::builder(2).layer(Box::new(layer)).build().unwrap();
    let data = Dataset::classification(array![[10.0, 10.0], [0.0, 0.0]], vec![0, 0], 2).unwrap();
    let outputs = network.predict_dataset(&data).unwrap();
    assert!(
        outputs.row(0).iter().all(|output: &f64| output.is_nan()),
        "{outputs}"
    );
    let evaluation = network.evaluate(&data, &CrossEntropyLoss::default()).unwrap();
    assert_eq!(
        evaluation.accuracy,
        Some(0.5),
        "the first of equals is class 0, and NaN is none"
    );
    let error = argmax(outputs.view()).unwrap_err().to_string();
    assert!(error.contains("row 0"), "{error}");
}

/// Two classes that overlap, of which one is rare; and others of the same kind to validate with.
fn rare(first: usize, samples: usize) -> Dataset<f64> {
    let number = |(row, feature): (usize, usize)| {
        let wave = [37, 53][feature] * (first + row) % 101;
        wave as f64 / 50.0 - 1.0
    };
    let inputs = Array2::from_shape_fn((samples, 2), number);
    let label = |row: ndarray::ArrayView1<'_, f64>| u32::from(row[0] + 0.6 * (7.0 * row[1]).sin() > 0.8);
    let labels = inputs.rows().into_iter().map(label).collect();
    Dataset::classification(inputs, labels, 2).unwrap()
}

fn score_of(score: Score, network: &NeuralNetwork<f64>, data: &Dataset<f64>) -> f64 {
    let Targets::Classes { labels, .. } = data.targets() else {
        panic!("classes")
    };
    let outputs = network.predict_dataset(data).unwrap();
    let predicted = argmax(outputs.view()).unwrap();
    let is_second: Vec<bool> = labels.iter().map(|&label| label == 1).collect();
    let margins = (&outputs.column(1) - &outputs.column(0)).to_vec();
    let ranking = ranking_scores(&margins, &is_second).unwrap().unwrap();
    match score {
        Score::Accuracy => accuracy(&predicted, labels).unwrap(),
        Score::F1 => class_scores(&predicted, labels, 2).unwrap().classes[1].f1,
        Score::RocAuc => ranking.roc_auc,
        Score::AveragePrecision => ranking.average_precision,
        _ => network.evaluate(data, &CrossEntropyLoss::default()).unwrap().loss,
    }
}

#[test]
fn early_stopping_follows_the_score_that_is_chosen() {
    let (train, validation) = (rare(0, 60), rare(60, 50));
    for score in [
        Score::Loss,
        Score::Accuracy,
        Score::F1,
        Score::RocAuc,
        Score::AveragePrecision,
    ] {
        let options = TrainOptions::default()
            .with_epochs(60)
            .with_batch_size(10)
            .with_early_stopping(60)
            .with_early_stopping_score(score);
        let network = NeuralNetwork::builder(2)
            .linear(8)
            .tanh()
            .linear(2)
            .seed(5)
            .build()
            .unwrap();
        let mut trainer =
            Trainer::new(network, CrossEntropyLoss::default(), Sgd::new(0.4).unwrap()).options(options);
        let history = trainer
            .fit(Sets::from(&train).with_validation(&validation))
            .unwrap()
            .clone();
        let reached = score_of(score, &trainer.into_network(), &validation);
        // The first of the best epochs, and the network has its weights.
        let value = |record: &EpochRecord| record.score.unwrap_or(record.monitored());
        let best = history.epochs.iter().reduce(|best, one| {
            if score.is_better(value(one), value(best)) {
                one
            } else {
                best
            }
        });
        let best = best.unwrap();
        assert!(
            (value(best) - reached).abs() < 1e-12,
            "{score}: {} and {reached}",
            value(best)
        );
        let restored = Some(best.epoch).filter(|&epoch| epoch < history.epochs.len());
        assert_eq!(history.restored, restored, "{score}");
        assert_eq!(best.score.is_some(), score != Score::Loss);
    }
}

#[test]
fn a_score_that_cannot_be_followed_is_refused_before_the_first_step() {
    let (train, validation) = (rare(0, 60), rare(60, 50));
    let message = |score, sets: Sets<'_, f64>, loss: Box<dyn Loss<f64>>| {
        let network = NeuralNetwork::builder(2).linear(2).build().unwrap();
        let options = TrainOptions::default()
            .with_early_stopping(3)
            .with_early_stopping_score(score);
        let optimizer = Box::new(Sgd::new(0.1).unwrap());
        let mut trainer = Trainer::from_parts(network, loss, optimizer).options(options);
        trainer.fit(sets).unwrap_err().to_string()
    };
    let cross_entropy = || Box::new(CrossEntropyLoss::default());
    let all = Sets::from(&train).with_validation(&validation);
    assert!(message(Score::RocAuc, Sets::from(&train), cross_entropy()).contains("a validation set"));
    assert!(message(Score::R2, all, cross_entropy()).contains("for numbers"));
    assert!(message(Score::RocAuc, all, Box::<MseLoss>::default()).contains("a loss of probabilities"));
    let one = Dataset::classification(Array2::ones((3, 2)), vec![1; 3], 2).unwrap();
    let sets = Sets::from(&train).with_validation(&one);
    assert!(message(Score::AveragePrecision, sets, cross_entropy()).contains("each class"));
}
