//! The `mfnet` command: trains networks, keeps them, and uses them. [`main`] is all of it.

mod args;
mod blas;
mod columns;
mod completions;
mod console;
mod data;
mod data_source;
mod datasets;
mod defaults;
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
mod model_path;
mod out_file;
mod overflow;
mod parse;
mod pictures;
mod predict;
mod progress;
mod ranks;
mod results;
mod run_folder;
mod sample_arguments;
mod score;
mod settings;
mod summary;
mod tables;
mod threshold;
mod train;
mod tune;
mod warm_start;

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches};

use args::Arguments;
use console::explain;
use settings::Settings;

/// The end of a run that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It did all it was asked for.
    Done,
    /// A signal ended it early.
    Interrupted,
}

/// Invalid arguments that are noticed only with the data or with each other.
#[derive(Debug)]
struct Usage(String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// An error that ends the program as invalid arguments do.
fn usage(message: String) -> Usage {
    Usage(message)
}

/// Runs the command with the arguments of this process.
pub fn main() -> ExitCode {
    ranks::silence_others();
    let matches = match Arguments::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return explain(&error),
    };
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => return explain(&error),
    };
    match arguments.run(&matches) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(error) => {
            console::complain(&error);
            ExitCode::from(exit_code(&error))
        }
    }
}

/// The exit code of a run that failed.
fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Usage>() { 2 } else { 1 }
}

/// Reads a `config.toml` over the defaults, and returns it as it is written: for tests and fuzzing.
///
/// # Errors
///
/// Those of a configuration that is not valid.
#[doc(hidden)]
pub fn rewrite_config(content: &[u8]) -> anyhow::Result<String> {
    let matches = Settings::augment_args(clap::Command::new("config")).try_get_matches_from([""])?;
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(content)?;
    Settings::layered(&matches, Some(file.path()))?.to_toml()
}
