//! What computes the products, in words.

use mfnet::product::Blas;

/// The variable that decides which kernels OpenBLAS uses.
const CHOICE: &str = "OPENBLAS_CORETYPE";

/// The library and its version, if it has one.
pub(super) fn library(blas: &Blas) -> String {
    format!("{} {}", blas.library, blas.version).trim_end().to_owned()
}

/// The kernel, and the one it stands in for.
pub(super) fn kernel(blas: &Blas) -> String {
    match &blas.replaced_kernel {
        Some(replaced) => format!(
            "{} (instead of {replaced}, the library's own choice)",
            blas.kernel
        ),
        None => match blas.better_kernel {
            Some(better) => format!("{} (this CPU could run {better})", blas.kernel),
            None => blas.kernel.clone(),
        },
    }
}

/// Who runs in parallel.
pub(super) fn threads(blas: &Blas) -> String {
    format!("{}, and {} in each product of BLAS", blas.workers, blas.threads)
}

/// What to do about a kernel that is slower than the CPU allows.
pub(super) fn kernel_advice(blas: &Blas) -> Option<String> {
    let choice = std::env::var_os(CHOICE).map(|value| value.to_string_lossy().into_owned());
    advice(blas.better_kernel?, &blas.kernel, choice.as_deref())
}

fn advice(better: &str, kernel: &str, choice: Option<&str>) -> Option<String> {
    Some(match choice {
        Some(choice) => format!(
            "{CHOICE}={} holds OpenBLAS to its {kernel} kernels, where this CPU could run the faster {better}: \
             unset {CHOICE}",
            choice.escape_debug()
        ),
        None => format!(
            "OpenBLAS runs its {kernel} kernels and has no faster ones, where this CPU could run {better}: update \
             OpenBLAS, or install one built with DYNAMIC_ARCH, as the packages of most distributions are"
        ),
    })
}
