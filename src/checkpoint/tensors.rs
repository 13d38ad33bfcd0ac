//! Safetensors files: named tensors and named texts.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use safetensors::tensor::{Dtype, TensorInfo};

use super::header::{Header, LONGEST, dimensions, shown};
use super::number::{dtype_of, from_bytes, write_numbers};
use crate::atomic;
use crate::element::Element;
use crate::error::{Error, Position, Result};

/// The number of bytes that hold the length of the header, at the start of a file.
const PREFIX: u64 = 8;

/// A file whose header was read. Tensors are read one by one, when they are taken out.
#[derive(Debug)]
pub(super) struct TensorFile {
    path: PathBuf,
    file: File,
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, TensorInfo>,
    /// The offset of the tensors' bytes in the file.
    start: u64,
}

impl TensorFile {
    /// Opens a file, reads its header, and checks that the tensors' bytes fill the rest of the file exactly.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the system refuses, [`Error::InvalidFile`] for a file that is not in the safetensors format.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let (file, length, header) = open(path)?;
        let header =
            Header::parse(&header).map_err(|problem| Error::file(path, Position::Byte(PREFIX), problem))?;
        let start = length.header_end;
        if (header.bytes as u64).checked_add(start) != Some(length.file) {
            let there = length.file - start;
            let problem = format_args!(
                "{there} bytes of tensors follow, and the header lists {}",
                header.bytes
            );
            return Err(Error::file(path, Position::Byte(start), problem));
        }
        Ok(TensorFile {
            path: path.to_owned(),
            metadata: header.metadata,
            tensors: header.tensors,
            file,
            start,
        })
    }

    /// Returns the text of this name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).map(String::as_str)
    }

    /// Returns the names, types and shapes of the tensors that were not taken yet.
    pub(super) fn tensors(&self) -> impl Iterator<Item = (&str, Dtype, &[usize])> {
        let shapes = self.tensors.iter();
        shapes.map(|(name, info)| (name.as_str(), info.dtype, info.shape.as_slice()))
    }

    /// Takes out a tensor, converted to `T`. One without dimensions may be a counter, which is an integer.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFile`] if there is no tensor of this name and shape, or its numbers are of another type or not finite
    /// in `T`; [`Error::Io`] if the system refuses.
    pub(super) fn take<T: Element>(&mut self, name: &str, shape: &[usize]) -> Result<ArrayD<T>> {
        let Some(info) = self.tensors.get(name) else {
            return Err(self.fault(format_args!("there is no tensor `{}`", shown(name))));
        };
        if info.shape != shape {
            let (found, expected) = (dimensions(&info.shape), dimensions(shape));
            return Err(self.tensor_fault(name, info, format_args!("its shape is {found}, not {expected}")));
        }
        let (start, end) = info.data_offsets;
        let at = SeekFrom::Start(self.start + start as u64);
        let bytes = self
            .file
            .seek(at)
            .and_then(|_| read_exactly(&mut self.file, end - start));
        let bytes = bytes.map_err(|source| Error::io(&self.path, "read the file", source))?;
        let values = match info.dtype {
            Dtype::I64 if shape.is_empty() => count(&bytes).map(|count| vec![T::from_f64(count as f64)]),
            dtype => from_bytes::<T>(dtype, &bytes),
        };
        let Some(values) = values else {
            let problem = format_args!("its type is {:?}, not F16, BF16, F32 or F64", info.dtype);
            return Err(self.tensor_fault(name, info, problem));
        };
        if let Some(place) = values.iter().position(|value| !value.is_finite()) {
            let problem = format_args!("number {place}, counted from 0, is not finite in {}", T::NAME);
            return Err(self.tensor_fault(name, info, problem));
        }
        let array = ArrayD::from_shape_vec(shape, values);
        let array = array.map_err(|error| self.fault(format_args!("tensor `{}`: {error}", shown(name))))?;
        self.tensors.remove(name);
        Ok(array)
    }

    /// Takes out a counter: a tensor of one number and no dimensions.
    ///
    /// # Errors
    ///
    /// As [`TensorFile::take`]; [`Error::InvalidFile`] for a number that is negative or not an integer.
    pub(super) fn take_count(&mut self, name: &str) -> Result<u64> {
        // Exact up to 2^53.
        let number: f64 = self.take(name, &[])?.sum();
        if number < 0.0 || number.fract() != 0.0 {
            return Err(self.fault(format_args!("tensor `{}`: {number} is no count", shown(name))));
        }
        Ok(number as u64)
    }

    /// Takes out all remaining tensors.
    ///
    /// # Errors
    ///
    /// As [`TensorFile::take`].
    pub(super) fn take_rest<T: Element>(&mut self) -> Result<BTreeMap<String, ArrayD<T>>> {
        let left: Vec<_> = self
            .tensors()
            .map(|(name, _, shape)| (name.to_owned(), shape.to_owned()))
            .collect();
        let take = |(name, shape): (String, Vec<usize>)| {
            let values = self.take(&name, &shape)?;
            Ok((name, values))
        };
        left.into_iter().map(take).collect()
    }

    /// Returns an error about the file as a whole.
    pub(super) fn fault(&self, problem: impl std::fmt::Display) -> Error {
        Error::file(&self.path, Position::File, problem)
    }

    fn tensor_fault(&self, name: &str, info: &TensorInfo, problem: impl std::fmt::Display) -> Error {
        let position = Position::Byte(self.start + info.data_offsets.0 as u64);
        Error::file(
            &self.path,
            position,
            format_args!("tensor `{}`: {problem}", shown(name)),
        )
    }
}

/// Reads an integer of at least 0.
fn count(bytes: &[u8]) -> Option<u64> {
    u64::try_from(i64::from_le_bytes(bytes.try_into().ok()?)).ok()
}

/// The length of a file, and the offset of the tensors' bytes.
struct Lengths {
    file: u64,
    header_end: u64,
}

/// Opens a file and returns it with its lengths and its raw header.
fn open(path: &Path) -> Result<(File, Lengths, Vec<u8>)> {
    // The kind is checked before opening, as opening a pipe would wait for its other end.
    let opened = fs::metadata(path).and_then(|about| match about.is_file() {
        true => Ok((about.len(), Some(File::open(path)?))),
        false => Ok((0, None)),
    });
    let opened = opened.map_err(|source| Error::io(path, "open the file", source))?;
    let no_header = |problem: String| Error::file(path, Position::File, problem);
    let (length @ PREFIX.., Some(mut file)) = opened else {
        return Err(no_header(
            "it is no safetensors file, which starts with 8 bytes".to_owned(),
        ));
    };
    let refused = |source| Error::io(path, "read the file", source);
    let mut prefix = [0; PREFIX as usize];
    file.read_exact(&mut prefix).map_err(refused)?;
    let (stated, there) = (u64::from_le_bytes(prefix), length - PREFIX);
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    if stated > LONGEST.min(there) && prefix.iter().all(is_text) {
        return Err(no_header(
            "it is no safetensors file: it begins as text does, such as a CSV file".to_owned(),
        ));
    }
    if stated > LONGEST.min(there) {
        return Err(no_header(format!(
            "it is no safetensors file, or it is cut off: it states a header of {stated} bytes, of which there can be \
             {LONGEST}, and {there} follow"
        )));
    }
    let header = read_exactly(&mut file, stated as usize).map_err(refused)?;
    let lengths = Lengths {
        file: length,
        header_end: PREFIX + stated,
    };
    Ok((file, lengths, header))
}

/// Reads the next bytes, for a length that was checked against that of the file.
fn read_exactly(file: &mut File, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // A sparse file may be larger than the memory.
    bytes.try_reserve_exact(length)?;
    file.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() == length {
        return Ok(bytes);
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// Writes tensors, counters and one named text as a file, which is replaced atomically.
///
/// # Errors
///
/// [`Error::InvalidData`] for a number that is not finite, with the name of its tensor; those of [`atomic::write`].
pub(super) fn write<T: Element>(
    path: &Path,
    tensors: &BTreeMap<String, ArrayD<T>>,
    counts: &BTreeMap<String, u64>,
    text: (&str, String),
) -> Result<()> {
    for (name, values) in tensors {
        refuse_not_finite(name, values)?;
    }
    // Counters come first: as each has 8 bytes, the tensors behind them stay aligned.
    let counted = counts.keys().map(|name| (name.as_str(), Dtype::I64, &[][..]));
    let numbers = tensors
        .iter()
        .map(|(name, values)| (name.as_str(), dtype_of::<T>(), values.shape()));
    let header = Header::of(text, counted.chain(numbers)).to_text();
    let header = header.map_err(|error| Error::io(path, "write the file", error.into()))?;
    atomic::write_by(path, |file| {
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        // Counters are below 2^63: the same bytes as an `i64`.
        counts
            .values()
            .try_for_each(|count| file.write_all(&count.to_le_bytes()))?;
        // In row-major order, whatever the layout in memory.
        tensors
            .values()
            .try_for_each(|values| write_numbers(values.iter(), file))
    })
}

/// Refuses a tensor with a number that is infinite or NaN, which could not be loaded again.
pub(super) fn refuse_not_finite<T: Element>(name: &str, values: &ArrayD<T>) -> Result<()> {
    match values.iter().find(|value| !value.is_finite()) {
        None => Ok(()),
        Some(value) => {
            let problem = format_args!("it holds {value}, which is not finite: the training has diverged");
            Err(Error::data(format_args!("tensor `{name}`"), problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// A file of one tensor, as bytes.
    fn file(name: &str, dtype: Dtype, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
        let view = safetensors::tensor::TensorView::new(dtype, shape.to_vec(), bytes).unwrap();
        safetensors::serialize([(name, view)], None).unwrap()
    }

    fn read(content: &[u8]) -> Result<TensorFile> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        std::fs::write(&path, content).unwrap();
        TensorFile::open(&path)
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        let matrix = array![[1.0, 0.1], [f64::MIN_POSITIVE, -0.0]]
            .reversed_axes()
            .into_dyn();
        let tensors = BTreeMap::from([
            ("matrix".to_owned(), matrix.clone()),
            ("none".to_owned(), ArrayD::zeros(vec![0, 3])),
            ("number".to_owned(), ArrayD::from_elem(vec![], 7.0)),
        ]);
        let counts = BTreeMap::from([("count".to_owned(), 3)]);
        write(&path, &tensors, &counts, ("x", "text".to_owned())).unwrap();
        let mut file = TensorFile::open(&path).unwrap();
        assert_eq!(file.text("x"), Some("text"));
        assert_eq!(file.text("y"), None);
        let back = file.take::<f64>("matrix", &[2, 2]).unwrap();
        assert!(
            back.iter()
                .zip(&matrix)
                .all(|(back, value)| back.to_bits() == value.to_bits())
        );
        assert!(file.take::<f64>("matrix", &[2, 2]).is_err(), "it is gone");
        assert_eq!(file.take_count("count").unwrap(), 3);
        let rest = file.take_rest::<f64>().unwrap();
        assert_eq!(rest["none"].shape(), [0, 3]);
        assert_eq!(rest["number"].shape(), [0; 0]);
    }

    #[test]
    fn odd_tensors_are_named() {
        let nan = [1.0, f32::NAN].map(f32::to_le_bytes).concat();
        for (content, part) in [
            (
                file("a", Dtype::F32, &[2], &nan),
                "tensor `a`: number 1, counted from 0, is not finite",
            ),
            (file("a", Dtype::F64, &[2], &[0x7f; 16]), "tensor `a`: number 0"),
            (
                file("a", Dtype::I64, &[2], &[0; 16]),
                "tensor `a`: its type is I64",
            ),
            (
                file("a", Dtype::F32, &[1, 2], &[0; 8]),
                "tensor `a`: its shape is 1 x 2, not 2",
            ),
            (file("b", Dtype::F32, &[2], &[0; 8]), "there is no tensor `a`"),
        ] {
            let found = read(&content)
                .unwrap()
                .take::<f32>("a", &[2])
                .unwrap_err()
                .to_string();
            assert!(found.contains(part), "{found} does not say {part}");
        }
        assert!(
            write(
                Path::new("x"),
                &BTreeMap::from([("a".to_owned(), array![f32::NAN].into_dyn())]),
                &BTreeMap::new(),
                ("x", String::new())
            )
            .is_err()
        );
    }

    #[test]
    fn other_files_are_refused() {
        let good = file("a", Dtype::F32, &[2], &[0; 8]);
        read(&good).unwrap();
        for length in 0..good.len() {
            read(&good[..length]).unwrap_err();
        }
        read(&[&good[..], &[0]].concat()).unwrap_err();
        let found = read(b"height,kind\n12,oak\n").unwrap_err().to_string();
        assert!(
            found.contains("it begins as text does, such as a CSV file"),
            "{found}"
        );
        for stated in [u64::MAX, 1 << 60, LONGEST + 1, good.len() as u64] {
            let hostile = [&stated.to_le_bytes()[..], &good[8..]].concat();
            let found = read(&hostile).unwrap_err().to_string();
            assert!(found.contains(&format!("a header of {stated} bytes")), "{found}");
        }
        assert!(matches!(
            TensorFile::open(Path::new(".")),
            Err(Error::InvalidFile { .. })
        ));
        assert!(matches!(
            TensorFile::open(Path::new("/nowhere/x")),
            Err(Error::Io { .. })
        ));
    }
}
