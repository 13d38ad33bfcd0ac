//! The choice of who computes the dense products.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Error, Result};
use crate::names::Named;

/// Who computes the dense products of layers. Default: [`Products::Auto`].
///
/// Products that skip the zeros of samples are not affected. Results differ by rounding from one choice to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Products {
    /// By the shape of the layer: this crate's kernels up to 2^21 weights, BLAS above. Either can be the faster near that
    /// bound: compare them on the CPU at hand.
    #[default]
    Auto,
    /// BLAS; in a build without the feature `openblas` the pure-Rust gemm of ndarray.
    Blas,
    /// This crate's kernels.
    Rust,
}

impl Products {
    /// All choices.
    pub const ALL: [Products; 3] = [Products::Auto, Products::Blas, Products::Rust];

    /// The name that users write: `"auto"`, `"blas"` or `"rust"`.
    pub fn name(self) -> &'static str {
        self.named().name
    }

    /// The names of all choices.
    pub fn names() -> Vec<Named> {
        Products::ALL.map(Products::named).to_vec()
    }

    fn named(self) -> Named {
        match self {
            Products::Auto => Named::new(
                "auto",
                "By the shape of the layer: the kernels of this program up to 2^21 weights, BLAS above",
            ),
            Products::Blas => Named::new("blas", "BLAS"),
            Products::Rust => Named::new("rust", "The kernels of this program"),
        }
    }
}

impl fmt::Display for Products {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Products {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let mut all = Products::ALL.into_iter();
        all.find(|products| products.name() == name)
            .ok_or_else(|| Error::option("products", name, "auto, blas or rust"))
    }
}

/// The choice of this process, as a number.
static CHOICE: AtomicU8 = AtomicU8::new(Products::Auto as u8);

/// Chooses who computes the dense products of this process from now on, such as to compare the speed of both.
///
/// ```
/// use mfnet::product::{self, Products};
///
/// assert_eq!(product::products(), Products::Auto);
/// product::set_products("rust".parse()?);
/// assert_eq!(product::products(), Products::Rust);
/// assert!("cuda".parse::<Products>().is_err());
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn set_products(products: Products) {
    CHOICE.store(products as u8, Ordering::Relaxed);
}

/// Who computes the dense products of this process.
pub fn products() -> Products {
    Products::ALL[usize::from(CHOICE.load(Ordering::Relaxed))]
}
