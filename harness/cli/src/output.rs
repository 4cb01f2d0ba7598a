//! Standard output, for every subcommand that ends by printing what it found, and standard error.
//!
//! Colours go to a terminal only. Whoever closes the pipe, as `| head` does, has seen enough, and the verdict stands all
//! the same: that is no error.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// Prints to standard output.
///
/// # Errors
/// When it cannot be written to, for another reason than that nobody reads.
pub(crate) fn print(text: &[u8]) -> io::Result<()> {
    print_to(anstream::stdout().lock(), text)
}

/// Says something on standard error. Where nobody hears it, the exit code still says how it went.
pub fn tell(text: impl Display) {
    tell_to(anstream::stderr().lock(), text);
}

/// Says on a terminal what takes so long; a pipe gets nothing.
pub(crate) fn progress(text: &str) {
    if io::stderr().is_terminal() {
        tell(text);
    }
}

fn tell_to(mut out: impl Write, text: impl Display) {
    let _ = writeln!(out, "{text}");
}

fn print_to(mut out: impl Write, text: &[u8]) -> io::Result<()> {
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_seen_enough_is_no_error() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        print_to(writer, b"more").unwrap();
    }

    #[test]
    fn nobody_who_hears_an_error_is_none() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        tell_to(writer, "error");
    }

    #[test]
    fn a_full_disk_is_one() {
        let mut room = [0_u8; 2];
        assert!(print_to(&mut room[..], b"more").is_err());
    }
}
