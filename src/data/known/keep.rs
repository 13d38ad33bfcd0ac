//! Proves what arrived: nothing gets a file's name before it has shown itself to be that file.

use std::fs::{self, File as Handle};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use md5::{Digest, Md5 as Hasher};
use tempfile::NamedTempFile;

use super::table::{File, Md5};

/// Takes one member of a gzipped tar archive out of it.
pub(super) fn unpack(
    archive: NamedTempFile,
    member: &str,
    bytes: u64,
    folder: &Path,
) -> Result<NamedTempFile, String> {
    let damaged = |error: io::Error| format!("it is not a whole archive: {error}");
    // What else the archive holds is read over, and must not be without end.
    let plain = GzDecoder::new(rewound(&archive)?).take(bytes.saturating_mul(4));
    let mut archive = tar::Archive::new(plain);
    for entry in archive.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        if entry.path().map_err(damaged)? != Path::new(member) {
            continue;
        }
        let mut file = temporary(folder)?;
        io::copy(&mut entry.take(bytes + 1), &mut file).map_err(damaged)?;
        return Ok(file);
    }
    Err(format!("the archive holds no {member}"))
}

/// Proves the file to be the one in the table, and only then gives it its name.
pub(super) fn keep(temporary: NamedTempFile, file: &File<'_>, folder: &Path) -> Result<PathBuf, String> {
    // A server that unpacks what it sends is no worse for it.
    let gzipped = is_gzipped(&temporary)?;
    let raw = rewound(&temporary)?;
    let (expected, found) = match file.md5 {
        Md5::Content(expected) if gzipped => (expected, md5(GzDecoder::new(raw).take(file.bytes + 1))?),
        Md5::Content(expected) | Md5::Gzipped(expected) => (expected, md5(raw)?),
    };
    if found != expected {
        return Err(format!(
            "its MD5 sum is {found}, that of {} is {expected}",
            file.name
        ));
    }
    let path = folder.join(if gzipped {
        format!("{}.gz", file.name)
    } else {
        file.name.to_owned()
    });
    temporary
        .as_file()
        .sync_all()
        .map_err(|error| unwritable(folder, &error))?;
    match temporary.persist(&path) {
        Ok(_) => Ok(path),
        // Windows does not replace a file that is open: someone else was first, with the same file.
        Err(_) if path.is_file() => Ok(path),
        Err(refused) => Err(unwritable(folder, &refused.error)),
    }
}

pub(super) fn md5(mut bytes: impl Read) -> Result<String, String> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match bytes.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) => return Err(format!("it is damaged: {error}")),
        }
    }
    let sum = hasher.finalize();
    Ok(sum.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn is_gzipped(file: &NamedTempFile) -> Result<bool, String> {
    let mut start = Vec::new();
    let read = rewound(file)?.take(2).read_to_end(&mut start);
    read.map_err(|error| format!("cannot read it back: {error}"))?;
    Ok(start == [0x1f, 0x8b])
}

fn rewound(file: &NamedTempFile) -> Result<&Handle, String> {
    let mut handle = file.as_file();
    match handle.rewind() {
        Ok(()) => Ok(handle),
        Err(error) => Err(format!("cannot read it back: {error}")),
    }
}

/// A file with a name of its own beside the final one, so that the renaming stays within a file system.
pub(super) fn temporary(folder: &Path) -> Result<NamedTempFile, String> {
    fs::create_dir_all(folder)
        .and_then(|()| NamedTempFile::new_in(folder))
        .map_err(|error| unwritable(folder, &error))
}

pub(super) fn unwritable(folder: &Path, error: &io::Error) -> String {
    format!("cannot write into {}: {error}", folder.display())
}
