//! The floating-point types that networks compute in: `f32` and `f64`.

use crate::kernel::Number;

/// A floating-point type that networks compute in: `f32` or `f64`, and no other.
///
/// `f32` is twice as fast; `f64` is the report's type.
pub trait Element: Number {
    /// The type's name: `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// Converts a byte; exact.
    fn from_u8(value: u8) -> Self;

    /// Rounds to the nearest number of this type.
    fn from_f64(value: f64) -> Self;

    /// Converts to `f64`; exact.
    fn as_f64(self) -> f64;

    /// Calls the instance of a function that was compiled in this crate for this type; see [`compiled`].
    #[doc(hidden)]
    fn call<'a, 'b: 'a, F: Compiled>(arguments: F::Arguments<'a, 'b, Self>) -> F::Output<'b, Self>;
}

/// A generic function whose code for both types is part of this crate; implemented by [`compiled`].
pub trait Compiled {
    /// The function's arguments, as a tuple.
    type Arguments<'a, 'b: 'a, T: Element>;
    /// The function's result.
    type Output<'b, T: Element>;

    /// Calls the function for `f32`.
    fn in_f32<'a, 'b: 'a>(arguments: Self::Arguments<'a, 'b, f32>) -> Self::Output<'b, f32>;

    /// Calls the function for `f64`.
    fn in_f64<'a, 'b: 'a>(arguments: Self::Arguments<'a, 'b, f64>) -> Self::Output<'b, f64>;
}

/// Compiles a generic function once for `f32` and once for `f64`, in this crate and with its optimisation.
///
/// Otherwise a generic function is compiled again in each program that calls it: this takes long, and the code is slow if
/// that program is a development build. The macro is for functions that do the heavy work.
///
/// `'a` is the lifetime of the references, `'b` that of anything behind them.
macro_rules! compiled {
    (
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident<$a:lifetime, $b:lifetime, $t:ident>($($argument:ident: $type:ty),* $(,)?)
        $(-> $output:ty)? $body:block
    ) => {
        $(#[$attribute])*
        $visibility fn $name<$a, $b: $a, $t: $crate::element::Element>($($argument: $type),*) $(-> $output)? {
            fn generic<$a, $b: $a, $t: $crate::element::Element>($($argument: $type),*) $(-> $output)? $body

            struct Function;

            impl $crate::element::Compiled for Function {
                type Arguments<$a, $b: $a, $t: $crate::element::Element> = ($($type,)*);
                type Output<$b, $t: $crate::element::Element> = $crate::element::compiled!(@output $($output)?);

                fn in_f32<$a, $b: $a>(arguments: Self::Arguments<$a, $b, f32>) -> Self::Output<$b, f32> {
                    let ($($argument,)*) = arguments;
                    generic($($argument),*)
                }

                fn in_f64<$a, $b: $a>(arguments: Self::Arguments<$a, $b, f64>) -> Self::Output<$b, f64> {
                    let ($($argument,)*) = arguments;
                    generic($($argument),*)
                }
            }

            $t::call::<Function>(($($argument,)*))
        }
    };
    (@output $output:ty) => { $output };
    (@output) => { () };
}

pub(crate) use compiled;

impl Element for f32 {
    const NAME: &'static str = "f32";

    fn call<'a, 'b: 'a, F: Compiled>(arguments: F::Arguments<'a, 'b, Self>) -> F::Output<'b, Self> {
        F::in_f32(arguments)
    }

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

    fn call<'a, 'b: 'a, F: Compiled>(arguments: F::Arguments<'a, 'b, Self>) -> F::Output<'b, Self> {
        F::in_f64(arguments)
    }

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
