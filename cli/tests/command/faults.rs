//! Faults around the command: no room, no permission, nobody who reads. One message says what could not be done and why,
//! the exit code is 1, and no file is left that is not whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::pipe;
use std::path::{Path, PathBuf};
use std::process::Command;

use mfnet::Model;

use crate::command::{command, parts, silent};
use crate::disk::on_small_disk;
use crate::folder::{Folder, folder_with, model_bytes, names, write_housing};
use crate::launcher::behind;

/// A folder with a table, a run that has learned it, and a small California Housing.
fn workshop() -> Folder {
    let mut trees = "height,girth,kind\n".to_owned();
    for row in 0..120 {
        let (height, girth) = (row * 37 % 101, row * 53 % 97);
        trees += &format!(
            "{height},{girth},{}\n",
            if height > girth { "oak" } else { "birch" }
        );
    }
    let folder = folder_with(&[("trees.csv", &trees)]);
    write_housing(&folder.join("data"));
    silent(
        &folder,
        "train trees.csv --hidden 64 --epochs 3 --out good --quiet",
    );
    folder
}

/// All files below a folder, with their content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.append(&mut files(&path));
        } else {
            all.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    all
}

/// The one message of a command that fails.
fn failure(command: &mut Command) -> String {
    let (code, out, err) = parts(command);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.starts_with("error: ") && err.lines().count() == 1, "{err}");
    assert!(!err.contains(".mfnet-") && !err.contains(".tmp"), "{err}");
    err
}

/// What each command writes when it is told to keep something, and how the file is called.
const KEEPING: [(&str, &str); 10] = [
    ("train trees.csv --epochs 1 --quiet --out", "run"),
    ("tune trees.csv --lr 0.1,0.2 --epochs 1 --quiet --out", "search"),
    ("evaluate good trees.csv --quiet --out", "scores"),
    ("predict good trees.csv --quiet --out", "old.csv"),
    ("predict good trees.csv --quiet --out", "old.npy"),
    ("predict good trees.csv --quiet --out", "old.npz"),
    ("export good --onnx", "old.onnx"),
    (
        "import good/model.safetensors --layers 2,64,2 --out",
        "old.safetensors",
    ),
    ("man --out", "pages"),
    (
        "tables --rows housing-mean --data-dir data --quiet --out",
        "tables",
    ),
];

#[test]
fn what_cannot_be_written_is_named_and_nothing_is_left() {
    let at = &workshop();
    for (_, name) in KEEPING.into_iter().filter(|(_, name)| name.starts_with("old")) {
        fs::write(at.join(name), "what was there").unwrap();
    }
    let before = files(at);
    // Whoever has a signal ignored is told by an error that a file grows too long, as by one that the disk is full.
    for limit in ["0", "1"] {
        let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$@\"");
        for (arguments, name) in KEEPING {
            let command = command(at, &format!("{arguments} {name}"));
            let error = failure(&mut behind(&["sh", "-c", &script, "sh"], &command));
            assert!(
                error.contains(name) && error.contains("File too large"),
                "{arguments}: {error}"
            );
            let found = files(at);
            let new = found.keys().filter(|path| !before.contains_key(*path));
            for path in new {
                let content = &found[path];
                let is_whole = match path.extension().unwrap_or_default().to_str().unwrap() {
                    "safetensors" => Model::<f32>::load(path).is_ok(),
                    "json" => serde_json::from_slice::<serde_json::Value>(content).is_ok(),
                    "csv" | "md" | "toml" => content.len() < 512 && content.ends_with(b"\n"),
                    _ => false,
                };
                assert!(is_whole && limit != "0", "{arguments}: {}", path.display());
            }
            for (path, content) in &before {
                assert_eq!(found.get(path), Some(content), "{arguments}: {}", path.display());
            }
            // The next one finds no trace of it.
            for path in found.keys().filter(|path| !before.contains_key(*path)) {
                fs::remove_file(path).unwrap();
            }
            let _ = fs::remove_dir(at.join(name));
        }
    }
}

#[test]
fn a_limit_that_kills_leaves_the_files_that_were_there() {
    let at = &workshop();
    for name in ["old.onnx", "old.csv", "old.safetensors"] {
        fs::write(at.join(name), "what was there").unwrap();
        let (arguments, _) = KEEPING.into_iter().find(|(_, kept)| *kept == name).unwrap();
        let command = command(at, &format!("{arguments} {name}"));
        // Not ignored, the signal ends the process before any message.
        let (code, out, _) = parts(&mut behind(
            &["sh", "-c", "ulimit -f 0; exec \"$@\"", "sh"],
            &command,
        ));
        assert_eq!((code, out.as_str()), (None, ""), "{arguments}");
        assert_eq!(
            fs::read_to_string(at.join(name)).unwrap(),
            "what was there",
            "{arguments}"
        );
    }
}

#[test]
fn places_that_cannot_be_written_are_named_before_any_work() {
    let at = &workshop();
    let before = files(at);
    for (arguments, name) in KEEPING {
        // Below a file, where even an administrator can write nothing.
        let error = failure(&mut command(at, &format!("{arguments} trees.csv/{name}")));
        assert!(
            error.contains("trees.csv") && error.contains("Not a directory"),
            "{arguments}: {error}"
        );
        assert_eq!(files(at), before, "{arguments}");
    }
}

#[test]
fn a_full_disk_leaves_the_checkpoint_that_was_there() {
    let at = &workshop();
    let training = "train trees.csv --hidden 64,64 --epochs 4 --checkpoint-every 1 --quiet --out";
    // There is room for one checkpoint, and not for a second beside it.
    let script = format!(r#""$1" {training} full/run"#);
    let Some(mut command) = on_small_disk(at, "size=100k", &script) else {
        return;
    };
    let error = failure(&mut command);
    assert_eq!(
        error,
        "error: full/run/checkpoint.safetensors: cannot write the file: No space left on device (os error 28)\n"
    );
    let kept = at.join("kept/run");
    assert_eq!(names(&kept), ["checkpoint.safetensors", "config.toml"]);
    Model::<f32>::load(kept.join("checkpoint.safetensors")).unwrap();
    // With room, it goes on to the very end that it would have had.
    for arguments in [
        format!("{training} whole"),
        "train --resume kept/run --quiet".to_owned(),
    ] {
        silent(at, &arguments);
    }
    assert_eq!(model_bytes(at, "kept/run"), model_bytes(at, "whole"));
}

#[test]
fn a_full_disk_leaves_the_files_that_were_there() {
    let at = &workshop();
    let trees = fs::read_to_string(at.join("trees.csv")).unwrap();
    fs::write(
        at.join("many.csv"),
        trees.repeat(50).replace("\nheight,girth,kind\n", "\n"),
    )
    .unwrap();
    let trained = "train trees.csv --hidden 100 --epochs 2 --quiet --out full/run";
    for (size, script, part, left) in [
        (
            "16k",
            r#"cp trees.csv full/p.csv && "$1" predict good many.csv --out full/p.csv"#.to_owned(),
            "full/p.csv: cannot write the file",
            &["p.csv"][..],
        ),
        (
            "8k",
            r#"cp trees.csv full/p.npy && "$1" predict good many.csv --proba --out full/p.npy"#.to_owned(),
            "full/p.npy: cannot write the file",
            &["p.npy"],
        ),
        (
            "4k",
            r#"cp trees.csv full/m.onnx && "$1" export good --onnx full/m.onnx"#.to_owned(),
            "full/m.onnx: cannot write the file",
            &["m.onnx"],
        ),
        (
            "8k",
            r#""$1" evaluate good trees.csv --quiet --out full/scores"#.to_owned(),
            "--out full/scores: cannot write",
            &[],
        ),
        // The pictures come last.
        (
            "24k",
            format!(r#""$1" {trained}"#),
            "full/run/c",
            &[
                "run/config.toml",
                "run/curves.svg",
                "run/history.csv",
                "run/model.safetensors",
                "run/summary.json",
            ],
        ),
    ] {
        let Some(mut command) = on_small_disk(at, &format!("size={size}"), &script) else {
            return;
        };
        let error = failure(&mut command);
        assert!(
            error.contains(part) && error.ends_with("No space left on device (os error 28)\n"),
            "{script}: {error}"
        );
        let kept = at.join("kept");
        let found = files(&kept);
        let found: Vec<&str> = found
            .keys()
            .map(|path| path.strip_prefix(&kept).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(found, left, "{script}");
        for name in left {
            match name.rsplit_once('.') {
                Some((_, "safetensors")) => drop(Model::<f32>::load(kept.join(name)).unwrap()),
                _ if name.contains('/') => assert!(fs::metadata(kept.join(name)).unwrap().len() > 0),
                _ => assert_eq!(fs::read_to_string(kept.join(name)).unwrap(), trees, "{name}"),
            }
        }
        fs::remove_dir_all(kept).unwrap();
    }
}

#[test]
fn a_file_system_that_is_only_read_is_told() {
    let folder = workshop();
    for (arguments, name) in KEEPING {
        let script = format!(r#""$1" {arguments} full/{name}"#);
        let Some(mut command) = on_small_disk(&folder, "ro,size=4k", &script) else {
            return;
        };
        let error = failure(&mut command);
        assert!(
            error.contains("full") && error.ends_with("Read-only file system (os error 30)\n"),
            "{arguments}: {error}"
        );
    }
}

/// Every command, in every form in which its result goes to standard output.
const TELLING: [&str; 23] = [
    "train trees.csv --epochs 1 --out run",
    "train trees.csv --epochs 1 --json",
    "tune trees.csv --lr 0.1,0.2 --epochs 1",
    "tune trees.csv --lr 0.1,0.2 --epochs 1 --json",
    "evaluate good trees.csv",
    "evaluate good trees.csv --json",
    "predict good trees.csv",
    "predict good trees.csv --proba",
    "inspect good",
    "inspect good --json",
    "datasets",
    "datasets --json",
    "export good --onnx good.onnx",
    "import good/model.safetensors --layers 2,64,2 --out imported.safetensors",
    "tables --rows housing-mean --data-dir data",
    "doctor --json",
    "completions bash",
    "completions zsh",
    "man",
    "--version",
    "--help",
    "help tune",
    "train --help",
];

#[test]
fn a_result_that_nobody_reads_is_no_failure() {
    let at = &workshop();
    for arguments in TELLING {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let (code, _, err) = parts(command(at, arguments).stdout(writer));
        assert_eq!(code, Some(0), "{arguments}: {err}");
        assert!(
            !err.contains("error") && !err.contains("panicked"),
            "{arguments}: {err}"
        );
        if arguments.ends_with("--out run") {
            fs::remove_dir_all(at.join("run")).unwrap();
        }
        let closed = &["sh", "-c", "exec \"$@\" >&-", "sh"];
        let (code, _, err) = parts(&mut behind(closed, &command(at, arguments)));
        assert_eq!(code, Some(0), "{arguments}: {err}");
        assert!(
            !err.contains("error") && !err.contains("panicked"),
            "{arguments}: {err}"
        );
    }
    Model::<f32>::load(at.join("run/model.safetensors")).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let at = &workshop();
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    for arguments in TELLING {
        let (code, _, err) = parts(command(at, arguments).stdout(full()));
        assert_eq!(code, Some(1), "{arguments}: {err}");
        assert_eq!(
            err.lines().last(),
            Some("error: cannot write to standard output: No space left on device (os error 28)"),
            "{arguments}: {err}"
        );
        assert!(!err.contains("panicked"), "{arguments}: {err}");
    }
    // What was kept before is kept.
    Model::<f32>::load(at.join("run/model.safetensors")).unwrap();
    Model::<f32>::load(at.join("imported.safetensors")).unwrap();
    // Messages that cannot be written change nothing.
    let (code, out, _) = parts(command(at, "evaluate good trees.csv --json").stderr(full()));
    assert_eq!((code, out.lines().count()), (Some(0), 1));
    for (arguments, code) in [
        ("evaluate good nothing.csv", 2),
        ("evaluate nothing trees.csv", 1),
        ("train --x", 2),
    ] {
        assert_eq!(
            parts(command(at, arguments).stderr(full())).0,
            Some(code),
            "{arguments}"
        );
        let closed = &["sh", "-c", "exec \"$@\" 2>&-", "sh"];
        assert_eq!(
            parts(&mut behind(closed, &command(at, arguments))).0,
            Some(code),
            "{arguments}"
        );
    }
}
