//! The command line: everything between the arguments and the library.

mod args;
mod blas;
mod completions;
mod console;
mod data;
mod datasets;
mod doctor;
mod download;
mod evaluate;
mod export;
mod format;
mod import;
mod inspect;
mod interrupt;
mod json;
mod known;
mod man;
mod model;
mod opened;
mod out_file;
mod predict;
mod progress;
mod samples;
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
        Command::Evaluate(arguments) => evaluate::evaluate(arguments),
        Command::Predict(arguments) => predict::predict(arguments),
        Command::Inspect(arguments) => inspect::inspect(arguments),
        Command::Datasets(arguments) => datasets::datasets(arguments),
        Command::Export(arguments) => export::export(arguments),
        Command::Import(arguments) => import::import(arguments),
        Command::Completions(arguments) => completions::completions(arguments),
        Command::Man(arguments) => man::man(arguments),
        Command::Doctor(arguments) => doctor::doctor(arguments),
        Command::Tables(arguments) => tables::tables(arguments),
    }
}
