//! What a block of samples goes through the layers for.

/// Whether a block is to be learned from, and which samples of a training it holds.
///
/// Layers that work otherwise in training than in prediction ask it, such as [`Dropout`](super::Dropout). What they draw
/// depends on nothing else, so that a training can go on where it stopped, on any number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    place: Option<Place>,
}

/// Where in a training a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    epoch: u64,
    first: u64,
}

impl Pass {
    /// Nothing is learned: predictions and evaluations.
    pub const PREDICTION: Pass = Pass { place: None };

    /// A block to learn from, whose first sample is the one with index `first` of this epoch, counted from 0.
    pub fn training(epoch: u64, first: u64) -> Self {
        Pass {
            place: Some(Place { epoch, first }),
        }
    }

    /// Whether the block is to be learned from.
    pub fn is_training(self) -> bool {
        self.place.is_some()
    }

    /// The epoch, and the index in that epoch of the block's first sample; none in a prediction.
    pub fn place(self) -> Option<(u64, u64)> {
        self.place.map(|place| (place.epoch, place.first))
    }

    /// The pass of a block that begins `samples` samples further on.
    pub(crate) fn further(self, samples: usize) -> Self {
        Pass {
            place: self.place.map(|place| Place {
                first: place.first + samples as u64,
                ..place
            }),
        }
    }
}
