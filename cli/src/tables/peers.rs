//! Other libraries at the same jobs: a script in a process of its own, which is gone before mfnet takes its turn.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use anyhow::{Context, ensure};
use mfnet::data::Inputs;
use mfnet::{Dataset, Reduction, Targets};
use serde_json::{Value, json};

use super::super::console;
use super::super::data::Pair;
use super::run::{ACCURACY, Round, Setting};
use super::spread::median;
use mfnet::internal::jobs::{LEARNING_RATE, Rule, Work};

/// An installed command has no folder `benches`; handed over as an argument, it leaves no file behind.
const SCRIPT: &str = include_str!("networks.py");

pub(super) const PYTORCH: &str = "PyTorch";

/// The peers as tables name them, and their Python modules.
const PEERS: [(&str, &str); 3] = [(PYTORCH, "torch"), ("sklearn", "sklearn"), ("JAX", "jax")];

/// A library that a Python has.
#[derive(Debug)]
pub(super) struct Peer {
    python: PathBuf,
    pub(super) name: &'static str,
    /// As the library tells it.
    pub(super) version: String,
}

/// The peers that this Python has; says of each of the others that it is not installed.
///
/// # Errors
///
/// If the Python cannot be run, or a peer is installed and cannot be imported.
pub(super) fn find(python: &Path) -> anyhow::Result<Vec<Peer>> {
    let mut found = Vec::new();
    for (name, module) in PEERS {
        let question = format!(
            "import importlib.util\nif importlib.util.find_spec('{module}'):\n    import {module}\n    print({module}.__version__)"
        );
        let output = Command::new(python)
            .args(["-c", &question])
            .stdin(Stdio::null())
            .output()
            .with_context(|| {
                format!(
                    "--peers needs a Python, and {} cannot be run; name another by --python PATH",
                    python.display()
                )
            })?;
        ensure!(
            output.status.success(),
            "{name} cannot be imported by {}:\n{}",
            python.display(),
            told(&output.stderr)
        );
        match told(&output.stdout).lines().last() {
            Some(version) => found.push(Peer {
                python: python.to_owned(),
                name,
                version: version.to_owned(),
            }),
            None => {
                let python = python.display();
                console::note(&format!("{name} is left out: {python} does not have it"));
            }
        }
    }
    Ok(found)
}

/// A job's samples as the script reads them from its standard input: arrays in a row, whose shapes and types go ahead.
#[derive(Debug, Default)]
pub(super) struct Samples {
    arrays: Vec<Value>,
    bytes: Vec<u8>,
}

impl Samples {
    /// In `f32`, pixels as bytes; the script converts them to the precision that it works in.
    pub(super) fn of(task: &Pair<f32>) -> Self {
        let mut samples = Samples::default();
        for data in [&task.train, &task.test] {
            samples.add(data);
        }
        samples
    }

    fn add(&mut self, data: &Dataset<f32>) {
        let mut array = |shape: &[usize], kind: &str, bytes: &mut dyn Iterator<Item = u8>| {
            self.arrays.push(json!({ "shape": shape, "type": kind }));
            self.bytes.extend(bytes);
        };
        match data.inputs() {
            Inputs::Pixels(pixels) => array(pixels.shape(), "u1", &mut pixels.iter().copied()),
            Inputs::Values(_) | Inputs::Sparse(_) => {
                let values = data.to_values();
                let mut bytes = values.iter().flat_map(|value| value.to_le_bytes());
                array(values.shape(), "<f4", &mut bytes);
            }
        }
        match data.targets() {
            Targets::Classes { labels, .. } => {
                let mut bytes = labels.iter().flat_map(|label| label.to_le_bytes());
                array(&[labels.len()], "<u4", &mut bytes);
            }
            Targets::Values(values) => {
                let mut bytes = values.iter().flat_map(|value| value.to_le_bytes());
                array(values.shape(), "<f4", &mut bytes);
            }
        }
    }
}

impl Peer {
    /// A round of so many epochs or evaluations, or of so many epochs at most on the way to an accuracy.
    pub(super) fn round(
        &self,
        setting: &Setting,
        precision: &str,
        count: usize,
        samples: &Samples,
    ) -> anyhow::Result<Round> {
        let job = setting.job;
        let threads = rayon::current_num_threads();
        let task = json!({
            "peer": self.name,
            "work": match job.work {
                Work::Mean | Work::Train => "train",
                Work::Reach => "reach",
                Work::Evaluate => "evaluate",
            },
            "accuracy": ACCURACY,
            "count": count,
            "hidden": job.hidden,
            "activation": job.activation,
            "optimizer": match job.optimizer {
                Rule::Sgd => "sgd",
                Rule::Adam => "adam",
            },
            "learning_rate": LEARNING_RATE,
            "mean": job.reduction == Reduction::Mean,
            "batch_size": job.batch_size,
            "precision": precision,
            "threads": threads,
            "seed": setting.seed,
            "arrays": samples.arrays,
        });
        let mut command = Command::new(&self.python);
        command
            .args(["-c", SCRIPT, &task.to_string()])
            .env("OMP_NUM_THREADS", threads.to_string())
            .env("OPENBLAS_NUM_THREADS", threads.to_string());
        let output = run(&mut command, &samples.bytes)
            .with_context(|| format!("cannot run {}", self.python.display()))?;
        ensure!(
            output.status.success(),
            "{} failed at {} in {precision}:\n{}",
            self.name,
            job.name,
            told(&output.stderr)
        );
        let round = round(&told(&output.stdout), job.work);
        round.with_context(|| {
            format!(
                "{}'s script gave no times for {} in {precision}",
                self.name, job.name
            )
        })
    }
}

/// Runs a command to its end with these bytes on its standard input.
fn run(command: &mut Command, input: &[u8]) -> std::io::Result<Output> {
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes.spawn()?;
    let stdin = child.stdin.take();
    thread::scope(|scope| {
        let writer = scope.spawn(|| stdin.map_or(Ok(()), |mut stdin| stdin.write_all(input)));
        let output = child.wait_with_output()?;
        match writer.join() {
            // One that fails before it has read all says why on its standard error.
            Ok(Err(error)) if error.kind() != ErrorKind::BrokenPipe => Err(error),
            _ => Ok(output),
        }
    })
}

/// The times in the script's one line.
fn round(output: &str, work: Work) -> anyhow::Result<Round> {
    let result: Value = serde_json::from_str(output)?;
    let times = result["seconds"].as_array().context("no `seconds`")?;
    let times: Vec<f64> = times.iter().filter_map(Value::as_f64).collect();
    ensure!(!times.is_empty(), "no times in `seconds`");
    ensure!(
        result["loss"].as_f64().is_some_and(f64::is_finite),
        "its loss is not finite"
    );
    Ok(match work {
        Work::Reach => Round {
            seconds: match result["accuracy"].as_f64() {
                Some(accuracy) if accuracy >= ACCURACY => times.iter().sum(),
                _ => f64::NAN,
            },
            epochs: times.len(),
        },
        Work::Mean | Work::Train | Work::Evaluate => Round {
            seconds: median(&times),
            epochs: 1,
        },
    })
}

fn told(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_from_the_scripts_line() {
        let line = r#"{"seconds": [0.5, 0.25, 4.0], "loss": 0.1, "accuracy": 0.98}"#;
        let (train, reach) = (
            round(line, Work::Train).unwrap(),
            round(line, Work::Reach).unwrap(),
        );
        assert_eq!((train.seconds, train.epochs), (0.5, 1));
        assert_eq!((reach.seconds, reach.epochs), (4.75, 3));
        let missed = line.replace("0.98", "0.97");
        assert!(round(&missed, Work::Reach).unwrap().seconds.is_nan());
        for wrong in [
            "",
            "{}",
            r#"{"seconds": [], "loss": 1.0}"#,
            r#"{"seconds": [1.0], "loss": NaN}"#,
            r#"{"seconds": [1.0], "loss": null}"#,
        ] {
            assert!(round(wrong, Work::Train).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_python_that_is_not_there_is_told_by_its_name() {
        let error = find(Path::new("/nowhere/python")).unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("/nowhere/python") && text.contains("--python"),
            "{text}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn one_that_reads_nothing_is_heard() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such thing >&2; exit 3"]);
        let output = run(&mut command, &[0; 1 << 20]).unwrap();
        assert_eq!(
            (output.status.code(), told(&output.stderr).as_str()),
            (Some(3), "no such thing")
        );
    }
}
