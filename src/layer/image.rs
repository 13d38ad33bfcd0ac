//! Images: what a layer may take a sample's features for.

use std::fmt;

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

impl Image {
    /// The number of all its numbers; none if there are too many to count.
    pub fn features(self) -> Option<usize> {
        self.channels.checked_mul(self.height)?.checked_mul(self.width)
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} x {}", self.channels, self.height, self.width)
    }
}
