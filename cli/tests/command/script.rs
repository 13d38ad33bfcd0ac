//! Programs that stand in for others.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Writes a program for the shell.
pub fn write_script(path: &Path, lines: &str) {
    fs::write(path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
