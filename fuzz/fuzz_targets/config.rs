#![no_main]

#[path = "../../tests/files/config.rs"]
mod cli;

libfuzzer_sys::fuzz_target!(|content: &[u8]| cli::config(content));
