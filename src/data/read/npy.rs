//! NPY files: one NumPy array each.
//!
//! Source: "A simple file format for NumPy arrays", <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use ndarray::{ArrayD, ArrayView1, ArrayView2};
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
pub(super) fn read_array(path: &Path) -> Result<Array> {
    let file = File::open(path).map_err(|error| Error::io(path, "open the file", error))?;
    let name = path.display().to_string();
    read_from(BufReader::new(file), &name).map_err(|failure| failure.at(path))
}

/// Why an array could not be read.
pub(super) enum Failure {
    Io(io::Error),
    Content { position: Position, problem: String },
}

impl Failure {
    pub(super) fn at(self, path: &Path) -> Error {
        match self {
            Failure::Io(error) => Error::io(path, "read the file", error),
            Failure::Content { position, problem } => Error::file(path, position, problem),
        }
    }

    fn content(byte: usize, problem: impl std::fmt::Display) -> Self {
        Failure::Content {
            position: Position::Byte(byte as u64),
            problem: problem.to_string(),
        }
    }

    /// A problem of the whole array.
    fn whole(problem: impl std::fmt::Display) -> Self {
        Failure::Content {
            position: Position::File,
            problem: problem.to_string(),
        }
    }
}

/// Damage that a decoder finds is the content's, the rest the system's.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(_) => Failure::Io(error),
            None => Failure::whole(error),
        }
    }
}

/// Reads one array, which must end where the reader does. Memory is taken for what is there, whatever the header
/// promises; `name` is what later errors call the array.
pub(super) fn read_from(mut reader: impl Read, name: &str) -> std::result::Result<Array, Failure> {
    let mut content = read_header_bytes(&mut reader)?;
    let start = content.len();
    let header = Header::from_reader(&mut content.as_slice()).map_err(Failure::whole)?;
    let kind = header
        .type_descriptor
        .as_string()
        .map_or_else(|| header.type_descriptor.to_string(), String::clone);
    let Some(size) = size_of(&kind) else {
        return Err(Failure::whole(format_args!(
            "the array has the type {kind:?}; only numbers and bool can be read"
        )));
    };
    let shape = header.shape;
    let expected = shape
        .iter()
        .try_fold(size, |bytes, &length| bytes.checked_mul(length as u64))
        .filter(|&bytes| bytes <= MAX_BYTES)
        .ok_or_else(|| {
            Failure::whole(format_args!(
                "the shape {shape:?} promises more than {MAX_BYTES} bytes"
            ))
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
    // The other lengths of an empty array may be beyond what a parser multiplies.
    let numbers = match shape.contains(&0) {
        true => Numbers::Doubles(Vec::new()),
        false => numbers_of(&kind, content, start, header.layout.is_fortran())?,
    };
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
        return Err(Failure::whole("this is no NPY array: it does not start as one"));
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

fn numbers_of(
    kind: &str,
    mut content: Vec<u8>,
    start: usize,
    fortran: bool,
) -> std::result::Result<Numbers, Failure> {
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
                None => Numbers::Doubles(numbers.into_iter().map(|number| number as f64).collect()),
            }
        }
        "f4" => Numbers::Singles(elements(&content)?),
        _ => Numbers::Doubles(elements(&content)?),
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
    let array = ArrayD::<E>::read_npy(content).map_err(Failure::whole)?;
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
    written.map_err(|error| unwritten(path, error))
}

/// Writes labels as an NPY file of NumPy's `uint32`.
///
/// # Errors
///
/// [`Error::Io`] by the name `path`.
pub fn write_npy_labels(path: &Path, writer: impl io::Write, labels: &[u32]) -> Result<()> {
    let written = ArrayView1::from(labels).write_npy(writer);
    written.map_err(|error| unwritten(path, error))
}

fn unwritten(path: &Path, error: WriteNpyError) -> Error {
    let source = match error {
        WriteNpyError::Io(error) => error,
        other => io::Error::other(other),
    };
    Error::io(path, "write the file", source)
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::super::super::property;
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    /// An NPY file, its header as NumPy writes it.
    pub(in crate::data::read) fn npy(kind: &str, fortran: bool, shape: &[usize], data: &[u8]) -> Vec<u8> {
        let lengths: String = shape.iter().map(|length| format!("{length},")).collect();
        let order = if fortran { "True" } else { "False" };
        let header = format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': ({lengths}), }}");
        with_header(&header, data)
    }

    fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
        let width = (10 + header.len() + 1).next_multiple_of(64) - 11;
        let header = format!("{header:width$}\n");
        let mut content = b"\x93NUMPY\x01\x00".to_vec();
        content.extend((header.len() as u16).to_le_bytes());
        content.extend(header.as_bytes());
        content.extend(data);
        content
    }

    fn read(content: &[u8]) -> std::result::Result<Array, String> {
        read_from(content, "array").map_err(|failure| failure.at(Path::new("a.npy")).to_string())
    }

    fn numbers(kind: &str, fortran: bool, shape: &[usize], data: &[u8]) -> Vec<f64> {
        match read(&npy(kind, fortran, shape, data)).unwrap().numbers {
            Numbers::Bytes(bytes) => bytes.into_iter().map(f64::from).collect(),
            Numbers::Integers(integers) => integers.into_iter().map(|number| number as f64).collect(),
            Numbers::Singles(values) => values.into_iter().map(f64::from).collect(),
            Numbers::Doubles(values) => values,
        }
    }

    #[test]
    fn every_type_of_number_is_read() {
        assert_eq!(numbers("|b1", false, &[2], &[1, 0]), [1.0, 0.0]);
        assert_eq!(numbers("|u1", false, &[2], &[255, 0]), [255.0, 0.0]);
        assert_eq!(numbers("|i1", false, &[2], &[255, 0]), [-1.0, 0.0]);
        assert_eq!(numbers("<u2", false, &[1], &[1, 2]), [513.0]);
        assert_eq!(numbers(">u2", false, &[1], &[2, 1]), [513.0]);
        assert_eq!(numbers("<i2", false, &[1], &[254, 255]), [-2.0]);
        assert_eq!(numbers("<u4", false, &[1], &[255; 4]), [4_294_967_295.0]);
        assert_eq!(numbers(">i4", false, &[1], &[255, 255, 255, 254]), [-2.0]);
        assert_eq!(numbers("<i8", false, &[1], &[255; 8]), [-1.0]);
        assert_eq!(
            numbers("<u8", false, &[1], &[255; 8]),
            [18_446_744_073_709_551_615.0]
        );
        assert_eq!(numbers("<u8", false, &[1], &[3, 0, 0, 0, 0, 0, 0, 0]), [3.0]);
        assert_eq!(numbers("<f4", false, &[1], &1.5_f32.to_le_bytes()), [1.5]);
        assert_eq!(numbers(">f4", false, &[1], &1.5_f32.to_be_bytes()), [1.5]);
        assert_eq!(numbers("<f8", false, &[1], &0.1_f64.to_le_bytes()), [0.1]);
        assert_eq!(numbers(">f8", false, &[1], &0.1_f64.to_be_bytes()), [0.1]);
        assert_eq!(numbers("|u1", false, &[], &[7]), [7.0]);
    }

    #[test]
    fn both_orders_give_the_same() {
        assert_eq!(
            numbers("|u1", false, &[2, 3], &[1, 2, 3, 4, 5, 6]),
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        );
        assert_eq!(
            numbers("|u1", true, &[2, 3], &[1, 4, 2, 5, 3, 6]),
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        );
        assert_eq!(
            numbers("|i1", true, &[2, 3], &[1, 4, 2, 5, 3, 6]),
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        );
    }

    #[test]
    fn refusals_say_why() {
        let sound = npy("<f4", false, &[2], &[0; 8]);
        let mut version = sound.clone();
        version[6] = 9;
        let mut long = sound.clone();
        (long[6], long[8], long[9], long[10], long[11]) = (2, 0xff, 0xff, 0xff, 0xff);
        let nested = with_header(&"(".repeat(9_000), &[]);
        for (content, problem) in [
            (&b""[..], "no NPY array"),
            (b"PK\x03\x04", "no NPY array"),
            (&sound[..9], "a.npy"),
            (&sound[..40], "a.npy"),
            (
                &sound[..sound.len() - 1],
                "ends before the 8 bytes that its shape [2] takes",
            ),
            (&[&sound[..], &[0]].concat(), "goes on after the 8 bytes"),
            (&version, "header"),
            (&long, "the header has 4294967295 bytes"),
            (&nested, "not that of an array of numbers"),
            (&npy("|O", false, &[1], &[0; 8]), "the type \"|O\"; only numbers"),
            (&npy("<U5", false, &[1], &[0; 20]), "the type \"<U5\""),
            (&npy("<c16", false, &[1], &[0; 16]), "the type \"<c16\""),
            (&npy("<f2", false, &[1], &[0; 2]), "the type \"<f2\""),
            (&npy("", false, &[1], &[]), "the type \"\""),
            (&npy("é4", false, &[1], &[]), "a.npy"),
            (&npy("|b1", false, &[1], &[2]), "bool"),
            (&npy("<f8", false, &[usize::MAX, 2], &[]), "promises more than"),
            (&npy("<f8", false, &[1 << 40], &[]), "promises more than"),
            (&npy("<f8", false, &[1 << 30], &[]), "ends before"),
            (
                &with_header(
                    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
                    &[0; 4],
                ),
                "only numbers",
            ),
            (
                &with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", &[]),
                "shape",
            ),
            (&with_header("5", &[]), "header"),
        ] {
            match read(content) {
                Err(found) => assert!(found.contains(problem), "{found} is not {problem}"),
                Ok(array) => panic!("{problem}: {:?}", array.shape),
            }
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut file = Vec::new();
        write_npy(
            Path::new("p.npy"),
            &mut file,
            array![[0.1, 0.2], [0.3, 0.4_f64]].view(),
        )
        .unwrap();
        let array = read(&file).unwrap();
        assert_eq!(array.shape, [2, 2]);
        assert!(matches!(array.numbers, Numbers::Doubles(values) if values == [0.1, 0.2, 0.3, 0.4]));
        write_npy(Path::new("p.npy"), &mut file, array![[0.5_f32]].view()).unwrap();
        assert!(file.ends_with(&0.5_f32.to_le_bytes()), "in its own type");
        let mut labels = Vec::new();
        write_npy_labels(Path::new("l.npy"), &mut labels, &[2, 0]).unwrap();
        assert!(matches!(read(&labels).unwrap().numbers, Numbers::Integers(labels) if labels == [2, 0]));
        let full = write_npy(Path::new("p.npy"), &mut [0; 9][..], array![[0.5]].view()).unwrap_err();
        assert!(matches!(full, Error::Io { .. }), "{full}");
    }

    proptest! {
        #![proptest_config(property::config(256))]

        #[test]
        fn no_header_makes_it_panic(words in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "(", ")", "[", "]", "'descr'", "'shape'", "'fortran_order'", ":", ",", "'<f8'", "True", "1",
            "99999999999999999999", "-", " ", "\\", "é",
        ]), 0..24)) {
            drop(read(&with_header(&words.concat(), &[0; 8])));
        }
    }
}
