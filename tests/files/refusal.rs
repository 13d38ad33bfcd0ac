//! What readers say of files that they refuse.

use std::io::Write;
use std::path::Path;

use mfnet::Result;
use tempfile::NamedTempFile;

use crate::measuring::bounded;

/// A file of these bytes, which goes when it is dropped.
pub fn file_of(content: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    file
}

/// A reader refuses a file and says so in these words; it takes no more memory than it may, and says nothing that a
/// terminal would obey.
pub fn assert_refused<R>(name: &str, content: &[u8], part: &str, read: impl Fn(&Path) -> Result<R>) {
    let file = file_of(content);
    let outcome = bounded(name, content.len(), || read(file.path()).map(drop));
    let error = outcome.expect_err(name).to_string();
    assert!(error.len() < 1000 && !error.contains('\x1b'), "{name}: {error}");
    assert!(error.contains(part), "{name}: {error}");
}
