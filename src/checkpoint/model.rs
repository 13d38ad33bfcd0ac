//! A network with the schema of its data: it predicts from raw data, as they are in the user's files.

use std::path::Path;

use ndarray::{Array2, ArrayView2};
use serde::de::IgnoredAny;

use super::saved::{self, SavedModel};
use super::{Registry, onnx};
use crate::data::{Inputs, Schema, Task};
use crate::element::Element;
use crate::error::{Error, Position, Result};
use crate::metrics::argmax;
use crate::network::NeuralNetwork;

/// A network and the [`Schema`] of its data: it takes raw features and gives predictions on the raw scale.
///
/// ```
/// use mfnet::{Dataset, Model, MseLoss, NeuralNetwork, Sgd, Trainer, data::Schema};
/// use ndarray::array;
///
/// let raw = Dataset::regression(array![[10.0], [20.0], [30.0]], array![[1.0], [2.0], [3.0]])?;
/// let schema = Schema::of(&raw).normalized(&raw)?;
/// let network = NeuralNetwork::<f64>::builder(1).linear(1).seed(7).build()?;
/// let mut trainer = Trainer::new(network, MseLoss::default(), Sgd::new(0.1)?);
/// trainer.fit(&schema.scale(raw)?)?;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("model.safetensors");
/// Model::new(trainer.into_network(), schema)?.save(&path)?;
/// let model = Model::<f64>::load(&path)?;
/// assert!((model.predict(array![[40.0]].view())?[[0, 0]] - 4.0).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Model<T> {
    network: NeuralNetwork<T>,
    schema: Schema<T>,
}

impl<T: Element> Model<T> {
    /// Returns the model of a trained network and the schema by which its data were scaled.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a schema whose number of features (with one for each category) or outputs is not the network's; [`Error::InvalidData`] for
    /// one whose parts do not fit each other.
    pub fn new(network: NeuralNetwork<T>, schema: Schema<T>) -> Result<Self> {
        schema.check()?;
        let inputs = schema.network_inputs();
        if (inputs, schema.outputs) != (network.inputs(), network.outputs()) {
            let shown = |inputs, outputs| format!("{inputs} features and {outputs} outputs");
            return Err(Error::shape(
                "Model::new",
                format_args!(
                    "a schema of the network's {}",
                    shown(network.inputs(), network.outputs())
                ),
                shown(inputs, schema.outputs),
            ));
        }
        Ok(Model { network, schema })
    }

    /// The network.
    pub fn network(&self) -> &NeuralNetwork<T> {
        &self.network
    }

    /// The schema of the data.
    pub fn schema(&self) -> &Schema<T> {
        &self.schema
    }

    /// Returns the network and the schema, for example to train the network further.
    pub fn into_parts(self) -> (NeuralNetwork<T>, Schema<T>) {
        (self.network, self.schema)
    }

    /// Saves the network as [`NeuralNetwork::save`] does, with the schema in the same safetensors file.
    ///
    /// The file is replaced atomically, never in part.
    ///
    /// # Errors
    ///
    /// As [`NeuralNetwork::save`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.save_with(path, &Registry::new())
    }

    /// As [`Model::save`], with the layers and activations of a registry.
    ///
    /// # Errors
    ///
    /// As [`NeuralNetwork::save_with`].
    pub fn save_with(&self, path: impl AsRef<Path>, registry: &Registry<T>) -> Result<()> {
        saved::write::<T, ()>(path.as_ref(), &self.network, Some(&self.schema), None, registry)
    }

    /// Loads a model, also that of a checkpoint. A file of the other precision is converted.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read; [`Error::InvalidFile`] if it does not hold a model, such as a network
    /// without a schema, with the problem and its place.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Model::load_with(path, &Registry::new())
    }

    /// As [`Model::load`], with the layers and activations of a registry.
    ///
    /// # Errors
    ///
    /// As [`Model::load`].
    pub fn load_with(path: impl AsRef<Path>, registry: &Registry<T>) -> Result<Self> {
        let path = path.as_ref();
        let fault = |problem: String| Error::file(path, Position::File, problem);
        let (SavedModel { network, schema }, _) = saved::read::<T, IgnoredAny>(path, registry)?;
        let Some(schema) = schema else {
            let problem = "it holds a network alone, and does not say what its data mean";
            return Err(fault(problem.to_owned()));
        };
        Model::new(network, schema).map_err(|error| fault(error.to_string()))
    }

    /// Returns predictions for raw features, on the raw scale: a regression's targets, or a classification's logits.
    ///
    /// A missing value (NaN) is replaced by the feature's imputed value in the schema. A category is given by its number, its
    /// place in [`Schema::categories`]; [`Table::inputs_for`](crate::data::Table::inputs_for) makes numbers of texts.
    ///
    /// # Shapes
    ///
    /// samples x features -> samples x outputs
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of features; [`Error::InvalidData`] for a value that is not finite and cannot
    /// be imputed, and for a number of no category unless unknown ones are ignored, with its row, counted from 0, and its
    /// feature.
    pub fn predict(&self, design: ArrayView2<'_, T>) -> Result<Array2<T>> {
        let complete = self.complete(design)?;
        let Inputs::Values(inputs) = self.schema.scale_inputs(Inputs::Values(complete))? else {
            // Values stay values.
            return Err(Error::data("Model::predict", "the inputs are pixels"));
        };
        self.schema.unscale(self.network.predict(inputs.view())?)
    }

    /// Returns the probability of each class, for raw features.
    ///
    /// # Shapes
    ///
    /// samples x features -> samples x classes; each row adds up to 1
    ///
    /// # Errors
    ///
    /// As [`Model::predict`]; [`Error::InvalidData`] for a regression.
    pub fn predict_proba(&self, design: ArrayView2<'_, T>) -> Result<Array2<T>> {
        Ok(self
            .network
            .probabilities(self.logits("Model::predict_proba", design)?))
    }

    /// Returns the class of each sample, for raw features.
    ///
    /// # Shapes
    ///
    /// samples x features -> samples
    ///
    /// # Errors
    ///
    /// As [`Model::predict_proba`]; [`Error::InvalidData`] also for a prediction that is NaN.
    pub fn predict_labels(&self, design: ArrayView2<'_, T>) -> Result<Vec<u32>> {
        argmax(self.logits("Model::predict_labels", design)?.view())
    }

    /// Returns the name of each sample's class, for raw features.
    ///
    /// # Shapes
    ///
    /// samples x features -> samples
    ///
    /// # Errors
    ///
    /// As [`Model::predict_labels`].
    pub fn predict_names(&self, design: ArrayView2<'_, T>) -> Result<Vec<String>> {
        let classes = argmax(self.logits("Model::predict_names", design)?.view())?;
        Ok(classes
            .into_iter()
            .map(|class| self.schema.label(class as usize))
            .collect())
    }

    /// Writes the model as an ONNX file, for other programs to predict with.
    ///
    /// Its graph takes raw features, `input` (N x features), and gives `output` (N x outputs), what [`Model::predict`]
    /// gives, categories by their numbers (a number of no category is ignored there); for classes also `probabilities` (N x classes) and `label` (N). Names of features, categories, targets and
    /// classes are in its metadata, as JSON. The file is replaced atomically, never in part. (On CPUs, onnxruntime
    /// computes convolutions, ELU, GELU and softplus in f32 only: load a model with these in f32 to export it for
    /// onnxruntime.)
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a layer or an activation of your own, see [`Model::export_onnx_with`], a weight that is
    /// not finite, or a network beyond the format's 2 GB; [`Error::Io`] if the file cannot be written.
    pub fn export_onnx(&self, path: impl AsRef<Path>) -> Result<()> {
        self.export_onnx_with(path, &Registry::new())
    }

    /// As [`Model::export_onnx`], with the layers and activations of a registry.
    ///
    /// # Errors
    ///
    /// As [`Model::export_onnx`]; [`Error::InvalidData`] for a layer or an activation whose record has no
    /// [operators](super::Record::operators), or one that reads a tensor that the record does not have.
    pub fn export_onnx_with(&self, path: impl AsRef<Path>, registry: &Registry<T>) -> Result<()> {
        onnx::export(self, path.as_ref(), registry)
    }

    fn logits(&self, operation: &'static str, design: ArrayView2<'_, T>) -> Result<Array2<T>> {
        match self.schema.task {
            Task::Classification => self.predict(design),
            Task::Regression => Err(Error::data(operation, "the model predicts numbers, not classes")),
        }
    }

    /// Returns the features with missing values imputed.
    fn complete(&self, design: ArrayView2<'_, T>) -> Result<Array2<T>> {
        let mut complete = design.to_owned();
        let imputation = self.schema.imputation.as_deref().unwrap_or(&[]);
        for ((row, column), value) in complete.indexed_iter_mut() {
            match imputation.get(column) {
                Some(&mean) if value.is_nan() => *value = mean,
                _ if value.is_finite() => {}
                _ => {
                    let feature = self.schema.feature_name(column);
                    let problem = format_args!("row {row}, {feature}: {value} is not a finite number");
                    return Err(Error::data("Model::predict", problem));
                }
            }
        }
        Ok(complete)
    }
}
