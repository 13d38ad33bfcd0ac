//! The shape of an image whose pixels are the features of a sample.

use std::fmt;

/// The shape of an image. A sample has its channels x height x width numbers as features, channel by channel and row by
/// row, as PyTorch flattens C x H x W.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// The number of channels, such as 3 for colours.
    pub channels: usize,
    /// The number of rows of pixels.
    pub height: usize,
    /// The number of columns of pixels.
    pub width: usize,
}

impl Image {
    /// The number of features, channels x height x width; `None` if it is more than a `usize` holds.
    pub fn features(self) -> Option<usize> {
        self.channels.checked_mul(self.height)?.checked_mul(self.width)
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} x {}", self.channels, self.height, self.width)
    }
}
