//! Trains fully connected neural networks on a multicore CPU as fast as the machine allows.

mod augment;
mod baseline;
mod blas;
pub mod data;
mod element;
mod error;
mod kernel;
pub mod layer;
pub mod loss;
pub mod machine;
mod metrics;
mod network;
pub mod optimizer;
pub mod plain;
mod random;
mod train;

pub use augment::{augment, strip};
#[cfg(feature = "linalg")]
pub use baseline::least_squares;
pub use baseline::mean_predictor;
pub use blas::{Blas, blas};
pub use data::{
    Batch, DataLoader, Dataset, Inputs, Normalization, Shuffle, Targets, denormalize_features,
    normalize_features, one_hot_decode, one_hot_encode, train_test_split,
};
pub use element::Element;
pub use error::{Error, Position, Result};
pub use loss::{CrossEntropyLoss, MseLoss, Reduction, softmax};
pub use metrics::{accuracy, classes, confusion_matrix};
pub use network::{Builder, Evaluation, NeuralNetwork, Workspace};
pub use optimizer::{Clip, Sgd};
pub use train::{
    EpochRecord, Event, History, TrainOptions, train, train_test_classification, train_test_regression,
};
