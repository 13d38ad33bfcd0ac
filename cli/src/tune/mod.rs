//! `mfnet tune`: trains one configuration after the other, and ranks them.

mod candidate;
mod folder;
mod json;
mod progress;
mod score;
mod search_result;
mod space;
mod text;
mod trial;
mod validation;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{bail, ensure};
use clap::Args;
use mfnet::data::{Schema, Task as TaskKind};
use mfnet::loss::Output;
use mfnet::metrics::Score;
use mfnet::{Element, blas};

use self::folder::Folder;
use self::progress::Progress;
use self::search_result::{SearchResult, Test, rank};
use self::space::{Configuration, Space};
use self::validation::Validation;
use super::known::Raw;
use super::parse::whole;
use super::settings::{Precision, Settings};
use super::{Outcome, blas as words, console, data, format, interrupt, model, score as scores, train, usage};

pub(super) const EXAMPLES: &str = "\
Examples:
  mfnet tune iris --lr 0.3,0.1 --hidden 16,64 --folds 5          all four combinations
  mfnet tune wine.csv --target quality --hidden 64,128,64x32 --dropout 0,0.2 --out search
  mfnet predict search wine-2.csv                                with the best model
  mfnet train --config search/config.toml --out model            train the best again
  mfnet tune churn.csv --lr 0.0003..0.01 --trials 20 --score auc
  mfnet tune california-housing --lr 0.001..0.3 --batch-size 64..1024 --epochs 50 --trials 20
  mfnet tune iris --optimizer sgd,adam --momentum 0,0.9 --seed 1,2,3

An option may have several values, separated by commas: each combination of them is a trial. With --trials N, N
combinations are drawn at random, also from ranges LOW..HIGH: learning rates, weight decay and whole numbers evenly on a
logarithmic scale, the others evenly.

A trial trains on the training samples without its validation samples, and is evaluated on these once, after its last
epoch; a trial that diverges has failed, and the others continue. The best then trains on all training samples and is
evaluated on the test samples, if there are any: nothing else uses them. The model of this last training and its settings
are the model.safetensors and the config.toml of --out.";

/// The arguments of `mfnet tune`.
#[derive(Debug, Args)]
pub(super) struct TuneArguments {
    #[command(flatten)]
    space: Space,

    /// Number of combinations to draw at random [default: all combinations]
    #[arg(long, value_name = "N", help_heading = "Search", value_parser = whole::<1_000_000>)]
    trials: Option<usize>,

    /// Cross-validation with K folds [default: one validation set, see --validation]
    #[arg(long, value_name = "K", help_heading = "Search", value_parser = folds)]
    folds: Option<usize>,

    /// Score by which trials are ranked: for classes also f1, auc and average-precision, for numbers r2, rmse and mae
    /// [default: accuracy for classes, loss for numbers and yes/no targets]
    #[arg(long, value_name = "SCORE", help_heading = "Search", value_parser = scores::names())]
    score: Option<String>,

    /// Read the settings from this file, such as the config.toml of an earlier run; options on the command line override it
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    config: Option<PathBuf>,

    /// Save the search in this folder, which must be new or empty: trials, the best model and its settings, a summary and a
    /// picture
    #[arg(long, value_name = "DIR", help_heading = "Run")]
    out: Option<PathBuf>,

    /// Show no progress, only the result and warnings
    #[arg(long, help_heading = "Run")]
    quiet: bool,

    /// Write the result to standard output as one JSON object, and everything else to standard error
    #[arg(long, help_heading = "Run")]
    json: bool,
}

fn folds(text: &str) -> Result<usize, String> {
    let folds = text.parse().ok().filter(|&folds| folds >= 2);
    folds.ok_or_else(|| "it must be a whole number of at least 2".to_owned())
}

pub(super) fn tune(arguments: &TuneArguments) -> anyhow::Result<Outcome> {
    interrupt::listen();
    let configurations = arguments
        .space
        .configurations(arguments.trials, arguments.config.as_deref())?;
    let Some(first) = configurations.first() else {
        bail!(usage("there is no combination to try".to_owned()));
    };
    // An option that some of the configurations use is not in vain.
    let without_effect = configurations
        .iter()
        .map(|configuration| configuration.without_effect.as_ref());
    if let (Some(Some(problem)), true) = (
        without_effect.clone().next(),
        without_effect.clone().all(|problem| problem.is_some()),
    ) {
        bail!(usage(problem.clone()));
    }
    // Seen before any data are loaded.
    if let Some(out) = &arguments.out {
        Folder::check(out)?;
    }
    train::use_threads(first.settings.training.threads)?;
    first.settings.training.choose_products();
    match first.settings.training.precision {
        Precision::F32 => tune_in::<f32>(arguments, configurations),
        Precision::F64 => tune_in::<f64>(arguments, configurations),
    }
}

fn tune_in<T: Element>(
    arguments: &TuneArguments,
    mut configurations: Vec<Configuration>,
) -> anyhow::Result<Outcome> {
    // The same for all: no option that says which data, or of what numbers, takes several values.
    let mut base = configurations[0].settings.clone();
    let validation = Validation::of(arguments.folds, &base);
    validation.check(&base)?;
    let (name, raw) = data::unscaled::<T>(&mut base, arguments.quiet)?;
    let seeds = arguments.space.seeds(&base);
    let tasks = validation.tasks(&name, &raw, &base)?;
    data::warn_of_constants(&constant_in_any(&tasks));
    for configuration in &mut configurations {
        configuration.settings.data = base.data.clone();
        model::settle(&mut configuration.settings, &tasks[0])?;
    }
    let score = score(arguments.score.as_deref(), &raw.schema)?;
    for configuration in configurations.iter().filter(|_| score.is_of_probabilities()) {
        let loss = model::loss(&configuration.settings.training, &tasks[0])?;
        ensure!(
            loss.expects() != Output::Any,
            usage(format!(
                "--score {score} is for models with probabilities, which --loss {} does not give: choose accuracy, f1 or loss",
                configuration.settings.training.loss.as_deref().unwrap_or("mse")
            ))
        );
    }
    check_samples(score, &tasks, &configurations, &raw)?;
    let wanted = score::wanted(score, raw.schema.task);
    let folder = arguments.out.as_deref().map(Folder::create).transpose()?;
    if let Some(advice) = words::kernel_advice(&blas()) {
        console::note(&format!("warning: {advice}"));
    }
    let asked = configurations.len();
    if !arguments.quiet {
        if let Some(reason) = &raw.reason {
            console::note(reason);
        }
        let (trials, by) = (
            format::counted(asked, "trial"),
            validation.text(raw.train.samples()),
        );
        console::note(&format!("{trials} on {name}, ranked by {} on {by}", score.name()));
    }

    let names = arguments.space.varying();
    let progress = Mutex::new(Progress::new(arguments.quiet, asked, &names, score));
    interrupt::start_training();
    let start = Instant::now();
    let trials = trial::run_all(&configurations, &seeds, &tasks, &wanted, &progress);
    let seconds = start.elapsed().as_secs_f64();
    progress
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .end(interrupt::is_requested());
    drop(tasks);
    let search = || -> anyhow::Result<Outcome> {
        let mut trials = trials?;
        rank(&mut trials, score);
        let best = trials.first().filter(|trial| trial.runs.is_ok());
        let best: Option<Settings> = best.map(|trial| validation::alone(&trial.configuration.settings));
        let (mut test, mut has_model) = (None, false);
        // Nothing else needs this training.
        let is_used = raw.test.is_some() || folder.is_some();
        if let Some(best) = best.as_ref().filter(|_| is_used && !interrupt::is_requested()) {
            let whole = validation::whole(&name, &raw, best)?;
            if let Some(model) = trial::model(best, seeds[0], &whole)? {
                if let Some(samples) = &whole.test {
                    let scores = trial::scores(&model, samples, &wanted)?;
                    let samples = samples.samples();
                    test = Some(Test { scores, samples });
                }
                if let Some(folder) = &folder {
                    folder.write_model(&model)?;
                    has_model = true;
                }
            }
        }
        let found = SearchResult {
            dataset: &name,
            task: raw.schema.task.to_string(),
            names: &names,
            asked,
            score,
            wanted: &wanted,
            validation: &validation,
            seeds: &seeds,
            samples: raw.train.samples(),
            split: base.data.split_in_words(),
            best,
            test,
            has_model,
            stopped: interrupt::is_requested(),
            seconds,
            out: arguments.out.as_deref().filter(|_| !trials.is_empty()),
            trials,
        };
        if let Some(folder) = folder.as_ref().filter(|_| !found.trials.is_empty()) {
            folder.fill(&found)?;
        }
        show(&found, arguments)
    };
    let outcome = search();
    if let Some(folder) = &folder {
        folder.discard();
    }
    outcome
}

/// Refuses a score of probabilities that the samples of a part, of early stopping or of the test do not have, before any time is
/// spent on a trial.
fn check_samples<T: Element>(
    score: Score,
    tasks: &[data::Task<T>],
    configurations: &[Configuration],
    raw: &Raw<T>,
) -> anyhow::Result<()> {
    const MORE: &str = "validate with more samples by a larger --validation or fewer --folds";
    let followed = configurations
        .iter()
        .find_map(|configuration| configuration.settings.training.followed_score());
    for (part, task) in tasks.iter().enumerate() {
        let samples = match tasks.len() {
            1 => "the validation samples".to_owned(),
            parts => format!("the validation samples of part {} of {parts}", part + 1),
        };
        if let Some(set) = &task.test {
            scores::check_samples(("--score", score), (&samples, MORE), set.targets(), &task.schema)?;
        }
        if let (Some(followed), Some(set)) = (followed, &task.validation) {
            let option = ("--early-stopping-score", followed);
            let samples = ("the samples that early stopping follows", "follow the loss");
            scores::check_samples(option, samples, set.targets(), &task.schema)?;
        }
    }
    match &raw.test {
        None => Ok(()),
        Some(test) => {
            let samples = ("the test samples", "test with others");
            scores::check_samples(("--score", score), samples, test.targets(), &raw.schema)
        }
    }
}

/// The features that are the same in all training samples of some task.
fn constant_in_any<T>(tasks: &[data::Task<T>]) -> Vec<String> {
    let mut names = Vec::new();
    for name in tasks.iter().flat_map(|task| &task.constant) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn score<T>(asked: Option<&str>, schema: &Schema<T>) -> anyhow::Result<Score> {
    let score = match (asked, schema.task) {
        (Some(name), _) => name.parse()?,
        (None, TaskKind::Classification) => Score::Accuracy,
        (None, TaskKind::Regression | TaskKind::Binary) => Score::Loss,
    };
    scores::check("--score", score, schema.task, schema.outputs)?;
    Ok(score)
}

/// The table, or the JSON object, on standard output; how the search ended.
fn show(found: &SearchResult<'_>, arguments: &TuneArguments) -> anyhow::Result<Outcome> {
    if !arguments.quiet {
        console::note("");
    }
    if arguments.json {
        if !arguments.quiet {
            console::note(text::text(found).trim_end());
        }
        console::print(&json::text(found)?)?;
    } else {
        console::print(&text::text(found))?;
    }
    if found.stopped {
        return Ok(Outcome::Interrupted);
    }
    ensure!(
        found.best.is_some(),
        "no trial came through; smaller learning rates, normalised inputs or clipped gradients usually help"
    );
    Ok(Outcome::Done)
}
