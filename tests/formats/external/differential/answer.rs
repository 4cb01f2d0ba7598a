//! Two answers to one header set, ours and a library's, and the kind of their disagreement.

use std::fmt;

use sidespan_core::in_memory::header_list::HeaderList;
use sidespan_core::propagation;
use sidespan_core::propagation::context::{SamplingState, SpanContext};
use sidespan_core::propagation::format::Format;
use sidespan_core::propagation::settings::Trust;
use sidespan_core::stats::Stats;

/// The library of the propagators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Library {
    Python,
    JavaScript,
}

/// Headers in order.
pub(crate) type Headers = Vec<(&'static str, Vec<u8>)>;

/// A library's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Theirs {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) flags: u64,
    pub(crate) state: String,
    // `None` where the library or the format has no debug.
    pub(crate) debug: Option<bool>,
}

/// Our answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ours {
    pub(crate) context: SpanContext,
    pub(crate) state: String,
}

/// One header set and both answers.
pub(crate) struct Case<'a> {
    pub(crate) library: Library,
    pub(crate) format: &'static str,
    pub(crate) headers: &'a Headers,
    pub(crate) ours: Option<Ours>,
    pub(crate) theirs: Option<Theirs>,
}

/// The first difference of the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// A context for us, and none for the library.
    WeAlone,
    /// A context for the library, and none for us.
    TheyAlone,
    /// Different ids.
    Ids,
    /// Equal ids, and different decisions.
    Sampling,
    /// A difference in `tracestate` alone.
    State,
}

impl<'a> Case<'a> {
    pub(crate) fn new(
        library: Library,
        format: &'static str,
        headers: &'a Headers,
        theirs: Option<Theirs>,
    ) -> Self {
        Self {
            library,
            format,
            headers,
            ours: ours(format, headers),
            theirs,
        }
    }

    pub(crate) fn agrees(&self) -> bool {
        self.difference().is_none()
    }

    pub(crate) fn difference(&self) -> Option<Difference> {
        difference(self.ours.as_ref(), self.theirs.as_ref())
    }

    pub(crate) fn is(&self, difference: Difference) -> bool {
        self.difference() == Some(difference)
    }

    /// Returns true if the two would agree on the repaired headers, but perhaps for a decision left open.
    pub(crate) fn is_cured_by(&self, repair: impl Fn(&[u8]) -> Vec<u8>) -> bool {
        let repaired = self
            .headers
            .iter()
            .map(|(name, value)| (*name, repair(value)))
            .collect();
        let ours = ours(self.format, &repaired);
        let is_open =
            |ours: &Ours| ours.context.sampling == SamplingState::Deferred && self.theirs.is_some();
        match difference(ours.as_ref(), self.theirs.as_ref()) {
            None => true,
            Some(Difference::Sampling) => ours.is_some_and(|ours| is_open(&ours)),
            Some(_) => false,
        }
    }

    /// Returns the first line of a header.
    pub(crate) fn value(&self, name: &str) -> Option<&[u8]> {
        let mut lines = self.headers.iter().filter(|(other, _)| *other == name);
        lines.next().map(|(_, value)| value.as_slice())
    }

    pub(crate) fn lines(&self, name: &str) -> usize {
        let lines = self.headers.iter().filter(|(other, _)| *other == name);
        lines.count()
    }

    /// Returns the value of the format's only header, as text.
    pub(crate) fn text(&self) -> String {
        let value = self.headers.first().map(|(_, value)| value.as_slice());
        value
            .unwrap_or_default()
            .iter()
            .copied()
            .map(char::from)
            .collect()
    }

    pub(crate) fn we_say(&self, sampling: SamplingState) -> bool {
        let ours = self.ours.as_ref();
        ours.is_some_and(|ours| ours.context.sampling == sampling)
    }

    pub(crate) fn they_say(&self, sampled: bool) -> bool {
        let theirs = self.theirs.as_ref();
        theirs.is_some_and(|theirs| (theirs.flags & 1 == 1) == sampled)
    }
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {:?} {:?}\n ",
            self.format,
            self.library,
            self.difference()
        )?;
        for (name, value) in self.headers {
            write!(f, " {name}: `{}`", value.escape_ascii())?;
        }
        write!(f, "\n  ours   {:?}\n  theirs {:?}", self.ours, self.theirs)
    }
}

/// Returns the core's reading, with trust in Jaeger's debug bit, because trust is no matter of this comparison.
pub(crate) fn ours(format: &str, headers: &Headers) -> Option<Ours> {
    let formats: &[Format] = match format {
        "tracecontext" => &[Format::TraceContext],
        "b3" | "b3multi" => &[Format::B3, Format::B3Multi],
        "b3 alone" => &[Format::B3],
        "jaeger" => &[Format::Jaeger],
        "xray" => &[Format::XRay],
        "ottrace" => &[Format::OtTrace],
        _ => &[Format::Gcp],
    };
    let trust = Trust {
        jaeger_debug: true,
        ..Trust::default()
    };
    let list = HeaderList::new(headers.iter().map(|(name, value)| (*name, value)));
    let found = propagation::extract(formats, &trust, &list.as_request(), &mut Stats::default());
    found.context.map(|context| Ours {
        context,
        state: String::from_utf8_lossy(found.tracestate.as_bytes()).into_owned(),
    })
}

fn difference(ours: Option<&Ours>, theirs: Option<&Theirs>) -> Option<Difference> {
    let (ours, theirs) = match (ours, theirs) {
        (None, None) => return None,
        (Some(_), None) => return Some(Difference::WeAlone),
        (None, Some(_)) => return Some(Difference::TheyAlone),
        (Some(ours), Some(theirs)) => (ours, theirs),
    };
    let span_id = ours.context.span_id.map(|id| format!("{id:?}"));
    let are_ids_equal = format!("{:?}", ours.context.trace_id) == theirs.trace_id
        && span_id.as_ref() == Some(&theirs.span_id);
    let is_debug = ours.context.sampling == SamplingState::Debug;
    let is_state_equal = ours.context.sampling != SamplingState::Deferred
        // The two defined flags of W3C; other formats have one.
        && u64::from(ours.context.trace_flags()) == theirs.flags & 3
        && theirs.debug.is_none_or(|debug| debug == is_debug);
    if !are_ids_equal {
        Some(Difference::Ids)
    } else if !is_state_equal {
        Some(Difference::Sampling)
    } else if ours.state != theirs.state {
        Some(Difference::State)
    } else {
        None
    }
}
