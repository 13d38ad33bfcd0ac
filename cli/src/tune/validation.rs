//! The validation of trials: by one validation set, or by cross-validation.

use anyhow::{Context, ensure};
use mfnet::Element;
use mfnet::data::RawSamples;

use crate::data::{self, Task};
use crate::known::Raw;
use crate::settings::{Settings, Share};
use crate::{format, usage};

/// The default part of the training samples that becomes the validation set.
const PART: f64 = 0.2;

/// The samples on which trials are evaluated.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Validation {
    /// Cross-validation: each of this number of folds in turn.
    Folds(usize),
    /// One validation set.
    Set(Share),
}

impl Validation {
    pub(super) fn of(folds: Option<usize>, settings: &Settings) -> Self {
        match (folds, &settings.data.validation) {
            (Some(folds), _) => Validation::Folds(folds),
            (None, Some(share)) => Validation::Set(share.clone()),
            (None, None) => Validation::Set(Share::Fraction(PART)),
        }
    }

    /// Refuses a column for splits that has no effect, and folds where the split is by time.
    pub(super) fn check(&self, settings: &Settings) -> anyhow::Result<()> {
        let is_by_time = settings.data.split_by_time.is_some();
        ensure!(
            !is_by_time || !matches!(self, Validation::Folds(_)),
            usage(
                "--folds does not go with --split-by-time, since later rows would predict earlier ones: --validation 0.2 \
                 validates with the latest rows"
                    .to_owned()
            )
        );
        data::check_split(settings, !matches!(self, Validation::Set(Share::File(_))))
    }

    /// The tasks that each configuration is trained on; their test samples are the validation samples. Each is scaled by the
    /// samples that it trains on.
    pub(super) fn tasks<T: Element>(
        &self,
        name: &str,
        raw: &Raw<T>,
        settings: &Settings,
    ) -> anyhow::Result<Vec<Task<T>>> {
        let seed = settings.training.seed;
        let pairs = match self {
            Validation::Folds(folds) if *folds > raw.train.samples() => {
                let samples = format::count(raw.train.samples());
                return Err(usage(format!(
                    "--folds {folds}: there are only {samples} samples to train on"
                ))
                .into());
            }
            Validation::Folds(folds) => raw.train.folds(*folds, seed, &raw.schema)?,
            Validation::Set(share) => {
                let all = raw.train.clone();
                vec![data::set_apart(all, share, &raw.schema, &settings.data, seed)?]
            }
        };
        let count = pairs.len();
        let task = |(index, (train, validation)): (usize, (RawSamples<T>, RawSamples<T>))| {
            data::check_weights(&validation, "validation", &settings.data)?;
            let task = data::prepare(
                name,
                with_sets(raw, train, Some(validation)),
                &mut alone(settings),
            );
            task.with_context(|| format!("part {} of {count} of the training samples", index + 1))
        };
        pairs.into_iter().enumerate().map(task).collect()
    }

    /// In words, with the samples that trials can learn from.
    pub(super) fn text(&self, samples: usize) -> String {
        let samples = format::count(samples);
        match self {
            Validation::Folds(folds) => format!("{folds}-fold cross-validation of {samples} samples"),
            Validation::Set(Share::Fraction(part)) => {
                format!("{} of {samples} samples", format::percent(*part))
            }
            Validation::Set(Share::File(path)) => format!("the samples in {}", path.display()),
        }
    }
}

/// All samples to train on, and those to test with.
pub(super) fn whole<T: Element>(name: &str, raw: &Raw<T>, settings: &Settings) -> anyhow::Result<Task<T>> {
    let sets = with_sets(raw, raw.train.clone(), raw.test.clone());
    data::prepare(name, sets, &mut alone(settings))
}

/// The settings without the validation samples: the set that early stopping uses is part of a training, and set apart of what
/// it learns from.
pub(super) fn alone(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    settings.data.validation = None;
    settings
}

/// Other samples of the same kind.
fn with_sets<T: Element>(raw: &Raw<T>, train: RawSamples<T>, test: Option<RawSamples<T>>) -> Raw<T> {
    Raw {
        train,
        test,
        schema: raw.schema.clone(),
        test_part: None,
        unit: raw.unit,
        reason: None,
    }
}
