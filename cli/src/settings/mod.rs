//! The settings of a training: one set of names for the command line and for `config.toml`.
//!
//! Three layers, the later over the earlier: the defaults for the data, a configuration file, the command line.

mod column_list;
mod data;
mod model;
mod names;
mod training;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, FromArgMatches};
use mfnet::Schedule;
use mfnet::metrics::Score;
use mfnet::optimizer::ScheduleOptions;
use serde::{Deserialize, Serialize};
use toml::Table;

pub(super) use column_list::{ColumnList, names_of};
pub(super) use data::{DataSettings, Share, csv_options, has_csv_options, located, npy_pair};
pub(super) use model::ModelSettings;
pub(super) use names::{
    ACTIVATIONS, ClassWeightName, Header, OPTIMIZERS, Precision, Products, ReductionName,
    TargetTransformName, TaskName, activated, takes_momentum,
};
use names::{INITIALIZERS, LOSSES, SCHEDULES};
pub(super) use training::TrainingSettings;

use super::defaults;

/// As many as `--threads` takes.
const MOST_THREADS: usize = 1024;

/// The longest configuration that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// Everything that is needed to train the same model again.
#[derive(Debug, Clone, PartialEq, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    #[command(flatten)]
    pub(super) data: DataSettings,
    #[command(flatten)]
    pub(super) model: ModelSettings,
    #[command(flatten)]
    pub(super) training: TrainingSettings,
}

/// The options, each with its section, that the model of `--warm-start` decides.
const DECIDED_BY_MODEL: [(&str, &str); 15] = [
    ("model", "hidden"),
    ("model", "linear"),
    ("model", "activation"),
    ("model", "batch-norm"),
    ("model", "dropout"),
    ("model", "initializer"),
    ("data", "target"),
    ("data", "ignore"),
    ("data", "categorical"),
    ("data", "task"),
    ("data", "impute"),
    ("data", "unknown"),
    ("data", "missing"),
    ("data", "no-normalize"),
    ("data", "target-transform"),
];

/// The options of trainings by batches, which L-BFGS does not have.
const BY_BATCHES: [&str; 22] = [
    "batch-size",
    "lr",
    "momentum",
    "nesterov",
    "weight-decay",
    "clip-norm",
    "clip-global-norm",
    "lr-schedule",
    "lr-step",
    "lr-factor",
    "lr-patience",
    "lr-minimum",
    "lr-power",
    "lr-warmup",
    "shuffle",
    "drop-last",
    "early-stopping",
    "early-stopping-score",
    "min-delta",
    "tol-epochs",
    "test-interval",
    "reduction",
];

impl Settings {
    /// The settings from the defaults, a file if there is one, and the command line.
    pub(super) fn layered(matches: &ArgMatches, file: Option<&Path>) -> anyhow::Result<Self> {
        let parsed = Settings::from_arg_matches(matches).context("arguments")?;
        let parsed = Table::try_from(parsed).context("arguments")?;
        let given = given(&parsed, matches);
        let mut written = match file {
            Some(path) => read(path)?,
            None => Table::new(),
        };
        let upper = [&given, &written];
        let source = upper.into_iter().find_map(|table| text(table, "data", "source"));
        let optimizer = upper
            .into_iter()
            .find_map(|table| text(table, "training", "optimizer"));
        let mut defaults = defaults::of(source, optimizer);
        drop_unfit(&mut defaults, &upper);
        // The options of a loss in the file go with that loss.
        let (asked, before) = (
            text(&given, "training", "loss"),
            text(&written, "training", "loss"),
        );
        if asked.is_some()
            && asked != before
            && let Some(training) = written.get_mut("training").and_then(toml::Value::as_table_mut)
        {
            training.remove("huber-delta");
        }
        let mut table = parsed;
        for layer in [defaults, written, given] {
            lay_over(&mut table, layer);
        }
        let place = || match file {
            Some(path) => format!("{}: not a configuration", path.display()),
            None => "arguments".to_owned(),
        };
        let mut settings: Settings = table.try_into().with_context(place)?;
        settings
            .parse_names()
            .map_err(anyhow::Error::msg)
            .with_context(place)?;
        settings.check()?;
        Ok(settings)
    }

    /// Names an option that was given on the command line and changes nothing, with what it goes with.
    pub(super) fn option_without_effect(&self, matches: &ArgMatches) -> anyhow::Result<Option<String>> {
        let parsed = Table::try_from(Settings::from_arg_matches(matches)?)?;
        let given = given(&parsed, matches);
        let has_no_layers = self.model.hidden().is_empty();
        let schedules = |change: fn(&mut ScheduleOptions)| {
            let names = schedules_with(change);
            let is_used = names.contains(&self.training.lr_schedule.as_str());
            (!is_used).then(|| format!("--lr-schedule {}", names.join(" or ")))
        };
        let needs = |is_missing: bool, other: &str| is_missing.then(|| other.to_owned());
        let without_layers = "hidden layers, and --linear has none";
        let from_file = "fresh weights, and --init reads them from a file";
        let options = [
            ("training", "lr-step", schedules(|options| options.every += 1)),
            (
                "training",
                "lr-factor",
                schedules(|options| options.factor /= 2.0),
            ),
            (
                "training",
                "lr-patience",
                schedules(|options| options.patience += 1),
            ),
            (
                "training",
                "lr-minimum",
                schedules(|options| options.minimum += 1.0),
            ),
            ("training", "lr-power", schedules(|options| options.power += 1.0)),
            ("model", "dropout", needs(has_no_layers, without_layers)),
            ("model", "batch-norm", needs(has_no_layers, without_layers)),
            (
                "model",
                "initializer",
                needs(self.training.init.is_some(), from_file),
            ),
        ];
        let continued = "a new network, and --warm-start continues a model with its layers and its preparation of the data";
        let continued = DECIDED_BY_MODEL
            .into_iter()
            .map(|(section, key)| (section, key, needs(self.training.warm_start.is_some(), continued)));
        let steps = "steps by batches, and --optimizer lbfgs takes all samples in each step";
        let by_batches = BY_BATCHES
            .into_iter()
            .map(|key| ("training", key, needs(self.training.is_lbfgs(), steps)));
        let mut options = by_batches.chain(options).chain(continued);
        let is_given =
            |section: &str, key: &str| given.get(section).is_some_and(|given| given.get(key).is_some());
        Ok(options.find_map(|(section, key, missing)| {
            let missing = missing.filter(|_| is_given(section, key))?;
            Some(format!("--{key} has no effect here: it goes with {missing}"))
        }))
    }

    /// The settings of a resumed run: those of its file, with the few that may change.
    pub(super) fn resumed(matches: &ArgMatches, file: &Path) -> anyhow::Result<Self> {
        const FREE: [&str; 4] = ["epochs", "threads", "data-dir", "no-download"];
        let parsed = Table::try_from(Settings::from_arg_matches(matches)?)?;
        for (key, _) in given(&parsed, matches)
            .iter()
            .filter_map(|(_, section)| section.as_table())
            .flatten()
        {
            ensure!(
                FREE.contains(&key.as_str()),
                super::usage(format!(
                    "--resume keeps the settings of the run: {} cannot be changed",
                    if key == "source" {
                        "DATA".to_owned()
                    } else {
                        format!("--{key}")
                    }
                ))
            );
        }
        Settings::layered(matches, Some(file))
    }

    /// The content of a `config.toml`, which names files in a way that holds in any folder.
    pub(super) fn to_toml(&self) -> anyhow::Result<String> {
        let mut settings = self.clone();
        let DataSettings {
            test,
            validation,
            data_dir,
            ..
        } = &mut settings.data;
        for share in [test, validation].into_iter().flatten() {
            if let Share::File(data) = share {
                *data = located(&data.to_string_lossy()).into();
            }
        }
        let training = &mut settings.training;
        let models = [&mut training.init, &mut training.warm_start];
        for path in data_dir.iter_mut().chain(models.into_iter().flatten()) {
            if let Ok(absolute) = std::path::absolute(&*path) {
                *path = absolute;
            }
        }
        toml::to_string(&settings).context("config.toml")
    }

    /// Checks the names that a file may have wrong.
    fn parse_names(&mut self) -> Result<(), String> {
        let (model, training) = (&mut self.model, &mut self.training);
        let activations = model.activation.iter_mut().map(|name| (ACTIVATIONS, name));
        let others = [
            (INITIALIZERS, &mut model.initializer),
            (OPTIMIZERS, &mut training.optimizer),
            (SCHEDULES, &mut training.lr_schedule),
        ];
        if let Some(score) = &training.early_stopping_score {
            score.parse::<Score>().map_err(|error| error.to_string())?;
        }
        let loss = training.loss.iter_mut().map(|name| (LOSSES, name));
        for (names, name) in activations.chain(others).chain(loss) {
            *name = names.canonical(name)?;
        }
        Ok(())
    }

    /// What neither clap nor the file format can tell.
    fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.training
                .threads
                .is_none_or(|threads| (1..=MOST_THREADS).contains(&threads)),
            super::usage(format!(
                "threads: it must be a whole number from 1 to {MOST_THREADS}"
            ))
        );
        ensure!(
            self.data.split_by_time.is_none() || self.data.split_by_group.is_none(),
            super::usage("split-by-time and split-by-group exclude each other: keep one of them".to_owned())
        );
        let hidden = self.model.hidden().len();
        let activations = self.model.activation.len();
        ensure!(
            self.model.linear || activations <= 1 || activations == hidden,
            super::usage(format!(
                "--activation names {activations} functions for {hidden} hidden layers: give one, or one for each"
            ))
        );
        Ok(())
    }
}

/// Removes the defaults of a data set that belong to other defaults of it, where those are replaced: activations of other
/// hidden layers, and a loss that does not take the options for classes.
fn drop_unfit(defaults: &mut Table, upper: &[&Table]) {
    let find = |section: &str, key: &str| {
        let value = |table: &&Table| table.get(section)?.get(key).cloned();
        upper.iter().find_map(value)
    };
    let is_linear = find("model", "linear").and_then(|linear| linear.as_bool()) == Some(true);
    let layers = |hidden: toml::Value| hidden.as_array().map(Vec::len);
    let layers = match is_linear {
        true => Some(0),
        false => find("model", "hidden").and_then(layers),
    };
    if let Some(model) = defaults.get_mut("model").and_then(toml::Value::as_table_mut) {
        let activations = model.get("activation").and_then(toml::Value::as_array);
        if let (Some(layers), Some(activations)) = (layers, activations)
            && activations.len() != layers
        {
            model.remove("activation");
        }
    }
    let training = |table: &&Table| table.get("training")?.as_table().cloned();
    let is_for_classes = upper
        .iter()
        .filter_map(training)
        .any(|training| training::option_for_classes(&training).is_some());
    if is_for_classes && let Some(training) = defaults.get_mut("training").and_then(toml::Value::as_table_mut)
    {
        training.remove("loss");
    }
}

/// The names of the schedules that an option changes.
fn schedules_with(change: fn(&mut ScheduleOptions)) -> Vec<&'static str> {
    let mut changed = ScheduleOptions::default();
    change(&mut changed);
    let differs = |name: &str| {
        let schedule = |options| Schedule::by_name(name, options).ok();
        schedule(&ScheduleOptions::default()) != schedule(&changed)
    };
    let names = Schedule::names().into_iter().map(|named| named.name);
    names.filter(|name| differs(name)).collect()
}

/// The part of the parsed settings that was given, rather than left to its default.
fn given(parsed: &Table, matches: &ArgMatches) -> Table {
    let was_given = |key: &str| {
        let id = key.replace('-', "_");
        let known = matches.ids().any(|known| known.as_str() == id);
        known && matches.value_source(&id) != Some(ValueSource::DefaultValue)
    };
    let sections = parsed.iter().filter_map(|(name, section)| {
        let mut section = section.as_table()?.clone();
        section.retain(|key, _| was_given(key));
        Some((name.clone(), section.into()))
    });
    sections.collect()
}

fn read(path: &Path) -> anyhow::Result<Table> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
        .with_context(|| format!("{}: cannot read the file", path.display()))?;
    ensure!(
        text.len() as u64 <= LONGEST,
        "{}: the file has more than {LONGEST} bytes, which no configuration has",
        path.display()
    );
    let table = text.parse::<Table>().map_err(|error| {
        // The parser's message shows the line and what is wrong with it: a line that nobody has written is left out.
        let told = error.to_string();
        let told = if told.len() < 1000 {
            told.as_str()
        } else {
            error.message()
        };
        anyhow!("{}: not TOML: {told}", path.display())
    })?;
    for (name, section) in &table {
        ensure!(
            section.is_table(),
            "{}: {name} stands outside of [data], [model] and [training]",
            path.display()
        );
    }
    Ok(table)
}

/// A text in a section.
fn text<'a>(table: &'a Table, section: &str, key: &str) -> Option<&'a str> {
    table.get(section)?.get(key)?.as_str()
}

/// Options of which only one can be: the upper layer's takes the place of the other.
const RIVALS: [(&str, &str); 5] = [
    ("split-by-time", "split-by-group"),
    ("split-by-group", "split-by-time"),
    ("hidden", "linear"),
    ("clip-norm", "clip-global-norm"),
    ("clip-global-norm", "clip-norm"),
];

/// Replaces what the upper layer has.
fn lay_over(table: &mut Table, upper: Table) {
    for (name, section) in upper {
        match (table.get_mut(&name), section) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => {
                for (_, rival) in RIVALS.iter().filter(|(key, _)| above.contains_key(*key)) {
                    match below.get_mut(*rival) {
                        Some(toml::Value::Boolean(flag)) => *flag = false,
                        _ => drop(below.remove(*rival)),
                    }
                }
                below.extend(above);
            }
            (_, section) => drop(table.insert(name, section)),
        }
    }
}
