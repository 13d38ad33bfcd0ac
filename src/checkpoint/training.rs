//! Checkpoints: a training as a file, to go on from with the very same bits.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{Array2, ArrayD, Ix2};
use serde::{Deserialize, Serialize};

use super::exact;
use super::saved::{self, Saved, Training, precision_of};
use crate::data::Schema;
use crate::element::Element;
use crate::error::{Error, Position, Result};
use crate::network::{Evaluation, NeuralNetwork};
use crate::optimizer::{Optimizer, OptimizerState, ScheduleState};
use crate::train::{Best, EpochRecord, History, Partial, Run, TrainState, Trainer};

/// What is kept as JSON; numbers that come back as the very same bits.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    optimizer: String,
    steps: u64,
    samples: usize,
    stopped: bool,
    restored: Option<usize>,
    base_rate: Option<f64>,
    schedule: Option<ScheduleEntry>,
    partial: Option<PartialEntry>,
    best: Option<BestEntry>,
    epochs: Vec<EpochEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleEntry {
    best: Option<f64>,
    bad_epochs: u64,
    rate: f64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartialEntry {
    batches: usize,
    #[serde(with = "exact")]
    loss: f64,
    seconds: f64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BestEntry {
    epoch: usize,
    #[serde(with = "exact")]
    loss: f64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EpochEntry {
    #[serde(with = "exact")]
    train_loss: f64,
    validation: Option<EvaluationEntry>,
    test: Option<EvaluationEntry>,
    learning_rate: f64,
    seconds: f64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EvaluationEntry {
    #[serde(with = "exact")]
    loss: f64,
    accuracy: Option<f64>,
}

impl<T: Element> Run<'_, T> {
    /// Saves how far the training has come, in a file to go on from with [`Trainer::load_checkpoint`].
    ///
    /// The file is also a model's, if it has a schema: [`Model::load`](super::Model::load) loads it. It is replaced as
    /// a whole, or stays as it was.
    ///
    /// # Errors
    ///
    /// As [`NeuralNetwork::save`].
    pub fn save_checkpoint(&self, path: impl AsRef<Path>, schema: Option<&Schema<T>>) -> Result<()> {
        save(path.as_ref(), self.network, self.optimizer, self.state, schema)
    }
}

impl<T: Element> Trainer<T> {
    /// As [`Run::save_checkpoint`].
    ///
    /// # Errors
    ///
    /// As [`NeuralNetwork::save`].
    ///
    /// ```
    /// use mfnet::optimizer::Adam;
    /// use mfnet::{Dataset, MseLoss, NeuralNetwork, TrainOptions, Trainer};
    /// use ndarray::array;
    /// use std::ops::ControlFlow::{Break, Continue};
    ///
    /// let line = Dataset::regression(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]])?;
    /// let trainer = || -> mfnet::Result<Trainer<f64>> {
    ///     let network = NeuralNetwork::builder(1).linear(1).seed(7).build()?;
    ///     let options = TrainOptions { epochs: 20, ..TrainOptions::default() };
    ///     Ok(Trainer::new(network, MseLoss::default(), Adam::new(0.1)?).options(options))
    /// };
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("checkpoint.safetensors");
    ///
    /// let mut interrupted = trainer()?;
    /// interrupted.fit(&line, |_| Break(()))?;
    /// interrupted.save_checkpoint(&path, None)?;
    ///
    /// let mut resumed = trainer()?;
    /// resumed.load_checkpoint(&path)?;
    /// resumed.fit(&line, |_| Continue(()))?;
    ///
    /// let mut whole = trainer()?;
    /// whole.fit(&line, |_| Continue(()))?;
    /// assert!(resumed.network().weights().eq(whole.network().weights()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save_checkpoint(&self, path: impl AsRef<Path>, schema: Option<&Schema<T>>) -> Result<()> {
        save(
            path.as_ref(),
            &self.network,
            &*self.optimizer,
            &self.state,
            schema,
        )
    }

    /// Takes over network, optimizer state and history of a checkpoint, to go on from there.
    ///
    /// The trainer is to have been made as the one that was saved: the same layers, optimizer, options and precision.
    /// Then weights and history become, bit for bit, those of a training that was never interrupted.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read; [`Error::InvalidFile`] for one that is no checkpoint, or that of
    /// another training. The trainer then stays as it was, but for the optimizer.
    pub fn load_checkpoint(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let fault = |problem: String| Error::file(path, Position::Byte(0), problem);
        let saved_in = precision_of(path)?;
        if saved_in.to_string() != T::NAME {
            return Err(fault(format!(
                "the training is one in {saved_in}, not in {}",
                T::NAME
            )));
        }
        let (Saved { network, .. }, training) = saved::read::<T, State>(path)?;
        let Some(Training { state, tensors }) = training else {
            return Err(fault(
                "it is no checkpoint, but a model that is not being trained".to_owned(),
            ));
        };
        let same_layers = described(&network)? == described(&self.network)?;
        if !same_layers {
            let (saved, own) = (network.architecture(), self.network.architecture());
            return Err(fault(format!("the training is one of {saved}, not of {own}")));
        }
        if state.optimizer != self.optimizer.name() {
            let (saved, own) = (&state.optimizer, self.optimizer.name());
            return Err(fault(format!(
                "the training is one with {}, not with {own}",
                saved.escape_debug()
            )));
        }
        let (of_optimizer, best_weights) = sorted(tensors, &network).map_err(fault)?;
        let of_optimizer = OptimizerState {
            steps: state.steps,
            tensors: of_optimizer,
        };
        let restored = restored(state, best_weights).map_err(fault)?;
        let refused = |error: Error| fault(error.to_string());
        self.optimizer.restore(of_optimizer).map_err(refused)?;
        self.network = network;
        self.state = restored;
        Ok(())
    }
}

fn save<T: Element>(
    path: &Path,
    network: &NeuralNetwork<T>,
    optimizer: &dyn Optimizer<T>,
    state: &TrainState<T>,
    schema: Option<&Schema<T>>,
) -> Result<()> {
    let OptimizerState { steps, tensors } = optimizer.state();
    let mut tensors: BTreeMap<String, ArrayD<T>> = tensors
        .into_iter()
        .map(|(name, tensor)| (format!("optimizer.{name}"), tensor.into_dyn()))
        .collect();
    if let Some(best) = &state.best {
        let weights = best.weights.iter().enumerate();
        tensors.extend(weights.map(|(index, weights)| (format!("best.{index}"), weights.clone().into_dyn())));
    }
    let history = &state.history;
    let state = State {
        optimizer: optimizer.name().to_owned(),
        steps,
        samples: history.samples,
        stopped: history.stopped,
        restored: history.restored,
        base_rate: state.base_rate,
        schedule: state.schedule.map(|schedule| ScheduleEntry {
            best: schedule.best,
            bad_epochs: schedule.bad_epochs,
            rate: schedule.rate,
        }),
        partial: state.partial.map(|partial| PartialEntry {
            batches: partial.batches,
            loss: partial.loss,
            seconds: partial.seconds,
        }),
        best: state.best.as_ref().map(|best| BestEntry {
            epoch: best.epoch,
            loss: best.loss,
        }),
        epochs: history.epochs.iter().map(EpochEntry::of).collect(),
    };
    saved::write(path, network, schema, Some(Training { state, tensors }))
}

/// What the layers are, without what they have learned.
fn described<T: Element>(network: &NeuralNetwork<T>) -> Result<Vec<(String, String, Option<u64>)>> {
    let records = network.records()?.into_iter();
    Ok(records
        .map(|record| (record.kind.to_owned(), record.options.to_string(), record.seed))
        .collect())
}

/// The names and tensors of an optimizer, and the best weights.
type Sorted<T> = (Vec<(String, Array2<T>)>, Vec<Array2<T>>);

/// The tensors by their use: what an optimizer remembers is of the shapes of the weights that it is of; the best weights are
/// none, or as many and of the same shapes as the network's.
fn sorted<T: Element>(
    tensors: BTreeMap<String, ArrayD<T>>,
    network: &NeuralNetwork<T>,
) -> std::result::Result<Sorted<T>, String> {
    let mut of_optimizer = Vec::new();
    let mut best = BTreeMap::new();
    for (name, tensor) in tensors {
        let matrix = tensor.into_dimensionality::<Ix2>();
        let matrix = matrix.map_err(|_| format!("tensor `{}` is no matrix", name.escape_debug()))?;
        if let Some(own_name) = name.strip_prefix("optimizer.") {
            check_remembered(&name, own_name, matrix.dim(), network)?;
            of_optimizer.push((own_name.to_owned(), matrix));
        } else if let Some(index) = name
            .strip_prefix("best.")
            .and_then(|index| index.parse::<usize>().ok())
        {
            best.insert(index, matrix);
        } else {
            return Err(format!("tensor `{}` belongs to no training", name.escape_debug()));
        }
    }
    let shapes = network.tensors().map(Array2::dim).enumerate();
    let fits = best
        .iter()
        .map(|(&index, matrix)| (index, matrix.dim()))
        .eq(shapes);
    if !best.is_empty() && !fits {
        return Err("the best weights are not those of the layers".to_owned());
    }
    Ok((of_optimizer, best.into_values().collect()))
}

/// Refuses what an optimizer cannot have remembered of these weights; a name without an index is for the optimizer to know.
fn check_remembered<T: Element>(
    name: &str,
    own_name: &str,
    (rows, columns): (usize, usize),
    network: &NeuralNetwork<T>,
) -> std::result::Result<(), String> {
    let index = own_name.split_once('.').and_then(|(index, _)| index.parse().ok());
    let Some(index) = index else { return Ok(()) };
    let name = name.escape_debug();
    match network.weights().nth(index).map(Array2::dim) {
        Some(shape) if shape == (rows, columns) => Ok(()),
        Some((own_rows, own_columns)) => Err(format!(
            "tensor `{name}` is {rows} x {columns}, and the weights that it is of are {own_rows} x {own_columns}"
        )),
        None => {
            let count = network.weights().count();
            Err(format!("tensor `{name}` is of no weights: there are {count}"))
        }
    }
}

/// The state of a training, checked as far as going on needs it.
fn restored<T>(state: State, weights: Vec<Array2<T>>) -> std::result::Result<TrainState<T>, String> {
    let completed = state.epochs.len();
    let known = |epoch: usize| (1..=completed).contains(&epoch);
    let epochs = [state.restored, state.best.as_ref().map(|best| best.epoch)];
    if !epochs.into_iter().flatten().all(known) {
        return Err(format!("its best epoch is none of the {completed}"));
    }
    if state.best.is_some() == weights.is_empty() {
        return Err("it has a best epoch without weights, or weights without an epoch".to_owned());
    }
    let numbered = state.epochs.into_iter().zip(1..);
    Ok(TrainState {
        history: History {
            epochs: numbered.map(|(entry, epoch)| entry.into_record(epoch)).collect(),
            samples: state.samples,
            stopped: state.stopped,
            restored: state.restored,
        },
        base_rate: state.base_rate,
        schedule: state.schedule.map(|schedule| ScheduleState {
            best: schedule.best,
            bad_epochs: schedule.bad_epochs,
            rate: schedule.rate,
        }),
        partial: state.partial.map(|partial| Partial {
            batches: partial.batches,
            loss: partial.loss,
            seconds: partial.seconds,
        }),
        best: state.best.map(|best| Best {
            epoch: best.epoch,
            loss: best.loss,
            weights,
        }),
    })
}

impl EpochEntry {
    fn of(record: &EpochRecord) -> Self {
        EpochEntry {
            train_loss: record.train_loss,
            validation: record.validation.map(EvaluationEntry::of),
            test: record.test.map(EvaluationEntry::of),
            learning_rate: record.learning_rate,
            seconds: record.seconds,
        }
    }

    fn into_record(self, epoch: usize) -> EpochRecord {
        EpochRecord {
            epoch,
            train_loss: self.train_loss,
            validation: self.validation.map(EvaluationEntry::into_evaluation),
            test: self.test.map(EvaluationEntry::into_evaluation),
            learning_rate: self.learning_rate,
            seconds: self.seconds,
        }
    }
}

impl EvaluationEntry {
    fn of(evaluation: Evaluation) -> Self {
        EvaluationEntry {
            loss: evaluation.loss,
            accuracy: evaluation.accuracy,
        }
    }

    fn into_evaluation(self) -> Evaluation {
        Evaluation {
            loss: self.loss,
            accuracy: self.accuracy,
        }
    }
}
