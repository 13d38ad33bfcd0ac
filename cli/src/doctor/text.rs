//! The report for people.

use super::Report;
use super::measure::Flops;
use crate::blas;
use crate::columns::Columns;

/// The widest line.
const WIDTH: usize = 80;

/// Where the contents begin, behind their labels.
const INDENT: usize = 14;

/// A label and what belongs to it, a line each; then the figures, then the advice.
pub(super) fn text(report: &Report, advice: &[String]) -> String {
    let Report {
        build,
        system,
        blas: library,
        measured,
        ..
    } = report;
    let mut text = String::new();
    let mut line = |label: &str, content: String| {
        text += &wrapped(&format!("{label:<INDENT$}"), or(content, "unknown"));
    };
    line(
        "mfnet",
        format!(
            "{}, commit {}, {} build",
            build.version, build.commit, build.profile
        ),
    );
    line("compiler", format!("{} for {}", build.rustc, build.target));
    line("features", or(build.features.join(", "), "none"));
    line("CPU", system.cpu.clone());
    line("instructions", or(system.instructions.join(", "), "baseline"));
    line("used", system.instructions_used.to_owned());
    line("caches", caches(&system.caches));
    line("CPUs", cpus(report));
    line("threads", blas::threads(library));
    line("BLAS", blas::library(library));
    line("kernel", blas::kernel(library));
    line("environment", environment(&report.environment));

    let giga = |value: f64| format!("{:.1}", value / 1e9);
    let percent = |part: f64| format!("{:.0} %", 100.0 * part);
    let mut columns = Columns::new("<>>");
    columns.row(["all threads", "f32", "f64"]);
    let part = |flops: Flops| flops.part().map_or("-".to_owned(), percent);
    let mut row = |label: &str, numbers: &[String], unit: &str| {
        columns.row_with_remark(
            [label].into_iter().chain(numbers.iter().map(String::as_str)),
            unit,
        );
    };
    let both = [measured.f32, measured.f64];
    row("peak", &both.map(|flops| giga(flops.peak)), "GFLOP/s");
    row("products", &both.map(|flops| giga(flops.products)), "GFLOP/s");
    row("of the peak", &both.map(part), "");
    row("memory", &[giga(measured.memory)], "GB/s read");
    let microseconds = format!("{:.1}", 1e6 * measured.fork_join);
    row(
        "fork-join",
        &[microseconds],
        "us to hand out work and wait for it",
    );
    if let Some(rivals) = measured.rivals {
        row(
            "others",
            &[percent(rivals.programs)],
            "of the CPU time, other programs",
        );
        row(
            "",
            &[percent(rivals.machines)],
            "of the CPU time, other virtual machines",
        );
    }
    text += &format!("\n{columns}");

    text += "\n";
    if advice.is_empty() {
        text += "Nothing to improve was found.\n";
    } else {
        text += "What to do\n";
    }
    for advice in advice {
        text += &wrapped("- ", advice.clone());
    }
    text
}

/// The text, or this instead of nothing.
fn or(text: String, instead: &str) -> String {
    if text.is_empty() { instead.to_owned() } else { text }
}

fn caches(caches: &[(String, usize)]) -> String {
    let sizes = caches.iter().map(|(name, bytes)| match bytes >> 10 {
        kib if kib >= 1024 && kib % 1024 == 0 => format!("{name} {} MiB", kib >> 10),
        kib => format!("{name} {kib} KiB"),
    });
    sizes.collect::<Vec<String>>().join(", ")
}

fn cpus(report: &Report) -> String {
    let system = &report.system;
    let mut text = system.available.to_string();
    if let Some(online) = system.online.filter(|&online| online != system.available) {
        text += &format!(" of {online}");
    }
    if let Some(limit) = system.limit {
        text += &format!(", limited to the time of {limit:.1}");
    }
    if system.shares_cores == Some(true) {
        text += ", two or more to a core";
    }
    text
}

fn environment(variables: &[(String, String)]) -> String {
    let variables = variables
        .iter()
        .map(|(name, value)| format!("{}={}", name.escape_debug(), value.escape_debug()));
    or(
        variables.collect::<Vec<String>>().join(" "),
        "no OPENBLAS_*, no RAYON_NUM_THREADS, no MFNET_INSTRUCTIONS",
    )
}

/// Lines of at most [`WIDTH`] characters, unless a word is longer; those after the first begin below its content.
pub(super) fn wrapped(label: &str, content: String) -> String {
    let indent = label.len();
    let (mut text, mut column) = (label.to_owned(), indent);
    for word in content.split_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > WIDTH {
            text += &format!("\n{:indent$}", "");
            column = indent;
        } else if column > indent {
            text += " ";
            column += 1;
        }
        text += word;
        column += length;
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_words_and_below_eighty() {
        let content = "word ".repeat(40);
        let text = wrapped("label         ", content);
        assert!(text.lines().count() == 4 && text.lines().all(|line| line.len() <= WIDTH));
        let mut lines = text.lines();
        assert!(lines.next().unwrap().starts_with("label         word word"));
        assert!(lines.all(|line| line.starts_with("              word")));
        assert_eq!(wrapped("- ", "x".repeat(99)), format!("- {}\n", "x".repeat(99)));
    }

    #[test]
    fn sizes_are_readable() {
        let sizes = [("L1d".to_owned(), 48 << 10), ("L2".to_owned(), 1 << 20)];
        assert_eq!(caches(&sizes), "L1d 48 KiB, L2 1 MiB");
    }
}
