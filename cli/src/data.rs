//! The data of a training: read, split, and scaled.

use std::path::Path;

use anyhow::{bail, ensure};
use mfnet::data::known::Source;
use mfnet::data::read;
use mfnet::data::{Examples, Fitted, Preparation, RawSamples, Schema, Task as TaskKind};
use mfnet::{Dataset, Element, Error};

use super::data_source::DataSource;
use super::known::{self, Raw};
use super::model::BINARY;
use super::settings::{DataSettings, Settings, Share, TargetTransformName, TaskName, located};
use super::{console, usage, warm_start};

/// The prepared data of a training.
#[derive(Debug)]
pub(super) struct Task<T> {
    /// The name of the data.
    pub(super) name: String,
    /// The meaning and the scaling of the columns.
    pub(super) schema: Schema<T>,
    pub(super) train: Dataset<T>,
    pub(super) validation: Option<Dataset<T>>,
    pub(super) test: Option<Dataset<T>>,
    /// The unit of the targets, where it is known.
    pub(super) unit: Option<&'static str>,
    /// Why the task is what it is, where it was told from a file.
    pub(super) reason: Option<String>,
    /// The features that are the same in all training samples.
    pub(super) constant: Vec<String>,
}

/// The part of the training samples that early stopping sets apart if it is told of no others.
const VALIDATION: f64 = 0.1;

/// Loads what the settings name, splits it, and scales it by the training samples; where they name nothing, MNIST or
/// what can stand in for it, and then notes that in the settings.
pub(super) fn load<T: Element>(settings: &mut Settings, quiet: bool) -> anyhow::Result<Task<T>> {
    let (name, raw) = unscaled(settings, quiet)?;
    let task = prepare(&name, raw, settings)?;
    warn_of_constants(&task.constant);
    Ok(task)
}

/// Says which features are the same in all training samples.
pub(super) fn warn_of_constants(constant: &[String]) {
    const SHOWN: usize = 10;
    if constant.is_empty() {
        return;
    }
    let more = match constant.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let names: Vec<String> = constant
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    console::note(&format!(
        "warning: the same in every training sample: {}{more}; centred and kept, without information (--ignore leaves \
         columns out)",
        names.join(", ")
    ));
}

/// Loads what the settings name under its name, with the samples to test with set apart, if there are to be any.
pub(super) fn unscaled<T: Element>(settings: &mut Settings, quiet: bool) -> anyhow::Result<(String, Raw<T>)> {
    settle_task(settings)?;
    let source = source(settings.data.data_dir.as_deref(), settings.data.no_download)?;
    let seed = settings.training.seed;
    let (name, mut raw) = match (settings.data.source.clone(), &settings.training.warm_start) {
        (Some(name), Some(model)) => {
            let raw = warm_start::raw(&name, model, settings, &source, quiet)?;
            (name, raw)
        }
        (None, Some(_)) => bail!(usage(
            "--warm-start needs samples to train on: name DATA".to_owned()
        )),
        (Some(name), None) => (name.clone(), raw(&name, &source, &settings.data, seed, quiet)?),
        (None, None) => match known::set("mnist", &source, seed, quiet) {
            Err(error) if is_unavailable(&error) => {
                console::note(&format!(
                    "warning: {error}\nwarning: no data set was named, so this trains on `digits` INSTEAD OF MNIST: \
                     its results are not MNIST's"
                ));
                ("digits".to_owned(), known::set("digits", &source, seed, quiet)?)
            }
            answer => ("mnist".to_owned(), answer?),
        },
    };
    settings.data.source = Some(located(&name));
    let part = raw.test_part.map(Share::Fraction);
    if let Some(share) = settings.data.test.clone().or(part) {
        let (rest, apart) = set_apart(raw.train, &share, &raw.schema, &settings.data, seed)?;
        raw.train = rest;
        raw.test = Some(apart);
        settings.data.test = Some(share);
    }
    Ok((name, raw))
}

/// Notes in the settings that the loss of yes/no targets makes them such.
fn settle_task(settings: &mut Settings) -> anyhow::Result<()> {
    let Settings { data, training, .. } = settings;
    if training.loss.as_deref() != Some(BINARY) {
        return Ok(());
    }
    let source = data.source.as_deref().unwrap_or("mnist");
    ensure!(
        known::find(source).is_none(),
        usage(format!(
            "--loss {BINARY} is for the yes/no targets of a file of your own: {source} has no such targets"
        ))
    );
    ensure!(
        matches!(data.task, None | Some(TaskName::Binary)),
        usage(format!(
            "--loss {BINARY} is for yes/no targets: leave out --task, or take --task binary"
        ))
    );
    data.task = Some(TaskName::Binary);
    Ok(())
}

/// Sets samples to validate with apart, if there are to be any, and scales all by the samples that are left to train on.
pub(super) fn prepare<T: Element>(
    name: &str,
    raw: Raw<T>,
    settings: &mut Settings,
) -> anyhow::Result<Task<T>> {
    let Raw {
        mut train, schema, ..
    } = raw;
    if settings.training.early_stopping.is_some() && settings.data.validation.is_none() {
        settings.data.validation = Some(Share::Fraction(VALIDATION));
    }
    let mut validation = None;
    if let Some(share) = &settings.data.validation {
        let (rest, apart) = set_apart(train, share, &schema, &settings.data, settings.training.seed)?;
        train = rest;
        validation = Some(apart);
    }
    let parts = [
        ("training", Some(&train)),
        ("validation", validation.as_ref()),
        ("test", raw.test.as_ref()),
    ];
    for (part, samples) in parts {
        samples.map_or(Ok(()), |samples| check_weights(samples, part, &settings.data))?;
    }
    let transform = settings.data.target_transform;
    ensure!(
        transform.is_none() || schema.task == TaskKind::Regression,
        usage(
            "--target-transform is for numbers, and the targets are classes: leave it out, or take them for numbers with --task \
             regression"
                .to_owned()
        )
    );
    let preparation = Preparation {
        target_transform: transform.map(TargetTransformName::transform).unwrap_or_default(),
        imputation: settings.data.impute,
        unknown: settings.data.unknown.unknown(),
        normalize: !settings.data.no_normalize,
    };
    let Fitted {
        schema,
        train,
        constant,
    } = match settings.training.warm_start {
        // The model has learned by its own preparation.
        Some(_) => Fitted {
            train: schema.apply(train)?,
            schema,
            constant: Vec::new(),
        },
        None => schema.fit(train, &preparation)?,
    };
    let apply = |raw: Option<RawSamples<T>>| raw.map(|raw| schema.apply(raw)).transpose();
    Ok(Task {
        name: name.to_owned(),
        train,
        validation: apply(validation)?,
        test: apply(raw.test)?,
        schema,
        unit: raw.unit,
        reason: raw.reason,
        constant,
    })
}

/// Refuses a part of the samples in which every weight is 0.
pub(super) fn check_weights<T: Element>(
    samples: &RawSamples<T>,
    part: &str,
    settings: &DataSettings,
) -> anyhow::Result<()> {
    let (Some(column), Some(weights)) = (&settings.weights, samples.weights()) else {
        return Ok(());
    };
    ensure!(
        weights.iter().any(|&weight| weight > 0.0),
        "--weights: column `{column}` is 0 in {}, so that none of them counts: set more samples apart, or others by another --seed",
        match weights.len() {
            1 => format!("the only {part} sample"),
            samples => format!("all {} {part} samples", super::format::count(samples)),
        }
    );
    Ok(())
}

/// A training set and a test set.
#[derive(Debug)]
pub(super) struct Pair<T> {
    pub(super) train: Dataset<T>,
    pub(super) test: Dataset<T>,
}

/// A known data set as [`load`] makes it ready where the settings say nothing else.
pub(super) fn pair<T: Element>(
    name: &str,
    source: &Source,
    seed: u64,
    quiet: bool,
) -> anyhow::Result<Pair<T>> {
    let raw = known::set(name, source, seed, quiet)?;
    let (train, test) = match (raw.test, raw.test_part) {
        (Some(test), _) => (raw.train, test),
        (None, part) => raw.train.split(part.unwrap_or(0.2), seed, &raw.schema)?,
    };
    let fitted = raw.schema.fit(train, &Preparation::default())?;
    Ok(Pair {
        test: fitted.schema.apply(test)?,
        train: fitted.train,
    })
}

/// The data of this name: a known set, or files.
fn raw<T: Element>(
    name: &str,
    source: &Source,
    settings: &DataSettings,
    seed: u64,
    quiet: bool,
) -> anyhow::Result<Raw<T>> {
    if known::find(name).is_none() {
        return own(name, settings);
    }
    ensure!(
        settings.target.is_empty()
            && settings.ignore.is_empty()
            && settings.categorical.is_empty()
            && settings.task.is_none(),
        usage(format!(
            "--target, --ignore, --categorical and --task are for files of your own: what {name} has to learn is known"
        ))
    );
    refuse_row_columns(settings, name)?;
    refuse_csv_options(settings)?;
    match settings.impute {
        Some(_) if name == "iris" => known::iris_with_gaps(source, quiet),
        Some(_) => bail!(usage(format!("--impute is for tables: in {name} nothing can be missing"))),
        None => known::set(name, source, seed, quiet).map_err(|error| match name {
            "iris" if matches!(error.downcast_ref(), Some(Error::InvalidFile { .. })) => error.context(
                "this is not the file as published (`mfnet datasets iris --verify`): replace it, or have the means of \
                 the columns stand in for missing values with --impute mean",
            ),
            _ => error,
        }),
    }
}

/// The user's own files.
fn own<T: Element>(name: &str, settings: &DataSettings) -> anyhow::Result<Raw<T>> {
    let source = data_source(name)?;
    let task = settings.task.map(TaskName::task);
    let (examples, test): (Examples<T>, _) = match &source {
        DataSource::Npz(path) => {
            refuse_columns(settings)?;
            let examples = read::read_npz(path, task)?;
            (examples.train, examples.test)
        }
        DataSource::NpyPair(inputs, targets) => {
            refuse_columns(settings)?;
            (read::read_npy_pair(inputs, targets, task)?, None)
        }
        DataSource::Npy(_) => return Err(source.without_targets()),
        DataSource::Known(_) | DataSource::Csv(_) | DataSource::StandardInput => {
            let table = source.table(&settings.csv_options(&[]))?;
            (table.examples(&settings.columns())?, None)
        }
    };
    let reason = match examples.hint() {
        Some(hint) => format!("{}\n{hint}", examples.reason),
        None => examples.reason.clone(),
    };
    Ok(Raw {
        train: examples.samples,
        test,
        schema: examples.schema,
        test_part: None,
        unit: None,
        reason: Some(reason),
    })
}

/// The source of this name; a file must exist.
fn data_source(name: &str) -> anyhow::Result<DataSource> {
    let source: DataSource = name.parse().map_err(usage)?;
    source.check()?;
    Ok(source)
}

/// NumPy's arrays have no columns to name.
fn refuse_columns(settings: &DataSettings) -> anyhow::Result<()> {
    ensure!(
        settings.target.is_empty()
            && settings.ignore.is_empty()
            && settings.categorical.is_empty()
            && settings.impute.is_none(),
        usage(
            "--target, --ignore, --categorical and --impute are for CSV files: arrays have no columns to name".to_owned()
        )
    );
    refuse_row_columns(settings, "an array")?;
    refuse_csv_options(settings)
}

/// Only CSV files have columns that decide splits or are weights.
fn refuse_row_columns(settings: &DataSettings, data: &str) -> anyhow::Result<()> {
    ensure!(
        settings.split_by().is_none() && settings.weights.is_none(),
        usage(format!(
            "--split-by-time, --split-by-group and --weights are for columns of CSV files, and {data} has no columns: leave them out"
        ))
    );
    Ok(())
}

/// Refuses a column for splits where nothing is split; `validates` tells that a part of the samples is set apart in any case.
pub(super) fn check_split(settings: &Settings, validates: bool) -> anyhow::Result<()> {
    let is_part = |share: &Option<Share>| matches!(share, Some(Share::Fraction(_)));
    let data = &settings.data;
    let stops_early = settings.training.early_stopping.is_some() && data.validation.is_none();
    ensure!(
        data.split_by().is_none() || validates || stops_early || is_part(&data.test) || is_part(&data.validation),
        usage(
            "--split-by-time and --split-by-group have no effect here: they go with a part that is set apart, such as --test 0.2 \
             or --validation 0.2"
                .to_owned()
        )
    );
    Ok(())
}

/// Only CSV files have a form to tell.
fn refuse_csv_options(settings: &DataSettings) -> anyhow::Result<()> {
    ensure!(
        !settings.has_unused_csv_options(),
        usage("--header, --delimiter, --quote and --missing are for CSV files: leave them out".to_owned())
    );
    Ok(())
}

/// The samples that are left, and those that are set apart: a part of them, or those of a file.
pub(super) fn set_apart<T: Element>(
    data: RawSamples<T>,
    share: &Share,
    schema: &Schema<T>,
    settings: &DataSettings,
    seed: u64,
) -> anyhow::Result<(RawSamples<T>, RawSamples<T>)> {
    match share {
        Share::Fraction(part) => Ok(data.split(*part, seed, schema)?),
        Share::File(path) => {
            let options = settings.csv_options(&schema.feature_names);
            let source = data_source(&path.to_string_lossy())?;
            let apart = source.raw_samples(&options, schema, settings.weights.as_deref())?;
            Ok((data, apart))
        }
    }
}

/// Whether a data set is neither here nor may be downloaded, or its servers do not answer.
pub(super) fn is_unavailable(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Error::Unavailable { .. }))
}

/// The places to look for known data sets. A folder that does not exist is mistyped, and must not lead to a download.
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
