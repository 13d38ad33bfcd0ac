//! Training by L-BFGS: all samples in each step, directions from the curvature that the last steps have shown, and a line
//! search in place of a learning rate.

mod line_search;
mod minimizer;
mod objective;

use std::ops::ControlFlow;
use std::time::Instant;

use self::minimizer::{Iteration, Minimizer};
use self::objective::Objective;
use super::divergence::check_loss;
use super::event::Event;
use super::history::{EpochRecord, History, StopReason};
use super::options::check_penalty;
use super::sets::Sets;
use crate::data::Dataset;
use crate::element::{Element, compiled};
use crate::error::{Error, Result};
use crate::loss::{Loss, Reduction};
use crate::names::Named;
use crate::network::{Evaluation, NeuralNetwork, Workspace};
use crate::pool;

const OPERATION: &str = "training by L-BFGS";

/// The options of [`fit_lbfgs`].
///
/// ```
/// use mfnet::train::LbfgsOptions;
///
/// let options = LbfgsOptions::default().with_iterations(500).with_l2_penalty(1e-4);
/// assert_eq!((options.iterations, options.history), (500, 10));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LbfgsOptions {
    /// The most iterations, at least 1. Default: 200.
    pub iterations: usize,
    /// The number of evaluations of the loss, each of all samples, after which no further iteration begins; at least 1. Default:
    /// 15,000.
    pub evaluations: usize,
    /// The training ends when no number of the gradient is larger than this, with or without its sign; a finite number of at
    /// least 0. Default: 1e-4.
    pub gradient_tolerance: f64,
    /// The training ends when an iteration lowers the loss by at most this times the largest of the losses before and behind it
    /// and 1; a finite number of at least 0. Default: 2.22e-9, scipy's.
    pub loss_tolerance: f64,
    /// The number of iterations whose steps and gradients are kept for the directions of later ones. Memory: twice as many copies
    /// of the weights in `f64`. Default: 10.
    pub history: usize,
    /// The L2 penalty alpha, a finite number of at least 0: the training minimizes J + alpha/2 |W|^2 / m, where W are the
    /// weights that training changes, without the biases, and m is the number of samples. Default: 0.
    pub l2_penalty: f64,
    /// The number of samples that pass through the network together, at least 1: it bounds the memory, and changes the results by
    /// rounding only. Default: 4,096.
    pub batch_size: usize,
}

impl Default for LbfgsOptions {
    fn default() -> Self {
        LbfgsOptions {
            iterations: 200,
            evaluations: 15_000,
            gradient_tolerance: 1e-4,
            loss_tolerance: 2.220_446_049_250_313e-9,
            history: 10,
            l2_penalty: 0.0,
            batch_size: 4096,
        }
    }
}

impl LbfgsOptions {
    /// The name of the method, as users write it, and its help text.
    pub const NAMED: Named = Named::new(
        "lbfgs",
        "L-BFGS: all samples in each step, with a line search; for small networks and few samples",
    );

    /// Sets [`LbfgsOptions::iterations`].
    pub fn with_iterations(self, iterations: usize) -> Self {
        LbfgsOptions { iterations, ..self }
    }

    /// Sets [`LbfgsOptions::evaluations`].
    pub fn with_evaluations(self, evaluations: usize) -> Self {
        LbfgsOptions { evaluations, ..self }
    }

    /// Sets [`LbfgsOptions::gradient_tolerance`].
    pub fn with_gradient_tolerance(self, gradient_tolerance: f64) -> Self {
        LbfgsOptions {
            gradient_tolerance,
            ..self
        }
    }

    /// Sets [`LbfgsOptions::loss_tolerance`].
    pub fn with_loss_tolerance(self, loss_tolerance: f64) -> Self {
        LbfgsOptions {
            loss_tolerance,
            ..self
        }
    }

    /// Sets [`LbfgsOptions::history`].
    pub fn with_history(self, history: usize) -> Self {
        LbfgsOptions { history, ..self }
    }

    /// Sets [`LbfgsOptions::l2_penalty`].
    pub fn with_l2_penalty(self, l2_penalty: f64) -> Self {
        LbfgsOptions { l2_penalty, ..self }
    }

    /// Sets [`LbfgsOptions::batch_size`].
    pub fn with_batch_size(self, batch_size: usize) -> Self {
        LbfgsOptions { batch_size, ..self }
    }

    fn check(&self) -> Result<()> {
        let counts = [
            ("iterations", self.iterations),
            ("evaluations", self.evaluations),
            ("batch size", self.batch_size),
        ];
        for (name, count) in counts {
            if count == 0 {
                return Err(Error::option(name, 0, "at least 1"));
            }
        }
        let tolerances = [
            ("gradient tolerance", self.gradient_tolerance),
            ("loss tolerance", self.loss_tolerance),
        ];
        for (name, tolerance) in tolerances {
            if !(tolerance >= 0.0 && tolerance.is_finite()) {
                return Err(Error::option(name, tolerance, "a finite number of at least 0"));
            }
        }
        check_penalty(self.l2_penalty)
    }
}

/// The reason why a training by L-BFGS ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LbfgsEnd {
    /// The gradient is within its tolerance of 0: a minimum, as far as that.
    Gradient,
    /// The last iteration lowered the loss by no more than its tolerance.
    Loss,
    /// No step along the negative gradient lowers the loss: in `f32`, that is the precision of the loss in most cases.
    Step,
    /// All iterations are done.
    Iterations,
    /// All evaluations are done.
    Evaluations,
    /// The observer stopped it.
    Observer,
}

/// The result of [`fit_lbfgs`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LbfgsResult {
    /// One record for each iteration, in the place of an epoch; its learning rate is the length of the step, in directions. It
    /// is [`StopReason::Converged`] if the training ended by a tolerance.
    pub history: History,
    /// The training loss of the resulting weights, with the L2 penalty.
    pub loss: f64,
    /// The number of evaluations of the loss.
    pub evaluations: usize,
    /// The reason why the training ended.
    pub end: LbfgsEnd,
}

/// The function that is called after each piece of the data and each iteration.
type Observer<'a> = dyn FnMut(Event<'_>) -> ControlFlow<()> + Send + 'a;

/// Trains a network by L-BFGS: with all samples in each step, and without a learning rate. For small networks and few samples,
/// it often finds a lower loss than steps by batches, and it minimizes the loss of a linear model to the last digits.
///
/// Each iteration moves the weights along -H g, where g is the gradient on the whole training set, and H approximates the inverse
/// of the curvature by the last [`LbfgsOptions::history`] steps; a line search finds a step that meets the strong Wolfe
/// conditions. The rules are those of scipy's L-BFGS-B without bounds, and so of scikit-learn's `solver="lbfgs"`. Weights
/// and gradients are in `f64` between the passes. Nothing depends on the number of threads.
///
/// The observer is called with [`Event::Batch`] after each piece of the data and with [`Event::Epoch`] after each iteration.
/// [`ControlFlow::Break`] ends the training with the weights of the last complete iteration. A training cannot be resumed:
/// another call starts from the weights as they are, without the curvature. The validation set is evaluated after each
/// iteration, the test set after the last.
///
/// Source: D. Liu and J. Nocedal, "On the limited memory BFGS method for large scale optimization", 1989.
///
/// # Errors
///
/// [`Error::InvalidOption`] for options out of their range, and for a loss with [`Reduction::Sum`]; [`Error::Shape`] for a data
/// set that does not fit the network; [`Error::InvalidData`] for targets that the loss does not accept, for a loss that does not
/// fit the output of the network, and for a network with dropout or with a batch normalisation that is not frozen;
/// [`Error::Diverged`] if the loss of the first weights is not finite.
///
/// ```
/// use mfnet::train::{LbfgsOptions, fit_lbfgs};
/// use mfnet::{CrossEntropyLoss, NeuralNetwork};
/// use std::ops::ControlFlow::Continue;
///
/// let (train, test) = mfnet::data::circle::<f64>(7, 200, 200)?;
/// let mut network = NeuralNetwork::builder(2).linear(10).tanh().linear(2).seed(7).build()?;
/// let options = LbfgsOptions::default().with_l2_penalty(1e-3);
/// let result = fit_lbfgs(&mut network, &CrossEntropyLoss::default(), &train, &options, |_| Continue(()))?;
/// assert!(result.loss < 0.1);
/// assert!(network.evaluate(&test, &CrossEntropyLoss::default())?.accuracy > Some(0.9));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn fit_lbfgs<'a, T: Element>(
    network: &mut NeuralNetwork<T>,
    loss: &dyn Loss<T>,
    sets: impl Into<Sets<'a, T>>,
    options: &LbfgsOptions,
    mut observer: impl FnMut(Event<'_>) -> ControlFlow<()> + Send,
) -> Result<LbfgsResult> {
    fit(network, loss, sets.into(), options, &mut observer)
}

compiled! {
    fn fit<'a, 'b, T>(
        network: &'a mut NeuralNetwork<T>,
        loss: &'a dyn Loss<T>,
        sets: Sets<'b, T>,
        options: &'a LbfgsOptions,
        observer: &'a mut Observer<'a>,
    ) -> Result<LbfgsResult> {
        options.check()?;
        if loss.reduction() == Reduction::Sum {
            let expected = "the mean for L-BFGS, which has no learning rate to suit the sum";
            return Err(Error::option("reduction", "sum", expected));
        }
        network.check_loss(OPERATION, loss)?;
        network.check_is_function(OPERATION)?;
        for (name, data) in [("training set", Some(sets.train)), ("validation set", sets.validation), ("test set", sets.test)] {
            let Some(data) = data else { continue };
            network.check_dataset(name, data)?;
            loss.check(data.targets())?;
        }
        pool::enter(|| minimize(network, loss, sets, options, observer))
    }
}

fn minimize<T: Element>(
    network: &mut NeuralNetwork<T>,
    loss: &dyn Loss<T>,
    sets: Sets<'_, T>,
    options: &LbfgsOptions,
    observer: &mut Observer<'_>,
) -> Result<LbfgsResult> {
    let mut objective = Objective::new(network, loss, sets.train, options, observer)?;
    let mut history = History::default();
    let mut start = Instant::now();
    let weights = objective.weights();
    let result = |history, minimizer: Option<&Minimizer>, end| LbfgsResult {
        history,
        loss: minimizer.map_or(f64::NAN, Minimizer::value),
        evaluations: minimizer.map_or(0, Minimizer::evaluations),
        end,
    };
    let first = Minimizer::new(weights, options.history, &mut |weights, gradient| {
        objective.evaluate(weights, gradient)
    })?;
    let Some(mut minimizer) = first else {
        history.stopped = Some(StopReason::Observer);
        return Ok(result(history, None, LbfgsEnd::Observer));
    };
    check_loss(1, 1, minimizer.value())?;
    let end = loop {
        if minimizer.steepness() <= options.gradient_tolerance {
            break LbfgsEnd::Gradient;
        }
        let done = history.epochs.len();
        if done == options.iterations {
            break LbfgsEnd::Iterations;
        }
        if minimizer.evaluations() > options.evaluations {
            break LbfgsEnd::Evaluations;
        }
        let before = minimizer.value();
        objective.iteration = done + 1;
        let moved = minimizer.iterate(&mut |weights, gradient| objective.evaluate(weights, gradient))?;
        let (step, fall) = match moved {
            Iteration::Moved { step, fall } => (step, fall),
            Iteration::Stuck => break LbfgsEnd::Step,
            Iteration::Interrupted => break LbfgsEnd::Observer,
        };
        objective.set_weights(minimizer.point());
        let mut record = EpochRecord {
            epoch: done + 1,
            samples: sets.train.samples(),
            train_loss: minimizer.value(),
            loss_per_sample: None,
            validation: None,
            score: None,
            test: None,
            learning_rate: step,
            seconds: start.elapsed().as_secs_f64(),
        };
        record.validation = evaluate(objective.network, loss, sets.validation)?;
        let flow = (objective.observer)(Event::Epoch(&record));
        history.epochs.push(record);
        start = Instant::now();
        if flow.is_break() {
            break LbfgsEnd::Observer;
        }
        let largest = before.abs().max(minimizer.value().abs()).max(1.0);
        if fall <= options.loss_tolerance * largest && minimizer.steepness() > options.gradient_tolerance {
            break LbfgsEnd::Loss;
        }
    };
    objective.set_weights(minimizer.point());
    if let Some(last) = history.epochs.last_mut() {
        last.test = evaluate(objective.network, loss, sets.test)?;
    }
    history.stopped = match end {
        LbfgsEnd::Gradient | LbfgsEnd::Loss | LbfgsEnd::Step => Some(StopReason::Converged),
        LbfgsEnd::Observer => Some(StopReason::Observer),
        LbfgsEnd::Iterations | LbfgsEnd::Evaluations => None,
    };
    Ok(result(history, Some(&minimizer), end))
}

fn evaluate<T: Element>(
    network: &NeuralNetwork<T>,
    loss: &dyn Loss<T>,
    data: Option<&Dataset<T>>,
) -> Result<Option<Evaluation>> {
    data.map(|data| {
        let mut workspace = Workspace::for_prediction(network, data.samples())?;
        network.evaluate_in(&mut workspace, data, loss)
    })
    .transpose()
}
