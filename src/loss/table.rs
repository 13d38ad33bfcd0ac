//! The table of the losses, by the names that users write.

use super::{
    AbsoluteLoss, CrossEntropyLoss, HuberLoss, Loss, MseLoss, ProbabilityCrossEntropyLoss, Reduction,
};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::names::{self, Named};

/// The options of the losses. A loss created [by name](by_name) refuses options that it does not have.
///
/// Default: the mean, without class weights and label smoothing, and the loss's own delta.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
#[non_exhaustive]
pub struct LossOptions {
    /// The reduction over a batch.
    pub reduction: Reduction,
    /// The weight of each class; empty if all count 1. For losses of classes.
    pub class_weights: Vec<f64>,
    /// The part of the targets that is spread over all classes; 0 for none. For losses of logits.
    pub label_smoothing: f64,
    /// The [delta](super::HuberLoss::delta) of the Huber loss, in the unit of the targets; `None` for its default of 1, and
    /// for other losses.
    #[cfg_attr(feature = "save", serde(skip_serializing_if = "Option::is_none"))]
    pub huber_delta: Option<f64>,
}

impl LossOptions {
    /// Refuses label smoothing.
    fn without_smoothing(self) -> Result<Self> {
        match self.label_smoothing {
            0.0 => Ok(self),
            part => Err(Error::option("label smoothing", part, "left out with this loss")),
        }
    }

    /// Refuses the delta of the Huber loss.
    fn without_delta(self) -> Result<Self> {
        match self.huber_delta {
            None => Ok(self),
            Some(delta) => Err(Error::option("Huber delta", delta, "left out with this loss")),
        }
    }

    /// Refuses class weights.
    fn without_class_weights(self) -> Result<Self> {
        match self.class_weights.first() {
            None => Ok(self),
            Some(weight) => Err(Error::option(
                "class weight",
                weight,
                "left out with a loss of numbers",
            )),
        }
    }
}

/// A function that creates a loss with these options.
type Make<T> = fn(LossOptions) -> Result<Box<dyn Loss<T>>>;

/// All losses, by the names that users write.
fn table<T: Element>() -> [(Named, Make<T>); 5] {
    [
        (Named::new("mse", "Mean squared error"), |options| {
            let options = options
                .without_class_weights()?
                .without_smoothing()?
                .without_delta()?;
            Ok(Box::new(MseLoss::default().with_reduction(options.reduction)))
        }),
        (Named::new("mae", "Mean absolute error, for numbers"), |options| {
            let options = options
                .without_class_weights()?
                .without_smoothing()?
                .without_delta()?;
            Ok(Box::new(
                AbsoluteLoss::default().with_reduction(options.reduction),
            ))
        }),
        (
            Named::new(
                "huber",
                "Squares of small errors and distances of large ones, for numbers",
            ),
            |options| {
                let options = options.without_class_weights()?.without_smoothing()?;
                let loss = HuberLoss::default().with_reduction(options.reduction);
                let delta = options.huber_delta.unwrap_or(loss.delta);
                Ok(Box::new(loss.with_delta(delta)))
            },
        ),
        (
            Named::new("cross-entropy", "Cross-entropy of the softmax of the outputs"),
            |options| {
                let options = options.without_delta()?;
                let loss = CrossEntropyLoss::default().with_reduction(options.reduction);
                let loss = loss.with_label_smoothing(options.label_smoothing);
                Ok(Box::new(loss.with_class_weights(options.class_weights)))
            },
        ),
        (
            Named::new(
                "probability-cross-entropy",
                "Cross-entropy of outputs that are probabilities already",
            ),
            |options| {
                let options = options.without_smoothing()?.without_delta()?;
                let loss = ProbabilityCrossEntropyLoss::default().with_reduction(options.reduction);
                Ok(Box::new(loss.with_class_weights(options.class_weights)))
            },
        ),
    ]
}

/// The names of all losses.
pub fn names() -> Vec<Named> {
    table::<f32>().map(|(named, _)| named).to_vec()
}

/// Creates the loss of this name, with these options.
///
/// # Errors
///
/// [`Error::InvalidData`] for an unknown name, with the known ones; [`Error::InvalidOption`] for an option that the loss
/// does not have.
///
/// ```
/// use mfnet::loss::{self, LossOptions};
///
/// let loss = loss::by_name::<f64>("cross-entropy", LossOptions::default())?;
/// assert_eq!(loss.name(), "cross-entropy");
/// assert!(loss::by_name::<f64>("cross", LossOptions::default()).is_err());
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn by_name<T: Element>(name: &str, options: LossOptions) -> Result<Box<dyn Loss<T>>> {
    let (make, _) = names::find("loss", name, &table())?;
    make(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_makes_a_loss_with_its_options() {
        let options = LossOptions {
            reduction: Reduction::Sum,
            ..LossOptions::default()
        };
        for named in names() {
            let loss = by_name::<f32>(named.name, options.clone()).unwrap();
            assert_eq!(loss.reduction(), Reduction::Sum, "{named}");
            let (name, recorded) = loss.options().unwrap();
            let again = by_name::<f32>(name, recorded).unwrap();
            assert_eq!(format!("{again:?}"), format!("{loss:?}"), "{named}");
        }
        let weighted = LossOptions {
            class_weights: vec![1.0, 2.0],
            ..LossOptions::default()
        };
        let loss = by_name::<f32>("cross-entropy", weighted.clone()).unwrap();
        assert!(format!("{loss:?}").contains("[1.0, 2.0]"), "{loss:?}");
        assert_eq!(loss.options(), Some(("cross-entropy", weighted.clone())));
        let error = by_name::<f32>("mse", weighted).unwrap_err();
        assert!(error.to_string().contains("left out with a loss of numbers"));
        let smoothed = LossOptions {
            label_smoothing: 0.25,
            ..LossOptions::default()
        };
        let loss = by_name::<f32>("cross-entropy", smoothed.clone()).unwrap();
        assert!(format!("{loss:?}").contains("0.25"), "{loss:?}");
        assert_eq!(loss.options(), Some(("cross-entropy", smoothed.clone())));
        for other in ["mse", "mae", "huber", "probability-cross-entropy"] {
            assert!(by_name::<f32>(other, smoothed.clone()).is_err());
        }
        let robust = LossOptions {
            huber_delta: Some(0.5),
            ..LossOptions::default()
        };
        let loss = by_name::<f32>("huber", robust.clone()).unwrap();
        assert_eq!(loss.options(), Some(("huber", robust.clone())));
        for named in names().iter().filter(|named| named.name != "huber") {
            let error = by_name::<f32>(named.name, robust.clone())
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("Huber delta = 0.5: it must be left out"),
                "{error}"
            );
        }
    }
}
