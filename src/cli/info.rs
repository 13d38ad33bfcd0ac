//! `mfnet info`: what does the work.

use mfnet::Blas;

use super::{Outcome, console};

pub(super) fn info() -> anyhow::Result<Outcome> {
    let blas = mfnet::blas();
    let with = |feature: &'static str, on: bool| on.then_some(feature);
    let features: Vec<&str> = [
        with("openblas", cfg!(feature = "openblas")),
        with("linalg", cfg!(feature = "linalg")),
        with("download", cfg!(feature = "download")),
    ]
    .into_iter()
    .flatten()
    .collect();
    console::print(&format!(
        "mfnet     {}\nlibrary   {}\nkernel    {}\nthreads   {}\nfeatures  {}\n",
        env!("CARGO_PKG_VERSION"),
        library(&blas),
        kernel(&blas),
        threads(&blas),
        features.join(", "),
    ))?;
    Ok(Outcome::Done)
}

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
        None => blas.kernel.clone(),
    }
}

/// Who runs in parallel.
pub(super) fn threads(blas: &Blas) -> String {
    format!("{}, and {} in each product of BLAS", blas.workers, blas.threads)
}
