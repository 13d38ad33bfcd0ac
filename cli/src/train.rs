//! `mfnet train`: loads, trains, keeps what came of it, and says how good it is.

use std::ops::ControlFlow;

use anyhow::Context;
use clap::ArgMatches;
use clap::parser::ValueSource;
use mfnet::{Element, Event, Model, Sets, StopReason, TrainOptions, Trainer};

use super::args::TrainArguments;
use super::data::{self, Task};
use super::progress::Progress;
use super::run_folder::RunFolder;
use super::settings::{Precision, Settings};
use super::summary::Training;
use super::{Outcome, blas as words, console, format, interrupt, json, model, summary, usage};

pub(super) fn train(arguments: &TrainArguments, matches: &ArgMatches) -> anyhow::Result<Outcome> {
    interrupt::listen();
    let matches = matches.subcommand_matches("train").context("arguments")?;
    let folder = arguments.resume.as_deref().map(RunFolder::reopen).transpose()?;
    let settings = match &folder {
        Some(folder) => Settings::resumed(matches, &folder.config())?,
        None => Settings::layered(matches, arguments.config.as_deref())?,
    };
    // Seen before any data are loaded or epochs are spent.
    match &arguments.out {
        Some(out) => RunFolder::check(out)?,
        None if arguments.checkpoint_every.is_some() && folder.is_none() => {
            return Err(usage("--checkpoint-every goes with --out DIR or --resume DIR".to_owned()).into());
        }
        None => {}
    }
    let goes_further = matches.value_source("epochs") == Some(ValueSource::CommandLine);
    use_threads(settings.training.threads)?;
    settings.training.products.apply();
    match settings.training.precision {
        Precision::F32 => train_in::<f32>(arguments, settings, folder, goes_further),
        Precision::F64 => train_in::<f64>(arguments, settings, folder, goes_further),
    }
}

/// Has rayon use so many threads, if a number was given.
pub(super) fn use_threads(threads: Option<usize>) -> anyhow::Result<()> {
    if let Some(threads) = threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build_global()
            .with_context(|| format!("cannot start {threads} threads"))?;
    }
    Ok(())
}

fn train_in<T: Element>(
    arguments: &TrainArguments,
    mut settings: Settings,
    resumed: Option<RunFolder>,
    goes_further: bool,
) -> anyhow::Result<Outcome> {
    let task = data::load::<T>(&mut settings, arguments.quiet)?;
    model::settle(&mut settings, &task)?;
    let options = model::options(&settings.training);
    let network = model::network(&settings, &task)?;
    let loss = model::loss::<T>(&settings.training, &task)?;
    let loss_name = loss.name();
    let optimizer = model::optimizer(&settings.training)?;
    let mut trainer = Trainer::from_parts(network, loss, optimizer).options(options.clone());
    let folder = match (resumed, &arguments.out) {
        (Some(folder), _) => {
            trainer.load_checkpoint(folder.checkpoint())?;
            if goes_further {
                // A run that early stopping had ended goes on, too.
                trainer = trainer.options(options.clone());
            }
            folder.write_settings(&settings)?;
            Some(folder)
        }
        (None, Some(out)) => Some(RunFolder::create(out, &settings)?),
        (None, None) => None,
    };
    let blas = mfnet::blas();
    if let Some(advice) = words::kernel_advice(&blas) {
        console::note(&format!("warning: {advice}"));
    }
    if !arguments.quiet {
        announce(&task, &trainer, &options);
    }

    let trained = run(arguments, &task, &mut trainer, &options, folder.as_ref());
    if let Err(error) = trained {
        if let Some(folder) = &folder {
            folder.discard();
        }
        return Err(error);
    }
    let is_interrupted = trainer.history().stopped == Some(StopReason::Observer);
    if let Some(folder) = folder.as_ref().filter(|_| is_interrupted) {
        trainer.save_checkpoint(folder.checkpoint(), Some(&task.schema))?;
    }
    let history = trainer.history().clone();
    let training = Training {
        task: &task,
        model: &Model::new(trainer.into_network(), task.schema.clone())?,
        settings: &settings,
        options: &options,
        loss: loss_name,
        history: &history,
        blas: &blas,
        out: folder.as_ref().map(RunFolder::path),
    };
    if let Some(folder) = &folder {
        folder.finish(&training)?;
    }
    show(&training, arguments)?;
    Ok(if interrupt::is_requested() && is_interrupted {
        Outcome::Interrupted
    } else {
        Outcome::Done
    })
}

/// Trains what is left, with progress on standard error and checkpoints in the folder.
fn run<T: Element>(
    arguments: &TrainArguments,
    task: &Task<T>,
    trainer: &mut Trainer<T>,
    options: &TrainOptions,
    folder: Option<&RunFolder>,
) -> anyhow::Result<()> {
    let mut progress = Progress::new(
        arguments.quiet,
        options,
        task.train.samples(),
        trainer.history().epochs.len(),
    );
    let due = |epoch: usize| {
        let every = arguments.checkpoint_every?;
        folder.filter(|_| epoch.is_multiple_of(every) || epoch == options.epochs)
    };
    let sets = Sets::from(&task.train)
        .with_validation(task.validation.as_ref())
        .with_test(task.test.as_ref());
    interrupt::start_training();
    let mut training = || -> anyhow::Result<()> {
        let mut run = trainer.start(sets)?;
        loop {
            let observer = |event: Event<'_>| {
                let heard = progress.show(event);
                // The result as JSON has a reader of its own; a summary that follows lost progress most likely has none.
                if interrupt::is_requested() || !(heard || arguments.json) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let Some(record) = run.epoch_with(observer)? else {
                return Ok(());
            };
            if let Some(folder) = due(record.epoch) {
                run.save_checkpoint(folder.checkpoint(), Some(&task.schema))?;
            }
        }
    };
    // On a thread of the pool, where each epoch starts without waking it.
    let trained = rayon::join(|| (), &mut training).1;
    progress.end(interrupt::is_requested());
    trained
}

fn announce<T: Element>(task: &Task<T>, trainer: &Trainer<T>, options: &TrainOptions) {
    if let Some(reason) = &task.reason {
        console::note(reason);
    }
    let samples = format::count(task.train.samples());
    let architecture = trainer.network().architecture();
    console::note(&format!(
        "training {architecture} on {} ({samples} samples)",
        task.name
    ));
    let done = trainer.history().epochs.len();
    if done > 0 {
        let (done, all) = (format::count(done), format::count(options.epochs));
        console::note(&format!("going on after epoch {done} of {all}"));
    }
}

/// The summary, or the JSON object, on standard output.
fn show<T: Element>(training: &Training<'_, T>, arguments: &TrainArguments) -> anyhow::Result<()> {
    if !arguments.quiet {
        console::note("");
    }
    if !arguments.json {
        return console::print(&summary::text(training)?);
    }
    if !arguments.quiet {
        console::note(summary::text(training)?.trim_end());
    }
    console::print(&json::text(training))
}
