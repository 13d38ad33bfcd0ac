//! Safetensors files put together by hand.

/// A file of this header and these bytes.
pub fn assembled(header: impl AsRef<[u8]>, bytes: &[u8]) -> Vec<u8> {
    let header = header.as_ref();
    [&(header.len() as u64).to_le_bytes()[..], header, bytes].concat()
}

/// Takes a good file's header apart and puts another together.
pub fn edited(content: &[u8], edit: impl Fn(&str) -> String) -> Vec<u8> {
    let end = 8 + u64::from_le_bytes(content[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&content[8..end]).unwrap();
    let other = edit(header);
    assert_ne!(other, header, "nothing was edited");
    assembled(other, &content[end..])
}
