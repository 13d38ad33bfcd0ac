//! Weights in files of other programs: matches the modules of a file with the layers of a network.

use std::collections::BTreeMap;

use super::Record;
use super::description::KEY;
use super::header::{dimensions, shown};
use super::tensors::TensorFile;
use crate::element::Element;
use crate::error::{Error, Result};

/// The tensors of a module or a layer: their names within it, and their shapes.
type Tensors = BTreeMap<String, Vec<usize>>;

/// Returns the names of the network's tensors in the file, by their own names (`0.weight` and so on).
///
/// # Errors
///
/// [`Error::InvalidFile`] if they do not match, with the tensors of both.
pub(super) fn matching<T: Element>(
    file: &TensorFile,
    records: &[Record<T>],
) -> Result<BTreeMap<String, String>> {
    let layers: Vec<(usize, Tensors)> = layers(records);
    let modules = modules(file);
    let fit = modules.as_ref().is_some_and(|modules| {
        let pairs = modules.iter().zip(&layers);
        modules.len() == layers.len() && pairs.into_iter().all(|((_, module), (_, layer))| module == layer)
    });
    let Some(modules) = modules.filter(|_| fit) else {
        return Err(mismatch(file, &layers));
    };
    let mut names = BTreeMap::new();
    for ((path, module), (index, _)) in modules.iter().zip(&layers) {
        for name in module.keys() {
            let full = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            names.insert(format!("{index}.{name}"), full);
        }
    }
    Ok(names)
}

/// Returns the layers that have tensors, with their places.
fn layers<T: Element>(records: &[Record<T>]) -> Vec<(usize, Tensors)> {
    let tensors = |record: &Record<T>| -> Tensors {
        let shapes = record.tensors.iter();
        shapes
            .map(|tensor| (tensor.name.to_owned(), tensor.values.shape().to_vec()))
            .chain(
                record
                    .counts
                    .iter()
                    .map(|&(name, _)| (name.to_owned(), Vec::new())),
            )
            .collect()
    };
    let layers = records.iter().map(tensors).enumerate();
    layers.filter(|(_, tensors)| !tensors.is_empty()).collect()
}

/// Returns the file's modules in the order of the number in their names; `None` if the names differ in more than the number.
/// The other tensors of a checkpoint (optimizer state, best weights) are left out.
fn modules(file: &TensorFile) -> Option<Vec<(String, Tensors)>> {
    let mut modules: BTreeMap<&str, Tensors> = BTreeMap::new();
    let is_ours = file.text(KEY).is_some();
    for (name, _, shape) in file.tensors() {
        if is_ours && !name.starts_with(|letter: char| letter.is_ascii_digit()) {
            continue;
        }
        let (path, name) = name.rsplit_once('.').unwrap_or(("", name));
        modules
            .entry(path)
            .or_default()
            .insert(name.to_owned(), shape.to_vec());
    }
    let mut numbered = Vec::new();
    let mut first = None;
    let is_single = modules.len() == 1;
    for (path, tensors) in modules {
        match split(path) {
            Some((before, number, after)) => {
                if *first.get_or_insert((before, after)) != (before, after) {
                    return None;
                }
                numbered.push((number, (path.to_owned(), tensors)));
            }
            // The name of a single module needs no number.
            None if is_single => numbered.push((0, (path.to_owned(), tensors))),
            None => return None,
        }
    }
    numbered.sort_by_key(|(number, _)| *number);
    // `01` and `1` are the same number, so that neither is first.
    let distinct = numbered.windows(2).all(|pair| pair[0].0 != pair[1].0);
    distinct.then(|| numbered.into_iter().map(|(_, module)| module).collect())
}

/// Splits a name at its last number: the text before it, the number, the text behind it.
fn split(path: &str) -> Option<(&str, u64, &str)> {
    let end = path.rfind(|letter: char| letter.is_ascii_digit())? + 1;
    let start = path[..end]
        .trim_end_matches(|letter: char| letter.is_ascii_digit())
        .len();
    Some((&path[..start], path[start..end].parse().ok()?, &path[end..]))
}

/// Returns the error that lists the expected tensors and those of the file.
fn mismatch(file: &TensorFile, layers: &[(usize, Tensors)]) -> Error {
    let wanted = layers.iter().flat_map(|(index, tensors)| {
        let line =
            move |(name, shape): (&String, &Vec<usize>)| format!("{index}.{name} ({})", dimensions(shape));
        tensors.iter().map(line)
    });
    let there = file
        .tensors()
        .map(|(name, _, shape)| format!("{} ({})", shown(name), dimensions(shape)));
    let (wanted, there) = (listed(wanted), listed(there));
    file.fault(format_args!(
        "its tensors are not this network's: expected {wanted}; found {there}"
    ))
}

/// Lists the first 24 names, and the number of the others.
fn listed(names: impl Iterator<Item = String>) -> String {
    const MOST: usize = 24;
    let mut names: Vec<String> = names.collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}
