//! PyTorch at the same jobs: a script in a process of its own, which is gone before mfnet takes its turn.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use mfnet::data::known::Source;
use serde_json::Value;

use super::job::{Data, Job, Work};
use super::spread::median;

/// An installed command has no folder `benches`; handed over as an argument, it leaves no file behind.
const SCRIPT: &str = include_str!("../../../benches/peers/pytorch.py");

/// A Python that has PyTorch.
#[derive(Debug)]
pub(super) struct PyTorch {
    python: PathBuf,
    /// PyTorch's, as it tells it.
    pub(super) version: String,
}

impl PyTorch {
    pub(super) fn find(python: &Path) -> anyhow::Result<Self> {
        let asked = Command::new(python)
            .args(["-c", "import torch; print(torch.__version__)"])
            .stdin(Stdio::null())
            .output();
        let output = asked.with_context(|| {
            format!(
                "--peers needs a Python with PyTorch, and {} cannot be run; name another by --python PATH",
                python.display()
            )
        })?;
        ensure!(
            output.status.success(),
            "--peers needs a Python with PyTorch, and {} has none ({}); name another by --python PATH",
            python.display(),
            last_line(&output.stderr),
        );
        Ok(PyTorch {
            python: python.to_owned(),
            version: last_line(&output.stdout),
        })
    }

    /// The median seconds of an epoch, or of an evaluation, in a round of this many.
    pub(super) fn round(
        &self,
        job: &Job,
        precision: &str,
        count: usize,
        seed: u64,
        source: &Source,
    ) -> anyhow::Result<f64> {
        let name = match (job.work, job.data, job.hidden) {
            (Work::Evaluate, ..) => "evaluate",
            (_, Data::Housing, []) => "housing-linear",
            (_, Data::Housing, _) => "housing-network",
            (_, Data::Mnist, []) => "mnist-linear",
            (_, Data::Mnist, _) => "mnist-network",
        };
        let output = Command::new(&self.python)
            .args(["-c", SCRIPT])
            .args(["--job", name, "--precision", precision])
            .args(["--batch-size", &job.batch_size.to_string()])
            .args(["--epochs", &count.to_string()])
            .args(["--threads", &rayon::current_num_threads().to_string()])
            .args(["--seed", &seed.to_string()])
            .arg("--data-dir")
            .arg(folder(source, job.data)?)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {}", self.python.display()))?;
        ensure!(
            output.status.success(),
            "PyTorch failed at {name} in {precision}: {}",
            last_line(&output.stderr)
        );
        seconds(&String::from_utf8_lossy(&output.stdout))
            .with_context(|| format!("PyTorch's script gave no times for {name} in {precision}"))
    }
}

/// The median of the times in the script's one line.
fn seconds(output: &str) -> anyhow::Result<f64> {
    let result: Value = serde_json::from_str(output.trim())?;
    let times = result["epoch_seconds"].as_array().context("no `epoch_seconds`")?;
    let times: Vec<f64> = times.iter().filter_map(Value::as_f64).collect();
    ensure!(!times.is_empty(), "no times in `epoch_seconds`");
    ensure!(
        result["loss"].as_f64().is_some_and(f64::is_finite),
        "its loss is not finite"
    );
    Ok(median(&times))
}

/// The folder that our own data come from.
fn folder(source: &Source, data: Data) -> anyhow::Result<&Path> {
    let (set, file) = match data {
        Data::Housing => ("california_housing", "cal_housing.data"),
        Data::Mnist => ("mnist", "t10k-labels-idx1-ubyte"),
    };
    let folders = [&source.data_dir, &source.cache_dir].into_iter().flatten();
    for folder in folders {
        let is_there = |name: &str| folder.join(set).join(name).is_file();
        if is_there(file) || is_there(&format!("{file}.gz")) {
            return Ok(folder);
        }
    }
    bail!("the files of {set} are gone")
}

fn last_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    text.trim_end().lines().last().unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_from_the_scripts_line() {
        let line = r#"{"job": "x", "epoch_seconds": [0.5, 0.25, 4.0], "loss": 0.1}"#;
        assert_eq!(seconds(line).unwrap(), 0.5);
        for wrong in [
            "",
            "{}",
            r#"{"epoch_seconds": [], "loss": 1.0}"#,
            r#"{"epoch_seconds": [1.0], "loss": NaN}"#,
            r#"{"epoch_seconds": [1.0], "loss": null}"#,
        ] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_python_that_is_not_there_is_told_by_its_name() {
        let error = PyTorch::find(Path::new("/nowhere/python")).unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("/nowhere/python") && text.contains("--python"),
            "{text}"
        );
    }
}
