//! What is read and written.
#![cfg(feature = "save")]

#[path = "../common/each.rs"]
mod each;
#[path = "../common/noise.rs"]
mod noise;
#[path = "../common/property.rs"]
mod property;

// By the name of the module that it takes the place of.
#[cfg(feature = "cli")]
#[expect(dead_code, unused_imports, reason = "the command uses more of its settings")]
#[path = "config.rs"]
mod cli;
#[cfg(feature = "cli")]
mod harness;
mod header;
#[cfg(feature = "npy")]
mod measuring;
#[cfg(feature = "npy")]
mod refusal;

#[cfg(feature = "npy")]
mod hostile_data;
#[cfg(feature = "cli")]
mod hostile_files;
#[cfg(feature = "npy")]
mod hostile_models;
mod interop;
mod model_files;
mod old_files;
mod own_layers;
