//! What is here of the known data sets, and whether it is as it was published.

use std::fs::File as Handle;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

#[cfg(feature = "download")]
use super::keep::md5;
use super::search::{look, obtain};
use super::source::{Progress, Source};
use super::table::{self, File, KnownSet, Md5};
use crate::error::{Error, Result};

/// A known data set that is kept in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// [`mnist`](super::mnist()).
    Mnist,
    /// [`fashion_mnist`](super::fashion_mnist()).
    FashionMnist,
    /// [`california_housing`](super::california_housing()).
    CaliforniaHousing,
    /// [`iris`](super::iris()).
    Iris,
}

/// What a file of a known data set turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The published file: its MD5 sum is the published one.
    Sound,
    /// A file of the right size; the published sum is of a form (a compression) that this file does not have, or the
    /// crate was built without its feature `download`, which computes sums.
    Unproven,
    /// Another file, or a damaged one, and why.
    Damaged(String),
}

impl Known {
    /// All of them.
    pub const ALL: [Known; 4] = [
        Known::Mnist,
        Known::FashionMnist,
        Known::CaliforniaHousing,
        Known::Iris,
    ];

    /// Its entry in the table.
    fn set(self) -> &'static KnownSet<'static> {
        match self {
            Known::Mnist => &table::MNIST,
            Known::FashionMnist => &table::FASHION_MNIST,
            Known::CaliforniaHousing => &table::CALIFORNIA_HOUSING,
            Known::Iris => &table::IRIS,
        }
    }

    /// The name, as the `mfnet` command has it.
    pub fn name(self) -> &'static str {
        self.set().name
    }

    /// A one-line description of the samples.
    pub fn description(self) -> &'static str {
        self.set().description
    }

    /// The folder that has all of its files; else what is wrong with each place. Fetches nothing.
    pub fn find(self, source: &Source) -> std::result::Result<PathBuf, Vec<String>> {
        Ok(folder_of(&look(self.set(), source)?))
    }

    /// The folder that has all of its files, which are fetched if need be.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when no place has it.
    pub fn fetch(self, source: &Source, progress: &mut dyn FnMut(Progress<'_>)) -> Result<PathBuf> {
        Ok(folder_of(&obtain(self.set(), source, progress)?))
    }

    /// Reads each of its files and compares size and MD5 sum with the published ones. Fetches nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] for a file that cannot be read, [`Error::Unavailable`] when no folder has all files.
    pub fn verify(self, source: &Source) -> Result<Vec<(PathBuf, Verdict)>> {
        let paths = look(self.set(), source).map_err(|tried| Error::Unavailable {
            dataset: self.name().to_owned(),
            tried,
            help: "fetch it first".to_owned(),
        })?;
        let verdict = |(path, file): (PathBuf, &File<'_>)| {
            let verdict = judge(&path, file).map_err(|error| Error::io(&path, "read the file", error))?;
            Ok((path, verdict))
        };
        paths.into_iter().zip(self.set().files).map(verdict).collect()
    }
}

fn folder_of(paths: &[PathBuf]) -> PathBuf {
    let folder = paths.first().and_then(|path| path.parent());
    folder.unwrap_or(Path::new("")).to_owned()
}

fn judge(path: &Path, file: &File<'_>) -> io::Result<Verdict> {
    let mut start = Vec::new();
    Handle::open(path)?.take(2).read_to_end(&mut start)?;
    let gzipped = start == [0x1f, 0x8b];
    let content = || -> io::Result<Box<dyn Read>> {
        let raw = Handle::open(path)?;
        Ok(match gzipped {
            true => Box::new(MultiGzDecoder::new(raw)),
            false => Box::new(raw),
        })
    };
    let size = match io::copy(&mut content()?.take(file.bytes + 1), &mut io::sink()) {
        Ok(size) => size,
        Err(error) if error.raw_os_error().is_none() => {
            return Ok(Verdict::Damaged(format!("the gzip stream is damaged: {error}")));
        }
        Err(error) => return Err(error),
    };
    if size != file.bytes {
        let relation = if size < file.bytes {
            "has only"
        } else {
            "has more than"
        };
        return Ok(Verdict::Damaged(format!(
            "it {relation} {} bytes, and the published file has {}",
            size.min(file.bytes),
            file.bytes
        )));
    }
    match file.md5 {
        Md5::Content(expected) => compare(content()?, expected, Verdict::Damaged),
        // Anyone may compress it in another way, and none says what the content's sum is.
        Md5::Gzipped(expected) => compare(Handle::open(path)?, expected, |_| Verdict::Unproven),
    }
}

#[cfg(feature = "download")]
fn compare(bytes: impl Read, expected: &str, other: impl FnOnce(String) -> Verdict) -> io::Result<Verdict> {
    Ok(match md5(bytes) {
        Ok(found) if found == expected => Verdict::Sound,
        Ok(found) => other(format!(
            "its MD5 sum is {found}, and the published file's is {expected}"
        )),
        Err(problem) => Verdict::Damaged(problem),
    })
}

#[cfg(not(feature = "download"))]
fn compare(_: impl Read, _: &str, _: impl FnOnce(String) -> Verdict) -> io::Result<Verdict> {
    Ok(Verdict::Unproven)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::fs;
    use std::io::Write;

    fn only(folder: &Path) -> Source {
        Source {
            data_dir: Some(folder.to_owned()),
            cache_dir: None,
            download: false,
        }
    }

    #[test]
    fn what_is_not_here_is_told() {
        let empty = tempfile::tempdir().unwrap();
        for known in Known::ALL {
            let tried = known.find(&only(empty.path())).unwrap_err();
            assert!(tried[0].contains("no "), "{tried:?}");
            let error = known.verify(&only(empty.path())).unwrap_err();
            assert!(error.to_string().contains(known.name()), "{error}");
            assert!(known.fetch(&only(empty.path()), &mut |_| {}).is_err());
        }
    }

    #[test]
    fn other_files_are_damaged_ones() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("iris");
        fs::create_dir(&folder).unwrap();
        let verdict = |name: &str, content: &[u8]| {
            let path = folder.join(name);
            fs::write(&path, content).unwrap();
            let source = only(directory.path());
            assert_eq!(Known::Iris.find(&source).unwrap(), folder);
            assert_eq!(Known::Iris.fetch(&source, &mut |_| {}).unwrap(), folder);
            let verdicts = Known::Iris.verify(&source).unwrap();
            fs::remove_file(&path).unwrap();
            assert_eq!(verdicts[0].0, path);
            verdicts[0].1.clone()
        };
        let damage = |verdict: Verdict| match verdict {
            Verdict::Damaged(problem) => problem,
            other => panic!("{other:?}"),
        };
        assert!(damage(verdict("iris.data", b"5.1")).contains("only 3 bytes"));
        assert!(damage(verdict("iris.data", &[b'x'; 5000])).contains("more than 4551 bytes"));
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(&[b'x'; 4551]).unwrap();
        let packed = packed.finish().unwrap();
        assert!(damage(verdict("iris.data.gz", &packed[..packed.len() - 3])).contains("gzip"));
        let same_size = verdict("iris.data.gz", &packed);
        if cfg!(feature = "download") {
            assert!(damage(same_size).contains("42615765a885ddf54427f12c34a0a070"));
        } else {
            assert_eq!(same_size, Verdict::Unproven);
        }
    }

    #[test]
    fn the_real_files_are_sound_or_repacked() {
        let Some(data) = std::env::var_os("MFNET_DATA_DIR") else {
            eprintln!("SKIPPED: MFNET_DATA_DIR names no folder with the real data sets");
            return;
        };
        for known in [Known::Mnist, Known::FashionMnist, Known::CaliforniaHousing] {
            for (path, verdict) in known.verify(&only(Path::new(&data))).unwrap() {
                assert!(
                    !matches!(verdict, Verdict::Damaged(_)),
                    "{}: {verdict:?}",
                    path.display()
                );
            }
        }
    }
}
