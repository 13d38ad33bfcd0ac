//! Hostile data files by name: for each kind what an attacker, a broken program or a spreadsheet may make of it, and what
//! its reader says. The memory that a refusal takes is bounded by the file, as in `hostile_files`.

use std::io::{Cursor, Write};
use std::path::Path;

use mfnet::data::read::{self, CsvOptions, write_npy};
use mfnet::data::{Columns, Task};
use mfnet::{Dataset, Result};
use ndarray::{Array2, array};

use crate::refusal::{assert_refused, file_of};

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A gzip file of this start and 2 GB of this byte, in a thousandth of the size.
fn bomb(start: &[u8], byte: u8) -> Vec<u8> {
    let member = gzipped(&vec![byte; 64 << 20]);
    [&gzipped(start)[..], &member.repeat(32)].concat()
}

fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, shape.len() as u8];
    file.extend(shape.iter().flat_map(|length| length.to_be_bytes()));
    file.extend(bytes);
    file
}

#[test]
fn hostile_idx_files() {
    let labels = idx(&[3], &[1, 2, 3]);
    let ends = idx(&[10], &[7; 10]);
    for (name, content, part) in [
        (
            "a bomb behind 10 samples",
            bomb(&ends, 7),
            "goes on after the 10 elements",
        ),
        ("a bomb of zeros alone", bomb(&[], 0), "type 0x00"),
        ("gzip in gzip", gzipped(&gzipped(&labels)), "no IDX file"),
        (
            "rubbish behind gzip",
            [&gzipped(&labels)[..], b"rubbish"].concat(),
            "gzip stream is damaged",
        ),
        (
            "a second member",
            [gzipped(&labels), gzipped(&[4])].concat(),
            "goes on after the 3 elements",
        ),
        (
            "2^60 elements",
            idx(&[1 << 30, 1 << 30], &[1]),
            "more than 4294967296",
        ),
        (
            "2^128 elements",
            idx(&[u32::MAX; 4], &[1]),
            "more than 4294967296",
        ),
        (
            "4 GB promised, none there",
            gzipped(&idx(&[u32::MAX], &[])),
            "ends after 0",
        ),
        ("nothing", Vec::new(), "ends within its header"),
        ("an empty gzip file", gzipped(&[]), "ends within its header"),
    ] {
        assert_refused(name, &content, part, read::read_idx);
        assert_refused(name, &content, part, read::read_labels);
    }
    // A file in several members is one that was written in parts.
    let parts = file_of(&[gzipped(&labels[..5]), gzipped(&[]), gzipped(&labels[5..])].concat());
    assert_eq!(read::read_labels(parts.path()).unwrap(), [1, 2, 3]);
}

fn read_table(path: &Path) -> Result<Dataset<f64>> {
    let table = read::read_csv(path, &CsvOptions::default())?;
    Ok(table.examples(&Columns::default())?.dataset)
}

#[test]
fn hostile_csv_files() {
    let digits = "9".repeat(400);
    let with = |cell: &str| format!("a,b\n1,2.5\n{cell},3\n4,5\n").into_bytes();
    for (name, content, part) in [
        ("nothing", Vec::new(), "no rows"),
        ("a byte order mark alone", b"\xef\xbb\xbf".to_vec(), "no rows"),
        ("empty lines", b"\r\n\r\r\n\n".to_vec(), "no rows"),
        ("a header alone", b"a,b\n".to_vec(), "nothing to learn"),
        (
            "a ragged row",
            b"a,b\n1,2\n3\n".to_vec(),
            "line 3: the row has 1 columns",
        ),
        (
            "a ragged row, CR",
            b"a,b\r1,2\r3\r".to_vec(),
            "line 3: the row has 1 columns",
        ),
        (
            "a lone quote",
            b"a,b\n1,2\n\"3,4\n5,6\n".to_vec(),
            "line 3: the row has 1 columns",
        ),
        ("1e999", with("1e999"), "line 3, column 1"),
        ("400 digits", with(&digits), "line 3, column 1"),
        ("infinity", with("-Infinity"), "line 3, column 1"),
        ("nan, a missing value", with("nan"), "line 3, column 1"),
        (
            "NUL bytes",
            with("\0"),
            r#"line 3, column 1: column `a`: "\0" is not a number"#,
        ),
        ("Latin-1", b"a,b\n1,2\ncaf\xe9,3\n".to_vec(), "line 3, column 1"),
        ("UTF-16", b"\xff\xfea\0,\0b\0\n\0".to_vec(), "is not UTF-8"),
        (
            "an escape sequence in a name",
            b"a,\x1b[2J,\x1b[2J\n1,2,3\n".to_vec(),
            "two columns",
        ),
        (
            "an escape sequence in a cell",
            with("\x1b[2J"),
            "line 3, column 1",
        ),
        (
            "a field of 1 MB",
            with(&"x".repeat(1 << 20)),
            "xxx...\" is not a number",
        ),
        ("gzip in gzip", gzipped(&gzipped(b"a,b\n1,2\n")), "t.csv"),
        (
            "rubbish behind gzip",
            [&gzipped(b"a,b\n1,2\n")[..], b"rubbish"].concat(),
            "gzip stream is damaged",
        ),
        (
            "a bomb of zeros",
            bomb(b"a,b\n1,2\n", 0),
            "line 3: the row has more than",
        ),
        (
            "a bomb of quoted lines",
            bomb(b"a,b\n1,\"", b'\n'),
            "the row has more than",
        ),
    ] {
        let part = part.trim_start_matches("t.csv");
        assert_refused(name, &content, part, read_table);
    }
}

#[test]
fn odd_csv_files_are_read() {
    let plain = array![[1.0, 2.5], [3.0, 4.5], [5.0, 6.0]];
    let digits = format!("0.{}", "3".repeat(400));
    for (name, content) in [
        (
            "Windows",
            "\u{feff}a,b,y\r\n1,2.5,0\r\n3,4.5,1.5\r\n5,6,2\r\n".to_owned(),
        ),
        ("old Macs", "a,b,y\r1,2.5,0\r3,4.5,1.5\r5,6,2".to_owned()),
        (
            "quoted line ends and separators",
            "\"a\r\nb\",\"b,c\",y\n\"1\",2.5,0\n\"3\n\",\"4.5\",1.5\n5,6,2\n".to_owned(),
        ),
        (
            "empty lines",
            "\n\na,b,y\n\n1,2.5,0\n3,4.5,1.5\n5,6,2\n\n\n".to_owned(),
        ),
        (
            "a name of 1 MB",
            format!("{},b,y\n1,2.5,0\n3,4.5,1.5\n5,6,2\n", "a".repeat(1 << 20)),
        ),
        (
            "a number of 400 digits",
            format!("a,b,y\n1,2.5,{digits}\n3,4.5,1.5\n5,6,2\n"),
        ),
    ] {
        let file = file_of(content.as_bytes());
        let dataset = read_table(file.path()).expect(name);
        let expected = Dataset::regression(plain.clone(), array![[0.0], [1.5], [2.0]]).unwrap();
        assert_eq!(dataset.inputs(), expected.inputs(), "{name}");
    }
}

/// An NPY file of any version, with this header, and these bytes behind it.
fn npy(major: u8, header: &str, data: &[u8]) -> Vec<u8> {
    let mut content = [&b"\x93NUMPY"[..], &[major, 0]].concat();
    match major {
        1 => content.extend((header.len() as u16).to_le_bytes()),
        _ => content.extend((header.len() as u32).to_le_bytes()),
    }
    [&content, header.as_bytes(), data].concat()
}

fn array_of(kind: &str, fortran: &str, shape: &str) -> String {
    format!("{{'descr': {kind}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
}

#[test]
fn hostile_npy_files() {
    // What pickle.dumps makes of `os.system`: never to be looked at.
    let pickle = b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.";
    for (name, content, part) in [
        ("a pickle", pickle.to_vec(), "no NPY array"),
        (
            "objects, which are a pickle",
            npy(1, &array_of("'|O'", "False", "(1, 1)"), pickle),
            "only numbers and bool can be read",
        ),
        (
            "a structure",
            npy(
                1,
                &array_of("[('x', '<f4'), ('y', '|O')]", "False", "(1, 1)"),
                &[0; 12],
            ),
            "only numbers and bool can be read",
        ),
        (
            "no dimensions",
            npy(1, &array_of("'<f4'", "False", "()"), &[0; 4]),
            "shape",
        ),
        (
            "no samples",
            npy(1, &array_of("'<f4'", "False", "(0, 3)"), &[]),
            "the array is empty",
        ),
        (
            "no features",
            npy(1, &array_of("'<f4'", "False", "(3, 0)"), &[]),
            "the array is empty",
        ),
        (
            "2^60 numbers",
            npy(
                1,
                &array_of("'<f4'", "False", "(1152921504606846976, 1)"),
                &[0; 4],
            ),
            "promises more than",
        ),
        (
            "a product that wraps to 0",
            npy(2, &array_of("'<f8'", "True", "(4294967296, 4294967296)"), &[]),
            "promises more than",
        ),
        (
            "16 GB promised, none there",
            npy(3, &array_of("'|u1'", "False", "(17179869184, 1)"), &[]),
            "ends before",
        ),
        (
            "a header of 4 GB",
            b"\x93NUMPY\x03\x00\xff\xff\xff\xff{}".to_vec(),
            "the header has 4294967295 bytes",
        ),
        (
            "NaN",
            npy(1, &array_of("'<f4'", "False", "(1, 1)"), &f32::NAN.to_le_bytes()),
            "not a finite number",
        ),
        ("nothing", Vec::new(), "no NPY array"),
    ] {
        assert_refused(name, &content, part, read::read_npy_inputs::<f32>);
    }
    for major in [1, 2, 3] {
        let big_endian = [1.0_f32, 2.0, 3.0, 4.0].map(f32::to_be_bytes).concat();
        let file = file_of(&npy(major, &array_of("'>f4'", "True", "(2, 2)"), &big_endian));
        let inputs = read::read_npy_inputs::<f64>(file.path()).unwrap();
        assert_eq!(
            inputs,
            mfnet::data::Inputs::Values(array![[1.0, 3.0], [2.0, 4.0]]),
            "version {major}"
        );
    }
}

/// An archive of these members, packed.
fn npz(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        archive
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn numbers(matrix: &Array2<f32>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    write_npy(Path::new("x.npy"), &mut bytes, matrix.view()).unwrap();
    bytes.into_inner()
}

#[test]
fn hostile_npz_files() {
    let (x, y) = (numbers(&array![[1.0], [2.0]]), numbers(&array![[0.0], [1.0]]));
    let behind = [&x[..], &vec![0; 256 << 20]].concat();
    let promise = npy(1, &array_of("'<f4'", "False", "(1152921504606846976, 1)"), &[]);
    let mut latin = npz(&[("x.npy", &x), ("caf\u{e9}.npy", &y)]);
    while let Some(at) = latin.windows(2).position(|name| name == "\u{e9}".as_bytes()) {
        latin[at..at + 2].copy_from_slice(b"\xe9\xff");
    }
    for (name, content, part) in [
        (
            "a bomb behind two numbers",
            npz(&[("x.npy", &behind), ("y.npy", &y)]),
            "x: the array goes on after",
        ),
        (
            "2^60 numbers",
            npz(&[("x.npy", &promise), ("y.npy", &y)]),
            "promises more than",
        ),
        (
            "an archive in an archive",
            npz(&[("x.npy", &npz(&[("x.npy", &x)])), ("y.npy", &y)]),
            "no NPY array",
        ),
        (
            "a way out of the folder",
            npz(&[("../../x.npy", &x), ("/y.npy", &y)]),
            "they are named",
        ),
        ("a name that is not UTF-8", latin, "the arrays must be named"),
        (
            "an escape sequence for a name",
            npz(&[("\x1b[2J.npy", &x)]),
            "the arrays must be named",
        ),
        ("no members", npz(&[]), "the arrays must be named"),
        ("nothing", Vec::new(), "no sound NPZ archive"),
        (
            "gzip",
            gzipped(&npz(&[("x.npy", &x), ("y.npy", &y)])),
            "no sound NPZ archive",
        ),
    ] {
        assert_refused(name, &content, part, |path| read::read_npz::<f32>(path, None));
    }
    // Nothing is unpacked, wherever it would go.
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let out = npz(&[("../y.npy", &y), ("../x.npy", &x), ("x.npy", &x), ("y.npy", &y)]);
    std::fs::write(inner.join("out.npz"), out).unwrap();
    read::read_npz::<f32>(&inner.join("out.npz"), Some(Task::Regression)).unwrap();
    for folder in [folder.path(), &inner] {
        assert_eq!(folder.read_dir().unwrap().count(), 1);
    }
    // Others' names stand in nobody's way, wherever they would lead.
    let beside = file_of(&npz(&[("../../z.npy", &behind), ("x.npy", &x), ("y.npy", &y)]));
    read::read_npz::<f32>(beside.path(), Some(Task::Regression)).unwrap();
}
