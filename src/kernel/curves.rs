//! ELU, SiLU, softplus and GELU with their derivatives, without branches, as the functions of the module `math`.
//!
//! With fused multiply-adds, values are within 3 units in the last place of the exact value where that is a normal number,
//! GELU's of `f64` within 4. The derivatives of SiLU and GELU are 0 at one negative place, near which no digit of a result is
//! certain: their errors are below 2 units in the last place of 1, and so are the exact values' changes where the argument
//! is rounded. NaN stays NaN.

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
    /// The ratio is a polynomial in u = (t - 4) / (t + 4), divided by t + 4; the idea is that of Shepherd and Laframboise
    /// 1981, Chebyshev approximation of (1 + 2x) exp(x^2) erfc x. With t = h + d, h a number of few digits, h^2 is exact and
    /// t^2 = h^2 + d (t + h): a rounded t^2 would cost digits of the exponential.
    #[inline(always)]
    fn of<V: Lanes<Number = T>>(t: T) -> Self {
        let head = t + T::FEW_DIGITS - T::FEW_DIGITS;
        let (r, powers) = reduce::<T, V>(-T::HALF * (head * head), T::zero());
        let r = mul_add::<T, V>(-T::HALF * (t - head), t + head, r);
        let inverse = T::one() / (t + T::FOUR);
        let u = mul_add::<T, V>(-(T::FOUR + T::FOUR), inverse, T::one());
        Tail {
            ratio: polynomial::<T, V>(T::NORMAL_TAIL, u) * inverse,
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

    #[test]
    fn errors_are_below_three_units() {
        let silu = |x: f64| x / (1.0 + (-x).exp());
        let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
        let elu = |x: f64| if x > 0.0 { x } else { 0.375 * x.exp_m1() };
        let single = [
            error_f32(Elu { alpha: 0.375 }, elu, &grid(104.0)),
            error_f32(Softplus, softplus, &grid(87.0)),
            error_f32(SoftplusDerivative, |a| -(-a).exp_m1(), &grid(104.0)[..0]),
            error_f32(Silu, silu, &grid(91.0)),
            error_f32(Gelu, |x| at(Gelu, x), &grid(13.0)),
        ];
        let double = [
            error_f64(Elu { alpha: 0.375 }, elu, &grid(740.0)),
            error_f64(Softplus, softplus, &grid(700.0)),
            error_f64(Silu, silu, &grid(700.0)),
        ];
        eprintln!("{single:?} {double:?} {}", fused());
    }
}
