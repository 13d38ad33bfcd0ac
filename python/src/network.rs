//! The network that Python sees: created from its layers, trained, asked for predictions, saved and pickled.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{RwLock, TryLockError};
use std::thread;
use std::time::Duration;

use mfnet::checkpoint::{Precision, precision_of};
use mfnet::optimizer::OptimizerState;
use mfnet::{Error, NeuralNetwork, Result};
use ndarray::{Array1, Array2, ArrayView2, s};
use numpy::{IntoPyArray, PyReadonlyArray1, PyReadonlyArray2, ToPyArray};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::arrays::{Inputs, Number};
use crate::data::{AnySamples, Data};
use crate::errors::exception;
use crate::files::{Names, load, model};
use crate::pool::pool;
use crate::progress::Progress;
use crate::settings::Settings;
use crate::spec::Spec;
use crate::training::{End, State, Training};
use crate::watch::watched;

/// The time between two attempts to use a network that another thread uses.
const PATIENCE: Duration = Duration::from_millis(1);

/// A network with its training, in one of the two precisions.
enum AnyState {
    F32(State<f32>),
    F64(State<f64>),
}

/// Evaluates an expression for the state of either precision.
macro_rules! for_either {
    ($any:expr, $state:ident => $expression:expr) => {
        match $any {
            AnyState::F32($state) => $expression,
            AnyState::F64($state) => $expression,
        }
    };
}

/// A network: its layers, its weights, and the state of its training.
///
/// `spec` is a dictionary of `inputs, hidden, outputs, activation, kind, precision, dropout, batch_norm, seed`.
#[pyclass(frozen, module = "mfnet._mfnet")]
pub(crate) struct Network {
    spec: Spec,
    state: RwLock<AnyState>,
}

#[pymethods]
impl Network {
    #[new]
    fn new(py: Python<'_>, spec: Spec) -> PyResult<Self> {
        let state = py.detach(|| -> Result<AnyState> {
            Ok(match spec.is_double()? {
                true => AnyState::F64(State::new(&spec)?),
                false => AnyState::F32(State::new(&spec)?),
            })
        });
        Ok(Network {
            state: RwLock::new(state.map_err(exception)?),
            spec,
        })
    }

    /// The dictionary that the network was created from.
    #[getter]
    fn spec(&self) -> Spec {
        self.spec.clone()
    }

    /// The weights of each fully connected layer, inputs x outputs, and its biases: copies that cannot be written to.
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyList>)> {
        let weights = self.read(py, |state| match state {
            AnyState::F32(state) => AnyWeights::F32(weights(&state.network)),
            AnyState::F64(state) => AnyWeights::F64(weights(&state.network)),
        })?;
        match &weights {
            AnyWeights::F32(layers) => frozen_lists(py, layers),
            AnyWeights::F64(layers) => frozen_lists(py, layers),
        }
    }

    /// Sets the weights of each fully connected layer, inputs x outputs, and its biases.
    fn set_weights(
        &self,
        py: Python<'_>,
        coefs: Vec<PyReadonlyArray2<'_, f64>>,
        intercepts: Vec<PyReadonlyArray1<'_, f64>>,
    ) -> PyResult<()> {
        let layers: Vec<(ArrayView2<'_, f64>, _)> = coefs
            .iter()
            .zip(&intercepts)
            .map(|(coefs, intercepts)| (coefs.as_array(), intercepts.as_array()))
            .collect();
        if coefs.len() != intercepts.len() {
            return Err(PyValueError::new_err("there must be as many intercepts as coefs"));
        }
        self.write(
            py,
            |state| for_either!(state, state => set_weights(&mut state.network, &layers)),
        )?
        .map_err(exception)
    }

    /// Begins a training with these settings: a dictionary of the fields of `Settings`. Weights, losses and scores stay.
    fn start(&self, py: Python<'_>, settings: Settings) -> PyResult<()> {
        self.write(py, |state| {
            for_either!(state, state => {
                state.training = Some(Training::new(settings)?);
                Ok(())
            })
        })?
        .map_err(exception)
    }

    /// Trains up to `epochs` epochs; returns whether the training has converged.
    ///
    /// Other threads of Python run meanwhile. A signal whose handler raises an exception, such as Ctrl-C, ends the training
    /// behind the current batch with that exception.
    #[pyo3(signature = (data, epochs, *, validation=None, threads=None))]
    fn train(
        &self,
        py: Python<'_>,
        data: &Data,
        epochs: usize,
        validation: Option<&Data>,
        threads: Option<usize>,
    ) -> PyResult<bool> {
        let pool = pool(py, threads)?;
        let data = &data.samples;
        let validation = validation.map(|validation| &validation.samples);
        let work = |state: &mut AnyState, stop: &AtomicBool| match (state, data, validation) {
            (AnyState::F32(state), AnySamples::F32(data), None) => state.train(data, None, epochs, stop),
            (AnyState::F64(state), AnySamples::F64(data), None) => state.train(data, None, epochs, stop),
            (AnyState::F32(state), AnySamples::F32(data), Some(AnySamples::F32(validation))) => {
                state.train(data, Some(validation), epochs, stop)
            }
            (AnyState::F64(state), AnySamples::F64(data), Some(AnySamples::F64(validation))) => {
                state.train(data, Some(validation), epochs, stop)
            }
            _ => Err(Error::InvalidData {
                what: "training".to_owned(),
                problem: "the samples have another precision than the network".to_owned(),
            }),
        };
        let end = self.write(py, |state| watched(&pool, |stop| work(state, stop)))??;
        Ok(end.map_err(exception)? == End::Converged)
    }

    /// Restores the weights of the epoch with the best score.
    fn restore_best(&self, py: Python<'_>) -> PyResult<()> {
        self.write(py, |state| for_either!(state, state => state.restore_best()))?
            .map_err(exception)
    }

    /// The progress of all trainings: losses, scores, best_loss, best_score, bad_epochs, samples_seen, epochs.
    fn progress<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let progress = self.read(py, |state| for_either!(state, state => state.progress.clone()))?;
        progress_dict(py, progress)
    }

    /// The predictions for the rows of a matrix: numbers, expected counts, or probabilities. The inputs are those of `Data`.
    #[pyo3(signature = (inputs, *, threads=None))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        inputs: &Bound<'py, PyAny>,
        threads: Option<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let pool = pool(py, threads)?;
        let inputs = Inputs::of(inputs)?;
        let inputs = inputs.view()?;
        let predictions = self.read(py, |state| {
            pool.install(|| -> Result<AnyMatrix> {
                Ok(match state {
                    AnyState::F32(state) => AnyMatrix::F32(state.predict(inputs)?),
                    AnyState::F64(state) => AnyMatrix::F64(state.predict(inputs)?),
                })
            })
        })?;
        Ok(match predictions.map_err(exception)? {
            AnyMatrix::F32(predictions) => predictions.into_pyarray(py).into_any(),
            AnyMatrix::F64(predictions) => predictions.into_pyarray(py).into_any(),
        })
    }

    /// Saves the network as a model file of the command.
    #[pyo3(signature = (path, *, feature_names=vec![], labels=vec![], answers=vec![]))]
    fn save(
        &self,
        py: Python<'_>,
        path: PathBuf,
        feature_names: Vec<String>,
        labels: Vec<String>,
        answers: Vec<[String; 2]>,
    ) -> PyResult<()> {
        let names = Names {
            features: feature_names,
            labels,
            answers,
        };
        self.read(
            py,
            |state| for_either!(state, state => model(&self.spec, state, &names)?.save(&path)),
        )?
        .map_err(exception)
    }

    /// Saves the network as an ONNX file.
    #[pyo3(signature = (path, *, feature_names=vec![], labels=vec![], answers=vec![]))]
    fn to_onnx(
        &self,
        py: Python<'_>,
        path: PathBuf,
        feature_names: Vec<String>,
        labels: Vec<String>,
        answers: Vec<[String; 2]>,
    ) -> PyResult<()> {
        let names = Names {
            features: feature_names,
            labels,
            answers,
        };
        self.read(
            py,
            |state| for_either!(state, state => model(&self.spec, state, &names)?.export_onnx(&path)),
        )?
        .map_err(exception)
    }

    /// Reads a model file: the network, and the names of features, labels and answers.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<(Self, Bound<'_, PyDict>)> {
        let loaded = py.detach(|| -> Result<_> {
            Ok(match precision_of(&path)? {
                Precision::F32 => {
                    let (spec, state, names) = load(&path)?;
                    (spec, AnyState::F32(state), names)
                }
                Precision::F64 => {
                    let (spec, state, names) = load(&path)?;
                    (spec, AnyState::F64(state), names)
                }
            })
        });
        let (spec, state, names) = loaded.map_err(exception)?;
        let dict = PyDict::new(py);
        dict.set_item("feature_names", names.features)?;
        dict.set_item("labels", names.labels)?;
        dict.set_item("answers", names.answers)?;
        Ok((
            Network {
                spec,
                state: RwLock::new(state),
            },
            dict,
        ))
    }

    fn __getnewargs__(&self) -> (Spec,) {
        (self.spec.clone(),)
    }

    /// The weights, the settings, the progress and the state of the training, for a pickle.
    fn __getstate__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (settings, progress) = self.read(
            py,
            |state| for_either!(state, state => (settings(state), state.progress.clone())),
        )?;
        let dict = PyDict::new(py);
        dict.set_item("settings", settings)?;
        dict.set_item("progress", progress_dict(py, progress)?)?;
        match &*self.state.try_read().map_err(|_| busy())? {
            AnyState::F32(state) => add_tensors(py, &dict, state)?,
            AnyState::F64(state) => add_tensors(py, &dict, state)?,
        }
        Ok(dict)
    }

    fn __setstate__(&self, saved: &Bound<'_, PyDict>) -> PyResult<()> {
        match &mut *self.state.try_write().map_err(|_| busy())? {
            AnyState::F32(state) => restore(state, saved),
            AnyState::F64(state) => restore(state, saved),
        }
    }
}

impl Network {
    /// Calls a function with the state once no other thread trains it, detached from the interpreter.
    ///
    /// # Errors
    ///
    /// The exception of a signal handler.
    fn read<R: Send>(&self, py: Python<'_>, work: impl FnOnce(&AnyState) -> R + Send) -> PyResult<R> {
        py.detach(|| {
            loop {
                match self.state.try_read() {
                    Ok(state) => return Ok(work(&state)),
                    Err(TryLockError::Poisoned(state)) => return Ok(work(&state.into_inner())),
                    Err(TryLockError::WouldBlock) => wait()?,
                }
            }
        })
    }

    /// As [`Network::read`], with a state that can be changed.
    fn write<R: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut AnyState) -> R + Send) -> PyResult<R> {
        py.detach(|| {
            loop {
                match self.state.try_write() {
                    Ok(mut state) => return Ok(work(&mut state)),
                    Err(TryLockError::Poisoned(state)) => return Ok(work(&mut state.into_inner())),
                    Err(TryLockError::WouldBlock) => wait()?,
                }
            }
        })
    }
}

/// Waits for a moment.
///
/// # Errors
///
/// The exception of a signal handler.
fn wait() -> PyResult<()> {
    thread::sleep(PATIENCE);
    Python::attach(|py| py.check_signals())
}

fn busy() -> PyErr {
    PyValueError::new_err("another thread trains this network")
}

/// A matrix in one of the two precisions.
enum AnyMatrix {
    F32(Array2<f32>),
    F64(Array2<f64>),
}

/// The weights and biases of each fully connected layer.
type Weights<T> = Vec<(Array2<T>, Array1<T>)>;

/// Weights in one of the two precisions.
enum AnyWeights {
    F32(Weights<f32>),
    F64(Weights<f64>),
}

/// The weights of each fully connected layer, inputs x outputs, and its biases.
fn weights<T: Number>(network: &NeuralNetwork<T>) -> Weights<T> {
    let layers = network.layers().filter(|layer| layer.name() == "Linear");
    layers
        .map(|layer| {
            let tensor = &layer.parameters()[0];
            let weights = tensor.slice(s![1.., 1..]).reversed_axes();
            (
                weights.as_standard_layout().into_owned(),
                tensor.slice(s![1.., 0]).to_owned(),
            )
        })
        .collect()
}

/// Sets the weights of each fully connected layer, inputs x outputs, and its biases.
fn set_weights<T: Number>(
    network: &mut NeuralNetwork<T>,
    given: &[(ArrayView2<'_, f64>, ndarray::ArrayView1<'_, f64>)],
) -> Result<()> {
    let mut given = given.iter();
    let mut tensors = Vec::new();
    for layer in network.layers() {
        let first = tensors.len();
        tensors.extend(layer.parameters().iter().chain(layer.buffers()).cloned());
        if layer.name() != "Linear" {
            continue;
        }
        let expected = (layer.inputs(), layer.outputs());
        let Some((coefs, intercepts)) = given.next() else {
            return Err(shape_error("a matrix for each layer", "fewer"));
        };
        if (coefs.dim(), intercepts.len()) != (expected, expected.1) {
            let expected = format!(
                "{} x {} coefs, and {} intercepts",
                expected.0, expected.1, expected.1
            );
            let found = format!("{} x {}, and {}", coefs.nrows(), coefs.ncols(), intercepts.len());
            return Err(shape_error(&expected, &found));
        }
        let tensor: &mut Array2<T> = &mut tensors[first];
        tensor
            .slice_mut(s![1.., 1..])
            .zip_mut_with(&coefs.t(), |weight, &coef| *weight = T::from_f64(coef));
        tensor
            .slice_mut(s![1.., 0])
            .zip_mut_with(intercepts, |bias, &intercept| *bias = T::from_f64(intercept));
    }
    if given.next().is_some() {
        return Err(shape_error("a matrix for each layer", "more"));
    }
    network.set_tensors(&tensors)
}

fn shape_error(expected: &str, found: &str) -> Error {
    Error::Shape {
        operation: "set_weights",
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}

/// The lists of weights and biases, as arrays that cannot be written to: they are copies.
fn frozen_lists<'py, T: Number>(
    py: Python<'py>,
    layers: &Weights<T>,
) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyList>)> {
    let freeze = |array: Bound<'py, PyAny>| -> PyResult<Bound<'py, PyAny>> {
        let flags = PyDict::new(py);
        flags.set_item("write", false)?;
        array.call_method("setflags", (), Some(&flags))?;
        Ok(array)
    };
    let (coefs, intercepts) = (PyList::empty(py), PyList::empty(py));
    for (weights, biases) in layers {
        coefs.append(freeze(weights.to_pyarray(py).into_any())?)?;
        intercepts.append(freeze(biases.to_pyarray(py).into_any())?)?;
    }
    Ok((coefs, intercepts))
}

fn settings<T: Number>(state: &State<T>) -> Option<Settings> {
    state.training.as_ref().map(|training| training.settings.clone())
}

fn progress_dict(py: Python<'_>, progress: Progress) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("losses", progress.losses)?;
    dict.set_item("scores", progress.scores)?;
    dict.set_item("best_loss", progress.best_loss)?;
    dict.set_item("best_score", progress.best_score)?;
    dict.set_item("bad_epochs", progress.bad_epochs)?;
    dict.set_item("samples_seen", progress.samples_seen)?;
    dict.set_item("epochs", progress.epochs)?;
    Ok(dict)
}

/// Adds the tensors of the network, those of its best epoch, and the state of its optimizer.
fn add_tensors<T: Number>(py: Python<'_>, dict: &Bound<'_, PyDict>, state: &State<T>) -> PyResult<()> {
    let arrays = |tensors: &mut dyn Iterator<Item = &Array2<T>>| {
        PyList::new(
            py,
            tensors.map(|tensor| tensor.to_pyarray(py)).collect::<Vec<_>>(),
        )
    };
    dict.set_item("tensors", arrays(&mut state.network.tensors())?)?;
    match &state.best {
        Some(best) => dict.set_item("best", arrays(&mut best.iter())?)?,
        None => dict.set_item("best", py.None())?,
    }
    let solver = state
        .training
        .as_ref()
        .and_then(|training| training.solver.as_ref());
    let Some(solver) = solver else {
        return dict.set_item("optimizer", py.None());
    };
    let optimizer = solver.state();
    let names: Vec<&String> = optimizer.tensors.iter().map(|(name, _)| name).collect();
    let tensors = arrays(&mut optimizer.tensors.iter().map(|(_, tensor)| tensor))?;
    dict.set_item("optimizer", (solver.rate(), optimizer.steps, names, tensors))
}

/// Restores what [`Network::__getstate__`] returned.
fn restore<T: Number>(state: &mut State<T>, saved: &Bound<'_, PyDict>) -> PyResult<()> {
    let item = |name: &str| -> PyResult<Bound<'_, PyAny>> {
        let item = saved.get_item(name)?;
        item.ok_or_else(|| PyValueError::new_err(format!("the pickle lacks {name}")))
    };
    let tensors = |list: &Bound<'_, PyAny>| -> PyResult<Vec<Array2<T>>> {
        let arrays: Vec<PyReadonlyArray2<'_, T>> = list.extract()?;
        Ok(arrays.iter().map(|array| array.as_array().to_owned()).collect())
    };
    state
        .network
        .set_tensors(&tensors(&item("tensors")?)?)
        .map_err(exception)?;
    let best = item("best")?;
    state.best = if best.is_none() {
        None
    } else {
        Some(tensors(&best)?)
    };
    let progress = item("progress")?;
    state.progress = Progress {
        losses: progress.get_item("losses")?.extract()?,
        scores: progress.get_item("scores")?.extract()?,
        best_loss: progress.get_item("best_loss")?.extract()?,
        best_score: progress.get_item("best_score")?.extract()?,
        bad_epochs: progress.get_item("bad_epochs")?.extract()?,
        samples_seen: progress.get_item("samples_seen")?.extract()?,
        epochs: progress.get_item("epochs")?.extract()?,
    };
    let settings = item("settings")?;
    if settings.is_none() {
        state.training = None;
        return Ok(());
    }
    let mut training = Training::new(settings.extract()?).map_err(exception)?;
    if let Some(solver) = &mut training.solver {
        let optimizer = item("optimizer")?;
        let optimizer = optimizer
            .cast::<PyTuple>()
            .map_err(|_| PyTypeError::new_err("the pickle has no optimizer"))?;
        let names: Vec<String> = optimizer.get_item(2)?.extract()?;
        let restored = OptimizerState {
            steps: optimizer.get_item(1)?.extract()?,
            tensors: names.into_iter().zip(tensors(&optimizer.get_item(3)?)?).collect(),
        };
        solver
            .restore(optimizer.get_item(0)?.extract()?, restored)
            .map_err(exception)?;
    }
    state.training = Some(training);
    Ok(())
}
