//! The agreement of the ranks of a training: on the training itself before the first step, and on its end.

use std::hash::{DefaultHasher, Hasher};
use std::ops::ControlFlow;

use ndarray::Array2;

use super::options::TrainOptions;
use super::sets::Sets;
use super::settings::{Settings, settings};
use super::state::TrainState;
use crate::data::Dataset;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::network::NeuralNetwork;
use crate::optimizer::Optimizer;
use crate::ranks::Communicator;
use crate::{blas::blas, machine};

/// All that ranks must have in common, as names and values.
pub(super) fn description<T: Element>(
    (network, loss, optimizer): (&NeuralNetwork<T>, &dyn Loss<T>, &dyn Optimizer<T>),
    options: &TrainOptions,
    sets: &Sets<'_, T>,
    state: &TrainState<T>,
) -> Settings {
    let set = |set: Option<&Dataset<T>>| match set {
        Some(data) => data.fingerprint().to_string(),
        None => "none".to_owned(),
    };
    let optimizer_state = optimizer.state();
    let moments = optimizer_state.tensors.iter().map(|(_, tensor)| tensor);
    let interrupted = state.interrupted.map_or(0, |epoch| epoch.batches);
    let own = [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("instruction set", machine::instruction_set().to_owned()),
        ("BLAS kernel", blas().kernel),
        ("precision", T::NAME.to_owned()),
        ("network", network.architecture()),
        ("weights", hash(network.tensors())),
        (
            "optimizer's state",
            format!("{} after {} steps", hash(moments), optimizer_state.steps),
        ),
        ("training set", set(Some(sets.train))),
        ("validation set", set(sets.validation)),
        ("test set", set(sets.test)),
        ("epochs", options.epochs.to_string()),
        ("test interval", options.test_interval.to_string()),
        (
            "early stopping",
            format!(
                "{:?} of {:?}",
                options.early_stopping, options.early_stopping_score
            ),
        ),
        ("min delta", options.min_delta.to_string()),
        ("complete epochs", state.history.epochs.len().to_string()),
        ("batches of an interrupted epoch", interrupted.to_string()),
    ];
    let mut all = settings(loss, optimizer, options);
    all.extend(own.map(|(name, value)| (name.to_owned(), value)));
    all
}

/// A hash of the bits of tensors.
fn hash<'a, T: Element>(tensors: impl Iterator<Item = &'a Array2<T>>) -> String {
    let mut hasher = DefaultHasher::new();
    tensors
        .flatten()
        .for_each(|number| hasher.write_u64(number.as_f64().to_bits()));
    format!("{:016x}", hasher.finish())
}

/// Returns an error, the same on all ranks, if one differs from rank 0 in a setting; names the settings and their values.
pub(super) fn check_alike(communicator: &dyn Communicator, own: &Settings) -> Result<()> {
    let text: String = own
        .iter()
        .map(|(name, value)| format!("{name}\t{value}\n"))
        .collect();
    let texts = gather_texts(communicator, &text)?;
    let parsed = |text: &str| -> Settings {
        let pairs = text.lines().filter_map(|line| line.split_once('\t'));
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    let first = parsed(&texts[0]);
    for (rank, text) in texts.iter().enumerate().skip(1) {
        let other = parsed(text);
        let names = first
            .keys()
            .chain(other.keys().filter(|name| !first.contains_key(*name)));
        let value =
            |settings: &Settings, name: &str| settings.get(name).map_or("not set", String::as_str).to_owned();
        let differences: Vec<String> = names
            .filter(|name| first.get(*name) != other.get(*name))
            .map(|name| {
                format!(
                    "{name} is {} on rank 0 and {} on rank {rank}",
                    value(&first, name),
                    value(&other, name)
                )
            })
            .collect();
        if !differences.is_empty() {
            let problem = format!("all ranks must train alike: {}", differences.join("; "));
            return Err(Error::data("ranks", problem));
        }
    }
    Ok(())
}

/// Returns the texts of all ranks, in their order.
fn gather_texts(communicator: &dyn Communicator, own: &str) -> Result<Vec<String>> {
    let size = communicator.size();
    let mut lengths = vec![0; size];
    communicator.gather(&[own.len() as u64], &mut lengths)?;
    let longest = lengths.iter().max().copied().unwrap_or(0) as usize;
    let words = longest.div_ceil(8).max(1);
    let mut own_words: Vec<u64> = own
        .as_bytes()
        .chunks(8)
        .map(|bytes| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(word)
        })
        .collect();
    own_words.resize(words, 0);
    let mut all = vec![0; size * words];
    communicator.gather(&own_words, &mut all)?;
    let texts = all.chunks_exact(words).zip(lengths).map(|(words, length)| {
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(length as usize);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    Ok(texts.collect())
}

/// Whether the training goes on: all ranks stop where one does.
pub(super) fn agree(communicator: &dyn Communicator, flow: ControlFlow<()>) -> Result<ControlFlow<()>> {
    let mut flags = vec![0; communicator.size()];
    communicator.gather(&[u64::from(flow.is_break())], &mut flags)?;
    Ok(if flags.contains(&1) {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    })
}
