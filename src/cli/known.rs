//! The data sets that have names, to judge a model by.

use mfnet::data::digits::{DEFAULT_TEST_SAMPLES, DEFAULT_TRAINING_SAMPLES, digits};
use mfnet::data::known::{self, Source};
use mfnet::data::{Scaling, Schema, circle};
use mfnet::{Dataset, Element};

use anyhow::{bail, ensure};

use super::download::DownloadBar;

/// The names.
pub(super) const KNOWN: [&str; 6] = [
    "mnist",
    "fashion-mnist",
    "digits",
    "california-housing",
    "iris",
    "circle",
];

/// The points of the circle to train on, and to test with.
const CIRCLE: (usize, usize) = (1000, 1000);

/// Samples that a model has not learned from, as far as the data set has such.
#[derive(Debug)]
pub(super) struct KnownSamples<T> {
    pub(super) dataset: Dataset<T>,
    /// Which of the data set's samples they are.
    pub(super) part: &'static str,
    /// The classes, in the labels' order; none for numbers.
    labels: &'static [&'static str],
    /// What the targets are counted in.
    pub(super) unit: Option<&'static str>,
}

/// The test set of a name, or all samples where there is none; `seed` is for those that are drawn.
pub(super) fn samples<T: Element>(
    name: &str,
    source: &Source,
    seed: u64,
    quiet: bool,
) -> anyhow::Result<KnownSamples<T>> {
    let mut bar = DownloadBar::new(quiet);
    let progress = &mut |progress: known::Progress<'_>| bar.show(progress);
    let test = |(_, dataset): (Dataset<T>, Dataset<T>), labels| KnownSamples {
        dataset,
        part: "test samples",
        labels,
        unit: None,
    };
    let all = |dataset, labels, unit| KnownSamples {
        dataset,
        part: "all samples, as it has no test set of its own",
        labels,
        unit,
    };
    Ok(match name {
        "mnist" => test(known::mnist(source, progress)?, &known::DIGIT_CLASSES),
        "fashion-mnist" => test(
            known::fashion_mnist(source, progress)?,
            &known::FASHION_MNIST_CLASSES,
        ),
        "digits" => {
            let sets = digits(seed, DEFAULT_TRAINING_SAMPLES, DEFAULT_TEST_SAMPLES)?;
            test(sets, &known::DIGIT_CLASSES)
        }
        "circle" => test(circle(seed, CIRCLE.0, CIRCLE.1)?, &["outside", "inside"]),
        "california-housing" => {
            let unit = Some("100,000 dollars");
            all(known::california_housing(source, progress)?, &[], unit)
        }
        "iris" => all(known::iris(source, progress)?, &known::IRIS_CLASSES, None),
        _ => bail!("{name} is no known data set: known are {}", KNOWN.join(", ")),
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
            super::note(&format!(
                "warning: the model takes {name}'s pixels as 0 to 255; if it learned them as 0 to 1, import it with --pixels"
            ));
        }
        Ok(())
    }
}
