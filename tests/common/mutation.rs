//! Random changes of a sound file.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

/// Numbers that headers like to be wrong about.
const NUMBERS: [&str; 8] = [
    "0",
    "-1",
    "4294967296",
    "1152921504606846976",
    "18446744073709551615",
    "1e308",
    "NaN",
    "99999999999999999999999",
];

/// One to four changes: bits, bytes, cuts, repeats, and other numbers for those that stand there as text.
pub fn mutated(seed: &[u8], generator: &mut ChaCha8Rng) -> Vec<u8> {
    let mut content = seed.to_vec();
    for _ in 0..generator.random_range(1..=4) {
        if content.is_empty() {
            break;
        }
        let at = generator.random_range(0..content.len());
        match generator.random_range(0..7) {
            0 => content[at] ^= 1 << generator.random_range(0..8),
            1 => content[at] = generator.next_u32() as u8,
            2 => content.truncate(at),
            3 => {
                let end = content.len().min(at + generator.random_range(1..64));
                let piece = content[at..end].to_vec();
                content.splice(at..at, piece);
            }
            4 => {
                let end = content.len().min(at + generator.random_range(1..16));
                content.drain(at..end);
            }
            5 => {
                let end = content.len().min(at + 8);
                content[at..end].fill(if generator.random() { 0xff } else { 0 });
            }
            _ => {
                let digits = |byte: &u8| byte.is_ascii_digit();
                if let Some(start) = content[at..].iter().position(digits).map(|offset| at + offset) {
                    let length = content[start..].iter().take_while(|byte| digits(byte)).count();
                    let number = NUMBERS[generator.random_range(0..NUMBERS.len())];
                    content.splice(start..start + length, number.bytes());
                }
            }
        }
    }
    content
}
