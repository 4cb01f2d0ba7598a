//! The description of a candidate: its name, its place in the tables, its work.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::bench::least::LeastWork;

/// Name of the candidate without tracing, which the added cost of all others is counted from.
pub(in crate::bench) const BASELINE: &str = "no-tracing";

/// The peers: tracers that Envoy brings along, and their names in headings.
pub(in crate::bench) const PEERS: [(&str, &str); 3] = [
    ("native-otel", "OTel"),
    ("native-otel-512", "OTel 512"),
    ("native-zipkin", "Zipkin"),
];

/// The name of the receiver of spans in every Envoy's configuration.
pub(in crate::bench) const RECEIVER: &str = "receiver";

/// A candidate.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Candidate {
    pub(in crate::bench) name: String,
    /// Title for people.
    pub(in crate::bench) title: String,
    pub(in crate::bench) group: Group,
    pub(in crate::bench) work: Work,
    /// The name of the candidate with the least filter that does the same work.
    pub(in crate::bench) floor: Option<&'static str>,
    /// The name of the candidate with this program's filter in the same configuration, of one with another build.
    pub(in crate::bench) own: Option<String>,
}

/// A group of candidates in a table, in the tables' order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::bench) enum Group {
    Baseline,
    Native,
    Least,
    Floor,
    Sidespan,
    OtherBuild,
}

impl Group {
    pub(in crate::bench) fn title(self) -> &'static str {
        match self {
            Self::Baseline => "without tracing",
            Self::Native => "Envoy's own tracers",
            Self::Least => "the least that a filter can do",
            Self::Floor => "the same calls on proxy-wasm's SDK",
            Self::Sidespan => "Sidespan",
            Self::OtherBuild => "other builds",
        }
    }

    /// Returns the name in JSON.
    pub(in crate::bench) fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Native => "native",
            Self::Least => "least",
            Self::Floor => "floor",
            Self::Sidespan => "sidespan",
            Self::OtherBuild => "other-build",
        }
    }
}

/// The work that a candidate does with every request.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::bench) enum Work {
    Nothing,
    /// Envoy's OpenTelemetry tracer.
    OpenTelemetry {
        percentage: f64,
        /// Number of spans that make a batch; unset, Envoy's 5.
        min_flush_spans: Option<u32>,
    },
    /// Envoy's Zipkin tracer with B3 and W3C.
    Zipkin,
    /// The least filter with this configuration.
    Least(LeastWork, String),
    /// The floor filter with these steps.
    Floor(String),
    /// A build of the filter with this configuration.
    Sidespan(Build, Value),
}

/// A build of Sidespan's filter.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::bench) enum Build {
    /// The one in this program.
    Own,
    /// One from a file.
    Other { name: String, module: Arc<[u8]> },
}

/// The requests that must come to a receiver as spans.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::bench) enum Exports {
    Nothing,
    /// A random share; nothing outside the tracer knows its size.
    Some {
        /// Longest time from the last span to a further one.
        pause: Duration,
    },
    /// Every request; the spans of the last few may wait for those of the next round.
    All {
        late: u64,
    },
}

impl Candidate {
    /// Returns the requests that become spans.
    pub(in crate::bench) fn exports(&self) -> Exports {
        match &self.work {
            Work::Least(LeastWork::Sampled, _) => Exports::All { late: 0 },
            Work::Nothing | Work::Floor(_) | Work::Least(..) => Exports::Nothing,
            // A batch of 5 spans leaves at once, and an incomplete batch is too small to matter.
            Work::OpenTelemetry { percentage, .. } if *percentage < 100.0 => Exports::Some {
                pause: Duration::ZERO,
            },
            // The timer that sends a smaller batch is slower than a round is long, so four spans may be of the next
            // round. The rest of a batch of 512 would be too much to leave out, so that timer is waited for.
            Work::OpenTelemetry { .. } | Work::Zipkin => Exports::All { late: 4 },
            Work::Sidespan(_, configuration) => {
                match configuration["sampling"]["percentage"].as_f64() {
                    Some(0.0) => Exports::Nothing,
                    Some(100.0) => Exports::All { late: 0 },
                    _ => Exports::Some { pause: MAX_DELAY },
                }
            }
        }
    }

    /// Returns true if a missing span makes the figures worthless: of the filter, and of the one that it is held against.
    pub(in crate::bench) fn must_export_all(&self) -> bool {
        matches!(
            self.group,
            Group::Sidespan | Group::OtherBuild | Group::Least
        )
    }
}

/// Longest time between exports: the filter sends its spans at least once a second, by a tick that need not be exact.
const MAX_DELAY: Duration = Duration::from_millis(1_300);
