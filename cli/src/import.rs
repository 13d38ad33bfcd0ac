//! `mfnet import`: a model of weights that others have trained.

use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use clap::Args;
use mfnet::checkpoint::{Precision, precision_of};
use mfnet::data::{Layout, Scaling, Schema, TargetTransform, Task, Unknown};
use mfnet::{Element, Model, NeuralNetwork};

use super::parse::whole;
use super::settings::{ACTIVATIONS, TaskName, activated};
use super::{Outcome, console, model_path, usage};

pub(super) const EXAMPLES: &str = "\
Examples:
  mfnet import digits.safetensors --layers 784,512,10 --pixels --out digits
  mfnet import iris.safetensors --layers 4,20,20,3 --activation tanh \\
      --features sl,sw,pl,pw --targets species --labels setosa,versicolor,virginica --out iris.safetensors
  mfnet import price.safetensors --layers 8,64,1 --targets price --out price.safetensors
In PyTorch, safetensors.torch.save_file(model.state_dict(), \"digits.safetensors\") writes such a file.";

/// The arguments of `mfnet import`.
#[derive(Debug, Args)]
pub(super) struct ImportArguments {
    /// The weights: a safetensors file whose fully connected layers are called as in PyTorch, such as 0.weight and
    /// 0.bias, or fc1.weight and fc1.bias
    weights: PathBuf,

    /// The features that go in, and what each layer gives
    #[arg(long, value_name = "N,N[,N...]", value_delimiter = ',', required = true, value_parser = whole::<1_000_000>)]
    layers: Vec<usize>,

    /// Activation of the hidden layers: one for all, or one for each
    #[arg(
        long,
        value_name = "NAME[,NAME...]",
        value_delimiter = ',',
        default_value = "relu",
        value_parser = ACTIVATIONS
    )]
    activation: Vec<String>,

    /// What is predicted [default: classes if there are --labels or several outputs without --targets, else numbers]
    #[arg(long, value_name = "TASK")]
    task: Option<TaskName>,

    /// The classes' names, in the order of the outputs [default: their numbers, from 0]
    #[arg(long, value_name = "NAME[,NAME...]", value_delimiter = ',')]
    labels: Vec<String>,

    /// The features' names, by which CSV columns are found [default: columns are found by their places]
    #[arg(long, value_name = "NAME[,NAME...]", value_delimiter = ',')]
    features: Vec<String>,

    /// The targets' names, by which CSV columns are found; for classes one [default: none]
    #[arg(long, value_name = "NAME[,NAME...]", value_delimiter = ',')]
    targets: Vec<String>,

    /// The features are pixels, 0 to 255, and the network wants them divided by 255
    #[arg(long)]
    pixels: bool,

    /// Write the model to this file, which is replaced if there is one
    #[arg(long, value_name = "MODEL")]
    out: PathBuf,
}

pub(super) fn import(arguments: &ImportArguments) -> anyhow::Result<Outcome> {
    model_path::refuse_archive(&arguments.weights)?;
    match precision_of(&arguments.weights)? {
        Precision::F32 => import_in::<f32>(arguments),
        Precision::F64 => import_in::<f64>(arguments),
    }
}

fn import_in<T: Element>(arguments: &ImportArguments) -> anyhow::Result<Outcome> {
    let mut network: NeuralNetwork<T> = arguments.network()?;
    let schema = arguments.schema(&network)?;
    network
        .load_weights(&arguments.weights)
        .context("the weights do not fit --layers: `mfnet inspect` shows what the file holds")?;
    let (architecture, task) = (network.architecture(), schema.task);
    Model::new(network, schema)?.save(&arguments.out)?;
    console::print(&format!(
        "written   {}\nmodel     {architecture}, {}\ntask      {task}, {}\n",
        arguments.out.display(),
        T::NAME,
        match arguments.task {
            Some(_) => "as asked",
            None => "told from the options (--task says otherwise)",
        }
    ))?;
    Ok(Outcome::Done)
}

impl ImportArguments {
    fn network<T: Element>(&self) -> anyhow::Result<NeuralNetwork<T>> {
        let [inputs, hidden @ .., outputs] = self.layers.as_slice() else {
            let message =
                "--layers names one number: give the features and the outputs at least, such as 784,10";
            bail!(usage(message.to_owned()));
        };
        let activations = self.activation.len();
        ensure!(
            activations == 1 || activations == hidden.len(),
            usage(format!(
                "--activation names {activations} functions for {} hidden layers: give one, or one for each",
                hidden.len()
            ))
        );
        let mut builder = NeuralNetwork::builder(*inputs);
        for (&units, activation) in hidden.iter().zip(self.activation.iter().cycle()) {
            builder = activated(builder.linear(units), activation)?;
        }
        Ok(builder.linear(*outputs).build()?)
    }

    /// What the data of these weights mean, as far as it was told.
    fn schema<T: Element>(&self, network: &NeuralNetwork<T>) -> anyhow::Result<Schema<T>> {
        let (features, outputs) = (network.inputs(), network.outputs());
        let task = match self.task {
            Some(task) => task.task(),
            None if !self.labels.is_empty() || (outputs > 1 && self.targets.is_empty()) => {
                Task::Classification
            }
            None => Task::Regression,
        };
        let target_columns = match task {
            Task::Classification => 1,
            Task::Regression | Task::Binary => outputs,
        };
        let classes = match task {
            Task::Classification => outputs,
            Task::Regression | Task::Binary => 0,
        };
        for (option, names, expected) in [
            ("--features", &self.features, features),
            ("--labels", &self.labels, classes),
            ("--targets", &self.targets, target_columns),
        ] {
            ensure!(
                names.is_empty() || names.len() == expected,
                usage(format!(
                    "{option} has {} names, and the task {task} with --layers {} takes {expected}",
                    names.len(),
                    self.layers
                        .iter()
                        .map(usize::to_string)
                        .collect::<Vec<_>>()
                        .join(",")
                ))
            );
        }
        let numbers = || (0..classes).map(|class| class.to_string()).collect();
        Ok(Schema {
            task,
            features,
            feature_names: self.features.clone(),
            scaling: if self.pixels {
                Scaling::Pixels
            } else {
                Scaling::None
            },
            imputation: None,
            outputs,
            target_names: self.targets.clone(),
            answers: match task {
                Task::Binary => vec![["0".to_owned(), "1".to_owned()]; outputs],
                Task::Regression | Task::Classification => Vec::new(),
            },
            labels: if self.labels.is_empty() {
                numbers()
            } else {
                self.labels.clone()
            },
            target_transform: TargetTransform::None,
            target_normalization: None,
            layout: Layout {
                width: features + target_columns,
                features: (0..features).collect(),
                targets: (features..features + target_columns).collect(),
            },
            categories: Vec::new(),
            unknown: Unknown::default(),
            missing: None,
            delimiter: None,
            quote: None,
        })
    }
}
