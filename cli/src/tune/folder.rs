//! The folder of a search: its trials, the best settings, and a picture.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use mfnet::metrics::Score;
use mfnet::report::{Ranked, ranking};
use mfnet::{Element, Model};

use super::search_result::SearchResult;
use super::{json, text};
use crate::out_file::OutFile;
use crate::run_folder::check_vacant;

const TRIALS: &str = "trials.csv";
const CONFIG: &str = "config.toml";
const SUMMARY: &str = "summary.json";
const MODEL: &str = "model.safetensors";
const PICTURE: &str = "ranking";

/// A folder that was new or empty.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Whether it was made for this search.
    created: bool,
}

impl Folder {
    /// Refuses a folder that holds something. Nothing is made yet.
    pub(super) fn check(path: &Path) -> anyhow::Result<()> {
        check_vacant(path, "name another")
    }

    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        Folder::check(path)?;
        let created = !path.exists();
        fs::create_dir_all(path)
            .with_context(|| format!("--out {}: cannot make the folder", path.display()))?;
        Ok(Folder {
            path: path.to_owned(),
            created,
        })
    }

    /// Takes the folder away again, if it was made for this search and nothing is in it.
    pub(super) fn discard(&self) {
        if self.created {
            // The failure that led here is what the user needs to know.
            let _ = fs::remove_dir(&self.path);
        }
    }

    /// Writes the model of the best settings.
    pub(super) fn write_model<T: Element>(&self, model: &Model<T>) -> anyhow::Result<()> {
        Ok(model.save(self.path.join(MODEL))?)
    }

    /// Writes what was found; without a trial that came through, no settings and no picture.
    pub(super) fn fill(&self, found: &SearchResult<'_>) -> anyhow::Result<()> {
        OutFile::write_whole(&self.path.join(TRIALS), &table(found)?)?;
        OutFile::write_whole(&self.path.join(SUMMARY), json::text(found)?.as_bytes())?;
        if let Some(settings) = &found.best {
            OutFile::write_whole(&self.path.join(CONFIG), settings.to_toml()?.as_bytes())?;
            self.draw(found)?;
        }
        Ok(())
    }

    fn draw(&self, found: &SearchResult<'_>) -> anyhow::Result<()> {
        let trial = |(trial, spread): (&super::trial::Trial<'_>, super::score::Spread)| Ranked {
            name: text::words(found.names, trial.configuration),
            mean: spread.mean,
            deviation: spread.deviation,
        };
        let trials: Vec<Ranked> = found.ranked().map(trial).collect();
        let name = Path::new(found.dataset)
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let title = format!(
            "{name}: {} on {}",
            found.score.name(),
            found.validation.text(found.samples)
        );
        let picture = ranking(
            &title,
            found.score.name(),
            found.score == Score::Accuracy,
            &trials,
        )?;
        picture.save(self.path.join(PICTURE))?;
        Ok(())
    }
}

/// A line for each trial, the best first; a cell is empty where there is nothing to say.
fn table(found: &SearchResult<'_>) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut headings: Vec<String> = ["rank", "trial"]
        .iter()
        .chain(found.names)
        .map(ToString::to_string)
        .collect();
    for score in found.wanted {
        headings.extend([score.to_string(), format!("{score}_deviation")]);
    }
    headings.extend(["seconds", "failed"].map(ToOwned::to_owned));
    writer.write_record(headings)?;
    for (place, trial) in found.trials.iter().enumerate() {
        let rank = trial.runs.is_ok().then(|| (place + 1).to_string());
        let chosen = trial
            .configuration
            .chosen
            .iter()
            .map(|value| value.clone().unwrap_or_default());
        let mut record = vec![rank.unwrap_or_default(), trial.number.to_string()];
        record.extend(chosen);
        for &score in found.wanted {
            let spread = trial.spread(score);
            let (mean, deviation) = (
                spread.map(|spread| spread.mean),
                spread.and_then(|spread| spread.deviation),
            );
            record.extend(
                [mean, deviation].map(|number| number.map(|number| number.to_string()).unwrap_or_default()),
            );
        }
        record.push(trial.seconds.to_string());
        record.push(trial.runs.as_ref().err().cloned().unwrap_or_default());
        writer.write_record(&record)?;
    }
    Ok(writer.into_inner()?)
}
