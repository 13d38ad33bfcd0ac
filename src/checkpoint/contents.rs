//! The contents of a safetensors file of any program: its kind and its tensors, read without building a network.

use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::description::{Description, KEY};
use super::tensors::TensorFile;
use crate::error::Result;

/// The contents of a safetensors file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contents {
    /// The kind of file.
    pub kind: FileKind,
    /// The file's tensors, sorted by name.
    pub tensors: Vec<TensorSummary>,
}

/// The kind of a safetensors file: how much of a model it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// Tensors without a description of the layers, as PyTorch writes them.
    Weights,
    /// A network without a schema of its data: [`NeuralNetwork::load`](crate::NeuralNetwork::load) reads it.
    Network,
    /// A network with a schema: [`Model::load`](crate::Model::load) reads it.
    Model,
    /// A training that can be resumed, and its network so far.
    Checkpoint {
        /// The optimizer's name, such as `"Adam"`.
        optimizer: String,
        /// The number of complete epochs.
        epochs: usize,
        /// Whether the file has a schema, so that [`Model::load`](crate::Model::load) reads it, too.
        model: bool,
    },
}

/// A tensor of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TensorSummary {
    /// The name, such as `0.weight`. It may contain control characters: escape it before it is printed.
    pub name: String,
    /// The type of the numbers, as the format calls it: `F32`, `BF16`.
    pub dtype: String,
    /// The shape.
    pub shape: Vec<usize>,
}

/// The part of a training's state that the contents show.
#[derive(Deserialize)]
struct State {
    optimizer: String,
    epochs: Vec<IgnoredAny>,
}

/// Returns the contents of a safetensors file: its kind and its tensors.
///
/// ```
/// use mfnet::NeuralNetwork;
/// use mfnet::checkpoint::contents_of;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("network.safetensors");
/// NeuralNetwork::<f32>::builder(4).linear(3).build()?.save(&path)?;
/// let contents = contents_of(&path)?;
/// assert_eq!((contents.tensors[1].name.as_str(), contents.tensors[1].shape.as_slice()), ("0.weight", &[3, 4][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`Error::Io`](crate::Error::Io) if the file cannot be read, [`Error::InvalidFile`](crate::Error::InvalidFile) for
/// one that is no safetensors file, or whose description of a model cannot be read.
pub fn contents_of(path: impl AsRef<Path>) -> Result<Contents> {
    let file = TensorFile::open(path.as_ref())?;
    let kind = match file.text(KEY) {
        None => FileKind::Weights,
        Some(text) => {
            let description =
                Description::<f64, State>::parse(text).map_err(|problem| file.fault(problem))?;
            let model = description.schema.is_some();
            match description.training {
                Some(State { optimizer, epochs }) => FileKind::Checkpoint {
                    optimizer,
                    epochs: epochs.len(),
                    model,
                },
                None if model => FileKind::Model,
                None => FileKind::Network,
            }
        }
    };
    let summary = |(name, dtype, shape): (&str, safetensors::Dtype, &[usize])| TensorSummary {
        name: name.to_owned(),
        dtype: format!("{dtype:?}"),
        shape: shape.to_owned(),
    };
    Ok(Contents {
        kind,
        tensors: file.tensors().map(summary).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Model;
    use crate::data::{Dataset, Schema};
    use crate::loss::MseLoss;
    use crate::network::NeuralNetwork;
    use crate::optimizer::Adam;
    use crate::train::{TrainOptions, Trainer};
    use ndarray::array;
    use safetensors::{Dtype, tensor::TensorView};

    #[test]
    fn every_kind_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        let network = || NeuralNetwork::<f64>::builder(1).linear(1).build().unwrap();
        let numbers = ["0.bias F64 [1]", "0.weight F64 [1, 1]"];

        let kind_of = || {
            let Contents { kind, tensors } = contents_of(&path).unwrap();
            let shown =
                |tensor: &TensorSummary| format!("{} {} {:?}", tensor.name, tensor.dtype, tensor.shape);
            (kind, tensors.iter().map(shown).collect::<Vec<_>>())
        };
        network().save(&path).unwrap();
        assert_eq!(kind_of(), (FileKind::Network, numbers.map(String::from).to_vec()));

        let line = Dataset::regression(array![[0.0], [1.0]], array![[0.0], [1.0]]).unwrap();
        Model::new(network(), Schema::of(&line))
            .unwrap()
            .save(&path)
            .unwrap();
        assert_eq!(kind_of().0, FileKind::Model);

        let optimizer = Adam::new(0.1).unwrap();
        let mut trainer = Trainer::new(network(), MseLoss::default(), optimizer);
        trainer = trainer.options(TrainOptions::default().with_epochs(3));
        trainer.fit(&line).unwrap();
        trainer.save_checkpoint(&path, None).unwrap();
        let (optimizer, epochs, model) = ("Adam".to_owned(), 3, false);
        assert_eq!(
            kind_of().0,
            FileKind::Checkpoint {
                optimizer,
                epochs,
                model
            }
        );

        let view = TensorView::new(Dtype::BF16, vec![2], &[0; 4]).unwrap();
        std::fs::write(&path, safetensors::serialize([("net.w", view)], None).unwrap()).unwrap();
        assert_eq!(kind_of(), (FileKind::Weights, vec!["net.w BF16 [2]".to_owned()]));
        std::fs::write(&path, [7; 20]).unwrap();
        assert!(contents_of(&path).is_err());
    }
}
