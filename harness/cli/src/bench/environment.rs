//! The surroundings of a run: machine, date and versions, because a figure says nothing to others without them.

use std::fs;
use std::thread::available_parallelism;
use std::time::SystemTime;

/// The surroundings of a run.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    /// Name of the processor, which several generations of processors may share.
    pub(super) cpu: String,
    /// Numbers of the processor's family and model, which they do not, where the kernel gives them.
    pub(super) family_and_model: Option<(u32, u32)>,
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
            family_and_model: family_and_model(&information),
            cores: available_parallelism().map_or(1, usize::from),
            kernel: format!("{} {}", std::env::consts::OS, kernel.trim()),
            date: httpdate::fmt_http_date(SystemTime::now()),
            h2load,
            command: command(std::env::args().skip(1)),
        }
    }
}

impl Environment {
    /// Returns the processor as tables and plots name it: figures of one are no figures of another.
    pub(super) fn processor(&self) -> String {
        let numbers = self.family_and_model.map_or_else(String::new, |numbers| {
            format!(" (family {}, model {})", numbers.0, numbers.1)
        });
        format!("{}{numbers}, {} cores", self.cpu, self.cores)
    }
}

/// Returns the name of the first processor, which not every architecture has.
fn cpu(information: &str) -> Option<&str> {
    field(information, "model name")
}

fn family_and_model(information: &str) -> Option<(u32, u32)> {
    let number = |name| field(information, name)?.parse().ok();
    Some((number("cpu family")?, number("model")?))
}

/// Returns the value of the first line with this name in `/proc/cpuinfo`.
fn field<'a>(information: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = information.lines().filter_map(|line| line.split_once(':'));
    lines
        .find(|(other, _)| other.trim() == name)
        .map(|(_, value)| value.trim())
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
        let text = "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\nprocessor\t: 1\n";
        assert_eq!(cpu(text), Some("AMD EPYC"));
        assert_eq!(family_and_model(text), Some((25, 17)));
        assert_eq!(cpu("processor\t: 0\n"), None);
        assert_eq!(family_and_model("model name\t: x\ncpu family\t: y\n"), None);
    }

    /// Zen 4 and Zen 5 are both called `AMD EPYC` in a virtual machine.
    #[test]
    fn two_processors_of_one_name_are_told_apart() {
        let mut environment = Environment::now("nghttp2/1".to_owned());
        environment.cpu = "AMD EPYC".to_owned();
        environment.cores = 2;
        let mut name = |numbers| {
            environment.family_and_model = numbers;
            environment.processor()
        };
        assert_eq!(
            name(Some((25, 17))),
            "AMD EPYC (family 25, model 17), 2 cores"
        );
        assert_eq!(name(None), "AMD EPYC, 2 cores");
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
