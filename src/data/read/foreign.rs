//! Files of other formats, recognised by their first bytes.

/// The bytes that [`format_of`] looks at.
pub(super) const HEAD: u64 = 512;

/// Names the format of a file that is no text table, and says what to do with it; `None` for any other file.
pub(super) fn format_of(head: &[u8]) -> Option<String> {
    let csv = |format: &str, how: &str| format!("this is {format}, not CSV: save it as CSV{how}");
    let pandas = |reader: &str| format!(", as with pandas.{reader}(...).to_csv(..., index=False)");
    let starts: [(&[u8], String); 9] = [
        (b"PAR1", csv("a Parquet file", &pandas("read_parquet"))),
        (b"ARROW1", csv("an Arrow file", &pandas("read_feather"))),
        (b"\x89HDF\r\n\x1a\n", csv("an HDF5 file", &pandas("read_hdf"))),
        (
            b"\xd0\xcf\x11\xe0",
            csv("an old Excel workbook (xls)", &pandas("read_excel")),
        ),
        (b"SQLite format 3\0", csv("an SQLite database", "")),
        (
            b"\x93NUMPY",
            "this is an array of NumPy: let its name end in .npy".to_owned(),
        ),
        (b"%PDF-", csv("a PDF", "")),
        (b"\x80\x02", pickle()),
        (b"\x80\x04", pickle()),
    ];
    if let Some((_, problem)) = starts.into_iter().find(|(start, _)| head.starts_with(start)) {
        return Some(problem);
    }
    if head.starts_with(b"PK\x03\x04") {
        return Some(archive(head));
    }
    if is_safetensors(head) {
        return Some(
            "this is a safetensors file, such as a model, not a table: is it the MODEL, and the DATA another file?"
                .to_owned(),
        );
    }
    is_json(head).then(|| csv("JSON", &pandas("read_json")))
}

fn pickle() -> String {
    "this is a pickle, such as a model of PyTorch (.pt), not a table: save tables as CSV and weights as safetensors"
        .to_owned()
}

/// Names what is in a ZIP archive by its first members.
fn archive(head: &[u8]) -> String {
    let has = |name: &[u8]| head.windows(name.len()).any(|part| part == name);
    if has(b"[Content_Types].xml") || has(b"xl/") || has(b"_rels/.rels") {
        "this is an Excel workbook (xlsx), not CSV: save the sheet as CSV, as with \
         pandas.read_excel(...).to_csv(..., index=False)"
            .to_owned()
    } else if has(b"data.pkl") {
        pickle()
    } else if has(b".npy") {
        "this is an archive of NumPy's arrays: let its name end in .npz".to_owned()
    } else {
        "this is a ZIP archive, not CSV: unpack it".to_owned()
    }
}

/// Whether the head is the length of a header, and the header, which is a JSON object.
fn is_safetensors(head: &[u8]) -> bool {
    matches!(head, [_, _, _, _, 0, 0, 0, 0, b'{', ..])
}

/// Whether the text begins as a JSON object or a list of objects, lists, numbers or texts does.
fn is_json(head: &[u8]) -> bool {
    let mut letters = head
        .iter()
        .copied()
        .filter(|letter| !letter.is_ascii_whitespace());
    matches!(
        (letters.next(), letters.next()),
        (Some(b'{'), Some(b'"' | b'}')) | (Some(b'['), Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9'))
    )
}

#[cfg(test)]
mod tests {
    use super::super::{CsvOptions, read_csv_from};

    #[test]
    fn formats_are_named() {
        let safetensors = [&[40, 0, 0, 0, 0, 0, 0, 0][..], b"{\"a\":{}}"].concat();
        for (head, part) in [
            (&b"PAR1\x15\x04"[..], "a Parquet file"),
            (
                b"PK\x03\x04\x14\0\x06\0[Content_Types].xml",
                "an Excel workbook (xlsx)",
            ),
            (b"PK\x03\x04\0\0archive/data.pkl", "PyTorch (.pt)"),
            (b"PK\x03\x04\0\0x.npy", "end in .npz"),
            (b"PK\x03\x04\0\0notes.txt", "ZIP archive"),
            (b"\x80\x02\x8a\nl\xfc", "PyTorch (.pt)"),
            (b"{\"a\": [1, 2]}\n", "JSON"),
            (b" [\n {\"a\": 1}]\n", "JSON"),
            (&safetensors, "is it the MODEL"),
        ] {
            let error = read_csv_from("t.csv", head, &CsvOptions::default()).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
        for table in ["[a],{b}\n1,2\n", "{a}\n1\n"] {
            read_csv_from("t.csv", table.as_bytes(), &CsvOptions::default()).unwrap();
        }
    }
}
