//! The machine and the build, for whoever reads the table later.

use std::fs;
use std::thread;

use super::super::blas;

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

/// The model, the cores that this process may use, and the widest vectors.
fn cpu() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model_name(&cpuinfo).unwrap_or(std::env::consts::ARCH);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores{}", vectors())
}

/// The first processor's name as Linux tells it.
fn model_name(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim())
}

#[cfg(target_arch = "x86_64")]
fn vectors() -> &'static str {
    if is_x86_feature_detected!("avx512f") {
        ", AVX-512"
    } else if is_x86_feature_detected!("avx2") {
        ", AVX2"
    } else {
        ""
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn vectors() -> &'static str {
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_found() {
        let text = "processor\t: 0\nvendor_id\t: A\nmodel name\t: Some CPU 7: fast\n\nprocessor\t: 1\n";
        assert_eq!(model_name(text), Some("Some CPU 7: fast"));
        assert_eq!(model_name("processor: 0"), None);
    }
}
