//! Measurements of training steps: of their tasks on one thread, and of whole steps.

use std::time::{Duration, Instant};

use anyhow::Context;
use mfnet::internal::timing::{self, Step};
use mfnet::optimizer::{self, OptimizerOptions};
use mfnet::{
    CrossEntropyLoss, DataLoader, Dataset, Element, Loss, MseLoss, NeuralNetwork, Optimizer, Shuffle,
    Workspace,
};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::arguments::ScalingArguments;
use crate::settings::activated;

/// The number of turns in which one thread and several threads are measured, and the least duration of each.
const TURNS: usize = 9;
const TURN: Duration = Duration::from_millis(80);

/// Durations in seconds, each the usual one of many steps.
#[derive(Debug)]
pub(super) struct Measured {
    /// The tasks of a step on one thread.
    pub(super) steps: Vec<Step>,
    /// A step on one thread.
    pub(super) one: f64,
    /// A step on several threads, if there are several.
    pub(super) several: Option<f64>,
}

/// A training that is measured step by step.
struct Training<'a, T: Element> {
    network: NeuralNetwork<T>,
    optimizer: Box<dyn Optimizer<T>>,
    loss: Box<dyn Loss<T>>,
    workspace: Workspace<T>,
    loader: DataLoader<'a, T>,
    epoch: u64,
}

/// Measures the training of these arguments on one thread and on `threads` by turns.
pub(super) fn measure<T: Element>(arguments: &ScalingArguments, threads: usize) -> anyhow::Result<Measured> {
    let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build();
    let (one, several) = (pool(1)?, pool(threads)?);
    let network = network::<T>(arguments)?;
    // Before the data, which need less memory: it refuses what there is no room for.
    let workspace = Workspace::new(&network, arguments.batch_size)?;
    let data = data(arguments)?;
    let mut training = Training {
        network,
        optimizer: optimizer::by_name(&arguments.optimizer, &OptimizerOptions::default())?,
        loss: match arguments.network.outputs() {
            1 => Box::new(MseLoss::default()),
            _ => Box::new(CrossEntropyLoss::default()),
        },
        workspace,
        loader: DataLoader::new(&data, arguments.batch_size, Shuffle::Samples, arguments.seed)?,
        epoch: 0,
    };
    // The first steps allocate.
    training.steps(&one, Duration::ZERO, |step| step())?;
    let (mut recorded, mut one_seconds, mut several_seconds) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        one_seconds.extend(training.steps(&one, TURN, seconds)?);
        recorded.extend(training.steps(&one, TURN, |step| timing::record(step).1)?);
        if threads > 1 {
            several_seconds.extend(training.steps(&several, TURN, seconds)?);
        }
    }
    Ok(Measured {
        steps: usual_steps(recorded),
        one: usual(one_seconds),
        several: (threads > 1).then(|| usual(several_seconds)),
    })
}

fn seconds(step: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    step();
    start.elapsed().as_secs_f64()
}

impl<T: Element> Training<'_, T> {
    /// Trains whole epochs in this pool for at least this time, with each step run by `run`, whose results it returns.
    fn steps<R: Send>(
        &mut self,
        pool: &ThreadPool,
        time: Duration,
        run: impl Fn(&mut dyn FnMut()) -> R + Sync,
    ) -> mfnet::Result<Vec<R>> {
        pool.install(|| {
            let (start, mut results) = (Instant::now(), Vec::new());
            while results.is_empty() || start.elapsed() < time {
                self.epoch += 1;
                self.loader.start_epoch(self.epoch);
                for batch in self.loader.batches() {
                    let mut outcome = Ok(());
                    results.push(run(&mut || {
                        let passed = self
                            .network
                            .forward_backward(&batch, &*self.loss, &mut self.workspace);
                        outcome = passed.and_then(|_| {
                            self.network
                                .apply_gradients(&mut *self.optimizer, &mut self.workspace)
                        });
                    }));
                    outcome?;
                }
            }
            Ok(results)
        })
    }
}

fn network<T: Element>(arguments: &ScalingArguments) -> mfnet::Result<NeuralNetwork<T>> {
    let widths = &arguments.network;
    let mut builder = NeuralNetwork::builder(widths.features()).seed(arguments.seed);
    for &units in widths.hidden() {
        builder = activated(builder.linear(units), &arguments.activation)?;
    }
    builder.linear(widths.outputs()).build()
}

/// A few batches of samples with inputs from 0 to 1, drawn from the seed, and targets that mean nothing.
fn data<T: Element>(arguments: &ScalingArguments) -> anyhow::Result<Dataset<T>> {
    const BATCHES: usize = 4;
    let (features, outputs) = (arguments.network.features(), arguments.network.outputs());
    let (samples, density) = (BATCHES * arguments.batch_size, arguments.density());
    let mut generator = ChaCha8Rng::seed_from_u64(arguments.seed);
    let mut values = Vec::new();
    let count = samples.saturating_mul(features);
    values
        .try_reserve_exact(count)
        .with_context(|| format!("there is no memory for {samples} samples of {features} features"))?;
    values.extend((0..count).map(|_| match generator.random::<f64>() < density {
        true => T::from_f64(1.0 - generator.random::<f64>()),
        false => T::zero(),
    }));
    let inputs = Array2::from_shape_vec((samples, features), values)?;
    Ok(match outputs {
        1 => Dataset::regression(inputs, Array2::zeros((samples, 1)))?,
        _ => {
            let labels = (0..samples).map(|sample| (sample % outputs) as u32).collect();
            Dataset::classification(inputs, labels, outputs)?
        }
    })
}

/// Steps with the usual durations of several recordings, which have the same tasks.
fn usual_steps(mut recordings: Vec<Vec<Step>>) -> Vec<Step> {
    let copied = |steps: &mut Vec<Step>| -> Vec<f64> {
        let durations = timing::durations(steps).into_iter();
        durations.map(|seconds| *seconds).collect()
    };
    let all: Vec<Vec<f64>> = recordings.iter_mut().map(copied).collect();
    let mut steps = recordings.pop().unwrap_or_default();
    for (place, seconds) in timing::durations(&mut steps).into_iter().enumerate() {
        *seconds = usual(all.iter().map(|durations| durations[place]).collect());
    }
    steps
}

/// The duration that a tenth of these do not exceed, since other programs can only make one longer; 0 of nothing.
fn usual(mut durations: Vec<f64>) -> f64 {
    durations.sort_unstable_by(f64::total_cmp);
    durations.get(durations.len() / 10).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mfnet::internal::timing::Phase;

    #[test]
    fn durations_are_compared_task_by_task() {
        let recording = |first, second| {
            let tasks = vec![vec![Step::Serial(second)]];
            vec![Step::Serial(first), Step::Phase(Phase { name: "phase", tasks })]
        };
        let recordings = vec![recording(1.0, 9.0), recording(5.0, 7.0), recording(2.0, 8.0)];
        assert_eq!(usual_steps(recordings), recording(1.0, 7.0));
        assert_eq!(usual_steps(Vec::new()), []);
        assert_eq!(usual((1..=20).map(f64::from).rev().collect()), 3.0);
        assert_eq!(usual(Vec::new()), 0.0);
    }
}
