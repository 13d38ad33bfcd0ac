//! `mfnet train`: loads, trains, keeps what came of it, and says how good it is.

use std::ops::ControlFlow;

use anyhow::{Context, ensure};
use clap::ArgMatches;
use clap::parser::ValueSource;
use mfnet::loss::Loss;
use mfnet::train::{LbfgsResult, fit_lbfgs};
use mfnet::{Element, Event, History, Model, NeuralNetwork, Sets, StopReason, TrainOptions, Trainer};

use super::args::TrainArguments;
use super::data::{self, Task};
use super::progress::Progress;
use super::results::Results;
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
    if settings.training.is_lbfgs() && arguments.checkpoint_every.is_some() {
        let problem =
            "--checkpoint-every has no effect here: a training by --optimizer lbfgs cannot be resumed";
        return Err(usage(problem.to_owned()).into());
    }
    if let Some(problem) = settings.option_without_effect(matches)? {
        return Err(usage(problem).into());
    }
    data::check_split(&settings, false)?;
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
    ensure!(
        resumed.is_some() || settings.training.test_interval <= 1 || task.test.is_some(),
        usage("--test-interval has no effect here: it goes with a test set, such as --test 0.2".to_owned())
    );
    let options = settings.training.train_options();
    let network = model::network(&settings, &task)?;
    let loss = model::loss::<T>(&settings.training, &task)?;
    if settings.training.is_lbfgs() {
        return train_by_lbfgs(arguments, &settings, &task, network, &*loss);
    }
    let optimizer = model::optimizer(&settings.training)?;
    let mut trainer = Trainer::from_parts(network, loss, optimizer).options(options.clone());
    if let Some(folder) = &resumed {
        trainer.load_checkpoint(folder.checkpoint()).map_err(|error| {
            let error = anyhow::Error::from(error);
            match goes_further && model::rates_depend_on_epochs(&settings.training) {
                true => error.context(format!(
                    "--epochs changes all learning rates of --lr-schedule {}: a run with it cannot be trained further, but a new \
                     one can start from its weights with --init",
                    settings.training.lr_schedule
                )),
                false => error,
            }
        })?;
        if goes_further {
            check_epochs(trainer.history().epochs.len(), &settings)?;
            // A run that early stopping or the tolerance had ended goes on, too.
            trainer = trainer.options(options.clone());
        }
    }
    warn_of_kernels();
    if !arguments.quiet {
        announce(&task, trainer.network());
        if let Some(folder) = &resumed {
            announce_resumed(&trainer, &options, folder);
        }
    }

    let mut folder = None;
    // Called when the training has accepted its options and its data: nothing is written before.
    let open = || match (resumed, &arguments.out) {
        (Some(folder), _) => folder.write_settings(&settings).map(|()| Some(folder)),
        (None, Some(out)) => RunFolder::create(out, &settings).map(Some),
        (None, None) => Ok(None),
    };
    let trained = run(arguments, &task, &mut trainer, &options, open, &mut folder);
    if let Err(error) = trained {
        if let Some(folder) = &folder {
            folder.discard();
        }
        return Err(error);
    }
    let is_interrupted = trainer.history().stopped == Some(StopReason::Observer);
    // However the training ended: at the last epoch, early, or by a signal. An older checkpoint is never left behind.
    let has_checkpoint = |folder: &&RunFolder| {
        is_interrupted || arguments.checkpoint_every.is_some() || folder.checkpoint().exists()
    };
    if let Some(folder) = folder.as_ref().filter(has_checkpoint) {
        trainer.save_checkpoint(folder.checkpoint(), Some(&task.schema))?;
    }
    let history = trainer.history().clone();
    let model = trainer.into_model(task.schema.clone())?;
    finish(arguments, &settings, &options, &task, (&model, &history), folder)
}

/// Trains by L-BFGS, whose iterations are the epochs of all that is shown and written. Ctrl-C ends the training with the
/// weights of the last complete iteration.
fn train_by_lbfgs<T: Element>(
    arguments: &TrainArguments,
    settings: &Settings,
    task: &Task<T>,
    mut network: NeuralNetwork<T>,
    loss: &dyn Loss<T>,
) -> anyhow::Result<Outcome> {
    let of_lbfgs = settings.training.lbfgs_options();
    let options = settings.training.train_options();
    let options = options.with_batch_size(of_lbfgs.batch_size);
    warn_of_kernels();
    if !arguments.quiet {
        announce(task, &network);
    }
    let mut progress = Progress::new(arguments.quiet, &options, task.train.samples(), 0);
    let sets = Sets::from(&task.train)
        .with_validation(task.validation.as_ref())
        .with_test(task.test.as_ref());
    let mut folder: Option<RunFolder> = None;
    let mut failure = None;
    interrupt::start_training();
    let trained = fit_lbfgs(&mut network, loss, sets, &of_lbfgs, |event| {
        // At the first event, the training has accepted its options and its data: nothing is written before.
        if let (Some(out), None) = (&arguments.out, &folder) {
            match RunFolder::create(out, settings) {
                Ok(created) => folder = Some(created),
                Err(error) => failure = Some(error),
            }
        }
        let heard = progress.show(event);
        match failure.is_some() || interrupt::is_requested() || !(heard || arguments.json) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    progress.end(interrupt::is_requested());
    let trained = match failure {
        Some(error) => Err(error),
        None => trained.map_err(anyhow::Error::from),
    };
    let LbfgsResult { history, .. } = trained.inspect_err(|_| {
        if let Some(folder) = &folder {
            folder.discard();
        }
    })?;
    let model = Model::new(network, task.schema.clone())?.trained_with(loss)?;
    finish(arguments, settings, &options, task, (&model, &history), folder)
}

/// Writes and shows the result of a training.
fn finish<T: Element>(
    arguments: &TrainArguments,
    settings: &Settings,
    options: &TrainOptions,
    task: &Task<T>,
    (model, history): (&Model<T>, &History),
    folder: Option<RunFolder>,
) -> anyhow::Result<Outcome> {
    if let Some(folder) = &folder {
        folder.write_model(model, history)?;
    }
    let training = Training {
        task,
        results: &Results::of(model, task)?,
        model,
        settings,
        options,
        history,
        blas: &mfnet::blas(),
        out: folder.as_ref().map(RunFolder::path),
    };
    if let Some(folder) = &folder {
        folder.write_summary(&training)?;
    }
    show(&training, arguments)?;
    let is_interrupted = history.stopped == Some(StopReason::Observer);
    Ok(if interrupt::is_requested() && is_interrupted {
        Outcome::Interrupted
    } else {
        Outcome::Done
    })
}

/// Refuses fewer epochs than a resumed run has trained already.
fn check_epochs(done: usize, settings: &Settings) -> anyhow::Result<()> {
    let asked = settings.training.epochs;
    ensure!(
        asked >= done,
        usage(format!(
            "--epochs {asked}: the run has trained {done} epochs already, and this option sets the number of epochs in \
             all: give a larger number, or leave it out"
        ))
    );
    Ok(())
}

/// Trains the remaining epochs, with progress on standard error and checkpoints in the folder that `open` returns.
fn run<T: Element>(
    arguments: &TrainArguments,
    task: &Task<T>,
    trainer: &mut Trainer<T>,
    options: &TrainOptions,
    open: impl FnOnce() -> anyhow::Result<Option<RunFolder>> + Send,
    folder: &mut Option<RunFolder>,
) -> anyhow::Result<()> {
    let mut progress = Progress::new(
        arguments.quiet,
        options,
        task.train.samples(),
        trainer.history().epochs.len(),
    );
    // That of the last epoch is saved when the training has ended.
    let is_due = |epoch: usize| {
        let is_multiple = |every| epoch.is_multiple_of(every) && epoch < options.epochs;
        arguments.checkpoint_every.is_some_and(is_multiple)
    };
    let sets = Sets::from(&task.train)
        .with_validation(task.validation.as_ref())
        .with_test(task.test.as_ref());
    interrupt::start_training();
    let training = || -> anyhow::Result<()> {
        let mut run = trainer.start(sets)?;
        *folder = open()?;
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
            if let Some(folder) = folder.as_ref().filter(|_| is_due(record.epoch)) {
                run.save_checkpoint(folder.checkpoint(), Some(&task.schema))?;
            }
        }
    };
    // On a thread of the pool, where each epoch starts without waking it.
    let trained = rayon::join(|| (), training).1;
    progress.end(interrupt::is_requested());
    trained
}

fn warn_of_kernels() {
    if let Some(advice) = words::kernel_advice(&mfnet::blas()) {
        console::note(&format!("warning: {advice}"));
    }
}

fn announce<T: Element>(task: &Task<T>, network: &NeuralNetwork<T>) {
    if let Some(reason) = &task.reason {
        console::note(reason);
    }
    let samples = format::count(task.train.samples());
    let architecture = network.architecture();
    console::note(&format!(
        "training {architecture} on {} ({samples} samples)",
        task.name
    ));
}

/// Says where a resumed training goes on, or that it is complete.
fn announce_resumed<T: Element>(trainer: &Trainer<T>, options: &TrainOptions, folder: &RunFolder) {
    let done = trainer.history().epochs.len();
    let (counted, all) = (format::count(done), format::count(options.epochs));
    let ended = [StopReason::EarlyStopping, StopReason::Converged].map(Some);
    let is_over = done >= options.epochs || ended.contains(&trainer.history().stopped);
    match is_over {
        true => {
            let model = summary::quoted(&folder.model());
            console::note(&format!(
                "the run is complete after {counted} of {all} epochs, and nothing is trained; --epochs N with a larger \
                 number than {} continues it, and mfnet train DATA --init {model} starts a new run from its weights",
                done.max(1)
            ));
        }
        false if done > 0 => {
            console::note(&format!("resuming after epoch {counted} of {all}"));
        }
        false => {}
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
    console::print(&json::text(training)?)
}
