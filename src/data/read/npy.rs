//! NPY files: one NumPy array each.
//!
//! Source: "A simple file format for NumPy arrays", <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use ndarray::{ArrayD, ArrayView2};
use ndarray_npy::npy::header::Header;
use ndarray_npy::{ReadNpyExt, ReadableElement, WriteNpyError, WriteNpyExt};

use super::arrays::{Array, Numbers};
use crate::element::Element;
use crate::error::{Error, Position, Result};

/// The longest header that is read; NumPy's own have about 120 bytes.
const MAX_HEADER: usize = 1 << 14;
/// The most brackets a header may have: arrays of plain numbers have two pairs, and a parser goes as deep as these do.
const MAX_BRACKETS: usize = 16;
/// The largest array that is read, in bytes: 16 GiB.
const MAX_BYTES: u64 = 1 << 34;

/// Reads a file's array.
pub(super) fn read_array<T: Element>(path: &Path) -> Result<Array<T>> {
    let file = File::open(path).map_err(|error| Error::io(path, "open the file", error))?;
    let name = path.display().to_string();
    read_from(BufReader::new(file), &name).map_err(|failure| failure.at(path))
}

/// Why an array could not be read.
pub(super) enum Failure {
    Io(io::Error),
    Content { byte: u64, problem: String },
}

impl Failure {
    pub(super) fn at(self, path: &Path) -> Error {
        match self {
            Failure::Io(error) => Error::io(path, "read the file", error),
            Failure::Content { byte, problem } => Error::file(path, Position::Byte(byte), problem),
        }
    }

    fn content(byte: usize, problem: impl std::fmt::Display) -> Self {
        Failure::Content {
            byte: byte as u64,
            problem: problem.to_string(),
        }
    }
}

/// Damage that a decoder finds is the content's, the rest the system's.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(_) => Failure::Io(error),
            None => Failure::content(0, error),
        }
    }
}

/// Reads one array, which must end where the reader does. Memory is taken for what is there, whatever the header
/// promises; `name` is what later errors call the array.
pub(super) fn read_from<T: Element>(
    mut reader: impl Read,
    name: &str,
) -> std::result::Result<Array<T>, Failure> {
    let mut content = read_header_bytes(&mut reader)?;
    let start = content.len();
    let header = Header::from_reader(&mut content.as_slice()).map_err(|error| Failure::content(0, error))?;
    let kind = header
        .type_descriptor
        .as_string()
        .map_or_else(|| header.type_descriptor.to_string(), String::clone);
    let Some(size) = size_of(&kind) else {
        return Err(Failure::content(
            0,
            format_args!("the array has the type {kind:?}; only numbers and bool can be read"),
        ));
    };
    let shape = header.shape;
    let expected = shape
        .iter()
        .try_fold(size, |bytes, &length| bytes.checked_mul(length as u64))
        .filter(|&bytes| bytes <= MAX_BYTES)
        .ok_or_else(|| {
            Failure::content(
                0,
                format_args!("the shape {shape:?} promises more than {MAX_BYTES} bytes"),
            )
        })?;
    let found = reader.take(expected + 1).read_to_end(&mut content)? as u64;
    if found != expected {
        let relation = if found < expected {
            "ends before"
        } else {
            "goes on after"
        };
        return Err(Failure::content(
            content.len(),
            format_args!("the array {relation} the {expected} bytes that its shape {shape:?} takes"),
        ));
    }
    let numbers = numbers_of(&kind, content, start, header.layout.is_fortran())?;
    Ok(Array {
        name: name.to_owned(),
        shape,
        numbers,
    })
}

/// The bytes of a header, its magic and length included.
fn read_header_bytes(reader: &mut impl Read) -> std::result::Result<Vec<u8>, Failure> {
    const MAGIC: &[u8] = b"\x93NUMPY";
    let mut bytes = Vec::new();
    reader.take(10).read_to_end(&mut bytes)?;
    if !bytes.starts_with(MAGIC) {
        return Err(Failure::content(
            0,
            "this is no NPY array: it does not start as one",
        ));
    }
    // Two bytes say how long the header is, in later versions four.
    if bytes.get(MAGIC.len()).is_some_and(|&major| major > 1) {
        reader.take(2).read_to_end(&mut bytes)?;
    }
    let length = bytes.get(MAGIC.len() + 2..).unwrap_or_default();
    let length = length
        .iter()
        .rev()
        .fold(0, |length, &byte| length << 8 | usize::from(byte));
    if length > MAX_HEADER {
        return Err(Failure::content(
            8,
            format_args!("the header has {length} bytes, too many for an array of numbers"),
        ));
    }
    let start = bytes.len();
    reader.take(length as u64).read_to_end(&mut bytes)?;
    let brackets = bytes[start..].iter().filter(|byte| b"([{".contains(byte)).count();
    if brackets > MAX_BRACKETS {
        return Err(Failure::content(
            start,
            "the header is not that of an array of numbers",
        ));
    }
    Ok(bytes)
}

/// The bytes of one element, by NumPy's name of its type.
fn size_of(kind: &str) -> Option<u64> {
    let (order, letter_and_size) = kind.split_at_checked(1)?;
    let size = match letter_and_size {
        "b1" | "u1" | "i1" => 1,
        "u2" | "i2" => 2,
        "u4" | "i4" | "f4" => 4,
        "u8" | "i8" | "f8" => 8,
        _ => return None,
    };
    let orders = if size == 1 { "|" } else { "<>" };
    orders.contains(order).then_some(size)
}

fn numbers_of<T: Element>(
    kind: &str,
    mut content: Vec<u8>,
    start: usize,
    fortran: bool,
) -> std::result::Result<Numbers<T>, Failure> {
    let integers = Numbers::Integers;
    Ok(match &kind[1..] {
        "u1" if !fortran => {
            content.drain(..start);
            Numbers::Bytes(content)
        }
        "u1" => Numbers::Bytes(elements::<u8>(&content)?),
        "b1" => integers(convert::<bool, _>(&content, i64::from)?),
        "i1" => integers(convert::<i8, _>(&content, i64::from)?),
        "u2" => integers(convert::<u16, _>(&content, i64::from)?),
        "i2" => integers(convert::<i16, _>(&content, i64::from)?),
        "u4" => integers(convert::<u32, _>(&content, i64::from)?),
        "i4" => integers(convert::<i32, _>(&content, i64::from)?),
        "i8" => integers(elements(&content)?),
        "u8" => {
            let numbers = elements::<u64>(&content)?;
            let fits = |number: u64| i64::try_from(number).ok();
            match numbers.iter().copied().map(fits).collect() {
                Some(numbers) => integers(numbers),
                None => Numbers::Values(
                    numbers
                        .into_iter()
                        .map(|number| T::from_f64(number as f64))
                        .collect(),
                ),
            }
        }
        "f4" => Numbers::Values(convert::<f32, _>(&content, |number| {
            T::from_f64(f64::from(number))
        })?),
        _ => Numbers::Values(convert::<f64, _>(&content, T::from_f64)?),
    })
}

fn convert<E: ReadableElement + Clone, N>(
    content: &[u8],
    to: impl Fn(E) -> N,
) -> std::result::Result<Vec<N>, Failure> {
    Ok(elements::<E>(content)?.into_iter().map(to).collect())
}

/// The elements, the last dimension running fastest.
fn elements<E: ReadableElement + Clone>(content: &[u8]) -> std::result::Result<Vec<E>, Failure> {
    let array = ArrayD::<E>::read_npy(content).map_err(|error| Failure::content(0, error))?;
    Ok(if array.is_standard_layout() {
        array.into_raw_vec_and_offset().0
    } else {
        array.iter().cloned().collect()
    })
}

/// Writes a matrix as an NPY file, in `T`'s own type.
///
/// # Errors
///
/// [`Error::Io`] by the name `path`.
///
/// ```
/// let mut file = Vec::new();
/// mfnet::data::read::write_npy("predictions.npy".as_ref(), &mut file, ndarray::array![[0.5_f32]].view())?;
/// assert!(file.starts_with(b"\x93NUMPY"));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn write_npy<T: Element>(path: &Path, writer: impl io::Write, matrix: ArrayView2<'_, T>) -> Result<()> {
    let written = match T::NAME {
        f32::NAME => matrix.mapv(|number| number.as_f64() as f32).write_npy(writer),
        _ => matrix.mapv(Element::as_f64).write_npy(writer),
    };
    written.map_err(|error| {
        let source = match error {
            WriteNpyError::Io(error) => error,
            other => io::Error::other(other),
        };
        Error::io(path, "write the file", source)
    })
}
