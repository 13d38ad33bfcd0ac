//! Arguments that no one types by hand: names that are no text, devices and pipes for files, and configurations made to
//! break their reader.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use crate::command::{command, mfnet, parts, run, silent};
use crate::folder::{Folder, folder_with};
use crate::launcher::behind;

/// A folder with a table, and a run whose name is no UTF-8.
fn workshop() -> Folder {
    let row = |row: usize| format!("{},{}.5,{}\n", row % 7, row % 5, row % 2);
    let table: String = (0..40).map(row).collect();
    let folder = folder_with(&[("table.csv", &format!("a,b,kind\n{table}"))]);
    silent(&folder, "train table.csv --epochs 2 --quiet --out run");
    folder
}

/// These words, of which `?` is a name that is no UTF-8, with the given ending.
fn nameless(folder: &Path, arguments: &str) -> Command {
    let arguments: Vec<OsString> = arguments
        .split(' ')
        .map(|word| match word.strip_prefix('?') {
            Some(ending) => OsStr::from_bytes(&[b"caf\xe9", ending.as_bytes()].concat()).to_owned(),
            None => word.into(),
        })
        .collect();
    mfnet(folder, &arguments)
}

#[test]
fn names_that_are_no_text_are_names() {
    let at = &workshop();
    let named = |ending: &str| at.join(OsStr::from_bytes(&[b"caf\xe9", ending.as_bytes()].concat()));
    for (arguments, ending) in [
        ("train table.csv --epochs 1 --quiet --out ?", ""),
        ("train table.csv --epochs 1 --quiet --json --out ?.json", ".json"),
        ("inspect ?", ""),
        ("inspect ? --json", ""),
        ("evaluate ? table.csv", ""),
        ("evaluate ? table.csv --json --out ?.scores", ".scores"),
        ("predict ? table.csv --out ?.csv", ".csv"),
        ("export ? --onnx ?.onnx", ".onnx"),
        (
            "import ?/model.safetensors --layers 2,200,2 --out ?.safetensors",
            ".safetensors",
        ),
        (
            "tune table.csv --lr 0.1,0.2 --epochs 1 --quiet --json --out ?.search",
            ".search",
        ),
        ("train --config ?.search/config.toml --quiet", ".search"),
        ("train --resume ?.json --epochs 2 --quiet", ".json"),
        ("man --out ?.man", ".man"),
        ("datasets --data-dir ?", ""),
        ("datasets --json --data-dir ?", ""),
    ] {
        let (code, _, err) = parts(&mut nameless(at, arguments));
        assert!(!err.contains("panicked"), "{arguments}: {err}");
        let expected = match arguments.contains("--resume") {
            // There is no checkpoint in it.
            true => Some(1),
            false => Some(0),
        };
        assert_eq!(code, expected, "{arguments}: {err}");
        assert!(named(ending).exists(), "{arguments}");
    }
    // Data may be a data set's name, and so is text.
    for arguments in ["train ?.csv", "predict run ?.csv", "evaluate run ?.csv"] {
        let (code, out, err) = parts(&mut nameless(at, arguments));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments}: {err}");
        assert!(err.starts_with("error: invalid UTF-8"), "{arguments}: {err}");
    }
    for arguments in [
        "inspect ?.no",
        "train table.csv --config ?.no",
        "train --resume ?.no",
    ] {
        let (code, out, err) = parts(&mut nameless(at, arguments));
        assert_eq!((code, out.as_str()), (Some(1), ""), "{arguments}: {err}");
        assert!(
            err.starts_with("error: ") && err.contains("caf\u{fffd}.no"),
            "{arguments}: {err}"
        );
    }
}

/// What a command says that fails, having taken no more than 2 GB of memory.
fn refusal(command: Command) -> String {
    let mut limited = behind(&["sh", "-c", "ulimit -v 2000000; exec \"$@\"", "sh"], &command);
    // Each thread would reserve memory of its own.
    limited
        .env("RAYON_NUM_THREADS", "2")
        .env("OPENBLAS_NUM_THREADS", "1");
    let (code, out, err) = parts(&mut limited);
    assert!(
        matches!(code, Some(1 | 2)) && out.is_empty(),
        "{:?}: {code:?} {err}",
        command.get_args()
    );
    assert!(err.starts_with("error: ") && !err.contains("panicked"), "{err}");
    err
}

#[test]
fn devices_folders_and_pipes_are_refused_as_files() {
    let at = &workshop();
    fs::write(at.join("empty"), "").unwrap();
    let pipe = Command::new("mkfifo").arg(at.join("pipe")).status();
    assert!(pipe.unwrap().success());
    for (arguments, part) in [
        ("train /dev/zero", "/dev/zero: line 1: the row has more than"),
        ("train /dev/full", "/dev/full: line 1: the row has more than"),
        ("train /dev/null", "/dev/null: line 1: the file has no rows"),
        ("train empty", "empty: line 1: the file has no rows"),
        ("train run", "run: cannot"),
        ("train table.csv --validation /dev/zero", "/dev/zero"),
        ("train table.csv --config /dev/zero", "/dev/zero"),
        ("train table.csv --config run", "run: cannot read the file"),
        ("train table.csv --init /dev/zero", "/dev/zero"),
        ("train table.csv --init pipe", "pipe"),
        ("predict run /dev/zero", "the row has more than"),
        ("predict run .", ".: cannot"),
        ("predict run run", "run: DATA is a model"),
        ("predict run empty", "no rows"),
        ("evaluate run /dev/zero", "the row has more than"),
        ("evaluate /dev/zero table.csv", "it is no safetensors file"),
        ("evaluate pipe table.csv", "it is no safetensors file"),
        ("inspect empty", "it is no safetensors file"),
        ("inspect .", "there is no model.safetensors in this folder"),
        ("inspect /dev/stdin", "it is no safetensors file"),
        ("export pipe --onnx x.onnx", "it is no safetensors file"),
        (
            "import /dev/zero --layers 2,2 --out x.safetensors",
            "it is no safetensors file",
        ),
        (
            "import pipe --layers 2,2 --out x.safetensors",
            "it is no safetensors file",
        ),
        ("predict run table.csv --out .", "this is a folder"),
        ("train --resume run/config.toml", "it has no config.toml"),
    ] {
        let error = refusal(command(at, arguments));
        assert!(error.contains(part), "{arguments}: {error}");
    }
}

#[test]
fn hostile_configurations_are_refused() {
    let at = &workshop();
    let deep = 100_000;
    let long = [
        (format!("[data]\nsource = {}", "[".repeat(deep)), "not TOML"),
        (format!("[data]\nsource = {}", "{a=".repeat(deep)), "not TOML"),
        (format!("{}a = 1", "a.".repeat(deep)), "hostile.toml"),
        (format!("[{}a]\nb = 1", "a.".repeat(deep)), "hostile.toml"),
        (
            format!("[data]\nsource = \"{}\"", "x".repeat(2 << 20)),
            "hostile.toml",
        ),
    ];
    let short = [
        ("[model]\nhidden = [3]\nhidden = [4]\n", "duplicate key"),
        ("[model]\n[model]\n", "duplicate key"),
        ("[model]\nhiden = [3]\n", "hiden"),
        ("[model]\nhidden = [18446744073709551615]\n", "hostile.toml"),
        // 2^62 and 2^40 units.
        (
            "[model]\nhidden = [4611686018427387904]\n",
            "few enough for the memory",
        ),
        ("[model]\nhidden = [1099511627776]\n", "few enough for the memory"),
        ("[training]\nlr = nan\n", "learning rate"),
        ("[training]\nlr = inf\n", "learning rate"),
        ("[training]\nbatch-size = 0\n", "batch size"),
        ("[training]\nepochs = 0\n", "epochs"),
        ("[training]\ntest-interval = 0\n", "test interval"),
        ("[training]\nthreads = 0\n", "threads"),
        ("[training]\nthreads = 4000000000\n", "threads"),
        ("[training]\nlr-schedule = \"step\"\nlr-step = 0\n", "step"),
        ("[model]\n\"\\u001b[2J\" = 3\n", "hostile.toml"),
        ("[model]\n\0", "not TOML"),
    ];
    let short = short.map(|(content, part)| (content.to_owned(), part));
    for (content, part) in long.into_iter().chain(short) {
        fs::write(at.join("hostile.toml"), &content).unwrap();
        let error = refusal(command(at, "train table.csv --quiet --config hostile.toml"));
        let (start, shown) = (content.get(..40), &error[..error.len().min(2000)]);
        assert!(error.contains(part), "{start:?}: {shown}");
        assert!(
            error.len() < 2000 && !error.contains('\x1b'),
            "{start:?}: {shown}"
        );
    }
    fs::write(at.join("hostile.toml"), b"[model]\n# caf\xe9\n").unwrap();
    let error = refusal(command(at, "train table.csv --config hostile.toml"));
    assert!(error.contains("UTF-8"), "{error}");
}

#[test]
fn no_file_speaks_to_the_terminal() {
    let at = &workshop();
    let with = |name: &str, content: &str| fs::write(at.join(name), content).unwrap();
    with(
        "kinds.csv",
        "a,b,kind\n1,2,\x1b[2J\n2,3,oak\n1,3,\x1b[2J\n2,4,oak\n",
    );
    with("names.csv", "a,\x1b[2J,kind\n1,2,x\n2,y,oak\n1,3,x\n2,4,oak\n");
    with("twice.csv", "\x1b[2J,\x1b[2J,kind\n1,2,x\n2,3,oak\n");
    // `parts` refuses any escape sequence.
    for (arguments, code) in [
        ("train kinds.csv --epochs 1 --out kinds", 0),
        ("evaluate kinds kinds.csv", 0),
        ("inspect kinds", 0),
        ("train names.csv", 1),
        ("train twice.csv", 1),
        ("train kinds.csv --target \x1b[2J", 1),
        ("tune kinds.csv --lr 0.1,0.2 --epochs 1", 0),
        ("inspect \x1b[2J", 1),
    ] {
        let (found, _, err) = run(at, arguments);
        assert_eq!(found, Some(code), "{arguments}: {err}");
    }
}
