//! Comparison of a run with the scenario's expectations.
//!
//! Names that a pattern captures count from there on, in the order of the scenario: requests first, then spans. Each
//! expected span takes the first exported span that matches.
//!
//! Written here because a snapshot (`insta`) records the output of one's own program, and a scenario states its user's
//! expectations.

use std::collections::BTreeMap;

use super::lines::{Lines, shown};
use super::passed::{Call, Fields, Message, Outcome, Passed, Tcp};
use super::pattern::{Known, Pattern};
use super::scenario::{End, Exchange, ExpectedCall, TcpExpectation};

mod diff;
mod failures;
mod spans;

pub(super) use failures::Failures;
use failures::list;

impl Failures {
    /// Compares one exchange.
    pub(super) fn exchange(
        &mut self,
        at: &str,
        expected: &Exchange,
        passed: &Passed,
        known: &mut Known,
    ) {
        let at = |part: &str| format!("{at}.{part}");
        let upstream = passed.upstream.as_ref();
        let downstream = passed.downstream.as_ref();
        let headers = |message: Option<&Message>| message.map(|it| it.headers.clone());
        let trailers = |message: Option<&Message>| message.map(|it| it.trailers.clone());
        if let Some(wanted) = expected.reaches_upstream
            && wanted != upstream.is_some()
        {
            let found = upstream.is_some().to_string();
            self.add(at("reachesUpstream"), wanted.to_string(), found);
        }
        if let Some(wanted) = expected.upstream_requests
            && wanted != passed.upstream_requests
        {
            let found = passed.upstream_requests.to_string();
            self.add(at("upstreamRequests"), wanted.to_string(), found);
        }
        let maps = [
            ("upstream", &expected.upstream, headers(upstream)),
            (
                "upstreamTrailers",
                &expected.upstream_trailers,
                trailers(upstream),
            ),
            ("downstream", &expected.downstream, headers(downstream)),
            (
                "downstreamTrailers",
                &expected.downstream_trailers,
                trailers(downstream),
            ),
        ];
        for (part, expected, found) in maps {
            self.headers(&at(part), expected, found.as_ref(), known);
        }
        if expected.unchanged {
            let found = headers(upstream);
            self.unchanged(&at("unchanged"), &passed.request, found.as_ref());
        }
        let bodies = [
            ("upstreamBody", &expected.upstream_body, upstream),
            ("downstreamBody", &expected.downstream_body, downstream),
        ];
        for (part, expected, found) in bodies {
            if let Some(expected) = expected {
                let found = found.map(|message| message.body.as_slice());
                self.body(&at(part), expected, found, known);
            }
        }
        if let Some(wanted) = expected.reset
            && wanted != passed.is_reset
        {
            self.add(at("reset"), wanted.to_string(), passed.is_reset.to_string());
        }
        if let Some(pattern) = &expected.details {
            let found = passed.details.as_deref().unwrap_or("none");
            if !pattern.matches(found, known) {
                self.add(at("details"), pattern.shown(known), found);
            }
        }
        if let Some(flags) = &expected.flags
            && *flags != passed.flags
        {
            self.add(at("flags"), flags.as_str(), passed.flags.as_str());
        }
    }

    /// Compares one TCP connection.
    pub(super) fn connection(
        &mut self,
        at: &str,
        expected: &TcpExpectation,
        tcp: &Tcp,
        known: &mut Known,
    ) {
        let flags = [
            (
                "reachesUpstream",
                expected.reaches_upstream,
                tcp.upstream.is_some(),
            ),
            ("upstreamEnds", expected.upstream_ends, tcp.upstream_ends),
            (
                "downstreamEnds",
                expected.downstream_ends,
                tcp.downstream_ends,
            ),
        ];
        for (part, wanted, found) in flags {
            if wanted.is_some_and(|wanted| wanted != found) {
                self.add(
                    format!("{at}.{part}"),
                    (!found).to_string(),
                    found.to_string(),
                );
            }
        }
        let bytes = [
            ("upstream", &expected.upstream, tcp.upstream.as_deref()),
            ("downstream", &expected.downstream, Some(&*tcp.downstream)),
        ];
        for (part, expected, found) in bytes {
            if let Some(expected) = expected {
                self.body(&format!("{at}.{part}"), expected, found, known);
            }
        }
    }

    /// Compares a whole body; null and no line stand for an empty one.
    fn body(&mut self, at: &str, expected: &Lines, found: Option<&[u8]>, known: &mut Known) {
        let Some(found) = found else {
            return self.add(at, "a body", "none: it never came so far");
        };
        let is_as_expected = match expected.0.as_slice() {
            [] => found.is_empty(),
            [line] => line.matches(found, known),
            _ => false,
        };
        if !is_as_expected {
            let expected = expected.0.iter().map(|line| line.shown(known));
            let expected = expected.collect::<Vec<_>>().join("\n");
            let found = match std::str::from_utf8(found) {
                Ok(text) => text.to_owned(),
                Err(_) => shown(found),
            };
            self.add_text(at, expected, found);
        }
    }

    /// Compares the named headers.
    pub(super) fn headers(
        &mut self,
        at: &str,
        expected: &BTreeMap<String, Lines>,
        found: Option<&Fields>,
        known: &mut Known,
    ) {
        let Some(found) = found else {
            if !expected.is_empty() {
                self.add(at, "headers", "none: it never came so far");
            }
            return;
        };
        for (name, Lines(lines)) in expected {
            let name = name.to_ascii_lowercase();
            let values: Vec<&[u8]> = found
                .iter()
                .filter(|(other, _)| *other == name)
                .map(|(_, value)| value.as_slice())
                .collect();
            let mut tried = known.clone();
            let is_as_expected = lines.len() == values.len()
                && lines
                    .iter()
                    .zip(&values)
                    .all(|(line, value)| line.matches(value, &mut tried));
            if is_as_expected {
                *known = tried;
            } else {
                let expected = lines.iter().map(|line| line.shown(known));
                self.add(
                    format!("{at}.{name}"),
                    list(expected),
                    list(values.into_iter().map(shown)),
                );
            }
        }
    }

    /// Compares all headers with the received ones.
    pub(super) fn unchanged(&mut self, at: &str, before: &Fields, after: Option<&Fields>) {
        let Some(after) = after else {
            return self.add(
                at,
                "the request as it came",
                "none: it did not reach the upstream",
            );
        };
        let text = |headers: &Fields, without: &Fields| {
            let lines = headers.iter().filter(|field| !without.contains(field));
            list(lines.map(|(name, value)| format!("{name}: {}", shown(value))))
        };
        if before != after {
            self.add(at, text(before, after), text(after, before));
        }
    }

    /// Compares spans, logs, counters and calls at the end of the run.
    pub(super) fn end(&mut self, expected: &End, outcome: &Outcome, known: &mut Known) {
        let logs = outcome.logs.as_slice();
        if let Some(expected) = &expected.spans {
            self.spans(expected, &outcome.spans, known);
        }
        if let Some(expected) = &expected.calls {
            self.calls(expected, &outcome.calls, known);
        }
        if let Some(expected) = &expected.logs.lines {
            self.log_lines(expected, logs, known);
        }
        for pattern in &expected.logs.contain {
            if !is_logged(pattern, logs, known) {
                self.add(
                    "expect.logs.contain",
                    pattern.shown(known),
                    format!("no such line in {}", logs.len()),
                );
            }
        }
        for pattern in &expected.logs.lack {
            if is_logged(pattern, logs, known) {
                self.add(
                    "expect.logs.lack",
                    format!("no line with {}", pattern.shown(known)),
                    "one",
                );
            }
        }
        for (name, value) in &expected.counters {
            let found = outcome.counters.get(name);
            if found.unwrap_or(&0) != value {
                let found = found.map_or("0, not defined".into(), |value| value.to_string());
                self.add(format!("expect.counters.{name}"), value.to_string(), found);
            }
        }
    }

    fn log_lines(&mut self, expected: &[Pattern], logs: &[String], known: &mut Known) {
        let mut tried = known.clone();
        let is_as_expected = expected.len() == logs.len()
            && expected
                .iter()
                .zip(logs)
                .all(|(pattern, line)| pattern.matches(line, &mut tried));
        if is_as_expected {
            *known = tried;
            return;
        }
        // A line that matches is shown as it is, so that only the others differ.
        let shown = expected.iter().enumerate().map(|(at, pattern)| {
            let near = logs.iter().skip(at.saturating_sub(expected.len()));
            let mut matching = near.filter(|line| pattern.matches(line, &mut tried));
            let found = matching.next().cloned();
            found.unwrap_or_else(|| pattern.shown(known))
        });
        let expected = shown.collect::<Vec<_>>().join("\n");
        self.add_text("expect.logs.lines", expected, logs.join("\n"));
    }

    fn calls(&mut self, expected: &[ExpectedCall], calls: &[Call], known: &mut Known) {
        if expected.len() != calls.len() {
            let found = calls.iter().map(|call| call.cluster.clone());
            let found = format!("{}: {}", calls.len(), list(found));
            self.add("expect.calls", expected.len().to_string(), found);
        }
        for (index, (expected, call)) in expected.iter().zip(calls).enumerate() {
            let at = |part: &str| format!("expect.calls[{index}].{part}");
            if let Some(pattern) = &expected.cluster
                && !pattern.matches(&call.cluster, known)
            {
                self.add(at("cluster"), pattern.shown(known), call.cluster.as_str());
            }
            let message = &call.message;
            self.headers(
                &at("headers"),
                &expected.headers,
                Some(&message.headers),
                known,
            );
            self.headers(
                &at("trailers"),
                &expected.trailers,
                Some(&message.trailers),
                known,
            );
            if let Some(body) = &expected.body {
                self.body(&at("body"), body, Some(&message.body), known);
            }
        }
    }
}

fn is_logged(pattern: &Pattern, logs: &[String], known: &Known) -> bool {
    logs.iter().any(|line| pattern.is_in(line, known))
}

#[cfg(test)]
mod tests;
