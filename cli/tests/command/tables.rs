//! `mfnet tables`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{Parts, assert_has, object, run};
use crate::folder::{Folder, folder_with, write_housing};

/// A folder with a California Housing of a few made-up districts.
fn small_housing() -> Folder {
    let folder = folder_with(&[]);
    write_housing(&folder);
    folder
}

/// Runs `mfnet tables` in this folder, which has its data too: exit code, standard output and standard error.
fn tables(folder: &Path, arguments: &str) -> Parts {
    run(folder, &format!("tables --no-download --data-dir . {arguments}"))
}

/// The first five columns of a table's rows.
fn starts(csv: &str) -> Vec<String> {
    let rows = csv.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| line.split(',').take(5).collect::<Vec<_>>().join(","))
        .collect()
}

#[test]
fn tables_are_shown_and_kept() {
    let folder = small_housing();
    let rows = "--rows housing-linear,housing-mean --quiet --epochs 3 --plain-epochs 2 --out out";
    let (code, out, err) = tables(&folder, rows);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.lines().all(|line| line.chars().count() < 80), "{out}");
    let expected = [
        "California Housing, naive mean predictor\n",
        "California Housing, linear regression 8-1, batch 1024, 3 epochs\n",
        "2 epochs, scaled\n",
        "report mfnet     0.00660",
        "report PyTorch     0.349",
        "batch 1024, eta 0.001\n",
        "GFLOP/s",
        "of peak",
    ];
    assert_has(&out, &expected);
    let read = |name| fs::read_to_string(folder.join("out").join(name)).unwrap();
    let starts = starts(&read("tables.csv"));
    assert_eq!(
        starts,
        [
            "job,implementation,precision,epochs,measured_epochs",
            "housing-mean,report mfnet,,1,0",
            "housing-mean,report PyTorch,,1,0",
            "housing-mean,mfnet,f64,1,1",
            "housing-mean,mfnet,f32,1,1",
            "housing-linear,report mfnet,,3,0",
            "housing-linear,report PyTorch,,3,0",
            "housing-linear,plain,f64,3,2",
            "housing-linear,mfnet,f64,3,3",
            "housing-linear,mfnet,f32,3,3",
        ]
    );
    let rows = read("tables.md")
        .lines()
        .filter(|line| line.starts_with('|'))
        .count();
    assert_eq!(rows, 2 + 9);
    assert_eq!(object(&read("tables.json"))["rows"].as_array().unwrap().len(), 9);
    assert!(read("roofline.svg").contains("peak f64"));
    assert!(!folder.join("out/tables.svg").exists(), "nothing was compared");
}

#[test]
fn jobs_on_drawn_data_need_no_files_and_are_repeated_by_their_seed() {
    let folder = folder_with(&[]);
    let rows = |seed: u64| -> Vec<Value> {
        let arguments = format!("--rows drawn-4-32-16-4 --epochs 2 --json --quiet --seed {seed}");
        let (code, out, err) = tables(&folder, &arguments);
        assert_eq!((code, err.as_str()), (Some(0), ""));
        object(&out)["rows"].as_array().unwrap().clone()
    };
    let first = rows(1);
    assert_eq!(first.len(), 2, "f64 and f32, and no plain implementation of Adam");
    for row in &first {
        assert_eq!(
            (&row["job"], &row["implementation"]),
            (&"drawn-4-32-16-4".into(), &"mfnet".into())
        );
        // 10,000 samples; 4 x 32, 32 x 16 and 16 x 4 weights, the first without a gradient of its inputs.
        let flops = 2.0 * 10_000.0 * (2.0 * 128.0 + 3.0 * (512.0 + 64.0));
        let achieved = row["gflops"].as_f64().unwrap() * 1e9 * row["seconds"].as_f64().unwrap();
        assert!((achieved / (2.0 * flops) - 1.0).abs() < 1e-9, "{achieved}");
    }
    let losses = |rows: &[Value]| {
        rows.iter()
            .map(|row| row["train_loss"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(losses(&first), losses(&rows(1)));
    assert_ne!(losses(&first), losses(&rows(2)));
}

#[test]
fn jobs_without_their_data_are_left_out_unless_they_are_named() {
    let folder = small_housing();
    let (code, out, err) = tables(&folder, "--epochs 1 --plain-epochs 0");
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("skipped: the jobs on MNIST: "), "{err}");
    assert!(
        out.contains("California Housing, network 8-512-1") && !out.contains("  MNIST"),
        "{out}"
    );

    let (code, _, err) = tables(&folder, "--rows fashion-network");
    assert_eq!(code, Some(1));
    assert!(err.contains("the data set fashion-mnist is unavailable"), "{err}");
    let (code, _, err) = tables(&folder, "--rows mnist-98 --jobs all");
    assert_eq!(code, Some(2), "{err}");
    let empty = folder_with(&[]);
    let (code, out, err) = tables(&empty, "--quiet");
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("no job's data are available"), "{err}");
}

#[cfg(unix)]
mod scripts {
    use super::*;
    use crate::script::write_script;

    /// Runs a small table against a Python that is this script.
    fn compared_with(python: &str) -> (Folder, Parts) {
        let folder = small_housing();
        write_script(&folder.join("python"), python);
        let options =
            "--rows housing-linear --epochs 2 --plain-epochs 0 --quiet --rounds 2 --peers --out out";
        let answer = tables(&folder, &format!("{options} --python ./python"));
        (folder, answer)
    }

    /// A Python that has PyTorch only, and takes a tenth of a millisecond for each epoch of every job.
    const PYTHON: &str = r#"
        case $2 in
            *"find_spec('torch')"*) echo 9.9.9 ;;
            *find_spec*) ;;
            *) cat >/dev/null; echo '{"seconds": [0.0001, 0.0001, 0.0002], "loss": 1.0, "accuracy": null}' ;;
        esac"#;

    #[test]
    fn peers_that_are_not_installed_are_left_out() {
        let (folder, (code, out, err)) = compared_with(PYTHON);
        assert_eq!(code, Some(0), "{err}");
        assert!(out.lines().all(|line| line.chars().count() < 80), "{out}");
        let left_out =
            ["sklearn", "JAX"].map(|peer| format!("{peer} is left out: ./python does not have it"));
        assert_eq!(err.lines().collect::<Vec<_>>(), left_out);
        assert!(out.contains("9.9.9") && out.contains("x mfnet"), "{out}");
        let read = |name| fs::read_to_string(folder.join("out").join(name)).unwrap();
        let csv = read("tables.csv");
        for precision in ["f64", "f32"] {
            let row = format!("housing-linear,PyTorch,{precision},2,400,0.0002,0.1,");
            assert!(csv.contains(&row), "{row}: {csv}");
        }
        assert!(read("tables.svg").contains("PyTorch") && read("roofline.svg").contains("PyTorch f32"));
    }

    #[test]
    fn a_peer_that_fails_is_an_error_in_its_own_words() {
        let python = PYTHON.replace("cat >/dev/null;", "echo 'cannot allocate' >&2; exit 1;");
        let (_folder, (code, out, err)) = compared_with(&python);
        assert_eq!((code, out.as_str()), (Some(1), ""));
        assert!(
            err.contains("PyTorch failed at housing-linear in f64:\ncannot allocate"),
            "{err}"
        );
        assert!(!err.contains("panicked"), "{err}");

        let (_folder, (code, _, err)) = compared_with("echo 'undefined symbol' >&2; exit 1");
        assert_eq!(code, Some(1));
        assert!(
            err.contains("PyTorch cannot be imported by ./python:\nundefined symbol"),
            "{err}"
        );

        let (_folder, (code, _, err)) = compared_with(&PYTHON.replace(r#""loss": 1.0"#, r#""loss": NaN"#));
        assert_eq!(code, Some(1));
        assert_has(&err, &["PyTorch's script gave no times for housing-linear"]);
    }

    #[test]
    fn a_python_that_is_none_is_an_error() {
        let folder = folder_with(&[]);
        let (code, out, err) = tables(&folder, "--peers --python no-such-python");
        assert_eq!((code, out.as_str()), (Some(1), ""));
        assert!(
            err.contains("no-such-python cannot be run; name another by --python"),
            "{err}"
        );
    }

    /// With a Python that has some of the peers in `MFNET_PYTORCH`.
    #[test]
    fn the_peers_script_runs_every_kind_of_job() {
        let Some(python) = std::env::var_os("MFNET_PYTORCH") else {
            eprintln!("SKIPPED: MFNET_PYTORCH names no Python with PyTorch");
            return;
        };
        let folder = small_housing();
        let options =
            "--rows drawn-28-64-32-2,housing-linear --epochs 1 --plain-epochs 0 --rounds 1 --peers --python";
        let python = python.into_string().unwrap();
        let (code, out, err) = tables(&folder, &format!("{options} {python}"));
        assert_eq!(code, Some(0), "{err}");
        assert!(out.matches("PyTorch f").count() >= 2 * 2, "{out}");
    }
}
