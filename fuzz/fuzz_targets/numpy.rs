#![no_main]

#[path = "../../tests/files/harness.rs"]
mod harness;

libfuzzer_sys::fuzz_target!(|content: &[u8]| harness::numpy(content));
