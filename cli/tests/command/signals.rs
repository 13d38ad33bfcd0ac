//! Signals that end a training or a search: what there is by then is kept and told, and the exit code says so.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use mfnet::Model;
use serde_json::Value;

use crate::command::{assert_has, json, mfnet, object, told, words};
use crate::folder::{Folder, folder_with, names};

const SIGNALS: [&str; 3] = ["-INT", "-TERM", "-HUP"];

/// A training of more epochs than anyone waits for; a checkpoint is there after the first.
const ENDLESS: &str =
    "train points.csv --epochs 1000000 --batch-size 8 --checkpoint-every 1 --json --out run --linear";

/// A folder with a table.
fn points() -> Folder {
    let mut points = "x,y,kind\n".to_owned();
    for row in 0..120 {
        let (x, y) = (row * 37 % 101, row * 53 % 97);
        points += &format!("{x},{y},{}\n", if x > y { "below" } else { "above" });
    }
    folder_with(&[("points.csv", &points)])
}

/// A command that has written a line that starts so, and what it writes from then on.
fn started(folder: &Path, arguments: &str, line: &str) -> (Child, BufReader<ChildStderr>) {
    let mut child = mfnet(folder, &words(arguments))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let is_there = (&mut reader)
        .lines()
        .any(|found| found.unwrap().starts_with(line));
    assert!(is_there, "{line:?} was not told");
    (child, reader)
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Waits for the end, reading on meanwhile, so that the child never waits for room in the pipe.
fn ended(child: Child, reader: BufReader<ChildStderr>) -> (Output, Vec<String>) {
    let rest = reader.lines().map(|line| line.unwrap()).collect();
    (child.wait_with_output().unwrap(), rest)
}

/// Whether this process, and so its children, were started under `nohup`, which leaves all signals as they are.
fn survives_hangups() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // SIGHUP is signal 1: the first bit.
    let survives = mask
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 != 0);
    if survives {
        eprintln!("SKIPPED: this process was started under nohup, and so are its children");
    }
    survives
}

/// Goes on with a run that was ended by a signal, for so many epochs in all.
fn resumes(folder: &Path, epochs: usize) {
    let line = format!("train --resume run --epochs {epochs} --json --quiet");
    assert_eq!(json(folder, &line)["epochs"], epochs);
}

#[test]
fn a_signal_ends_a_training_with_what_there_is() {
    if survives_hangups() {
        return;
    }
    for signal in SIGNALS {
        let at = &points();
        let (child, lines) = started(at, ENDLESS, "epoch ");
        send(signal, &child);
        let (output, rest) = ended(child, lines);
        assert_eq!(output.status.code(), Some(130), "{signal}: {rest:?}");
        let result: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(result["stopped"], true);
        let epochs = result["epochs"].as_u64().unwrap() as usize;
        assert!((1..1_000_000).contains(&epochs));
        assert_eq!(result["train_loss"].as_array().unwrap().len(), epochs);
        assert!(
            rest.iter().any(|line| line.contains(" of 1,000,000 epochs")),
            "{rest:?}"
        );
        assert!(
            rest.iter()
                .any(|line| line.starts_with("resume with") && line.ends_with("mfnet train --resume run")),
            "{rest:?}"
        );
        let run = at.join("run");
        Model::<f32>::load(run.join("model.safetensors")).unwrap();
        Model::<f32>::load(run.join("checkpoint.safetensors")).unwrap();
        assert!(
            names(&run).iter().all(|name| !name.starts_with('.')),
            "{:?}",
            names(&run)
        );
        resumes(at, epochs + 2);
    }
}

#[test]
fn a_second_signal_ends_the_process_and_breaks_no_file() {
    if survives_hangups() {
        return;
    }
    for signal in SIGNALS {
        let at = &points();
        let (child, lines) = started(at, ENDLESS, "epoch ");
        while !at.join("run/checkpoint.safetensors").exists() {
            std::thread::yield_now();
        }
        send(signal, &child);
        send(signal, &child);
        let (output, rest) = ended(child, lines);
        // Whichever moment it came at: the same code, and nothing but whole files under the names of a run.
        assert_eq!(output.status.code(), Some(130), "{signal}: {rest:?}");
        assert!(rest.iter().all(|line| !line.contains("panicked")), "{rest:?}");
        let run = at.join("run");
        for name in names(&run) {
            let content = fs::read(run.join(&name)).unwrap();
            match name.rsplit_once('.') {
                // What was being written, under a name that no command looks at.
                _ if name.starts_with(".mfnet-") => {}
                Some((_, "safetensors")) => drop(Model::<f32>::load(run.join(&name)).unwrap()),
                Some((_, "json")) => drop(serde_json::from_slice::<Value>(&content).unwrap()),
                Some((_, "svg")) => assert!(content.ends_with(b"</svg>\n"), "{name}"),
                Some((_, "png")) => assert!(content.ends_with(b"IEND\xae\x42\x60\x82"), "{name}"),
                Some((_, "csv" | "toml")) => assert!(content.ends_with(b"\n"), "{name}"),
                _ => panic!("{name}"),
            }
        }
        let checkpoint = mfnet::checkpoint::contents_of(run.join("checkpoint.safetensors")).unwrap();
        let mfnet::checkpoint::FileKind::Checkpoint { epochs, .. } = checkpoint.kind else {
            panic!("{:?}", checkpoint.kind);
        };
        resumes(at, epochs + 2);
    }
}

#[test]
fn a_signal_ends_a_search_with_the_trials_so_far() {
    if survives_hangups() {
        return;
    }
    let search = "tune points.csv --epochs 3,1000000 --threads 1 --json --out found";
    for (signal, times) in SIGNALS.into_iter().flat_map(|signal| [(signal, 1), (signal, 2)]) {
        let folder = points();
        let (child, lines) = started(&folder, search, "1/2  epochs 3:");
        for _ in 0..times {
            send(signal, &child);
        }
        let (output, rest) = ended(child, lines);
        assert_eq!(output.status.code(), Some(130), "{signal}: {rest:?}");
        if times == 1 {
            let (_, out, _) = told(&output);
            let advice = "model        none: the search was ended before its best configuration was trained on all samples; mfnet train \
                          --config found/config.toml --out MODEL trains it";
            assert!(rest.iter().any(|line| line == advice), "{rest:?}");
            let result = object(&out);
            assert_eq!((&result["stopped"], &result["asked"]), (&true.into(), &2.into()));
            assert_eq!(result["trials"].as_array().unwrap().len(), 1);
            let expected = [
                "config.toml",
                "ranking.png",
                "ranking.svg",
                "summary.json",
                "trials.csv",
            ];
            assert_eq!(names(&folder.join("found")), expected);
        }
    }
}

#[test]
fn weights_that_early_stopping_has_not_restored_are_named() {
    if survives_hangups() {
        return;
    }
    // Nothing to learn: the validation loss rises soon.
    let row = |row: usize| {
        format!(
            "{},{},{}\n",
            row * 37 % 101,
            row * 53 % 97,
            ["a", "b"][row * 29 % 7 % 2]
        )
    };
    let table = format!("x,y,kind\n{}", (0..60).map(row).collect::<String>());
    let folder = folder_with(&[("t.csv", &table)]);
    let training = "train t.csv --epochs 5000 --lr 0.05 --early-stopping 4999 --out run";
    let (child, lines) = started(&folder, training, "epoch  500/5000");
    send("-INT", &child);
    let (output, rest) = ended(child, lines);
    let (code, out, _) = told(&output);
    assert_eq!(code, Some(130), "{rest:?}");
    assert_has(&out, &[" of 5,000 epochs, with the last weights (epoch "]);
}

#[test]
fn a_search_without_a_complete_trial_says_that_nothing_is_saved() {
    if survives_hangups() {
        return;
    }
    let folder = points();
    let search = "tune points.csv --epochs 1000000,1000001 --out found";
    let (child, lines) = started(&folder, search, "2 trials on ");
    // The line comes before the training, in which a signal is heard.
    std::thread::sleep(std::time::Duration::from_millis(500));
    send("-INT", &child);
    let (output, rest) = ended(child, lines);
    let (code, out, _) = told(&output);
    assert_eq!(code, Some(130), "{rest:?}");
    assert!(out.contains("nothing is saved: no trial was complete"), "{out}");
    assert!(!folder.join("found").exists());
}
