//! The `mfnet` command: trains networks, keeps them, and uses them.

mod cli;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

fn main() -> ExitCode {
    let matches = cli::Arguments::command().get_matches();
    let outcome = match cli::Arguments::from_arg_matches(&matches) {
        Ok(arguments) => cli::run(&arguments, &matches),
        Err(error) => error.exit(),
    };
    match outcome {
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
