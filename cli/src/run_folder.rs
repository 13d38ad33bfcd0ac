//! The folder of a run: what was asked for, what came of it, and where it can go on.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use mfnet::metrics::Score;
use mfnet::{Element, History, Model};

use super::out_file::OutFile;
use super::settings::Settings;
use super::summary::Training;
use super::{json, pictures, usage};

const CONFIG: &str = "config.toml";
const CHECKPOINT: &str = "checkpoint.safetensors";
const MODEL: &str = "model.safetensors";
const HISTORY: &str = "history.csv";
const SUMMARY: &str = "summary.json";

/// The folder of a run.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
    /// Whether the folder was made for this run, rather than found empty.
    created: bool,
}

impl RunFolder {
    /// A folder for a new run, which must not be there, or be empty. Nothing is made yet.
    pub(super) fn check(path: &Path) -> anyhow::Result<()> {
        check_vacant(path, "name another, or resume the run in it with --resume")
    }

    /// Makes the folder of a new run, with its settings.
    pub(super) fn create(path: &Path, settings: &Settings) -> anyhow::Result<Self> {
        RunFolder::check(path)?;
        let folder = RunFolder {
            path: path.to_owned(),
            created: !path.exists(),
        };
        fs::create_dir_all(path)
            .with_context(|| format!("--out {}: cannot make the folder", path.display()))?;
        let written = folder.write_settings(settings);
        if written.is_err() {
            folder.discard();
        }
        written.map(|()| folder)
    }

    /// The folder of a run to go on with.
    pub(super) fn reopen(path: &Path) -> anyhow::Result<Self> {
        let folder = RunFolder {
            path: path.to_owned(),
            created: false,
        };
        for file in [CONFIG, CHECKPOINT] {
            ensure!(
                path.join(file).is_file(),
                "--resume {}: it has no {file}; a run can be resumed if it was interrupted, or reached the first \
                 epoch of its --checkpoint-every",
                path.display()
            );
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    pub(super) fn checkpoint(&self) -> PathBuf {
        self.path.join(CHECKPOINT)
    }

    pub(super) fn model(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    pub(super) fn write_settings(&self, settings: &Settings) -> anyhow::Result<()> {
        OutFile::write_whole(&self.config(), settings.to_toml()?.as_bytes())
    }

    /// Takes the folder away again, unless there is a checkpoint in it.
    pub(super) fn discard(&self) {
        if self.checkpoint().exists() {
            return;
        }
        // What cannot be taken away stays: the failure that led here is what the user needs to know.
        let _ = fs::remove_file(self.config());
        if self.created {
            let _ = fs::remove_dir(&self.path);
        }
    }

    /// Writes the model and the history, with the score that early stopping followed instead of the loss.
    pub(super) fn write_model<T: Element>(
        &self,
        model: &Model<T>,
        history: &History,
        followed: Option<Score>,
    ) -> anyhow::Result<()> {
        model.save(self.model())?;
        OutFile::write_whole(&self.path.join(HISTORY), &table(history, followed)?)
    }

    /// Writes summary and pictures.
    pub(super) fn write_summary<T: Element>(&self, training: &Training<'_, T>) -> anyhow::Result<()> {
        OutFile::write_whole(&self.path.join(SUMMARY), json::text(training)?.as_bytes())?;
        pictures::draw(training, &self.path)
    }
}

/// Refuses a folder that is there and not empty, with what to do about it.
pub(super) fn check_vacant(path: &Path, advice: &str) -> anyhow::Result<()> {
    match fs::read_dir(path) {
        Ok(mut entries) => ensure!(
            entries.next().is_none(),
            usage(format!(
                "--out {}: the folder is not empty; {advice}",
                path.display()
            ))
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error)
                .with_context(|| format!("--out {}: cannot be used as a folder", path.display()));
        }
    }
    Ok(())
}

/// A line for each epoch; a cell is empty where there is nothing to say. The score that early stopping follows has a column of
/// its own, unless the columns of losses and accuracies have it.
fn table(history: &History, followed: Option<Score>) -> anyhow::Result<Vec<u8>> {
    let followed = followed.filter(|&score| score != Score::Accuracy);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut headings = vec![
        "epoch".to_owned(),
        "train_loss".to_owned(),
        "validation_loss".to_owned(),
        "validation_accuracy".to_owned(),
        "test_loss".to_owned(),
        "test_accuracy".to_owned(),
        "learning_rate".to_owned(),
        "seconds".to_owned(),
    ];
    headings.extend(followed.map(|score| format!("validation_{}", score.name().replace('-', "_"))));
    writer.write_record(&headings)?;
    let cell = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    for record in &history.epochs {
        let (validation, test) = (record.validation, record.test);
        let mut cells = vec![
            record.epoch.to_string(),
            record.train_loss.to_string(),
            cell(validation.map(|validation| validation.loss)),
            cell(validation.and_then(|validation| validation.accuracy)),
            cell(test.map(|test| test.loss)),
            cell(test.and_then(|test| test.accuracy)),
            record.learning_rate.to_string(),
            record.seconds.to_string(),
        ];
        cells.extend(followed.map(|_| cell(record.score)));
        writer.write_record(&cells)?;
    }
    Ok(writer.into_inner()?)
}
