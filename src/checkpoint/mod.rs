//! Models as files: saved and loaded as safetensors, which PyTorch reads too, and exported as ONNX.
//!
//! A file has the tensors of PyTorch's `nn.Sequential`, by its names and in its shapes, and one JSON value besides: what
//! the layers are, what the columns of the data mean, and, in a checkpoint, how far a training has come. Files come from
//! anywhere: whatever one holds, reading it ends in a network or in an error, and takes up no more memory than a small
//! multiple of the file.
//!
//! Files know the built-in layers and activations. One of your own implements [`FileLayer`] or [`FileActivation`], and is
//! added to a [`Registry`], which goes to the methods that end in `_with`: `NeuralNetwork::save_with` and `load_with`,
//! those of `Model`, `Trainer::save_checkpoint_with` and so on. A layer that could not be loaded is not saved.

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
mod model;
#[cfg(feature = "save")]
mod network;
#[cfg(feature = "save")]
mod number;
#[cfg(feature = "save")]
mod onnx;
#[cfg(feature = "save")]
mod saved;
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
pub use model::Model;
#[cfg(feature = "save")]
pub use saved::precision_of;
