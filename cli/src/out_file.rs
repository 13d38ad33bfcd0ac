//! A file that is written as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tempfile::{Builder, NamedTempFile};

/// What the names of unfinished files and folders begin with.
pub(super) const PREFIX: &str = ".mfnet-";

/// What is written into it stands in a file beside, which takes the name when it is finished; dropped before, it is
/// gone. A device or a pipe of the name is written to as it is.
#[derive(Debug)]
pub(super) struct OutFile {
    path: PathBuf,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Beside {
        temporary: NamedTempFile,
        target: PathBuf,
    },
    There(File),
}

impl OutFile {
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let refused = || refusal(path);
        // A link stays a link, to the new content.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        ensure!(
            !target.is_dir(),
            "{}: this is a folder: name a file",
            path.display()
        );
        let place = if target.exists() && !target.is_file() {
            Place::There(File::options().write(true).open(&target).with_context(refused)?)
        } else {
            let folder = match target.parent() {
                Some(folder) if folder != Path::new("") => folder,
                _ => Path::new("."),
            };
            // Opened here, for the permissions of any new file, and for errors that do not name a path that nobody has
            // heard of.
            let open = |path: &Path| File::options().write(true).create_new(true).open(path);
            let temporary = Builder::new().prefix(PREFIX).make_in(folder, open);
            let temporary = temporary.with_context(refused)?;
            Place::Beside { temporary, target }
        };
        Ok(OutFile {
            path: path.to_owned(),
            place,
        })
    }

    /// Writes all of a file.
    pub(super) fn write_whole(path: &Path, content: &[u8]) -> anyhow::Result<()> {
        let mut file = OutFile::create(path)?;
        file.write_all(content).with_context(|| refusal(path))?;
        file.finish()
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let refused = || refusal(&self.path);
        match self.place {
            Place::There(mut file) => file.flush().with_context(refused),
            Place::Beside { temporary, target } => {
                temporary.as_file().sync_all().with_context(refused)?;
                let renamed = temporary.persist(target).map_err(|error| error.error);
                renamed.map(drop).with_context(refused)
            }
        }
    }
}

/// A file that could not be written, as errors call it.
pub(super) fn refusal(path: &Path) -> String {
    format!("{}: cannot write the file", path.display())
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.place {
            // The file itself: its errors name no path either.
            Place::Beside { temporary, .. } => temporary.as_file_mut().write(bytes),
            Place::There(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.place {
            Place::Beside { temporary, .. } => temporary.as_file_mut().flush(),
            Place::There(file) => file.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let mut dropped = OutFile::create(&path).unwrap();
        dropped.write_all(b"half").unwrap();
        drop(dropped);
        assert_eq!(names(), 0);
        for content in ["first", "second"] {
            OutFile::write_whole(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(names(), 1);
        assert!(OutFile::create(folder.path()).is_err(), "a folder");
        assert!(OutFile::create(&folder.path().join("no/x.csv")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_permissions_are_the_usual_ones() {
        use std::os::unix::fs::PermissionsExt;

        OutFile::write_whole(Path::new("/dev/null"), b"x").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        OutFile::write_whole(&ours, b"x").unwrap();
        fs::write(&plain, "x").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
