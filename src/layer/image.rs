//! Images: what a layer may take a sample's features for.

use std::fmt;

use super::record::{Operand, Operator, Options, Record};

/// A sample as channels x height x width numbers: channel by channel, row by row, as PyTorch flattens its C x H x W.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// Its channels, such as 3 colours.
    pub channels: usize,
    /// Its rows.
    pub height: usize,
    /// Its columns.
    pub width: usize,
}

/// What a layer takes its inputs for, and gives its outputs as.
///
/// All are features in a row in memory: files say where they are something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Features of which each has its own meaning.
    Features,
    /// Whatever they are: each is treated alike, and stays where it is.
    Any,
    /// Images.
    Images {
        /// What goes in.
        input: Image,
        /// What comes out.
        output: Image,
    },
}

impl Form {
    /// The images that come out of a layer of this form, which is given such; none if they are no images.
    pub(crate) fn image_behind(self, image: Option<Image>) -> Option<Image> {
        match self {
            Form::Features => None,
            Form::Any => image,
            Form::Images { output, .. } => Some(output),
        }
    }
}

impl Image {
    /// The number of all its numbers; none if there are too many to count.
    pub fn features(self) -> Option<usize> {
        self.channels.checked_mul(self.height)?.checked_mul(self.width)
    }

    /// How files say that features in a row are images from here on.
    pub(crate) fn record<T>(self) -> Record<T> {
        let sizes = [self.channels, self.height, self.width];
        let shape = std::iter::once(-1).chain(sizes.map(|size| size as i64));
        Record {
            options: Options::of(&[("dim", 1.0)]).counts_of("unflattened_size", &sizes),
            operators: vec![Operator {
                kind: "Reshape",
                operands: vec![Operand::Integers(shape.collect())],
                attributes: Vec::new(),
            }],
            ..Record::plain("Unflatten", "Reshape")
        }
    }
}

/// How files say that images are features in a row from here on.
pub(crate) fn flatten<T>() -> Record<T> {
    Record::plain("Flatten", "Flatten")
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} x {}", self.channels, self.height, self.width)
    }
}
