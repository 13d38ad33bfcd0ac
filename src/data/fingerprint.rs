//! Fingerprints of data sets: shape and content hash, by which a resumed training recognises its data.

use std::fmt;

use super::dataset::{Dataset, Inputs, Targets};
use crate::element::Element;

/// Shape and content hash of a data set. Checkpoints store it, so it must not change from release to release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub(crate) struct Fingerprint {
    pub(crate) samples: usize,
    pub(crate) features: usize,
    pub(crate) outputs: usize,
    #[cfg_attr(feature = "save", serde(with = "hexadecimal"))]
    pub(crate) hash: u64,
}

impl Fingerprint {
    pub(super) fn of<T: Element>(dataset: &Dataset<T>) -> Self {
        let mut hasher = Hasher::new();
        match dataset.inputs() {
            Inputs::Values(values) => hasher.numbers(0, values.iter()),
            Inputs::Pixels(pixels) => {
                hasher.word(1);
                let pixels = pixels.as_standard_layout();
                let (words, rest) = pixels.as_slice().unwrap_or_default().as_chunks::<8>();
                words
                    .iter()
                    .for_each(|&word| hasher.word(u64::from_le_bytes(word)));
                rest.iter().for_each(|&byte| hasher.word(byte.into()));
            }
            Inputs::Sparse(rows) => {
                hasher.word(5);
                for sample in 0..rows.samples() {
                    let row = rows.row(sample);
                    hasher.word(row.len() as u64);
                    for (feature, value) in row {
                        hasher.word(feature as u64);
                        hasher.word(value.as_f64().to_bits());
                    }
                }
            }
        }
        match dataset.targets() {
            Targets::Values(values) => hasher.numbers(2, values.iter()),
            Targets::Classes { labels, .. } => {
                hasher.word(3);
                labels.iter().for_each(|&label| hasher.word(label.into()));
            }
        }
        // Nothing for data without weights, so that their hash is that of earlier versions.
        if let Some(weights) = dataset.weights() {
            hasher.numbers(4, weights.iter());
        }
        Fingerprint {
            samples: dataset.samples(),
            features: dataset.features(),
            outputs: dataset.outputs(),
            hash: hasher.finish(),
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fingerprint {
            samples,
            features,
            outputs,
            hash,
        } = self;
        write!(
            f,
            "{samples} samples x {features} features, {outputs} outputs, hash {hash:016x}"
        )
    }
}

/// A hash in JSON: 16 hexadecimal digits as text.
#[cfg(feature = "save")]
mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(hash: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{hash:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hash = u64::from_str_radix(&text, 16);
        hash.map_err(|_| D::Error::custom(format_args!("`{text}` is no hash of data")))
    }
}

/// XXH64 with seed 0 of a sequence of 64-bit words, little-endian.
///
/// Source: the xxHash specification, XXH64.
struct Hasher {
    lanes: [u64; 4],
    words: u64,
    /// The words since the last complete stripe of four.
    pending: [u64; 4],
}

const PRIMES: [u64; 5] = [
    0x9E37_79B1_85EB_CA87,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
    0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
];

impl Hasher {
    fn new() -> Self {
        let [first, second, ..] = PRIMES;
        Hasher {
            lanes: [first.wrapping_add(second), second, 0, 0_u64.wrapping_sub(first)],
            words: 0,
            pending: [0; 4],
        }
    }

    /// Hashes a kind, then numbers as the bits of their `f64`s.
    fn numbers<'a, T: Element>(&mut self, kind: u64, numbers: impl Iterator<Item = &'a T>) {
        self.word(kind);
        numbers.for_each(|number| self.word(number.as_f64().to_bits()));
    }

    #[inline]
    fn word(&mut self, word: u64) {
        let lane = (self.words % 4) as usize;
        self.pending[lane] = word;
        self.words += 1;
        if lane == 3 {
            for (lane, word) in self.lanes.iter_mut().zip(self.pending) {
                *lane = round(*lane, word);
            }
        }
    }

    fn finish(self) -> u64 {
        let [first, second, third, fourth, fifth] = PRIMES;
        let mut hash = if self.words < 4 {
            fifth
        } else {
            let rotated = self.lanes.iter().zip([1, 7, 12, 18]);
            let sum = rotated.fold(0_u64, |sum, (lane, bits)| {
                sum.wrapping_add(lane.rotate_left(bits))
            });
            self.lanes.iter().fold(sum, |hash, &lane| {
                (hash ^ round(0, lane)).wrapping_mul(first).wrapping_add(fourth)
            })
        };
        hash = hash.wrapping_add(self.words.wrapping_mul(8));
        for &word in &self.pending[..(self.words % 4) as usize] {
            hash ^= round(0, word);
            hash = hash.rotate_left(27).wrapping_mul(first).wrapping_add(fourth);
        }
        hash = (hash ^ (hash >> 33)).wrapping_mul(second);
        hash = (hash ^ (hash >> 29)).wrapping_mul(third);
        hash ^ (hash >> 32)
    }
}

fn round(lane: u64, word: u64) -> u64 {
    let mixed = lane.wrapping_add(word.wrapping_mul(PRIMES[1]));
    mixed.rotate_left(31).wrapping_mul(PRIMES[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn hash(words: &[u64]) -> u64 {
        let mut hasher = Hasher::new();
        words.iter().for_each(|&word| hasher.word(word));
        hasher.finish()
    }

    #[test]
    fn hashes_are_those_of_xxhash() {
        // Python: xxhash.xxh64(struct.pack("<nQ", *range(1, n + 1))).hexdigest() for n = 0, 1, 3, 4, 5, 11
        let words: Vec<u64> = (1..=11).collect();
        let found = [0, 1, 3, 4, 5, 11].map(|count| hash(&words[..count]));
        assert_eq!(found, HASHES, "{found:x?}");
    }

    #[test]
    fn fingerprints_are_stable_values() {
        let numbers = Dataset::regression(array![[0.5, -1.0], [2.0, 0.0]], array![[1.0], [3.0]]).unwrap();
        let pixels = Array2::from_shape_fn((3, 5), |(row, column)| (7 * row + column) as u8);
        let targets = Targets::<f32>::Classes {
            labels: vec![2, 0, 1],
            classes: 3,
        };
        let classes = Dataset::new(Inputs::Pixels(pixels), targets).unwrap();
        let found = [numbers.fingerprint(), classes.fingerprint()].map(|fingerprint| fingerprint.to_string());
        assert_eq!(found, GOLDENS);
    }

    #[test]
    fn any_change_of_the_data_changes_the_hash() {
        let make = |inputs: [f64; 3], targets: [f64; 3]| {
            let matrix = |numbers: [f64; 3]| Array2::from_shape_vec((3, 1), numbers.to_vec()).unwrap();
            Dataset::regression(matrix(inputs), matrix(targets))
                .unwrap()
                .fingerprint()
        };
        let (inputs, targets) = ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]);
        let own = make(inputs, targets);
        assert_eq!(own, make(inputs, targets));
        for other in [
            make([1.0, 2.0, 3.5], targets),
            make([2.0, 1.0, 3.0], targets),
            make(inputs, [4.0, 5.0, 7.0]),
            make(targets, inputs),
        ] {
            assert_ne!(own.hash, other.hash);
        }
    }

    const HASHES: [u64; 6] = [
        0xef46_db37_51d8_e999,
        0x9f29_cb17_a2a4_9995,
        0x8799_e152_e5c0_cdfa,
        0x73f8_59a0_4f66_9e6d,
        0xbc50_ebd6_bc8f_a148,
        0x1740_9231_a7be_51ab,
    ];

    /// The hashes are computed by the same Python from the words that [`Fingerprint::of`] hashes.
    const GOLDENS: [&str; 2] = [
        "2 samples x 2 features, 1 outputs, hash 1ff745ad8f3fb9c4",
        "3 samples x 5 features, 3 outputs, hash 9d62b67c36aff8c6",
    ];
}
