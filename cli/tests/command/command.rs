//! The `mfnet` command as tests launch it, and what it says.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

/// The command with these arguments, in this folder, which keeps its downloads too.
pub fn mfnet(folder: &Path, arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = without_choices(arguments);
    // A user's own data, cache and terminal must not decide a test; and backtraces are not for a user's mistakes.
    command
        .current_dir(folder)
        .env_remove("MFNET_DATA_DIR")
        .env_remove("COLUMNS")
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("RUST_BACKTRACE", "1");
    command
}

/// The command with these arguments, and nothing in the environment that chooses kernels or threads.
pub fn without_choices(arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mfnet"));
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("OPENBLAS_") || text == "MFNET_INSTRUCTIONS" || text == "RAYON_NUM_THREADS" {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs the command: exit code, standard output and standard error.
pub fn parts(command: &mut Command) -> (Option<i32>, String, String) {
    told(&command.output().unwrap())
}

/// Exit code, standard output and standard error of a command that has ended.
pub fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| {
        assert!(!bytes.contains(&0x1b), "escape sequences are for terminals");
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}
