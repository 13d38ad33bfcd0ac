//! Stops at once, and says what to do, where OpenBLAS is missing.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    check_openblas();
}

/// Looks for OpenBLAS as `openblas-src` and the linker do later, when a miss would end in a linker's error.
fn check_openblas() {
    for variable in ["DOCS_RS", "LIBRARY_PATH", "PKG_CONFIG", "PKG_CONFIG_PATH"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let wanted = env::var_os("CARGO_FEATURE_OPENBLAS").is_some() && env::var_os("DOCS_RS").is_none();
    // Of another machine's libraries, and of Windows with its vcpkg, only the linker knows.
    let own = env::var_os("HOST") == env::var_os("TARGET") && env::var_os("CARGO_CFG_UNIX").is_some();
    if !wanted || !own || known_to_pkg_config() || known_to_brew() {
        return;
    }
    // A linker that, called like this, does not even find the C library is no witness.
    if links("-lopenblas") || !links("-lc") {
        return;
    }
    println!("cargo::error=OpenBLAS is not installed, or the linker does not find it.");
    println!(
        "cargo::error=Run `scripts/setup` in mfnet's folder, or install libopenblas-dev (Debian, Ubuntu), \
         openblas-devel (Fedora) or openblas (Arch, Homebrew)."
    );
    println!(
        "cargo::error=If it lies where the linker does not look, name its folder in LIBRARY_PATH; to build without \
         it, leave out the feature `openblas`."
    );
}

fn known_to_pkg_config() -> bool {
    let pkg_config = env::var_os("PKG_CONFIG").unwrap_or_else(|| "pkg-config".into());
    succeeds(Command::new(pkg_config).args(["--exists", "openblas"]))
}

fn known_to_brew() -> bool {
    // `openblas-src` asks it on macOS only.
    cfg!(target_os = "macos")
        && output(Command::new("brew").args(["--prefix", "openblas"]))
            .is_some_and(|prefix| Path::new(&prefix).join("lib").exists())
}

/// Whether the linker makes a shared library of this library alone, looking where rustc has it look.
fn links(library: &str) -> bool {
    let Some(folder) = env::var_os("OUT_DIR") else {
        return false;
    };
    let linker = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let mut command = Command::new(linker);
    command
        .arg("-shared")
        .arg("-o")
        .arg(Path::new(&folder).join("probe"));
    for folder in search_folders(&flags) {
        command.arg("-L").arg(folder);
    }
    succeeds(command.arg(library))
}

/// The folders of `-L FOLDER`, `-LFOLDER` and `-L KIND=FOLDER` among rustc's flags.
fn search_folders(flags: &str) -> Vec<&str> {
    let mut folders = Vec::new();
    let mut flags = flags.split('\x1f');
    while let Some(flag) = flags.next() {
        let folder = match flag.strip_prefix("-L") {
            Some("") => flags.next(),
            folder => folder,
        };
        folders.extend(folder.map(|folder| folder.split_once('=').map_or(folder, |(_, folder)| folder)));
    }
    folders
}

fn succeeds(command: &mut Command) -> bool {
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What the command prints, if it succeeds.
fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}
