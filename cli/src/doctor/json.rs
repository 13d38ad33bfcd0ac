//! The report for programs: one JSON object.

use serde_json::{Map, Value, json};

use super::Report;

/// The object, on one line. What the system does not tell is null.
pub(super) fn text(report: &Report, advice: &[String]) -> String {
    let Report {
        build,
        system,
        blas,
        measured,
        ..
    } = report;
    let caches: Map<String, Value> = system
        .caches
        .iter()
        .map(|(name, bytes)| (name.clone(), (*bytes).into()))
        .collect();
    let environment: Map<String, Value> = report
        .environment
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    let object = json!({
        "version": build.version,
        "commit": build.commit,
        "rustc": build.rustc,
        "target": build.target,
        "profile": build.profile,
        "features": build.features,
        "cpu": system.cpu,
        "instructions": system.instructions,
        "instructions_used": system.instructions_used,
        "cache_bytes": caches,
        "cpus_online": system.online,
        "cpus_available": system.available,
        "cpu_limit": system.limit,
        "shares_cores": system.shares_cores,
        "threads": blas.workers,
        "blas": {
            "library": blas.library,
            "version": blas.version,
            "kernel": blas.kernel,
            "replaced_kernel": blas.replaced_kernel,
            "better_kernel": blas.better_kernel,
            "threads": blas.threads,
        },
        "environment": environment,
        "peak_flops": { "f32": measured.f32.peak, "f64": measured.f64.peak },
        "product_flops": { "f32": measured.f32.products, "f64": measured.f64.products },
        "memory_bytes_per_second": measured.memory,
        "fork_join_seconds": measured.fork_join,
        "other_programs": measured.rivals.map(|rivals| rivals.programs),
        "other_machines": measured.rivals.map(|rivals| rivals.machines),
        "seconds": measured.seconds,
        "advice": advice,
    });
    format!("{object}\n")
}
