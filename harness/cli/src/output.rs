//! Standard output, for every subcommand that ends by printing its findings, and standard error.
//!
//! Colours go to a terminal only, unless `--color` says otherwise; `NO_COLOR` leaves them out there, too. A reader that closes the pipe, as `| head` does, is no error, because the exit code
//! still tells the verdict.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

pub use colorchoice_clap::Color;

use crate::terminal::clean_lines;

/// Prints to standard output.
///
/// # Errors
/// When standard output cannot be written to, for another reason than a closed pipe.
pub(crate) fn print(text: &[u8]) -> io::Result<()> {
    print_to(anstream::stdout().lock(), text)
}

/// Prints to standard error, without what would steer the terminal, because causes come from files, modules and servers. A failure
/// is ignored, because the exit code still tells the outcome.
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
    for line in clean_lines(&text.to_string()) {
        let _ = writeln!(out, "{line}");
    }
}

/// Sends the log to standard error: only errors by default, and what the sink's senders should change; `RUST_LOG` shows more.
/// Lines of modules are among it, so it is clean, and what stands behind a line break further in.
pub fn log_to_stderr() {
    let shown = env_logger::Env::default().default_filter_or("error,sidespan_sink=warn");
    env_logger::Builder::from_env(shown)
        .format(|out, record| {
            let style = out.default_level_style(record.level());
            let (level, target) = (record.level(), record.target());
            let mut head = format!("[{style}{level:<5}{style:#} {target}] ");
            for line in clean_lines(&record.args().to_string()) {
                writeln!(out, "{head}{line}")?;
                head = "    ".into();
            }
            Ok(())
        })
        .init();
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
