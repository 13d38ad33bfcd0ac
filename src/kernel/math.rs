//! Exponential functions without branches, which the compiler turns into vector instructions of the CPU.
//!
//! With fused multiply-adds, e^x, e^x - 1, log(1 + x), tanh and the sigmoid are within 2 units in the last place of the exact
//! value where that is a normal number; the tests compare them with the standard library's in twice the precision, or in f64
//! on a grid. NaN stays NaN. The functions that are made of these are in the module `curves`.

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

/// Multiplies each number of `values` by the function's value at its argument.
pub(crate) fn scale<T: Number>(function: impl Function<T>, arguments: &[T], values: &mut [T]) {
    debug_assert_eq!(arguments.len(), values.len());
    run(Scale {
        function,
        arguments,
        values,
    });
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

struct Scale<'a, T, F> {
    function: F,
    arguments: &'a [T],
    values: &'a mut [T],
}

impl<T: Number, F: Function<T>> Kernel<T> for Scale<'_, T, F> {
    #[inline(always)]
    fn run<V: Lanes<Number = T>>(self) {
        for (value, &argument) in self.values.iter_mut().zip(self.arguments) {
            *value *= self.function.of::<V>(argument);
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
    const HALF: Self;
    const FOUR: Self;
    /// 2/3, 2/5, 2/7, ...: so many terms of log((1 + s) / (1 - s)) / s - 2, |s| <= 0.2, that the rest is below a tenth of a
    /// unit in the last place.
    const ODD_PARTS: &'static [Self];
    /// e^x is 0 below and infinite above, when rounded.
    const EXP_RANGE: [Self; 2];
    /// tanh is 1 above, when rounded.
    const TANH_RANGE: Self;
    /// x e^-x is 0 above, when rounded.
    const SIGMOID_RANGE: Self;
    /// x Phi(-x) and x e^(-x^2 / 2) are 0 above, when rounded; Phi is the distribution function of the standard normal
    /// distribution.
    const NORMAL_RANGE: Self;
    /// 1 / sqrt(2 pi).
    const NORMAL_DENSITY: Self;
    /// A polynomial in v = (t - 1) / (t + 4) for (t + 4) e^(t^2 / 2) Phi(-t), 0 <= t <= [`Real::NORMAL_RANGE`], with a
    /// relative error below a tenth of a unit in the last place. The constant coefficient comes first.
    ///
    /// ```python
    /// from mpmath import mp, mpf, exp, erfc, sqrt, chebyfit, nstr
    /// mp.dps = 40
    /// for largest, terms, digits in (mpf(15), 11, 9), (mpf(39), 24, 17):
    ///     def scaled(v):
    ///         t = (1 + 4 * v) / (1 - v)
    ///         return (t + 4) * exp(t * t / 2) * erfc(t / sqrt(mpf(2))) / 2
    ///     fit = chebyfit(scaled, [-mpf(1) / 4, (largest - 1) / (largest + 4)], terms)
    ///     print(", ".join(nstr(coefficient, digits) for coefficient in reversed(fit)))
    /// ```
    const NORMAL_TAIL: &'static [Self];
    /// Numbers up to [`Real::NORMAL_RANGE`] have so few digits, once this is added and taken away, that their squares are
    /// exact.
    const FEW_DIGITS: Self;

    /// The nearest whole number n, and 2^(n/2 rounded) and 2^(n - n/2 rounded): 2^n itself may be out of range.
    fn whole_and_powers(self) -> (Self, [Self; 2]);
}

macro_rules! real {
    ($float:ident, $bits:ty, factorials $factorials:expr, ln_2 $ln_2:expr,
     odd_parts $odd_parts:expr, exp $exp:expr, tanh $tanh:expr,
     sigmoid $sigmoid:expr, normal $normal:expr, density $density:expr, few_digits $few_digits:expr, tail $tail:expr) => {
        impl Real for $float {
            const FACTORIALS: &'static [Self] = &$factorials;
            const LN_2: [Self; 2] = $ln_2;
            const LOG2_E: Self = std::$float::consts::LOG2_E;
            const QUARTER: Self = 0.25;
            const HALF: Self = 0.5;
            const FOUR: Self = 4.0;
            const ODD_PARTS: &'static [Self] = &$odd_parts;
            const EXP_RANGE: [Self; 2] = $exp;
            const TANH_RANGE: Self = $tanh;
            const SIGMOID_RANGE: Self = $sigmoid;
            const NORMAL_RANGE: Self = $normal;
            const NORMAL_DENSITY: Self = $density;
            const NORMAL_TAIL: &'static [Self] = &$tail;
            const FEW_DIGITS: Self = $few_digits;

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
    odd_parts [2.0 / 3.0, 2.0 / 5.0, 2.0 / 7.0, 2.0 / 9.0, 2.0 / 11.0],
    exp [-104.0, 89.0],
    tanh 10.0, sigmoid 114.0, normal 15.0, density 0.398_942_3, few_digits 98_304.0,
    tail [
        1.307_891_5, -2.126_208_3, 2.203_086, -1.382_735_4, 0.360_912_92, 0.132_227_05, -0.098_522_805,
        -0.022_645_397, 0.025_235_109, 0.005_328_568_6, -0.005_668_707
    ]
);
real!(
    f64, u64,
    factorials [
        1.0 / 2.0, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0, 1.0 / 40_320.0, 1.0 / 362_880.0,
        1.0 / 3_628_800.0, 1.0 / 39_916_800.0, 1.0 / 479_001_600.0, 1.0 / 6_227_020_800.0,
        1.0 / 87_178_291_200.0, 1.0 / 1_307_674_368_000.0
    ],
    ln_2 [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10],
    odd_parts [
        2.0 / 3.0, 2.0 / 5.0, 2.0 / 7.0, 2.0 / 9.0, 2.0 / 11.0, 2.0 / 13.0, 2.0 / 15.0, 2.0 / 17.0, 2.0 / 19.0, 2.0 / 21.0,
        2.0 / 23.0
    ],
    exp [-746.0, 710.0],
    tanh 20.0, sigmoid 756.0, normal 39.0, density 0.398_942_280_401_432_7, few_digits 6_442_450_944.0,
    tail [
        1.307_891_459_325_616_8, -2.126_208_254_082_116, 2.203_085_990_561_030_7, -1.382_733_488_391_273_6,
        0.360_903_263_174_900_46, 0.132_183_062_664_664_23, -0.098_278_343_115_568_1,
        -0.022_516_390_231_473_827, 0.023_144_481_408_287_572, 0.008_215_022_723_051_345,
        -0.004_790_266_355_342_254, -0.003_462_082_448_527_098_3, 0.000_384_695_300_911_214_57,
        0.001_181_018_297_070_106_2, 0.000_339_226_495_840_718_5, -0.000_214_955_775_550_087_68,
        -0.000_264_278_605_998_909, -4.148_873_048_624_738_5e-5, 0.000_299_039_871_563_029_5,
        -0.000_541_166_073_887_745_1, 0.000_767_972_930_977_300_7, -0.000_598_391_776_584_117_3,
        0.000_232_114_991_607_304_4, -3.596_176_106_162_143_5e-5
    ]
);

/// x y + z; rounded once where the CPU has an instruction for it.
#[inline(always)]
pub(super) fn mul_add<T: Number, V: Lanes<Number = T>>(x: T, y: T, z: T) -> T {
    if V::FUSED { x.mul_add(y, z) } else { x * y + z }
}

/// The polynomial with these coefficients, the constant one first.
#[inline(always)]
pub(super) fn polynomial<T: Number, V: Lanes<Number = T>>(coefficients: &[T], x: T) -> T {
    let mut sum = coefficients[coefficients.len() - 1];
    for &coefficient in coefficients.iter().rev().skip(1) {
        sum = mul_add::<T, V>(sum, x, coefficient);
    }
    sum
}

/// Returns r = x - n ln 2, and 2^n as two powers, with the whole number n nearest to x / ln 2 - offset.
#[inline(always)]
pub(super) fn reduce<T: Number, V: Lanes<Number = T>>(x: T, offset: T) -> (T, [T; 2]) {
    let (whole, powers) = mul_add::<T, V>(x, T::LOG2_E, -offset).whole_and_powers();
    let r = mul_add::<T, V>(-whole, T::LN_2[1], mul_add::<T, V>(-whole, T::LN_2[0], x));
    (r, powers)
}

/// e^r - 1 for |r| <= 0.52: the Taylor series.
#[inline(always)]
pub(super) fn exp_m1_series<T: Number, V: Lanes<Number = T>>(r: T) -> T {
    mul_add::<T, V>(polynomial::<T, V>(T::FACTORIALS, r), r * r, r)
}

/// Returns e^r - 1 and the powers of two whose product with e^r is e^x: those of [`reduce`].
#[inline(always)]
pub(super) fn reduced<T: Number, V: Lanes<Number = T>>(x: T, offset: T) -> (T, [T; 2]) {
    let (r, powers) = reduce::<T, V>(x, offset);
    (exp_m1_series::<T, V>(r), powers)
}

/// x, or the nearest number of a range.
#[inline(always)]
pub(super) fn clamp<T: Real>(x: T, [least, largest]: [T; 2]) -> T {
    let x = if x < least { least } else { x };
    if x > largest { largest } else { x }
}

#[inline(always)]
pub(super) fn exp<T: Number, V: Lanes<Number = T>>(x: T) -> T {
    let (less_one, powers) = reduced::<T, V>(clamp(x, T::EXP_RANGE), T::zero());
    (T::one() + less_one) * powers[0] * powers[1]
}

/// e^x - 1 for x <= 0.
#[inline(always)]
pub(super) fn exp_m1<T: Number, V: Lanes<Number = T>>(x: T) -> T {
    // With the offset, n = 0 down to -0.52: see the function `Tanh`.
    let (less_one, powers) = reduced::<T, V>(clamp(x, [T::EXP_RANGE[0], T::zero()]), -T::QUARTER);
    let power = powers[0] * powers[1];
    mul_add::<T, V>(power, less_one, power - T::one())
}

/// log(1 + x) for 0 <= x <= 1.
///
/// With s = f / (2 + f), log(1 + f) = log((1 + s) / (1 - s)) = 2 s + 2 s^3 / 3 + 2 s^5 / 5 + ... Since 2 s = f - s f, this is
/// f less a correction that is small, so that the rounding of s hardly counts. Above 1/2, 1 + x = 2 (1 + f).
///
/// Source of the series: Abramowitz and Stegun 1964, 4.1.27.
#[inline(always)]
pub(super) fn log_1p<T: Number, V: Lanes<Number = T>>(x: T) -> T {
    let halved = x > T::HALF;
    let f = if halved { (x - T::one()) * T::HALF } else { x };
    let s = f / (T::one() + T::one() + f);
    let square = s * s;
    let rest = square * polynomial::<T, V>(T::ODD_PARTS, square);
    let log = mul_add::<T, V>(-s, f - rest, f);
    if halved {
        T::LN_2[0] + (T::LN_2[1] + log)
    } else {
        log
    }
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
pub(super) mod tests {
    use super::*;
    use crate::kernel::InstructionSet;

    /// x -> e^x - 1.
    #[derive(Clone, Copy)]
    struct ExpM1;

    impl<T: Number> Function<T> for ExpM1 {
        fn of<V: Lanes<Number = T>>(self, x: T) -> T {
            exp_m1::<T, V>(x)
        }
    }

    /// x -> log(1 + x).
    #[derive(Clone, Copy)]
    struct Log1p;

    impl<T: Number> Function<T> for Log1p {
        fn of<V: Lanes<Number = T>>(self, x: T) -> T {
            log_1p::<T, V>(x)
        }
    }

    /// Numbers of all sizes and both signs, up to `largest`.
    pub(in crate::kernel) fn grid(largest: f64) -> Vec<f64> {
        let sizes = (0..20_000).map(|step| largest * 0.999_f64.powi(step));
        sizes.flat_map(|size| [size, -size]).chain([0.0, -0.0]).collect()
    }

    /// The largest error in units in the last place of `f32`, against a function of `f64`.
    pub(in crate::kernel) fn error_f32(
        function: impl Function<f32>,
        exact: impl Fn(f64) -> f64,
        numbers: &[f64],
    ) -> f64 {
        let numbers: Vec<f32> = numbers.iter().map(|&x| x as f32).collect();
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
    pub(in crate::kernel) fn error_f64(
        function: impl Function<f64>,
        exact: impl Fn(f64) -> f64,
        numbers: &[f64],
    ) -> f64 {
        let mut values = numbers.to_vec();
        map(function, &mut values);
        let errors = numbers.iter().zip(values).map(|(&x, value)| {
            let exact = exact(x);
            let unit = exact.abs().max(f64::MIN_POSITIVE);
            (value - exact).abs() / (unit.next_up() - unit)
        });
        errors.fold(0.0, f64::max)
    }

    /// Whether the loops multiply and add in one instruction.
    pub(in crate::kernel) fn fused() -> bool {
        InstructionSet::current() != InstructionSet::Baseline
    }

    /// Numbers from 0 to 1.
    fn unit() -> Vec<f64> {
        let even = (0..=20_000).map(|step| f64::from(step) / 20_000.0);
        even.chain((1..300).map(|power| 0.5_f64.powi(power / 3) / (1.0 + f64::from(power % 3))))
            .collect()
    }

    fn negative(numbers: &[f64]) -> Vec<f64> {
        numbers.iter().map(|number| -number.abs()).collect()
    }

    #[test]
    fn errors_are_below_two_units() {
        let (single, double) = if fused() { (2.0, 3.0) } else { (3.0, 4.0) };
        let errors = [
            error_f32(Exp { shift: 0.0 }, f64::exp, &grid(87.0)),
            error_f32(Tanh, f64::tanh, &grid(30.0)),
            error_f32(Sigmoid, |x| 1.0 / (1.0 + (-x).exp()), &grid(87.0)),
            error_f32(ExpM1, f64::exp_m1, &negative(&grid(104.0))),
            error_f32(Log1p, f64::ln_1p, &unit()),
        ];
        assert!(errors.iter().all(|&error| error < single), "{errors:?}");
        let errors = [
            error_f64(Exp { shift: 0.0 }, f64::exp, &grid(700.0)),
            error_f64(Tanh, f64::tanh, &grid(30.0)),
            error_f64(Sigmoid, |x| 1.0 / (1.0 + (-x).exp()), &grid(700.0)),
            error_f64(ExpM1, f64::exp_m1, &negative(&grid(740.0))),
            error_f64(Log1p, f64::ln_1p, &unit()),
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
        assert!((at(Exp { shift: 0.0 }, -100.0_f32) / 3.8e-44 - 1.0).abs() < 0.02);
        assert!((at(Exp { shift: 0.0 }, -740.0_f64) / 4.199_556_7e-322 - 1.0).abs() < 0.02);
    }
}
