//! The data sets that can be named, made ready to be learned from.

use std::path::Path;

use anyhow::{bail, ensure};
use mfnet::data::digits::{DEFAULT_TEST_SAMPLES, DEFAULT_TRAINING_SAMPLES, digits};
use mfnet::data::known::{self, Source};
use mfnet::{Dataset, Element, Error, Inputs, Normalization, Reduction, Targets, train_test_split};

use super::args::{DatasetName, TrainArguments};
use super::console;
use super::download::DownloadBar;

/// What is to be learned, and how the report went about it.
#[derive(Debug)]
pub(super) struct Task<T> {
    /// The data set's name, as the user writes it.
    pub(super) name: &'static str,
    pub(super) train: Dataset<T>,
    pub(super) test: Dataset<T>,
    pub(super) kind: Kind,
    /// The report's epochs.
    pub(super) epochs: usize,
    /// The reduction that the report's figures were made with.
    pub(super) reduction: Reduction,
}

/// What the targets are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Classification,
    /// Normalised numbers; times `deviation` they are in `unit`.
    Regression {
        deviation: f64,
        unit: &'static str,
    },
}

/// The data set that was named; if none was, MNIST or what can stand in for it.
pub(super) fn load<T: Element>(arguments: &TrainArguments) -> anyhow::Result<Task<T>> {
    let source = source(arguments.data_dir.as_deref(), arguments.no_download)?;
    match arguments.dataset {
        Some(DatasetName::Mnist) => mnist(&source, arguments.quiet),
        Some(DatasetName::Digits) => drawn_digits(arguments),
        Some(DatasetName::CaliforniaHousing) => california_housing(&source, arguments.seed, arguments.quiet),
        None => match mnist(&source, arguments.quiet) {
            Err(error) if is_unavailable(&error) => {
                console::note(&format!(
                    "warning: {error}\nwarning: no data set was named, so this trains on `digits` INSTEAD OF MNIST: \
                     its results are not MNIST's"
                ));
                drawn_digits(arguments)
            }
            answer => answer,
        },
    }
}

fn is_unavailable(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Error::Unavailable { .. }))
}

/// Where to look. A folder that is not there is mistyped, and must not lead to a download.
pub(super) fn source(data_dir: Option<&Path>, no_download: bool) -> anyhow::Result<Source> {
    let mut source = Source::default();
    if let Some(folder) = data_dir {
        ensure!(
            folder.is_dir(),
            "--data-dir {}: there is no such folder",
            folder.display()
        );
        source.data_dir = Some(folder.to_owned());
    }
    source.download &= !no_download;
    Ok(source)
}

pub(super) fn mnist<T: Element>(source: &Source, quiet: bool) -> anyhow::Result<Task<T>> {
    let mut bar = DownloadBar::new(quiet);
    let sets = known::mnist(source, &mut |progress| bar.show(progress))?;
    Ok(digit_task("mnist", sets))
}

fn drawn_digits<T: Element>(arguments: &TrainArguments) -> anyhow::Result<Task<T>> {
    let sets = digits(arguments.seed, DEFAULT_TRAINING_SAMPLES, DEFAULT_TEST_SAMPLES)?;
    Ok(digit_task("digits", sets))
}

fn digit_task<T>(name: &'static str, (train, test): (Dataset<T>, Dataset<T>)) -> Task<T> {
    Task {
        name,
        train,
        test,
        kind: Kind::Classification,
        epochs: 100,
        reduction: Reduction::Sum,
    }
}

/// Split four to one; inputs and target normalised by the statistics of the training part.
pub(super) fn california_housing<T: Element>(
    source: &Source,
    seed: u64,
    quiet: bool,
) -> anyhow::Result<Task<T>> {
    let mut bar = DownloadBar::new(quiet);
    let all: Dataset<T> = known::california_housing(source, &mut |progress| bar.show(progress))?;
    let (train, test) = train_test_split(&all, 0.2, seed)?;
    let Targets::Values(values) = train.targets() else {
        bail!("california-housing: the targets are classes, not numbers");
    };
    let of_inputs = Normalization::of(train.to_values().view())?;
    let of_targets = Normalization::of(values.view())?;
    let normalise = |data: &Dataset<T>| -> anyhow::Result<Dataset<T>> {
        let inputs = Inputs::Values(of_inputs.apply(data.to_values().view())?);
        let targets = match data.targets() {
            Targets::Values(values) => Targets::Values(of_targets.apply(values.view())?),
            classes => classes.clone(),
        };
        Ok(Dataset::new(inputs, targets)?)
    };
    Ok(Task {
        name: "california-housing",
        train: normalise(&train)?,
        test: normalise(&test)?,
        kind: Kind::Regression {
            deviation: of_targets.deviations()[0].as_f64(),
            unit: "100,000 dollars",
        },
        epochs: 500,
        reduction: Reduction::Mean,
    })
}
