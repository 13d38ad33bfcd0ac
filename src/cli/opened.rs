//! The argument MODEL: a model file, or a folder of a run that has one.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use mfnet::checkpoint::{FileKind, contents_of};
use mfnet::data::Schema;
use mfnet::{Element, Model};

/// The model in a folder of a run.
const MODEL_FILE: &str = "model.safetensors";

/// The file that is meant.
pub(super) fn file_of(model: &Path) -> anyhow::Result<PathBuf> {
    if !model.is_dir() {
        return Ok(model.to_owned());
    }
    let file = model.join(MODEL_FILE);
    ensure!(
        file.is_file(),
        "{}: there is no {MODEL_FILE} in this folder: name a folder that `mfnet train --out` has written, or a file",
        model.display()
    );
    Ok(file)
}

/// The model of a file, in this precision.
pub(super) fn load<T: Element>(file: &Path) -> anyhow::Result<Model<T>> {
    let error = match Model::load(file) {
        Ok(model) => return Ok(model),
        Err(error) => error,
    };
    let missing = match contents_of(file).map(|contents| contents.kind) {
        Ok(FileKind::Weights) => "what its layers are",
        Ok(FileKind::Network | FileKind::Checkpoint { model: false, .. }) => "what its data mean",
        _ => return Err(error).context("the model cannot be read"),
    };
    let name = file.display();
    bail!(
        "{name}: the file holds weights, and does not say {missing}: `mfnet import {name} --layers ... --out FILE` \
         makes a model of them"
    )
}

/// What to call a regression's target.
pub(super) fn target_name<T>(schema: &Schema<T>, target: usize) -> String {
    match schema.target_names.get(target) {
        Some(name) => name.clone(),
        None if schema.outputs == 1 => "target".to_owned(),
        None => format!("target {target}"),
    }
}

/// A name out of a file, fit for a terminal: escaped, and cut where it is long.
pub(super) fn shown(name: &str, most: usize) -> String {
    let escaped: String = name.chars().take(most + 1).flat_map(char::escape_debug).collect();
    if escaped.chars().count() <= most {
        return escaped;
    }
    let start: String = escaped.chars().take(most.saturating_sub(3)).collect();
    start + "..."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fit_for_a_terminal() {
        assert_eq!(shown("Iris-setosa", 11), "Iris-setosa");
        assert_eq!(shown("Iris-versicolor", 11), "Iris-ver...");
        assert_eq!(shown("a\x1b[2J", 20), "a\\u{1b}[2J");
    }
}
