//! The transcript of a host: counts of callbacks and host calls always, lines on demand, and every refusal with its reason.
//!
//! ```text
//! --> proxy_on_tick(context=1)
//! ==> proxy_get_header_map_value(map=0, name=1024, name_size=5, value_out=8, value_size_out=12)
//! <== BAD_ARGUMENT: request headers do not exist in proxy_on_tick; …
//! <-- proxy_on_tick
//! ```

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

use crate::abi_types::Status;

/// The detail of a transcript.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// The number of calls of each function, and the refusals.
    #[default]
    Counts,
    /// The counts, and one line for each call and each answer.
    Lines,
}

/// A host call that was not answered with OK, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The host function.
    pub function: &'static str,
    /// The callback in which the guest called it.
    pub callback: &'static str,
    /// The answer.
    pub status: Status,
    /// The reason, and Envoy's behaviour where it differs.
    pub reason: Cow<'static, str>,
}

/// The callbacks and host calls of one host so far.
#[derive(Debug, Default)]
pub struct Transcript {
    detail: Detail,
    calls: BTreeMap<&'static str, u64>,
    callbacks: BTreeMap<&'static str, u64>,
    allocations: u64,
    lines: Vec<String>,
    refusals: VecDeque<Refusal>,
}

impl Transcript {
    pub(crate) fn new(detail: Detail) -> Self {
        Self {
            detail,
            ..Self::default()
        }
    }

    /// Returns the number of times the guest called a host function.
    pub fn count(&self, function: &str) -> u64 {
        self.calls.get(function).copied().unwrap_or(0)
    }

    /// Returns all host calls by function.
    pub fn calls(&self) -> &BTreeMap<&'static str, u64> {
        &self.calls
    }

    /// Returns the number of all host calls, WASI included.
    pub fn total(&self) -> u64 {
        self.calls.values().sum()
    }

    /// Returns the number of times the host called an export of the guest.
    pub fn callback_count(&self, export: &str) -> u64 {
        self.callbacks.get(export).copied().unwrap_or(0)
    }

    /// Returns the number of entries into the module: callbacks, and allocations for the results of host calls.
    pub fn entries(&self) -> u64 {
        self.callbacks.values().sum::<u64>() + self.allocations
    }

    /// Returns the lines; empty unless the detail is [`Detail::Lines`].
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Returns the last host calls that were not answered with OK, at most 1,024 (`MAX_REFUSALS`).
    pub fn refusals(&self) -> impl Iterator<Item = &Refusal> {
        self.refusals.iter()
    }

    /// Removes everything so far, so that one request can be examined alone.
    pub fn clear(&mut self) {
        *self = Self::new(self.detail);
    }

    pub(crate) fn call(&mut self, function: &'static str, arguments: &[(&'static str, i64)]) {
        *self.calls.entry(function).or_default() += 1;
        if self.detail == Detail::Lines {
            self.lines.push(line("==>", function, arguments));
        }
    }

    pub(crate) fn answer(&mut self, answer: &str) {
        if self.detail == Detail::Lines {
            self.lines.push(format!("<== {answer}"));
        }
    }

    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        if self.detail == Detail::Lines {
            self.lines
                .push(format!("<== {}: {}", refusal.status, refusal.reason));
        }
        if self.refusals.len() == MAX_REFUSALS {
            self.refusals.pop_front();
        }
        self.refusals.push_back(refusal);
    }

    pub(crate) fn enter(&mut self, export: &'static str, context: u32) {
        *self.callbacks.entry(export).or_default() += 1;
        if self.detail == Detail::Lines {
            self.lines
                .push(line("-->", export, &[("context", i64::from(context))]));
        }
    }

    pub(crate) fn allocate(&mut self) {
        self.allocations += 1;
    }

    pub(crate) fn leave(&mut self, export: &'static str) {
        if self.detail == Detail::Lines {
            self.lines.push(format!("<-- {export}"));
        }
    }
}

fn line(arrow: &str, function: &str, arguments: &[(&'static str, i64)]) -> String {
    let mut line = format!("{arrow} {function}(");
    for (index, (name, value)) in arguments.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        // Writing into a string cannot fail.
        let _ = write!(line, "{comma}{name}={value}");
    }
    line.push(')');
    line
}

/// A bound that Envoy does not need, because a guest that is refused on every request must not fill the memory.
const MAX_REFUSALS: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_without_lines_unless_asked() {
        let mut transcript = Transcript::new(Detail::Counts);
        transcript.call("proxy_log", &[("level", 2)]);
        transcript.answer("OK");
        assert_eq!(
            (
                transcript.count("proxy_log"),
                transcript.total(),
                transcript.lines().len()
            ),
            (1, 1, 0)
        );
    }

    #[test]
    fn writes_a_call_and_its_refusal_as_two_lines() {
        let mut transcript = Transcript::new(Detail::Lines);
        transcript.call("proxy_done", &[]);
        let reason = "nothing is pending".into();
        let status = Status::NotFound;
        transcript.refuse(Refusal {
            function: "proxy_done",
            callback: "proxy_on_tick",
            status,
            reason,
        });
        assert_eq!(
            transcript.lines(),
            ["==> proxy_done()", "<== NOT_FOUND: nothing is pending"]
        );
        assert_eq!(transcript.refusals().count(), 1);
    }

    #[test]
    fn forgets_everything_but_its_detail() {
        let mut transcript = Transcript::new(Detail::Lines);
        transcript.enter("proxy_on_tick", 1);
        transcript.clear();
        assert_eq!(transcript.callback_count("proxy_on_tick"), 0);
        transcript.leave("proxy_on_tick");
        assert_eq!(transcript.lines(), ["<-- proxy_on_tick"]);
    }
}
