//! ELU, SiLU, softplus and GELU with their derivatives, without branches, as the functions of the module `math`.
//!
//! With fused multiply-adds, values of ELU and softplus are within 2 units in the last place of the exact value where that is
//! a normal number, SiLU's within 3, GELU's within 6. GELU is a product of three approximations, and its values below 0 change
//! by x^2 units if x changes by one, so that more digits would mean little; (1 + erf) / 2 loses them all there.
//!
//! The derivatives of SiLU and GELU are 0 at one negative place, where their sum of two terms cancels. Their errors are
//! absolute ones, below 2 units in the last place of 1. NaN stays NaN.

use super::lanes::{Lanes, Number};
use super::math::{
    Function, clamp, exp, exp_m1, exp_m1_series, log_1p, mul_add, polynomial, reduce, reduced,
};

/// x -> x above 0, alpha (e^x - 1) below.
#[derive(Clone, Copy)]
pub(crate) struct Elu<T> {
    pub(crate) alpha: T,
}

impl<T: Number> Function<T> for Elu<T> {
    #[inline(always)]
    fn of<V: Lanes<Number = T>>(self, x: T) -> T {
        let below = self.alpha * exp_m1::<T, V>(x);
        if x > T::zero() { x } else { below }
    }
}

/// x -> log(1 + e^x) = max(0, x) + log(1 + e^-|x|).
#[derive(Clone, Copy)]
pub(crate) struct Softplus;

impl<T: Number> Function<T> for Softplus {
    #[inline(always)]
    fn of<V: Lanes<Number = T>>(self, x: T) -> T {
        let above = if x > T::zero() { x } else { T::zero() };
        above + log_1p::<T, V>(exp::<T, V>(-x.abs()))
    }
}

/// The derivative of [`Softplus`] where its value is a: 1 - e^-a.
#[derive(Clone, Copy)]
pub(crate) struct SoftplusDerivative;

impl<T: Number> Function<T> for SoftplusDerivative {
    #[inline(always)]
    fn of<V: Lanes<Number = T>>(self, a: T) -> T {
        -exp_m1::<T, V>(-a)
    }
}

/// x -> x / (1 + e^-x), below 0 computed as x e^x / (1 + e^x).
#[derive(Clone, Copy)]
pub(crate) struct Silu;

impl<T: Number> Function<T> for Silu {
    #[inline(always)]
    fn of<V: Lanes<Number = T>>(self, x: T) -> T {
        let size = at_most(x.abs(), T::SIGMOID_RANGE);
        let (less_one, powers) = reduced::<T, V>(-size, T::zero());
        let factor = T::one() + less_one;
        let below = x < T::zero();
        let numerator = if below { -size * factor } else { x };
        let quotient = numerator / (T::one() + factor * powers[0] * powers[1]);
        // The powers come last, since e^x alone may be too small for all its digits.
        if below {
            quotient * powers[0] * powers[1]
        } else {
            quotient
        }
    }
}

/// The derivative of [`Silu`]: with the sigmoid s, s(x) (1 + x s(-x)); below 0, and above as one less that of -x.
#[derive(Clone, Copy)]
pub(crate) struct SiluDerivative;

impl<T: Number> Function<T> for SiluDerivative {
    #[inline(always)]
    fn of<V: Lanes<Number = T>>(self, x: T) -> T {
        let size = at_most(x.abs(), T::SIGMOID_RANGE);
        let exp = exp::<T, V>(-size);
        let sigmoid = T::one() / (T::one() + exp);
        let below = exp * sigmoid * mul_add::<T, V>(-size, sigmoid, T::one());
        if x < T::zero() { below } else { T::one() - below }
    }
}

/// x -> x Phi(x), with the distribution function Phi of the standard normal distribution: (1 + erf(x / sqrt 2)) / 2.
#[derive(Clone, Copy)]
pub(crate) struct Gelu;

impl<T: Number> Function<T> for Gelu {
    #[inline(always)]
    fn of<V: Lanes<Number = T>>(self, x: T) -> T {
        let size = at_most(x.abs(), T::NORMAL_RANGE);
        let Tail {
            ratio,
            factor,
            powers,
        } = Tail::of::<V>(size);
        let part = ratio * factor;
        let below = -size * part * powers[0] * powers[1];
        let above = x * (T::one() - part * powers[0] * powers[1]);
        if x < T::zero() { below } else { above }
    }
}

/// The derivative of [`Gelu`]: Phi(x) + x phi(x), with the density phi(x) = e^(-x^2 / 2) / sqrt(2 pi); below 0, and above as
/// one less that of -x.
#[derive(Clone, Copy)]
pub(crate) struct GeluDerivative;

impl<T: Number> Function<T> for GeluDerivative {
    #[inline(always)]
    fn of<V: Lanes<Number = T>>(self, x: T) -> T {
        let size = at_most(x.abs(), T::NORMAL_RANGE);
        let Tail {
            ratio,
            factor,
            powers,
        } = Tail::of::<V>(size);
        let below = mul_add::<T, V>(-size, T::NORMAL_DENSITY, ratio) * factor * powers[0] * powers[1];
        if x < T::zero() { below } else { T::one() - below }
    }
}

/// Phi(-t) for t >= 0, as the product of these numbers; without the ratio, e^(-t^2 / 2).
struct Tail<T> {
    /// Phi(-t) e^(t^2 / 2): from 1/2 at 0 it falls as 1 / (t sqrt(2 pi)) does.
    ratio: T,
    factor: T,
    powers: [T; 2],
}

impl<T: Number> Tail<T> {
    /// The ratio is a polynomial in v = (t - 1) / (t + 4), divided by t + 4: a fraction maps the whole axis to an interval, as
    /// in Shepherd and Laframboise 1981, Chebyshev approximation of (1 + 2x) exp(x^2) erfc x. With t = h + d, h a number of few
    /// digits, h^2 is exact and t^2 = h^2 + d (t + h): a rounded t^2 would cost digits of the exponential.
    #[inline(always)]
    fn of<V: Lanes<Number = T>>(t: T) -> Self {
        let head = t + T::FEW_DIGITS - T::FEW_DIGITS;
        let (r, powers) = reduce::<T, V>(-T::HALF * (head * head), T::zero());
        let r = mul_add::<T, V>(-T::HALF * (t - head), t + head, r);
        let inverse = T::one() / (t + T::FOUR);
        Tail {
            ratio: polynomial::<T, V>(T::NORMAL_TAIL, (t - T::one()) * inverse) * inverse,
            factor: T::one() + exp_m1_series::<T, V>(r),
            powers,
        }
    }
}

/// The lesser number; NaN if x is.
#[inline(always)]
fn at_most<T: Number>(x: T, largest: T) -> T {
    clamp(x, [T::zero(), largest])
}

#[cfg(test)]
mod tests {
    use super::super::math::map;
    use super::super::math::tests::{error_f32, error_f64, fused, grid};
    use super::*;

    fn at<T: Number>(function: impl Function<T>, x: T) -> T {
        let mut value = [x];
        map(function, &mut value);
        value[0]
    }

    fn silu(x: f64) -> f64 {
        x / (1.0 + (-x).exp())
    }

    fn softplus(x: f64) -> f64 {
        x.max(0.0) + (-x.abs()).exp().ln_1p()
    }

    fn elu(x: f64) -> f64 {
        if x > 0.0 { x } else { 0.375 * x.exp_m1() }
    }

    /// Numbers around 0, where the digits are spread evenly.
    fn near() -> impl Iterator<Item = f64> {
        (0..8_000).map(|step| -4.0 + f64::from(step) / 1000.3)
    }

    fn numbers(largest: f64) -> Vec<f64> {
        grid(largest).into_iter().chain(near()).collect()
    }

    #[test]
    fn errors_of_values() {
        // A unit more where products are rounded before sums; and in f64 for the error of what they are compared with.
        let rounding = if fused() { 0.0 } else { 2.0 };
        let positive: Vec<f64> = numbers(80.0).into_iter().map(f64::abs).collect();
        let gelu = |x| at(Gelu, x);
        for (name, error, limit) in [
            ("ELU", error_f32(Elu { alpha: 0.375 }, elu, &numbers(80.0)), 2.0),
            ("softplus", error_f32(Softplus, softplus, &numbers(87.0)), 2.0),
            (
                "1 - e^-a",
                error_f32(SoftplusDerivative, |a| -(-a).exp_m1(), &positive),
                2.0,
            ),
            ("SiLU", error_f32(Silu, silu, &numbers(91.0)), 3.0),
            ("GELU", error_f32(Gelu, gelu, &numbers(12.9)), 6.0),
            ("ELU", error_f64(Elu { alpha: 0.375 }, elu, &numbers(700.0)), 3.0),
            ("softplus", error_f64(Softplus, softplus, &numbers(700.0)), 3.0),
            (
                "1 - e^-a",
                error_f64(SoftplusDerivative, |a| -(-a).exp_m1(), &positive),
                3.0,
            ),
            ("SiLU", error_f64(Silu, silu, &numbers(700.0)), 4.0),
        ] {
            assert!(error < limit + rounding, "{name}: {error}");
        }
    }

    /// x, GELU and its derivative, of mpmath:
    ///
    /// ```python
    /// from mpmath import mp, erfc, exp, mpf, nstr, pi, sqrt
    /// mp.dps = 40
    /// below = -37, -20, -8.5, -6, -4.25, -3, -2, -1.5, -1, -0.75, -0.5, -0.25, -0.0625, -1e-9
    /// for x in *below, 1e-9, 0.125, 0.375, 0.75, 1.25, 2.5, 5, 9:
    ///     x = mpf(x)
    ///     phi, density = erfc(-x / sqrt(mpf(2))) / 2, exp(-x * x / 2) / sqrt(2 * pi)
    ///     print([float(n) for n in (x, x * phi, phi + x * density)])
    /// ```
    const GELU: [[f64; 3]; 22] = [
        [-37.0, -2.1184613523340935e-298, -7.838298669418516e-297],
        [-20.0, -5.507248237212468e-88, -1.1014360483133464e-86],
        [-8.5, -8.05760459887282e-17, -6.846504938697085e-16],
        [-6.0, -5.9195258702261885e-9, -3.5468709453902015e-8],
        [-4.25, -4.542623454347129e-5, -0.0001921156795251866],
        [-3.0, -0.0040496940948902835, -0.011945647204183927],
        [-2.0, -0.04550026389635842, -0.0852318010781969],
        [-1.5, -0.1002108019032871, -0.12746919222997952],
        [-1.0, -0.15865525393145705, -0.0833154705876863],
        [-0.75, -0.16997051428265114, 0.0007742782607648957],
        [-0.5, -0.15426876936299344, 0.13250487534383715],
        [-0.25, -0.10032341857926907, 0.30462664511636395],
        [-0.0625, -0.029692645685672047, 0.45019708992782237],
        [-1e-9, -4.999999996010577e-10, 0.49999999920211546],
        [1e-9, 5.000000003989423e-10, 0.5000000007978845],
        [0.125, 0.06871727810376412, 0.5992179356982066],
        [0.375, 0.24231366250227143, 0.7856154268738872],
        [0.75, 0.5800294857173488, 0.9992257217392351],
        [1.25, 1.117937782916431, 1.1226615830694222],
        [2.5, 2.4844758366855597, 1.037611085908145],
        [5.0, 4.999998566742141, 1.000007146946002],
        [9.0, 9.0, 1.0],
    ];

    #[test]
    fn gelu_is_mpmaths() {
        let rounding = if fused() { 0.0 } else { 2.0 };
        for [x, value, derivative] in GELU {
            let error = (at(Gelu, x) - value).abs() / (value.abs().next_up() - value.abs());
            assert!(error < 6.0 + rounding, "{x}: {error}");
            let error = (at(GeluDerivative, x) - derivative).abs() / f64::EPSILON;
            assert!(error < 2.0, "derivative at {x}: {error}");
            let error = (at(GeluDerivative, x as f32) - derivative as f32).abs() / f32::EPSILON;
            assert!(error < 2.0, "derivative in f32 at {x}: {error}");
        }
    }

    /// The loops of a CPU whose multiplications are rounded before additions.
    #[test]
    fn portable_registers_give_nearly_the_same() {
        fn check<T: Number>(function: impl Function<T>, x: T) {
            let (fused, portable) = (at(function, x), function.of::<T::Portable>(x));
            let limit = T::epsilon() * fused.abs() * T::from(8.0).unwrap() + T::min_positive_value();
            assert!((fused - portable).abs() <= limit, "{x}: {fused}, {portable}");
        }
        for x in numbers(60.0) {
            check(Elu { alpha: 0.375 }, x);
            check(Softplus, x);
            check(SoftplusDerivative, x.abs());
            check(Silu, x);
            check(Gelu, x);
            check(Elu { alpha: 0.375 }, x as f32);
            check(Softplus, x as f32);
            check(SoftplusDerivative, x.abs() as f32);
            check(Silu, x as f32);
            check(Gelu, x as f32);
        }
    }

    #[test]
    fn errors_of_derivatives() {
        let derivative = |x: f64| {
            let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
            sigmoid(x) * (1.0 + x * sigmoid(-x))
        };
        for x in numbers(90.0) {
            let error = (at(SiluDerivative, x) - derivative(x)).abs() / f64::EPSILON;
            // What it is compared with has been rounded, too.
            assert!(error < 4.0, "{x}: {error}");
            let single = x as f32;
            let error = f64::from(at(SiluDerivative, single)) - derivative(f64::from(single));
            assert!(error.abs() < 2.0 * f64::from(f32::EPSILON), "{x}: {error}");
            let error = f64::from(at(GeluDerivative, single)) - at(GeluDerivative, f64::from(single));
            assert!(error.abs() < 2.0 * f64::from(f32::EPSILON), "{x}: {error}");
        }
    }

    #[test]
    fn ends_and_what_is_no_number() {
        macro_rules! check {
            ($($float:ty)*) => {$(
                let (infinity, largest, nan) = (<$float>::INFINITY, <$float>::MAX, <$float>::NAN);
                let elu = Elu { alpha: 0.375 };
                for large in [largest, infinity] {
                    assert_eq!(at::<$float>(elu, large), large);
                    assert_eq!(at::<$float>(Softplus, large), large);
                    assert_eq!(at::<$float>(Silu, large), large);
                    assert_eq!(at::<$float>(Gelu, large), large);
                    assert_eq!(at::<$float>(elu, -large), -0.375);
                    for function in [at::<$float>(Softplus, -large), at(Silu, -large), at(Gelu, -large)] {
                        assert_eq!(function, 0.0);
                    }
                    assert_eq!([at::<$float>(SiluDerivative, large), at(SiluDerivative, -large)], [1.0, 0.0]);
                    assert_eq!([at::<$float>(GeluDerivative, large), at(GeluDerivative, -large)], [1.0, 0.0]);
                    assert_eq!(at::<$float>(SoftplusDerivative, large), 1.0);
                }
                let tiny = <$float>::MIN_POSITIVE / 4.0;
                assert_eq!(at::<$float>(Elu { alpha: 1.0 }, -tiny), -tiny);
                assert_eq!(at::<$float>(SoftplusDerivative, tiny), tiny);
                assert_eq!(at::<$float>(Silu, tiny), tiny / 2.0);
                assert_eq!(at::<$float>(Silu, 0.0), 0.0);
                assert_eq!(at::<$float>(Gelu, 0.0), 0.0);
                assert_eq!(at::<$float>(SiluDerivative, 0.0), 0.5);
                for value in [
                    at::<$float>(elu, nan), at(Softplus, nan), at(SoftplusDerivative, nan), at(Silu, nan),
                    at(SiluDerivative, nan), at(Gelu, nan), at(GeluDerivative, nan),
                ] {
                    assert!(value.is_nan());
                }
            )*};
        }
        check!(f32 f64);
    }
}
