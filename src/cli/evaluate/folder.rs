//! The report as a folder: numbers for programs, and a picture.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use mfnet::report::{Output, Picture, confusion, predictions};

use super::json;
use super::scores::{Report, Scores};
use crate::cli::{console, out_file, usage};

/// More classes than a picture can have.
const DRAWN: usize = 1000;

/// Refuses a folder with something in it, before any work is done for it.
pub(super) fn check(folder: &Path) -> anyhow::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let shown = folder.display();
    let mut entries =
        fs::read_dir(folder).with_context(|| format!("--out {shown}: cannot read the folder"))?;
    ensure!(
        entries.next().is_none(),
        usage(format!(
            "--out {shown}: the folder is not empty: name a new one, so that nothing is lost"
        ))
    );
    Ok(())
}

/// Writes the folder: it is there when all is in it.
pub(super) fn write(folder: &Path, report: &Report) -> anyhow::Result<()> {
    let refused = || format!("--out {}: cannot write the folder", folder.display());
    let parent = match folder.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).with_context(refused)?;
    let temporary = out_file::visible(0o777)
        .tempdir_in(parent)
        .with_context(refused)?;
    let metrics = json::text(report, Some(folder));
    fs::write(temporary.path().join("metrics.json"), metrics).with_context(refused)?;
    if let Some((name, picture)) = picture(report)? {
        picture.save(temporary.path().join(name))?;
    }
    // An empty folder of the name makes way.
    let _ = fs::remove_dir(folder);
    fs::rename(temporary.path(), folder).with_context(refused)?;
    // It has another name now, and is not to be removed by this one.
    let _ = temporary.keep();
    Ok(())
}

/// The picture and what to call its files.
fn picture(report: &Report) -> anyhow::Result<Option<(&'static str, Picture)>> {
    Ok(match &report.scores {
        Scores::Classes(classes) if classes.labels.len() > DRAWN => {
            let labels = classes.labels.len();
            console::note(&format!(
                "no confusion matrix is drawn: {labels} classes are too many for a picture"
            ));
            None
        }
        Scores::Classes(classes) => {
            let picture = confusion(&report.data, classes.confusion.view(), &classes.labels)?;
            Some(("confusion", picture))
        }
        Scores::Numbers(numbers) => {
            let named = |name: &str| match numbers.unit {
                Some(unit) => format!("{name} ({unit})"),
                None => name.to_owned(),
            };
            let names: Vec<String> = numbers.targets.iter().map(|(name, _)| named(name)).collect();
            let columns = |values: &ndarray::Array2<f64>| -> Vec<Vec<f64>> {
                values
                    .columns()
                    .into_iter()
                    .map(|column| column.to_vec())
                    .collect()
            };
            let (truth, predicted) = (columns(&numbers.truth), columns(&numbers.predicted));
            let outputs = names.iter().zip(&truth).zip(&predicted);
            let outputs: Vec<Output<'_>> = outputs
                .map(|((name, truth), predicted)| Output {
                    name,
                    truth,
                    predicted,
                })
                .collect();
            Some(("predictions", predictions(&report.data, &outputs)?))
        }
    })
}
