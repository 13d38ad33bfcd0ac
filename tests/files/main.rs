//! What is read and written.
#![cfg(feature = "save")]

#[path = "../common/each.rs"]
mod each;
#[cfg(feature = "npy")]
#[path = "../common/mutation.rs"]
mod mutation;
#[path = "../common/noise.rs"]
mod noise;
#[path = "../common/property.rs"]
mod property;

#[cfg(feature = "npy")]
mod harness;
mod header;
#[cfg(feature = "npy")]
mod measuring;
#[cfg(feature = "npy")]
mod refusal;

#[cfg(feature = "npy")]
mod hostile_data;
#[cfg(feature = "npy")]
mod hostile_files;
#[cfg(feature = "npy")]
mod hostile_models;
mod interop;
mod model_files;
mod old_files;
mod own_layers;
