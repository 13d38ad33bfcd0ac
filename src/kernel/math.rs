//! Exponential functions without branches, which the compiler turns into vector instructions of the CPU.
//!
//! With fused multiply-adds, e^x, tanh and the sigmoid are within 2 units in the last place of the exact value where that
//! is a normal number; the tests compare them with the standard library's in twice the precision, or in f64 on a grid. NaN
//! stays NaN.

use ndarray::NdFloat;

use super::lanes::{Lanes, Number};
use super::simd::{Kernel, run};

/// A function of one number.
pub(crate) trait Function<T: Number>: Copy {
    /// The function's value, computed with the instructions of V.
    fn of<V: Lanes<Number = T>>(self, x: T) -> T;
}

/// Replaces each number by the function's value.
pub(crate) fn map<T: Number>(function: impl Function<T>, values: &mut [T]) {
    run(Map { function, values });
}

struct Map<'a, T, F> {
    function: F,
    values: &'a mut [T],
}

impl<T: Number, F: Function<T>> Kernel<T> for Map<'_, T, F> {
    #[inline(always)]
    fn run<V: Lanes<Number = T>>(self) {
        for value in self.values {
            *value = self.function.of::<V>(*value);
        }
    }
}

/// The constants and bits of a floating-point type.
pub trait Real: NdFloat {
    /// 1/k! for k = 2, 3, ...: so many terms that the rest of e^r - 1, |r| <= 0.52, is below a tenth of a unit in the last
    /// place.
    const FACTORIALS: &'static [Self];
    /// ln 2 as a sum, the first part with so many zeros at its end that a multiple by an exponent is exact.
    const LN_2: [Self; 2];
    const LOG2_E: Self;
    const QUARTER: Self;
    /// e^x is 0 below and infinite above, when rounded.
    const EXP_RANGE: [Self; 2];
    /// tanh is 1 above, when rounded.
    const TANH_RANGE: Self;

    /// The nearest whole number n, and 2^(n/2 rounded) and 2^(n - n/2 rounded): 2^n itself may be out of range.
    fn whole_and_powers(self) -> (Self, [Self; 2]);
}

macro_rules! real {
    ($float:ty, $bits:ty, factorials $factorials:expr, ln_2 $ln_2:expr, exp $exp:expr, tanh $tanh:expr) => {
        impl Real for $float {
            const FACTORIALS: &'static [Self] = &$factorials;
            const LN_2: [Self; 2] = $ln_2;
            const LOG2_E: Self = 1.442_695_040_888_963_4;
            const QUARTER: Self = 0.25;
            const EXP_RANGE: [Self; 2] = $exp;
            const TANH_RANGE: Self = $tanh;

            #[inline(always)]
            fn whole_and_powers(self) -> (Self, [Self; 2]) {
                const DIGITS: u32 = <$float>::MANTISSA_DIGITS - 1;
                const BIAS: $bits = <$float>::MAX_EXP as $bits - 1;
                // Numbers of this size have no digits after the point: an addition rounds, and leaves the whole number
                // in the last bits.
                const SHIFT: $float = (3 as $bits << (DIGITS - 1)) as $float;
                let shifted = self + SHIFT;
                let whole = shifted - SHIFT;
                let half = (whole * 0.5 + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits());
                let rest = shifted.to_bits().wrapping_sub(SHIFT.to_bits()).wrapping_sub(half);
                let power = |exponent: $bits| <$float>::from_bits(exponent.wrapping_add(BIAS) << DIGITS);
                (whole, [power(half), power(rest)])
            }
        }
    };
}

real!(
    f32, u32,
    factorials [1.0 / 2.0, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0, 1.0 / 40_320.0],
    ln_2 [0.693_145_75, 1.428_606_8e-6],
    exp [-104.0, 89.0],
    tanh 10.0
);
real!(
    f64, u64,
    factorials [
        1.0 / 2.0, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0, 1.0 / 40_320.0, 1.0 / 362_880.0,
        1.0 / 3_628_800.0, 1.0 / 39_916_800.0, 1.0 / 479_001_600.0, 1.0 / 6_227_020_800.0,
        1.0 / 87_178_291_200.0, 1.0 / 1_307_674_368_000.0
    ],
    ln_2 [0.693_147_180_369_123_816_49, 1.908_214_929_270_587_700_02e-10],
    exp [-746.0, 710.0],
    tanh 20.0
);

/// x y + z; rounded once where the CPU has an instruction for it.
#[inline(always)]
fn mul_add<T: Number, V: Lanes<Number = T>>(x: T, y: T, z: T) -> T {
    if V::FUSED { x.mul_add(y, z) } else { x * y + z }
}

/// Returns e^r - 1 and the powers of two whose product with e^r is e^x.
///
/// x = n ln 2 + r with the whole number n nearest to x / ln 2 - offset; the Taylor series of e^r.
#[inline(always)]
fn reduced<T: Number, V: Lanes<Number = T>>(x: T, offset: T) -> (T, [T; 2]) {
    let (whole, powers) = mul_add::<T, V>(x, T::LOG2_E, -offset).whole_and_powers();
    let r = mul_add::<T, V>(-whole, T::LN_2[1], mul_add::<T, V>(-whole, T::LN_2[0], x));
    let mut sum = T::FACTORIALS[T::FACTORIALS.len() - 1];
    for &factorial in T::FACTORIALS.iter().rev().skip(1) {
        sum = mul_add::<T, V>(sum, r, factorial);
    }
    (mul_add::<T, V>(sum, r * r, r), powers)
}

/// x, or the nearest number of a range.
#[inline(always)]
fn clamp<T: Real>(x: T, [least, largest]: [T; 2]) -> T {
    let x = if x < least { least } else { x };
    if x > largest { largest } else { x }
}

#[inline(always)]
fn exp<T: Number, V: Lanes<Number = T>>(x: T) -> T {
    let (less_one, powers) = reduced::<T, V>(clamp(x, T::EXP_RANGE), T::zero());
    (T::one() + less_one) * powers[0] * powers[1]
}

/// x -> e^(x - shift).
#[derive(Clone, Copy)]
pub(crate) struct Exp<T> {
    pub(crate) shift: T,
}

impl<T: Number> Function<T> for Exp<T> {
    #[inline(always)]
    fn of<V: Lanes<Number = T>>(self, x: T) -> T {
        exp::<T, V>(x - self.shift)
    }
}

/// x -> tanh x = (e^2x - 1) / (e^2x + 1), of |x|, since a difference to 1 of small numbers would lose their digits.
#[derive(Clone, Copy)]
pub(crate) struct Tanh;

impl<T: Number> Function<T> for Tanh {
    #[inline(always)]
    fn of<V: Lanes<Number = T>>(self, x: T) -> T {
        let size = x.abs();
        let size = if size > T::TANH_RANGE { T::TANH_RANGE } else { size };
        // With the offset, n = 0 up to 0.52: the sum below would cancel digits where the power is 2 and r close to -ln 2 / 2.
        let (less_one, powers) = reduced::<T, V>(size + size, T::QUARTER);
        let power = powers[0] * powers[1];
        let less_one = mul_add::<T, V>(power, less_one, power - T::one());
        // The quotient, and a step of Newton's method with the remainder of a denominator that is not rounded.
        let two = T::one() + T::one();
        let denominator = less_one + two;
        let lost = less_one - (denominator - two);
        let inverse = T::one() / denominator;
        let quotient = less_one * inverse;
        let remainder = mul_add::<T, V>(-quotient, lost, mul_add::<T, V>(-quotient, denominator, less_one));
        mul_add::<T, V>(remainder, inverse, quotient).copysign(x)
    }
}

/// x -> 1 / (1 + e^-x).
#[derive(Clone, Copy)]
pub(crate) struct Sigmoid;

impl<T: Number> Function<T> for Sigmoid {
    #[inline(always)]
    fn of<V: Lanes<Number = T>>(self, x: T) -> T {
        T::one() / (T::one() + exp::<T, V>(-x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::InstructionSet;

    /// Numbers of all sizes and both signs, up to `largest`.
    fn grid(largest: f64) -> Vec<f64> {
        let sizes = (0..20_000).map(|step| largest * 0.999_f64.powi(step));
        sizes.flat_map(|size| [size, -size]).chain([0.0, -0.0]).collect()
    }

    /// The largest error in units in the last place of `f32`, against a function of `f64`.
    fn error_f32(function: impl Function<f32>, exact: impl Fn(f64) -> f64, largest: f64) -> f64 {
        let numbers: Vec<f32> = grid(largest).iter().map(|&x| x as f32).collect();
        let mut values = numbers.clone();
        map(function, &mut values);
        let errors = numbers.iter().zip(values).map(|(&x, value)| {
            let exact = exact(f64::from(x));
            let unit = (exact as f32).abs().max(f32::MIN_POSITIVE);
            let unit = f64::from(unit.next_up()) - f64::from(unit);
            (f64::from(value) - exact).abs() / unit
        });
        errors.fold(0.0, f64::max)
    }

    /// The largest error in units in the last place of `f64`, against the standard library's function, whose own error is
    /// below one unit.
    fn error_f64(function: impl Function<f64>, exact: impl Fn(f64) -> f64, largest: f64) -> f64 {
        let numbers = grid(largest);
        let mut values = numbers.clone();
        map(function, &mut values);
        let errors = numbers.iter().zip(values).map(|(&x, value)| {
            let exact = exact(x);
            let unit = exact.abs().max(f64::MIN_POSITIVE);
            (value - exact).abs() / (unit.next_up() - unit)
        });
        errors.fold(0.0, f64::max)
    }

    #[test]
    fn errors_are_below_two_units() {
        let fused = InstructionSet::current() != InstructionSet::Baseline;
        let (single, double) = if fused { (2.0, 3.0) } else { (3.0, 4.0) };
        let errors = [
            error_f32(Exp { shift: 0.0 }, f64::exp, 87.0),
            error_f32(Tanh, f64::tanh, 30.0),
            error_f32(Sigmoid, |x| 1.0 / (1.0 + (-x).exp()), 87.0),
        ];
        assert!(errors.iter().all(|&error| error < single), "{errors:?}");
        let errors = [
            error_f64(Exp { shift: 0.0 }, f64::exp, 700.0),
            error_f64(Tanh, f64::tanh, 30.0),
            error_f64(Sigmoid, |x| 1.0 / (1.0 + (-x).exp()), 700.0),
        ];
        assert!(errors.iter().all(|&error| error < double), "{errors:?}");
    }

    #[test]
    fn ends_and_what_is_no_number() {
        fn at<T: Number>(function: impl Function<T>, x: T) -> T {
            let mut value = [x];
            map(function, &mut value);
            value[0]
        }
        macro_rules! check {
            ($($float:ty)*) => {$(
                let (infinity, nan) = (<$float>::INFINITY, <$float>::NAN);
                let exp = Exp { shift: 0.0 };
                assert_eq!(at::<$float>(exp, infinity), infinity);
                assert_eq!(at::<$float>(exp, -infinity), 0.0);
                assert_eq!(at::<$float>(exp, 0.0), 1.0);
                assert_eq!(at::<$float>(exp, <$float>::MAX), infinity);
                assert!(at::<$float>(exp, nan).is_nan());
                assert_eq!(at::<$float>(Tanh, infinity), 1.0);
                assert_eq!(at::<$float>(Tanh, <$float>::MIN), -1.0);
                assert_eq!(at::<$float>(Tanh, -0.0).to_bits(), (-0.0 as $float).to_bits());
                assert_eq!(at::<$float>(Tanh, <$float>::MIN_POSITIVE / 4.0), <$float>::MIN_POSITIVE / 4.0);
                assert!(at::<$float>(Tanh, nan).is_nan());
                assert_eq!(at::<$float>(Sigmoid, infinity), 1.0);
                assert_eq!(at::<$float>(Sigmoid, -infinity), 0.0);
                assert_eq!(at::<$float>(Sigmoid, 0.0), 0.5);
                assert!(at::<$float>(Sigmoid, nan).is_nan());
            )*};
        }
        check!(f32 f64);
        // Subnormal results keep the digits that they can have.
        assert!((at(Exp { shift: 0.0 }, -100.0_f32) / 3.783_506e-44 - 1.0).abs() < 0.02);
        assert!((at(Exp { shift: 0.0 }, -740.0_f64) / 4.199_556_7e-322 - 1.0).abs() < 0.02);
    }
}
