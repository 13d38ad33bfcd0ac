//! `mfnet doctor` as a user meets it, and the warning that sends a user there.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::{assert_has, assert_refused, object, parts, without_choices, words};
use crate::folder::folder_with;

/// The command with the arguments of a line.
fn mfnet(line: &str) -> Command {
    without_choices(&words(line))
}

/// Standard output and standard error of a command that succeeds.
fn shown(command: &mut Command) -> (String, String) {
    let (code, out, err) = parts(command);
    assert_eq!(code, Some(0), "{err}");
    (out, err)
}

fn json(command: &mut Command) -> Value {
    let (out, err) = shown(command);
    assert_eq!(err, "");
    object(&out)
}

fn advice(report: &Value) -> Vec<&str> {
    let advice = report["advice"].as_array().unwrap();
    advice.iter().map(|advice| advice.as_str().unwrap()).collect()
}

#[test]
fn the_report_is_complete_and_fits_a_terminal() {
    let (out, err) = shown(mfnet("doctor").env("TERM", "xterm-256color"));
    assert_eq!(err, "");
    let labels =
        words("mfnet compiler features CPU instructions caches CPUs threads BLAS kernel environment");
    let figures = ["peak", "products", "of the peak", "memory", "fork-join"];
    for label in labels.into_iter().chain(figures) {
        let content = out
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{label}  ")));
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
    let report = json(mfnet("doctor --json").env("RAYON_NUM_THREADS", "1"));
    // Of an idle machine it asks for less than half of this.
    assert!(start.elapsed() < Duration::from_secs(20));
    let figures = "/peak_flops/f32 /peak_flops/f64 /product_flops/f32 /product_flops/f64 /memory_bytes_per_second \
                   /fork_join_seconds /seconds /cpus_available /blas/threads";
    for figure in words(figures) {
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
    let report = json(mfnet("doctor --json").env("OPENBLAS_CORETYPE", "Haswell"));
    assert_eq!(report["blas"]["better_kernel"], "SkylakeX");
    assert_eq!(report["environment"]["OPENBLAS_CORETYPE"], "Haswell");
    let cure = "OPENBLAS_CORETYPE=Haswell";
    assert!(
        advice(&report)
            .iter()
            .any(|advice| advice.contains(cure) && advice.contains("unset")),
        "{report}"
    );

    let train = "train digits --hidden 16 --epochs 1 --json --quiet";
    let (out, err) = shown(mfnet(train).env("OPENBLAS_CORETYPE", "Haswell"));
    assert!(err.starts_with("warning: ") && err.contains(cure), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
    assert_eq!(object(&out)["blas"]["better_kernel"], "SkylakeX");
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let mut child = mfnet("doctor")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn scaling_is_predicted_for_programs() {
    let small = "doctor --scaling --network 20-64-1 --batch-size 512 --activation tanh --optimizer adam --precision f64 --density 0.5 --seed 3 --json";
    let report = json(mfnet(small).env("RAYON_NUM_THREADS", "2"));
    for (name, value) in [
        ("network", "20-64-1".into()),
        ("batch_size", 512.into()),
        ("activation", "tanh".into()),
        ("optimizer", "adam".into()),
        ("precision", "f64".into()),
        ("density", 0.5.into()),
        ("seed", 3.into()),
        ("threads", Value::from(2)),
    ] {
        assert_eq!(report[name], value, "{report}");
    }
    let speedups = |name: &str| -> Vec<(&str, f64)> {
        let speedups = report[name].as_object().unwrap().iter();
        let mut speedups: Vec<(&str, f64)> = speedups
            .map(|(threads, speedup)| (threads.as_str(), speedup.as_f64().unwrap()))
            .collect();
        speedups.sort_unstable_by_key(|(threads, _)| threads.parse::<usize>().unwrap());
        speedups
    };
    let (predicted, measured) = (speedups("predicted"), speedups("measured"));
    let threads: Vec<&str> = predicted.iter().map(|(threads, _)| *threads).collect();
    assert_eq!(threads, ["1", "2", "4", "8", "16", "32", "64"]);
    assert!(
        predicted.iter().all(|&(threads, speedup)| {
            speedup > 0.0 && speedup <= threads.parse::<f64>().unwrap() + 1e-9
        })
    );
    assert_eq!((predicted[0], measured[0]), (("1", 1.0), ("1", 1.0)));
    assert!(measured.len() == 2 && measured[1].0 == "2", "{report}");
    let deviation = report["deviation"].as_f64().unwrap();
    assert!((predicted[1].1 / measured[1].1 - 1.0 - deviation).abs() < 1e-9);
    let recommended = report["recommended_threads"].to_string();
    assert!(threads.contains(&recommended.as_str()), "{report}");
    assert!(report["step_seconds"].as_f64().unwrap() > 0.0);

    let alone = "doctor --scaling --network 4-2 --batch-size 8 --json";
    let report = json(mfnet(alone).env("RAYON_NUM_THREADS", "1"));
    assert_eq!(report["measured"], serde_json::json!({ "1": 1.0 }));
    assert!(report["deviation"].is_null(), "{report}");
    assert_eq!(report["recommended_threads"], 1);
}

#[test]
fn scaling_is_shown_in_a_table_that_fits_a_terminal() {
    let (out, err) = shown(&mut mfnet("doctor --scaling --batch-size 256"));
    assert_eq!(err, "");
    let expected = [
        "784-512-10, relu, f32",
        "batches of 256, sgd; 19 % of the inputs are not 0",
        "threads  ms a step  speed-up  measured\n      1 ",
        "\n     64 ",
        "forward and backward",
        "recommended threads: ",
    ];
    assert_has(&out, &expected);
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
}

#[test]
fn scaling_of_what_cannot_be_is_refused() {
    let folder = folder_with(&[]);
    assert_refused(
        &folder,
        "
        2 doctor --scaling --network 784-x => such as 784-512-10
        2 doctor --scaling --network 784 => such as 784-512-10
        2 doctor --scaling --batch-size 0 => from 1 to 1000000
        2 doctor --scaling --density 0 => above 0 and up to 1
        2 doctor --scaling --density 1.5 => above 0 and up to 1
        2 doctor --scaling --activation rely => relu
        2 doctor --scaling --optimizer x => adam
        2 doctor --network 784-512-10 => --scaling
        2 doctor --batch-size 64 => --scaling
        2 doctor --density 0.5 => --scaling
        ",
    );
}
