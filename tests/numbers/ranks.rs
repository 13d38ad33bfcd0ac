//! Ranks that share a training get the bits of a single process: threads that talk through channels play the ranks.

use std::ops::ControlFlow::{Break, Continue};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use mfnet::layer::Window;
use mfnet::loss::Loss;
use mfnet::ranks::Communicator;
use mfnet::{
    Builder, CrossEntropyLoss, Dataset, Element, Error, Event, NeuralNetwork, Result, Sets, StopReason,
    TrainOptions, Trainer,
};
use rayon::ThreadPoolBuilder;

use crate::drawn::noise;
use crate::each::{self, OptimizerCase};
use crate::learned::learned;

/// Numbers on their way from one rank to another.
enum Message {
    Words(Vec<u64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// A rank that is a thread of this process.
#[derive(Debug)]
struct Rank {
    rank: usize,
    /// The way to each rank, and from each.
    to: Vec<Mutex<Sender<Message>>>,
    from: Vec<Mutex<Receiver<Message>>>,
}

impl Rank {
    /// Ranks that are connected with each other.
    fn connected(size: usize) -> Vec<Rank> {
        let rank = |rank| Rank {
            rank,
            to: Vec::new(),
            from: Vec::new(),
        };
        let mut ranks: Vec<Rank> = (0..size).map(rank).collect();
        for sender in 0..size {
            for receiver in 0..size {
                let (to, from) = channel();
                ranks[sender].to.push(Mutex::new(to));
                ranks[receiver].from.push(Mutex::new(from));
            }
        }
        ranks
    }

    fn send(&self, rank: usize, message: Message) -> Result<()> {
        self.to[rank]
            .lock()
            .unwrap()
            .send(message)
            .map_err(|_| gone(rank))
    }

    fn receive(&self, rank: usize) -> Result<Message> {
        self.from[rank].lock().unwrap().recv().map_err(|_| gone(rank))
    }
}

fn gone(rank: usize) -> Error {
    Error::InvalidData {
        what: format!("rank {rank}"),
        problem: "it has ended".to_owned(),
    }
}

impl Communicator for Rank {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn gather(&self, own: &[u64], all: &mut [u64]) -> Result<()> {
        for rank in 0..self.size() {
            self.send(rank, Message::Words(own.to_vec()))?;
        }
        for (rank, words) in all.chunks_exact_mut(own.len()).enumerate() {
            let Message::Words(received) = self.receive(rank)? else {
                panic!("words are gathered")
            };
            words.copy_from_slice(&received);
        }
        Ok(())
    }

    fn exchange_f32(&self, outgoing: (usize, &[f32]), incoming: (usize, &mut [f32])) -> Result<()> {
        self.send(outgoing.0, Message::F32(outgoing.1.to_vec()))?;
        let Message::F32(received) = self.receive(incoming.0)? else {
            panic!("f32 are exchanged")
        };
        incoming.1.copy_from_slice(&received);
        Ok(())
    }

    fn exchange_f64(&self, outgoing: (usize, &[f64]), incoming: (usize, &mut [f64])) -> Result<()> {
        self.send(outgoing.0, Message::F64(outgoing.1.to_vec()))?;
        let Message::F64(received) = self.receive(incoming.0)? else {
            panic!("f64 are exchanged")
        };
        incoming.1.copy_from_slice(&received);
        Ok(())
    }
}

/// Runs `work` on each of so many ranks, each in a pool of so many threads; returns what it returns on each.
fn on_ranks<R: Send>(ranks: usize, threads: usize, work: impl Fn(Rank) -> R + Sync) -> Vec<R> {
    let work = &work;
    thread::scope(|scope| {
        let run = |rank| {
            scope.spawn(move || {
                let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| work(rank))
            })
        };
        let running: Vec<_> = Rank::connected(ranks).into_iter().map(run).collect();
        running.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}

/// The bits of all weights and running statistics, and of all losses and accuracies.
type Bits = (Vec<u64>, Vec<u64>);

fn bits<T: Element>(trainer: &Trainer<T>) -> Bits {
    let weights = learned(trainer.network())
        .into_iter()
        .map(|weight| weight.as_f64().to_bits());
    let of_epochs = trainer.history().epochs.iter().flat_map(|epoch| {
        let evaluation = epoch.validation.unwrap();
        [epoch.train_loss, evaluation.loss, evaluation.accuracy.unwrap()].map(f64::to_bits)
    });
    (weights.collect(), of_epochs.collect())
}

const FEATURES: usize = 40;

/// Samples of five classes, with weights; four of five inputs are 0 if they are sparse.
fn samples<T: Element>(samples: usize, sparse: bool, place: u64) -> Dataset<T> {
    let inputs = noise::<T>(samples, FEATURES, place);
    let inputs = inputs.mapv(|number| {
        if sparse && number.as_f64() < 0.6 {
            T::zero()
        } else {
            number
        }
    });
    let labels = (0..samples as u32).map(|sample| sample % 5).collect();
    let weights: Vec<f64> = (0..samples).map(|sample| (sample % 4) as f64).collect();
    Dataset::classification(inputs, labels, 5)
        .unwrap()
        .with_weights(&weights)
        .unwrap()
}

/// Adds the hidden layers.
type Hidden<T> = fn(Builder<T>) -> Builder<T>;

/// A training to be done again by other numbers of ranks.
#[derive(Clone)]
struct Job<T> {
    name: &'static str,
    hidden: Hidden<T>,
    sparse: bool,
    optimizer: OptimizerCase,
    batch_size: usize,
    shard_size: Option<usize>,
}

impl<T: Element> Job<T> {
    fn data(&self) -> [Dataset<T>; 2] {
        // The last batch of an epoch is a short one.
        [samples(2200, self.sparse, 1), samples(100, self.sparse, 2)]
    }

    fn trainer(&self) -> Trainer<T> {
        let network = (self.hidden)(NeuralNetwork::builder(FEATURES))
            .linear(5)
            .seed(3)
            .build()
            .unwrap();
        let loss = CrossEntropyLoss::default().with_class_weights(vec![1.0, 0.5, 2.0, 1.0, 1.5]);
        let loss: Box<dyn Loss<T>> = Box::new(loss);
        let options = TrainOptions::default()
            .with_epochs(2)
            .with_batch_size(self.batch_size)
            .with_shard_size(self.shard_size)
            .with_seed(5);
        Trainer::from_parts(network, loss, self.optimizer.make(0.05)).options(options)
    }

    /// What each rank has in the end.
    fn outcomes(&self, ranks: usize, threads: usize) -> Vec<Bits> {
        let [train, validation] = &self.data();
        let sets = Sets::from(train).with_validation(validation);
        on_ranks(ranks, threads, |rank| {
            let mut trainer = self.trainer().communicator(Arc::new(rank));
            trainer.fit(sets).unwrap();
            bits(&trainer)
        })
    }

    fn check(&self, ranks_and_threads: &[(usize, usize)]) {
        let alone = self.outcomes(1, 1).remove(0);
        for &(ranks, threads) in ranks_and_threads {
            for (rank, outcome) in self.outcomes(ranks, threads).iter().enumerate() {
                let Job {
                    name,
                    optimizer,
                    sparse,
                    batch_size,
                    ..
                } = self;
                assert!(
                    *outcome == alone,
                    "{name}, {}, {optimizer:?}, sparse: {sparse}, batches of {batch_size}: rank {rank} of {ranks}, {threads} threads",
                    T::NAME
                );
            }
        }
    }
}

fn dense<T: Element>(builder: Builder<T>) -> Builder<T> {
    builder.linear(70).relu().linear(50).tanh().linear(20).gelu()
}

/// Layers that look at a batch as a whole, that draw by chance, and that work on images.
fn mixed<T: Element>(builder: Builder<T>) -> Builder<T> {
    let builder = builder
        .batch_norm()
        .image(2, 5, 4)
        .conv2d(3, Window::new([3, 3]))
        .batch_norm()
        .relu();
    builder
        .dropout(0.3)
        .linear(40)
        .batch_norm()
        .silu()
        .linear(50)
        .softmax()
}

/// The plain step, which is fused, and a longer one.
fn case(name: &str) -> OptimizerCase {
    let mut cases = each::optimizers(0.05).into_iter();
    cases.find(|case| case.name == name).unwrap()
}

fn check_layers<T: Element>() {
    for optimizer in ["sgd", "adamw"] {
        for (name, hidden) in [("dense", dense as Hidden<T>), ("mixed", mixed)] {
            for sparse in [false, true] {
                // Eight leaves, and a last batch of one.
                let job = Job {
                    name,
                    hidden,
                    sparse,
                    optimizer: case(optimizer),
                    batch_size: 2060,
                    shard_size: None,
                };
                job.check(&[(2, 2), (3, 1), (8, 1)]);
            }
        }
    }
    // Four leaves, and a last batch of one; two leaves, and last ones of two; shards that are no power of two.
    for (batch_size, shard_size) in [(1060, None), (550, None), (2150, Some(95)), (2200, Some(150))] {
        let job = Job::<T> {
            name: "dense",
            hidden: dense,
            sparse: false,
            optimizer: case("sgd"),
            batch_size,
            shard_size,
        };
        job.check(&[(1, 2), (2, 1), (3, 1), (4, 1), (5, 1), (8, 1)]);
    }
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
fn nothing_changes_with_any_optimizer() {
    for optimizer in each::optimizers(0.05) {
        let job = Job::<f32> {
            name: "dense",
            hidden: dense,
            sparse: false,
            optimizer,
            batch_size: 1060,
            shard_size: None,
        };
        job.check(&[(2, 1), (3, 2)]);
    }
}

#[test]
fn a_batch_smaller_than_the_ranks_is_no_problem() {
    let job = Job::<f64> {
        name: "dense",
        hidden: dense,
        sparse: false,
        optimizer: case("sgd"),
        batch_size: 550,
        shard_size: None,
    };
    let [train, _] = job.data();
    let few = train.select(&[5, 3, 700]).unwrap();
    let outcomes = on_ranks(8, 1, |rank| {
        let mut trainer = job.trainer().communicator(Arc::new(rank));
        trainer.fit(Sets::from(&few).with_validation(&few)).unwrap();
        bits(&trainer)
    });
    let mut alone = job.trainer();
    alone.fit(Sets::from(&few).with_validation(&few)).unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome == bits(&alone)));
}

/// A stop that one rank asks for is one of all, at the same batch; other numbers of ranks go on with the same bits.
#[cfg(feature = "save")]
#[test]
fn all_ranks_stop_where_one_does() {
    let job = Job::<f32> {
        name: "mixed",
        hidden: mixed,
        sparse: false,
        optimizer: case("adamw"),
        batch_size: 700,
        shard_size: None,
    };
    let [train, validation] = &job.data();
    let sets = Sets::from(train).with_validation(validation);
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = &folder.path().join("checkpoint.safetensors");
    let mut ends = Vec::new();
    for (part, ranks) in [3, 1, 2, 4].into_iter().enumerate() {
        ends = on_ranks(ranks, 1, |rank| {
            let number = rank.rank;
            let mut trainer = job.trainer().communicator(Arc::new(rank));
            if part > 0 {
                trainer.load_checkpoint(checkpoint).unwrap();
            }
            // Three parts of two batches, of the eight batches of two epochs; the last rank asks for the end.
            let mut batches = 0;
            let observer = |event: Event<'_>| {
                batches += usize::from(matches!(event, Event::Batch { .. }));
                if part < 3 && batches == 2 && number == ranks - 1 {
                    Break(())
                } else {
                    Continue(())
                }
            };
            let stopped = trainer.fit_with(sets, observer).unwrap().stopped;
            assert_eq!(stopped, (part < 3).then_some(StopReason::Observer), "part {part}");
            (trainer, number)
        });
        let (first, _) = &ends[0];
        assert!(
            ends.iter().all(|(trainer, _)| bits(trainer) == bits(first)),
            "part {part}"
        );
        first.save_checkpoint(checkpoint, None).unwrap();
    }
    assert!(bits(&ends[0].0) == job.outcomes(1, 1)[0]);
}

/// The errors of ranks, of which the last trains something else.
fn errors_of(other: impl Fn(Job<f32>) -> Trainer<f32> + Sync, data: [&Dataset<f32>; 2]) -> Vec<String> {
    let job = Job::<f32> {
        name: "dense",
        hidden: dense,
        sparse: false,
        optimizer: case("sgd"),
        batch_size: 700,
        shard_size: None,
    };
    on_ranks(3, 1, |rank| {
        let is_last = rank.rank == 2;
        let trainer = if is_last {
            other(job.clone())
        } else {
            job.trainer()
        };
        let mut trainer = trainer.communicator(Arc::new(rank));
        let error = trainer.fit(data[usize::from(is_last)]).unwrap_err();
        assert!(trainer.history().epochs.is_empty());
        error.to_string()
    })
}

#[test]
fn ranks_that_differ_are_refused_before_the_first_step() {
    let [data, others] = [1, 2].map(|place| samples::<f32>(800, false, place));
    let all_say = |errors: Vec<String>, parts: &[&str]| {
        for error in errors {
            assert!(
                parts.iter().all(|part| error.contains(part)),
                "{error}: {parts:?}"
            );
        }
    };
    let errors = errors_of(
        |job| {
            Job {
                batch_size: 300,
                ..job
            }
            .trainer()
        },
        [&data; 2],
    );
    assert!(
        errors.iter().all(|error| {
            error == "ranks: all ranks must train alike: batch size is 700 on rank 0 and 300 on rank 2"
        }),
        "{errors:?}"
    );
    let errors = errors_of(
        |job| {
            Job {
                optimizer: case("adamw"),
                ..job
            }
            .trainer()
        },
        [&data; 2],
    );
    all_say(
        errors,
        &[
            "optimizer is SGD on rank 0 and AdamW on rank 2",
            "betas is not set on rank 0",
        ],
    );
    all_say(
        errors_of(|job| job.trainer(), [&data, &others]),
        &["training set is 800 samples x 40", "rank 2"],
    );
    let deeper = |job| Job { hidden: mixed, ..job }.trainer();
    all_say(
        errors_of(deeper, [&data; 2]),
        &["network is 40 - 70 ReLU", "weights is "],
    );
}
