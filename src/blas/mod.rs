//! The general matrix product and the library that computes it: the only module that knows of BLAS.
//!
//! With the feature `openblas`, products go through ndarray to the system's OpenBLAS, one thread for each call: rayon owns
//! the parallelism above, because overlapping multithreaded calls compete for OpenBLAS's pool. Without the feature they go
//! to the pure-Rust kernels that ndarray brings.

mod gemm;
#[cfg(feature = "openblas")]
mod openblas;

pub(crate) use gemm::gemm;

/// The library that computes the matrix products of this process.
///
/// ```
/// let blas = mfnet::blas();
/// println!("{} {} with {} kernels", blas.library, blas.version, blas.kernel);
/// assert_eq!(blas.threads, 1, "rayon runs the threads");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blas {
    /// The library: `"OpenBLAS"`, or `"matrixmultiply"` in a build without `openblas`.
    pub library: &'static str,
    /// Its version, as the library reports it; empty if it reports none.
    pub version: String,
    /// The kernel set in use, such as `"SkylakeX"` or `"Haswell"`.
    pub kernel: String,
    /// The kernel set that the library chose by itself, if mfnet replaced it.
    pub replaced_kernel: Option<String>,
    /// A faster kernel set that this CPU could run, if mfnet could not or, because of `OPENBLAS_CORETYPE`, may not replace
    /// the one in use.
    pub better_kernel: Option<&'static str>,
    /// The number of threads the library uses for one product: 1.
    pub threads: usize,
    /// The number of threads that share the work above it: those of rayon's current pool.
    pub workers: usize,
}

/// Returns the library, version, kernel and thread counts in use.
///
/// OpenBLAS chooses its kernel when it is loaded, and a library older than the CPU falls back to one that is four to five
/// times slower. On Linux, mfnet makes it choose again when the program is loaded. The choice of a user who sets
/// `OPENBLAS_CORETYPE` stands. The first product, or the first call of this function, sets the library's thread count to 1.
pub fn blas() -> Blas {
    #[cfg(feature = "openblas")]
    let blas = openblas::describe();
    #[cfg(not(feature = "openblas"))]
    let blas = Blas {
        library: "matrixmultiply",
        version: String::new(),
        kernel: "pure Rust".to_owned(),
        replaced_kernel: None,
        better_kernel: None,
        threads: 1,
        workers: rayon::current_num_threads(),
    };
    blas
}
