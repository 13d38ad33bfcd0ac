//! Networks as model files of the command, and as ONNX files.

use std::path::Path;

use mfnet::checkpoint::OutputKind;
use mfnet::data::{Inputs, Scaling, Schema, TargetTransform};
use mfnet::{Dataset, Error, Model, NeuralNetwork, Result, Targets};
use ndarray::Array2;

use crate::arrays::Number;
use crate::spec::{ACTIVATIONS, Kind, Spec};
use crate::training::State;

/// The names of features, classes and answers; empty where there are none.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) features: Vec<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) answers: Vec<[String; 2]>,
}

/// The model of a network, with a schema that says what its data mean.
///
/// # Errors
///
/// [`Error::InvalidData`] for counts, which model files do not know, and for names that do not fit.
pub(crate) fn model<T: Number>(spec: &Spec, state: &State<T>, names: &Names) -> Result<Model<T>> {
    let Some(loss) = state.kind.recorded_loss::<T>() else {
        return Err(Error::InvalidData {
            what: "the network".to_owned(),
            problem: "model files have no loss 'poisson': pickle the estimator".to_owned(),
        });
    };
    let mut network = spec.build()?;
    let tensors: Vec<Array2<T>> = state.network.tensors().cloned().collect();
    network.set_tensors(&tensors)?;
    let targets = match state.kind {
        Kind::Classes => Targets::Classes {
            labels: vec![0],
            classes: spec.outputs,
        },
        _ => Targets::Values(Array2::zeros((1, spec.outputs))),
    };
    let sample = Dataset::new(Inputs::Values(Array2::zeros((1, spec.inputs))), targets)?;
    let mut schema = Schema::of(&sample);
    if state.kind == Kind::Answers {
        schema = schema.binary()?;
        schema.answers = names.answers.clone();
    }
    let features: Vec<&str> = names.features.iter().map(String::as_str).collect();
    let labels: Vec<&str> = names.labels.iter().map(String::as_str).collect();
    Model::new(network, schema.named(&features, &[], &labels)?)?.trained_with(&*loss)
}

/// Reads the network of a model file, and the names in its schema.
///
/// # Errors
///
/// Those of [`Model::load`]; [`Error::InvalidData`] for a model that prepares its inputs or its targets, and for a network that no
/// [`Spec`] builds.
pub(crate) fn load<T: Number>(path: &Path) -> Result<(Spec, State<T>, Names)> {
    let refused = |problem: &str| Error::InvalidData {
        what: path.display().to_string(),
        problem: problem.to_owned(),
    };
    let model = Model::<T>::load(path)?;
    let kind = match model.output_kind() {
        OutputKind::Numbers => "numbers",
        OutputKind::BinaryLogits => "answers",
        OutputKind::Logits => "classes",
        _ => return Err(refused("its outputs are neither numbers nor logits")),
    };
    let schema = model.schema();
    let prepares = schema.scaling != Scaling::None
        || schema.imputation.is_some()
        || !schema.categories.is_empty()
        || schema.target_normalization.is_some()
        || schema.target_transform != TargetTransform::None;
    if prepares {
        return Err(refused(
            "the model scales or encodes its data: use the command mfnet, or export it as an ONNX file",
        ));
    }
    let names = Names {
        features: schema.feature_names.clone(),
        labels: schema.labels.clone(),
        answers: schema.answers.clone(),
    };
    let network = model.network();
    let linear: Vec<usize> = network
        .layers()
        .filter(|layer| layer.name() == "Linear")
        .map(|layer| layer.outputs())
        .collect();
    let batch_norm = network.layers().any(|layer| layer.name() == "BatchNorm1d");
    let tensors: Vec<Array2<T>> = network.tensors().cloned().collect();
    for activation in ACTIVATIONS {
        let spec = Spec {
            inputs: network.inputs(),
            hidden: linear[..linear.len().saturating_sub(1)].to_vec(),
            outputs: network.outputs(),
            activation: activation.to_owned(),
            kind: kind.to_owned(),
            precision: if T::NAME == "f64" { "float64" } else { "float32" }.to_owned(),
            dropout: 0.0,
            batch_norm,
            seed: 0,
        };
        let mut state = State::new(&spec)?;
        if state.network.set_tensors(&tensors).is_ok() && predict_alike(&state.network, network)? {
            return Ok((spec, state, names));
        }
    }
    Err(refused(
        "its network is not one that this package builds: the same activation behind each hidden layer",
    ))
}

/// Whether two networks of the same numbers of inputs and outputs predict the same, bit for bit, for some inputs: an activation may
/// have another parameter, which its name does not tell.
fn predict_alike<T: Number>(one: &NeuralNetwork<T>, other: &NeuralNetwork<T>) -> Result<bool> {
    const SAMPLES: usize = 16;
    let value = |(sample, feature): (usize, usize)| {
        let phase = (sample * other.inputs() + feature) as f64;
        T::from_f64(phase.sin() * 10f64.powi(sample as i32 % 4 - 1))
    };
    let inputs = Array2::from_shape_fn((SAMPLES, other.inputs()), value);
    Ok(one.predict(inputs.view())? == other.predict(inputs.view())?)
}
