//! The kinds of output that losses expect of a network: logits, probabilities, or any numbers.

use crate::error::{Error, Result};

/// The kind of output that a loss expects of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
#[non_exhaustive]
pub enum Output {
    /// Any numbers.
    Any,
    /// Logits, whose softmax the loss itself computes: a network that does not end in a
    /// [`Softmax`](crate::layer::Softmax).
    Logits,
    /// A logit of yes for each output, whose sigmoid the loss itself computes: a network that ends in neither a
    /// [`Sigmoid`](crate::layer::Sigmoid) nor a softmax.
    #[cfg_attr(feature = "save", serde(rename = "binary-logits"))]
    BinaryLogits,
    /// Probabilities: a network that ends in a [`Softmax`](crate::layer::Softmax), or in an activation of your own that
    /// [gives probabilities](crate::layer::Activation::gives_probabilities).
    Probabilities,
}

impl Output {
    /// Refuses a network whose output is of another kind: probabilities or not, and behind an activation of this name or
    /// none.
    pub(crate) fn check(
        self,
        operation: &str,
        loss: &str,
        is_probabilities: bool,
        activation: Option<&str>,
    ) -> Result<()> {
        let problem = match (self, is_probabilities) {
            (Output::BinaryLogits, true) => {
                "expects a logit of yes for each output, and the network ends in a softmax and gives probabilities: leave \
                 out the softmax"
            }
            (Output::BinaryLogits, false) if activation == Some("sigmoid") => {
                "expects a logit of yes for each output, and the network ends in a sigmoid: leave it out, since the loss \
                 computes the sigmoid itself"
            }
            (Output::Logits, true) => {
                "expects logits, and the network ends in a softmax and gives probabilities: take the \
                 ProbabilityCrossEntropyLoss, or leave out the softmax"
            }
            (Output::Probabilities, false) => {
                "expects probabilities, and the network does not end in a softmax and gives logits: take the \
                 CrossEntropyLoss, or add a softmax"
            }
            _ => return Ok(()),
        };
        Err(Error::data(operation, format_args!("the loss {loss} {problem}")))
    }
}
