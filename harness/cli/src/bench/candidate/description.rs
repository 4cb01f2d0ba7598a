//! The description of one that takes part: its name, its place in the tables, its work.

use std::time::Duration;

use serde_json::Value;

/// The one that all others are held against: what they add is what they cost more than it.
pub(in crate::bench) const BASELINE: &str = "no-tracing";

/// The peers: tracers that Envoy brings along, and how a heading calls them.
pub(in crate::bench) const PEERS: [(&str, &str); 3] = [
    ("native-otel", "OTel"),
    ("native-otel-512", "OTel 512"),
    ("native-zipkin", "Zipkin"),
];

/// The name under which every Envoy knows its receiver of spans.
pub(in crate::bench) const RECEIVER: &str = "receiver";

/// One that takes part.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Candidate {
    pub(in crate::bench) name: String,
    /// What it is, for people.
    pub(in crate::bench) title: String,
    pub(in crate::bench) group: Group,
    pub(in crate::bench) work: Work,
    /// The name of the floor that makes the same calls.
    pub(in crate::bench) floor: Option<&'static str>,
}

/// What belongs together in a table, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::bench) enum Group {
    Baseline,
    Native,
    Floor,
    Sidespan,
}

impl Group {
    pub(in crate::bench) fn title(self) -> &'static str {
        match self {
            Self::Baseline => "without tracing",
            Self::Native => "Envoy's own tracers",
            Self::Floor => "the least that a filter can do",
            Self::Sidespan => "Sidespan",
        }
    }

    /// In JSON.
    pub(in crate::bench) fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Native => "native",
            Self::Floor => "floor",
            Self::Sidespan => "sidespan",
        }
    }
}

/// What is done with every request.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::bench) enum Work {
    Nothing,
    /// Envoy's OpenTelemetry tracer.
    OpenTelemetry {
        percentage: f64,
        /// How many spans make a batch; unset, Envoy's 5.
        min_flush_spans: Option<u32>,
    },
    /// Envoy's Zipkin tracer with B3 and W3C.
    Zipkin,
    /// The floor filter with these steps.
    Floor(String),
    /// The filter with this configuration.
    Sidespan(Value),
}

/// Which requests must come to a receiver as spans.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::bench) enum Exports {
    Nothing,
    /// Chance decides; nobody outside knows how many there are.
    Some {
        /// How long after the last span another can come.
        pause: Duration,
    },
    /// Every one, of which the last few may wait for those of the next round.
    All {
        late: u64,
    },
}

impl Candidate {
    /// Which requests become spans.
    pub(in crate::bench) fn exports(&self) -> Exports {
        match &self.work {
            Work::Nothing | Work::Floor(_) => Exports::Nothing,
            // At 5 spans a batch leaves at once, and the rest of it is too small to matter.
            Work::OpenTelemetry { percentage, .. } if *percentage < 100.0 => Exports::Some {
                pause: Duration::ZERO,
            },
            // The timer that sends a smaller batch is slower than a round is long, so four spans may be of the next. What
            // waits of a batch of 512 would be too much to leave out, so that timer is waited for.
            Work::OpenTelemetry { .. } | Work::Zipkin => Exports::All { late: 4 },
            Work::Sidespan(configuration) => {
                match configuration["sampling"]["percentage"].as_f64() {
                    Some(0.0) => Exports::Nothing,
                    Some(100.0) => Exports::All { late: 0 },
                    _ => Exports::Some { pause: MAX_DELAY },
                }
            }
        }
    }

    pub(in crate::bench) fn is_ours(&self) -> bool {
        self.group == Group::Sidespan
    }
}

/// The filter sends what it has at least once a second, by a timer that need not be exact.
const MAX_DELAY: Duration = Duration::from_millis(1_300);
