//! Numbers at the ends of their range: what comes out is finite, or the error that says that training diverged.

use std::ops::ControlFlow::{Break, Continue};

use mfnet::layer::{Linear, Window};
use mfnet::loss::Loss;
use mfnet::optimizer::{Optimizer, Schedule};
use mfnet::{
    Adam, Clip, CrossEntropyLoss, DataLoader, Dataset, Element, Error, Event, History, MseLoss,
    NeuralNetwork, ProbabilityCrossEntropyLoss, Reduction, Sgd, Shuffle, Targets, TrainOptions, Trainer,
    Workspace, softmax, train, train_test_classification, train_test_regression,
};
use ndarray::{Array2, array};

#[path = "common/learned.rs"]
mod learned;
#[path = "common/noise.rs"]
mod noise;

use learned::learned;
use noise::noise;

/// -ln 1e-100, the most that the cross-entropy of a sample can be.
const LARGEST: f64 = 230.258_509_299_404_56;

/// As the type has them; a rate of 1e300 is infinite in f32.
fn number<T: Element>(value: f64) -> T {
    T::from_f64(value)
}

/// The largest number of the type.
fn max<T: Element>() -> T {
    T::from_f64(if T::NAME == "f32" {
        f64::from(f32::MAX)
    } else {
        f64::MAX
    })
}

/// The smallest number above 0, a denormal one.
fn smallest<T: Element>() -> T {
    T::from_f64(if T::NAME == "f32" {
        2_f64.powi(-149)
    } else {
        f64::from_bits(1)
    })
}

/// The loss of one sample, and dJ/d bias of the last layer, which is dJ/dZ.
fn loss_and_delta<T: Element>(
    network: &NeuralNetwork<T>,
    data: &Dataset<T>,
    loss: &dyn Loss<T>,
) -> (f64, Vec<T>) {
    let loader = DataLoader::new(data, 1, Shuffle::None, 0).unwrap();
    let mut workspace = Workspace::new(network, 1);
    let batch = loader.batches().next().unwrap();
    let value = network.propagate(&batch, loss, &mut workspace).unwrap();
    network.gradients(&mut workspace).unwrap();
    let gradient = workspace.gradients().last().unwrap();
    (value, gradient.column(0).iter().skip(1).copied().collect())
}

/// A network that hands on two numbers, and maybe their softmax.
fn handed_on<T: Element>(with_softmax: bool) -> NeuralNetwork<T> {
    let layer = Linear::from_weights(Array2::eye(2).view(), &[T::zero(); 2]).unwrap();
    let builder = NeuralNetwork::builder(2).layer(Box::new(layer));
    let builder = if with_softmax { builder.softmax() } else { builder };
    builder.build().unwrap()
}

#[test]
fn huge_logits_have_exact_losses_and_gradients() {
    fn check<T: Element>() {
        let [half, one, zero] = [0.5, 1.0, 0.0].map(number::<T>);
        for huge in [number::<T>(1e4), max::<T>()] {
            let probabilities = softmax(array![[huge, -huge], [huge, huge], [-huge, -huge]].view());
            assert_eq!(probabilities, array![[one, zero], [half, half], [half, half]]);
            // Logits, loss and dJ/dZ for class 0; behind a softmax of its own there is nothing to learn from a
            // probability that is 0.
            for (logits, expected, delta, delta_of_probabilities) in [
                ([huge, -huge], 0.0, [zero, zero], [zero, zero]),
                ([-huge, huge], LARGEST, [-one, one], [zero, zero]),
                ([huge, huge], 2_f64.ln(), [-half, half], [-half, half]),
                ([-huge, -huge], 2_f64.ln(), [-half, half], [-half, half]),
            ] {
                let data = Dataset::classification(array![logits], vec![0], 2).unwrap();
                for reduction in [Reduction::Mean, Reduction::Sum] {
                    let (loss, found) =
                        loss_and_delta(&handed_on(false), &data, &CrossEntropyLoss::new(reduction));
                    assert!(
                        (loss - expected).abs() <= 1e-7,
                        "{logits:?}: {loss}, not {expected}"
                    );
                    assert_eq!(found, delta, "{logits:?}");
                    let loss = ProbabilityCrossEntropyLoss::new(reduction);
                    let (loss, found) = loss_and_delta(&handed_on(true), &data, &loss);
                    assert!(
                        (loss - expected).abs() <= 1e-7,
                        "{logits:?}: {loss}, not {expected}"
                    );
                    assert_eq!(found, delta_of_probabilities, "{logits:?}");
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn sigmoid_and_tanh_saturate_to_their_limits() {
    fn check<T: Element>() {
        let [one, zero] = [1.0, 0.0].map(number::<T>);
        // The last argument is infinite: twice the largest number.
        for (input, weight) in [(number::<T>(1e4), one), (max(), one), (max(), number(2.0))] {
            let linear = || {
                let layer = Linear::from_weights(array![[weight]].view(), &[zero]).unwrap();
                NeuralNetwork::builder(1).layer(Box::new(layer))
            };
            let inputs = array![[input], [-input]];
            let targets = array![[one], [one]];
            let data = Dataset::regression(inputs.clone(), targets).unwrap();
            for (network, low) in [(linear().sigmoid(), zero), (linear().tanh(), -one)] {
                let mut network = network.build().unwrap();
                assert_eq!(network.predict(inputs.view()).unwrap(), array![[one], [low]]);
                let (_, delta) = loss_and_delta(&network, &data, &MseLoss::default());
                assert_eq!(delta, [zero]);
                // No slope, nothing to learn; not even from an input as large as can be.
                let before = learned(&network);
                let loss = fit(&mut network, &data, &MseLoss::default(), &mut *sgd(1.0))
                    .unwrap()
                    .train_loss();
                assert_eq!(loss, Some(((one - low) * (one - low)).as_f64() / 2.0));
                assert_eq!(learned(&network), before);
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// Numbers too small to be normal are kept as they are: none is taken for 0, as some CPUs can be told to.
#[test]
fn denormal_numbers_underflow_gradually() {
    fn check<T: Element>(outputs: usize, inputs: usize) {
        let what = format!("{}, {outputs} x {inputs}", T::NAME);
        let (tiny, one, half) = (smallest::<T>(), T::one(), number::<T>(0.5));
        let network = |weight: T| {
            let weights = Array2::from_elem((outputs, inputs), weight);
            let layer = Linear::from_weights(weights.view(), &vec![T::zero(); outputs]).unwrap();
            let builder = NeuralNetwork::builder(inputs).layer(Box::new(layer));
            builder.build().unwrap()
        };
        let samples = |value: T| Array2::from_elem((3, inputs), value);
        // A sum of inputs, each of which is as small as can be; or of such weights.
        let expected = Array2::from_elem((3, outputs), number::<T>(inputs as f64) * tiny);
        for (weight, input) in [(one, tiny), (tiny, one)] {
            let found = network(weight).predict(samples(input).view()).unwrap();
            assert_eq!(found, expected, "{what}, weights of {weight}");
        }
        assert_eq!(
            network(tiny).predict(samples(half).view()).unwrap(),
            Array2::zeros((3, outputs)),
            "{what}: halves are rounded to the even number, 0"
        );

        // The gradient is 3 x where 2 (p - y) is 1 of each sample: p is 0, as the product of two that small is.
        let targets = Array2::from_elem((3, outputs), -half);
        let data = Dataset::regression(samples(tiny), targets).unwrap();
        let loss = MseLoss {
            reduction: Reduction::Sum,
        };
        let clipped = || Sgd::new(1.0).unwrap().clip(Clip::Global(1e30)).unwrap();
        for mut optimizer in [sgd(1.0), Box::new(clipped())] {
            let mut trained = network(tiny);
            fit(&mut trained, &data, &loss, &mut *optimizer).unwrap();
            let weights = trained.weights().next().unwrap();
            assert_eq!(weights[[1, 0]], number(-3.0), "{what}, {optimizer:?}");
            assert_eq!(
                weights[[outputs, inputs]],
                number::<T>(-2.0) * tiny,
                "{what}, {optimizer:?}"
            );
        }
        // Adam's means of such gradients are 0: nothing moves.
        let mut trained = network(tiny);
        let before = learned(&trained);
        let equal = Dataset::regression(samples(tiny), Array2::zeros((3, outputs))).unwrap();
        fit(&mut trained, &equal, &loss, &mut Adam::new(0.1).unwrap()).unwrap();
        assert_eq!(learned(&trained), before, "{what}, Adam");
    }
    // Few outputs, few inputs, and products by BLAS.
    for (outputs, inputs) in [(2, 50), (50, 2), (50, 50)] {
        check::<f32>(outputs, inputs);
        check::<f64>(outputs, inputs);
    }
}

fn sgd<T: Element>(rate: f64) -> Box<dyn Optimizer<T>> {
    Box::new(Sgd::new(rate).unwrap())
}

/// Every rule that there is, at this rate.
fn optimizers<T: Element>(rate: f64) -> Vec<Box<dyn Optimizer<T>>> {
    let sgd = || Sgd::new(rate).unwrap();
    let swift = || sgd().momentum(0.9).unwrap();
    vec![
        Box::new(sgd()),
        Box::new(sgd().weight_decay(0.1).unwrap()),
        Box::new(sgd().clip(Clip::PerTensor(0.1)).unwrap()),
        Box::new(sgd().clip(Clip::Global(0.1)).unwrap()),
        Box::new(swift()),
        Box::new(swift().nesterov(true).unwrap().weight_decay(0.1).unwrap()),
        Box::new(Adam::new(rate).unwrap()),
        Box::new(Adam::new(rate).unwrap().weight_decay(0.1).unwrap()),
        Box::new(Adam::adamw(rate).unwrap().clip(Clip::Global(0.1)).unwrap()),
    ]
}

/// One epoch, of one batch.
fn fit<T: Element>(
    network: &mut NeuralNetwork<T>,
    data: &Dataset<T>,
    loss: &dyn Loss<T>,
    optimizer: &mut dyn Optimizer<T>,
) -> mfnet::Result<History> {
    let options = TrainOptions {
        epochs: 1,
        ..TrainOptions::default()
    };
    train(network, data, loss, optimizer, &options, |_| Continue(()))
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
            || Box::new(ProbabilityCrossEntropyLoss::new(Reduction::Sum)),
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
    let go = |_: Event<'_>| Continue(());
    let losses = |history: &History| history.epochs.iter().map(|epoch| epoch.train_loss).collect();
    let (loss, sets) = ((job.loss)(), (&job.data, &job.data));
    let mut all = Vec::new();
    for epochs in [1, 3] {
        let options = TrainOptions {
            epochs,
            batch_size: 4,
            ..TrainOptions::default()
        };
        let mut network = (job.network)();
        let result = train(&mut network, &job.data, &*loss, &mut *optimizer(), &options, go);
        all.push((network, result.map(|history| losses(&history))));

        let mut network = (job.network)();
        let result = match job.data.targets() {
            Targets::Values(_) => {
                train_test_regression(&mut network, sets, &*loss, &mut *optimizer(), &options, go)
            }
            Targets::Classes { .. } => {
                train_test_classification(&mut network, sets, &*loss, &mut *optimizer(), &options, go)
            }
        };
        all.push((network, result.map(|history| losses(&history))));

        // One that may go back to an earlier epoch, one that is interrupted, and one that goes on as long as it is fed.
        let trainer =
            |options| Trainer::from_parts((job.network)(), (job.loss)(), optimizer()).options(options);
        let mut early = trainer(TrainOptions {
            early_stopping: Some(1),
            schedule: Schedule::plateau(),
            ..options.clone()
        });
        let result = early.fit(sets.0, go).map(losses);
        all.push((early.into_network(), result));

        let mut interrupted = trainer(options.clone());
        let result = interrupted.fit(sets.0, |_| Break(())).map(losses);
        all.push((interrupted.into_network(), result));

        let mut fed = trainer(options.clone());
        let result = (0..epochs).map(|_| fed.partial_fit(sets.0)).collect();
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
        let before = network.weights().next().unwrap().clone();
        fit(&mut network, &job.data, &*(job.loss)(), &mut *sgd(rate)).unwrap();
        let after = network.weights().next().unwrap();
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
        for mut optimizer in optimizers::<T>(rate) {
            let (mut network, data) = one_weight::<T>(1e3, 1.0);
            let result = fit(&mut network, &data, &MseLoss::default(), &mut *optimizer);
            // Adam's first step is as long as the rate, and a clipped one a tenth.
            let finite = learned(&network).iter().all(|value| value.is_finite());
            let name = format!("{}, {optimizer:?}", T::NAME);
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
            let overflows = !format!("{optimizer:?}").contains("Adam") && !name.contains("Some");
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
        let loss = CrossEntropyLoss::new(Reduction::Sum);
        for epochs in [1, 2, 5] {
            let options = TrainOptions {
                epochs,
                ..TrainOptions::default()
            };
            let mut network = build();
            let result = train(&mut network, &data, &loss, &mut *sgd(rate), &options, |_| {
                Continue(())
            });
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
    let options = TrainOptions {
        batch_size: 2,
        ..TrainOptions::default()
    };
    let rate = f64::from(f32::MAX) * 100.0;
    let mut trainer = Trainer::new(network, MseLoss::default(), Sgd::new(rate).unwrap()).options(options);
    let error = trainer.fit(&data, |_| Break(())).unwrap_err();
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
        let error = fit(&mut network, &data, &MseLoss::default(), &mut *sgd(0.1)).unwrap_err();
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
                for mut optimizer in optimizers::<T>(rate) {
                    let (mut network, data) = one_weight::<T>(x, y);
                    let what = format!("{x}, {y}, {}, {optimizer:?}", T::NAME);
                    let before = learned(&network);
                    let result = fit(&mut network, &data, &MseLoss::default(), &mut *optimizer);
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
