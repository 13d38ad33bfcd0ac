//! A network with the schema of its data and the meaning of its outputs: it predicts from raw data, as they are in the
//! user's files.

use std::path::Path;

use ndarray::{Array2, ArrayView2};
use serde::de::IgnoredAny;

use super::header::shown;
use super::saved::{self, SavedModel, ToSave};
use super::{OutputKind, Registry, onnx};
use crate::data::{Inputs, Schema, Targets, Task};
use crate::element::Element;
use crate::error::{Error, Position, Result};
use crate::layer::Activation;
use crate::loss::{Loss, LossRecord, Output, sigmoid, softmax};
use crate::metrics::{answers, argmax};
use crate::network::NeuralNetwork;
use crate::train::Trainer;

/// A network, the [`Schema`] of its data, and the loss it was trained with: it takes raw features, gives predictions on the
/// raw scale, and knows whether its outputs are logits, probabilities, scores or numbers ([`OutputKind`]).
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
/// trainer.into_model(schema)?.save(&path)?;
/// let model = Model::<f64>::load(&path)?;
/// assert!((model.predict(array![[40.0]].view())?[[0, 0]] - 4.0).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Model<T> {
    network: NeuralNetwork<T>,
    schema: Schema<T>,
    /// `None` where the loss of the training is unknown.
    loss: Option<LossRecord>,
}

impl<T: Element> Model<T> {
    /// Returns the model of a trained network and the schema by which its data were scaled.
    ///
    /// The loss of the training is unknown: [`Model::trained_with`] sets it, and [`Trainer::into_model`] makes a model that
    /// has it. Without it, outputs of classes count as logits, unless the network ends in a softmax.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a schema whose number of features (with one for each category) or outputs is not the network's; [`Error::InvalidData`] for
    /// one whose parts do not fit each other, and for yes/no targets with a network that ends in a sigmoid or a softmax: its
    /// outputs are no logits.
    pub fn new(network: NeuralNetwork<T>, schema: Schema<T>) -> Result<Self> {
        schema.check()?;
        if schema.task == Task::Binary {
            let activation = network.last_activation().map(Activation::name);
            let loss = "binary cross-entropy";
            Output::BinaryLogits.check("Model::new", loss, network.gives_probabilities(), activation)?;
        }
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
        Ok(Model {
            network,
            schema,
            loss: None,
        })
    }

    /// Sets the loss that the network was trained with, which decides the meaning of the outputs.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a loss that expects logits of a network that ends in a softmax, or the reverse, and the
    /// errors of [`Loss::check`] for options that do not fit the classes.
    ///
    /// ```
    /// use mfnet::checkpoint::OutputKind;
    /// use mfnet::data::Schema;
    /// use mfnet::{Dataset, Model, MseLoss, NeuralNetwork};
    /// use ndarray::array;
    ///
    /// let raw = Dataset::classification(array![[0.0], [1.0]], vec![0, 1], 2)?;
    /// let network = NeuralNetwork::<f64>::builder(1).linear(2).seed(7).build()?;
    /// let model = Model::new(network, Schema::of(&raw))?.trained_with(&MseLoss::default())?;
    /// assert_eq!(model.output_kind(), OutputKind::Scores);
    /// assert!(model.predict_proba(array![[0.5]].view()).is_err());
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn trained_with(self, loss: &dyn Loss<T>) -> Result<Self> {
        self.with_loss_record(LossRecord::of(loss))
    }

    fn with_loss_record(mut self, record: LossRecord) -> Result<Self> {
        const OPERATION: &str = "Model::trained_with";
        // A file may hold any text; messages and reports show the name.
        const LONGEST_NAME: usize = 100;
        if record.name.chars().count() > LONGEST_NAME {
            let problem = format_args!("the name of the loss has more than {LONGEST_NAME} letters");
            return Err(Error::data(OPERATION, problem));
        }
        let is_probabilities = self.network.gives_probabilities();
        let activation = self.network.last_activation().map(Activation::name);
        let (expects, name) = (record.expects, &record.name);
        expects.check(OPERATION, name, is_probabilities, activation)?;
        let problem = match (self.schema.task == Task::Binary, expects == Output::BinaryLogits) {
            (true, false) => "is not for the yes/no targets of the schema: take the BinaryCrossEntropyLoss",
            (false, true) => "is for yes/no targets, and those of the schema are not: see Schema::binary",
            _ => "",
        };
        if !problem.is_empty() {
            return Err(Error::data(OPERATION, format_args!("the loss {name} {problem}")));
        }
        if let Some(loss) = record.loss::<T>()? {
            if loss.expects() != record.expects {
                let problem = format_args!("the loss {} expects another kind of output", record.name);
                return Err(Error::data(OPERATION, problem));
            }
            let outputs = self.schema.outputs;
            loss.check(&match self.schema.task {
                Task::Regression | Task::Binary => Targets::Values(Array2::zeros((0, outputs))),
                Task::Classification => Targets::Classes {
                    labels: Vec::new(),
                    classes: outputs,
                },
            })?;
        }
        self.loss = Some(record);
        Ok(self)
    }

    /// The network.
    pub fn network(&self) -> &NeuralNetwork<T> {
        &self.network
    }

    /// The schema of the data.
    pub fn schema(&self) -> &Schema<T> {
        &self.schema
    }

    /// The record of the loss that the network was trained with; `None` where it is unknown, as in files of earlier versions
    /// and for weights from elsewhere.
    pub fn loss(&self) -> Option<&LossRecord> {
        self.loss.as_ref()
    }

    /// The meaning of the outputs.
    pub fn output_kind(&self) -> OutputKind {
        OutputKind::of(self.schema.task, &self.network, self.loss.as_ref())
    }

    /// Returns the network and the schema, for example to train the network further; the record of the loss is dropped.
    pub fn into_parts(self) -> (NeuralNetwork<T>, Schema<T>) {
        (self.network, self.schema)
    }

    /// Saves the network as [`NeuralNetwork::save`] does, with the schema and the record of the loss in the same safetensors
    /// file.
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
        let parts = ToSave::<T, ()> {
            network: &self.network,
            schema: Some(&self.schema),
            loss: self.loss.clone(),
            training: None,
        };
        saved::write(path.as_ref(), parts, registry)
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
        let (saved, _) = saved::read::<T, IgnoredAny>(path, registry)?;
        let SavedModel {
            network,
            schema,
            loss,
        } = saved;
        let Some(schema) = schema else {
            let problem = "it holds a network alone, and does not say what its data mean";
            return Err(fault(problem.to_owned()));
        };
        let model = Model::new(network, schema).and_then(|model| match loss {
            Some(loss) => model.with_loss_record(loss),
            None => Ok(model),
        });
        model.map_err(|error| fault(shown(&error.to_string())))
    }

    /// Returns predictions for raw features: a regression's targets on the raw scale, a classification's logits,
    /// probabilities or scores, or the logits of yes/no answers, as [`Model::output_kind`] says.
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

    /// Returns the probability of each class, or of the yes of each yes/no target, for raw features.
    ///
    /// # Shapes
    ///
    /// samples x features -> samples x outputs; for classes, each row adds up to 1
    ///
    /// # Errors
    ///
    /// As [`Model::predict`]; [`Error::InvalidData`] for a regression, and for a classification whose outputs are scores.
    pub fn predict_proba(&self, design: ArrayView2<'_, T>) -> Result<Array2<T>> {
        self.check_probabilities()?;
        self.probabilities(self.predict(design)?)
    }

    /// Returns the probability of each class, or of the yes of each yes/no target, for outputs that [`Model::predict`]
    /// returned.
    ///
    /// # Shapes
    ///
    /// samples x outputs -> samples x outputs; for classes, each row adds up to 1
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a regression, and for a classification whose outputs are scores.
    pub fn probabilities(&self, outputs: Array2<T>) -> Result<Array2<T>> {
        self.check_probabilities()?;
        Ok(match self.output_kind() {
            OutputKind::Logits => softmax(outputs.view()),
            OutputKind::BinaryLogits => sigmoid(outputs),
            _ => outputs,
        })
    }

    /// Refuses a model whose outputs have no probabilities.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a regression, and for a classification whose outputs are scores.
    pub fn check_probabilities(&self) -> Result<()> {
        const OPERATION: &str = "Model::predict_proba";
        match (self.output_kind(), &self.loss) {
            (OutputKind::Numbers, _) => {
                Err(Error::data(OPERATION, "the model predicts numbers, not classes"))
            }
            (OutputKind::Scores, Some(loss)) => Err(Error::data(
                OPERATION,
                format_args!(
                    "the model was trained with the loss {}, so that its outputs are scores of the classes and no \
                     probabilities: the largest tells the class",
                    loss.name
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Returns the class of each sample, for raw features.
    ///
    /// # Shapes
    ///
    /// samples x features -> samples
    ///
    /// # Errors
    ///
    /// As [`Model::predict`]; [`Error::InvalidData`] for a regression, and for a prediction that is NaN.
    pub fn predict_labels(&self, design: ArrayView2<'_, T>) -> Result<Vec<u32>> {
        argmax(self.class_outputs("Model::predict_labels", design)?.view())
    }

    /// Returns the answer to each yes/no target, `true` for yes, for raw features.
    ///
    /// # Shapes
    ///
    /// samples x features -> samples x outputs
    ///
    /// # Errors
    ///
    /// As [`Model::predict`]; [`Error::InvalidData`] for a model of another [task](Task::Binary), and for a prediction that is
    /// NaN.
    pub fn predict_answers(&self, design: ArrayView2<'_, T>) -> Result<Array2<bool>> {
        if self.schema.task != Task::Binary {
            let problem = format_args!("the model is a {}, without yes/no targets", self.schema.task);
            return Err(Error::data("Model::predict_answers", problem));
        }
        answers(self.predict(design)?.view())
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
        let classes = argmax(self.class_outputs("Model::predict_names", design)?.view())?;
        Ok(classes
            .into_iter()
            .map(|class| self.schema.label(class as usize))
            .collect())
    }

    /// Writes the model as an ONNX file, for other programs to predict with.
    ///
    /// Its graph takes raw features, `input` (N x features), and gives `output` (N x outputs), what [`Model::predict`]
    /// gives, categories by their numbers (a number of no category is ignored there); for classes also `label` (N), and
    /// `probabilities` (N x classes) unless the outputs are [scores](OutputKind::Scores); for yes/no targets `probabilities` of
    /// yes and `label`, 1 or 0 (both N x outputs). Names of features, categories, targets, classes and answers are in its
    /// metadata, as JSON. The file is replaced atomically, never in part. (On CPUs, onnxruntime
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

    /// Returns the outputs of a classification.
    fn class_outputs(&self, operation: &'static str, design: ArrayView2<'_, T>) -> Result<Array2<T>> {
        match self.schema.task {
            Task::Classification => self.predict(design),
            Task::Regression => Err(Error::data(operation, "the model predicts numbers, not classes")),
            Task::Binary => Err(Error::data(
                operation,
                "the model answers yes or no for each target, and has no classes: see Model::predict_answers",
            )),
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

impl<T: Element> Trainer<T> {
    /// Returns the model of the network as it is now, the schema of its data, and the loss it was trained with.
    ///
    /// # Errors
    ///
    /// As [`Model::new`] and [`Model::trained_with`].
    pub fn into_model(self, schema: Schema<T>) -> Result<Model<T>> {
        Model::new(self.network, schema)?.trained_with(&*self.loss)
    }
}
