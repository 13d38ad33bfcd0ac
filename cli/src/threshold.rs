//! The option `--threshold`: the probability from which on a sample is of a class of two, or a yes/no target is yes.

use std::str::FromStr;

use anyhow::{bail, ensure};
use mfnet::data::{Schema, Task};
use mfnet::{Element, Model};

use super::model_path::target_name;
use super::usage;

/// The help of the option.
pub(super) const HELP: &str = "For two classes: the probability from which on a sample is of a class, as 0.3 for the second \
                               class of the model or CLASS=0.3 for a class by its name [default: the more probable class]. \
                               For yes/no targets: the probability from which on the answer is yes, as 0.3 for all targets or \
                               TARGET=0.3 for one, which may be given for several [default: above 0.5]";

/// A threshold as it is written: `0.3`, or `yes=0.3`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Threshold {
    /// The name of the class or the yes/no target; `None` for the second class, and for all targets.
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

/// The thresholds of a model.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Thresholds {
    /// A class of two, and its least probability.
    Class(usize, f64),
    /// The least probability of yes of each yes/no target; `None` for a target that keeps its answers.
    Answers(Vec<Option<f64>>),
}

impl Thresholds {
    /// The thresholds that were given for a model; `None` without any.
    pub(super) fn of<T: Element>(given: &[Threshold], model: &Model<T>) -> anyhow::Result<Option<Self>> {
        let labels = &model.schema().labels;
        match (given, model.schema().task) {
            ([], _) => Ok(None),
            (_, Task::Binary) => of_answers(given, model.schema()).map(Some),
            (_, Task::Regression) => bail!(usage(
                "--threshold is for two classes and yes/no targets, and this model predicts numbers: leave it out".to_owned()
            )),
            (_, Task::Classification) if labels.len() != 2 => bail!(usage(format!(
                "--threshold is for two classes and yes/no targets, and this model has {} classes: leave it out",
                labels.len()
            ))),
            ([one], Task::Classification) => of_class(one, model).map(Some),
            _ => bail!(usage(
                "--threshold is given once for two classes, since the one class has the rest of the probability".to_owned()
            )),
        }
    }
}

fn of_class<T: Element>(threshold: &Threshold, model: &Model<T>) -> anyhow::Result<Thresholds> {
    let labels = &model.schema().labels;
    if let Err(error) = model.check_probabilities() {
        bail!(usage(format!("--threshold is not available: {error}")));
    }
    let class = match &threshold.label {
        None => 1,
        Some(label) => match labels.iter().position(|name| name == label) {
            Some(place) => place,
            None => bail!(usage(format!(
                "--threshold: the model has no class `{label}`; its classes are `{}` and `{}`",
                labels[0], labels[1]
            ))),
        },
    };
    Ok(Thresholds::Class(class, threshold.probability))
}

/// One for all targets, and those of single targets over it.
fn of_answers<T: Element>(given: &[Threshold], schema: &Schema<T>) -> anyhow::Result<Thresholds> {
    let names: Vec<String> = (0..schema.outputs)
        .map(|target| target_name(schema, target))
        .collect();
    let mut for_all = None;
    let mut thresholds = vec![None; names.len()];
    for threshold in given {
        let place = match &threshold.label {
            None => &mut for_all,
            Some(label) => match names.iter().position(|name| name == label) {
                Some(place) => &mut thresholds[place],
                None => bail!(usage(format!(
                    "--threshold: the model has no yes/no target `{label}`; it has `{}`",
                    names.join("`, `")
                ))),
            },
        };
        ensure!(
            place.replace(threshold.probability).is_none(),
            usage(match &threshold.label {
                Some(label) => format!("--threshold names the target `{label}` twice"),
                None => "--threshold without a name is for all targets, and is given twice".to_owned(),
            })
        );
    }
    let threshold = |one: Option<f64>| one.or(for_all);
    Ok(Thresholds::Answers(
        thresholds.into_iter().map(threshold).collect(),
    ))
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
