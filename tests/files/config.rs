//! The command's own reader of `config.toml`, taken out of the command: it is no part of the library.

#[path = "../../src/cli/defaults.rs"]
mod defaults;
#[path = "../../src/cli/parse.rs"]
mod parse;
#[path = "../../src/cli/settings/mod.rs"]
mod settings;

use std::io::Write;

use clap::{Args, Command};
use settings::Settings;

fn usage(message: String) -> anyhow::Error {
    anyhow::Error::msg(message)
}

/// Reads a configuration over the defaults, and writes what it read, which must be read and written as the same.
pub(crate) fn config(content: &[u8]) {
    let command = || Settings::augment_args(Command::new("config")).no_binary_name(true);
    let matches = command().get_matches_from([""; 0]);
    let read = |content: &[u8]| {
        let mut file = tempfile::NamedTempFile::new().expect("there is a folder for temporary files");
        file.write_all(content).expect("there is room for a small file");
        Settings::layered(&matches, Some(file.path()))
    };
    if let Ok(settings) = read(content) {
        let written = settings.to_toml().expect("settings can be written");
        let again = read(written.as_bytes()).expect("what was written can be read");
        assert_eq!(again.to_toml().expect("settings can be written"), written);
    }
}
