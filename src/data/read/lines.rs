//! The lines of a CSV file: their ends made alike, their lengths bounded, and the quote that is open.

use std::io::{self, ErrorKind, Read};

/// The longest row that is read, in bytes: what has none, such as `/dev/zero`, is not to fill the memory.
const LONGEST_ROW: usize = 1 << 24;

/// Text whose lines all end in `\n`, the last too, so that lines can be counted by it. It knows the quote that is open.
pub(super) struct Lines<R> {
    inner: R,
    quotes: Quotes,
    /// The bytes since the last row.
    since: usize,
    /// Whether the last byte was `\r`, handed on as `\n`.
    after_return: bool,
    ended: bool,
    last: u8,
}

impl<R: Read> Lines<R> {
    pub(super) fn of(inner: R, delimiter: u8, quote: u8) -> Self {
        Lines {
            inner,
            quotes: Quotes {
                delimiter,
                quote,
                place: Place::CellStart,
                line: 1,
            },
            since: 0,
            after_return: false,
            ended: false,
            last: b'\n',
        }
    }

    /// The line on which the quote opened that the text does not close, once all of it is read.
    pub(super) fn unclosed_quote(&self) -> Option<u64> {
        self.quotes.open().filter(|_| self.ended)
    }

    /// A row was read, and the next one may be as long again.
    pub(super) fn next_row(&mut self) {
        self.since = 0;
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !buffer.is_empty() {
            if self.since > LONGEST_ROW {
                let problem = match self.quotes.open() {
                    Some(line) => format!(
                        "the row has more than {LONGEST_ROW} bytes: the quote that opens on line {line} is not closed"
                    ),
                    None => format!("the row has more than {LONGEST_ROW} bytes: this is no table"),
                };
                return Err(io::Error::new(ErrorKind::InvalidData, problem));
            }
            let read = self.inner.read(buffer)?;
            self.since += read;
            if read == 0 {
                self.ended = true;
                if self.last != b'\n' {
                    buffer[0] = b'\n';
                    self.quotes.pass(b'\n');
                    return Ok(1);
                }
                break;
            }
            let mut kept = 0;
            for place in 0..read {
                let byte = buffer[place];
                let repeats = byte == b'\n' && self.after_return;
                self.after_return = byte == b'\r';
                if !repeats {
                    buffer[kept] = if self.after_return { b'\n' } else { byte };
                    kept += 1;
                }
            }
            if kept > 0 {
                self.quotes.pass_all(&buffer[..kept]);
                self.last = buffer[kept - 1];
                return Ok(kept);
            }
        }
        Ok(0)
    }
}

/// Where in a row the text is, by the rules of the reader of rows.
struct Quotes {
    delimiter: u8,
    quote: u8,
    place: Place,
    /// The line, counted from 1.
    line: u64,
}

/// A place in a row.
#[derive(Clone, Copy)]
enum Place {
    CellStart,
    Plain,
    /// Within a quote, which opened on this line.
    Quoted(u64),
    /// Behind a quote's second mark, which closes it unless a third follows at once.
    Closed(u64),
}

impl Quotes {
    /// The line on which the open quote opened.
    fn open(&self) -> Option<u64> {
        match self.place {
            Place::Quoted(line) => Some(line),
            _ => None,
        }
    }

    /// Goes on by some bytes.
    fn pass_all(&mut self, bytes: &[u8]) {
        let is_quoted = matches!(self.place, Place::Quoted(_) | Place::Closed(_));
        let Some((last, others)) = bytes
            .split_last()
            .filter(|_| !is_quoted && !bytes.contains(&self.quote))
        else {
            bytes.iter().for_each(|&byte| self.pass(byte));
            return;
        };
        // Without quotes, the last byte says it all.
        self.line += others.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.place = Place::Plain;
        self.pass(*last);
    }

    /// Goes on by a byte.
    fn pass(&mut self, byte: u8) {
        let is_quote = byte == self.quote;
        self.place = match self.place {
            Place::Quoted(line) if is_quote => Place::Closed(line),
            Place::Quoted(line) => Place::Quoted(line),
            Place::Closed(line) if is_quote => Place::Quoted(line),
            Place::CellStart if is_quote => Place::Quoted(self.line),
            _ if byte == self.delimiter || byte == b'\n' => Place::CellStart,
            _ => Place::Plain,
        };
        self.line += u64::from(byte == b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::super::property;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(property::config(128))]

        #[test]
        fn lines_end_alike(bytes in prop::collection::vec(prop::sample::select(b"ab\r\n".to_vec()), 0..40)) {
            let mut read = String::new();
            // One byte at a time: line ends may be cut anywhere.
            let mut lines = Lines::of(bytes.as_slice(), b',', b'"');
            let mut byte = [0];
            while lines.read(&mut byte).unwrap() == 1 {
                read.push(char::from(byte[0]));
            }
            let text = String::from_utf8(bytes).unwrap().replace("\r\n", "\n").replace('\r', "\n");
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            prop_assert_eq!(read, text + end);
        }
    }
}
