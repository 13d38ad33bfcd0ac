//! The `mfnet` command: trains the report's networks on the report's data sets.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::run(&cli::Arguments::parse()) {
        Ok(cli::Outcome::Done) => ExitCode::SUCCESS,
        Ok(cli::Outcome::Interrupted) => ExitCode::from(130),
        Err(error) => {
            cli::note(&format!("error: {}", cli::describe(&error)));
            ExitCode::FAILURE
        }
    }
}
