//! The user's choices for matrix products: the instruction set, and BLAS or the kernels of this program.

use serde_json::Value;

use crate::command::{Parts, object, parts, without_choices, words};

fn run(line: &str, instructions: Option<&str>) -> Parts {
    let mut command = without_choices(&words(line));
    command.envs(instructions.map(|set| ("MFNET_INSTRUCTIONS", set)));
    parts(&mut command)
}

/// The JSON of a command that succeeds.
fn json(line: &str, instructions: Option<&str>) -> Value {
    let (code, out, err) = run(line, instructions);
    assert_eq!(code, Some(0), "{line} {instructions:?}: {err}");
    object(&out)
}

/// The instruction sets that this CPU has, as the variable names them and as the doctor does.
fn sets() -> Vec<(&'static str, &'static str)> {
    let all = [("baseline", "baseline"), ("avx2", "AVX2"), ("avx512", "AVX-512")];
    let best = json("doctor --json", None)["instructions_used"].clone();
    let place = all.iter().position(|(_, shown)| best == *shown).unwrap();
    all[..=place].to_vec()
}

#[test]
fn the_environment_limits_the_instruction_set_of_all_products() {
    for (name, shown) in sets() {
        let report = json("doctor --json", Some(name));
        assert_eq!(report["instructions_used"], shown);
        assert_eq!(report["environment"]["MFNET_INSTRUCTIONS"], name);
        let kernel = report["blas"]["kernel"].as_str().unwrap().to_owned();
        // A library with one kernel set cannot change it.
        if report["blas"]["replaced_kernel"].is_string() && name == "avx2" {
            assert_eq!(kernel, "Haswell");
        }
    }
}

#[test]
fn trainings_agree_up_to_rounding_whoever_computes() {
    let loss = |products: &str, set| {
        let line = "train circle --epochs 2 --hidden 40,40 --activation tanh --optimizer adam --precision f64 --quiet \
                    --json --products";
        let result = json(&format!("{line} {products}"), set);
        result["train_loss"][1].as_f64().unwrap()
    };
    let expected = loss("auto", None);
    for products in ["auto", "blas", "rust"] {
        for (set, _) in sets() {
            let found = loss(products, Some(set));
            assert!(
                (found / expected - 1.0).abs() < 1e-9,
                "{products} {set}: {found}, {expected}"
            );
        }
    }
}

#[test]
fn an_empty_variable_limits_nothing() {
    let used = |set| json("doctor --json", set)["instructions_used"].clone();
    assert_eq!(used(Some("")), used(None));
}

#[test]
fn wishes_that_cannot_be_met_are_refused() {
    let (code, _, error) = run("doctor", Some("sse9"));
    assert_eq!(code, Some(2));
    assert_eq!(
        error.trim_end(),
        "error: MFNET_INSTRUCTIONS = sse9: it must be avx512, avx2 or baseline"
    );
    let (code, _, error) = run("train --products cuda", None);
    assert_eq!(code, Some(2));
    assert!(error.contains("auto, blas, rust"), "{error}");
}
