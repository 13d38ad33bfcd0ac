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
    /// Probabilities: a network that ends in a [`Softmax`](crate::layer::Softmax), or in an activation of your own that
    /// [gives probabilities](crate::layer::Activation::gives_probabilities).
    Probabilities,
}

impl Output {
    /// Refuses a network whose output, probabilities or not, is of another kind.
    pub(crate) fn check(self, operation: &str, loss: &str, is_probabilities: bool) -> Result<()> {
        let problem = match (self, is_probabilities) {
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
