//! The seed of the random tests, and the configuration of the property tests.
//!
//! `MFNET_PROPERTY_SEED=17 cargo test ...` tries what any other run with the seed 17 tries. Without it, the seed is a fixed one.

use std::env;
use std::io::{Write, stderr};
use std::sync::LazyLock;

use proptest::test_runner::{Config, RngSeed};

/// The environment variable that sets the seed.
const VARIABLE: &str = "MFNET_PROPERTY_SEED";

static SEED: LazyLock<u64> = LazyLock::new(|| {
    let seed = match env::var(VARIABLE) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{VARIABLE} is a whole number, not {text:?}")),
        Err(_) => 20_250_115,
    };
    // Not by `eprintln!`, whose output the test harness keeps back unless the test fails.
    let _ = writeln!(stderr(), "{VARIABLE}={seed}");
    seed
});

/// The seed of this run. It is printed once, with the first test that asks for it.
///
/// # Panics
///
/// If the environment variable is anything but a whole number.
pub fn seed() -> u64 {
    *SEED
}

/// The configuration of a property test of so many cases, drawn from the seed of this run. The seed is printed where the
/// test fails.
pub fn config(cases: u32) -> Config {
    println!("{VARIABLE}={}", seed());
    Config {
        cases,
        rng_seed: RngSeed::Fixed(seed()),
        failure_persistence: None,
        ..Config::default()
    }
}
