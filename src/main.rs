//! The `mfnet` command: trains networks, keeps them, and uses them.

mod cli;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

fn main() -> ExitCode {
    let matches = match cli::Arguments::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return cli::explain(&error),
    };
    let arguments = match cli::Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => return cli::explain(&error),
    };
    match cli::run(&arguments, &matches) {
        Ok(cli::Outcome::Done) => ExitCode::SUCCESS,
        Ok(cli::Outcome::Interrupted) => ExitCode::from(130),
        Err(error) => {
            cli::note(&format!("error: {}", cli::describe(&error)));
            if error.is::<cli::Usage>() {
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
