//! The command line: everything between the arguments and the library.

mod args;
mod blas;
mod console;
mod data;
mod doctor;
mod download;
mod format;
mod interrupt;
mod json;
mod model;
mod progress;
mod summary;
mod tables;
mod train;

pub(crate) use args::Arguments;
pub(crate) use console::{describe, note};

use args::Command;

/// How a run ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did all it was asked for.
    Done,
    /// A signal ended it early.
    Interrupted,
}

/// Does what the arguments ask for.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    match &arguments.command {
        Command::Train(arguments) => train::train(arguments),
        Command::Doctor(arguments) => doctor::doctor(arguments),
        Command::Tables(arguments) => tables::tables(arguments),
    }
}
