//! Environment files: lines `NAME=value`, as Docker, Compose, kubectl, systemd and shells read them.
//!
//! A text is an environment file where most of its lines are of this form and one of the variables is known here, or
//! where all lines are of this form; a mistyped configuration is neither. A line of another form is told by
//! its number alone, because the values of environment files are secrets.
//!
//! | reader | `NAME=0.1 # ten percent` is | `NAME="0.1"` is |
//! |---|---|---|
//! | Compose ([its parser]), shells | `0.1` | `0.1` |
//! | [kubectl], `docker run --env-file` | `0.1 # ten percent` | `"0.1"` |
//! | systemd's `EnvironmentFile=` | `0.1 # ten percent` | `0.1` |
//!
//! The first row is taken, because it is what the writer meant; the others are warned of.
//!
//! Written here because a crate that reads as much of a text as it can does not report that the text is no environment
//! file.
//!
//! [its parser]: https://github.com/compose-spec/compose-go/blob/v2.4.0/dotenv/parser.go
//! [kubectl]: https://github.com/kubernetes/kubectl/blob/v0.31.0/pkg/cmd/util/env_file.go

use super::collected::Settings;
use super::pilot::{PILOT, pilot};
use super::place::Place;
use super::propagators::{self, PROPAGATORS};
use super::sdk_sampler::{ARGUMENT, SAMPLER, both};

/// A variable of a file: line number, name and value.
pub type Variable = (usize, String, String);

/// The lines of an environment file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct EnvFile {
    /// The variables, in their order.
    pub variables: Vec<Variable>,
    /// Numbers of lines that are no variable or not the same for all readers, each with the problem and the cure.
    pub odd: Vec<(usize, &'static str)>,
}

impl EnvFile {
    /// Reads an environment file; `None` where the text is no environment file.
    pub fn parse(text: &str) -> Option<Self> {
        let mut file = Self::default();
        let mut broken = 0;
        let mut keys = 0;
        let mut lines = text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            let line = line.trim();
            // A comment of systemd's may begin with a semicolon.
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
            let Some((name, value)) = line.split_once('=') else {
                // Docker and kubectl take the value of a name alone from their own environment.
                if !is_name(line) || line.chars().any(|character| character.is_ascii_lowercase()) {
                    broken += 1;
                    keys += usize::from(line.contains(':'));
                    file.odd.push((number, NO_VARIABLE));
                }
                continue;
            };
            if is_name(name.trim_end()) && name.ends_with(char::is_whitespace) {
                broken += 1;
                file.odd.push((number, SPACES));
                continue;
            }
            if !is_name(name) {
                broken += 1;
                file.odd.push((number, NO_NAME));
                continue;
            }
            let value = value.trim();
            if let Some(quote) = ['"', '\'']
                .into_iter()
                .find(|quote| value.starts_with(*quote))
                && !value.get(1..).is_some_and(|rest| rest.contains(quote))
            {
                file.odd.push((number, SEVERAL_LINES));
                // Without an end it is one line.
                let mut ahead = lines.clone();
                if ahead.any(|(line, _)| line.contains(quote)) {
                    lines = ahead;
                }
                continue;
            }
            if is_ours(name) && unquoted(value).len() < value.trim_matches(['"', '\'']).len() {
                file.odd.push((number, COMMENT));
            }
            file.variables
                .push((number, name.to_owned(), unquoted(value)));
        }
        let has_ours = file.variables.iter().any(|(_, name, _)| is_ours(name));
        let is_loud =
            |(_, name, _): &Variable| !name.chars().any(|character| character.is_ascii_lowercase());
        let is_all =
            broken == 0 && !file.variables.is_empty() && file.variables.iter().all(is_loud);
        // A line with a colon may be a key of YAML.
        let is_most = file.variables.len() >= broken + usize::from(keys > 0);
        ((has_ours && is_most) || is_all).then_some(file)
    }

    /// Returns the number of OpenTelemetry's variables.
    pub fn otel(&self) -> usize {
        let names = self.variables.iter().map(|(_, name, _)| name);
        names.filter(|name| name.starts_with("OTEL_")).count()
    }
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

fn is_ours(name: &str) -> bool {
    name.starts_with("OTEL_") || name == PILOT
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_')
}

/// Returns a value without its quotes, or without a comment behind it.
fn unquoted(value: &str) -> String {
    let quoted = ['"', '\''].iter().find_map(|quote| {
        let (inner, behind) = value.strip_prefix(*quote)?.split_once(*quote)?;
        let behind = behind.trim_start();
        (behind.is_empty() || behind.starts_with('#')).then_some(inner)
    });
    let plain = || {
        let end = value.match_indices('#').find(|(at, _)| {
            value
                .get(..*at)
                .is_some_and(|before| before.is_empty() || before.ends_with(char::is_whitespace))
        });
        value
            .get(..end.map_or(value.len(), |(at, _)| at))
            .unwrap_or(value)
            .trim_end()
    };
    quoted.unwrap_or_else(plain).to_owned()
}

const NO_VARIABLE: &str = "no variable: expected NAME=value; the other lines are read";
const SPACES: &str =
    "no variable for Docker and kubectl: leave the spaces around = out; the other lines are read";
const NO_NAME: &str = "no variable that every reader takes: a name has letters, digits and _; the other lines are read";
const SEVERAL_LINES: &str =
    "a value over several lines, which Docker and kubectl do not read; the other lines are read";
const COMMENT: &str = "the comment is read as Compose and shells do, as no part of the value; docker run, kubectl and systemd take it \
    for a part: give it a line of its own";

#[cfg(test)]
mod tests;
