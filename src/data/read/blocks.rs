//! The text of a CSV file, read block by block and cut behind rows into pieces that threads can parse.

use std::io::{self, Read};
use std::ops::Range;

use super::rows::{Format, LONGEST_ROW};
use super::source::Source;

/// The bytes that are read and parsed at a time. They bound the memory of a file that is read in parts, and the number of
/// pieces, and with it of threads, that a block has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// The bytes by whose lines the delimiter is told.
    pub(super) head: usize,
    /// The bytes of a block, above 0.
    pub(super) block: usize,
    /// The least bytes of a piece, above 0.
    pub(super) piece: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes {
            head: 1 << 16,
            block: 2 << 20,
            piece: 1 << 16,
        }
    }
}

/// The end of the text.
#[derive(Debug)]
pub(super) enum End {
    /// All of the file was read.
    File,
    /// Reading failed.
    Failure(io::Error),
    /// A row is longer than [`LONGEST_ROW`], and nothing more is read.
    Row,
}

/// The text that is read at a time.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) text: Vec<u8>,
    /// Pieces of the text. Each begins with a row and ends with one, but for the last piece of the file.
    pub(super) pieces: Vec<Range<usize>>,
    /// The end of the file's text, which nothing follows.
    pub(super) end: Option<End>,
}

/// A text that is read block by block.
pub(super) struct Blocks<'a> {
    source: Source<'a>,
    sizes: Sizes,
    /// The text behind the last piece, which begins with a row.
    rest: Vec<u8>,
    row_ends: RowEnds,
}

impl<'a> Blocks<'a> {
    /// The text of a source, whose first bytes have been read already.
    pub(super) fn new(head: Vec<u8>, source: Source<'a>, format: Format, sizes: Sizes) -> Self {
        Blocks {
            source,
            sizes,
            rest: head,
            row_ends: RowEnds {
                format,
                place: Place::CellStart,
                at: 0,
            },
        }
    }

    /// Reads the next block into the memory of a former one, until a block has an end.
    pub(super) fn read(&mut self, mut text: Vec<u8>) -> Block {
        text.clear();
        text.append(&mut self.rest);
        let (mut pieces, mut cut, mut end) = (Vec::new(), 0, None);
        while pieces.is_empty() && end.is_none() {
            let limit = self.sizes.block;
            match (&mut self.source).take(limit as u64).read_to_end(&mut text) {
                Ok(read) if read < limit => end = Some(End::File),
                Ok(_) => {}
                Err(error) => end = Some(End::Failure(error)),
            }
            let goal = |cut: usize| cut.saturating_add(self.sizes.piece);
            while let Some(row_end) = self.row_ends.next(&text, goal(cut), end.is_some()) {
                pieces.push(cut..row_end);
                cut = row_end;
            }
            // The row at the goal has not ended, unless in the last byte, and is longer than any may be.
            if text.len() > goal(cut).saturating_add(LONGEST_ROW + 1) {
                end.get_or_insert(End::Row);
            }
        }
        match end {
            Some(_) if cut < text.len() => pieces.push(cut..text.len()),
            Some(_) => {}
            None => {
                self.rest.extend_from_slice(&text[cut..]);
                self.row_ends.at = self.row_ends.at.saturating_sub(cut);
            }
        }
        Block { text, pieces, end }
    }
}

/// The ends of rows in a text that grows, found by the rules of the [parser](super::rows::parse).
struct RowEnds {
    format: Format,
    place: Place,
    /// The bytes that have been passed.
    at: usize,
}

/// A place in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    CellStart,
    Plain,
    Quoted,
    /// Behind a quote within a quoted cell, which it closes unless another one follows at once.
    Closed,
}

impl RowEnds {
    /// Passes the text up to the first end of a row that is `goal` or more, and returns that end; `None` if the text has none
    /// yet. A text that is not whole may end within `\r\n`.
    fn next(&mut self, text: &[u8], goal: usize, is_whole: bool) -> Option<usize> {
        let Format { delimiter, quote } = self.format;
        let is_plain = matches!(self.place, Place::CellStart | Place::Plain);
        let skipped = &text[self.at..goal.clamp(self.at, text.len())];
        // Without quotes, the last byte says it all. The very last one may be an unfinished `\r\n`.
        if is_plain
            && !skipped.contains(&quote)
            && let [.., last, _] = skipped
        {
            self.at += skipped.len() - 1;
            self.place = match [delimiter, b'\n', b'\r'].contains(last) {
                true => Place::CellStart,
                false => Place::Plain,
            };
        }
        while let Some(&byte) = text.get(self.at) {
            let rest = &text[self.at..];
            match self.place {
                Place::Quoted => match rest.iter().position(|&byte| byte == quote) {
                    Some(length) => {
                        self.at += length + 1;
                        self.place = Place::Closed;
                    }
                    None => self.at = text.len(),
                },
                Place::Closed | Place::CellStart if byte == quote => {
                    self.at += 1;
                    self.place = Place::Quoted;
                }
                _ if byte == delimiter => {
                    self.at += 1;
                    self.place = Place::CellStart;
                }
                _ if byte == b'\n' || byte == b'\r' => {
                    let length = match (byte, rest.get(1)) {
                        (b'\r', None) if !is_whole => return None,
                        (b'\r', Some(b'\n')) => 2,
                        _ => 1,
                    };
                    self.at += length;
                    self.place = Place::CellStart;
                    if self.at >= goal {
                        return Some(self.at);
                    }
                }
                _ => {
                    self.at += self.format.plain_length(rest);
                    self.place = Place::Plain;
                }
            }
        }
        None
    }
}
