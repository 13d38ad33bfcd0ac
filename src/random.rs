//! Random numbers: one named generator, with one stream for each use, so that no result depends on the order of draws.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The use of random numbers. Each use has a stream of its own under the same seed.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    /// Initial weights; the index is the layer.
    Weights = 1,
    /// The order of the samples in an epoch; the index is the epoch.
    Order = 2,
    /// The split of a data set in two.
    Split = 3,
    /// The drawn digits; the index is the sample.
    Digits = 4,
    /// The seeds of the random numbers that layers draw in training; the index is the layer.
    Noise = 6,
    /// The points of the circle; the index is the sample.
    Circle = 5,
    /// The folds of a data set.
    Folds = 7,
    /// The orders of the samples by which permutation importance mixes up a feature; the index is the feature.
    #[cfg(feature = "save")]
    Importance = 9,
    /// The points of the cube; the index is the sample.
    Cube = 8,
}

/// ChaCha8 keyed by the seed, the stream and the index: the same numbers on every machine, for ever.
pub(crate) fn generator(seed: u64, stream: Stream, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(stream as u64).to_le_bytes());
    key[16..24].copy_from_slice(&index.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn streams_differ_and_are_stable() {
        let first = |seed, stream, index| generator(seed, stream, index).next_u64();
        assert_eq!(first(7, Stream::Order, 3), first(7, Stream::Order, 3));
        assert_ne!(first(7, Stream::Order, 3), first(7, Stream::Order, 4));
        assert_ne!(first(7, Stream::Order, 3), first(7, Stream::Weights, 3));
        assert_ne!(first(7, Stream::Order, 3), first(8, Stream::Order, 3));
    }
}
