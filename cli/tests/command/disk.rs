//! The command where there is little room: a small file system of its own, as far as the system lets one be made.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::command::mfnet;
use crate::launcher::behind;

/// A script, in which `"$1"` is the command, where `full` is a file system of its own, made with these options; what is
/// in there at the end is copied to `kept`. None where no file system can be made.
pub fn on_small_disk(folder: &Path, options: &str, script: &str) -> Option<Command> {
    let make = "mkdir -p full kept && mount -t tmpfs -o";
    let can = Command::new("unshare")
        .args(["-rm", "sh", "-c", &format!("{make} size=4k none full")])
        .current_dir(folder)
        .stderr(Stdio::null())
        .status();
    if !can.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no small file system can be made here, by `unshare -rm` and `mount -t tmpfs`");
        return None;
    }
    let script =
        format!("{make} {options} none full || exit 99; {script}; code=$?; cp -r full/. kept; exit $code");
    let command = mfnet(folder, &[] as &[&str]);
    Some(behind(&["unshare", "-rm", "sh", "-c", &script, "sh"], &command))
}
