//! Standard output, for every subcommand that ends by printing its findings, and standard error.
//!
//! Colours go to a terminal only, unless `--color` says otherwise; `NO_COLOR` leaves them out there, too. A reader that closes the pipe, as `| head` does, is no error, because the exit code
//! still tells the verdict.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

pub use colorchoice_clap::Color;

/// Prints to standard output.
///
/// # Errors
/// When standard output cannot be written to, for another reason than a closed pipe.
pub(crate) fn print(text: &[u8]) -> io::Result<()> {
    print_to(anstream::stdout().lock(), text)
}

/// Prints a line to standard error. A failure is ignored, because the exit code still tells the outcome.
pub fn tell(text: impl Display) {
    tell_to(anstream::stderr().lock(), text);
}

/// Prints the current work to standard error, if that is a terminal.
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
