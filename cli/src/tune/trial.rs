//! Trials: each trains one configuration, on every part of the data and with every seed.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, ensure};
use mfnet::{Element, Error, Evaluation, Sets, StopReason, Trainer};

use super::progress::Progress;
use super::score::{Score, Spread};
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
    pub(super) runs: Result<Vec<Evaluation>, String>,
    /// Of all its trainings together.
    pub(super) seconds: f64,
}

impl Trial<'_> {
    /// None where it failed.
    pub(super) fn spread(&self, score: Score) -> Option<Spread> {
        let runs = self.runs.as_ref().ok()?;
        let values: Option<Vec<f64>> = runs.iter().map(|run| score.of(run)).collect();
        Spread::of(&values?)
    }
}

/// What came of one training; none if it was ended early.
#[derive(Debug)]
struct Run {
    evaluation: anyhow::Result<Option<Evaluation>>,
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
            let evaluation = validation(&configurations[index].settings, seed, task);
            let seconds = start.elapsed().as_secs_f64();
            // Each run has one thread, so its cell is empty.
            let _ = cell.set(Run { evaluation, seconds });
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
    let mut evaluations = Ok(Vec::new());
    let mut seconds = 0.0;
    for run in runs {
        let run = run.get()?;
        seconds += run.seconds;
        match (&run.evaluation, &mut evaluations) {
            (Ok(None), _) => return None,
            (Ok(Some(evaluation)), Ok(all)) => all.push(*evaluation),
            (Err(error), Ok(_)) => evaluations = Err(reason(error)),
            (_, Err(_)) => {}
        }
    }
    Some(Trial {
        number: index + 1,
        configuration,
        runs: evaluations,
        seconds,
    })
}

/// Trains, and evaluates the test samples once, after the last epoch; none if the training was ended early.
pub(super) fn validation<T: Element>(
    settings: &Settings,
    seed: u64,
    task: &Task<T>,
) -> anyhow::Result<Option<Evaluation>> {
    let mut settings = settings.clone();
    settings.training.seed = seed;
    let training = &settings.training;
    let options = training.train_options().with_test_interval(training.epochs);
    let network = model::network(&settings, task)?;
    let (loss, optimizer) = (model::loss(training, task)?, model::optimizer(training)?);
    let mut trainer = Trainer::from_parts(network, loss, optimizer).options(options);
    let sets = Sets::from(&task.train)
        .with_validation(task.validation.as_ref())
        .with_test(task.test.as_ref());
    let history = trainer.fit_with(sets, |_| {
        if interrupt::is_requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    if history.stopped == Some(StopReason::Observer) {
        return Ok(None);
    }
    let evaluation = history.test().context("there are no validation samples")?;
    ensure!(
        evaluation.loss.is_finite(),
        "the validation loss is {}",
        evaluation.loss
    );
    Ok(Some(evaluation))
}

/// Why a training failed, in few words.
fn reason(error: &anyhow::Error) -> String {
    match error.downcast_ref() {
        Some(Error::Diverged { epoch, .. }) => format!("diverged in epoch {epoch}"),
        _ => console::describe(error),
    }
}
