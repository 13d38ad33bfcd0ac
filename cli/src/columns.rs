//! Columns on a terminal: as wide as their widest cells, two spaces apart.

use std::fmt;

/// Rows of cells; the first may be headings.
#[derive(Debug)]
pub(super) struct Columns {
    /// For each column, whether it is aligned on the right, as numbers are.
    right: Vec<bool>,
    /// The cells of each row, and a remark behind them that widens no column.
    rows: Vec<(Vec<String>, String)>,
}

impl Columns {
    /// Columns that are each aligned as `<` or `>` says.
    pub(super) fn new(alignment: &str) -> Self {
        Columns {
            right: alignment.chars().map(|letter| letter == '>').collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row, which may be shorter than others.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.row_with_remark(cells, "");
    }

    /// Adds a row with a remark behind its last cell.
    pub(super) fn row_with_remark(
        &mut self,
        cells: impl IntoIterator<Item = impl Into<String>>,
        remark: impl Into<String>,
    ) {
        let cells = cells.into_iter().map(Into::into).collect();
        self.rows.push((cells, remark.into()));
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|(cells, _)| cells.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.right.len()).map(width).collect();
        for (cells, remark) in &self.rows {
            let mut line = String::new();
            for ((cell, &is_right), width) in cells.iter().zip(&self.right).zip(&widths) {
                line += &match is_right {
                    true => format!("{cell:>width$}  "),
                    false => format!("{cell:<width$}  "),
                };
            }
            line += remark;
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        let mut columns = Columns::new("<>>");
        columns.row(["name", "n"]);
        columns.row(["é", "1,000", "x"]);
        columns.row_with_remark(["longest", "2"], "a remark of any length");
        let expected = "name         n\né        1,000  x\nlongest      2  a remark of any length\n";
        assert_eq!(columns.to_string(), expected);
    }
}
