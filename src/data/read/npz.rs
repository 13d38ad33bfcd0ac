//! NPZ files: several named NumPy arrays in a zip archive.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use ndarray::ArrayView2;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::arrays::Array;
use super::npy::{read_from, write_npy, write_npy_labels};
use crate::element::Element;
use crate::error::{Error, Position, Result};

/// The most members of an archive that is read.
const MAX_MEMBERS: usize = 1000;

/// What was read of an archive.
pub(super) struct Members {
    arrays: BTreeMap<String, Array>,
    /// The names of all members, those left unread too.
    pub(super) names: Vec<String>,
}

impl Members {
    /// Takes the array of this name, which may begin with a capital.
    pub(super) fn take(&mut self, name: &str) -> Option<Array> {
        let mut letters = name.chars();
        let capital = letters.next().map(|first| first.to_ascii_uppercase());
        let capital: String = capital.into_iter().chain(letters).collect();
        self.arrays.remove(name).or_else(|| self.arrays.remove(&capital))
    }
}

/// Reads the arrays of these names, as many of them as there are.
pub(super) fn read_arrays(path: &Path, wanted: &[&str]) -> Result<Members> {
    let mut file = BufReader::new(File::open(path).map_err(|error| Error::io(path, "open the file", error))?);
    let refuse = |problem: String| Error::file(path, Position::File, problem);
    let members = count_members(&mut file).map_err(|error| Error::io(path, "read the file", error))?;
    let failed = |error: ZipError| match error {
        ZipError::Io(error) if error.raw_os_error().is_some() => Error::io(path, "read the file", error),
        error => refuse(format!("this is no sound NPZ archive: {error}")),
    };
    let mut archive = ZipArchive::new(file).map_err(failed)?;
    if archive.len() > MAX_MEMBERS {
        return Err(refuse(format!("the archive has more than {MAX_MEMBERS} arrays")));
    }
    // The archive's reader keeps one of two members with the same name.
    let mut names: Vec<String> = archive.file_names().map(array_name).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(refuse(format!("there are two arrays named `{}`", twice[0])));
    }
    if members != Some(archive.len()) {
        return Err(refuse("there are two arrays of the same name".to_owned()));
    }
    let mut arrays = BTreeMap::new();
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(failed)?;
        let name = array_name(member.name());
        if wanted.contains(&name.as_str()) {
            let array =
                read_from(member, &format!("{}: {name}", path.display())).map_err(|failure| match failure
                    .at(path)
                {
                    Error::InvalidFile {
                        path,
                        position,
                        problem,
                    } => Error::file(&path, position, format_args!("{name}: {problem}")),
                    other => other,
                })?;
            arrays.insert(name, array);
        }
    }
    Ok(Members { arrays, names })
}

/// Writes predictions as an NPZ archive: the matrix by the name `predictions`, and the labels, if there are such, by
/// the name `labels`.
///
/// # Errors
///
/// [`Error::Io`] by the name `path`.
pub fn write_npz<T: Element>(
    path: &Path,
    writer: impl Write + Seek,
    predictions: ArrayView2<'_, T>,
    labels: Option<&[u32]>,
) -> Result<()> {
    let failed = |error: ZipError| Error::io(path, "write the file", error.into());
    let mut archive = ZipWriter::new(writer);
    let options = SimpleFileOptions::default().large_file(true);
    archive.start_file("predictions.npy", options).map_err(failed)?;
    write_npy(path, &mut archive, predictions)?;
    if let Some(labels) = labels {
        archive.start_file("labels.npy", options).map_err(failed)?;
        write_npy_labels(path, &mut archive, labels)?;
    }
    archive.finish().map(drop).map_err(failed)
}

fn array_name(member: &str) -> String {
    member.strip_suffix(".npy").unwrap_or(member).to_owned()
}

/// The number of members as the archive's last record says, if there is such a record.
fn count_members(file: &mut (impl Read + Seek)) -> std::io::Result<Option<usize>> {
    const SIGNATURE: &[u8] = b"PK\x05\x06";
    /// The record's length without its comment, and the longest comment.
    const RECORD: u64 = 22;
    const COMMENT: u64 = 65_535;
    let end = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(end.saturating_sub(RECORD + COMMENT)))?;
    let mut tail = Vec::new();
    file.take(RECORD + COMMENT).read_to_end(&mut tail)?;
    file.rewind()?;
    let record = tail
        .windows(SIGNATURE.len())
        .rposition(|bytes| bytes == SIGNATURE);
    let count = record.and_then(|start| Some([*tail.get(start + 10)?, *tail.get(start + 11)?]));
    Ok(count.map(|count| usize::from(u16::from_le_bytes(count))))
}

#[cfg(test)]
mod tests {
    use super::super::arrays::Numbers;
    use super::super::source::tests::file_of;
    use super::*;
    use ndarray::array;
    use std::io::Cursor;

    #[test]
    fn predictions_are_read_back() {
        let mut file = Cursor::new(Vec::new());
        let path = Path::new("p.npz");
        write_npz(path, &mut file, array![[0.25], [0.5_f64]].view(), Some(&[1, 0])).unwrap();
        let file = file_of(file.get_ref());
        let Members { arrays, names } = read_arrays(file.path(), &["predictions", "labels"]).unwrap();
        assert_eq!(names, ["labels", "predictions"]);
        assert!(matches!(&arrays["predictions"].numbers, Numbers::Doubles(values) if values == &[0.25, 0.5]));
        assert!(matches!(&arrays["labels"].numbers, Numbers::Integers(labels) if labels == &[1, 0]));
    }
}
