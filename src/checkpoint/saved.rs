//! Writing and reading the files of this crate: a network, the schema of its data, and the state of a training.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::ArrayD;
use safetensors::Dtype;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::Registry;
use super::description::{Description, KEY, MOST_LAYERS, Precision};
use super::header::shown;
use super::network::{build, counts, tensors};
use super::tensors::{TensorFile, write as write_tensors};
use crate::data::Schema;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::loss::LossRecord;
use crate::network::NeuralNetwork;

/// The network of a file, the schema of its data, and the loss that it was trained with.
#[derive(Debug)]
pub(super) struct SavedModel<T> {
    pub(super) network: NeuralNetwork<T>,
    /// `None` for a network without a schema.
    pub(super) schema: Option<Schema<T>>,
    /// `None` where the loss is unknown.
    pub(super) loss: Option<LossRecord>,
}

/// The parts that [`write`] puts into a file.
#[derive(Debug)]
pub(super) struct ToSave<'a, T, S> {
    pub(super) network: &'a NeuralNetwork<T>,
    pub(super) schema: Option<&'a Schema<T>>,
    pub(super) loss: Option<LossRecord>,
    pub(super) training: Option<SavedTraining<T, S>>,
}

/// The state of a training in a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SavedTraining<T, S> {
    /// The part that is saved as JSON.
    pub(super) state: S,
    /// The part that is saved as tensors, whose names do not start with a digit, such as `optimizer.0.exp_avg`.
    pub(super) tensors: BTreeMap<String, ArrayD<T>>,
}

/// The contents of a file; only a checkpoint has the second part.
pub(super) type Content<T, S> = (SavedModel<T>, Option<SavedTraining<T, S>>);

/// Returns the precision that a network was saved in. For a file of another program, it is that of the widest numbers.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read, [`Error::InvalidFile`] for one that is no safetensors file.
pub fn precision_of(path: impl AsRef<Path>) -> Result<Precision> {
    let file = TensorFile::open(path.as_ref())?;
    if let Some(text) = file.text(KEY) {
        let description = Description::<f64, IgnoredAny>::parse(text);
        return Ok(description.map_err(|problem| file.fault(problem))?.precision);
    }
    let is_double = file.tensors().any(|(_, dtype, _)| dtype == Dtype::F64);
    Ok(if is_double { Precision::F64 } else { Precision::F32 })
}

/// Writes a file, which is replaced atomically, never in part.
///
/// # Errors
///
/// [`Error::InvalidData`] for a network that could not be loaded again (a layer that the registry does not know, more layers
/// than a file may describe, no weights, numbers that are not finite) and for a schema whose parts do not fit;
/// [`Error::Io`].
pub(super) fn write<T: Element, S: Serialize>(
    path: &Path,
    parts: ToSave<'_, T, S>,
    registry: &Registry<T>,
) -> Result<()> {
    let ToSave {
        network,
        schema,
        loss,
        training,
    } = parts;
    let records = network.records_with(registry)?;
    let refused = |problem: String| Err(Error::data("the network", problem));
    if records.len() > MOST_LAYERS {
        let layers = records.len();
        return refused(format!(
            "it has {layers} layers and activations, and a file describes {MOST_LAYERS}"
        ));
    }
    if network.parameter_count() == 0 {
        return refused("none of its layers has weights, so that there is nothing to save".to_owned());
    }
    let mut description = Description::new(network.inputs(), &records);
    description.loss = loss;
    let counts = counts(&records);
    let mut tensors = tensors(records);
    if let Some(schema) = schema {
        schema.check()?;
        description.schema = Some(schema.clone());
    }
    if let Some(training) = training {
        description.training = Some(training.state);
        tensors.extend(training.tensors);
    }
    let text = serde_json::to_string(&description);
    let text = text.map_err(|error| Error::io(path, "describe the model", error.into()))?;
    write_tensors(path, &tensors, &counts, (KEY, text))
}

/// Reads a file that [`write`] wrote. A file of the other precision is converted.
///
/// # Errors
///
/// [`Error::Io`]; [`Error::InvalidFile`] for a file whose parts do not fit.
pub(super) fn read<T: Element, S: DeserializeOwned>(
    path: &Path,
    registry: &Registry<T>,
) -> Result<Content<T, S>> {
    let mut file = TensorFile::open(path)?;
    let Some(text) = file.text(KEY) else {
        return Err(file.fault(format_args!(
            "it does not say what its layers are, as it was not written by mfnet: build a network of the same layers, \
             and load the weights into that"
        )));
    };
    let description = Description::<T, S>::parse(text).map_err(|problem| file.fault(problem))?;
    let network = build(&description, &mut file, &BTreeMap::new(), registry)?;
    let Description {
        schema,
        loss,
        training,
        ..
    } = description;
    if let Some(schema) = &schema {
        schema.check().map_err(|error| file.fault(error))?;
    }
    let training = match training {
        Some(state) => Some(SavedTraining {
            state,
            tensors: file.take_rest()?,
        }),
        None => {
            if let Some((name, ..)) = file.tensors().next() {
                let name = shown(name);
                return Err(file.fault(format_args!("tensor `{name}` belongs to none of the layers")));
            }
            None
        }
    };
    let saved = SavedModel {
        network,
        schema,
        loss,
    };
    Ok((saved, training))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_checkpoint_keeps_more_than_the_model() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        let network = NeuralNetwork::<f32>::builder(2)
            .linear(1)
            .seed(7)
            .build()
            .unwrap();
        let average = array![[0.1_f32, 0.2]].into_dyn();
        let training = SavedTraining {
            state: vec![0.1, 1e-300],
            tensors: BTreeMap::from([("optimizer.0.exp_avg".to_owned(), average)]),
        };
        let parts = ToSave {
            network: &network,
            schema: None,
            loss: None,
            training: Some(training.clone()),
        };
        write(&path, parts, &Registry::new()).unwrap();
        let (saved, back) = read::<f32, Vec<f64>>(&path, &Registry::new()).unwrap();
        assert_eq!(back, Some(training));
        assert!(saved.schema.is_none());
        assert!(saved.network.parameters().eq(network.parameters()));
        let mut other = NeuralNetwork::<f32>::builder(2)
            .linear(1)
            .seed(8)
            .build()
            .unwrap();
        other.load_weights(&path).unwrap();
        assert!(other.parameters().eq(network.parameters()));
        assert!(
            read::<f32, String>(&path, &Registry::new()).is_err(),
            "a state of another kind"
        );
    }

    #[test]
    fn a_file_without_weights_bounds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty.safetensors");
        for (inputs, problem) in [
            (1_usize << 20, "none of its layers has weights"),
            (1 << 62, "it must be few enough for the memory"),
        ] {
            let text = format!(
                r#"{{"format":1,"precision":"f32","inputs":{inputs},
                "layers":[{{"kind":"Dropout","options":{{"p":0.5}}}}]}}"#
            );
            write_tensors::<f32>(&path, &BTreeMap::new(), &BTreeMap::new(), (KEY, text)).unwrap();
            let error = read::<f32, IgnoredAny>(&path, &Registry::new())
                .unwrap_err()
                .to_string();
            assert!(error.ends_with(problem), "{error}");
        }
    }
}
