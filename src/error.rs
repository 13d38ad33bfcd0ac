//! The error type of this crate: every failure a user can cause, with the context that is needed to correct it.

use std::fmt;
use std::path::{Path, PathBuf};

/// A result whose error is [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// An error of this crate, with its context.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The shapes of two operands, or of an operand and a network, do not fit.
    #[error("{operation}: expected {expected}, found {found}")]
    Shape {
        /// The operation that was called.
        operation: &'static str,
        /// The expected shape.
        expected: String,
        /// The shape that was given.
        found: String,
    },

    /// An option has a value outside its range.
    #[error("{option} = {value}: it must be {expected}")]
    InvalidOption {
        /// The name of the option, as the user writes it.
        option: &'static str,
        /// The value that was given.
        value: String,
        /// The valid values.
        expected: &'static str,
    },

    /// Data, or a name or a state that was given, are invalid.
    #[error("{what}: {problem}")]
    InvalidData {
        /// What is invalid.
        what: String,
        /// The problem, with row and column if it has a place in a table.
        problem: String,
    },

    /// The content of a file violates its format.
    #[error("{}: {}{problem}", path.display(), prefix(*position))]
    InvalidFile {
        /// The file.
        path: PathBuf,
        /// The position of the problem in the file.
        position: Position,
        /// The problem.
        problem: String,
    },

    /// A file operation failed.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operation, as it completes "cannot".
        action: &'static str,
        /// The error of the operating system.
        source: std::io::Error,
    },

    /// A known data set is unavailable from all of its sources.
    #[error("the data set {dataset} is unavailable\n{}\n{help}", listed(tried))]
    Unavailable {
        /// The name of the data set.
        dataset: String,
        /// Each source that was tried, with its answer.
        tried: Vec<String>,
        /// What the user can do about it.
        help: String,
    },

    /// The loss became NaN or infinite; or the loss is finite, but a weight or a running statistic is not.
    #[error(
        "training diverged: {}; a smaller learning rate, normalised inputs or a clipped gradient usually help",
        diverged(*epoch, *batch, *loss)
    )]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The batch of that epoch, counted from 1: the one with that loss, or the last one before the weights were checked.
        batch: usize,
        /// The loss of the batch; if the weights are not finite, the mean loss of the epoch so far.
        loss: f64,
    },
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// The file as a whole.
    File,
    /// An offset in bytes from the start, after decompression.
    Byte(u64),
    /// A line, counted from 1.
    Line(u64),
    /// A line and a column of a table, both counted from 1.
    Cell {
        /// The line.
        line: u64,
        /// The column.
        column: usize,
    },
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Position::File => f.write_str("the file"),
            Position::Byte(byte) => write!(f, "byte {byte}"),
            Position::Line(line) => write!(f, "line {line}"),
            Position::Cell { line, column } => write!(f, "line {line}, column {column}"),
        }
    }
}

impl Error {
    /// Returns an [`Error::Shape`]; the shapes may be written in any way.
    pub(crate) fn shape(
        operation: &'static str,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Error::Shape {
            operation,
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    /// Returns an [`Error::InvalidOption`].
    pub(crate) fn option(option: &'static str, value: impl fmt::Display, expected: &'static str) -> Self {
        Error::InvalidOption {
            option,
            value: value.to_string(),
            expected,
        }
    }

    /// Returns an [`Error::InvalidData`]. Control characters are escaped.
    pub(crate) fn data(what: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Error::InvalidData {
            what: escape_control(what),
            problem: escape_control(problem),
        }
    }

    /// Returns an [`Error::InvalidFile`]. Control characters in the problem are escaped.
    pub(crate) fn file(path: &Path, position: Position, problem: impl fmt::Display) -> Self {
        Error::InvalidFile {
            path: path.to_owned(),
            position,
            problem: escape_control(problem),
        }
    }

    /// Returns an [`Error::Io`]; `action` completes "cannot".
    pub(crate) fn io(path: &Path, action: &'static str, source: std::io::Error) -> Self {
        Error::Io {
            path: path.to_owned(),
            action,
            source,
        }
    }
}

/// The position in front of a problem in a message; empty for the whole file.
fn prefix(position: Position) -> String {
    match position {
        Position::File => String::new(),
        position => format!("{position}: "),
    }
}

/// Escapes the control characters of a text, which may come from a file; line feeds stay.
fn escape_control(text: impl fmt::Display) -> String {
    let text = text.to_string();
    if !text.contains(char::is_control) {
        return text;
    }
    let escaped = |letter: char| match letter.is_control() && letter != '\n' {
        true => letter.escape_debug().to_string(),
        false => letter.to_string(),
    };
    text.chars().map(escaped).collect()
}

fn listed(tried: &[String]) -> String {
    let lines: Vec<String> = tried.iter().map(|place| format!("  tried {place}")).collect();
    lines.join("\n")
}

fn diverged(epoch: usize, batch: usize, loss: f64) -> String {
    if loss.is_finite() {
        return format!(
            "a weight or running statistic is not finite after epoch {epoch}, batch {batch}, at a mean loss of {loss}"
        );
    }
    format!("the loss of epoch {epoch}, batch {batch} is {loss}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_carry_their_context() {
        let shape = Error::shape("NeuralNetwork::predict", "samples x 8", "samples x 9");
        assert_eq!(
            shape.to_string(),
            "NeuralNetwork::predict: expected samples x 8, found samples x 9"
        );
        let option = Error::option("batch size", 0, "at least 1");
        assert_eq!(option.to_string(), "batch size = 0: it must be at least 1");
        let file = Error::file(
            Path::new("a.csv"),
            Position::Cell { line: 3, column: 2 },
            "\"x\" is not a number",
        );
        assert_eq!(file.to_string(), "a.csv: line 3, column 2: \"x\" is not a number");
        let whole = Error::file(Path::new("a.npz"), Position::File, "it is empty");
        assert_eq!(whole.to_string(), "a.npz: it is empty");
        let hostile = Error::data("column `\x1b[2J`", "two\nlines, é");
        assert_eq!(hostile.to_string(), "column `\\u{1b}[2J`: two\nlines, é");
        let diverged = |loss| {
            let error = Error::Diverged {
                epoch: 3,
                batch: 2,
                loss,
            };
            error.to_string()
        };
        assert!(diverged(f64::NAN).starts_with("training diverged: the loss of epoch 3, batch 2 is NaN; "));
        assert!(diverged(0.5).contains("is not finite after epoch 3, batch 2, at a mean loss of 0.5; "));
    }
}
