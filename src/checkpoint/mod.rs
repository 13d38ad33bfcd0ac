//! Models as files: saved and loaded as safetensors, which PyTorch reads too, and exported as ONNX.
//!
//! A file holds the tensors of PyTorch's `nn.Sequential`, with its names and shapes, and one JSON description: the layers,
//! the schema of the data, and, in a checkpoint, the state of the training. Files may come from untrusted sources:
//! whatever a file holds, reading it returns a network or an error, and takes no more memory than a small multiple of the
//! file's size.
//!
//! The built-in layers and activations can be saved and loaded. A layer or an activation of your own implements
//! [`FileLayer`] or [`FileActivation`] and is added to a [`Registry`], which the methods that end in `_with` take:
//! `NeuralNetwork::save_with` and `load_with`, those of `Model`, `Trainer::save_checkpoint_with` and so on. A network with
//! a layer that could not be loaded again is not saved.

mod file_layer;
mod layers;
mod modules;
mod record;
mod registry;
mod saved_layer;

#[cfg(feature = "save")]
mod contents;
#[cfg(feature = "save")]
mod description;
#[cfg(feature = "save")]
mod header;
#[cfg(feature = "save")]
mod importance;
#[cfg(feature = "save")]
mod model;
#[cfg(feature = "save")]
mod network;
#[cfg(feature = "save")]
mod number;
#[cfg(feature = "save")]
mod onnx;
#[cfg(feature = "save")]
mod outputs;
#[cfg(feature = "save")]
mod saved;
#[cfg(feature = "save")]
mod scores;
#[cfg(feature = "save")]
mod tensors;
#[cfg(feature = "save")]
mod training;
#[cfg(feature = "save")]
mod weights;

pub use file_layer::{FeatureLayout, FileActivation, FileLayer};
pub use record::{Attribute, NamedTensor, Operand, Operator, Record, Setting};
pub use registry::Registry;
pub use saved_layer::SavedLayer;

#[cfg(feature = "save")]
pub use contents::{Contents, FileKind, TensorSummary, contents_of};
#[cfg(feature = "save")]
pub use description::Precision;
#[cfg(feature = "save")]
pub use importance::Importance;
#[cfg(feature = "save")]
pub use model::Model;
#[cfg(feature = "save")]
pub use outputs::OutputKind;
#[cfg(feature = "save")]
pub use saved::precision_of;
#[cfg(feature = "save")]
pub use scores::{Metrics, ModelScores};
