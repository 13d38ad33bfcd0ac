//! The result of a search as text.

use mfnet::metrics::Score;

use super::search_result::SearchResult;
use super::space::Configuration;
use crate::columns::Columns;
use crate::summary::quoted;
use crate::{format, score};

/// The options by which a configuration differs from others: `lr 0.1, hidden 16`.
pub(super) fn words(names: &[&str], configuration: &Configuration) -> String {
    let chosen = names.iter().zip(&configuration.chosen);
    let words = chosen.filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        "the settings as given".to_owned()
    } else {
        words.join(", ")
    }
}

/// A table of all trials, and the result of the best.
pub(super) fn text(found: &SearchResult<'_>) -> String {
    let mut text = format!("{}\n", table(found));
    let mut line = |label: &str, content: String| text += &format!("{label:<12} {content}\n");
    line("data set", found.dataset.to_owned());
    let by = found.validation.text(found.samples);
    let seeds = match found.seeds {
        [_] => String::new(),
        seeds => format!(", each with {} seeds", seeds.len()),
    };
    line("score", format!("{} on {by}{seeds}", found.score.name()));
    if let Some(split) = &found.split {
        line("split", split.clone());
    }
    line("trials", trials(found));
    if let Some((best, spread)) = found.ranked().next() {
        let words = words(found.names, best.configuration);
        line(
            "best",
            format!("{words}: {} {}", found.score.name(), spread.text(found.score)),
        );
    }
    if let Some(test) = &found.test {
        let named = |&one: &Score| {
            let value = test.scores.get(one)?;
            Some(format!("{} {}", one.name(), score::text(one, value)))
        };
        let result: Vec<String> = found.wanted.iter().filter_map(named).collect();
        let result = result.join(", ");
        let (learned, samples) = (format::count(found.samples), format::count(test.samples));
        line(
            "best, tested",
            format!("{result} on {samples} samples, trained on all {learned} others"),
        );
    }
    match found.out {
        Some(out) => {
            line("saved in", out.display().to_string());
            if found.best.is_some() && !found.has_model {
                let config = quoted(&out.join("config.toml"));
                line(
                    "model",
                    format!(
                        "none: the search was ended before its best configuration was trained on all samples; mfnet train --config \
                         {config} --out MODEL trains it"
                    ),
                );
            }
        }
        None if found.trials.is_empty() => {
            line("saved in", "nothing is saved: no trial was complete".to_owned());
        }
        None => line(
            "saved in",
            "nothing is saved; --out DIR keeps the table, the best model and its config.toml".to_owned(),
        ),
    }
    text
}

fn trials(found: &SearchResult<'_>) -> String {
    let done = found.trials.len();
    let failed = done - found.ranked().count();
    let mut text = match found.stopped {
        true => format!(
            "ended after {} of {}",
            format::count(done),
            format::count(found.asked)
        ),
        false => format::count(done),
    };
    if failed > 0 {
        text += &format!(", {} failed", format::count(failed));
    }
    text + &format!(", {}", format::duration(found.seconds))
}

/// A row for each trial; one that failed ends with the reason.
fn table(found: &SearchResult<'_>) -> Columns {
    let scores = found.wanted;
    let mut columns = Columns::new(&">".repeat(2 + found.names.len() + scores.len()));
    let names = found.names.iter().copied();
    let names = names.chain(scores.iter().map(|score| score.name()));
    columns.row(["rank"].into_iter().chain(names).chain(["time"]));
    for (place, trial) in found.trials.iter().enumerate() {
        let chosen = trial.configuration.chosen.iter();
        let chosen = chosen.map(|value| value.clone().unwrap_or_else(|| "-".to_owned()));
        match &trial.runs {
            Ok(_) => {
                let cell = |score: &Score| {
                    trial
                        .spread(*score)
                        .map_or(String::new(), |spread| spread.text(*score))
                };
                let ends = scores.iter().map(cell).chain([format::duration(trial.seconds)]);
                columns.row([(place + 1).to_string()].into_iter().chain(chosen).chain(ends));
            }
            Err(reason) => {
                let cells = ["-".to_owned()].into_iter().chain(chosen);
                columns.row_with_remark(cells, format!("failed: {reason}"));
            }
        }
    }
    columns
}
