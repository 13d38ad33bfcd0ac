//! A training that is killed at any moment leaves a checkpoint that loads, and going on from it ends with the very bits of a
//! training that was left alone.
//!
//! `MFNET_KILLS` says how many kills are survived before the last run may end: 6 by default.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::command::{command, parts, told};
use crate::folder::folder_with;
use crate::property;

/// A training that says nothing unless it fails.
fn train(folder: &Path, options: &str) -> Command {
    command(folder, &format!("train --quiet --json {options}"))
}

fn write_table(path: &Path) {
    let mut table = "a,b,c,kind\n".to_owned();
    for row in 0..3000 {
        let [a, b, c] = [37, 53, 71].map(|step| (row * step % 101) as f64 / 101.0);
        table += &format!(
            "{a:.4},{b:.4},{c:.4},{}\n",
            if a * b > c * c { "more" } else { "less" }
        );
    }
    fs::write(path, table).unwrap();
}

/// Options of a new run in this folder.
fn new_run(out: &str) -> String {
    format!(
        "table.csv --hidden 64,64 --dropout 0.2 --validation 0.2 --early-stopping 30 --lr-schedule cosine --batch-size 64 \
         --checkpoint-every 1 --epochs 40 --out {out}"
    )
}

/// What a run leaves behind, without its times.
fn results(run: &Path) -> (Vec<u8>, Vec<String>) {
    let history = fs::read_to_string(run.join("history.csv")).unwrap();
    let untimed = history
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0.to_owned());
    (
        fs::read(run.join("model.safetensors")).unwrap(),
        untimed.collect(),
    )
}

#[test]
fn a_killed_training_goes_on_to_the_same_bits() {
    let kills: usize = match std::env::var("MFNET_KILLS") {
        Ok(kills) => kills.parse().expect("MFNET_KILLS is a number"),
        Err(_) => 6,
    };
    let at = &folder_with(&[]);
    write_table(&at.join("table.csv"));
    let start = Instant::now();
    assert_eq!(parts(&mut train(at, &new_run("whole"))).0, Some(0));
    let whole = start.elapsed();
    let expected = results(&at.join("whole"));

    let mut generator = ChaCha8Rng::seed_from_u64(property::seed());
    let run = at.join("run");
    let checkpoint = run.join("checkpoint.safetensors");
    let (mut killed, mut starts) = (0, 0);
    while killed < kills {
        starts += 1;
        assert!(
            starts < 20 * kills + 20,
            "too few runs live long enough to be killed"
        );
        // A run that was killed before its first checkpoint starts again, one that came to its end too.
        let begun = checkpoint.exists() && !run.join("model.safetensors").exists();
        if !begun && run.exists() {
            fs::remove_dir_all(&run).unwrap();
        }
        let arguments = if begun {
            "--resume run".to_owned()
        } else {
            new_run("run")
        };
        let mut child = train(at, &arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        sleep(whole.mul_f64(generator.random_range(0.0..0.8)));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            killed += 1;
        }
        let (_, _, err) = told(&child.wait_with_output().unwrap());
        assert!(!err.contains("error") && !err.contains("panicked"), "{err}");
        if checkpoint.exists() {
            // Whole, whatever the moment.
            mfnet::Model::<f32>::load(&checkpoint).unwrap();
        }
    }
    if !run.join("model.safetensors").exists() {
        let arguments = if checkpoint.exists() {
            "--resume run".to_owned()
        } else {
            if run.exists() {
                fs::remove_dir_all(&run).unwrap();
            }
            new_run("run")
        };
        let (code, _, err) = parts(&mut train(at, &arguments));
        assert_eq!(code, Some(0), "{err}");
    }
    assert_eq!(results(&run), expected, "after {killed} kills");
}
