//! The header of a safetensors file: JSON that lists the tensors and the bytes of each.

use std::collections::BTreeMap;
use std::fmt;

use safetensors::tensor::{Dtype, TensorInfo};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The longest header that readers of the format accept.
pub(super) const LONGEST: u64 = 100_000_000;

/// The key of the texts among the names of the tensors.
const METADATA: &str = "__metadata__";

/// A header that was checked.
#[derive(Debug)]
pub(super) struct Header {
    /// Texts by their names.
    pub(super) metadata: BTreeMap<String, String>,
    /// The tensors; their bytes follow each other without gaps or overlaps, counted from the header's end.
    pub(super) tensors: BTreeMap<String, TensorInfo>,
    /// The number of bytes of all tensors.
    pub(super) bytes: usize,
}

impl Header {
    /// Returns the header of a text and of tensors, given by name, type and shape, whose bytes follow in this order.
    pub(super) fn of<'a>(
        text: (&str, String),
        tensors: impl Iterator<Item = (&'a str, Dtype, &'a [usize])>,
    ) -> Self {
        let mut bytes = 0;
        let mut info = |dtype: Dtype, shape: &[usize]| {
            let start = bytes;
            // No overflow: these numbers are in memory.
            bytes += shape.iter().product::<usize>() * (dtype.bitsize() / 8);
            TensorInfo {
                dtype,
                shape: shape.to_vec(),
                data_offsets: (start, bytes),
            }
        };
        let tensors = tensors
            .map(|(name, dtype, shape)| (name.to_owned(), info(dtype, shape)))
            .collect();
        Header {
            metadata: BTreeMap::from([(text.0.to_owned(), text.1)]),
            tensors,
            bytes,
        }
    }

    /// Returns the header as a file has it, padded with spaces to a multiple of 8 bytes, so that the numbers behind it are
    /// aligned.
    pub(super) fn to_text(&self) -> serde_json::Result<Vec<u8>> {
        let entries: BTreeMap<&str, Entry<'_>> = (self.tensors.iter())
            .map(|(name, info)| (name.as_str(), Entry::Tensor(info)))
            .chain([(METADATA, Entry::Metadata(&self.metadata))])
            .collect();
        let mut text = serde_json::to_vec(&entries)?;
        text.resize(text.len().next_multiple_of(8), b' ');
        Ok(text)
    }

    /// Parses a header; an error says what is wrong with it.
    ///
    /// Unlike in the safetensors crate, duplicate names are refused, and every error names its tensor.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let broken =
            |error: serde_json::Error| format!("the header cannot be read: {}", shown(&error.to_string()));
        let Entries { metadata, tensors } = serde_json::from_slice(text).map_err(broken)?;
        let mut in_order: Vec<(&String, &TensorInfo)> = tensors.iter().collect();
        in_order.sort_by_key(|(_, info)| info.data_offsets);
        let mut bytes = 0;
        for (name, info) in in_order {
            let fault = |problem| Err(format!("tensor `{}`: {problem}", shown(name)));
            let (start, end) = info.data_offsets;
            if start != bytes || end < start {
                return fault(format!(
                    "its bytes are {start} to {end}, and would have to start at {bytes}"
                ));
            }
            if size(info) != Some(end - start) {
                let (dtype, shape) = (info.dtype, dimensions(&info.shape));
                return fault(format!(
                    "{} bytes are not {shape} numbers of {dtype:?}",
                    end - start
                ));
            }
            bytes = end;
        }
        Ok(Header {
            metadata,
            tensors,
            bytes,
        })
    }
}

/// Returns the number of bytes of a tensor; `None` if it overflows or is not whole.
fn size(info: &TensorInfo) -> Option<usize> {
    let numbers = info.shape.iter().copied().try_fold(1, usize::checked_mul)?;
    let bits = numbers.checked_mul(info.dtype.bitsize())?;
    bits.is_multiple_of(8).then_some(bits / 8)
}

/// Formats a shape for messages: `3 x 4`.
pub(super) fn dimensions(shape: &[usize]) -> String {
    const MOST: usize = 8;
    let mut parts: Vec<String> = shape.iter().take(MOST).map(usize::to_string).collect();
    if parts.is_empty() {
        return "1".to_owned();
    }
    if shape.len() > MOST {
        parts.push("...".to_owned());
    }
    parts.join(" x ")
}

/// Makes text from a file safe to print: escaped, and cut after 160 characters.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 160;
    let mut start: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    if text.chars().nth(MOST).is_some() {
        start += "...";
    }
    start
}

/// An entry of the header's JSON object, for writing.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Tensor(&'a TensorInfo),
    Metadata(&'a BTreeMap<String, String>),
}

/// The header's JSON object, for reading.
struct Entries {
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, TensorInfo>,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let (mut metadata, mut tensors) = (None, BTreeMap::new());
                while let Some(name) = map.next_key::<String>()? {
                    let is_first = if name == METADATA {
                        metadata.replace(map.next_value::<DistinctTexts>()?.0).is_none()
                    } else {
                        let in_tensor = |error| A::Error::custom(format_args!("tensor `{name}`: {error}"));
                        let info: TensorInfo = map.next_value().map_err(in_tensor)?;
                        tensors.insert(name.clone(), info).is_none()
                    };
                    if !is_first {
                        return Err(A::Error::custom(format_args!("`{name}` is there twice")));
                    }
                }
                Ok(Entries {
                    metadata: metadata.unwrap_or_default(),
                    tensors,
                })
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// A map of texts whose keys are checked to be distinct.
struct DistinctTexts(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for DistinctTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = DistinctTexts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DistinctTexts, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some((name, text)) = map.next_entry::<String, String>()? {
                    if texts.contains_key(&name) {
                        return Err(A::Error::custom(format_args!("`{name}` is there twice")));
                    }
                    texts.insert(name, text);
                }
                Ok(DistinctTexts(texts))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(header: &str) -> String {
        Header::parse(header.as_bytes()).unwrap_err()
    }

    fn entry(dtype: &str, shape: &str, start: usize, end: usize) -> String {
        format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{start},{end}]}}"#)
    }

    #[test]
    fn sound_headers_are_read() {
        let (a, b) = (entry("F32", "[2,3]", 4, 28), entry("F16", "[2]", 0, 4));
        let text = format!(
            r#"{{"a":{a},"__metadata__":{{"x":"y"}},"b":{b},"none":{}}}   "#,
            entry("F32", "[0]", 4, 4)
        );
        let header = Header::parse(text.as_bytes()).unwrap();
        assert_eq!(header.bytes, 28);
        assert_eq!(header.metadata["x"], "y");
        assert_eq!(header.tensors["a"].shape, [2, 3]);
        assert_eq!(Header::parse(b"{}").unwrap().bytes, 0);
    }

    #[test]
    fn hostile_headers_are_refused_by_name() {
        let good = entry("F32", "[1]", 0, 4);
        for (header, part) in [
            (format!(r#"{{"a":{good},"a":{good}}}"#), "`a` is there twice"),
            (
                format!(r#"{{"a":{good},"b":{good}}}"#),
                "tensor `b`: its bytes are 0 to 4",
            ),
            (
                format!(r#"{{"a":{good},"b":{}}}"#, entry("F32", "[1]", 8, 12)),
                "tensor `b`",
            ),
            (
                format!(r#"{{"a":{}}}"#, entry("F32", "[2]", 0, 4)),
                "4 bytes are not 2 numbers of F32",
            ),
            (
                format!(r#"{{"a":{}}}"#, entry("F32", "[4611686018427387904,4]", 0, 0)),
                "tensor `a`: 0 bytes",
            ),
            (
                format!(r#"{{"a":{}}}"#, entry("F32", "[4611686018427387904]", 0, 0)),
                "tensor `a`: 0 bytes",
            ),
            (
                format!(r#"{{"a":{}}}"#, entry("F32", "[1]", 4, 0)),
                "tensor `a`: its bytes are 4 to 0",
            ),
            (format!(r#"{{"a":{}}}"#, entry("F4", "[1]", 0, 1)), "tensor `a`"),
            (
                format!(r#"{{"a":{}}}"#, entry("F32", "[-1]", 0, 4)),
                "tensor `a`: invalid value",
            ),
            (
                format!(r#"{{"a":{}}}"#, entry("F31", "[1]", 0, 4)),
                "tensor `a`: unknown variant",
            ),
            (
                r#"{"__metadata__":{"x":"1","x":"2"}}"#.to_owned(),
                "`x` is there twice",
            ),
            (
                r#"{"__metadata__":{},"__metadata__":{}}"#.to_owned(),
                "`__metadata__` is there twice",
            ),
            (r#"{"__metadata__":{"x":1}}"#.to_owned(), "invalid type"),
            ("[".repeat(1 << 20), "cannot be read"),
            (
                format!(r#"{{"a":{}"#, r#"{"x":"#.repeat(1 << 16)),
                "cannot be read",
            ),
            (String::new(), "cannot be read"),
            ("{} {}".to_owned(), "trailing"),
            ("{\"\x1b[31m\":1}".to_owned(), "control character"),
            (r#"{"\u001b[31m":1}"#.to_owned(), r"tensor `\u{1b}[31m`"),
        ] {
            let found = problem(&header);
            assert!(found.contains(part), "{found} does not say {part}");
            assert!(found.len() < 1000 && !found.contains('\x1b'));
        }
        assert!(Header::parse(b"{\"\xff\":1}").is_err(), "not UTF-8");
    }
}
