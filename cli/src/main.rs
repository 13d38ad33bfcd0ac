//! The `mfnet` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    mfnet_cli::main()
}
