//! Environment files: lines `NAME=value`, as shells, Docker and systemd read them.
//!
//! A text is an environment file only where all its lines are of this form and one of the variables is known here, so
//! that a mistyped configuration is never taken for an environment.
//!
//! Written here because a crate that reads as much of a text as it can does not report that the text is no environment
//! file.

use super::collected::Settings;
use super::pilot::{PILOT, pilot};
use super::place::Place;
use super::propagators::{self, PROPAGATORS};
use super::sdk_sampler::{ARGUMENT, SAMPLER, both};

/// A variable of a file: line number, name and value.
pub type Variable = (usize, String, String);

/// Reads the variables of an environment file; `None` where the text is no environment file.
pub fn parse(text: &str) -> Option<Vec<Variable>> {
    let mut variables = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=')?;
        let is_name = !name.is_empty()
            && name
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || character == '_');
        if !is_name {
            return None;
        }
        variables.push((index + 1, name.to_owned(), unquoted(value)));
    }
    let is_ours = |(_, name, _): &Variable| name.starts_with("OTEL_") || name == PILOT;
    variables.iter().any(is_ours).then_some(variables)
}

impl Settings {
    /// Reads the settings in the variables and returns their number.
    pub fn read_variables(&mut self, file: usize, name: &str, variables: &[Variable]) -> usize {
        let before = self.count();
        // The last line of a name counts, as in a shell.
        let last = |wanted: &str| variables.iter().rev().find(|(_, name, _)| name == wanted);
        let place = |wanted: &str| Place {
            file,
            document: 1,
            path: last(wanted).map_or("$".into(), |(line, name, _)| format!("line {line}, {name}")),
            name: name.into(),
        };
        let value = |wanted: &str| last(wanted).map(|(_, _, value)| value.clone());
        self.samplers
            .extend(both(value(SAMPLER), value(ARGUMENT), place));
        if let Some(text) = value(PILOT) {
            pilot(self, place(PILOT), &text);
        }
        if let Some(text) = value(PROPAGATORS) {
            propagators::text(self, place(PROPAGATORS), &text);
        }
        self.count() - before
    }
}

fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inner = ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.unwrap_or(value).to_owned()
}
