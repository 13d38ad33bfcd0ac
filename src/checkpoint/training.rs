//! Checkpoints: saves a training in a file, from which it is resumed bit for bit.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{Array2, ArrayD, Ix2};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::description::{Description, KEY};
use super::saved::{self, SavedModel, SavedTraining, ToSave, precision_of};
use super::tensors::TensorFile;
use super::{Record, Registry};
use crate::data::Schema;
use crate::element::Element;
use crate::error::{Error, Position, Result};
use crate::loss::{Loss, LossRecord};
use crate::network::NeuralNetwork;
use crate::optimizer::{Optimizer, OptimizerState, ScheduleState};
use crate::train::{
    BatchOrder, BestWeights, EarlyStop, EpochRecord, History, InterruptedEpoch, Run, Settings, StopReason,
    ToleranceState, TrainOptions, TrainState, Trainer, TrainingData, difference, settings,
};

/// The state of a training as JSON; its numbers are read back bit for bit.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "", deny_unknown_fields)]
struct State<T> {
    optimizer: String,
    settings: Settings,
    steps: u64,
    stopped: Option<StopReason>,
    restored: Option<usize>,
    schedule: Option<ScheduleState>,
    interrupted: Option<InterruptedEpoch>,
    /// Without the weights, which are tensors of the file.
    best: Option<BestWeights<T>>,
    epochs_without_improvement: usize,
    /// Missing before the first epoch with a tolerance.
    #[serde(default, skip_serializing_if = "is_new")]
    tolerance: ToleranceState,
    epochs: Vec<EpochRecord>,
    /// The number of epochs that are no partial fits.
    fit_epochs: usize,
    data: Option<TrainingData>,
}

fn is_new(tolerance: &ToleranceState) -> bool {
    *tolerance == ToleranceState::default()
}

/// The part of the state that checkpoints of the first version lack.
#[derive(Debug, Deserialize)]
struct Age {
    settings: Option<IgnoredAny>,
}

impl<T: Element> Run<'_, T> {
    /// Saves the state of the training in a file that [`Trainer::load_checkpoint`] resumes from.
    ///
    /// With a schema, the file is also a model, which [`Model::load`](super::Model::load) loads. The file is replaced
    /// atomically, never in part.
    ///
    /// # Errors
    ///
    /// As [`NeuralNetwork::save`].
    pub fn save_checkpoint(&self, path: impl AsRef<Path>, schema: Option<&Schema<T>>) -> Result<()> {
        self.save_checkpoint_with(path, schema, &Registry::new())
    }

    /// As [`Run::save_checkpoint`], with the layers and activations of a registry.
    ///
    /// # Errors
    ///
    /// As [`NeuralNetwork::save_with`].
    pub fn save_checkpoint_with(
        &self,
        path: impl AsRef<Path>,
        schema: Option<&Schema<T>>,
        registry: &Registry<T>,
    ) -> Result<()> {
        let parts = Parts {
            network: self.network,
            loss: self.loss,
            optimizer: self.optimizer,
            options: self.options,
            state: self.state,
        };
        save(path.as_ref(), parts, schema, registry)
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
    /// use std::ops::ControlFlow::Break;
    ///
    /// let line = Dataset::regression(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]])?;
    /// let trainer = || -> mfnet::Result<Trainer<f64>> {
    ///     let network = NeuralNetwork::builder(1).linear(1).seed(7).build()?;
    ///     let options = TrainOptions::default().with_epochs(20);
    ///     Ok(Trainer::new(network, MseLoss::default(), Adam::new(0.1)?).options(options))
    /// };
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("checkpoint.safetensors");
    ///
    /// let mut interrupted = trainer()?;
    /// interrupted.fit_with(&line, |_| Break(()))?;
    /// interrupted.save_checkpoint(&path, None)?;
    ///
    /// let mut resumed = trainer()?;
    /// resumed.load_checkpoint(&path)?;
    /// resumed.fit(&line)?;
    ///
    /// let mut whole = trainer()?;
    /// whole.fit(&line)?;
    /// assert!(resumed.network().parameters().eq(whole.network().parameters()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save_checkpoint(&self, path: impl AsRef<Path>, schema: Option<&Schema<T>>) -> Result<()> {
        self.save_checkpoint_with(path, schema, &Registry::new())
    }

    /// As [`Trainer::save_checkpoint`], with the layers and activations of a registry.
    ///
    /// # Errors
    ///
    /// As [`NeuralNetwork::save_with`].
    pub fn save_checkpoint_with(
        &self,
        path: impl AsRef<Path>,
        schema: Option<&Schema<T>>,
        registry: &Registry<T>,
    ) -> Result<()> {
        let parts = Parts {
            network: &self.network,
            loss: &*self.loss,
            optimizer: &*self.optimizer,
            options: &self.options,
            state: &self.state,
        };
        save(path.as_ref(), parts, schema, registry)
    }

    /// Loads network, optimizer state and history of a checkpoint, so that the next call of [`Trainer::fit`] continues its
    /// training: weights and history become, bit for bit, those of a training that was never interrupted.
    ///
    /// A checkpoint of a different training is refused. These are compared, and the error has the names and both values:
    ///
    /// - here: the precision; the layers and activations with their options; the loss and the optimizer with their
    ///   [settings](crate::loss::Loss::settings) and the learning rate; of the options the L2 penalty, the schedule, the warm-up,
    ///   batch size, shard size, seed, shuffle and drop-last; the layers that are frozen;
    /// - by the first [`Trainer::fit`] or [`Trainer::start`]: training and validation set, by shape and content hash.
    ///   [`Trainer::partial_fit`] takes any data.
    ///
    /// These may differ: the number of epochs, the tolerance, the patience of early stopping, its score and `min_delta`, the
    /// test set and its interval, the number of threads, the observer. To train on with anything else, make a new trainer of
    /// the network ([`Trainer::into_network`]).
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read; [`Error::InvalidFile`] for a file that is no checkpoint, is that
    /// of another training, or was written by a version that did not save the settings yet. The trainer is then unchanged,
    /// provided that its optimizer is unchanged by a state that it refuses, as those of this crate are.
    pub fn load_checkpoint(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.load_checkpoint_with(path, &Registry::new())
    }

    /// As [`Trainer::load_checkpoint`], with the layers and activations of a registry.
    ///
    /// # Errors
    ///
    /// As [`Trainer::load_checkpoint`].
    pub fn load_checkpoint_with(&mut self, path: impl AsRef<Path>, registry: &Registry<T>) -> Result<()> {
        let path = path.as_ref();
        let fault = |problem: String| Error::file(path, Position::File, problem);
        let saved_in = precision_of(path)?;
        if saved_in.to_string() != T::NAME {
            return Err(fault(format!(
                "the training is one in {saved_in}, not in {}",
                T::NAME
            )));
        }
        check_age(path)?;
        let (SavedModel { network, .. }, training) = saved::read::<T, State<T>>(path, registry)?;
        let Some(SavedTraining { state, tensors }) = training else {
            return Err(fault(
                "it is no checkpoint, but a model that is not being trained".to_owned(),
            ));
        };
        if let Some(difference) = layer_difference(&network, &self.network, registry)? {
            return Err(fault(format!(
                "the checkpoint is of another network: {difference}"
            )));
        }
        if state.optimizer != self.optimizer.name() {
            let (saved, own) = (&state.optimizer, self.optimizer.name());
            return Err(fault(format!(
                "the training is one with {}, not with {own}",
                saved.escape_debug()
            )));
        }
        let own_settings = with_frozen(
            &self.network,
            settings(&*self.loss, &*self.optimizer, &self.options),
        );
        if let Some(difference) = difference(&state.settings, &own_settings) {
            return Err(fault(format!(
                "the checkpoint is of another training: {difference}"
            )));
        }
        let (of_optimizer, best_weights) = sorted(tensors, &network).map_err(fault)?;
        let of_optimizer = OptimizerState {
            steps: state.steps,
            tensors: of_optimizer,
        };
        let restored = restored(state, best_weights, &self.options).map_err(fault)?;
        let refused = |error: Error| fault(error.to_string());
        self.optimizer.restore(of_optimizer).map_err(refused)?;
        self.network.replace_layers(network);
        self.state = restored;
        Ok(())
    }
}

/// Adds the layers that are frozen to the settings of a training.
fn with_frozen<T: Element>(network: &NeuralNetwork<T>, mut settings: Settings) -> Settings {
    settings.insert("frozen layers".to_owned(), network.frozen_layers());
    settings
}

/// The parts of a training that a checkpoint is made of.
struct Parts<'a, T> {
    network: &'a NeuralNetwork<T>,
    loss: &'a dyn Loss<T>,
    optimizer: &'a dyn Optimizer<T>,
    options: &'a TrainOptions,
    state: &'a TrainState<T>,
}

fn save<T: Element>(
    path: &Path,
    parts: Parts<'_, T>,
    schema: Option<&Schema<T>>,
    registry: &Registry<T>,
) -> Result<()> {
    let Parts { optimizer, state, .. } = parts;
    let OptimizerState { steps, tensors } = optimizer.state();
    let mut tensors: BTreeMap<String, ArrayD<T>> = tensors
        .into_iter()
        .map(|(name, tensor)| (format!("optimizer.{name}"), tensor.into_dyn()))
        .collect();
    let (history, best) = (&state.history, state.early_stop.best.as_ref());
    if let Some(best) = best {
        let weights = best.weights.iter().enumerate();
        tensors.extend(weights.map(|(index, weights)| (format!("best.{index}"), weights.clone().into_dyn())));
    }
    let state = State {
        optimizer: optimizer.name().to_owned(),
        settings: with_frozen(parts.network, settings(parts.loss, optimizer, parts.options)),
        steps,
        stopped: history.stopped,
        restored: history.restored,
        schedule: state.schedule,
        interrupted: state.interrupted,
        best: best.map(|best| BestWeights::<T> {
            epoch: best.epoch,
            loss: best.loss,
            score: best.score,
            weights: Vec::new(),
        }),
        epochs_without_improvement: state.early_stop.bad_epochs,
        tolerance: state.tolerance,
        epochs: history.epochs.clone(),
        fit_epochs: state.epochs,
        data: state.data,
    };
    let parts = ToSave {
        network: parts.network,
        schema,
        loss: Some(LossRecord::of(parts.loss)),
        training: Some(SavedTraining { state, tensors }),
    };
    saved::write(path, parts, registry)
}

/// Refuses a checkpoint of a version that did not save the settings: it cannot be compared with a training.
fn check_age(path: &Path) -> Result<()> {
    let file = TensorFile::open(path)?;
    let Some(text) = file.text(KEY) else { return Ok(()) };
    let description = Description::<f64, Age>::parse(text).map_err(|problem| file.fault(problem))?;
    match description.training {
        Some(Age { settings: None }) => Err(file.fault(
            "the checkpoint was written by an older version, which did not keep what the training was told: its network can \
             be loaded and trained anew",
        )),
        _ => Ok(()),
    }
}

/// Describes the first difference between the layers of two networks, with both sides; `None` if they agree.
fn layer_difference<T: Element>(
    saved: &NeuralNetwork<T>,
    own: &NeuralNetwork<T>,
    registry: &Registry<T>,
) -> Result<Option<String>> {
    let described = |network: &NeuralNetwork<T>| -> Result<Vec<String>> {
        let records = network.records_with(registry)?.into_iter();
        Ok(records.map(|record| describe(&record)).collect())
    };
    let (of_saved, of_own) = (described(saved)?, described(own)?);
    if of_saved == of_own && saved.inputs() == own.inputs() {
        return Ok(None);
    }
    let place = of_saved.iter().zip(&of_own).position(|(saved, own)| saved != own);
    Ok(Some(match place {
        Some(index) => format!(
            "layer {index} is {} there and {} here",
            of_saved[index], of_own[index]
        ),
        None => format!(
            "it is {} there and {} here",
            saved.architecture(),
            own.architecture()
        ),
    }))
}

/// Formats kind, options and seed of a layer or an activation.
fn describe<T>(record: &Record<T>) -> String {
    let options = record.options.iter();
    let mut options: Vec<String> = options.map(|(name, value)| format!("{name}={value}")).collect();
    options.extend(record.seed.map(|seed| format!("seed={seed}")));
    format!("{} ({})", record.kind, options.join(", "))
}

/// The tensors of the optimizer by name, and the best weights.
type Sorted<T> = (Vec<(String, Array2<T>)>, Vec<Array2<T>>);

/// Sorts tensors into those of the optimizer, each of the shape of its weights, and the best weights, which are missing or
/// have the shapes of the network's parameters and buffers.
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
            check_optimizer_tensor(&name, own_name, matrix.dim(), network)?;
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

/// Refuses a tensor of the optimizer whose shape is not that of its weights. The optimizer checks names without an index.
fn check_optimizer_tensor<T: Element>(
    name: &str,
    own_name: &str,
    (rows, columns): (usize, usize),
    network: &NeuralNetwork<T>,
) -> std::result::Result<(), String> {
    let index = own_name.split_once('.').and_then(|(index, _)| index.parse().ok());
    let Some(index) = index else { return Ok(()) };
    let name = name.escape_debug();
    match network.parameters().nth(index).map(Array2::dim) {
        Some(shape) if shape == (rows, columns) => Ok(()),
        Some((own_rows, own_columns)) => Err(format!(
            "tensor `{name}` is {rows} x {columns}, and the weights that it is of are {own_rows} x {own_columns}"
        )),
        None => {
            let count = network.parameters().count();
            Err(format!("tensor `{name}` is of no weights: there are {count}"))
        }
    }
}

/// Restores the state of a training, and checks what its continuation depends on.
fn restored<T>(
    mut state: State<T>,
    weights: Vec<Array2<T>>,
    options: &TrainOptions,
) -> std::result::Result<TrainState<T>, String> {
    let completed = state.epochs.len();
    let known = |epoch: usize| (1..=completed).contains(&epoch);
    let epochs = [state.restored, state.best.as_ref().map(|best| best.epoch)];
    if !epochs.into_iter().flatten().all(known) {
        return Err(format!("its best epoch is none of the {completed}"));
    }
    if state.best.is_some() == weights.is_empty() {
        return Err("it has a best epoch without weights, or weights without an epoch".to_owned());
    }
    if state.fit_epochs > completed {
        return Err(format!(
            "{} of its {completed} epochs are no partial fits",
            state.fit_epochs
        ));
    }
    for (record, epoch) in state.epochs.iter_mut().zip(1..) {
        record.epoch = epoch;
    }
    Ok(TrainState {
        history: History {
            epochs: state.epochs,
            stopped: state.stopped,
            restored: state.restored,
        },
        epochs: state.fit_epochs,
        schedule: state.schedule,
        interrupted: state.interrupted.map(|interrupted| InterruptedEpoch {
            order: BatchOrder::new(interrupted.order.data(), options),
            ..interrupted
        }),
        early_stop: EarlyStop {
            best: state.best.map(|best| BestWeights { weights, ..best }),
            bad_epochs: state.epochs_without_improvement,
        },
        tolerance: state.tolerance,
        data: state.data,
        expects_data: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state with every part, as version 0.1 writes it.
    const JSON: &str = concat!(
        r#"{"optimizer":"Adam","settings":{"seed":"0"},"steps":4,"stopped":"early-stopping","restored":1,"#,
        r#""schedule":{"best":null,"bad_epochs":0,"rate":0.001},"#,
        r#""interrupted":{"batches":2,"loss":"NaN","seconds":0.5,"#,
        r#""data":{"samples":26,"features":2,"outputs":1,"hash":"00ade691e6ee058f"}},"#,
        r#""best":{"epoch":1,"loss":"inf"},"epochs_without_improvement":3,"#,
        r#""epochs":[{"samples":26,"train_loss":"-inf","validation":{"loss":0.1,"accuracy":0.25},"test":null,"#,
        r#""learning_rate":0.1,"seconds":1e-7}],"fit_epochs":1,"#,
        r#""data":{"train":{"samples":26,"features":2,"outputs":1,"hash":"3ade691e6ee058f7"},"validation":null}}"#,
    );

    #[test]
    fn the_json_of_a_state_does_not_change() {
        let parse = |text: &str| serde_json::from_str::<State<f32>>(text);
        assert_eq!(serde_json::to_string(&parse(JSON).unwrap()).unwrap(), JSON);
        for (place, _) in JSON.match_indices('{') {
            let hostile = format!(r#"{}{{"x":7,{}"#, &JSON[..place], &JSON[place + 1..]);
            let error = parse(&hostile).unwrap_err().to_string();
            let is_settings = JSON[place..].starts_with(r#"{"seed""#);
            assert!(is_settings || error.contains("unknown field `x`"), "{error}");
        }
    }
}
