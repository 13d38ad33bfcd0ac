//! The JSON description beside the tensors: the layers, the schema of the data, and the state of a training.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::header::shown;
use super::{Record, Setting};
use crate::data::Schema;
use crate::element::Element;
use crate::loss::LossRecord;

/// The description's key in the file's metadata.
pub(super) const KEY: &str = "mfnet";

/// The version of the description; readers refuse others.
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

/// The description of a file; `S` is the state of a training in a checkpoint.
#[derive(Debug, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    bound(
        serialize = "T: Element, S: Serialize",
        deserialize = "T: Element, S: Deserialize<'de>"
    )
)]
pub(super) struct Description<T, S> {
    format: u32,
    pub(super) precision: Precision,
    pub(super) inputs: usize,
    pub(super) layers: Vec<LayerEntry>,
    /// `None` for a network without a schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) schema: Option<Schema<T>>,
    /// `None` where the loss of the training is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) loss: Option<LossRecord>,
    /// `None` in a file that is no checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) training: Option<S>,
}

/// A layer or an activation.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerEntry {
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) options: BTreeMap<String, Setting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<u64>,
}

impl<T: Element, S> Description<T, S> {
    /// A description of these layers.
    pub(super) fn new(inputs: usize, records: &[Record<T>]) -> Self {
        let entry = |record: &Record<T>| LayerEntry {
            kind: record.kind.to_owned(),
            options: record.options.clone(),
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
            loss: None,
            training: None,
        }
    }
}

impl<T: Element, S: DeserializeOwned> Description<T, S> {
    /// Parses a description; an error says what is wrong with it.
    pub(super) fn parse(text: &str) -> std::result::Result<Self, String> {
        /// The part that all versions of the description share.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use ndarray::array;

    fn problem(text: &str) -> String {
        Description::<f64, ()>::parse(text).unwrap_err()
    }

    #[test]
    fn schemas_come_back_exactly() {
        let raw = Dataset::regression(array![[0.1_f32, 1.0], [0.7, 3.0]], array![[1e-20], [2e20]]).unwrap();
        let mut schema = Schema::of(&raw).normalized(&raw).unwrap();
        schema = schema.named(&["a", "\u{1}\"é"], &["y"], &[]).unwrap();
        schema.imputation = Some(vec![0.3, 1e-40]);
        let text = serde_json::to_string(&schema).unwrap();
        assert!(
            text.contains(r#""means":[0.4000000059604645,2.0]"#),
            "in f64: {text}"
        );
        assert_eq!(serde_json::from_str::<Schema<f32>>(&text).unwrap(), schema);
        let broken = text.replacen(r#""deviations":["#, r#""deviations":[-1,"#, 1);
        let error = serde_json::from_str::<Schema<f32>>(&broken).unwrap_err();
        assert!(
            error.to_string().contains("deviations, as there are means"),
            "{error}"
        );

        let classes = Dataset::classification(array![[1.0], [2.0]], vec![0, 1], 2).unwrap();
        let schema = Schema::of(&classes);
        let text = serde_json::to_string(&schema).unwrap();
        assert_eq!(serde_json::from_str::<Schema<f64>>(&text).unwrap(), schema);
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
