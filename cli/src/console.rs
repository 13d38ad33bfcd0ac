//! Standard output and standard error, either of which the reader may have closed.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

/// Whether nothing is written: another process speaks.
static SILENT: AtomicBool = AtomicBool::new(false);

/// Sets whether nothing is written from now on.
pub(super) fn set_silent(silent: bool) {
    SILENT.store(silent, Ordering::Relaxed);
}

/// Escapes the control characters of text whose names may come out of a file, but for line feeds and tabs.
pub(super) fn readable(text: &str) -> Cow<'_, str> {
    let obeyed = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    if !text.contains(obeyed) {
        return text.into();
    }
    let escaped = |letter: char| match obeyed(letter) {
        true => letter.escape_debug().to_string(),
        false => letter.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// Writes a result to standard output. A reader who has gone, such as `head`, has read enough: that is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    if SILENT.load(Ordering::Relaxed) {
        return Ok(());
    }
    let mut output = io::stdout().lock();
    match output
        .write_all(readable(text).as_bytes())
        .and_then(|()| output.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Prints what clap says: help where it was asked for, or what is wrong with the arguments.
pub(crate) fn explain(error: &clap::Error) -> ExitCode {
    let print = || match SILENT.load(Ordering::Relaxed) {
        true => Ok(()),
        false => error.print(),
    };
    match print() {
        Err(refused) if !error.use_stderr() && refused.kind() != ErrorKind::BrokenPipe => {
            note(&format!("error: cannot write to standard output: {refused}"));
            ExitCode::FAILURE
        }
        _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1)),
    }
}

/// Writes lines to standard error, without what a terminal would obey; whether somebody still reads there.
pub(crate) fn note(lines: &str) -> bool {
    if SILENT.load(Ordering::Relaxed) {
        return true;
    }
    let written = writeln!(io::stderr().lock(), "{}", readable(lines));
    !matches!(written, Err(error) if error.kind() == ErrorKind::BrokenPipe)
}

/// Writes the error that ends the program to standard error.
pub(crate) fn complain(error: &anyhow::Error) {
    note(&format!("error: {}", describe(error)));
}

/// An error with its causes, leaving out those that it quotes itself.
pub(crate) fn describe(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text += ": ";
            text += &cause;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_once() {
        let cause = || io::Error::other("no space left");
        let own = anyhow::Error::from(cause()).context("a.csv: cannot write: no space left");
        assert_eq!(describe(&own), "a.csv: cannot write: no space left");
        let bare = anyhow::Error::from(cause()).context("a.csv");
        assert_eq!(describe(&bare), "a.csv: no space left");
    }

    #[test]
    fn terminals_are_told_nothing_that_they_obey() {
        assert_eq!(readable("two\nlines,\té"), "two\nlines,\té");
        assert_eq!(readable("a\x1b[2J\r"), "a\\u{1b}[2J\\r");
    }
}
