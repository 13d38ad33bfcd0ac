//! The machine and the build, for whoever reads the table later.

use std::thread;

use super::super::blas;
use super::super::doctor::system;

/// Labels, and what belongs to them.
pub(super) fn facts(seed: u64) -> Vec<(&'static str, String)> {
    let blas = mfnet::blas();
    let version = format!(
        "mfnet {}, commit {}, {}, {} build",
        env!("CARGO_PKG_VERSION"),
        env!("MFNET_BUILD_COMMIT"),
        env!("MFNET_BUILD_RUSTC"),
        env!("MFNET_BUILD_PROFILE"),
    );
    vec![
        ("version", version),
        ("CPU", cpu()),
        (
            "BLAS",
            format!("{}, kernel {}", blas::library(&blas), blas::kernel(&blas)),
        ),
        ("threads", blas::threads(&blas)),
        ("seed", seed.to_string()),
    ]
}

/// The model, the cores that this process may use, and the instructions of our own loops.
fn cpu() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let model = system::cpu();
    let model = if model.is_empty() {
        std::env::consts::ARCH
    } else {
        &model
    };
    format!(
        "{model}, {cores} cores, {}",
        mfnet::internal::machine::instruction_set()
    )
}
