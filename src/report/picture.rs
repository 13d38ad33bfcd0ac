//! A drawn picture, and how it gets onto a disk.

use std::path::{Path, PathBuf};

use super::canvas::Canvas;
use super::render;
use crate::atomic;
use crate::error::Result;

/// A picture as SVG and as PNG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    svg: String,
    png: Vec<u8>,
}

impl Picture {
    pub(super) fn of(canvas: &Canvas) -> Result<Self> {
        Ok(Picture {
            svg: render::svg(canvas)?,
            png: render::png(canvas)?,
        })
    }

    /// The SVG document.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// The PNG file, at 192 dots to the inch: two pixels for each of the SVG document's.
    pub fn png(&self) -> &[u8] {
        &self.png
    }

    /// Writes both files, the given path with `.svg` and with `.png` behind it, and gives their paths.
    ///
    /// Each file is written beside its place and renamed: no half-written one is ever seen, and an older one stays
    /// until its successor is whole.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io) if the system refuses, [`Error::InvalidFile`](crate::Error::InvalidFile) for a
    /// folder in a file's place.
    pub fn save(&self, stem: impl AsRef<Path>) -> Result<[PathBuf; 2]> {
        let with = |extension: &str| {
            let mut path = stem.as_ref().as_os_str().to_owned();
            path.push(extension);
            PathBuf::from(path)
        };
        let paths = [with(".svg"), with(".png")];
        atomic::write(&paths[0], self.svg.as_bytes())?;
        atomic::write(&paths[1], &self.png)?;
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture {
        Picture {
            svg: "<svg/>".to_owned(),
            png: vec![1, 2, 3],
        }
    }

    #[test]
    fn both_files_are_written_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        // Not mistaken for an extension.
        let stem = folder.path().join("run.1");
        std::fs::write(folder.path().join("run.1.svg"), "older, and longer").unwrap();
        let paths = picture().save(&stem).unwrap();
        assert_eq!(
            paths,
            [folder.path().join("run.1.svg"), folder.path().join("run.1.png")]
        );
        assert_eq!(std::fs::read_to_string(&paths[0]).unwrap(), "<svg/>");
        assert_eq!(std::fs::read(&paths[1]).unwrap(), [1, 2, 3]);
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            2,
            "nothing else"
        );
    }

    #[test]
    fn a_folder_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = picture()
            .save(folder.path().join("no/curves"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("curves.svg") && error.contains("cannot write"),
            "{error}"
        );
    }
}
