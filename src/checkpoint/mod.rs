//! Models as files: saved and loaded as safetensors, which PyTorch reads too, and exported as ONNX.
//!
//! A file has the tensors of PyTorch's `nn.Sequential`, by its names and in its shapes, and one JSON value besides:
//! what the layers are, what the columns of the data mean, and, in a checkpoint, how far a training has come.
//! Files come from anywhere: whatever one holds, reading it ends in a network or in an error, and takes up no more
//! memory than a small multiple of the file.

mod contents;
mod description;
mod exact;
mod header;
mod model;
mod network;
mod number;
mod onnx;
mod saved;
mod tensors;
mod training;
mod weights;

pub use contents::{Contents, FileKind, TensorSummary, contents_of};
pub use description::Precision;
pub use model::Model;
pub use saved::precision_of;
