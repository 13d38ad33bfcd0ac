//! The fastest loops there can be: arithmetic that never leaves the registers, and reads that do nothing else.

use std::array;
use std::hint::black_box;

use super::simd::{InstructionSet, simd};
use crate::element::Element;

/// Runs `rounds` rounds of independent multiply-adds in registers; how many floating-point operations these are.
///
/// A multiply-add takes four or five cycles, and two (Arm: up to four) begin in each: every instruction set gets as many
/// running results as hide this, and fewer than its registers.
pub(crate) fn multiply_adds<T: Element>(rounds: usize) -> f64 {
    const BASELINE: usize = if cfg!(target_arch = "x86_64") { 3 } else { 6 };
    match (InstructionSet::of_cpu(), size_of::<T>()) {
        (InstructionSet::Avx512, 4) => multiply_adds_in::<T, 16, 5>(rounds),
        (InstructionSet::Avx512, _) => multiply_adds_in::<T, 8, 5>(rounds),
        (InstructionSet::Avx2, 4) => multiply_adds_in::<T, 8, 3>(rounds),
        (InstructionSet::Avx2, _) => multiply_adds_in::<T, 4, 3>(rounds),
        (InstructionSet::Baseline, 4) => multiply_adds_in::<T, 4, BASELINE>(rounds),
        (InstructionSet::Baseline, _) => multiply_adds_in::<T, 2, BASELINE>(rounds),
    }
}

/// [`multiply_adds`] with four groups of N running results, each of L numbers.
///
/// The compiler unrolls a small group, which then stays in registers; one large group it would keep in memory.
fn multiply_adds_in<T: Element, const L: usize, const N: usize>(rounds: usize) -> f64 {
    let half = black_box(T::from_f64(0.5));
    let results = simd(
        // All by value: what is behind a reference is in memory.
        #[inline(always)]
        move || {
            // From different starts, or the compiler would see that they are one.
            let start = |group: usize| array::from_fn(|n| [T::from_f64((group * N + n) as f64); L]);
            let [mut a, mut b, mut c, mut d]: [[[T; L]; N]; 4] = array::from_fn(start);
            for _ in 0..rounds {
                advance(&mut a, half);
                advance(&mut b, half);
                advance(&mut c, half);
                advance(&mut d, half);
            }
            [a, b, c, d]
        },
    );
    black_box(results);
    2.0 * (4 * N * L) as f64 * rounds as f64
}

/// result <- result half + half, number by number, in one instruction where the CPU has it: goes to 1, never to where
/// arithmetic is slow.
#[inline(always)]
fn advance<T: Element, const L: usize, const N: usize>(results: &mut [[T; L]; N], half: T) {
    for lanes in results {
        for result in lanes {
            *result = if FUSED_BASELINE || L * size_of::<T>() > 16 {
                result.mul_add(half, half)
            } else {
                *result * half + half
            };
        }
    }
}

/// Whether every CPU of the target multiplies and adds in one instruction; elsewhere `mul_add` may be a slow function.
const FUSED_BASELINE: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

/// Adds up the numbers; only that they are read matters.
pub(crate) fn read(numbers: &[u64]) -> u64 {
    /// Enough reads under way at once to keep the memory busy.
    const LANES: usize = 64;
    simd(
        #[inline(always)]
        || {
            let mut sums = [0_u64; LANES];
            let (chunks, rest) = numbers.as_chunks::<LANES>();
            for chunk in chunks {
                for (sum, number) in sums.iter_mut().zip(chunk) {
                    *sum = sum.wrapping_add(*number);
                }
            }
            let all = sums.iter().chain(rest);
            all.fold(0, |sum: u64, number| sum.wrapping_add(*number))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_counted() {
        let (one, three) = (multiply_adds::<f32>(1), multiply_adds::<f32>(3));
        assert!(one >= 2.0 * 48.0);
        assert_eq!(three, 3.0 * one);
        assert_eq!(
            one,
            2.0 * multiply_adds::<f64>(1),
            "half as many f64 fill a register"
        );
    }

    #[test]
    fn every_number_is_read() {
        let numbers: Vec<u64> = (0..1000).collect();
        assert_eq!(read(&numbers), 999 * 500);
        assert_eq!(read(&[u64::MAX, 2]), 1);
        assert_eq!(read(&[]), 0);
    }
}
