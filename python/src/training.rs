//! The training loop, with scikit-learn's rules for losses, weights of samples, learning rates and the end.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use mfnet::train::{LbfgsEnd, LbfgsOptions, fit_lbfgs};
use mfnet::{DataLoader, Error, Event, Loss, NeuralNetwork, Result, Shuffle, Workspace};
use ndarray::{Array2, s};
use rayon::prelude::*;

use crate::arrays::{InputsView, Number};
use crate::data::Samples;
use crate::losses::Scaled;
use crate::progress::Progress;
use crate::scores::score;
use crate::settings::{Schedule, Settings};
use crate::solver::Solver;
use crate::spec::{Kind, Spec};

/// An adaptive learning rate of at most this much does not fall any more.
const LEAST_RATE: f64 = 1e-6;

/// A network, and its training if it has one.
#[derive(Debug)]
pub(crate) struct State<T> {
    pub(crate) network: NeuralNetwork<T>,
    pub(crate) kind: Kind,
    pub(crate) training: Option<Training<T>>,
    pub(crate) progress: Progress,
    /// The tensors of the epoch with the best score, if early stopping is on.
    pub(crate) best: Option<Vec<Array2<T>>>,
}

/// A training: its settings, and its optimizer.
#[derive(Debug)]
pub(crate) struct Training<T> {
    pub(crate) settings: Settings,
    /// `None` for L-BFGS, which keeps no state from one call to the next.
    pub(crate) solver: Option<Solver<T>>,
}

impl<T: Number> Training<T> {
    pub(crate) fn new(settings: Settings) -> Result<Self> {
        settings.schedule()?;
        let solver = match &*settings.solver {
            "lbfgs" => None,
            _ => Some(Solver::new(&settings)?),
        };
        Ok(Training { settings, solver })
    }
}

/// Why a training returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// All epochs are trained.
    Epochs,
    /// The loss, or the score, has not improved for long enough.
    Converged,
    /// The flag was set.
    Stopped,
}

impl<T: Number> State<T> {
    /// Creates a network that is not trained.
    pub(crate) fn new(spec: &Spec) -> Result<Self> {
        Ok(State {
            network: spec.build()?,
            kind: spec.kind()?,
            training: None,
            progress: Progress::default(),
            best: None,
        })
    }

    /// Trains up to so many epochs, or iterations of L-BFGS. Only the last of the calls that belong together restores the best weights:
    /// [`State::restore_best`].
    pub(crate) fn train(
        &mut self,
        data: &Samples<T>,
        validation: Option<&Samples<T>>,
        epochs: usize,
        stop: &AtomicBool,
    ) -> Result<End> {
        let Some(training) = &mut self.training else {
            return Err(Error::InvalidData {
                what: "the network".to_owned(),
                problem: "it has no settings of a training".to_owned(),
            });
        };
        let settings = training.settings.clone();
        let Some(solver) = &mut training.solver else {
            return self.minimize(&settings, data, epochs, stop);
        };
        let shuffle = if settings.shuffle {
            Shuffle::Samples
        } else {
            Shuffle::None
        };
        let loader = DataLoader::new(&data.dataset, settings.batch_size, shuffle, settings.seed)?;
        // A batch of one sample has no statistics.
        let is_alone = loader.samples() % loader.batch_size() == 1 && loader.samples() > 1;
        let has_statistics = self.network.layers().any(|layer| !layer.buffers().is_empty());
        let mut loader = loader.with_drop_last(is_alone && has_statistics);
        let mut workspace = Workspace::new(&self.network, loader.batch_size())?;
        let loss = self.kind.loss::<T>();
        for _ in 0..epochs {
            self.progress.epochs += 1;
            loader.start_epoch(self.progress.epochs);
            let epoch = Epoch {
                loader: &loader,
                data,
                loss: &*loss,
                number: self.progress.epochs,
            };
            let Some(mean) = epoch.train(&mut self.network, solver, &mut workspace, stop)? else {
                return Ok(End::Stopped);
            };
            self.progress.losses.push(mean);
            self.progress.samples_seen += data.dataset.samples() as u64;
            let score = match validation {
                Some(samples) => {
                    let score = score(
                        &self.network,
                        self.kind,
                        &samples.dataset,
                        samples.weights.as_deref(),
                    )?;
                    self.progress.scores.push(score);
                    Some(score)
                }
                None => None,
            };
            match score.filter(|_| settings.early_stopping) {
                Some(score) => {
                    if self.progress.follow_score(score, settings.tolerance) {
                        self.best = Some(self.network.tensors().cloned().collect());
                    }
                }
                None => self.progress.follow_loss(mean, settings.tolerance),
            }
            let schedule = settings.schedule()?;
            if let Schedule::InverseScaling(power) = schedule {
                let seen = self.progress.samples_seen as f64;
                solver.set_rate(settings.learning_rate / (seen + 1.0).powf(power));
            }
            if self.progress.bad_epochs as f64 > settings.patience {
                let rate = solver.rate();
                if schedule != Schedule::Adaptive || rate <= LEAST_RATE {
                    return Ok(End::Converged);
                }
                solver.set_rate(rate / 5.0);
                self.progress.bad_epochs = 0;
            }
        }
        Ok(End::Epochs)
    }

    /// Trains by L-BFGS on all samples at once.
    fn minimize(
        &mut self,
        settings: &Settings,
        data: &Samples<T>,
        iterations: usize,
        stop: &AtomicBool,
    ) -> Result<End> {
        let options = LbfgsOptions::default()
            .with_iterations(iterations)
            .with_evaluations(settings.evaluations)
            .with_gradient_tolerance(settings.tolerance)
            // scikit-learn divides the penalty by the sum of the weights, the library by the number of samples.
            .with_l2_penalty(settings.alpha / data.mean_weight);
        let loss = self.kind.loss::<T>();
        let losses = &mut self.progress.losses;
        let result = fit_lbfgs(&mut self.network, &*loss, &data.dataset, &options, |event| {
            if let Event::Epoch(record) = event {
                losses.push(record.train_loss);
            }
            match stop.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })?;
        let best = &mut self.progress.best_loss;
        *best = best.min(result.loss);
        Ok(match result.end {
            LbfgsEnd::Observer => End::Stopped,
            LbfgsEnd::Iterations | LbfgsEnd::Evaluations => End::Epochs,
            _ => End::Converged,
        })
    }

    /// The predictions for samples: numbers, expected counts, or probabilities.
    pub(crate) fn predict(&self, inputs: InputsView<'_>) -> Result<Array2<T>> {
        let outputs = match inputs {
            InputsView::Dense(matrix) => self.network.predict(matrix.numbers::<T>().view())?,
            InputsView::Sparse(rows) => self.network.predict_sparse(&rows.numbers()?)?,
        };
        Ok(self.kind.predictions(outputs))
    }

    /// Restores the weights of the best score, if there was one.
    pub(crate) fn restore_best(&mut self) -> Result<()> {
        match &self.best {
            Some(tensors) => self.network.set_tensors(tensors),
            None => Ok(()),
        }
    }
}

/// One epoch of a training.
struct Epoch<'a, T> {
    loader: &'a DataLoader<'a, T>,
    data: &'a Samples<T>,
    loss: &'a dyn Loss<T>,
    number: u64,
}

impl<T: Number> Epoch<'_, T> {
    /// Trains on all batches; returns the mean loss of a sample with the penalty, or `None` if the flag was set.
    ///
    /// As scikit-learn does, a batch with sample weights is divided by the sum of these, and counts by its number of samples.
    fn train(
        &self,
        network: &mut NeuralNetwork<T>,
        solver: &mut Solver<T>,
        workspace: &mut Workspace<T>,
        stop: &AtomicBool,
    ) -> Result<Option<f64>> {
        let (mut sum, mut samples) = (0.0, 0);
        for (index, batch) in self.loader.batches().enumerate() {
            let count = batch.samples() as f64;
            let (weight, factor) = match &self.data.weights {
                None => (count, 1.0),
                Some(weights) => {
                    let of_batch = batch.indices().iter();
                    let weight: f64 = of_batch.map(|&sample| weights[sample]).sum();
                    // The data set divides its weights by their mean.
                    (weight, self.data.mean_weight * count / weight)
                }
            };
            if weight == 0.0 {
                // None of its samples counts.
                continue;
            }
            let penalty = match solver.alpha() {
                0.0 => 0.0,
                alpha => 0.5 * alpha * squared_weights(network) / weight,
            };
            let scaled = Scaled {
                loss: self.loss,
                factor,
            };
            let loss: &dyn Loss<T> = if factor == 1.0 { self.loss } else { &scaled };
            let loss = network.forward_backward(&batch, loss, workspace)? + penalty;
            if !loss.is_finite() {
                return Err(Error::Diverged {
                    epoch: self.number as usize,
                    batch: index + 1,
                    loss,
                });
            }
            network.apply_gradients(solver.next_step(weight)?, workspace)?;
            sum += loss * count;
            samples += batch.samples();
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
        }
        Ok(Some(sum / samples.max(1) as f64))
    }
}

/// |W|^2: the sum of the squares of all weights of fully connected layers, without the biases.
fn squared_weights<T: Number>(network: &NeuralNetwork<T>) -> f64 {
    let layers = network.layers().filter(|layer| layer.name() == "Linear");
    layers
        .map(|layer| {
            let weights = &layer.parameters()[0];
            let Some(all) = weights.as_slice_memory_order() else {
                return weights
                    .slice(s![1.., 1..])
                    .iter()
                    .map(|weight| weight.as_f64().powi(2))
                    .sum();
            };
            // The constant row is (1 0 ... 0), and column 0 has the biases.
            let biases: f64 = weights
                .slice(s![1.., 0])
                .iter()
                .map(|bias| bias.as_f64().powi(2))
                .sum();
            (sum_of_squares(all) - 1.0 - biases).max(0.0)
        })
        .sum()
}

/// The sum of squares; pieces are added in order, so that it does not depend on the number of threads.
fn sum_of_squares<T: Number>(numbers: &[T]) -> f64 {
    const PIECE: usize = 1 << 15;
    const LANES: usize = 16;
    let of_piece = |piece: &[T]| {
        let mut sums = [0.0; LANES];
        for lanes in piece.chunks(LANES) {
            for (sum, number) in sums.iter_mut().zip(lanes) {
                *sum += number.as_f64() * number.as_f64();
            }
        }
        sums.iter().sum::<f64>()
    };
    if numbers.len() <= 4 * PIECE {
        return numbers.chunks(PIECE).map(of_piece).sum();
    }
    let sums: Vec<f64> = numbers.par_chunks(PIECE).map(of_piece).collect();
    sums.iter().sum()
}
