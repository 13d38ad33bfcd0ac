//! Where the data sets of the outside world are.

use std::io::Write;

use mfnet::data::known::Source;

/// The data sets in the user's folder, and none from elsewhere; none at all if there is no such folder.
pub fn source(test: &str) -> Option<Source> {
    let data_dir = std::env::var_os("MFNET_DATA_DIR").filter(|folder| !folder.is_empty());
    if data_dir.is_none() {
        // Not `eprintln`, which the test harness keeps to itself when a test passes.
        let line = format!("SKIPPED: {test}: MFNET_DATA_DIR is not set\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    Some(Source {
        data_dir: Some(data_dir?.into()),
        cache_dir: None,
        download: false,
    })
}
