//! The propagator: the formats of a message's headers, in and out, by the rules of the filter.
//!
//! Names are read in whatever case, and written in one: brokers keep the case of names, and most libraries ask for exactly one
//! spelling. `traceparent`, `tracestate` and `b3` are spelled alike by all of them. B3's several headers, X-Ray's and Google
//! Cloud's are not, which [`Spelling`] is for; of B3 the one header is the better choice.

use alloc::vec::Vec;
use core::cell::OnceCell;

use super::carrier::Carrier;
use super::context::{Context, Received};
use crate::headers::{HeaderWriter, Name, RequestHeaders};
use crate::propagation;
use crate::propagation::context::{Outgoing, SamplingState};
use crate::propagation::extract::Extraction;
use crate::propagation::format::{Format, FormatSet};
use crate::propagation::inject::InjectFormats;
use crate::propagation::settings::{Propagation, Trust};
use crate::propagation::state_members::add_state_members;
use crate::propagation::tracestate::Tracestate;
use crate::stats::Stats;

/// The formats that are read and written.
#[derive(Clone, Debug)]
pub struct Propagator {
    extract: Vec<Format>,
    inject: Vec<Format>,
    formats: InjectFormats,
    spelling: Spelling,
}

/// The spelling of names that are set anew; a header that is there keeps its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spelling {
    /// Lower case, as OpenTelemetry's propagators of B3 in Go, Python and JavaScript write them.
    #[default]
    Lower,
    /// Each as its format's specification has it, `X-B3-TraceId` for example, as Brave and OpenTelemetry's propagators in Java
    /// write them, and propagators of X-Ray in Go and Python.
    Published,
}

impl Propagator {
    /// Returns the propagator that reads all formats, the first valid one winning as in the filter, and writes these.
    pub fn new(inject: &[Format]) -> Self {
        Self::of(&Format::ALL, inject)
    }

    /// Returns the propagator that reads these formats alone, in this order; B3's one header goes before its several (B3-3).
    #[must_use]
    pub fn reading(self, extract: &[Format]) -> Self {
        Self {
            spelling: self.spelling,
            ..Self::of(extract, &self.inject)
        }
    }

    /// Returns the propagator that spells new names so.
    #[must_use]
    pub fn spelled(self, spelling: Spelling) -> Self {
        Self { spelling, ..self }
    }

    fn of(extract: &[Format], inject: &[Format]) -> Self {
        let propagation = Propagation {
            extract: extract.into(),
            inject: inject.into(),
            ..Propagation::default()
        };
        Self {
            formats: InjectFormats::from(&propagation),
            extract: propagation.extract,
            inject: propagation.inject,
            spelling: Spelling::default(),
        }
    }

    /// Reads the context of a message or a request, and counts what was valid, malformed and in conflict.
    pub fn extract(&self, carrier: &impl Carrier, stats: &mut Stats) -> Received {
        let headers = read(carrier);
        let found = self.find(&headers, stats);
        let tracestate = tracestate(&found, &headers, stats);
        Received {
            context: found.context.map(|span| Context {
                span,
                tracestate: tracestate.as_bytes().into(),
            }),
            is_remote: found.context.is_some(),
            decision: found.decision,
            conflict: found.conflict,
        }
    }

    /// Writes the context in every format of this propagator, and in those of the formats it reads that the carrier has a header
    /// of, so that no stale one leaves; headers of other formats are not touched. Returns the headers that found no room: a format is written whole or not at all, but for `tracestate`.
    pub fn inject(&self, context: &Context, carrier: &mut impl Carrier) -> Vec<&'static str> {
        let headers = read(carrier);
        // What stands there already was counted where it was received.
        let found = self.find(&headers, &mut Stats::default());
        let is_same = found
            .context
            .is_some_and(|other| other.trace_id.is_same_trace(context.span.trace_id));
        let list = match context.tracestate.as_slice() {
            [] => Tracestate::Absent,
            list => Tracestate::Verbatim(list),
        };
        let outgoing = Outgoing {
            context: Some(context.span),
            decision: SamplingState::Deferred,
            tracestate: &list,
            same_trace: if is_same {
                found.same_trace
            } else {
                FormatSet::default()
            },
            present: found.present,
            request_ids: FormatSet::default(),
            traceparent: OnceCell::new(),
        };
        let mut changes = Changes::default();
        propagation::inject(&self.formats, &outgoing, &headers, &mut changes);
        self.apply(changes, carrier)
    }

    /// Writes the context that a message already has in every other format as well, the ids unchanged: for a producer whose
    /// library writes a format that the consumers do not read, or a consumer whose library does not read the producers'. A context
    /// without a decision leaves only in the formats that have a word for one.
    /// Returns the headers that found no room.
    pub fn translate(&self, carrier: &mut impl Carrier, stats: &mut Stats) -> Vec<&'static str> {
        let headers = read(carrier);
        let found = self.find(&headers, stats);
        if found.present.is_empty() {
            return Vec::new();
        }
        let list = tracestate(&found, &headers, stats);
        let outgoing = Outgoing {
            context: found.context,
            decision: found.decision,
            tracestate: &list,
            same_trace: found.same_trace,
            present: found.present,
            request_ids: found.request_ids,
            traceparent: OnceCell::new(),
        };
        let mut changes = Changes::default();
        propagation::inject(&self.formats, &outgoing, &headers, &mut changes);
        self.apply(changes, carrier)
    }

    fn find<'a>(&self, headers: &RequestHeaders<'a>, stats: &mut Stats) -> Extraction<'a> {
        propagation::extract(&self.extract, &Trust::default(), headers, stats)
    }

    fn apply(&self, changes: Changes, carrier: &mut impl Carrier) -> Vec<&'static str> {
        // Removed first, because that makes room.
        for name in &changes.removed {
            carrier.remove_all(name);
        }
        let others = Format::ALL
            .iter()
            .filter(|format| !self.inject.contains(format));
        let mut left_out = Vec::new();
        for format in self.inject.iter().chain(others) {
            let of_format: Vec<_> = changes
                .set
                .iter()
                .filter(|(name, _)| format.headers().iter().any(|other| other.as_str() == *name))
                .collect();
            let names: Vec<_> = of_format.iter().map(|(name, _)| *name).collect();
            let is_whole = carrier.has_room_for(&names);
            if !is_whole && !names.is_empty() {
                // Those too that are right already: alone they would say something else. And they make room.
                for name in format.headers() {
                    carrier.remove_all(name.as_str());
                }
            }
            for (name, value) in of_format {
                let is_enough_alone = *name == Name::Traceparent.as_str();
                if is_whole || is_enough_alone && carrier.has_room_for(&[name]) {
                    carrier.set(self.spelling.of(name), value);
                } else {
                    carrier.remove_all(name);
                    left_out.push(*name);
                }
            }
        }
        left_out
    }
}

impl Spelling {
    fn of(self, name: &'static str) -> &'static str {
        match (self, name) {
            (Self::Published, "x-b3-traceid") => "X-B3-TraceId",
            (Self::Published, "x-b3-spanid") => "X-B3-SpanId",
            (Self::Published, "x-b3-sampled") => "X-B3-Sampled",
            (Self::Published, "x-b3-flags") => "X-B3-Flags",
            (Self::Published, "x-amzn-trace-id") => "X-Amzn-Trace-Id",
            (Self::Published, "x-cloud-trace-context") => "X-Cloud-Trace-Context",
            (_, name) => name,
        }
    }
}

/// Reads the headers of all formats, whatever the case of their names.
fn read(carrier: &impl Carrier) -> RequestHeaders<'_> {
    let formats = || Format::ALL.into_iter().flat_map(|format| format.headers());
    RequestHeaders::read(carrier.headers().filter_map(|(name, value)| {
        let known = formats().find(|known| known.as_str().eq_ignore_ascii_case(name))?;
        Some((known.as_str().as_bytes(), value))
    }))
}

/// Returns the list that leaves: with what `traceparent` has no words for.
fn tracestate<'a>(
    found: &Extraction<'a>,
    headers: &RequestHeaders<'a>,
    stats: &mut Stats,
) -> Tracestate<'a> {
    let list = found.tracestate.clone();
    add_state_members(list, found.context, found.same_trace, headers, stats)
}

/// The changes of a carrier, kept until nothing of it is borrowed any more.
#[derive(Debug, Default)]
struct Changes {
    set: Vec<(&'static str, Vec<u8>)>,
    removed: Vec<&'static str>,
}

impl HeaderWriter for Changes {
    fn set(&mut self, name: &'static str, value: &[u8]) {
        self.set.push((name, value.into()));
    }

    fn remove(&mut self, name: &'static str) {
        self.removed.push(name);
    }
}

#[cfg(test)]
mod tests;
