//! A file's content, unpacked on the way if it is gzip.

use std::fs::File;
use std::io::{self, BufReader, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Position, Result};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An open file that knows how far it has been read.
pub(super) struct Source<'a> {
    path: PathBuf,
    content: Box<dyn Read + Send + 'a>,
    gzip: bool,
    offset: u64,
}

impl Source<'static> {
    /// Opens a file; its first two bytes, not its name, tell whether it is gzip.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io(path, "open the file", error))?;
        Source::of(path, file)
    }
}

impl<'a> Source<'a> {
    /// Content that comes from elsewhere; `path` is what errors call it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub(super) fn of(path: &Path, mut reader: impl Read + Send + 'a) -> Result<Self> {
        let mut start = Vec::new();
        (&mut reader)
            .take(GZIP_MAGIC.len() as u64)
            .read_to_end(&mut start)
            .map_err(|error| Error::io(path, "read the file", error))?;
        let gzip = start == GZIP_MAGIC;
        let whole = BufReader::new(Cursor::new(start).chain(reader));
        let content: Box<dyn Read + Send + 'a> = match gzip {
            true => Box::new(MultiGzDecoder::new(whole)),
            false => Box::new(whole),
        };
        Ok(Source {
            path: path.to_owned(),
            content,
            gzip,
            offset: 0,
        })
    }

    /// The next `limit` bytes, or fewer if the content ends before. Memory grows with what is really there.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; [`Error::InvalidFile`] for a damaged or cut gzip stream.
    pub(super) fn read_up_to(&mut self, limit: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.take(limit).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(refusal(&self.path, Position::Byte(self.offset), error)),
        }
    }

    /// How many bytes of content have been read.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// An [`Error::InvalidFile`] at a byte of the content.
    pub(super) fn invalid(&self, byte: u64, problem: impl std::fmt::Display) -> Error {
        Error::file(&self.path, Position::Byte(byte), problem)
    }
}

/// The next bytes, for readers that are handed the whole source; [`refusal`] tells what their errors mean.
impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.content.read(buffer) {
            Ok(read) => {
                self.offset += read as u64;
                Ok(read)
            }
            Err(error) if self.gzip && is_damage(&error) => Err(io::Error::new(
                ErrorKind::InvalidData,
                format!("the gzip stream is damaged: {error}"),
            )),
            Err(error) => Err(error),
        }
    }
}

/// What an error of reading a [`Source`] means: a damaged file, or a refusing system.
pub(super) fn refusal(path: &Path, position: Position, error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::InvalidData if error.raw_os_error().is_none() => Error::file(path, position, error),
        _ => Error::io(path, "read the file", error),
    }
}

/// Whether the decoder complains, rather than the operating system.
fn is_damage(error: &io::Error) -> bool {
    let kinds = [
        ErrorKind::InvalidData,
        ErrorKind::InvalidInput,
        ErrorKind::UnexpectedEof,
    ];
    error.raw_os_error().is_none() && kinds.contains(&error.kind())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    use tempfile::NamedTempFile;

    pub(in crate::data::read) fn file_of(content: &[u8]) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        file
    }

    pub(in crate::data::read) fn gzipped(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn read_all(content: &[u8]) -> Result<Vec<u8>> {
        Source::open(file_of(content).path())?.read_up_to(1000)
    }

    #[test]
    fn gzip_is_known_by_its_content() {
        for content in [&b""[..], b"\x1f", b"plain text"] {
            assert_eq!(read_all(content).unwrap(), content);
            assert_eq!(read_all(&gzipped(content)).unwrap(), content);
        }
        let two_members = [gzipped(b"one, "), gzipped(b"two")].concat();
        assert_eq!(read_all(&two_members).unwrap(), b"one, two");
    }

    #[test]
    fn reading_stops_at_the_limit_and_goes_on_from_there() {
        let file = file_of(&gzipped(b"abcdef"));
        let mut source = Source::open(file.path()).unwrap();
        assert_eq!(source.read_up_to(4).unwrap(), b"abcd");
        assert_eq!(source.offset(), 4);
        assert_eq!(source.read_up_to(4).unwrap(), b"ef");
        assert_eq!(source.offset(), 6);
    }

    #[test]
    fn damage_is_told_from_a_refusing_system() {
        let sound = gzipped(b"some content");
        let mut damaged = sound.clone();
        let checksum = damaged.len() - 8;
        damaged[checksum] ^= 1;
        let trailing = [&sound[..], b"rubbish"].concat();
        for content in [&damaged[..], &sound[..sound.len() - 3], &sound[..5], &trailing] {
            let error = read_all(content).unwrap_err();
            assert!(matches!(error, Error::InvalidFile { .. }), "{error}");
        }
        let missing = Source::open(Path::new("no/such/file")).err().unwrap();
        assert!(matches!(missing, Error::Io { .. }), "{missing}");
        let folder = tempfile::tempdir().unwrap();
        let unreadable = Source::open(folder.path()).err().unwrap();
        assert!(matches!(unreadable, Error::Io { .. }), "{unreadable}");
    }
}
