//! The `mfnet` command as tests launch it, and what it says.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::folder::names;

/// The arguments of a command line; none of them has a space.
pub fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

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

/// Exit code, standard output and standard error.
pub type Parts = (Option<i32>, String, String);

/// Runs the command: exit code, standard output and standard error.
pub fn parts(command: &mut Command) -> Parts {
    told(&command.output().unwrap())
}

/// Exit code, standard output and standard error of a command that has ended.
pub fn told(output: &Output) -> Parts {
    let text = |bytes: &[u8]| {
        assert!(!bytes.contains(&0x1b), "escape sequences are for terminals");
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The command with the arguments of a line.
pub fn command(folder: &Path, line: &str) -> Command {
    mfnet(folder, &words(line))
}

/// Runs the command with the arguments of a line.
pub fn run(folder: &Path, line: &str) -> Parts {
    parts(&mut command(folder, line))
}

/// Standard output and standard error of a command that goes well.
pub fn done(folder: &Path, line: &str) -> (String, String) {
    let (code, out, err) = run(folder, line);
    assert_eq!(code, Some(0), "{line}: {err}");
    (out, err)
}

/// Standard output of a command that goes well, without a word besides.
pub fn silent(folder: &Path, line: &str) -> String {
    let (out, err) = done(folder, line);
    assert_eq!(err, "", "{line}");
    out
}

/// The JSON object that is all that a command writes.
pub fn json(folder: &Path, line: &str) -> Value {
    object(&silent(folder, line))
}

/// A JSON object on one line.
pub fn object(text: &str) -> Value {
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(text).unwrap()
}

/// The message of a command that fails with this code and leaves nothing behind.
pub fn refused(folder: &Path, line: &str, code: i32) -> String {
    let before = names(folder);
    let (found, out, err) = run(folder, line);
    assert_eq!((found, out.as_str()), (Some(code), ""), "{line}: {err}");
    assert!(
        err.contains("error: ") && !err.contains("panicked"),
        "{line}: {err}"
    );
    assert_eq!(names(folder), before, "{line}");
    err
}

/// Checks commands that are [refused], each written as `CODE ARGUMENTS => PART OF THE MESSAGE`; a line that begins with the
/// arrow goes on with the one before it.
pub fn assert_refused(folder: &Path, text: &str) {
    let mut cases: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match cases.last_mut() {
            Some(case) if line.starts_with("=>") => *case += &format!(" {line}"),
            _ => cases.push(line.to_owned()),
        }
    }
    for case in cases {
        let (command, part) = case.split_once(" => ").unwrap();
        let (code, line) = command.split_once(' ').unwrap();
        let message = refused(folder, line, code.parse().unwrap());
        assert!(message.contains(part), "{line}: {message}");
    }
}

/// Checks that a text has these parts.
pub fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "there is no {part:?} in: {text}");
    }
}

/// Checks that an object has these keys, in any order.
pub fn assert_keys(object: &Value, expected: &str) {
    let mut expected = words(expected);
    expected.sort_unstable();
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, expected);
}

/// The schema of a model.
pub fn schema(folder: &Path, model: &str) -> Value {
    json(folder, &format!("inspect {model} --json"))["schema"].clone()
}
