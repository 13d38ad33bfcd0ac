//! The data sets that have names.

use anyhow::{bail, ensure};
use mfnet::data::digits::{DEFAULT_TEST_SAMPLES, DEFAULT_TRAINING_SAMPLES, digits};
use mfnet::data::known::{self, Known, Source};
use mfnet::data::read::{self, CsvOptions};
use mfnet::data::{Columns, RawSamples, Scaling, Schema};
use mfnet::{Dataset, Element, Error};
use toml::{Table, toml};

use super::download::DownloadBar;

/// A data set that has a name; [`set`] loads it.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownSet {
    pub(super) origin: Origin,
    /// The settings that suit it, as `config.toml` has them.
    pub(super) settings: fn() -> Table,
}

/// Where the samples of a data set come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin {
    /// From files, which the library knows.
    Files(Known),
    /// Drawn from the seed.
    Drawn {
        name: &'static str,
        description: &'static str,
    },
}

/// All data sets that have names.
pub(super) const SETS: [KnownSet; 6] = [
    KnownSet::of_files(Known::Mnist, mnist),
    KnownSet::of_files(Known::FashionMnist, mnist),
    KnownSet::drawn(
        "digits",
        "60,000 + 10,000 drawn digits, 28 x 28 pixels, 10 classes",
        mnist,
    ),
    KnownSet::of_files(Known::CaliforniaHousing, california_housing),
    KnownSet::of_files(Known::Iris, iris),
    KnownSet::drawn(
        "circle",
        "1,000 + 1,000 points of the plane, inside or outside of a circle",
        circle,
    ),
];

impl KnownSet {
    const fn of_files(known: Known, settings: fn() -> Table) -> Self {
        let origin = Origin::Files(known);
        KnownSet { origin, settings }
    }

    const fn drawn(name: &'static str, description: &'static str, settings: fn() -> Table) -> Self {
        let origin = Origin::Drawn { name, description };
        KnownSet { origin, settings }
    }

    pub(super) fn name(self) -> &'static str {
        match self.origin {
            Origin::Files(known) => known.name(),
            Origin::Drawn { name, .. } => name,
        }
    }

    /// A one-line description of the samples.
    pub(super) fn description(self) -> &'static str {
        match self.origin {
            Origin::Files(known) => known.description(),
            Origin::Drawn { description, .. } => description,
        }
    }
}

/// The data set of this name.
pub(super) fn find(name: &str) -> Option<KnownSet> {
    SETS.into_iter().find(|set| set.name() == name)
}

/// The names of all data sets.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SETS.into_iter().map(KnownSet::name)
}

/// The names of all data sets, for helps and messages.
pub(super) fn listed() -> String {
    names().collect::<Vec<_>>().join(", ")
}

/// The report's, whose learning rate was meant for summed gradients.
fn mnist() -> Table {
    toml! {
        [model]
        hidden = [512]
        initializer = "he"
        [training]
        epochs = 100
        batch-size = 1024
        optimizer = "sgd"
        lr = 0.001
        reduction = "sum"
    }
}

fn california_housing() -> Table {
    toml! {
        [model]
        hidden = [512]
        initializer = "he"
        [training]
        epochs = 500
        batch-size = 1024
        optimizer = "sgd"
        lr = 0.001
    }
}

fn iris() -> Table {
    toml! {
        [model]
        hidden = [100]
        initializer = "he"
        [training]
        epochs = 200
        batch-size = 200
        optimizer = "adam"
    }
}

fn circle() -> Table {
    toml! {
        [model]
        hidden = [25, 25, 25]
        activation = ["relu", "relu", "tanh"]
        initializer = "he"
        [training]
        epochs = 150
        batch-size = 20
        optimizer = "sgd"
        lr = 0.1
        loss = "mse"
    }
}

/// The points of the circle to train on, and to test with.
const CIRCLE: (usize, usize) = (1000, 1000);

/// Data as they are, nothing scaled.
#[derive(Debug)]
pub(super) struct Raw<T> {
    pub(super) train: RawSamples<T>,
    pub(super) test: Option<RawSamples<T>>,
    pub(super) schema: Schema<T>,
    /// The part to test with, where the data have none of their own.
    pub(super) test_part: Option<f64>,
    pub(super) unit: Option<&'static str>,
    pub(super) reason: Option<String>,
}

/// Samples that a model has not learned from, as far as the data set has such.
#[derive(Debug)]
pub(super) struct KnownSamples<T> {
    pub(super) dataset: Dataset<T>,
    /// The part of the data set that they are.
    pub(super) part: &'static str,
    /// The unit of the targets.
    pub(super) unit: Option<&'static str>,
    /// The classes, in the labels' order; none for numbers.
    labels: Vec<String>,
}

/// A data set that needs no file of the user's.
pub(super) fn set<T: Element>(name: &str, source: &Source, seed: u64, quiet: bool) -> anyhow::Result<Raw<T>> {
    let mut bar = DownloadBar::new(quiet);
    let progress = &mut |progress: known::Progress<'_>| bar.show(progress);
    let pair =
        |(train, test): (Dataset<T>, Dataset<T>), features: &[&str], labels: &[&str]| -> anyhow::Result<_> {
            Ok(Raw {
                schema: Schema::of(&train).named(features, &[], labels)?,
                train: train.into(),
                test: Some(test.into()),
                test_part: None,
                unit: None,
                reason: None,
            })
        };
    let whole = |all: Dataset<T>, schema: Schema<T>, unit| Raw {
        train: all.into(),
        test: None,
        schema,
        test_part: Some(0.2),
        unit,
        reason: None,
    };
    Ok(match name {
        "mnist" => pair(known::mnist(source, progress)?, &[], &known::DIGIT_CLASSES)?,
        "fashion-mnist" => pair(
            known::fashion_mnist(source, progress)?,
            &[],
            &known::FASHION_MNIST_CLASSES,
        )?,
        "digits" => {
            let sets = digits(seed, DEFAULT_TRAINING_SAMPLES, DEFAULT_TEST_SAMPLES)?;
            pair(sets, &[], &known::DIGIT_CLASSES)?
        }
        "circle" => {
            let (train, test) = CIRCLE;
            let sets = mfnet::data::circle(seed, train, test)?;
            pair(sets, &["x", "y"], &["outside", "inside"])?
        }
        "california-housing" => {
            let all: Dataset<T> = known::california_housing(source, progress)?;
            let features = read::CALIFORNIA_HOUSING_FEATURES;
            let schema = Schema::of(&all).named(&features, &["median house value"], &[])?;
            whole(all, schema, Some("100,000 dollars"))
        }
        "iris" => {
            let all: Dataset<T> = known::iris(source, progress)?;
            let schema = Schema::of(&all).named(&known::IRIS_FEATURES, &["species"], &known::IRIS_CLASSES)?;
            whole(all, schema, None)
        }
        _ => bail!("{name} is no known data set"),
    })
}

/// Iris from a copy that may have gaps.
pub(super) fn iris_with_gaps<T: Element>(source: &Source, quiet: bool) -> anyhow::Result<Raw<T>> {
    let mut bar = DownloadBar::new(quiet);
    let folder = Known::Iris.fetch(source, &mut |progress| bar.show(progress))?;
    let options = CsvOptions {
        header: Some(false),
        ..CsvOptions::default()
    };
    let examples = read::read_csv(&folder.join("iris.data"), &options)?.examples(&Columns::default())?;
    Ok(Raw {
        train: examples.samples,
        test: None,
        schema: examples.schema.named(&known::IRIS_FEATURES, &["species"], &[])?,
        test_part: Some(0.2),
        unit: None,
        reason: None,
    })
}

/// The test set of a name, or all samples where there is none; `seed` is for those that are drawn.
pub(super) fn samples<T: Element>(
    name: &str,
    source: &Source,
    seed: u64,
    quiet: bool,
) -> anyhow::Result<KnownSamples<T>> {
    let Raw {
        train,
        test,
        schema,
        unit,
        ..
    } = set(name, source, seed, quiet).map_err(|error| match error.downcast_ref() {
        // Copies of iris with gaps are about, whose cells would seem to be the user's to mend.
        Some(Error::InvalidFile { .. }) => error.context(format!(
            "the file is not as it was published: see `mfnet datasets {name} --verify`"
        )),
        _ => error,
    })?;
    let (samples, part) = match test {
        Some(test) => (test, "test samples"),
        None => (train, "all samples, as it has no test set of its own"),
    };
    let dataset = schema.complete(samples)?;
    Ok(KnownSamples {
        dataset,
        part,
        unit,
        labels: schema.labels,
    })
}

impl<T: Element> KnownSamples<T> {
    /// Refuses a model that learned something else.
    pub(super) fn check(&self, name: &str, schema: &Schema<T>) -> anyhow::Result<()> {
        let (features, outputs) = (self.dataset.features(), self.dataset.outputs());
        ensure!(
            features == schema.features,
            "{name} has {features} features, and the model takes {}: it is a model for other data",
            schema.features
        );
        let own = Schema::of(&self.dataset);
        ensure!(
            (own.task, outputs) == (schema.task, schema.outputs),
            "{name} is a {} with {outputs} outputs, and the model one of {} with {}: it is a model for other data",
            own.task,
            schema.task,
            schema.outputs
        );
        // Classes without names of their own are called by their numbers.
        let is_numbered = (0..)
            .zip(&schema.labels)
            .all(|(label, name)| *name == format!("{label}"));
        ensure!(
            is_numbered || schema.labels == self.labels,
            "the classes of {name} are {}, and the model's {}: it is a model for other data",
            self.labels.join(", "),
            schema.labels.join(", ")
        );
        // Pixels of a model that was not told so go to it as 0 to 255, which it hardly ever learned.
        if own.scaling == Scaling::Pixels && schema.scaling == Scaling::None {
            super::console::note(&format!(
                "warning: the model takes {name}'s pixels as 0 to 255; if it learned them as 0 to 1, import it with --pixels"
            ));
        }
        Ok(())
    }
}
