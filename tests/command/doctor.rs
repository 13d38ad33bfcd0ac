//! `mfnet doctor` as a user meets it, and the warning that sends a user there.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A command that only the variables of this test tell how to compute.
fn mfnet(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mfnet"));
    command.args(arguments).env_remove("RAYON_NUM_THREADS");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OPENBLAS_") {
            command.env_remove(name);
        }
    }
    command
}

/// Standard output and standard error of a command that succeeds.
fn parts(command: &mut Command) -> (String, String) {
    let output = command.output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| {
        assert!(!bytes.contains(&0x1b), "escape sequences are for terminals");
        String::from_utf8(bytes).unwrap()
    });
    assert_eq!(output.status.code(), Some(0), "{err}");
    (out, err)
}

fn json(command: &mut Command) -> Value {
    let (out, err) = parts(command);
    assert_eq!((out.lines().count(), err.as_str()), (1, ""), "{out}");
    serde_json::from_str(&out).unwrap()
}

fn advice(report: &Value) -> Vec<&str> {
    let advice = report["advice"].as_array().unwrap();
    advice.iter().map(|advice| advice.as_str().unwrap()).collect()
}

#[test]
fn the_report_is_complete_and_fits_a_terminal() {
    let (out, err) = parts(mfnet(&["doctor"]).env("TERM", "xterm-256color"));
    assert_eq!(err, "");
    for label in [
        "mfnet",
        "compiler",
        "features",
        "CPU",
        "instructions",
        "caches",
        "CPUs",
        "threads",
        "BLAS",
        "kernel",
        "environment",
        "peak",
        "products",
        "of the peak",
        "memory",
        "fork-join",
    ] {
        let content = out
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{label:<14}")));
        assert!(
            content.is_some_and(|content| !content.trim().is_empty()),
            "{label}: {out}"
        );
    }
    assert!(
        out.contains("What to do\n- ") || out.contains("Nothing to improve"),
        "{out}"
    );
    // A word that is longer than a line, such as a commit's, is not cut.
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    assert!(out.lines().all(|line| line == line.trim_end()), "{out}");
}

#[test]
fn the_figures_are_there_for_programs() {
    let start = Instant::now();
    let report = json(mfnet(&["doctor", "--json"]).env("RAYON_NUM_THREADS", "1"));
    // Of an idle machine it asks for less than half of this.
    assert!(start.elapsed() < Duration::from_secs(20));
    for figure in [
        "/peak_flops/f32",
        "/peak_flops/f64",
        "/product_flops/f32",
        "/product_flops/f64",
        "/memory_bytes_per_second",
        "/fork_join_seconds",
        "/seconds",
        "/cpus_available",
        "/blas/threads",
    ] {
        let number = report.pointer(figure).and_then(Value::as_f64);
        assert!(number.is_some_and(|number| number > 0.0), "{figure}: {report}");
    }
    let flops = |figure| report.pointer(figure).and_then(Value::as_f64).unwrap();
    assert!(
        flops("/product_flops/f32") > 1e8,
        "a processor of this century: {report}"
    );
    assert_eq!(
        (&report["version"], &report["threads"]),
        (&env!("CARGO_PKG_VERSION").into(), &1.into())
    );
    assert_eq!(report["environment"]["RAYON_NUM_THREADS"], "1");
    let cpus = report["cpus_available"].as_u64().unwrap();
    assert_eq!(
        advice(&report)
            .iter()
            .any(|advice| advice.starts_with(&format!("1 of {cpus} CPUs"))),
        cpus > 1,
        "{report}"
    );
}

/// Whether OpenBLAS can be held to a kernel that is not this CPU's best.
fn can_be_held_back() -> bool {
    #[cfg(all(feature = "openblas", target_arch = "x86_64"))]
    let can = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512cd");
    #[cfg(not(all(feature = "openblas", target_arch = "x86_64")))]
    let can = false;
    if !can {
        eprintln!("SKIPPED: OpenBLAS has no better kernel for this CPU than Haswell's");
    }
    can
}

#[test]
fn a_kernel_that_the_user_chose_is_named_with_the_cure() {
    if !can_be_held_back() {
        return;
    }
    let report = json(mfnet(&["doctor", "--json"]).env("OPENBLAS_CORETYPE", "Haswell"));
    assert_eq!(report["blas"]["better_kernel"], "SkylakeX");
    assert_eq!(report["environment"]["OPENBLAS_CORETYPE"], "Haswell");
    let cure = "OPENBLAS_CORETYPE=Haswell";
    assert!(
        advice(&report)
            .iter()
            .any(|advice| advice.contains(cure) && advice.contains("unset")),
        "{report}"
    );

    let train = [
        "train", "digits", "--hidden", "16", "--epochs", "1", "--json", "--quiet",
    ];
    let (out, err) = parts(mfnet(&train).env("OPENBLAS_CORETYPE", "Haswell"));
    assert!(err.starts_with("warning: ") && err.contains(cure), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
    let result: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(result["blas"]["better_kernel"], "SkylakeX");
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let mut child = mfnet(&["doctor"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
