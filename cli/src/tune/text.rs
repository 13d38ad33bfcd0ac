//! What a search found, for people.

use mfnet::metrics::Score;

use super::search_result::SearchResult;
use super::space::Configuration;
use super::trial::Trial;
use crate::summary::quoted;
use crate::{format, score};

/// What a configuration has that others have not: `lr 0.1, hidden 16`.
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
    let mut text = table(found);
    text += "\n";
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

/// A row for each trial; numbers are on the right of their columns, so that they line up.
fn table(found: &SearchResult<'_>) -> String {
    let scores = found.wanted;
    let headings = ["rank"].into_iter().chain(found.names.iter().copied());
    let headings = headings
        .chain(scores.iter().map(|score| score.name()))
        .chain(["time"]);
    let mut rows: Vec<Vec<String>> = vec![headings.map(ToOwned::to_owned).collect()];
    rows.extend(
        found
            .trials
            .iter()
            .enumerate()
            .map(|(place, trial)| row(place, trial, scores)),
    );
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            // What failed says so at the end of its row, where it is in nobody's way.
            let width = |cell: &String| {
                if cell.starts_with(FAILED) {
                    0
                } else {
                    cell.chars().count()
                }
            };
            cells.map(width).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:>width$}"));
        text += &cells.collect::<Vec<String>>().join("  ");
        text += "\n";
    }
    text
}

const FAILED: &str = "failed: ";

fn row(place: usize, trial: &Trial<'_>, scores: &[Score]) -> Vec<String> {
    let chosen = trial.configuration.chosen.iter();
    let chosen = chosen.map(|value| value.clone().unwrap_or_else(|| "-".to_owned()));
    match &trial.runs {
        Ok(_) => {
            let cell = |score: &Score| {
                let spread = trial.spread(*score);
                spread.map(|spread| spread.text(*score)).unwrap_or_default()
            };
            let rank = (place + 1).to_string();
            let ends = scores.iter().map(cell).chain([format::duration(trial.seconds)]);
            [rank].into_iter().chain(chosen).chain(ends).collect()
        }
        Err(reason) => ["-".to_owned()]
            .into_iter()
            .chain(chosen)
            .chain([format!("{FAILED}{reason}")])
            .collect(),
    }
}
