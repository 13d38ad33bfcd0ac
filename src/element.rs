//! The numbers that networks are made of: `f32` and `f64`.

use crate::kernel::Number;

/// A floating-point type that networks compute in: `f32` or `f64`, and no other.
///
/// `f32` is twice as fast; `f64` is the report's type.
pub trait Element: Number {
    /// The type's name: `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The same number as a byte; exact.
    fn from_u8(value: u8) -> Self;

    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;

    /// The same number as `f64`; exact.
    fn as_f64(self) -> f64;
}

impl Element for f32 {
    const NAME: &'static str = "f32";

    #[inline(always)]
    fn from_u8(value: u8) -> Self {
        f32::from(value)
    }

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn as_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Element for f64 {
    const NAME: &'static str = "f64";

    #[inline(always)]
    fn from_u8(value: u8) -> Self {
        f64::from(value)
    }

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn as_f64(self) -> f64 {
        self
    }
}
