//! Export of models as ONNX files, for predictions with other programs.

mod graph;
mod messages;

use std::path::Path;

use ndarray::{Array1, ArrayD};
use prost::Message;

use self::graph::{Chain, data_type, integer, value};
use self::messages::{DataType, OperatorSet, Property};
use super::tensors::refuse_not_finite;
use super::{Model, OutputKind, Registry};
use crate::atomic;
use crate::data::{Scaling, Schema, TargetTransform, Task};
use crate::element::Element;
use crate::error::{Error, Result};

/// The versions of the format and of its operators, from 2022: every reader in use knows them.
const IR_VERSION: i64 = 8;
const OPERATOR_SET: i64 = 17;

/// The largest size of a protocol buffer, in bytes.
const LONGEST: usize = i32::MAX as usize;

/// Writes a model; see [`Model::export_onnx_with`].
pub(super) fn export<T: Element>(model: &Model<T>, path: &Path, registry: &Registry<T>) -> Result<()> {
    let (schema, mut chain) = (model.schema(), Chain::new("input"));
    prepare(&mut chain, schema);
    for (index, record) in model.network().records_with(registry)?.iter().enumerate() {
        for tensor in &record.tensors {
            refuse_not_finite(&format!("{index}.{}", tensor.name), &tensor.values)?;
        }
        chain.layer(index, record)?;
    }
    if let Some(scales) = &schema.target_normalization {
        chain.constant("target.deviations", &vector(scales.deviations()));
        chain.constant("target.means", &vector(scales.means()));
        chain.push("Mul", &["target.deviations"], Vec::new());
        chain.push("Add", &["target.means"], Vec::new());
    }
    match schema.target_transform {
        TargetTransform::None => {}
        TargetTransform::Log => chain.push("Exp", &[], Vec::new()),
        TargetTransform::Log1p => {
            chain.constant("target.one", &ArrayD::from_elem(vec![], T::one()));
            chain.push("Exp", &[], Vec::new());
            chain.push("Sub", &["target.one"], Vec::new());
        }
    }
    chain.name_end("output");
    let kind = data_type::<T>();
    let mut outputs = vec![value("output", kind, Some(schema.outputs))];
    if schema.task == Task::Binary {
        chain.node("Sigmoid", ["output"], "probabilities", Vec::new());
        outputs.push(value("probabilities", kind, Some(schema.outputs)));
        chain.constant("zero", &ArrayD::from_elem(vec![], T::zero()));
        chain.node("Greater", ["output", "zero"], "is_yes", Vec::new());
        let to_integers = vec![integer("to", DataType::Int64 as i64)];
        chain.node("Cast", ["is_yes"], "label", to_integers);
        outputs.push(value("label", DataType::Int64, Some(schema.outputs)));
    }
    if schema.task == Task::Classification {
        let keep_no_axis = vec![integer("axis", 1), integer("keepdims", 0)];
        let softmax = match model.output_kind() {
            OutputKind::Logits => Some(("Softmax", vec![integer("axis", 1)])),
            OutputKind::Probabilities => Some(("Identity", Vec::new())),
            OutputKind::Scores | OutputKind::Numbers | OutputKind::BinaryLogits => None,
        };
        if let Some((operator, attributes)) = softmax {
            chain.node(operator, ["output"], "probabilities", attributes);
            outputs.push(value("probabilities", kind, Some(schema.outputs)));
        }
        chain.node("ArgMax", ["output"], "label", keep_no_axis);
        outputs.push(value("label", DataType::Int64, None));
    }
    let file = messages::Model {
        ir_version: IR_VERSION,
        producer_name: env!("CARGO_PKG_NAME").to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(chain.into_graph(value("input", kind, Some(schema.features)), outputs)),
        opset_import: vec![OperatorSet {
            domain: String::new(),
            version: OPERATOR_SET,
        }],
        metadata_props: properties(schema),
    };
    if file.encoded_len() > LONGEST {
        let problem = format_args!(
            "it takes {} bytes, and such a file holds {LONGEST}",
            file.encoded_len()
        );
        return Err(Error::data("the model as an ONNX file", problem));
    }
    atomic::write(path, &file.encode_to_vec())
}

/// Adds the operators that impute and scale raw features, and encode categories.
fn prepare<T: Element>(chain: &mut Chain, schema: &Schema<T>) {
    if let Some(imputation) = &schema.imputation {
        let input = chain.end();
        chain.constant("input.imputation", &vector(&Array1::from(imputation.clone())));
        chain.push("IsNaN", &[], Vec::new());
        chain.push("Where", &["input.imputation", &input], Vec::new());
    }
    match &schema.scaling {
        Scaling::None => {}
        Scaling::Pixels => {
            chain.constant("input.largest", &ArrayD::from_elem(vec![], T::from_u8(u8::MAX)));
            chain.push("Div", &["input.largest"], Vec::new());
        }
        Scaling::Normalized(scales) => {
            chain.constant("input.means", &vector(scales.means()));
            chain.constant("input.deviations", &vector(scales.deviations()));
            chain.push("Sub", &["input.means"], Vec::new());
            chain.push("Div", &["input.deviations"], Vec::new());
        }
    }
    if !schema.categories.is_empty() {
        encode(chain, schema);
    }
}

/// Adds the operators that encode categories: each input of the network takes its feature, and where that has categories,
/// whether it is the input's.
fn encode<T: Element>(chain: &mut Chain, schema: &Schema<T>) {
    let (mut features, mut categories, mut are_categories) = (Vec::new(), Vec::new(), Vec::new());
    for feature in 0..schema.features {
        let count = schema.categories_of(feature).len();
        for category in 0..count.max(1) {
            features.push(feature as i64);
            categories.push(T::from_f64(category as f64));
            are_categories.push(count > 0);
        }
    }
    chain.integers("input.features", &features);
    chain.constant("input.categories", &vector(&Array1::from(categories)));
    chain.flags("input.are_categories", &are_categories);
    chain.push("Gather", &["input.features"], vec![integer("axis", 1)]);
    let numbers = chain.end();
    chain.push("Equal", &["input.categories"], Vec::new());
    chain.push("Cast", &[], vec![integer("to", data_type::<T>() as i64)]);
    let indicators = chain.end();
    chain.node(
        "Where",
        ["input.are_categories", indicators.as_str(), numbers.as_str()],
        "input.encoded",
        Vec::new(),
    );
    chain.continue_from("input.encoded");
}

fn vector<T: Element>(values: &Array1<T>) -> ArrayD<T> {
    values.clone().into_dyn()
}

/// Returns the names of features, targets and classes as metadata, lists as JSON.
fn properties<T: Element>(schema: &Schema<T>) -> Vec<Property> {
    let list = |names: &[String]| serde_json::Value::from(names).to_string();
    let properties = [
        ("task", schema.task.to_string()),
        ("features", list(&schema.feature_names)),
        (
            "categories",
            serde_json::Value::from(schema.categories.clone()).to_string(),
        ),
        ("targets", list(&schema.target_names)),
        ("labels", list(&schema.labels)),
        (
            "answers",
            serde_json::Value::from_iter(schema.answers.iter().map(|answers| answers.to_vec())).to_string(),
        ),
    ];
    let property = |(key, value): (&str, String)| Property {
        key: key.to_owned(),
        value,
    };
    properties.map(property).into()
}
