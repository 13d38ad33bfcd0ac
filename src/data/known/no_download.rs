//! Stands in for `download` where the crate is built without that feature: every fetch answers why there is none.

use std::path::{Path, PathBuf};

use super::source::Progress;
use super::table::KnownSet;

pub(super) fn fetch(
    _set: &KnownSet<'_>,
    _cache: &Path,
    _progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<PathBuf>, Vec<String>> {
    Err(vec![
        "download: mfnet was built without its feature `download`".to_owned(),
    ])
}
