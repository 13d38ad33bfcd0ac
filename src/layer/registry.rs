//! The layers that files know, in one place.

use super::record::Options;
use super::{Activation, BatchNorm1d, Dropout, Fetch, Identity, Layer, Linear, Relu, Sigmoid, Softmax, Tanh};
use crate::element::Element;
use crate::error::{Error, Result};

/// A layer or an activation, whichever a file has named.
#[derive(Debug)]
pub(crate) enum Part<T> {
    Layer(Box<dyn Layer<T>>),
    Activation(Box<dyn Activation<T>>),
}

/// The names that files use.
pub(crate) const KINDS: [&str; 8] = [
    "Linear",
    "BatchNorm1d",
    "ReLU",
    "Sigmoid",
    "Tanh",
    "Softmax",
    "Identity",
    "Dropout",
];

/// What a record describes, for `width` features, with its saved tensors. `seed` is for what it draws in training.
///
/// Nothing is allocated by the options alone: what a layer takes up is there in saved tensors.
///
/// # Errors
///
/// [`Error::InvalidData`] for a kind that is not known, or options that are missing or cannot be; those of `fetch`.
pub(crate) fn part<T: Element>(
    kind: &str,
    options: &Options,
    width: usize,
    seed: u64,
    fetch: &mut Fetch<'_, T>,
) -> Result<Part<T>> {
    Ok(match kind {
        "Linear" => {
            let (inputs, outputs) = (options.count("in_features")?, options.count("out_features")?);
            Part::Layer(Box::new(Linear::restored(inputs, outputs, fetch)?))
        }
        "BatchNorm1d" => {
            let (features, epsilon) = (options.count("num_features")?, options.number("eps")?);
            let momentum = options.number("momentum")?;
            Part::Layer(Box::new(BatchNorm1d::restored(
                features, epsilon, momentum, fetch,
            )?))
        }
        "Dropout" => Part::Layer(Box::new(Dropout::new(width, options.number("p")?, seed)?)),
        "ReLU" => Part::Activation(Box::new(Relu)),
        "Sigmoid" => Part::Activation(Box::new(Sigmoid)),
        "Tanh" => Part::Activation(Box::new(Tanh)),
        "Softmax" => match options.count("dim")? {
            1 => Part::Activation(Box::new(Softmax)),
            dim => {
                return Err(Error::data(
                    "layer",
                    format_args!("a softmax along {dim}, not along the features"),
                ));
            }
        },
        "Identity" => Part::Activation(Box::new(Identity)),
        _ => {
            return Err(Error::data(
                "layer",
                format_args!(
                    "{:?} is not known; known are {}",
                    kind.escape_debug().to_string(),
                    KINDS.join(", ")
                ),
            ));
        }
    })
}
