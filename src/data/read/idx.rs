//! IDX files, the format MNIST is published in.
//!
//! Two zero bytes, the type of the elements, the number of dimensions, each dimension as a big-endian `u32`, and then
//! the elements, the last dimension running fastest. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of
//! handwritten digits", <http://yann.lecun.com/exdb/mnist/>, "File formats".

use std::path::Path;

use ndarray::Array2;

use super::source::Source;
use crate::error::{Error, Position, Result};

/// The type code of unsigned bytes, the only type that MNIST and its likes use.
const UNSIGNED_BYTE: u8 = 0x08;
const MAX_RANK: u8 = 4;
/// The most elements a file may have: 4 GiB, some ninety times MNIST.
const MAX_BYTES: u64 = 1 << 32;

/// What an IDX file of unsigned bytes holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx {
    /// The dimensions, 1 to 4 of them, none 0.
    pub shape: Vec<usize>,
    /// The elements, the last dimension running fastest; as many as the product of the dimensions.
    pub bytes: Vec<u8>,
}

/// Reads an IDX file of unsigned bytes with 1 to 4 dimensions, gzip or not.
///
/// Files may have up to 4 GiB of elements. Memory is taken for what the file has, whatever its header promises.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read; [`Error::InvalidFile`], with the byte after decompression, if it is not
/// an IDX file, holds another type, has a dimension of 0, is shorter or longer than its dimensions ask for, or is
/// damaged gzip.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("labels");
/// std::fs::write(&path, [0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]).unwrap();
/// let labels = mfnet::data::read::read_idx(&path)?;
/// assert_eq!((labels.shape, labels.bytes), (vec![3], vec![5, 0, 4]));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn read_idx(path: &Path) -> Result<Idx> {
    let mut source = Source::open(path)?;
    let rank = read_rank(&mut source)?;
    let (shape, expected) = read_shape(&mut source, rank)?;
    let start = source.offset();
    // One byte more than there should be: it tells whether the file goes on, and makes gzip check its sum.
    let mut bytes = source.read_up_to(expected + 1)?;
    let found = bytes.len() as u64;
    if found < expected {
        return Err(source.invalid(
            start + found,
            format_args!("the file ends after {found} elements of the {expected} that its header promises"),
        ));
    }
    if found > expected {
        return Err(source.invalid(
            start + expected,
            format_args!("the file goes on after the {expected} elements that its header promises"),
        ));
    }
    bytes.shrink_to_fit();
    Ok(Idx { shape, bytes })
}

/// Reads images, or other samples of two dimensions and more: each sample's elements become one row.
///
/// # Shapes
///
/// samples x height x width -> samples x (height * width)
///
/// # Errors
///
/// As [`read_idx`], and [`Error::InvalidFile`] for a file of one dimension.
pub fn read_images(path: &Path) -> Result<Array2<u8>> {
    Ok(read_images_of(path)?.0)
}

/// As [`read_images`], with the shape of an image.
pub(crate) fn read_images_of(path: &Path) -> Result<(Array2<u8>, Vec<usize>)> {
    let Idx { shape, bytes } = read_idx(path)?;
    if shape.len() < 2 {
        return Err(wrong_rank(path, "the file has 1 dimension, images have 2 to 4"));
    }
    let pixels = shape[1..].iter().product();
    let images = Array2::from_shape_vec((shape[0], pixels), bytes)
        .map_err(|error| Error::shape("read_images", "an array of the file's shape", error))?;
    Ok((images, shape[1..].to_vec()))
}

/// Reads labels.
///
/// # Errors
///
/// As [`read_idx`], and [`Error::InvalidFile`] for a file of several dimensions.
pub fn read_labels(path: &Path) -> Result<Vec<u32>> {
    let Idx { shape, bytes } = read_idx(path)?;
    if shape.len() != 1 {
        let problem = format!("the file has {} dimensions, labels have 1", shape.len());
        return Err(wrong_rank(path, &problem));
    }
    Ok(bytes.into_iter().map(u32::from).collect())
}

/// Reads the four bytes that say what follows.
fn read_rank(source: &mut Source<'_>) -> Result<u8> {
    let [zero, also_zero, kind, rank] = read_word(source)?;
    if (zero, also_zero) != (0, 0) {
        return Err(source.invalid(0, "this is no IDX file: it does not start with two zero bytes"));
    }
    if kind != UNSIGNED_BYTE {
        return Err(source.invalid(
            2,
            format_args!("the elements have type 0x{kind:02x}, only unsigned bytes (0x08) can be read"),
        ));
    }
    if rank == 0 || rank > MAX_RANK {
        return Err(source.invalid(
            3,
            format_args!("the file has {rank} dimensions, only 1 to {MAX_RANK} can be read"),
        ));
    }
    Ok(rank)
}

/// Reads the dimensions and multiplies them.
fn read_shape(source: &mut Source<'_>, rank: u8) -> Result<(Vec<usize>, u64)> {
    let mut shape = Vec::new();
    let mut elements: u64 = 1;
    for _ in 0..rank {
        let position = source.offset();
        let dimension = u32::from_be_bytes(read_word(source)?);
        if dimension == 0 {
            return Err(source.invalid(position, "a dimension is 0"));
        }
        elements = elements
            .checked_mul(u64::from(dimension))
            .filter(|&elements| elements <= MAX_BYTES)
            .ok_or_else(|| {
                source.invalid(
                    position,
                    format_args!("the dimensions promise more than {MAX_BYTES} elements"),
                )
            })?;
        shape.push(dimension as usize);
    }
    Ok((shape, elements))
}

fn read_word(source: &mut Source<'_>) -> Result<[u8; 4]> {
    let bytes = source.read_up_to(4)?;
    <[u8; 4]>::try_from(bytes.as_slice())
        .map_err(|_| source.invalid(source.offset(), "the file ends within its header"))
}

fn wrong_rank(path: &Path, problem: &str) -> Error {
    Error::file(path, Position::Byte(3), problem)
}

#[cfg(test)]
mod tests {
    use super::super::super::super::property;
    use super::super::source::tests::{file_of, gzipped};
    use super::*;
    use proptest::prelude::*;

    fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut content = vec![0, 0, UNSIGNED_BYTE, shape.len() as u8];
        content.extend(shape.iter().flat_map(|dimension| dimension.to_be_bytes()));
        content.extend(bytes);
        content
    }

    fn read(content: &[u8]) -> Result<Idx> {
        read_idx(file_of(content).path())
    }

    /// The byte and the problem of an [`Error::InvalidFile`].
    #[track_caller]
    fn refusal<T: std::fmt::Debug>(outcome: Result<T>) -> (u64, String) {
        match outcome {
            Err(Error::InvalidFile {
                position: Position::Byte(byte),
                problem,
                ..
            }) => (byte, problem),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn images_become_rows_and_labels_numbers() {
        let images = file_of(&idx(&[2, 2, 3], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]));
        let rows = ndarray::array![[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 255]];
        assert_eq!(read_images(images.path()).unwrap(), rows);
        let labels = file_of(&gzipped(&idx(&[3], &[9, 0, 255])));
        assert_eq!(read_labels(labels.path()).unwrap(), [9, 0, 255]);

        let (byte, problem) = refusal(read_images(labels.path()));
        assert_eq!((byte, problem.contains("1 dimension,")), (3, true), "{problem}");
        let (byte, problem) = refusal(read_labels(images.path()));
        assert_eq!((byte, problem.contains("3 dimensions")), (3, true), "{problem}");
    }

    #[test]
    fn a_refusal_names_the_byte() {
        let sound = idx(&[2, 2], &[1, 2, 3, 4]);
        let with = |byte: usize, value: u8| {
            let mut content = sound.clone();
            content[byte] = value;
            content
        };
        let longer = [&sound[..], &[5, 6]].concat();
        let cases: [(&[u8], u64, &str); 12] = [
            (b"", 0, "within its header"),
            (&sound[..3], 3, "within its header"),
            (&sound[..10], 10, "within its header"),
            (b"PNG, say", 0, "no IDX file"),
            (&with(1, 1), 0, "no IDX file"),
            (&with(2, 0x0d), 2, "type 0x0d"),
            (&with(3, 0), 3, "0 dimensions"),
            (&with(3, 5), 3, "5 dimensions"),
            (&with(7, 0), 4, "a dimension is 0"),
            (&sound[..15], 15, "after 3 elements of the 4"),
            (&longer, 16, "goes on after the 4 elements"),
            (
                &idx(&[2, u32::MAX, u32::MAX], &[]),
                8,
                "more than 4294967296 elements",
            ),
        ];
        for (content, byte, problem) in cases {
            for content in [content.to_vec(), gzipped(content)] {
                let found = refusal(read(&content));
                assert_eq!(found.0, byte, "{}", found.1);
                assert!(found.1.contains(problem), "{} is not {problem}", found.1);
            }
        }
    }

    #[test]
    fn a_promise_takes_no_memory() {
        // 4 GiB are promised, which is allowed; had they been allocated, this test would show in any memory limit.
        let (byte, problem) = refusal(read(&idx(&[u32::MAX], &[1, 2, 3])));
        assert_eq!(byte, 11);
        assert!(problem.contains("after 3 elements"), "{problem}");
    }

    #[test]
    fn damaged_gzip_is_refused() {
        let mut content = gzipped(&idx(&[600], &[7; 600]));
        let checksum = content.len() - 8;
        content[checksum] ^= 1;
        let (byte, problem) = refusal(read(&content));
        assert_eq!(byte, 608, "all elements are there, only the sum is wrong");
        assert!(problem.contains("gzip"), "{problem}");
        let (_, problem) = refusal(read(&content[..content.len() - 12]));
        assert!(problem.contains("gzip"), "{problem}");
    }

    #[test]
    fn mnist_is_read() {
        let Some(folder) = std::env::var_os("MFNET_DATA_DIR") else {
            eprintln!("SKIPPED: MFNET_DATA_DIR is not set, MNIST's files are not read");
            return;
        };
        let folder = Path::new(&folder).join("mnist");
        let images = read_images(&folder.join("t10k-images-idx3-ubyte.gz")).unwrap();
        let labels = read_labels(&folder.join("t10k-labels-idx1-ubyte.gz")).unwrap();
        assert_eq!(images.dim(), (10_000, 784));
        assert_eq!(labels.len(), 10_000);
        assert_eq!(labels[..5], [7, 2, 1, 0, 4]);
    }

    fn any_idx() -> impl Strategy<Value = (Vec<u32>, Vec<u8>)> {
        prop::collection::vec(1u32..6, 1..=4).prop_flat_map(|shape| {
            let elements = shape.iter().product::<u32>() as usize;
            (Just(shape), prop::collection::vec(any::<u8>(), elements))
        })
    }

    proptest! {
        #![proptest_config(property::config(128))]

        #[test]
        fn what_was_written_is_read((shape, bytes) in any_idx(), gzip: bool) {
            let content = idx(&shape, &bytes);
            let read = read(&if gzip { gzipped(&content) } else { content }).unwrap();
            prop_assert!(read.shape.iter().zip(&shape).all(|(&a, &b)| a == b as usize));
            prop_assert_eq!(read.shape.len(), shape.len());
            prop_assert_eq!(read.bytes, bytes);
        }

        #[test]
        fn no_bytes_make_it_panic(
            start in prop::sample::select(vec![&b""[..], b"\0\0\x08", b"\0\0\x08\x01\0\0", b"\x1f\x8b\x08\0"]),
            rest in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let content = [start, &rest].concat();
            if let Ok(idx) = read(&content) {
                prop_assert_eq!(idx.shape.iter().product::<usize>(), idx.bytes.len());
            }
        }

        #[test]
        fn a_cut_file_is_refused((shape, bytes) in any_idx(), cut in 0.0..1.0) {
            let content = idx(&shape, &bytes);
            let kept = (content.len() as f64 * cut) as usize;
            let (byte, _) = refusal(read(&content[..kept]));
            prop_assert_eq!(byte, kept as u64);
        }
    }
}
