//! Configurations that are anything but sound: each is read or refused, and what is written is read as the same.

use mfnet_cli::rewrite_config;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::mutation::mutated;
use crate::property;

const CONFIG: &str =
    "[data]\nsource = \"iris\"\ntarget = [\"a\"]\n[model]\nhidden = [3, 4]\n[training]\nlr = 0.1\n";

#[test]
fn no_mutation_breaks_the_reader() {
    assert!(rewrite_config(CONFIG.as_bytes()).is_ok());
    let mut generator = ChaCha8Rng::seed_from_u64(property::seed());
    for _ in 0..2000 {
        let content = mutated(CONFIG.as_bytes(), &mut generator);
        if let Ok(written) = rewrite_config(&content) {
            assert_eq!(rewrite_config(written.as_bytes()).unwrap(), written);
        }
    }
}
