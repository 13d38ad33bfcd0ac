//! One seed, one result: bit for bit, whatever the number of threads, and wherever a training was interrupted.

use std::ops::ControlFlow::{Break, Continue};
use std::path::Path;

use mfnet::data::Inputs;
use mfnet::layer::{Identity, Window};
use mfnet::loss::Loss;
use mfnet::loss::ProbabilityCrossEntropyLoss;
use mfnet::optimizer::Schedule;
use mfnet::{
    CrossEntropyLoss, Dataset, Element, Evaluation, Event, NeuralNetwork, Sets, StopReason, Targets,
    TrainOptions, Trainer,
};
use ndarray::Array2;
use rayon::ThreadPoolBuilder;

use crate::drawn::{noise, seed};
use crate::each::{self, OptimizerCase};
use crate::learned::learned;

/// All that a training leaves behind, but for its seconds.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// The bits of all weights and running statistics.
    weights: Vec<u64>,
    /// The bits of each epoch's training loss and learning rate, and of both evaluations.
    history: Vec<Vec<u64>>,
    /// The epoch that early stopping went back to.
    restored: Option<usize>,
}

/// A network that is wide enough for several blocks, tiles and threads.
fn dense<T: Element>(seed: u64) -> NeuralNetwork<T> {
    let builder = NeuralNetwork::builder(90).linear(300).relu().linear(130).tanh();
    builder.linear(10).seed(seed).build().unwrap()
}

/// One with layers that work otherwise: together on images, on the batch as a whole, by chance.
fn mixed<T: Element>(seed: u64) -> NeuralNetwork<T> {
    NeuralNetwork::builder(90)
        .image(2, 9, 5)
        .conv2d(6, Window::new([3, 3]).padding([1, 1]))
        .relu()
        .dropout(0.2)
        .conv2d(8, Window::new([3, 3]).stride([2, 1]))
        .batch_norm()
        .relu()
        .linear(130)
        .batch_norm()
        .softmax()
        .linear(10)
        .seed(seed)
        .build()
        .unwrap()
}

/// One of narrow layers, with the activations that are left, which gives probabilities.
fn narrow<T: Element>(seed: u64) -> NeuralNetwork<T> {
    NeuralNetwork::builder(90)
        .dropout(0.1)
        .linear(20)
        .sigmoid()
        .linear(200)
        .activation(Box::new(Identity))
        .linear(10)
        .softmax()
        .seed(seed)
        .build()
        .unwrap()
}

/// One with the activations that are computed by exponentials, two of which need their arguments in the backward pass.
fn smooth<T: Element>(seed: u64) -> NeuralNetwork<T> {
    NeuralNetwork::builder(90)
        .linear(140)
        .gelu()
        .linear(30)
        .silu()
        .batch_norm()
        .gelu()
        .linear(150)
        .softplus()
        .linear(60)
        .elu()
        .linear(10)
        .seed(seed)
        .build()
        .unwrap()
}

/// One of weights that are larger than a core's cache, of which threads compute blocks.
fn wide<T: Element>(seed: u64) -> NeuralNetwork<T> {
    let builder = NeuralNetwork::builder(90).linear(560).relu().linear(570).tanh();
    builder.linear(10).seed(seed).build().unwrap()
}

/// Samples whose inputs are numbers or pixels, all of them or a quarter not 0.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Numbers,
    SparseNumbers,
    Pixels,
    SparsePixels,
}

/// Samples of ten classes, which have nothing to do with the inputs.
fn samples<T: Element>(kind: Kind, samples: usize, seed: u64) -> Dataset<T> {
    let numbers = noise::<f64>(samples, 90, seed);
    let sparse = numbers.mapv(|number| if number > 0.5 { number } else { 0.0 });
    let pixels = |numbers: Array2<f64>| Inputs::Pixels(numbers.mapv(|number| (number.abs() * 255.0) as u8));
    let inputs = match kind {
        Kind::Numbers => Inputs::Values(numbers.mapv(T::from_f64)),
        Kind::SparseNumbers => Inputs::Values(sparse.mapv(T::from_f64)),
        Kind::Pixels => pixels(numbers),
        Kind::SparsePixels => pixels(sparse),
    };
    let labels = (0..samples as u32).map(|sample| sample % 10).collect();
    Dataset::new(inputs, Targets::Classes { labels, classes: 10 }).unwrap()
}

/// Makes a network of a seed.
type Build<T> = fn(u64) -> NeuralNetwork<T>;

/// A training to be done again and again.
struct Job<T> {
    network: Build<T>,
    kind: Kind,
    /// An optimizer, and its learning rate.
    optimizer: (OptimizerCase, f64),
    schedule: Schedule,
    batch_size: usize,
    /// Whether to go back to the best of a validation set, which soon comes: there is nothing to learn but by heart.
    early: bool,
}

impl<T: Element> Job<T> {
    fn trainer(&self, seed: u64) -> Trainer<T> {
        let network = (self.network)(seed);
        let loss: Box<dyn Loss<T>> = match network.gives_probabilities() {
            true => Box::new(ProbabilityCrossEntropyLoss::default()),
            false => Box::new(CrossEntropyLoss::default()),
        };
        let options = TrainOptions::default()
            .with_epochs(if self.early { 12 } else { 3 })
            .with_batch_size(self.batch_size)
            .with_seed(seed)
            .with_schedule(self.schedule)
            .with_early_stopping(self.early.then_some(2))
            .with_test_interval(2);
        Trainer::from_parts(network, loss, self.optimizer.0.make(self.optimizer.1)).options(options)
    }

    /// Trains in pieces of so many batches, each on the next of these numbers of threads; a checkpoint hands one piece's
    /// result to the next.
    fn in_pieces(&self, seed: u64, piece: usize, threads: &[usize], checkpoint: &Path) -> Outcome {
        let data = [(1100, 1), (300, 2), (170, 3)].map(|(count, seed)| samples::<T>(self.kind, count, seed));
        let [train, validation, test] = &data;
        let sets = Sets::from(train)
            .with_validation(self.early.then_some(validation))
            .with_test(test);
        let mut trainer = self.trainer(seed);
        for &threads in threads.iter().cycle() {
            let mut batches = 0;
            let interrupt = |event: Event<'_>| {
                batches += usize::from(matches!(event, Event::Batch { .. }));
                if batches == piece { Break(()) } else { Continue(()) }
            };
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let history = pool.install(|| trainer.fit_with(sets, interrupt)).unwrap();
            if history.stopped != Some(StopReason::Observer) {
                break;
            }
            trainer = handed_on(trainer, || self.trainer(seed), checkpoint);
        }
        Outcome::of(&trainer)
    }
}

/// A trainer that goes on with what another one left in a file.
#[cfg(feature = "save")]
fn handed_on<T: Element>(trainer: Trainer<T>, make: impl Fn() -> Trainer<T>, path: &Path) -> Trainer<T> {
    trainer.save_checkpoint(path, None).unwrap();
    let mut next = make();
    next.load_checkpoint(path).unwrap();
    next
}

/// Without files, it goes on itself.
#[cfg(not(feature = "save"))]
fn handed_on<T: Element>(trainer: Trainer<T>, _make: impl Fn() -> Trainer<T>, _path: &Path) -> Trainer<T> {
    trainer
}

impl Outcome {
    fn of<T: Element>(trainer: &Trainer<T>) -> Self {
        let bits = |evaluation: Option<Evaluation>| {
            evaluation.map_or([0; 2], |Evaluation { loss, accuracy }| {
                [loss, accuracy.expect("the targets are classes")].map(f64::to_bits)
            })
        };
        let history = trainer.history();
        let epochs = history.epochs.iter().map(|epoch| {
            let own = [epoch.train_loss, epoch.learning_rate].map(f64::to_bits);
            [own, bits(epoch.validation), bits(epoch.test)].concat()
        });
        let weights = learned(trainer.network()).into_iter();
        Outcome {
            weights: weights.map(|weight| weight.as_f64().to_bits()).collect(),
            history: epochs.collect(),
            restored: history.restored,
        }
    }
}

/// Trains on 1, 2, 3, 4 and 8 threads, in one go and with checkpoints, and looks for any difference.
fn check<T: Element>(what: &str, job: &Job<T>) {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint.safetensors");
    let outcome = |piece, threads: &[usize]| job.in_pieces(seed(7), piece, threads, &checkpoint);
    let name = format!("{what}, {}, {:?}, {:?}", T::NAME, job.kind, job.optimizer);
    let alone = outcome(usize::MAX, &[1]);
    assert!(
        alone.history[0] != alone.history[2],
        "{name}: something is learned"
    );
    assert_eq!(
        alone.restored.is_some(),
        job.early,
        "{name}: {:?}",
        alone.restored
    );
    for threads in [2, 3, 4, 8] {
        assert!(
            outcome(usize::MAX, &[threads]) == alone,
            "{name}: {threads} threads"
        );
    }
    // In the middle of epochs, and between them.
    assert!(outcome(2, &[1, 2, 8]) == alone, "{name}: pieces of 2 batches");
    assert!(outcome(3, &[4, 3]) == alone, "{name}: pieces of 3 batches");
}

fn check_optimizers<T: Element>() {
    let schedules = [Schedule::Constant, Schedule::cosine(3), Schedule::step(1)];
    for (index, optimizer) in each::optimizers(0.05).into_iter().enumerate() {
        // Plain steps down the gradient are short.
        let rate = match (optimizer.name, optimizer.options.momentum) {
            ("sgd", None) => 0.3,
            ("sgd", Some(_)) => 0.05,
            _ => 0.01,
        };
        let job = Job::<T> {
            network: dense,
            kind: [Kind::Numbers, Kind::SparsePixels][index % 2],
            optimizer: (optimizer, rate),
            schedule: schedules[index % 3],
            // Two leaves, and a last batch of one.
            batch_size: 600,
            early: false,
        };
        check("dense", &job);
    }
}

/// The optimizer of a name, without options.
fn plain(name: &str) -> OptimizerCase {
    let mut cases = each::optimizers(0.05).into_iter();
    cases.find(|case| case.name == name).unwrap()
}

fn check_layers<T: Element>() {
    let (sgd, adam) = ((plain("sgd"), 0.3), (plain("adamw"), 0.01));
    let networks: [(&str, Build<T>); 3] = [("dense", dense), ("mixed", mixed), ("narrow", narrow)];
    for (what, network) in networks {
        for (kind, optimizer, early) in [
            (Kind::Numbers, adam, true),
            (Kind::SparseNumbers, sgd, false),
            (Kind::Pixels, adam, false),
            (Kind::SparsePixels, sgd, true),
        ] {
            let job = Job {
                network,
                kind,
                optimizer,
                schedule: if early {
                    Schedule::plateau()
                } else {
                    Schedule::Constant
                },
                // Four leaves, and a last batch of one.
                batch_size: 1024,
                early,
            };
            check(what, &job);
        }
    }
    for batch_size in [90, 500] {
        let job = Job::<T> {
            network: wide,
            kind: Kind::Numbers,
            optimizer: sgd,
            schedule: Schedule::Constant,
            batch_size,
            early: false,
        };
        check("wide", &job);
    }
    for (kind, optimizer) in [(Kind::Numbers, adam), (Kind::SparsePixels, sgd)] {
        let job = Job::<T> {
            network: smooth,
            kind,
            optimizer,
            schedule: Schedule::Constant,
            batch_size: 500,
            early: false,
        };
        check("smooth", &job);
    }
}

#[test]
fn nothing_changes_with_any_optimizer_in_f32() {
    check_optimizers::<f32>();
}

#[test]
fn nothing_changes_with_any_optimizer_in_f64() {
    check_optimizers::<f64>();
}

#[test]
fn nothing_changes_with_any_layer_in_f32() {
    check_layers::<f32>();
}

#[test]
fn nothing_changes_with_any_layer_in_f64() {
    check_layers::<f64>();
}

#[test]
fn seeds_change_everything() {
    for network in [dense::<f32>, mixed, narrow, smooth, wide] {
        let job = Job {
            network,
            kind: Kind::Numbers,
            optimizer: (plain("sgd"), 0.3),
            schedule: Schedule::Constant,
            batch_size: 500,
            early: false,
        };
        let outcome = |seed| job.in_pieces(seed, usize::MAX, &[2], Path::new("unused"));
        let (first, second) = (outcome(seed(7)), outcome(seed(8)));
        assert!(first.weights != second.weights);
        assert!(first.history != second.history);
    }
}
