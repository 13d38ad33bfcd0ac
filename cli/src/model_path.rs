//! The argument MODEL: a model file, or a folder of a run that has one.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use mfnet::checkpoint::{FileKind, contents_of};
use mfnet::data::{Schema, TargetTransform};
use mfnet::{Element, Model};

use super::data_source::DataSource;
use super::summary::quoted;
use super::usage;

/// The model in a folder of a run.
const MODEL_FILE: &str = "model.safetensors";

/// The model file that is meant.
pub(super) fn file_of(model: &Path) -> anyhow::Result<PathBuf> {
    if !model.is_dir() {
        refuse_archive(model)?;
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

/// Refuses a model in the place of the samples, and both in the wrong order. Files are told by their first bytes.
pub(super) fn check_order(command: &str, model: &Path, data: &DataSource) -> anyhow::Result<()> {
    let DataSource::Csv(path) = data else {
        return Ok(());
    };
    if !is_model(path) {
        return Ok(());
    }
    let (first, second) = (quoted(model), quoted(path));
    let problem = match is_model(model) {
        true => format!("{data}: DATA is a model, too: name samples, such as a CSV file"),
        false => format!("{data}: this is a model, and MODEL comes first: mfnet {command} {second} {first}"),
    };
    Err(usage(problem).into())
}

fn is_model(path: &Path) -> bool {
    // The longest header of a safetensors file, in bytes.
    const LONGEST: u64 = 100_000_000;
    if path.is_dir() {
        return path.join(MODEL_FILE).is_file();
    }
    // Its length in 8 bytes, then JSON.
    match start(path) {
        Some([length @ .., b'{']) => u64::from_le_bytes(length) <= LONGEST,
        _ => false,
    }
}

/// Refuses a zip archive, which PyTorch's own files are.
pub(super) fn refuse_archive(file: &Path) -> anyhow::Result<()> {
    ensure!(
        !start(file).is_some_and(|bytes| bytes.starts_with(b"PK\x03\x04")),
        "{}: this is a zip archive, as PyTorch writes with torch.save (.pt, .pth), and no safetensors file: in PyTorch, \
         save the weights with safetensors.torch.save_file(model.state_dict(), FILE)",
        file.display()
    );
    Ok(())
}

/// The first bytes of a file; none of a pipe, which could not be read again.
fn start(path: &Path) -> Option<[u8; 9]> {
    let mut bytes = [0; 9];
    let mut file = path.is_file().then(|| File::open(path).ok())??;
    file.read_exact(&mut bytes).ok()?;
    Some(bytes)
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

/// The name of a target.
pub(super) fn target_name<T>(schema: &Schema<T>, target: usize) -> String {
    match schema.target_names.get(target) {
        Some(name) => name.clone(),
        None if schema.outputs == 1 => "target".to_owned(),
        None => format!("target {target}"),
    }
}

/// A name out of a file, fit for a terminal: escaped, and cut where it is long.
pub(super) fn shown(name: &str, most: usize) -> String {
    // Quotes and backslashes give no orders to a terminal.
    let shown = |letter: char| match letter {
        '"' | '\'' | '\\' => letter.to_string(),
        other => other.escape_debug().to_string(),
    };
    let escaped: String = name.chars().take(most + 1).map(shown).collect();
    if escaped.chars().count() <= most {
        return escaped;
    }
    let start: String = escaped.chars().take(most.saturating_sub(3)).collect();
    start + "..."
}

/// The scale of the targets whose loss is shown, as it follows the loss's name.
pub(super) fn scaled_targets(is_normalized: bool, transform: TargetTransform) -> &'static str {
    match (is_normalized, transform) {
        (false, TargetTransform::None) => "",
        (true, TargetTransform::None) => " of normalised targets",
        (false, TargetTransform::Log) => " of the targets' logarithms",
        (true, TargetTransform::Log) => " of the targets' normalised logarithms",
        (false, TargetTransform::Log1p) => " of the logarithms of 1 + the targets",
        (true, TargetTransform::Log1p) => " of the normalised logarithms of 1 + the targets",
    }
}

/// The name of a transform; none for targets that are learned as they are.
pub(super) fn transform_name(transform: TargetTransform) -> Option<String> {
    (transform != TargetTransform::None).then(|| transform.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fit_for_a_terminal() {
        assert_eq!(shown("Iris-setosa", 11), "Iris-setosa");
        assert_eq!(shown("Iris-versicolor", 11), "Iris-ver...");
        assert_eq!(shown("a\x1b[2J", 20), "a\\u{1b}[2J");
        assert_eq!(shown("5\" pipe's \\", 20), "5\" pipe's \\");
    }
}
