//! The table of the losses, by the names that users write.

use std::mem::take;

use super::{
    AbsoluteLoss, BinaryCrossEntropyLoss, CrossEntropyLoss, HuberLoss, Loss, MseLoss,
    ProbabilityCrossEntropyLoss, Reduction,
};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::names::{self, Named};

/// The options of the losses. A loss created [by name](by_name) refuses options that it does not have.
///
/// Default: the mean, without weights and label smoothing, and the loss's own delta.
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
    /// The [weight of each output's positives](super::BinaryCrossEntropyLoss::positive_weights); empty if all count 1, and
    /// for other losses than the binary cross-entropy.
    #[cfg_attr(feature = "save", serde(skip_serializing_if = "Vec::is_empty"))]
    pub positive_weights: Vec<f64>,
}

impl LossOptions {
    /// The options of a loss that has the reduction alone.
    pub(super) fn of(reduction: Reduction) -> Self {
        LossOptions {
            reduction,
            ..LossOptions::default()
        }
    }

    /// Refuses options, apart from the reduction, that a loss has not taken out.
    fn refuse_rest(&self) -> Result<()> {
        let refused = |option, value: f64, expected| Err(Error::option(option, value, expected));
        if let Some(&weight) = self.class_weights.first() {
            let expected =
                "left out with a loss of numbers, and with bce, which has weights of positives instead";
            return refused("class weight", weight, expected);
        }
        if let Some(&weight) = self.positive_weights.first() {
            return refused("weight of positives", weight, "left out with this loss");
        }
        if self.label_smoothing != 0.0 {
            return refused("label smoothing", self.label_smoothing, "left out with this loss");
        }
        match self.huber_delta {
            Some(delta) => refused("Huber delta", delta, "left out with this loss"),
            None => Ok(()),
        }
    }
}

/// A function that creates a loss with the options that it takes out; the reduction stays.
type Make<T> = fn(&mut LossOptions) -> Box<dyn Loss<T>>;

/// All losses, by the names that users write.
fn table<T: Element>() -> [(Named, Make<T>); 6] {
    [
        (Named::new("mse", "Mean squared error"), |options| {
            Box::new(MseLoss::default().with_reduction(options.reduction))
        }),
        (Named::new("mae", "Mean absolute error, for numbers"), |options| {
            Box::new(AbsoluteLoss::default().with_reduction(options.reduction))
        }),
        (
            Named::new(
                "huber",
                "Squares of small errors and distances of large ones, for numbers",
            ),
            |options| {
                let loss = HuberLoss::default().with_reduction(options.reduction);
                let delta = options.huber_delta.take().unwrap_or(loss.delta);
                Box::new(loss.with_delta(delta))
            },
        ),
        (
            Named::new("cross-entropy", "Cross-entropy of the softmax of the outputs"),
            |options| {
                let loss = CrossEntropyLoss::default().with_reduction(options.reduction);
                let loss = loss.with_label_smoothing(take(&mut options.label_smoothing));
                Box::new(loss.with_class_weights(take(&mut options.class_weights)))
            },
        ),
        (
            Named::new(
                "probability-cross-entropy",
                "Cross-entropy of outputs that are probabilities already",
            ),
            |options| {
                let loss = ProbabilityCrossEntropyLoss::default().with_reduction(options.reduction);
                Box::new(loss.with_class_weights(take(&mut options.class_weights)))
            },
        ),
        (
            Named::new(
                "bce",
                "Binary cross-entropy of the sigmoid of each output, for yes/no targets",
            ),
            |options| {
                let loss = BinaryCrossEntropyLoss::default().with_reduction(options.reduction);
                Box::new(loss.with_positive_weights(take(&mut options.positive_weights)))
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
pub fn by_name<T: Element>(name: &str, mut options: LossOptions) -> Result<Box<dyn Loss<T>>> {
    let (make, _) = names::find("loss", name, &table())?;
    let loss = make(&mut options);
    options.refuse_rest()?;
    Ok(loss)
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
        let error = by_name::<f32>("mse", weighted.clone()).unwrap_err();
        assert!(error.to_string().contains("left out with a loss of numbers"));
        let error = by_name::<f32>("bce", weighted).unwrap_err();
        assert!(
            error.to_string().contains("weights of positives instead"),
            "{error}"
        );
        let smoothed = LossOptions {
            label_smoothing: 0.25,
            ..LossOptions::default()
        };
        let loss = by_name::<f32>("cross-entropy", smoothed.clone()).unwrap();
        assert!(format!("{loss:?}").contains("0.25"), "{loss:?}");
        assert_eq!(loss.options(), Some(("cross-entropy", smoothed.clone())));
        for other in ["mse", "mae", "huber", "probability-cross-entropy", "bce"] {
            assert!(by_name::<f32>(other, smoothed.clone()).is_err());
        }
        let weighted = LossOptions {
            positive_weights: vec![3.0],
            ..LossOptions::default()
        };
        let loss = by_name::<f32>("bce", weighted.clone()).unwrap();
        assert_eq!(loss.options(), Some(("bce", weighted.clone())));
        for named in names().iter().filter(|named| named.name != "bce") {
            assert!(by_name::<f32>(named.name, weighted.clone()).is_err(), "{named}");
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
