//! The JSON value beside the tensors: what the layers are, and what the columns of the data mean.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::header::shown;
use super::{Record, Setting};
use crate::data::{Layout, Normalization, Scaling, Schema, Task};
use crate::element::Element;
use crate::error::Result;

/// The name of the value among the file's texts.
pub(super) const KEY: &str = "mfnet";

/// The version of what is in the value; readers refuse others.
const FORMAT: u32 = 1;

/// More layers than anyone trains, and few enough for any machine.
pub(super) const MOST_LAYERS: usize = 4096;

/// The type of a network's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// `f32`.
    F32,
    /// `f64`.
    F64,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Precision::F32 => f32::NAME,
            Precision::F64 => f64::NAME,
        })
    }
}

/// All of the value. `S` is what a checkpoint says of the training's state.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description<S> {
    format: u32,
    pub(super) precision: Precision,
    pub(super) inputs: usize,
    pub(super) layers: Vec<LayerEntry>,
    /// None for a network on its own.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub(super) schema: Option<SchemaEntry>,
    /// None for a model that is not being trained.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub(super) training: Option<S>,
}

/// A layer or an activation.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerEntry {
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    options: BTreeMap<String, SettingEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<u64>,
}

/// A [`Setting`]; a number is written without a fraction where it has none, as Python tells counts from other numbers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum SettingEntry {
    Count(u32),
    Number(f64),
    Sizes(Vec<usize>),
}

/// A [`Schema`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SchemaEntry {
    task: TaskEntry,
    features: usize,
    feature_names: Vec<String>,
    scaling: ScalingEntry,
    imputation: Option<Vec<f64>>,
    outputs: usize,
    target_names: Vec<String>,
    labels: Vec<String>,
    target_normalization: Option<Scales>,
    layout: LayoutEntry,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TaskEntry {
    Regression,
    Classification,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ScalingEntry {
    None,
    Pixels,
    Normalized(Scales),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scales {
    means: Vec<f64>,
    deviations: Vec<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayoutEntry {
    width: usize,
    features: Vec<usize>,
    targets: Vec<usize>,
}

/// The default of an option of any type, `S` needing none of its own.
fn none<S>() -> Option<S> {
    None
}

impl<S: Serialize + DeserializeOwned> Description<S> {
    /// A description of these layers.
    pub(super) fn new<T: Element>(inputs: usize, records: &[Record<T>]) -> Self {
        let entry = |record: &Record<T>| LayerEntry {
            kind: record.kind.to_owned(),
            options: (record.options.iter())
                .map(|(name, setting)| (name.clone(), SettingEntry::of(setting)))
                .collect(),
            seed: record.seed,
        };
        Description {
            format: FORMAT,
            precision: if T::NAME == f32::NAME {
                Precision::F32
            } else {
                Precision::F64
            },
            inputs,
            layers: records.iter().map(entry).collect(),
            schema: None,
            training: None,
        }
    }

    /// The value as text.
    pub(super) fn to_text(&self) -> std::result::Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

impl<S: DeserializeOwned> Description<S> {
    /// Reads the value, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> std::result::Result<Self, String> {
        /// What every version has.
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }

        let broken = |error: serde_json::Error| {
            format!(
                "its description of the model, `{KEY}`, cannot be read: {}",
                shown(&error.to_string())
            )
        };
        let Version { format } = serde_json::from_str(text).map_err(broken)?;
        if format != FORMAT {
            return Err(format!(
                "its description of the model is of format {format}, and this version of mfnet reads {FORMAT}"
            ));
        }
        let description: Self = serde_json::from_str(text).map_err(broken)?;
        let layers = description.layers.len();
        if layers > MOST_LAYERS {
            return Err(format!(
                "it describes {layers} layers, of which there may be {MOST_LAYERS}"
            ));
        }
        Ok(description)
    }
}

impl SettingEntry {
    fn of(setting: &Setting) -> Self {
        match setting {
            &Setting::Number(value)
                if value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value) =>
            {
                SettingEntry::Count(value as u32)
            }
            &Setting::Number(value) => SettingEntry::Number(value),
            Setting::Sizes(sizes) => SettingEntry::Sizes(sizes.clone()),
        }
    }

    fn to_setting(&self) -> Setting {
        match self {
            &SettingEntry::Count(count) => Setting::Number(count.into()),
            &SettingEntry::Number(value) => Setting::Number(value),
            SettingEntry::Sizes(sizes) => Setting::Sizes(sizes.clone()),
        }
    }
}

impl LayerEntry {
    pub(super) fn options(&self) -> BTreeMap<String, Setting> {
        let options = self.options.iter();
        options
            .map(|(name, entry)| (name.clone(), entry.to_setting()))
            .collect()
    }
}

impl SchemaEntry {
    pub(super) fn of<T: Element>(schema: &Schema<T>) -> Self {
        SchemaEntry {
            task: match schema.task {
                Task::Regression => TaskEntry::Regression,
                Task::Classification => TaskEntry::Classification,
            },
            features: schema.features,
            feature_names: schema.feature_names.clone(),
            scaling: match &schema.scaling {
                Scaling::None => ScalingEntry::None,
                Scaling::Pixels => ScalingEntry::Pixels,
                Scaling::Normalized(normalization) => ScalingEntry::Normalized(Scales::of(normalization)),
            },
            imputation: schema.imputation.as_ref().map(to_f64),
            outputs: schema.outputs,
            target_names: schema.target_names.clone(),
            labels: schema.labels.clone(),
            target_normalization: schema.target_normalization.as_ref().map(Scales::of),
            layout: LayoutEntry {
                width: schema.layout.width,
                features: schema.layout.features.clone(),
                targets: schema.layout.targets.clone(),
            },
        }
    }

    /// The schema, checked.
    pub(super) fn into_schema<T: Element>(self) -> Result<Schema<T>> {
        let schema = Schema {
            task: match self.task {
                TaskEntry::Regression => Task::Regression,
                TaskEntry::Classification => Task::Classification,
            },
            features: self.features,
            feature_names: self.feature_names,
            scaling: match self.scaling {
                ScalingEntry::None => Scaling::None,
                ScalingEntry::Pixels => Scaling::Pixels,
                ScalingEntry::Normalized(scales) => Scaling::Normalized(scales.into_normalization()?),
            },
            imputation: self.imputation.map(from_f64),
            outputs: self.outputs,
            target_names: self.target_names,
            labels: self.labels,
            target_normalization: self
                .target_normalization
                .map(Scales::into_normalization)
                .transpose()?,
            layout: Layout {
                width: self.layout.width,
                features: self.layout.features,
                targets: self.layout.targets,
            },
        };
        schema.check()?;
        Ok(schema)
    }
}

impl Scales {
    fn of<T: Element>(normalization: &Normalization<T>) -> Self {
        Scales {
            means: to_f64(normalization.means()),
            deviations: to_f64(normalization.deviations()),
        }
    }

    fn into_normalization<T: Element>(self) -> Result<Normalization<T>> {
        Normalization::new(from_f64(self.means), from_f64(self.deviations))
    }
}

/// Exact, both ways.
fn to_f64<'a, T: Element>(values: impl IntoIterator<Item = &'a T>) -> Vec<f64> {
    values.into_iter().map(|value| value.as_f64()).collect()
}

fn from_f64<T: Element>(values: Vec<f64>) -> Vec<T> {
    values.into_iter().map(T::from_f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use ndarray::array;

    fn problem(text: &str) -> String {
        Description::<()>::parse(text).unwrap_err()
    }

    #[test]
    fn schemas_come_back_exactly() {
        let raw = Dataset::regression(array![[0.1_f32, 1.0], [0.7, 3.0]], array![[1e-20], [2e20]]).unwrap();
        let mut schema = Schema::of(&raw).normalized(&raw).unwrap();
        schema = schema.named(&["a", "\u{1}\"é"], &["y"], &[]).unwrap();
        schema.imputation = Some(vec![0.3, 1e-40]);
        let text = serde_json::to_string(&SchemaEntry::of(&schema)).unwrap();
        let back: SchemaEntry = serde_json::from_str(&text).unwrap();
        assert_eq!(back.into_schema::<f32>().unwrap(), schema);

        let classes = Dataset::classification(array![[1.0], [2.0]], vec![0, 1], 2).unwrap();
        let schema = Schema::of(&classes);
        let back = SchemaEntry::of(&schema).into_schema::<f64>().unwrap();
        assert_eq!(back, schema);
    }

    #[test]
    fn odd_descriptions_are_refused() {
        let layers = r#"{"kind":"ReLU"},"#.repeat(MOST_LAYERS + 1);
        let many = format!(
            r#"{{"format":1,"precision":"f32","inputs":1,"layers":[{}]}}"#,
            layers.trim_end_matches(',')
        );
        for (text, part) in [
            ("", "cannot be read"),
            ("[1]", "cannot be read"),
            ("{}", "missing field `format`"),
            (r#"{"format":2}"#, "format 2, and this version of mfnet reads 1"),
            (
                r#"{"format":1,"precision":"f16","inputs":1,"layers":[]}"#,
                "unknown variant",
            ),
            (
                r#"{"format":1,"precision":"f32","inputs":-1,"layers":[]}"#,
                "invalid value",
            ),
            (
                r#"{"format":1,"precision":"f32","inputs":1,"layers":[],"x":1}"#,
                "unknown field `x`",
            ),
            (r#"{"format":1,"format":1}"#, "duplicate field"),
            (many.as_str(), "4097 layers"),
            (r#"{"format":1,"layers":"#, "cannot be read"),
        ] {
            let found = problem(text);
            assert!(found.contains(part), "{found} does not say {part}");
        }
        let deep = format!(r#"{{"format":1,"x":{}"#, "[".repeat(1 << 20));
        assert!(problem(&deep).contains("cannot be read"));
    }
}
