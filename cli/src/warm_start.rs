//! The option `--warm-start`: the training continues a model, on samples that are read and prepared as the model takes them.

use std::path::Path;

use anyhow::ensure;
use mfnet::checkpoint::{Precision, precision_of};
use mfnet::data::known::Source;
use mfnet::data::{RawSamples, Schema, SplitBy};
use mfnet::loss::LossRecord;
use mfnet::{Element, Model};

use super::data_source::{DataSource, weighted};
use super::known::{self, Raw};
use super::model_path;
use super::settings::{ClassWeightName, Settings, TrainingSettings, csv_options_for};

/// The model to continue.
pub(super) fn model<T: Element>(path: &Path) -> anyhow::Result<Model<T>> {
    model_path::load(&model_path::file_of(path)?)
}

/// Has the training go on with the loss of the model, and with its options as far as the command line leaves them open.
pub(super) fn keep_loss(record: Option<&LossRecord>, training: &mut TrainingSettings) {
    let Some((name, options)) = record.and_then(|loss| Some((&loss.name, loss.options.as_ref()?))) else {
        return;
    };
    training.loss = Some(name.clone());
    training.huber_delta = training.huber_delta.or(options.huber_delta);
    if options.label_smoothing > 0.0 {
        training.label_smoothing.get_or_insert(options.label_smoothing);
    }
    if !options.class_weights.is_empty() || !options.positive_weights.is_empty() {
        training.class_weight.get_or_insert(ClassWeightName::Balanced);
    }
}

/// Refuses a column of the model for a use beside it.
fn check_columns<T: Element>(settings: &Settings, schema: &Schema<T>) -> anyhow::Result<()> {
    let data = &settings.data;
    let split = data.split_by();
    let uses = [
        ("--weights", data.weights.as_deref()),
        (
            "--split-by-time or --split-by-group",
            split.as_ref().map(SplitBy::column),
        ),
    ];
    for (option, column) in uses {
        let Some(column) = column else { continue };
        let is_used = |names: &[String]| names.iter().any(|name| name == column);
        ensure!(
            !is_used(&schema.feature_names) && !is_used(&schema.target_names),
            super::usage(format!(
                "{option}: column `{column}` is a feature or a target of the model of --warm-start, and cannot be both"
            ))
        );
    }
    Ok(())
}

/// The samples that the settings name, by the schema of the model.
pub(super) fn raw<T: Element>(
    name: &str,
    path: &Path,
    settings: &Settings,
    source: &Source,
    quiet: bool,
) -> anyhow::Result<Raw<T>> {
    let schema = model::<T>(path)?.schema().clone();
    check_columns(settings, &schema)?;
    let data: DataSource = name.parse().map_err(super::usage)?;
    let (train, test, test_part, unit) = match data {
        DataSource::Known(known) => {
            let raw = known::set::<T>(known, source, settings.training.seed, quiet)?;
            check(name, &raw.train, schema.features, schema.outputs)?;
            ensure!(
                raw.schema.labels == schema.labels,
                "{name}: its classes are others than those of the model in {}",
                path.display()
            );
            (raw.train, raw.test, raw.test_part, raw.unit)
        }
        files => {
            let options = csv_options_for(settings.data.csv_options(&[]), &schema);
            let weights = settings.data.weights.as_deref();
            let train = match (&files, settings.data.split_by()) {
                (DataSource::Csv(_) | DataSource::StandardInput, Some(by)) => {
                    let table = files.table(&options)?;
                    let samples = table.raw_samples_for(&schema)?.with_split_by(&table, &by)?;
                    weighted(samples, &table, weights)?
                }
                _ => files.raw_samples(&options, &schema, weights)?,
            };
            (train, None, None, None)
        }
    };
    Ok(Raw {
        train,
        test,
        schema,
        test_part,
        unit,
        reason: Some(format!(
            "continuing the model in {}{}",
            path.display(),
            conversion::<T>(path)?
        )),
    })
}

/// The remark that the weights of the model are converted to another precision; empty if they are not.
fn conversion<T: Element>(path: &Path) -> anyhow::Result<String> {
    let found = match precision_of(model_path::file_of(path)?)? {
        Precision::F32 => f32::NAME,
        Precision::F64 => f64::NAME,
    };
    Ok(match found == T::NAME {
        true => String::new(),
        false => format!(
            ", whose numbers are {found}, in {}: --precision {found} keeps them",
            T::NAME
        ),
    })
}

/// Refuses samples of another shape.
fn check<T: Element>(
    name: &str,
    samples: &RawSamples<T>,
    features: usize,
    outputs: usize,
) -> anyhow::Result<()> {
    let found = samples.targets().outputs();
    ensure!(
        (samples.features(), found) == (features, outputs),
        "{name}: its samples have {} features and {found} outputs, and the model of --warm-start has {features} and {outputs}",
        samples.features()
    );
    Ok(())
}
