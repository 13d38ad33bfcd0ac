//! Steps of any length, and data of any size, end in a network that is finite, or in the error that says that training
//! diverged.

use std::ops::ControlFlow::Break;

use mfnet::layer::{Linear, Window};
use mfnet::loss::Loss;
use mfnet::loss::ProbabilityCrossEntropyLoss;
use mfnet::optimizer::{Optimizer, Schedule};
use mfnet::{
    CrossEntropyLoss, Dataset, Element, Error, History, MseLoss, NeuralNetwork, Reduction, Sets, Sgd,
    TrainOptions, Trainer,
};
use ndarray::array;

use crate::drawn::noise;
use crate::each;
use crate::learned::learned;
use crate::once::{fit, max, number, train};

/// Every rule that there is, at this rate.
fn optimizers<T: Element>(rate: f64) -> Vec<Box<dyn Optimizer<T>>> {
    each::optimizers(0.1)
        .into_iter()
        .map(|case| case.make(rate))
        .collect()
}

/// A network, data and a loss that go together.
struct Job<T> {
    what: &'static str,
    network: fn() -> NeuralNetwork<T>,
    data: Dataset<T>,
    loss: fn() -> Box<dyn Loss<T>>,
}

fn jobs<T: Element>() -> Vec<Job<T>> {
    let labels = || (0..12).map(|sample| sample % 3).collect();
    let job = |what, network, data, loss| Job {
        what,
        network,
        data,
        loss,
    };
    vec![
        job(
            "regression",
            || {
                NeuralNetwork::builder(6)
                    .linear(5)
                    .relu()
                    .linear(2)
                    .seed(1)
                    .build()
                    .unwrap()
            },
            Dataset::regression(noise(12, 6, 1), noise(12, 2, 2)).unwrap(),
            || Box::new(MseLoss::default()),
        ),
        job(
            "squashed regression",
            || {
                NeuralNetwork::builder(6)
                    .linear(40)
                    .tanh()
                    .linear(2)
                    .sigmoid()
                    .seed(2)
                    .build()
                    .unwrap()
            },
            Dataset::regression(noise(12, 6, 1), noise(12, 2, 2)).unwrap(),
            || Box::new(MseLoss::default()),
        ),
        job(
            "classes",
            || {
                NeuralNetwork::builder(6)
                    .linear(40)
                    .relu()
                    .dropout(0.3)
                    .linear(3)
                    .seed(3)
                    .build()
                    .unwrap()
            },
            Dataset::classification(noise(12, 6, 1), labels(), 3).unwrap(),
            || Box::new(CrossEntropyLoss::default()),
        ),
        job(
            "images",
            || {
                let images = NeuralNetwork::builder(12).image(1, 3, 4);
                let features = images.conv2d(4, Window::new([2, 2])).batch_norm().relu();
                features.linear(3).softmax().seed(4).build().unwrap()
            },
            Dataset::classification(noise(12, 12, 1), labels(), 3).unwrap(),
            || Box::new(ProbabilityCrossEntropyLoss::default().with_reduction(Reduction::Sum)),
        ),
    ]
}

/// What became of a training.
#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    Trained,
    /// A loss was infinite, or no number.
    Loss,
    /// All losses were finite, and then a weight was not.
    Weights,
}

/// What became of a training; never is it a network that is not finite, or a loss, without an error.
fn outcome<T: Element>(what: &str, network: &NeuralNetwork<T>, result: mfnet::Result<Vec<f64>>) -> Outcome {
    match result {
        Ok(losses) => {
            assert!(losses.iter().all(|loss| loss.is_finite()), "{what}: {losses:?}");
            let learned = learned(network);
            assert!(
                learned.iter().all(|value| value.is_finite()),
                "{what}: {learned:?}"
            );
            Outcome::Trained
        }
        Err(error @ Error::Diverged { loss, .. }) => {
            let message = error.to_string();
            assert!(
                message.starts_with("training diverged: ") && message.contains("learning rate"),
                "{message}"
            );
            if loss.is_finite() {
                assert!(message.contains("is not finite"), "{message}");
                let learned = learned(network);
                assert!(
                    !learned.iter().all(|value| value.is_finite()),
                    "{what}: {learned:?}"
                );
                return Outcome::Weights;
            }
            Outcome::Loss
        }
        Err(error) => panic!("{what}: {error}"),
    }
}

/// The networks that come of a job by every way to train, with the losses on the way.
fn trained<T: Element>(
    job: &Job<T>,
    optimizer: &dyn Fn() -> Box<dyn Optimizer<T>>,
) -> Vec<(NeuralNetwork<T>, mfnet::Result<Vec<f64>>)> {
    let losses = |history: &History| history.epochs.iter().map(|epoch| epoch.train_loss).collect();
    let mut all = Vec::new();
    for epochs in [1, 3] {
        let options = TrainOptions::default().with_epochs(epochs).with_batch_size(4);
        let mut network = (job.network)();
        let result = train(&mut network, &job.data, (job.loss)(), optimizer(), &options);
        all.push((network, result.map(|history| losses(&history))));

        let mut network = (job.network)();
        let sets = Sets::from(&job.data).with_test(&job.data);
        let result = train(&mut network, sets, (job.loss)(), optimizer(), &options);
        all.push((network, result.map(|history| losses(&history))));

        // One that may go back to an earlier epoch, one that is interrupted, and one that goes on as long as it is fed.
        let trainer =
            |options| Trainer::from_parts((job.network)(), (job.loss)(), optimizer()).options(options);
        let mut early = trainer(
            options
                .clone()
                .with_early_stopping(1)
                .with_schedule(Schedule::plateau()),
        );
        let result = early.fit(&job.data).map(losses);
        all.push((early.into_network(), result));

        let mut interrupted = trainer(options.clone());
        let result = interrupted.fit_with(&job.data, |_| Break(())).map(losses);
        all.push((interrupted.into_network(), result));

        let mut fed = trainer(options.clone());
        let result = (0..epochs).map(|_| fed.partial_fit(&job.data)).collect();
        all.push((fed.into_network(), result));
    }
    all
}

/// What becomes of all jobs at this rate, in every way.
fn outcomes<T: Element>(rate: f64) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for job in jobs::<T>() {
        for index in 0..optimizers::<T>(rate).len() {
            let optimizer = || optimizers::<T>(rate).swap_remove(index);
            let what = format!("{}, {}, {:?}", job.what, T::NAME, optimizer());
            for (network, result) in trained(&job, &optimizer) {
                outcomes.push(outcome(&what, &network, result));
            }
        }
    }
    outcomes
}

#[test]
fn the_longest_steps_end_in_finite_weights_or_in_an_error() {
    let mut all = Vec::new();
    for rate in [1e6, 1e18, 1e30, 1e38, f64::from(f32::MAX), 1e300, f64::MAX] {
        all.extend(outcomes::<f32>(rate));
        all.extend(outcomes::<f64>(rate));
    }
    for outcome in [Outcome::Trained, Outcome::Loss, Outcome::Weights] {
        let count = all.iter().filter(|&other| *other == outcome).count();
        assert!(count > 100, "{outcome:?}: {count} of {}", all.len());
    }
}

#[test]
fn the_shortest_steps_are_finite() {
    let shortest = [f64::from_bits(1), 1e-300, 1e-40, f64::from(f32::MIN_POSITIVE)];
    for rate in shortest {
        for outcome in [outcomes::<f32>(rate), outcomes::<f64>(rate)].concat() {
            assert_eq!(outcome, Outcome::Trained);
        }
    }
    // In f32 a rate of 1e-300 is 0, and one of 1e-40 is not: a bias of 0 moves by that much, a weight stays.
    fn moved<T: Element>(rate: f64) -> [bool; 2] {
        let job = jobs::<T>().swap_remove(0);
        let mut network = (job.network)();
        let before = network.parameters().next().unwrap().clone();
        fit(
            &mut network,
            &job.data,
            (job.loss)(),
            Box::new(Sgd::new(rate).unwrap()),
        )
        .unwrap();
        let after = network.parameters().next().unwrap();
        [0, 1].map(|column| before.column(column) != after.column(column))
    }
    assert_eq!(moved::<f32>(1e-300), [false, false]);
    assert_eq!(moved::<f32>(1e-40), [true, false]);
    assert_eq!(moved::<f64>(1e-300), [true, false]);
}

/// A network of one weight of 0, and one batch of one sample: dJ/dW is -2 x y, and the loss is y^2.
fn one_weight<T: Element>(x: f64, y: f64) -> (NeuralNetwork<T>, Dataset<T>) {
    let layer = Linear::from_weights(array![[T::zero()]].view(), &[T::zero()]).unwrap();
    let network = NeuralNetwork::builder(1).layer(Box::new(layer)).build().unwrap();
    let data = Dataset::regression(array![[number::<T>(x)]], array![[number::<T>(y)]]).unwrap();
    (network, data)
}

/// Nothing is propagated through the weights of the last step; still, they are looked at.
#[test]
fn the_last_step_of_all_is_seen_to_overflow() {
    fn check<T: Element>(rate: f64) {
        for optimizer in optimizers::<T>(rate) {
            let (mut network, data) = one_weight::<T>(1e3, 1.0);
            let name = format!("{}, {optimizer:?}", T::NAME);
            let result = fit(&mut network, &data, Box::new(MseLoss::default()), optimizer);
            // The first step of an adaptive optimizer is about as long as the rate, and a clipped one a tenth.
            let finite = learned(&network).iter().all(|value| value.is_finite());
            match result {
                Ok(_) => assert!(finite, "{name}: {:?}", learned(&network)),
                Err(error) => {
                    assert!(!finite, "{name}: {:?}", learned(&network));
                    assert_eq!(
                        error.to_string(),
                        "training diverged: a weight or running statistic is not finite after epoch 1, batch 1, at a \
                         mean loss of 1; a smaller learning rate, normalised inputs or a clipped gradient usually help"
                    );
                }
            }
            let overflows = name.contains("Sgd") && !name.contains("Some");
            assert!(!finite || !overflows, "{name}");
        }
    }
    check::<f32>(1e38);
    check::<f64>(1e307);
}

/// An infinite weight need not show in any loss: a class that has no probability, a unit that is off or saturated.
#[test]
fn infinite_weights_that_no_loss_shows_are_seen() {
    fn check<T: Element>(rate: f64) {
        let data = Dataset::classification(array![[number::<T>(5.0)], [number(9.0)]], vec![0, 0], 3).unwrap();
        let build = || NeuralNetwork::<T>::builder(1).linear(3).seed(1).build().unwrap();
        let loss = CrossEntropyLoss::default().with_reduction(Reduction::Sum);
        for epochs in [1, 2, 5] {
            let options = TrainOptions::default().with_epochs(epochs);
            let mut network = build();
            let sgd = Box::new(Sgd::new(rate).unwrap());
            let result = train(&mut network, &data, Box::new(loss.clone()), sgd, &options);
            let Err(Error::Diverged { epoch, batch, .. }) = result else {
                panic!("{result:?}: {:?}", learned(&network));
            };
            assert_eq!((epoch, batch), (1, 1));
        }
    }
    check::<f32>(1e38);
    check::<f64>(1e308);
}

/// A training that is interrupted in the middle of an epoch is one whose network may be used.
#[test]
fn an_interruption_does_not_hide_an_overflow() {
    let data = Dataset::regression(noise::<f32>(8, 3, 1), noise(8, 1, 2)).unwrap();
    let network = NeuralNetwork::builder(3).linear(4).linear(1).build().unwrap();
    let options = TrainOptions::default().with_batch_size(2);
    let rate = f64::from(f32::MAX) * 100.0;
    let mut trainer = Trainer::new(network, MseLoss::default(), Sgd::new(rate).unwrap()).options(options);
    let error = trainer.fit_with(&data, |_| Break(())).unwrap_err();
    assert!(
        matches!(error, Error::Diverged { epoch: 1, batch: 1, loss } if loss.is_finite()),
        "{error}"
    );
    assert!(trainer.history().epochs.is_empty());
}

/// The loss is finite, since a batch is normalised by statistics in f64; the running ones are not, in f32.
#[test]
fn running_statistics_that_overflow_are_seen() {
    fn check<T: Element>(huge: f64) {
        let inputs = noise::<T>(8, 3, 1) * number::<T>(huge);
        let data = Dataset::regression(inputs, noise(8, 3, 2)).unwrap();
        let mut network = NeuralNetwork::builder(3).batch_norm().build().unwrap();
        let error = fit(
            &mut network,
            &data,
            Box::new(MseLoss::default()),
            Box::new(Sgd::new(0.1).unwrap()),
        )
        .unwrap_err();
        assert!(
            matches!(
                error,
                Error::Diverged {
                    epoch: 1,
                    batch: 1,
                    ..
                }
            ),
            "{error}"
        );
    }
    check::<f32>(1e25);
    check::<f64>(1e200);
}

/// Inputs and targets as large as numbers can be: their squares and products are infinite.
#[test]
fn huge_data_diverge_or_are_learned() {
    fn check<T: Element>(huge: f64) {
        for (x, y) in [
            (1.0, huge),
            (huge, 1.0),
            (huge, huge),
            (huge, -huge),
            (max::<T>().as_f64(), 1e-3),
        ] {
            for rate in [1e-3, 1.0] {
                for optimizer in optimizers::<T>(rate) {
                    let (mut network, data) = one_weight::<T>(x, y);
                    let what = format!("{x}, {y}, {}, {optimizer:?}", T::NAME);
                    let before = learned(&network);
                    let result = fit(&mut network, &data, Box::new(MseLoss::default()), optimizer);
                    let result = result.map(|history| vec![history.epochs[0].train_loss]);
                    let outcome = outcome(&what, &network, result);
                    assert_eq!(outcome == Outcome::Loss, y.abs() == huge, "{what}: {outcome:?}");
                    if outcome == Outcome::Loss {
                        assert_eq!(learned(&network), before, "{what}: nothing was learned from it");
                    }
                }
            }
        }
    }
    check::<f32>(1e30);
    check::<f64>(1e200);
}
