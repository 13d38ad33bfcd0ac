//! The option `--threshold`: the probability from which on a sample is of a class, for two classes.

use std::str::FromStr;

use anyhow::{bail, ensure};
use mfnet::data::Task;
use mfnet::{Element, Model};

use super::usage;

/// The help of the option.
pub(super) const HELP: &str = "For two classes: the probability from which on a sample is of a class, as 0.3 for the second \
                               class of the model or CLASS=0.3 for a class by its name [default: the more probable class]";

/// A threshold as it is written: `0.3`, or `yes=0.3`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Threshold {
    /// The name of the class; `None` for the second.
    label: Option<String>,
    probability: f64,
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The name of a class may hold the sign itself.
        let (label, number) = match text.rsplit_once('=') {
            Some((label, number)) => (Some(label.to_owned()), number),
            None => (None, text),
        };
        let probability = number.parse().ok().filter(|number| (0.0..=1.0).contains(number));
        let probability =
            probability.ok_or("it must be a probability from 0 to 1, such as 0.3 or yes=0.3")?;
        Ok(Threshold { label, probability })
    }
}

impl Threshold {
    /// The class of a model and its least probability.
    pub(super) fn of<T: Element>(&self, model: &Model<T>) -> anyhow::Result<(usize, f64)> {
        let labels = &model.schema().labels;
        ensure!(
            labels.len() == 2,
            usage(match model.schema().task {
                Task::Regression =>
                    "--threshold is for two classes, and this model predicts numbers: leave it out".to_owned(),
                Task::Binary => "--threshold is for two classes, and this model gives yes/no answers: predict --proba tells \
                                 their probabilities"
                    .to_owned(),
                Task::Classification => format!(
                    "--threshold is for two classes, and this model has {}: leave it out",
                    labels.len()
                ),
            })
        );
        if let Err(error) = model.check_probabilities() {
            bail!(usage(format!("--threshold is not available: {error}")));
        }
        let class = match &self.label {
            None => 1,
            Some(label) => {
                let place = labels.iter().position(|name| name == label);
                match place {
                    Some(place) => place,
                    None => bail!(usage(format!(
                        "--threshold: the model has no class `{label}`; its classes are `{}` and `{}`",
                        labels[0], labels[1]
                    ))),
                }
            }
        };
        Ok((class, self.probability))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_is_optional_and_may_hold_the_sign() {
        let parse = |text: &str| text.parse::<Threshold>();
        let threshold = |label: Option<&str>, probability| Threshold {
            label: label.map(ToOwned::to_owned),
            probability,
        };
        assert_eq!(parse("0.3"), Ok(threshold(None, 0.3)));
        assert_eq!(parse("yes=1"), Ok(threshold(Some("yes"), 1.0)));
        assert_eq!(parse("a=b=0.5"), Ok(threshold(Some("a=b"), 0.5)));
        for text in ["", "yes", "yes=", "1.5", "-0.1", "nan", "30%"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
