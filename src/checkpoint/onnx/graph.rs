//! The graph of an ONNX file: nodes that read named values and return named values.

use ndarray::{ArrayD, Dimension as _};
use safetensors::Dtype;

use super::messages::{
    Attribute, AttributeType, DataType, Dimension, Graph, Node, Shape, Tensor, TensorType, Type, Value,
};
use crate::checkpoint::number::{dtype_of, write_numbers};
use crate::checkpoint::{self, Operand, Record};
use crate::element::Element;
use crate::error::{Error, Result};

/// A graph under construction: a chain of nodes, each of which reads the result of the one before.
#[derive(Debug)]
pub(super) struct Chain {
    nodes: Vec<Node>,
    constants: Vec<Tensor>,
    /// The name of the last node's result.
    end: String,
}

impl Chain {
    /// Returns a chain without nodes that begins with this value.
    pub(super) fn new(start: &str) -> Self {
        Chain {
            nodes: Vec::new(),
            constants: Vec::new(),
            end: start.to_owned(),
        }
    }

    /// Adds a node whose inputs are the last result and these operands; its result becomes the last one.
    pub(super) fn push(&mut self, kind: &str, operands: &[&str], attributes: Vec<Attribute>) {
        let end = self.end.clone();
        let inputs = std::iter::once(end.as_str()).chain(operands.iter().copied());
        let output = format!("value{}", self.nodes.len());
        self.node(kind, inputs, &output, attributes);
        self.end = output;
    }

    /// Adds a node with this output; the last result stays the same.
    pub(super) fn node<'a>(
        &mut self,
        kind: &str,
        inputs: impl IntoIterator<Item = &'a str>,
        output: &str,
        attributes: Vec<Attribute>,
    ) {
        self.nodes.push(Node {
            input: inputs.into_iter().map(str::to_owned).collect(),
            output: vec![output.to_owned()],
            name: format!("{kind}{}", self.nodes.len()),
            op_type: kind.to_owned(),
            attribute: attributes,
        });
    }

    /// Adds a constant.
    pub(super) fn constant<T: Element>(&mut self, name: &str, values: &ArrayD<T>) {
        let mut raw_data = Vec::with_capacity(size_of::<T>() * values.len());
        write_numbers(values.iter(), &mut raw_data).expect("a list takes all that is written");
        self.constants.push(Tensor {
            dims: values.raw_dim().slice().iter().map(|&size| size as i64).collect(),
            data_type: data_type::<T>() as i32,
            name: name.to_owned(),
            raw_data,
        });
    }

    /// Lets the next node read this value.
    pub(super) fn continue_from(&mut self, name: &str) {
        self.end = name.to_owned();
    }

    /// Adds a constant list of truth values.
    pub(super) fn flags(&mut self, name: &str, values: &[bool]) {
        self.constants.push(Tensor {
            dims: vec![values.len() as i64],
            data_type: DataType::Bool as i32,
            name: name.to_owned(),
            raw_data: values.iter().map(|&value| u8::from(value)).collect(),
        });
    }

    /// Adds a constant list of integers.
    pub(super) fn integers(&mut self, name: &str, values: &[i64]) {
        self.constants.push(Tensor {
            dims: vec![values.len() as i64],
            data_type: DataType::Int64 as i32,
            name: name.to_owned(),
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        });
    }

    /// Adds the operators of a layer, except `Identity`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a layer without operators, or an operator that reads a tensor that the record lacks.
    pub(super) fn layer<T: Element>(&mut self, index: usize, record: &Record<T>) -> Result<()> {
        let refused = |problem: String| {
            Err(Error::data(
                format_args!("layer {index}, {}", record.kind),
                problem,
            ))
        };
        if record.operators.is_empty() {
            return refused("its record has no ONNX operators, so that it cannot be exported".to_owned());
        }
        for tensor in &record.tensors {
            self.constant(&format!("{index}.{}", tensor.name), &tensor.values);
        }
        let start = self.end();
        for operator in record
            .operators
            .iter()
            .filter(|operator| operator.kind != "Identity")
        {
            let mut names = Vec::new();
            for operand in &operator.operands {
                names.push(match operand {
                    Operand::Tensor(name) => {
                        if !record.tensors.iter().any(|tensor| tensor.name == *name) {
                            let reads = operator.kind;
                            return refused(format!(
                                "{reads} reads the tensor `{name}`, which its record does not have"
                            ));
                        }
                        format!("{index}.{name}")
                    }
                    Operand::LayerInput => start.clone(),
                    Operand::Number(number) => {
                        let name = format!("constant{}", self.constants.len());
                        self.constant(&name, &ArrayD::from_elem(vec![], T::from_f64(*number)));
                        name
                    }
                    Operand::Integers(values) => {
                        let name = format!("constant{}", self.constants.len());
                        self.integers(&name, values);
                        name
                    }
                });
            }
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let attributes = operator
                .attributes
                .iter()
                .map(|(name, value)| attribute(name, value));
            self.push(operator.kind, &names, attributes.collect());
        }
        Ok(())
    }

    /// Renames the last result.
    pub(super) fn name_end(&mut self, name: &str) {
        match self.nodes.last_mut() {
            Some(node) => node.output = vec![name.to_owned()],
            None => self.node("Identity", [self.end.clone().as_str()], name, Vec::new()),
        }
        self.end = name.to_owned();
    }

    /// Returns the name of the last result.
    pub(super) fn end(&self) -> String {
        self.end.clone()
    }

    /// Returns the graph with these inputs and outputs.
    pub(super) fn into_graph(self, input: Value, output: Vec<Value>) -> Graph {
        Graph {
            node: self.nodes,
            name: "mfnet".to_owned(),
            initializer: self.constants,
            input: vec![input],
            output,
        }
    }
}

/// Returns an integer attribute.
pub(super) fn integer(name: &str, value: i64) -> Attribute {
    attribute(name, &checkpoint::Attribute::Integer(value))
}

fn attribute(name: &str, value: &checkpoint::Attribute) -> Attribute {
    let named = |kind: AttributeType| Attribute {
        name: name.to_owned(),
        r#type: kind as i32,
        ..Attribute::default()
    };
    match value {
        checkpoint::Attribute::Integer(value) => Attribute {
            i: Some(*value),
            ..named(AttributeType::Int)
        },
        checkpoint::Attribute::Integers(values) => Attribute {
            ints: values.clone(),
            ..named(AttributeType::Ints)
        },
        checkpoint::Attribute::Float(value) => Attribute {
            f: Some(*value),
            ..named(AttributeType::Float)
        },
    }
}

/// Describes a value of this name for N samples: N x `columns`, or, without columns, one number for each sample.
pub(super) fn value(name: &str, kind: DataType, columns: Option<usize>) -> Value {
    let samples = Dimension {
        dim_param: Some("N".to_owned()),
        ..Dimension::default()
    };
    let columns = columns.map(|columns| Dimension {
        dim_value: Some(columns as i64),
        ..Dimension::default()
    });
    let shape = Shape {
        dim: std::iter::once(samples).chain(columns).collect(),
    };
    let tensor_type = TensorType {
        elem_type: kind as i32,
        shape: Some(shape),
    };
    Value {
        name: name.to_owned(),
        r#type: Some(Type {
            tensor_type: Some(tensor_type),
        }),
    }
}

/// Returns ONNX's type for the numbers of a network.
pub(super) fn data_type<T: Element>() -> DataType {
    match dtype_of::<T>() {
        Dtype::F32 => DataType::Float,
        _ => DataType::Double,
    }
}
