//! Records how the command is built, for `mfnet doctor` and `mfnet tables`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of the workspace, seen from that of this package.
const ROOT: &str = "..";

/// The sources that the recorded commit vouches for: those of the library and of the command, seen from [`ROOT`].
const SOURCES: [&str; 5] = ["src", "build.rs", "cli", "Cargo.toml", "Cargo.lock"];

fn main() {
    let sources = SOURCES.iter().map(|source| Path::new(ROOT).join(source));
    for source in sources.filter(|source| source.exists()) {
        println!("cargo::rerun-if-changed={}", source.display());
    }
    record("RUSTC", rustc_version());
    record("PROFILE", env::var("PROFILE").ok());
    record("TARGET", env::var("TARGET").ok());
    record("COMMIT", commit());
}

/// Makes a fact available to the package as `env!("MFNET_BUILD_...")`.
fn record(name: &str, value: Option<String>) {
    let value = value.unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=MFNET_BUILD_{name}={value}");
}

fn rustc_version() -> Option<String> {
    output(Command::new(env::var_os("RUSTC")?).arg("--version"))
}

/// The commit's short hash, with `-dirty` if the sources differ from it.
fn commit() -> Option<String> {
    let here = Path::new(ROOT).canonicalize().ok()?;
    // A package that is unpacked in another repository has no commit of its own.
    let top = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?);
    if top.canonicalize().ok()? != here {
        return None;
    }
    // `logs/HEAD` grows with every commit and checkout, wherever git keeps the branch itself. Paths that do not exist
    // are left out, since they would have cargo run this at every call.
    for name in ["HEAD", "logs/HEAD", "packed-refs"] {
        watch_git(name);
    }
    if let Some(branch) = git(&["symbolic-ref", "--quiet", "HEAD"]) {
        watch_git(&branch);
    }
    let hash = git(&["rev-parse", "--short=12", "HEAD"])?;
    let status = ["--no-optional-locks", "status", "--porcelain", "--"];
    let changes = git(&[&status[..], &SOURCES[..]].concat())?;
    Some(if changes.is_empty() {
        hash
    } else {
        format!("{hash}-dirty")
    })
}

fn watch_git(name: &str) {
    let path = git(&["rev-parse", "--git-path", name]).map(|path| Path::new(ROOT).join(path));
    if let Some(path) = path.filter(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

/// Runs git on this folder's repository; a hook that calls cargo may have named another.
fn git(arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(variable);
    }
    output(git.current_dir(ROOT).args(arguments))
}

/// What the command prints, if it succeeds.
fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}
