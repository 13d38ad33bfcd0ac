//! The layers that files know, in one place.

use super::record::Options;
use super::{
    Activation, BatchNorm1d, Conv2d, Dropout, Fetch, Identity, Image, Layer, LeakyRelu, Linear, Relu,
    Sigmoid, Softmax, Tanh, Window,
};
use crate::element::Element;
use crate::error::{Error, Result};

/// A layer or an activation, whichever a file has named, or how the features are to be taken from there on.
#[derive(Debug)]
pub(crate) enum Part<T> {
    Layer(Box<dyn Layer<T>>),
    Activation(Box<dyn Activation<T>>),
    /// Features in a row are images.
    Images(Image),
    /// Images are features in a row.
    Features,
}

/// The names that files use.
pub(crate) const KINDS: [&str; 12] = [
    "Linear",
    "Conv2d",
    "BatchNorm1d",
    "ReLU",
    "LeakyReLU",
    "Sigmoid",
    "Tanh",
    "Softmax",
    "Identity",
    "Dropout",
    "Unflatten",
    "Flatten",
];

/// What a record describes, for `width` features, and images where they are such, with its saved tensors. `seed` is for what it draws in training.
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
    image: Option<Image>,
    seed: u64,
    fetch: &mut Fetch<'_, T>,
) -> Result<Part<T>> {
    Ok(match kind {
        "Linear" => {
            let (inputs, outputs) = (options.count("in_features")?, options.count("out_features")?);
            Part::Layer(Box::new(Linear::restored(inputs, outputs, fetch)?))
        }
        "Conv2d" => {
            let channels = options.count("in_channels")?;
            let image = image.filter(|image| image.channels == channels);
            let problem = || {
                Error::data(
                    "layer",
                    format_args!("it is not given images of {channels} channels"),
                )
            };
            let window = Window {
                size: options.counts("kernel_size")?,
                stride: options.counts("stride")?,
                padding: options.counts("padding")?,
            };
            let (image, outputs) = (image.ok_or_else(problem)?, options.count("out_channels")?);
            Part::Layer(Box::new(Conv2d::restored(image, outputs, window, fetch)?))
        }
        "Unflatten" => {
            let [channels, height, width] = options.counts("unflattened_size")?;
            Part::Images(Image {
                channels,
                height,
                width,
            })
        }
        "Flatten" => Part::Features,
        "BatchNorm1d" => {
            let (features, epsilon) = (options.count("num_features")?, options.number("eps")?);
            let momentum = options.number("momentum")?;
            Part::Layer(Box::new(BatchNorm1d::restored(
                features, epsilon, momentum, fetch,
            )?))
        }
        "Dropout" => Part::Layer(Box::new(Dropout::new(width, options.number("p")?, seed)?)),
        "ReLU" => Part::Activation(Box::new(Relu)),
        "LeakyReLU" => Part::Activation(Box::new(LeakyRelu::new(options.number("negative_slope")?)?)),
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
