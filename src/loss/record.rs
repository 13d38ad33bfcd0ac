//! The record of the loss that a model was trained with: its name and its options, to be saved with the model.

use std::fmt;

use super::{Loss, LossOptions, Output, by_name};
use crate::element::Element;
use crate::error::Result;

/// The record of a loss: its name and its options.
///
/// ```
/// use mfnet::CrossEntropyLoss;
/// use mfnet::loss::LossRecord;
///
/// let loss = CrossEntropyLoss::default().with_class_weights(vec![1.0, 3.0]);
/// let record = LossRecord::of::<f64>(&loss);
/// assert_eq!(record.to_string(), "cross-entropy, weighted by class");
/// assert_eq!(record.loss::<f64>()?.map(|loss| loss.name()), Some("cross-entropy"));
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[non_exhaustive]
pub struct LossRecord {
    /// The name in the [table of losses](super::names), or the [name](Loss::name) of a loss of your own.
    pub name: String,
    /// The kind of output that the loss expects of a network.
    pub expects: Output,
    /// The options; `None` for a loss of your own, which cannot be created from its record.
    pub options: Option<LossOptions>,
}

impl LossRecord {
    /// Returns the record of a loss.
    pub fn of<T: Element>(loss: &dyn Loss<T>) -> Self {
        let (name, options) = match loss.options() {
            Some((name, options)) => (name, Some(options)),
            None => (loss.name(), None),
        };
        LossRecord {
            name: name.to_owned(),
            expects: loss.expects(),
            options,
        }
    }

    /// Creates the loss again; `None` for a loss of your own.
    ///
    /// # Errors
    ///
    /// As [`by_name`].
    pub fn loss<T: Element>(&self) -> Result<Option<Box<dyn Loss<T>>>> {
        let create = |options: &LossOptions| by_name(&self.name, options.clone());
        self.options.as_ref().map(create).transpose()
    }

    /// The weight of each class; empty if all count 1.
    pub fn class_weights(&self) -> &[f64] {
        self.options
            .as_ref()
            .map_or(&[], |options| &options.class_weights)
    }
}

impl fmt::Display for LossRecord {
    /// Writes the name and the options that change the value of the loss.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if !self.class_weights().is_empty() {
            f.write_str(", weighted by class")?;
        }
        let Some(options) = &self.options else {
            return Ok(());
        };
        if !options.positive_weights.is_empty() {
            f.write_str(", weighted positives")?;
        }
        if options.label_smoothing > 0.0 {
            write!(f, ", label smoothing {}", options.label_smoothing)?;
        }
        match options.huber_delta {
            Some(delta) => write!(f, ", delta {delta}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{CrossEntropyLoss, HuberLoss, names};

    #[test]
    fn losses_are_created_again() {
        for named in names() {
            let loss = by_name::<f32>(named.name, LossOptions::default()).unwrap();
            let record = LossRecord::of(&*loss);
            assert_eq!(
                (record.name.as_str(), record.expects),
                (named.name, loss.expects())
            );
            let again = record.loss::<f32>().unwrap().unwrap();
            assert_eq!(format!("{again:?}"), format!("{loss:?}"));
        }
    }

    #[test]
    fn the_text_names_all_that_changes_the_value() {
        let loss = CrossEntropyLoss::default()
            .with_class_weights(vec![1.0, 2.0])
            .with_label_smoothing(0.1);
        assert_eq!(
            LossRecord::of::<f32>(&loss).to_string(),
            "cross-entropy, weighted by class, label smoothing 0.1"
        );
        let loss = HuberLoss::default().with_delta(0.5);
        assert_eq!(LossRecord::of::<f32>(&loss).to_string(), "huber, delta 0.5");
    }
}
