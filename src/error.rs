//! The one error type: every failure a user can cause, with what is needed to mend it.

use std::fmt;
use std::path::{Path, PathBuf};

/// A result whose error is [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two operands, or an operand and a network, do not fit each other.
    #[error("{operation}: expected {expected}, found {found}")]
    Shape {
        /// What was to be done.
        operation: &'static str,
        /// The shape that would have fitted.
        expected: String,
        /// The shape that was handed over.
        found: String,
    },

    /// An option has a value outside its range.
    #[error("{option} = {value}: it must be {expected}")]
    InvalidOption {
        /// The option's name, as the user writes it.
        option: &'static str,
        /// The value it was given.
        value: String,
        /// The values it may take.
        expected: &'static str,
    },

    /// Inputs or targets hold something that no network can learn from.
    #[error("{what}: {problem}")]
    InvalidData {
        /// Which data.
        what: String,
        /// What is wrong with it, with row and column where there are such.
        problem: String,
    },

    /// A file's content is not what its format asks for.
    #[error("{}: {}{problem}", path.display(), place(*position))]
    InvalidFile {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        position: Position,
        /// What is wrong there.
        problem: String,
    },

    /// The operating system refused a file.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was to be done with it.
        action: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },

    /// A known data set could be had from nowhere.
    #[error("the data set {dataset} cannot be had\n{}\n{help}", listed(tried))]
    Unavailable {
        /// The data set's name.
        dataset: String,
        /// Each place that was tried, and what it answered.
        tried: Vec<String>,
        /// What the user can do about it.
        help: String,
    },

    /// The loss became infinite or not a number; or, where it is finite, a weight or a running statistic did.
    #[error(
        "training diverged: {}; a smaller learning rate, normalised inputs or a clipped gradient usually help",
        diverged(*epoch, *batch, *loss)
    )]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The batch of that epoch, counted from 1: the one with that loss, or the last before the weights were looked at.
        batch: usize,
        /// The batch's loss; where it is the weights, the mean of the epoch's so far.
        loss: f64,
    },
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// None: the problem is one of the file as a whole.
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
    /// An [`Error::Shape`]; shapes are written as the caller likes to read them.
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

    /// An [`Error::InvalidOption`].
    pub(crate) fn option(option: &'static str, value: impl fmt::Display, expected: &'static str) -> Self {
        Error::InvalidOption {
            option,
            value: value.to_string(),
            expected,
        }
    }

    /// An [`Error::InvalidData`].
    pub(crate) fn data(what: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Error::InvalidData {
            what: readable(what),
            problem: readable(problem),
        }
    }

    /// An [`Error::InvalidFile`].
    pub(crate) fn file(path: &Path, position: Position, problem: impl fmt::Display) -> Self {
        Error::InvalidFile {
            path: path.to_owned(),
            position,
            problem: readable(problem),
        }
    }

    /// An [`Error::Io`]; `action` completes "cannot".
    pub(crate) fn io(path: &Path, action: &'static str, source: std::io::Error) -> Self {
        Error::Io {
            path: path.to_owned(),
            action,
            source,
        }
    }
}

/// A place as it stands in front of a problem; nothing for the whole file.
fn place(position: Position) -> String {
    match position {
        Position::File => String::new(),
        place => format!("{place}: "),
    }
}

/// Text that may come out of a file: what a terminal would obey is escaped.
fn readable(text: impl fmt::Display) -> String {
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
