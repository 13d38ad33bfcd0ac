//! The prediction for people.

use super::super::text::wrapped;
use super::{Report, THREADS};
use crate::columns::Columns;
use crate::settings::Precision;

/// Where the contents begin, behind their labels.
const INDENT: usize = 14;

/// A prediction further from the measurement than this is said to be uncertain.
const CLOSE: f64 = 0.15;

/// The network, the speed-ups, the phases, and what to do.
pub(super) fn text(report: &Report) -> String {
    let arguments = &report.arguments;
    let precision = match arguments.precision {
        Precision::F32 => "f32",
        Precision::F64 => "f64",
    };
    let mut text = String::new();
    let mut line = |label: &str, content: String| text += &wrapped(&format!("{label:<INDENT$}"), content);
    line(
        "network",
        format!("{}, {}, {precision}", arguments.network, arguments.activation),
    );
    let density = 100.0 * arguments.density();
    line(
        "training",
        format!(
            "batches of {}, {}; {density:.0} % of the inputs are not 0",
            arguments.batch_size, arguments.optimizer
        ),
    );
    line(
        "one thread",
        format!("{:.3} ms a step", 1e3 * report.measured.one),
    );
    line(
        "fork-join",
        format!(
            "{:.1} us on {} threads",
            1e6 * report.fork_join,
            report.fork_join_threads
        ),
    );
    line(
        "memory",
        format!(
            "{:.1} GB/s read, on {} threads",
            report.memory / 1e9,
            report.threads
        ),
    );

    let mut steps = Columns::new(">>>>");
    steps.row(["threads", "ms a step", "speed-up", "measured"]);
    for ((threads, seconds), (_, speedup)) in report.predicted.iter().zip(report.predicted_speedups()) {
        let mut measured = report.measured_speedups();
        let measured = measured.find(|(measured, _)| measured == threads);
        let measured = measured.map(|(_, speedup)| format!("{speedup:.2}"));
        let cells = [
            threads.to_string(),
            format!("{:.3}", 1e3 * seconds),
            format!("{speedup:.2}"),
        ];
        steps.row(cells.into_iter().chain(measured));
    }

    // One number in two, to fit a terminal.
    let shown = || (0..THREADS.len()).step_by(2);
    let mut phases = Columns::new(&format!("<>{}", ">".repeat(shown().count())));
    let heads = ["us a phase on threads", "tasks"].map(ToOwned::to_owned);
    phases.row(
        heads
            .into_iter()
            .chain(shown().map(|index| THREADS[index].to_string())),
    );
    for phase in &report.phases {
        let seconds = shown().map(|index| format!("{:.1}", 1e6 * phase.predicted[index]));
        let name = phase.name.unwrap_or("on one thread").to_owned();
        phases.row([name, phase.tasks.to_string()].into_iter().chain(seconds));
    }
    text += &format!("\n{steps}\n{phases}");

    text += "\n";
    text += &wrapped("- ", format!("recommended threads: {}", report.recommended));
    if let Some(deviation) = report.deviation() {
        let verdict = match deviation.abs() <= CLOSE {
            true => "",
            false => ": other programs may have taken CPU time; run this again",
        };
        text += &wrapped(
            "- ",
            format!(
                "the prediction for {} threads deviates from the measurement by {:+.0} %{verdict}",
                report.threads,
                100.0 * deviation
            ),
        );
    }
    text += &wrapped(
        "- ",
        "predicted for cores as fast as these that share this memory bandwidth".to_owned(),
    );
    text
}
