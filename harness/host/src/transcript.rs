//! The transcript of a host: counts of callbacks and host calls always, lines on demand, and every refusal with its reason.
//!
//! As the guest passes it ([`Detail::Lines`]), and by its meaning ([`Detail::Values`]):
//!
//! ```text
//! --> proxy_on_tick(context=1)
//! ==> proxy_get_header_map_value(map=0, name=1024, name_size=5, value_out=8, value_size_out=12)
//! <== BAD_ARGUMENT: request headers do not exist in proxy_on_tick; …
//! <-- proxy_on_tick
//!
//! proxy_on_tick(context: 1)
//!   proxy_get_header_map_value(map: request headers, name: "x-key") -> BAD_ARGUMENT
//! ```

mod counts;

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

use crate::abi_types::Status;
use counts::Counts;
pub(crate) use counts::Function;

/// The detail of a transcript.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Detail {
    /// The number of calls of each function, and the refusals.
    #[default]
    Counts,
    /// The counts, and one line for each call and each answer, with the numbers and addresses that were passed.
    Lines,
    /// The counts, and one line for each callback and each call, with what the guest gave and what it got. No address is in
    /// it, so that it is the same for each build of a filter that calls the same: made for [`Transcript::snapshot`].
    Values,
}

/// A host call that was not answered with OK, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
    calls: Counts,
    callbacks: Counts,
    allocations: u64,
    lines: Vec<String>,
    /// The calls that have not returned, the outermost first; only with [`Detail::Values`].
    open: Vec<OpenCall>,
    refusals: VecDeque<Refusal>,
}

/// A call whose line wants its answer.
#[derive(Debug)]
struct OpenCall {
    line: usize,
    arguments: Vec<(&'static str, i64)>,
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
        self.calls.get(function)
    }

    /// Returns all host calls by function.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        self.calls.iter().collect()
    }

    /// Returns the number of all host calls, WASI included.
    pub fn total(&self) -> u64 {
        self.calls.total()
    }

    /// Returns the number of times the host called an export of the guest.
    pub fn callback_count(&self, export: &str) -> u64 {
        self.callbacks.get(export)
    }

    /// Returns the number of entries into the module: callbacks, and allocations for the results of host calls.
    pub fn entries(&self) -> u64 {
        self.callbacks.total() + self.allocations
    }

    /// Returns the lines as one text, each with a line break behind it, for `assert_eq!` or a snapshot: what the filter called
    /// and what it was answered, in order. Two runs with the same inputs have the same text. Empty with [`Detail::Counts`].
    ///
    /// ```text
    /// proxy_on_request_headers(context: 2)
    ///   proxy_get_header_map_value(map: request headers, name: "x-key") -> NOT_FOUND
    ///   proxy_send_local_response(code: 401, details: "", body: "no key", headers: {}, grpc_status: -1) -> OK
    ///   -> 1
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> String {
        let lines = self.lines.iter().map(String::as_str);
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    /// Returns the lines; empty with [`Detail::Counts`].
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Returns the last host calls that were not answered with OK, at most 1,024 (`MAX_REFUSALS`).
    pub fn refusals(&self) -> impl Iterator<Item = &Refusal> {
        self.refusals.iter()
    }

    /// Removes everything so far, so that one request can be examined alone.
    pub fn clear(&mut self) {
        self.calls.clear();
        self.callbacks.clear();
        self.allocations = 0;
        self.lines.clear();
        self.open.clear();
        self.refusals.clear();
    }

    #[inline]
    pub(crate) fn detail(&self) -> Detail {
        self.detail
    }

    /// Counts a host call.
    #[inline]
    pub(crate) fn count_call(&mut self, function: Function) {
        self.calls.add(function);
    }

    /// Writes a host call with its arguments, or with what they mean.
    #[cold]
    pub(crate) fn write_call(
        &mut self,
        function: Function,
        arguments: &[(&'static str, i64)],
        meaning: &str,
    ) {
        if self.detail == Detail::Lines {
            return self.lines.push(line("==>", function.name, arguments));
        }
        let indent = INDENT.repeat(self.open.len() + 1);
        self.open.push(OpenCall {
            line: self.lines.len(),
            arguments: arguments.to_vec(),
        });
        self.lines
            .push(format!("{indent}{}({meaning})", function.name));
    }

    /// Returns the arguments of the call that is to be answered; only with [`Detail::Values`].
    pub(crate) fn open_arguments(&self) -> &[(&'static str, i64)] {
        self.open.last().map_or(&[], |call| &call.arguments)
    }

    #[inline]
    pub(crate) fn answer(&mut self, answer: impl FnOnce() -> String) {
        if self.detail != Detail::Counts {
            self.write_answer(&answer());
        }
    }

    #[cold]
    fn write_answer(&mut self, answer: &str) {
        if self.detail == Detail::Lines {
            return self.lines.push(format!("<== {answer}"));
        }
        let call = self.open.pop();
        if let Some(line) = call.and_then(|call| self.lines.get_mut(call.line)) {
            line.push_str(" -> ");
            line.push_str(answer);
        }
    }

    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        match self.detail {
            Detail::Counts => {}
            Detail::Lines => self.write_answer(&format!("{}: {}", refusal.status, refusal.reason)),
            Detail::Values => self.write_answer(&refusal.status.to_string()),
        }
        if self.refusals.len() == MAX_REFUSALS {
            self.refusals.pop_front();
        }
        self.refusals.push_back(refusal);
    }

    #[inline]
    pub(crate) fn enter(&mut self, export: Function, context: u32) {
        self.callbacks.add(export);
        if self.detail != Detail::Counts {
            self.write_callback(export, context);
        }
    }

    #[cold]
    fn write_callback(&mut self, export: Function, context: u32) {
        self.open.clear();
        self.lines.push(match self.detail {
            Detail::Values => format!("{}(context: {context})", export.name),
            _ => line("-->", export.name, &[("context", i64::from(context))]),
        });
    }

    pub(crate) fn allocate(&mut self) {
        self.allocations += 1;
    }

    #[inline]
    pub(crate) fn leave(&mut self, export: Function, answer: impl FnOnce() -> Option<String>) {
        match self.detail {
            Detail::Counts => {}
            Detail::Lines => self.lines.push(format!("<-- {}", export.name)),
            Detail::Values => {
                let answer = answer().map(|answer| format!("{INDENT}-> {answer}"));
                self.lines.extend(answer);
            }
        }
    }
}

/// The space in front of a call inside a callback, and once more for each call that it is inside.
const INDENT: &str = "  ";

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

    const LOG: Function = Function {
        name: "proxy_log",
        number: 3,
    };
    const DONE: Function = Function {
        name: "proxy_done",
        number: 0,
    };
    const TICK: Function = Function {
        name: "proxy_on_tick",
        number: 1,
    };

    #[test]
    fn counts_without_lines_unless_asked() {
        let mut transcript = Transcript::new(Detail::Counts);
        transcript.count_call(LOG);
        transcript.answer(|| "OK".to_owned());
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
        transcript.write_call(DONE, &[], "");
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
    fn puts_an_answer_behind_its_call_also_if_others_came_between() {
        let mut transcript = Transcript::new(Detail::Values);
        transcript.enter(TICK, 1);
        transcript.write_call(DONE, &[("a", 1)], "a: one");
        assert_eq!(transcript.open_arguments(), [("a", 1)]);
        transcript.write_call(LOG, &[], "level: info");
        transcript.answer(|| "OK".to_owned());
        transcript.answer(|| "OK, b: 2".to_owned());
        transcript.leave(TICK, || Some("1".to_owned()));
        assert_eq!(
            transcript.snapshot(),
            "proxy_on_tick(context: 1)\n  proxy_done(a: one) -> OK, b: 2\n    \
             proxy_log(level: info) -> OK\n  -> 1\n"
        );
    }

    #[test]
    fn forgets_everything_but_its_detail() {
        let mut transcript = Transcript::new(Detail::Lines);
        transcript.enter(TICK, 1);
        transcript.clear();
        assert_eq!(transcript.callback_count("proxy_on_tick"), 0);
        transcript.leave(TICK, || None);
        assert_eq!(transcript.lines(), ["<-- proxy_on_tick"]);
    }
}
