//! Trials: each trains one configuration, on every part of the data and with every seed.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, ensure};
use mfnet::metrics::Score;
use mfnet::train::{LbfgsEnd, fit_lbfgs};
use mfnet::{Dataset, Element, Error, Event, Model, Sets, StopReason, Trainer};

use super::progress::Progress;
use super::score::{RunScores, Spread};
use super::space::Configuration;
use crate::data::Task;
use crate::settings::Settings;
use crate::{console, interrupt, model};

/// A configuration and what came of it.
#[derive(Debug)]
pub(super) struct Trial<'a> {
    /// Counted from 1, in the order of the configurations.
    pub(super) number: usize,
    pub(super) configuration: &'a Configuration,
    /// One for each part and seed, or why there are none.
    pub(super) runs: Result<Vec<RunScores>, String>,
    /// Of all its trainings together.
    pub(super) seconds: f64,
}

impl Trial<'_> {
    /// None where it failed.
    pub(super) fn spread(&self, score: Score) -> Option<Spread> {
        let runs = self.runs.as_ref().ok()?;
        let values: Option<Vec<f64>> = runs.iter().map(|run| run.get(score)).collect();
        Spread::of(&values?)
    }
}

/// What came of one training; none if it was ended early.
#[derive(Debug)]
struct Run {
    scores: anyhow::Result<Option<RunScores>>,
    seconds: f64,
}

/// Trains every configuration with every seed on every task, and gives the trials that were completed.
///
/// As many trainings run side by side as there are threads, each in a pool of its own, of one thread unless there are
/// threads to spare: in a common pool, a thread that waits for the others' part of its batch would take up a whole
/// training meanwhile, and others in that one. No result depends on what runs beside it.
pub(super) fn run_all<'a, T: Element>(
    configurations: &'a [Configuration],
    seeds: &[u64],
    tasks: &[Task<T>],
    wanted: &[Score],
    progress: &Mutex<Progress>,
) -> anyhow::Result<Vec<Trial<'a>>> {
    let each = seeds.len() * tasks.len();
    let runs: Vec<OnceLock<Run>> = (0..configurations.len() * each)
        .map(|_| OnceLock::new())
        .collect();
    let left: Vec<AtomicUsize> = configurations.iter().map(|_| AtomicUsize::new(each)).collect();
    let trial = |index: usize| gather(index, &configurations[index], &runs[index * each..][..each]);
    let next = AtomicUsize::new(0);
    let work = || {
        while !interrupt::is_requested() {
            let run = next.fetch_add(1, Ordering::Relaxed);
            let Some(cell) = runs.get(run) else { break };
            let (index, part) = (run / each, run % each);
            let (seed, task) = (seeds[part % seeds.len()], &tasks[part / seeds.len()]);
            let start = Instant::now();
            let scores = validation(&configurations[index].settings, seed, task, wanted);
            let seconds = start.elapsed().as_secs_f64();
            // Each run has one thread, so its cell is empty.
            let _ = cell.set(Run { scores, seconds });
            if left[index].fetch_sub(1, Ordering::AcqRel) == 1
                && let Some(trial) = trial(index)
            {
                progress
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .note(&trial);
            }
        }
    };
    let threads = rayon::current_num_threads();
    let workers = threads.min(runs.len()).max(1);
    let pool = |_| {
        rayon::ThreadPoolBuilder::new()
            .num_threads((threads / workers).max(1))
            .build()
    };
    let pools: Vec<_> = (0..workers)
        .map(pool)
        .collect::<Result<_, _>>()
        .context("cannot start threads")?;
    thread::scope(|scope| {
        for pool in &pools {
            scope.spawn(|| pool.install(work));
        }
    });
    Ok((0..configurations.len()).filter_map(trial).collect())
}

/// The trial whose trainings these are; none if one of them did not come to its end.
fn gather<'a>(index: usize, configuration: &'a Configuration, runs: &[OnceLock<Run>]) -> Option<Trial<'a>> {
    let mut scores = Ok(Vec::new());
    let mut seconds = 0.0;
    for run in runs {
        let run = run.get()?;
        seconds += run.seconds;
        match (&run.scores, &mut scores) {
            (Ok(None), _) => return None,
            (Ok(Some(of_run)), Ok(all)) => all.push(of_run.clone()),
            (Err(error), Ok(_)) => scores = Err(reason(error)),
            (_, Err(_)) => {}
        }
    }
    Some(Trial {
        number: index + 1,
        configuration,
        runs: scores,
        seconds,
    })
}

/// Trains, and computes the scores on the task's test samples; `None` if the training was ended early.
fn validation<T: Element>(
    settings: &Settings,
    seed: u64,
    task: &Task<T>,
    wanted: &[Score],
) -> anyhow::Result<Option<RunScores>> {
    let Some(model) = model(settings, seed, task)? else {
        return Ok(None);
    };
    let samples = task.test.as_ref().context("there are no validation samples")?;
    scores(&model, samples, wanted).map(Some)
}

/// The scores of a model, the first of which it must have.
pub(super) fn scores<T: Element>(
    model: &Model<T>,
    samples: &Dataset<T>,
    wanted: &[Score],
) -> anyhow::Result<RunScores> {
    let scores = model.evaluate_scaled(samples)?;
    if let Some(loss) = scores.loss {
        ensure!(loss.is_finite(), "the validation loss is {loss}");
    }
    let scores = RunScores::of(&scores, wanted);
    for &score in wanted.iter().take(1) {
        ensure!(
            scores.get(score).is_some(),
            "the validation samples have no score {score}: is a class missing among them?"
        );
    }
    Ok(scores)
}

/// Trains a model; `None` if the training was ended early.
pub(super) fn model<T: Element>(
    settings: &Settings,
    seed: u64,
    task: &Task<T>,
) -> anyhow::Result<Option<Model<T>>> {
    let mut settings = settings.clone();
    settings.training.seed = seed;
    let training = &settings.training;
    let network = model::network(&settings, task)?;
    let loss = model::loss(training, task)?;
    let sets = Sets::from(&task.train).with_validation(task.validation.as_ref());
    let observer = |_: Event<'_>| match interrupt::is_requested() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    if training.is_lbfgs() {
        let mut network = network;
        let result = fit_lbfgs(&mut network, &*loss, sets, &training.lbfgs_options(), observer)?;
        let model = Model::new(network, task.schema.clone())?.trained_with(&*loss)?;
        return Ok((result.end != LbfgsEnd::Observer).then_some(model));
    }
    let optimizer = model::optimizer(training)?;
    let mut trainer = Trainer::from_parts(network, loss, optimizer).options(training.train_options());
    let history = trainer.fit_with(sets, observer)?;
    let is_complete = history.stopped != Some(StopReason::Observer);
    let model = trainer.into_model(task.schema.clone())?;
    Ok(is_complete.then_some(model))
}

/// Why a training failed, in few words.
fn reason(error: &anyhow::Error) -> String {
    match error.downcast_ref() {
        Some(Error::Diverged { epoch, .. }) => format!("diverged in epoch {epoch}"),
        _ => console::describe(error),
    }
}
