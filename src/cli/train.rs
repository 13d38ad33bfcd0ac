//! `mfnet train`: loads, trains, and says what came of it.

use std::ops::ControlFlow;

use anyhow::Context;
use mfnet::{Element, Event, train_test_classification, train_test_regression};

use super::args::{Precision, TrainArguments};
use super::data::{self, Kind};
use super::progress::Progress;
use super::summary::Training;
use super::{Outcome, blas as words, console, format, interrupt, json, model, summary};

pub(super) fn train(arguments: &TrainArguments) -> anyhow::Result<Outcome> {
    interrupt::listen();
    use_threads(arguments.threads)?;
    match arguments.precision {
        Precision::F32 => train_in::<f32>(arguments),
        Precision::F64 => train_in::<f64>(arguments),
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

fn train_in<T: Element>(arguments: &TrainArguments) -> anyhow::Result<Outcome> {
    let task = data::load::<T>(arguments)?;
    let mut network = model::network(arguments, &task)?;
    let reduction = arguments.reduction_or(task.reduction);
    let loss = model::loss::<T>(task.kind, reduction);
    let mut optimizer = model::optimizer(arguments)?;
    let options = arguments.options(task.epochs);
    let blas = mfnet::blas();
    if let Some(advice) = words::kernel_advice(&blas) {
        console::note(&format!("warning: {advice}"));
    }

    let mut progress = Progress::new(arguments.quiet, &options, task.train.samples());
    if !arguments.quiet {
        let samples = format::count(task.train.samples());
        console::note(&format!(
            "training {} on {} ({samples} samples)",
            network.architecture(),
            task.name
        ));
    }
    interrupt::start_training();
    let observer = |event: Event<'_>| {
        let heard = progress.show(event);
        // The result as JSON has a reader of its own; a summary that follows lost progress most likely has none.
        if interrupt::is_requested() || !(heard || arguments.json) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let sets = (&task.train, &task.test);
    let train = match task.kind {
        Kind::Classification => train_test_classification,
        Kind::Regression { .. } => train_test_regression,
    };
    let trained = train(&mut network, sets, &*loss, &mut optimizer, &options, observer);
    progress.end(interrupt::is_requested());

    let training = Training {
        task: &task,
        network: &network,
        options: &options,
        arguments,
        reduction,
        history: &trained?,
        blas: &blas,
    };
    if !arguments.quiet {
        console::note("");
    }
    if !arguments.json {
        console::print(&summary::text(&training)?)?;
    } else {
        if !arguments.quiet {
            console::note(summary::text(&training)?.trim_end());
        }
        console::print(&json::text(&training))?;
    }
    Ok(if interrupt::is_requested() && training.history.stopped {
        Outcome::Interrupted
    } else {
        Outcome::Done
    })
}
