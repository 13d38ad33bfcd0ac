//! mfnet
mod augment;
pub mod data;
mod element;
mod error;
pub mod plain;
mod random;

pub use data::{Dataset, Inputs, Targets};
pub use element::Element;
pub use error::{Error, Position, Result};
