//! Who takes part in the bench: what stands in Envoy's chain, and whom its cost is held against.
//!
//! Names are for `--only` and for scripts: none is changed once it is here. Most filters of ours have a floor, the filter that
//! does the same calls and knows nothing.

mod ours;

use std::time::Duration;

use serde_json::Value;
use sidespan_core::stream_info::attributes::Question;

/// The one that all others are held against: what they add is what they cost more than it.
pub(super) const BASELINE: &str = "no-tracing";

/// The peers: tracers that Envoy brings along, and how a heading calls them.
pub(super) const PEERS: [(&str, &str); 3] = [
    ("native-otel", "OTel"),
    ("native-otel-512", "OTel 512"),
    ("native-zipkin", "Zipkin"),
];

/// The name under which every Envoy knows its receiver of spans.
pub(super) const RECEIVER: &str = "receiver";

/// One that takes part.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) name: String,
    /// What it is, for people.
    pub(super) title: String,
    pub(super) group: Group,
    pub(super) work: Work,
    /// The name of the floor that makes the same calls.
    pub(super) floor: Option<&'static str>,
}

/// What belongs together in a table, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Baseline,
    Native,
    Floor,
    Sidespan,
}

impl Group {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Baseline => "without tracing",
            Self::Native => "Envoy's own tracers",
            Self::Floor => "the least that a filter can do",
            Self::Sidespan => "Sidespan",
        }
    }

    /// In JSON.
    pub(super) fn name(self) -> &'static str {
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
pub(super) enum Work {
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
pub(super) enum Exports {
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
    pub(super) fn exports(&self) -> Exports {
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

    pub(super) fn is_ours(&self) -> bool {
        self.group == Group::Sidespan
    }
}

/// Returns all, in the order of the tables.
pub(super) fn all() -> Vec<Candidate> {
    let mut all = vec![Candidate {
        name: BASELINE.into(),
        title: "no tracing".into(),
        group: Group::Baseline,
        work: Work::Nothing,
        floor: None,
    }];
    all.extend(native());
    all.extend(floors());
    all.extend(ours::all());
    all
}

fn native() -> [Candidate; 4] {
    let native = |name: &str, title: &str, work| Candidate {
        name: name.into(),
        title: title.into(),
        group: Group::Native,
        work,
        floor: None,
    };
    let opentelemetry = |percentage, min_flush_spans| Work::OpenTelemetry {
        percentage,
        min_flush_spans,
    };
    [
        native(
            "native-otel",
            "OpenTelemetry tracer, 100 %",
            opentelemetry(100.0, None),
        ),
        native(
            "native-otel-512",
            "OpenTelemetry tracer, 100 %, min_flush_spans 512",
            opentelemetry(100.0, Some(512)),
        ),
        native(
            "native-otel-1",
            "OpenTelemetry tracer, 1 %",
            opentelemetry(1.0, None),
        ),
        native(
            "native-zipkin",
            "Zipkin tracer with W3C, 100 %",
            Work::Zipkin,
        ),
    ]
}

fn floors() -> [Candidate; 7] {
    let ask = format!("ask {}\n", Question::Server.expression());
    let floor = |name: &str, title: &str, steps: &[&str]| Candidate {
        name: name.into(),
        title: title.into(),
        group: Group::Floor,
        work: Work::Floor(steps.concat()),
        floor: None,
    };
    [
        floor("no-op", "a filter that does nothing", &[]),
        floor(FLOOR_W3C, "reads, writes W3C", &[READ, WRITE_W3C]),
        floor(
            FLOOR_DEFAULT,
            "reads, writes W3C and B3",
            &[READ, WRITE_W3C, WRITE_B3],
        ),
        floor(
            FLOOR_W3C_KEEP,
            "reads, writes W3C, looks at the response",
            &[READ, WRITE_W3C, RESPOND],
        ),
        floor(
            FLOOR_DEFAULT_KEEP,
            "reads, writes W3C and B3, looks at the response",
            &[READ, WRITE_W3C, WRITE_B3, RESPOND],
        ),
        floor(
            FLOOR_W3C_SPAN,
            "reads, writes W3C, asks what a span says",
            &[READ, WRITE_W3C, &ask],
        ),
        floor(
            FLOOR_DEFAULT_SPAN,
            "reads, writes W3C and B3, asks what a span says",
            &[READ, WRITE_W3C, WRITE_B3, &ask],
        ),
    ]
}

const FLOOR_W3C: &str = "floor-w3c";
const FLOOR_DEFAULT: &str = "floor-default";
const FLOOR_W3C_KEEP: &str = "floor-w3c-keep";
const FLOOR_DEFAULT_KEEP: &str = "floor-default-keep";
const FLOOR_W3C_SPAN: &str = "floor-w3c-span";
const FLOOR_DEFAULT_SPAN: &str = "floor-default-span";

const READ: &str = "read\n";
/// What the filter writes for a new trace that is not sampled.
const WRITE_W3C: &str =
    "write traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\n";
const WRITE_B3: &str = "\
write x-b3-traceid 4bf92f3577b34da6a3ce929d0e0e4736
write x-b3-spanid 00f067aa0ba902b7
write x-b3-sampled 0
";
const RESPOND: &str = "respond\n";

/// The filter sends what it has at least once a second, by a timer that need not be exact.
const MAX_DELAY: Duration = Duration::from_millis(1_300);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sidespan_host::{Headers, Host, Module, StreamProperties, Then};

    use super::*;

    #[test]
    fn names_are_names_and_belong_to_one() {
        let all = all();
        let names: BTreeSet<&str> = all.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names.len(), all.len());
        for candidate in &all {
            let name = &candidate.name;
            let is_plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
            assert!(name.chars().all(is_plain), "{name}");
            assert!(
                candidate.floor.is_none_or(|floor| names.contains(floor)),
                "{name}"
            );
        }
        for (peer, _) in PEERS {
            assert!(names.contains(peer), "{peer}");
        }
    }

    /// Else the filter would be held against something that does less, or more.
    #[test]
    fn a_floor_writes_the_headers_that_the_filter_writes() {
        let filter = Module::compile(crate::FILTER).unwrap();
        let floor = Module::compile(crate::FLOOR).unwrap();
        let all = all();
        let mut compared = 0;
        for candidate in &all {
            let (Work::Sidespan(configuration), Some(name)) = (&candidate.work, candidate.floor)
            else {
                continue;
            };
            let rod = all.iter().find(|it| it.name == name).unwrap();
            let Work::Floor(steps) = &rod.work else {
                panic!("{name} is no floor")
            };
            let ours = written(&filter, &configuration.to_string());
            assert_eq!(ours, written(&floor, steps), "{}", candidate.name);
            assert!(
                ours.iter().any(|(name, _)| name == "traceparent"),
                "{ours:?}"
            );
            compared += 1;
        }
        assert!(compared >= 6, "{compared}");
    }

    /// Else the filter would be held against tracers that do less, or more.
    #[test]
    fn what_is_held_against_a_tracer_writes_what_that_writes() {
        let filter = Module::compile(crate::FILTER).unwrap();
        let b3 = ["traceparent", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid"];
        for (name, expected) in [
            ("sidespan-100-w3c", &["traceparent"][..]),
            ("sidespan-100-b3", &b3),
        ] {
            let all = all();
            let candidate = all.iter().find(|it| it.name == name).unwrap();
            let Work::Sidespan(configuration) = &candidate.work else {
                panic!("{name} is not ours")
            };
            let written = written(&filter, &configuration.to_string());
            let names: Vec<&str> = written.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, expected, "{name}");
        }
    }

    /// The headers that were not there before, and how long they are.
    fn written(module: &Module, configuration: &str) -> BTreeSet<(String, usize)> {
        let mut host = Host::builder(module)
            .plugin_configuration(configuration)
            .start()
            .unwrap();
        let stream = host.open_stream(StreamProperties::new().listener_direction(1));
        let request = [
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", "shop"),
            (":path", "/"),
        ];
        let request: Headers = request.into_iter().collect();
        let _ = host.request_headers(stream, request, Then::End);
        let headers = host.stream(stream).unwrap().request().headers().unwrap();
        headers
            .iter()
            .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.len()))
            .filter(|(name, _)| !name.starts_with(':'))
            .collect()
    }
}
