//! The texts of a table's cells, in the pieces in which they were parsed.

use std::ops::Range;

/// Rows that were parsed together.
#[derive(Debug, Clone, Default)]
pub(super) struct TableRows {
    /// The cells' texts, one after the other, each with one more byte behind it: the delimiter, for example.
    pub(super) text: String,
    /// Where each row's text starts, and the line it stood on.
    pub(super) rows: Vec<(usize, u64)>,
    /// Where each cell ends, counted from its row's start: as many numbers a row as the table has columns.
    pub(super) ends: Vec<u32>,
}

impl TableRows {
    /// Some of the rows.
    fn slice(&self, rows: Range<usize>, width: usize) -> Self {
        let start_of = |row: usize| self.rows.get(row).map_or(self.text.len(), |&(start, _)| start);
        let start = start_of(rows.start);
        TableRows {
            text: self.text[start..start_of(rows.end)].to_owned(),
            ends: self.ends[rows.start * width..rows.end * width].to_vec(),
            rows: self.rows[rows]
                .iter()
                .map(|&(at, line)| (at - start, line))
                .collect(),
        }
    }
}

/// The rows between two entries of the index of pieces.
const INDEXED: usize = 256;

/// The cells of a table: pieces of rows that are never copied together.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    width: usize,
    pieces: Vec<Piece>,
    /// For each [`INDEXED`]th row its piece, or one before it.
    index: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Piece {
    rows: TableRows,
    /// The line of the file that the lines of the rows are counted from.
    first_line: u64,
    /// The number of rows of the table up to the last of this piece.
    end: usize,
}

impl Cells {
    /// No rows yet.
    pub(super) fn new(width: usize) -> Self {
        Cells {
            width,
            pieces: Vec::new(),
            index: Vec::new(),
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn rows(&self) -> usize {
        self.pieces.last().map_or(0, |piece| piece.end)
    }

    /// Adds rows, whose lines count from 0, which is line `first_line` of the file.
    pub(super) fn append(&mut self, rows: TableRows, first_line: u64) {
        if !rows.rows.is_empty() {
            let end = self.rows() + rows.rows.len();
            self.index.resize(end.div_ceil(INDEXED), self.pieces.len());
            self.pieces.push(Piece {
                rows,
                first_line,
                end,
            });
        }
    }

    /// A copy of some of the rows.
    pub(super) fn slice(&self, rows: Range<usize>) -> Self {
        let mut part = Cells::new(self.width);
        let mut start = 0;
        for piece in &self.pieces {
            let within = |row: usize| row.clamp(start, piece.end) - start;
            let own = within(rows.start)..within(rows.end);
            if !own.is_empty() {
                part.append(piece.rows.slice(own, self.width), piece.first_line);
            }
            start = piece.end;
        }
        part
    }

    /// Takes the first row out; its piece may be left without rows.
    pub(super) fn remove_first(&mut self) {
        let place = self.pieces.partition_point(|piece| piece.end == 0);
        let first = &mut self.pieces[place].rows;
        first.rows.remove(0);
        first.ends.drain(..self.width);
        self.pieces[place..].iter_mut().for_each(|piece| piece.end -= 1);
    }

    /// The cells of a row.
    pub(super) fn row(&self, row: usize) -> Row<'_> {
        let mut pieces = self.pieces[self.index[row / INDEXED]..].iter();
        let piece = pieces.find(|piece| piece.end > row);
        let Piece {
            rows,
            first_line,
            end,
        } = piece.expect("the row is one of the table");
        let own = row + rows.rows.len() - end;
        let (start, line) = rows.rows[own];
        Row {
            text: &rows.text[start..],
            ends: &rows.ends[own * self.width..(own + 1) * self.width],
            line: first_line + line,
        }
    }
}

/// The cells of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    text: &'a str,
    ends: &'a [u32],
    /// The line of the file in which the row begins, counted from 1.
    pub(super) line: u64,
}

impl<'a> Row<'a> {
    /// The text of a cell.
    pub(super) fn text(self, column: usize) -> &'a str {
        let start = match column {
            0 => 0,
            _ => self.ends[column - 1] as usize + 1,
        };
        &self.text[start..self.ends[column] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of one cell each, the letters of a text.
    fn letters(text: &str) -> TableRows {
        TableRows {
            text: text.chars().map(|letter| format!("{letter},")).collect(),
            rows: (0..text.len()).map(|row| (2 * row, row as u64)).collect(),
            ends: vec![1; text.len()],
        }
    }

    fn listed(cells: &Cells) -> Vec<(&str, u64)> {
        let row = |row| (cells.row(row).text(0), cells.row(row).line);
        (0..cells.rows()).map(row).collect()
    }

    #[test]
    fn pieces_are_one_table() {
        let mut cells = Cells::new(1);
        for (text, line) in [("ab", 1), ("", 3), ("c", 3), ("def", 10)] {
            cells.append(letters(text), line);
        }
        let all = [("a", 1), ("b", 2), ("c", 3), ("d", 10), ("e", 11), ("f", 12)];
        assert_eq!(listed(&cells), all);
        for start in 0..=6 {
            for end in start..=6 {
                assert_eq!(listed(&cells.slice(start..end)), all[start..end]);
            }
        }
        for rest in 1..=6 {
            cells.remove_first();
            assert_eq!(listed(&cells), all[rest..]);
        }
    }
}
