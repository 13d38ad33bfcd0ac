//! A job in mfnet: trainings in full for their results, short ones for the comparison with others.

use std::hint::black_box;
use std::io::{IsTerminal, stderr};
use std::ops::ControlFlow;
use std::time::Instant;

use mfnet::baseline::mean_predictor;
use mfnet::{
    DataLoader, Dataset, Element, Evaluation, Event, History, NeuralNetwork, Sets, Shuffle, TrainOptions,
    Trainer,
};

use super::super::data::Pair;
use super::super::progress::Progress;
use super::spread::median;
use super::table::{MFNET, PLAIN, Results, Row};
use mfnet::internal::jobs::twin::{self, Twin};
use mfnet::internal::jobs::{Job, Work};

/// After so many seconds the plain implementation begins no further epoch, unless it was told how many.
const PLAIN_SECONDS: f64 = 60.0;

/// The test accuracy that [`Work::Reach`] ends at.
pub(super) const ACCURACY: f64 = 0.98;

/// What all runs of a job share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    pub(super) job: Job,
    pub(super) epochs: usize,
    pub(super) seed: u64,
    pub(super) quiet: bool,
}

impl Setting {
    fn network<T: Element>(&self, data: &Dataset<T>) -> mfnet::Result<NeuralNetwork<T>> {
        self.job.network(data.features(), data.outputs(), self.seed)
    }

    /// Trains, and tests after the last epoch; or after each, and ends with the one that reaches the accuracy asked for.
    fn train<T: Element>(
        &self,
        network: NeuralNetwork<T>,
        task: &Pair<T>,
        epochs: usize,
        quiet: bool,
    ) -> mfnet::Result<(NeuralNetwork<T>, History)> {
        let options = TrainOptions::default()
            .with_epochs(epochs)
            .with_batch_size(self.job.batch_size)
            .with_seed(self.seed)
            .with_test_interval(if self.job.work == Work::Reach { 1 } else { epochs });
        // Of so many trainings, lines for each would be too many.
        let mut progress = Progress::new(
            quiet || !stderr().is_terminal(),
            &options,
            task.train.samples(),
            0,
        );
        let mut trainer =
            Trainer::from_parts(network, self.job.loss(), self.job.optimizer()?).options(options);
        let sets = Sets::from(&task.train).with_test(&task.test);
        let observer = |event: Event<'_>| {
            progress.show(event);
            match event {
                Event::Epoch(record) if self.job.work == Work::Reach && has_reached(record.test) => {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        };
        let result = trainer.fit_with(sets, observer).cloned();
        progress.end(false);
        Ok((trainer.into_network(), result?))
    }

    /// The whole job; also the training loss of its first epoch, if it trains.
    pub(super) fn run<T: Element>(&self, task: &Pair<T>) -> mfnet::Result<(Row, Option<f64>)> {
        match self.job.work {
            Work::Mean => Ok((self.mean(task)?, None)),
            Work::Train => {
                let network = self.network(&task.train)?;
                let (_, history) = self.train(network, task, self.epochs, self.quiet)?;
                let row = row::<T>(
                    self.epochs,
                    history.seconds(),
                    history.train_loss(),
                    history.test(),
                );
                Ok((row, history.epochs.first().map(|epoch| epoch.train_loss)))
            }
            Work::Reach => {
                let (_, history) = self.train(self.network(&task.train)?, task, self.epochs, self.quiet)?;
                let (train_loss, test) = (history.train_loss(), history.test());
                let row = row::<T>(history.epochs.len(), seconds_to_reach(&history), train_loss, test);
                Ok((row, None))
            }
            Work::Evaluate => {
                let network = self.trained(task)?;
                let seconds = self.evaluations(&network, task, self.job.round.unwrap_or(1))?;
                let test = network.evaluate(&task.test, &*self.job.loss())?;
                let row = Row {
                    measured: seconds.len(),
                    ..row::<T>(1, median(&seconds), None, Some(test))
                };
                Ok((row, None))
            }
        }
    }

    fn mean<T: Element>(&self, task: &Pair<T>) -> mfnet::Result<Row> {
        let start = Instant::now();
        let network = black_box(mean_predictor(&task.train)?);
        let seconds = start.elapsed().as_secs_f64();
        let loss = self.job.loss();
        let train = network.evaluate(&task.train, &*loss)?;
        let test = network.evaluate(&task.test, &*loss)?;
        Ok(row::<T>(1, seconds, Some(train.loss), Some(test)))
    }

    /// A round of the comparison with peers.
    pub(super) fn round<T: Element>(&self, task: &Pair<T>, count: usize) -> mfnet::Result<Round> {
        let network = self.network(&task.train)?;
        Ok(match self.job.work {
            Work::Evaluate => Round::of(&self.evaluations(&network, task, count)?),
            Work::Reach => {
                let (_, history) = self.train(network, task, count, true)?;
                Round {
                    seconds: seconds_to_reach(&history),
                    epochs: history.epochs.len(),
                }
            }
            Work::Mean | Work::Train => {
                // The first epoch warms up.
                let (_, history) = self.train(network, task, count + 1, true)?;
                let seconds: Vec<f64> = history.epochs[1..].iter().map(|epoch| epoch.seconds).collect();
                Round::of(&seconds)
            }
        })
    }

    /// The network after the job's epochs.
    fn trained<T: Element>(&self, task: &Pair<T>) -> mfnet::Result<NeuralNetwork<T>> {
        let network = self.network(&task.train)?;
        Ok(self.train(network, task, self.epochs, true)?.0)
    }

    fn evaluations<T: Element>(
        &self,
        network: &NeuralNetwork<T>,
        task: &Pair<T>,
        count: usize,
    ) -> mfnet::Result<Vec<f64>> {
        let loss = self.job.loss();
        network.evaluate(&task.test, &*loss)?;
        let evaluation = |_| {
            let start = Instant::now();
            black_box(network.evaluate(&task.test, &*loss)?);
            Ok(start.elapsed().as_secs_f64())
        };
        (0..count).map(evaluation).collect()
    }

    /// The job in the plain implementation; also the training loss of its first epoch, if it trains.
    pub(super) fn plain(&self, task: &Pair<f64>, epochs: Option<usize>) -> mfnet::Result<(Row, Option<f64>)> {
        if self.job.work == Work::Evaluate {
            return Ok((self.plain_evaluation(task)?, None));
        }
        let network = self.network(&task.train)?;
        let mut twin = Twin::new(&self.job, &network, &task.train)?;
        let mut loader = DataLoader::new(&task.train, self.job.batch_size, Shuffle::Samples, self.seed)?;
        let (mut seconds, mut losses) = (0.0, Vec::new());
        while losses.len() < self.epochs
            && epochs.map_or(seconds < PLAIN_SECONDS, |epochs| losses.len() < epochs)
        {
            let start = Instant::now();
            loader.start_epoch(losses.len() as u64 + 1);
            let mut sum = 0.0;
            for batch in loader.batches() {
                sum += twin.step(batch.indices())?;
            }
            losses.push(sum / loader.batches().len() as f64);
            seconds += start.elapsed().as_secs_f64();
        }
        let done = losses.len();
        let mut row = row::<f64>(done, seconds, None, None);
        row.implementation = PLAIN;
        row.seconds *= self.epochs as f64 / done as f64;
        row.epochs = self.epochs;
        row.results = if done == self.epochs {
            let test = plain_test(&twin, task)?;
            Results::Reached {
                train_loss: losses.last().copied(),
                test_loss: Some(test.loss),
                accuracy: test.accuracy,
            }
        } else {
            let plural = if done == 1 { "" } else { "s" };
            Results::Remark(format!("{done} epoch{plural}, scaled"))
        };
        Ok((row, losses.first().copied()))
    }

    fn plain_evaluation(&self, task: &Pair<f64>) -> mfnet::Result<Row> {
        let network = self.trained(task)?;
        let twin = Twin::new(&self.job, &network, &task.test)?;
        let (inputs, targets) = (twin::inputs(&task.test)?, twin::targets(&task.test)?);
        let mean = mfnet::plain::Reduction::Mean;
        // One way forward serves for both: the accuracy's own is not counted.
        let start = Instant::now();
        let loss = twin.network().loss(&inputs, &targets, twin.loss(), mean)?;
        let seconds = start.elapsed().as_secs_f64();
        let predictions = twin.network().forward(&inputs)?;
        let start = Instant::now();
        let accuracy = mfnet::plain::accuracy(&predictions, &targets)?;
        let seconds = seconds + start.elapsed().as_secs_f64();
        let test = Evaluation {
            loss,
            accuracy: Some(accuracy),
        };
        Ok(Row {
            implementation: PLAIN,
            ..row::<f64>(1, seconds, None, Some(test))
        })
    }
}

/// One implementation's time for a little of a job.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Round {
    /// The median of an epoch or of an evaluation; of all epochs on the way to an accuracy, NaN if it was not reached.
    pub(super) seconds: f64,
    /// The epochs that these seconds are for.
    pub(super) epochs: usize,
}

impl Round {
    fn of(seconds: &[f64]) -> Self {
        Round {
            seconds: median(seconds),
            epochs: 1,
        }
    }
}

fn has_reached(test: Option<Evaluation>) -> bool {
    let accuracy = test.and_then(|test| test.accuracy);
    accuracy.is_some_and(|accuracy| accuracy >= ACCURACY)
}

/// The seconds of all epochs, without the evaluations; NaN if the last did not reach the accuracy.
fn seconds_to_reach(history: &History) -> f64 {
    match has_reached(history.test()) {
        true => history.seconds(),
        false => f64::NAN,
    }
}

/// A row of mfnet, for as many epochs as were timed.
fn row<T: Element>(epochs: usize, seconds: f64, train_loss: Option<f64>, test: Option<Evaluation>) -> Row {
    Row {
        implementation: MFNET,
        precision: T::NAME,
        epochs,
        measured: epochs,
        seconds,
        flops_per_second: None,
        results: Results::Reached {
            train_loss,
            test_loss: test.map(|test| test.loss),
            accuracy: test.and_then(|test| test.accuracy),
        },
        times_mfnet: None,
    }
}

fn plain_test(twin: &Twin, task: &Pair<f64>) -> mfnet::Result<Evaluation> {
    let (inputs, targets) = (twin::inputs(&task.test)?, twin::targets(&task.test)?);
    let mean = mfnet::plain::Reduction::Mean;
    let loss = twin.network().loss(&inputs, &targets, twin.loss(), mean)?;
    let accuracy = match task.test.targets() {
        mfnet::Targets::Values(_) => None,
        mfnet::Targets::Classes { .. } => {
            let predictions = twin.network().forward(&inputs)?;
            Some(mfnet::plain::accuracy(&predictions, &targets)?)
        }
    };
    Ok(Evaluation { loss, accuracy })
}
