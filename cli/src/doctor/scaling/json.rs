//! The prediction for programs: one JSON object.

use serde_json::{Map, Value, json};

use super::{Report, THREADS};
use crate::settings::Precision;

/// The object, on one line. The keys of speed-ups are numbers of threads.
pub(super) fn text(report: &Report) -> String {
    let by_threads = |pairs: &mut dyn Iterator<Item = (usize, f64)>| -> Map<String, Value> {
        pairs
            .map(|(threads, value)| (threads.to_string(), value.into()))
            .collect()
    };
    let phases: Vec<Value> = report
        .phases
        .iter()
        .map(|phase| {
            let mut seconds = THREADS.into_iter().zip(phase.predicted.iter().copied());
            json!({ "name": phase.name, "tasks": phase.tasks, "seconds": by_threads(&mut seconds) })
        })
        .collect();
    let arguments = &report.arguments;
    let object = json!({
        "network": arguments.network.to_string(),
        "batch_size": arguments.batch_size,
        "activation": arguments.activation,
        "optimizer": arguments.optimizer,
        "precision": match arguments.precision {
            Precision::F32 => "f32",
            Precision::F64 => "f64",
        },
        "density": arguments.density(),
        "seed": arguments.seed,
        "threads": report.threads,
        "step_seconds": report.measured.one,
        "fork_join_seconds": report.fork_join,
        "fork_join_threads": report.fork_join_threads,
        "memory_bytes_per_second": report.memory,
        "phases": phases,
        "predicted": by_threads(&mut report.predicted_speedups()),
        "measured": by_threads(&mut report.measured_speedups()),
        "deviation": report.deviation(),
        "recommended_threads": report.recommended,
        "seconds": report.seconds,
    });
    format!("{object}\n")
}
