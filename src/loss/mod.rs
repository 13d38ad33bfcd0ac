//! Losses of a network's output, and their gradients, computed in one pass.

mod absolute;
mod binary;
mod class_weights;
mod cross_entropy;
mod huber;
mod mse;
mod output;
mod probability;
mod record;
mod sample_weights;
mod softmax;
mod sums;
mod table;

use std::fmt;

use ndarray::{ArrayView2, ArrayViewMut2};

pub use absolute::AbsoluteLoss;
pub use binary::{BinaryCrossEntropyLoss, balanced_positive_weights, sigmoid};
pub use class_weights::balanced_class_weights;
pub use cross_entropy::CrossEntropyLoss;
pub use huber::HuberLoss;
pub use mse::MseLoss;
pub use output::Output;
pub use probability::ProbabilityCrossEntropyLoss;
pub use record::LossRecord;
pub(crate) use sample_weights::evaluate_weighted;
use sample_weights::{Weight, one_by_one};
pub use softmax::softmax;
pub use table::{LossOptions, by_name, names};

pub use crate::data::TargetsView;

use crate::data::Targets;
use crate::element::Element;
use crate::error::Result;

/// The reduction of a loss: how the losses of a batch's samples become one number, and their gradients one gradient.
///
/// The report writes the mean, and made its MNIST figures with the gradient of the sum: with batches of 1024 and the
/// same learning rate, a step 1024 times as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum Reduction {
    /// The mean over the batch's samples: the default.
    #[default]
    Mean,
    /// The gradient of the sum over the batch's samples; the loss that is reported stays the mean.
    Sum,
}

impl Reduction {
    /// The reduction as a [setting](Loss::settings).
    fn setting(self) -> (&'static str, String) {
        let name = match self {
            Reduction::Mean => "mean",
            Reduction::Sum => "sum",
        };
        ("reduction", name.to_owned())
    }

    /// The factor for the gradient of each sample in a batch of `samples`.
    pub(crate) fn scale(self, samples: usize) -> f64 {
        match self {
            Reduction::Mean => 1.0 / samples as f64,
            Reduction::Sum => 1.0,
        }
    }
}

/// Defines the builder method of the reduction, which each loss has.
macro_rules! with_reduction {
    ($loss:ty) => {
        impl $loss {
            /// Sets the reduction.
            pub fn with_reduction(mut self, reduction: Reduction) -> Self {
                self.reduction = reduction;
                self
            }
        }
    };
}

use with_reduction;

/// A loss of a network's output, and its gradient.
pub trait Loss<T: Element>: fmt::Debug + Send + Sync {
    /// The name of the loss, such as `"MSE"`.
    fn name(&self) -> &'static str;

    /// The reduction over the samples of a batch.
    fn reduction(&self) -> Reduction;

    /// The kind of output that the loss expects. A network with another output is refused before the first step.
    ///
    /// [`Output::Any`] by default.
    fn expects(&self) -> Output {
        Output::Any
    }

    /// The name in the [table of losses](names) and the options by which [`by_name`] creates this loss again; a model file
    /// records them.
    ///
    /// `None` by default: a loss of your own is not in the table.
    fn options(&self) -> Option<(&'static str, LossOptions)> {
        None
    }

    /// The options that decide the loss, as names and values: `("reduction", "mean")`. A checkpoint stores them, and is
    /// resumed with the same only.
    ///
    /// The reduction alone by default.
    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![self.reduction().setting()]
    }

    /// Refuses targets for which the loss is not defined; accepts all by default.
    ///
    /// # Errors
    ///
    /// As documented by the loss.
    fn check(&self, _targets: &Targets<T>) -> Result<()> {
        Ok(())
    }

    /// Returns the sum of the losses of a shard's samples. If `delta` is given, it is overwritten with `scale` times the
    /// gradient of each sample.
    ///
    /// # Shapes
    ///
    /// output and delta: p x m, without the bias row; targets: p x m, or m labels below p; `scale`: 1/m of the whole
    /// batch, or 1, by [`Loss::reduction`]
    fn evaluate(
        &self,
        output: ArrayView2<'_, T>,
        targets: TargetsView<'_, T>,
        scale: T,
        delta: Option<ArrayViewMut2<'_, T>>,
    ) -> f64;

    /// As [`Loss::evaluate`], with the loss and the gradient of each sample times its weight, which `weight` returns for the
    /// sample's place in the shard. A sample of weight 0 counts as nothing, whatever its loss.
    ///
    /// By default, this calls [`Loss::evaluate`] for each sample, which takes time; the losses of this crate take one pass.
    ///
    /// # Shapes
    ///
    /// As [`Loss::evaluate`]
    fn evaluate_weighted(
        &self,
        output: ArrayView2<'_, T>,
        targets: TargetsView<'_, T>,
        weight: &dyn Fn(usize) -> T,
        scale: T,
        delta: Option<ArrayViewMut2<'_, T>>,
    ) -> f64 {
        one_by_one(self, output, targets, weight, scale, delta)
    }
}
