//! The surroundings of a run: machine, date and versions, because a figure says nothing to others without them.

use std::fs;
use std::thread::available_parallelism;
use std::time::SystemTime;

/// The surroundings of a run.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    pub(super) cpu: String,
    pub(super) cores: usize,
    pub(super) kernel: String,
    /// Start of the run, as an HTTP date.
    pub(super) date: String,
    pub(super) h2load: String,
    /// Command line of the run.
    pub(super) command: String,
}

impl Environment {
    pub(super) fn now(h2load: String) -> Self {
        let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            cpu: cpu(&information)
                .unwrap_or(std::env::consts::ARCH)
                .to_owned(),
            cores: available_parallelism().map_or(1, usize::from),
            kernel: format!("{} {}", std::env::consts::OS, kernel.trim()),
            date: httpdate::fmt_http_date(SystemTime::now()),
            h2load,
            command: command(std::env::args().skip(1)),
        }
    }
}

/// Returns the name of the first processor, which not every architecture has.
fn cpu(information: &str) -> Option<&str> {
    let line = information
        .lines()
        .find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

/// Returns the command line, beginning with `sidespan` whatever the program is called and wherever it lies.
fn command(arguments: impl Iterator<Item = String>) -> String {
    let mut line = String::from("sidespan");
    for argument in arguments {
        line.push(' ');
        if argument.contains([' ', '\'', '"', '*']) {
            line.push_str(&format!("{argument:?}"));
        } else {
            line.push_str(&argument);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_name_of_the_processor() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC\nprocessor\t: 1\n";
        assert_eq!(cpu(text), Some("AMD EPYC"));
        assert_eq!(cpu("processor\t: 0\n"), None);
    }

    #[test]
    fn a_command_can_be_given_again() {
        let arguments = ["bench", "--svg", "a plot.svg"].map(str::to_owned);
        assert_eq!(
            command(arguments.into_iter()),
            r#"sidespan bench --svg "a plot.svg""#
        );
    }
}
