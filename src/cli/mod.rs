//! The command line: everything between the arguments and the library.

mod args;
mod blas;
mod completions;
mod console;
mod data;
mod datasets;
mod defaults;
mod doctor;
mod download;
mod evaluate;
mod export;
mod format;
mod given;
mod import;
mod inspect;
mod interrupt;
mod json;
mod known;
mod man;
mod model;
mod opened;
mod out_file;
mod parse;
mod pictures;
mod predict;
mod progress;
mod results;
mod run_folder;
mod samples;
mod settings;
mod summary;
mod tables;
mod train;
mod tune;

use std::fmt;

use clap::ArgMatches;

pub(crate) use args::Arguments;
pub(crate) use console::{describe, explain, note};

use args::Command;

/// How a run ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did all it was asked for.
    Done,
    /// A signal ended it early.
    Interrupted,
}

/// Arguments that cannot be, seen only when they meet the data or each other.
#[derive(Debug)]
pub(crate) struct Usage(String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// An error that ends the program as arguments do that cannot be.
fn usage(message: String) -> Usage {
    Usage(message)
}

/// Does what the arguments ask for; `matches` are what they were made of.
pub(crate) fn run(arguments: &Arguments, matches: &ArgMatches) -> anyhow::Result<Outcome> {
    mfnet::internal::machine::check_instructions().map_err(|error| usage(error.to_string()))?;
    match &arguments.command {
        Command::Train(arguments) => train::train(arguments, matches),
        Command::Tune(arguments) => tune::tune(arguments),
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
