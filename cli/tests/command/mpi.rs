//! Trainings that the processes of `mpirun` share, and what ends them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::{mfnet, parts, told};
use crate::launcher::behind;

/// Two leaves in each batch, and a last batch of one.
const TRAINING: [&str; 13] = [
    "train",
    "points.csv",
    "--epochs",
    "4",
    "--batch-size",
    "700",
    "--hidden",
    "200,200",
    "--threads",
    "1",
    "--json",
    "--quiet",
    "--seed=3",
];

/// A folder with a table.
fn points() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut points = "x,y,kind
"
    .to_owned();
    for row in 0..1500 {
        let (x, y) = (row * 37 % 1009, row * 53 % 997);
        points += &format!(
            "{x},{y},{}
",
            if x > y { "below" } else { "above" }
        );
    }
    fs::write(folder.path().join("points.csv"), points).unwrap();
    folder
}

/// The command with these arguments on so many ranks.
fn on_ranks(ranks: &str, folder: &Path, arguments: &[&str]) -> Command {
    let mpirun = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", ranks];
    let mut command = behind(&mpirun, &mfnet(folder, arguments));
    // Ranks that wait let the others work, of which there may be more than cores.
    command.env("OMPI_MCA_mpi_yield_when_idle", "1");
    command
}

fn json(output: &str) -> Value {
    assert_eq!(output.lines().count(), 1, "one process speaks for all: {output}");
    serde_json::from_str(output).unwrap()
}

#[test]
fn any_number_of_ranks_trains_the_same_model() {
    let folder = points();
    let train = |ranks: &str| {
        let out = format!("run{ranks}");
        let arguments = [&TRAINING[..], &["--out", &out]].concat();
        let (code, output, notes) = parts(&mut on_ranks(ranks, folder.path(), &arguments));
        assert_eq!((code, notes.as_str()), (Some(0), ""));
        let result = json(&output);
        assert_eq!(result["ranks"].to_string(), ranks);
        let model = fs::read(folder.path().join(out).join("model.safetensors")).unwrap();
        (result["train_loss"].to_string(), model)
    };
    let alone = train("1");
    assert!(alone == train("2"));
    assert!(alone == train("3"));
}

#[test]
fn ranks_that_differ_are_refused() {
    let folder = points();
    let mut both = on_ranks("1", folder.path(), &TRAINING);
    both.arg(":").args(["-n", "1"]);
    let other = mfnet(folder.path(), &[&TRAINING[..], &["--lr", "0.5"]].concat());
    both.arg(other.get_program()).args(other.get_args());
    let (code, output, notes) = parts(&mut both);
    assert_eq!((code, output.as_str()), (Some(1), ""), "{notes}");
    let error = notes.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(
        error.starts_with("error: ranks: all ranks must train alike: learning rate is "),
        "{error}"
    );
    assert!(error.ends_with(" on rank 0 and 0.5 on rank 1"), "{error}");
    assert_eq!(notes.matches("error: ").count(), 1, "{notes}");
}

#[test]
fn mistakes_are_told_once() {
    let folder = points();
    for (arguments, code, message) in [
        (&["train", "nowhere.csv"][..], 2, "nowhere.csv"),
        (&["train", "points.csv", "--nonsense"], 2, "--nonsense"),
        (&["datasets"], 2, "only mfnet train shares its work"),
    ] {
        let (found, output, notes) = parts(&mut on_ranks("3", folder.path(), arguments));
        assert_eq!((found, output.as_str()), (Some(code), ""), "{notes}");
        let told = notes
            .lines()
            .filter(|line| line.starts_with("error: ") && line.contains(message));
        assert_eq!(told.count(), 1, "{notes}");
    }
}

/// A training of more epochs than anyone waits for, after the first.
fn endless(ranks: &str, folder: &Path) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut arguments: Vec<&str> = TRAINING
        .iter()
        .copied()
        .filter(|&argument| argument != "--quiet")
        .collect();
    arguments[3] = "1000000";
    arguments.extend(["--checkpoint-every", "1", "--out", "run"]);
    let mut command = on_ranks(ranks, folder, &arguments);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let checkpoint = folder.join("run/checkpoint.safetensors");
    let start = Instant::now();
    while !checkpoint.exists() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
        let mut line = String::new();
        let _ = reader.fill_buf().is_ok_and(|text| !text.is_empty()) && reader.read_line(&mut line).is_ok();
    }
    assert!(checkpoint.exists());
    (child, reader)
}

fn kill(signal: &str, process: u32) {
    let killed = Command::new("kill").args([signal, &process.to_string()]).status();
    assert!(killed.unwrap().success());
}

/// The processes that this one has started.
fn children(process: u32) -> Vec<u32> {
    let path = format!("/proc/{process}/task/{process}/children");
    let text = fs::read_to_string(path).unwrap();
    text.split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect()
}

/// Waits for the end; returns the exit code, standard output and the notes.
fn ended(child: Child, reader: BufReader<std::process::ChildStderr>) -> (Option<i32>, String, Vec<String>) {
    let start = Instant::now();
    let notes = reader.lines().map(Result::unwrap).collect();
    let (code, output, _) = told(&child.wait_with_output().unwrap());
    assert!(start.elapsed() < Duration::from_secs(20), "a training that hangs");
    (code, output, notes)
}

/// Resumes a run of any number of epochs to five beyond, and compares it with one that was never interrupted.
fn goes_on(folder: &Path, ranks: &str) {
    let run = mfnet::Model::<f32>::load(folder.join("run/checkpoint.safetensors"));
    assert!(run.is_ok(), "a whole checkpoint: {run:?}");
    let resume = ["train", "--resume", "run", "--json", "--quiet", "--epochs"];
    let epochs = |number: usize| number.to_string();
    // The number of epochs is known when the run is asked for too few.
    let too_few = parts(&mut mfnet(folder, &[&resume[..], &["1"]].concat()));
    let done = too_few
        .2
        .split_whitespace()
        .filter_map(|word| word.parse::<usize>().ok())
        .max()
        .unwrap_or(1);
    let all = epochs(done + 5);
    let (code, output, notes) = parts(&mut on_ranks(ranks, folder, &[&resume[..], &[&all]].concat()));
    assert_eq!(code, Some(0), "{notes}");
    let resumed = json(&output);
    let mut whole: Vec<&str> = TRAINING.to_vec();
    whole[3] = &all;
    let (_, output, _) = parts(&mut mfnet(folder, &whole));
    assert_eq!(json(&output)["train_loss"], resumed["train_loss"]);
}

#[test]
fn a_killed_rank_ends_the_others() {
    let folder = points();
    let (child, reader) = endless("2", folder.path());
    kill("-KILL", children(child.id())[1]);
    let (code, output, notes) = ended(child, reader);
    assert_ne!(code, Some(0), "{notes:?}");
    assert_eq!(output, "");
    goes_on(folder.path(), "3");
}

#[test]
fn an_interrupt_ends_all_ranks_with_a_checkpoint() {
    for signal in ["-INT", "-TERM"] {
        let folder = points();
        let (child, reader) = endless("3", folder.path());
        kill(signal, child.id());
        let (code, _, notes) = ended(child, reader);
        assert_ne!(code, Some(0), "{notes:?}");
        goes_on(folder.path(), "2");
    }
}
