//! Loops that reach the CPU's limits: arithmetic that never leaves the registers, and reads of memory with nothing else.

use std::hint::black_box;

use super::lanes::{Lanes, Number};
use super::simd::{Kernel, run, simd};

/// Runs `rounds` rounds of independent multiply-adds in registers, and returns the number of floating-point operations.
pub(crate) fn multiply_adds<T: Number>(rounds: usize) -> f64 {
    let mut lanes = 0;
    run(MultiplyAdds::<T> {
        rounds,
        half: black_box(T::one() / (T::one() + T::one())),
        lanes: &mut lanes,
    });
    2.0 * (RESULTS * lanes) as f64 * rounds as f64
}

/// The number of independent results: a multiply-add takes four or five cycles, and two (Arm: up to four) begin in each
/// cycle.
const RESULTS: usize = 20;

struct MultiplyAdds<'a, T> {
    rounds: usize,
    half: T,
    lanes: &'a mut usize,
}

impl<T: Number> Kernel<T> for MultiplyAdds<'_, T> {
    /// result <- result half + half: tends to 1, and never becomes a subnormal number, with which arithmetic is slow.
    #[inline(always)]
    fn run<V: Lanes<Number = T>>(self) {
        let half = V::splat(self.half);
        // The results start differently; otherwise the compiler would compute only one.
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

/// Reads the numbers. Their sum is returned so that the compiler keeps the reads.
pub(crate) fn read(numbers: &[u64]) -> u64 {
    /// Enough concurrent reads to keep the memory busy.
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
