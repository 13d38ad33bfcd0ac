//! Standard output and standard error, either of which the reader may have closed.

use std::io::{self, ErrorKind, Write};

use anyhow::Context;

/// Writes a result to standard output. A reader who has gone, such as `head`, has read enough: that is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error; whether somebody still reads there.
pub(crate) fn note(line: &str) -> bool {
    let written = writeln!(io::stderr().lock(), "{line}");
    !matches!(written, Err(error) if error.kind() == ErrorKind::BrokenPipe)
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
}
