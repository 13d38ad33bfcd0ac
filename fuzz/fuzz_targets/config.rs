#![no_main]

use mfnet_cli::rewrite_config;

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    if let Ok(written) = rewrite_config(content) {
        let again = rewrite_config(written.as_bytes()).expect("what is written is read");
        assert_eq!(again, written);
    }
});
