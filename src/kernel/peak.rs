//! The fastest loops there can be: arithmetic that never leaves the registers, and reads that do nothing else.

use std::hint::black_box;

use super::lanes::{Lanes, Number};
use super::simd::{Kernel, run, simd};

/// Runs `rounds` rounds of independent multiply-adds in registers; how many floating-point operations these are.
pub(crate) fn multiply_adds<T: Number>(rounds: usize) -> f64 {
    let mut lanes = 0;
    run(MultiplyAdds::<T> {
        rounds,
        half: black_box(T::one() / (T::one() + T::one())),
        lanes: &mut lanes,
    });
    2.0 * (RESULTS * lanes) as f64 * rounds as f64
}

/// The registers that are computed at once: a multiply-add takes four or five cycles, and two (Arm: up to four) begin in
/// each.
const RESULTS: usize = 20;

struct MultiplyAdds<'a, T> {
    rounds: usize,
    half: T,
    lanes: &'a mut usize,
}

impl<T: Number> Kernel<T> for MultiplyAdds<'_, T> {
    /// result <- result half + half: goes to 1, never to where arithmetic is slow.
    #[inline(always)]
    fn run<V: Lanes<Number = T>>(self) {
        let half = V::splat(self.half);
        // From different starts, or the compiler would see that they are one.
        let mut results = [half; RESULTS];
        for n in 1..RESULTS {
            results[n] = results[n - 1].add(half);
        }
        for _ in 0..self.rounds {
            for result in &mut results {
                *result = result.mul_add(half, half);
            }
        }
        black_box(results);
        *self.lanes = V::COUNT;
    }
}

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
        assert!(one >= 2.0 * (4 * RESULTS) as f64);
        assert_eq!(three, 3.0 * one);
    }

    #[test]
    fn every_number_is_read() {
        let numbers: Vec<u64> = (0..1000).collect();
        assert_eq!(read(&numbers), 999 * 500);
        assert_eq!(read(&[u64::MAX, 2]), 1);
        assert_eq!(read(&[]), 0);
    }
}
