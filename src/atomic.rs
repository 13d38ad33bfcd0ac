//! Atomic file replacement: a file has either its old content or all of its new content.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use crate::error::{Error, Position, Result};

/// Replaces the content of a file: writes a temporary file beside it, which takes its name when all of it is on the disk.
///
/// # Errors
///
/// [`Error::Io`] if the system refuses; [`Error::InvalidFile`] for a folder or a device, which is not replaced by a file.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<()> {
    write_by(path, |file| file.write_all(content))
}

/// As [`write`], with a function that writes the content piece by piece.
pub(crate) fn write_by(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut fs::File>) -> io::Result<()>,
) -> Result<()> {
    // A symbolic link stays a link: the file that it points to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|there| !there.is_file()) {
        let problem = "there is something here that is no file, and is not to be replaced by one";
        return Err(Error::file(path, Position::File, problem));
    }
    let refused = |source| Error::io(path, "write the file", source);
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut temporary = temporary(folder).map_err(refused)?;
    // Written to the file itself, whose errors do not name the temporary path.
    let mut file = BufWriter::with_capacity(1 << 20, temporary.as_file_mut());
    write(&mut file).and_then(|()| file.flush()).map_err(refused)?;
    drop(file);
    temporary.as_file().sync_all().map_err(refused)?;
    temporary.persist(&target).map_err(|error| refused(error.error))?;
    // The new name must survive a loss of power too. If a folder cannot be synced, the system writes it later.
    #[cfg(unix)]
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// A temporary file, deleted when dropped. It is opened here so that it has the permissions of any new file, and so that
/// errors do not name its path, which users do not know.
fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    let open = |path: &Path| fs::File::options().write(true).create_new(true).open(path);
    Builder::new().prefix(".mfnet-").make_in(folder, open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn folders_are_not_replaced_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            write(folder.path(), b"content"),
            Err(Error::InvalidFile { .. })
        ));
        let missing = folder.path().join("missing").join("file");
        assert!(matches!(write(&missing, b"content"), Err(Error::Io { .. })));
        assert!(names(folder.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write(&ours, b"").unwrap();
        fs::write(&plain, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, b"first").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, b"second").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"second");
    }
}
