//! `mfnet datasets`: the data sets that have names: what they are, where they are, fetched and verified if asked.

use std::path::PathBuf;

use anyhow::{bail, ensure};
use clap::Args;
use clap::builder::PossibleValuesParser;
use mfnet::data::known::{Source, Verdict};
use serde_json::{Value, json};

use super::data::source;
use super::download::DownloadBar;
use super::known::{self, KnownSet, Origin, SETS};
use super::{Outcome, console};

pub(super) const EXAMPLES: &str = "\
Examples:
  mfnet datasets                     what is here, and where
  mfnet datasets mnist --fetch       download what is not here yet
  mfnet datasets --verify            compare all files with the published ones
  mfnet datasets --json --data-dir ~/data";

/// The arguments of `mfnet datasets`.
#[derive(Debug, Args)]
pub(super) struct DatasetsArguments {
    /// The data set that is meant [default: all]
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(known::names()))]
    name: Option<String>,

    /// Download what neither folder nor cache holds
    #[arg(long)]
    fetch: bool,

    /// Compare size and MD5 sum of each file with the published ones; a damaged file ends with exit code 1
    #[arg(long)]
    verify: bool,

    /// Write the result to standard output as one JSON object
    #[arg(long)]
    json: bool,

    /// Folder of data sets, with files such as DIR/mnist/train-images-idx3-ubyte.gz [default: the environment variable
    /// MFNET_DATA_DIR]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// One data set.
#[derive(Debug)]
struct Entry {
    name: &'static str,
    description: &'static str,
    state: State,
}

/// The place of a data set.
#[derive(Debug)]
enum State {
    /// Nowhere: it is drawn when it is asked for.
    Drawn,
    Here {
        folder: PathBuf,
        /// Empty unless asked for.
        files: Vec<(PathBuf, Verdict)>,
    },
    /// Each place that was looked at, and what is wrong with it.
    Missing(Vec<String>),
}

pub(super) fn datasets(arguments: &DatasetsArguments) -> anyhow::Result<Outcome> {
    let source = source(arguments.data_dir.as_deref(), false)?;
    let asked = SETS
        .into_iter()
        .filter(|set| arguments.name.as_deref().is_none_or(|asked| asked == set.name()));
    let entries = asked
        .map(|set| entry(set, &source, arguments))
        .collect::<anyhow::Result<Vec<_>>>()?;
    console::print(&if arguments.json {
        format!(
            "{}\n",
            json!({ "datasets": entries.iter().map(object).collect::<Vec<_>>() })
        )
    } else {
        text(&entries, &source)
    })?;
    if !arguments.verify {
        return Ok(Outcome::Done);
    }
    let damaged: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.is_damaged())
        .map(|entry| entry.name)
        .collect();
    ensure!(
        damaged.is_empty(),
        "damaged: {}: remove the files, and fetch them again with `mfnet datasets {} --fetch`",
        damaged.join(", "),
        damaged[0]
    );
    if let (
        Some(name),
        [
            Entry {
                state: State::Missing(_),
                ..
            },
        ],
    ) = (&arguments.name, entries.as_slice())
    {
        bail!(
            "{name} is not here, so there is nothing to verify: get it with `mfnet datasets {name} --fetch`"
        );
    }
    Ok(Outcome::Done)
}

fn entry(set: KnownSet, source: &Source, arguments: &DatasetsArguments) -> anyhow::Result<Entry> {
    let (name, description) = (set.name(), set.description());
    let state = match set.origin {
        Origin::Drawn { .. } => State::Drawn,
        Origin::Files(known) => {
            if arguments.fetch {
                let mut bar = DownloadBar::new(arguments.quiet);
                known.fetch(source, &mut |progress| bar.show(progress))?;
            }
            match known.find(source) {
                Err(tried) => State::Missing(tried),
                Ok(folder) => State::Here {
                    folder,
                    files: match arguments.verify {
                        true => known.verify(source)?,
                        false => Vec::new(),
                    },
                },
            }
        }
    };
    Ok(Entry {
        name,
        description,
        state,
    })
}

impl Entry {
    fn is_damaged(&self) -> bool {
        let is_damaged = |(_, verdict): &(PathBuf, Verdict)| matches!(verdict, Verdict::Damaged(_));
        matches!(&self.state, State::Here { files, .. } if files.iter().any(is_damaged))
    }
}

/// A paragraph for each.
fn text(entries: &[Entry], source: &Source) -> String {
    let mut text = String::new();
    for Entry {
        name,
        description,
        state,
    } in entries
    {
        text += &format!("{name}\n  {description}\n");
        match state {
            State::Drawn => text += "  drawn by mfnet itself: needs no files\n",
            State::Here { folder, files } => {
                text += &format!("  here: {}\n", folder.display());
                for (path, verdict) in files {
                    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
                    text += &format!("    {file}: {}\n", in_words(verdict));
                }
            }
            State::Missing(tried) => {
                text += "  not here\n";
                for place in tried {
                    text += &format!("    {place}\n");
                }
                text += &format!("  get it: mfnet datasets {name} --fetch\n");
            }
        }
    }
    let folder = |folder: &Option<PathBuf>| {
        folder
            .as_ref()
            .map_or("none".to_owned(), |folder| folder.display().to_string())
    };
    text += &format!(
        "\nown folder (--data-dir, MFNET_DATA_DIR): {}\ndownloads: {}\n",
        folder(&source.data_dir),
        folder(&source.cache_dir)
    );
    text
}

fn in_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Sound => "as published".to_owned(),
        Verdict::Damaged(why) => format!("DAMAGED: {why}"),
        _ => "of the right size; no sum is published for this form".to_owned(),
    }
}

fn object(entry: &Entry) -> Value {
    let Entry {
        name,
        description,
        state,
    } = entry;
    let mut object = json!({ "name": name, "description": description });
    let (word, folder) = match state {
        State::Drawn => ("drawn", None),
        State::Here { folder, .. } => ("here", Some(folder.display().to_string())),
        State::Missing(_) => ("missing", None),
    };
    object["state"] = json!(word);
    object["folder"] = json!(folder);
    match state {
        State::Here { files, .. } if !files.is_empty() => {
            let files = files.iter().map(|(path, verdict)| {
                let (verdict, problem) = match verdict {
                    Verdict::Sound => ("sound", None),
                    Verdict::Damaged(why) => ("damaged", Some(why)),
                    _ => ("unproven", None),
                };
                json!({ "path": path.display().to_string(), "verdict": verdict, "problem": problem })
            });
            object["files"] = files.collect();
        }
        State::Missing(tried) => object["tried"] = json!(tried),
        State::Here { .. } | State::Drawn => {}
    }
    object
}
