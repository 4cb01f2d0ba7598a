//! Conflicts: two formats on one request that differ in ids, in the width of an id, or in the decision.
//!
//! All 36 pairs of formats, the one that is read earlier first, with every difference that both can express, natively and
//! in the guest. The outgoing context must be that of the rules in [`Disagreement::expected`], and the table of the results
//! must be that of the filter's README.

mod table;

use sidespan_core::direction::Direction;
use sidespan_core::propagation::format::Format;
use sidespan_tests::dialect::{self, Context, State};
use sidespan_tests::readme;
use sidespan_tests::worlds::{Header, Outcome, Request};

use table::Table;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const RIGHT_HALF: &str = "0000000000000000a3ce929d0e0e4736";
const OTHER_LEFT_HALF: &str = "5bf92f3577b34da6a3ce929d0e0e4736";
const OTHER_TRACE: &str = "d1d1d1d1d1d1d1d1b2b2b2b2b2b2b2b2";
const SPAN: &str = "00f067aa0ba902b7";
const OTHER_SPAN: &str = "c3c3c3c3c3c3c3c3";
/// The span id in place of the one that the filter draws.
const OURS: &str = "0f0f0f0f0f0f0f0f";

/// A configuration that writes one format only, so that the spans, the counters and this header show the reading of both.
const CONFIGURATION: &str = r#"{
    "propagation": {"inject": ["tracecontext"], "mirror": false},
    "sampling": {"percentage": 0},
    "trust": {"jaegerDebug": true},
    "export": {"otlp": {"cluster": "collector", "protocol": "http/protobuf"}}
}"#;

/// Two formats of one request, and their contexts.
#[derive(Clone, Debug)]
struct Disagreement {
    matter: Matter,
    formats: [Format; 2],
    said: [Context; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matter {
    Trace,
    LeftHalf,
    Span,
    Width,
    Decision,
}

/// The outgoing context, and the span's parent and link.
#[derive(Clone, Debug, PartialEq, Eq)]
struct GoesOn {
    trace_id: String,
    state: State,
    // The parent of the span, where one is recorded.
    parent: Option<String>,
    // The linked trace and span.
    link: Option<[String; 2]>,
    conflicts: u64,
}

#[test]
fn whatever_two_formats_disagree_in_the_readme_says_what_goes_on() {
    let mut table = Table::default();
    for disagreement in disagreements() {
        let found = disagreement.found();
        assert_eq!(found, disagreement.expected(), "{disagreement:?}");
        table.add(&disagreement, &found);
    }
    readme::documents("disagreements of two formats", &table.render());
}

/// Returns every pair with everything in which the two formats can differ.
fn disagreements() -> impl Iterator<Item = Disagreement> {
    let matters = [
        Matter::Trace,
        Matter::LeftHalf,
        Matter::Span,
        Matter::Width,
        Matter::Decision,
    ];
    matters.into_iter().flat_map(|matter| {
        pairs().flat_map(move |formats| {
            let said = match matter {
                Matter::Decision => decisions(),
                _ => ids(matter),
            };
            let can_say = move |said: &[Context; 2]| {
                formats.iter().zip(said).all(|(format, said)| {
                    let is_cut = *format == Format::OtTrace && !said.is_narrow();
                    let is_wide_needed = matches!(matter, Matter::LeftHalf | Matter::Width);
                    dialect::can_say(*format, said.state) && !(is_cut && is_wide_needed)
                })
            };
            said.into_iter()
                .filter(can_say)
                .map(move |said| Disagreement {
                    matter,
                    formats,
                    said,
                })
        })
    })
}

fn pairs() -> impl Iterator<Item = [Format; 2]> {
    let numbered = Format::ALL.into_iter().enumerate();
    numbered.flat_map(|(number, first)| {
        Format::ALL
            .into_iter()
            .skip(number + 1)
            .map(move |other| [first, other])
    })
}

fn context(trace_id: &str, span_id: &str, state: State) -> Context {
    Context {
        trace_id: trace_id.into(),
        span_id: span_id.into(),
        state,
    }
}

fn ids(matter: Matter) -> Vec<[Context; 2]> {
    let with = |trace_id, span_id| context(trace_id, span_id, State::Sampled);
    let first = with(TRACE, SPAN);
    match matter {
        // The loser's decision is about another trace.
        Matter::Trace => [State::Unsampled, State::Debug]
            .map(|state| [first.clone(), context(OTHER_TRACE, OTHER_SPAN, state)])
            .into(),
        Matter::LeftHalf => vec![[first, with(OTHER_LEFT_HALF, OTHER_SPAN)]],
        Matter::Span => vec![[first, with(TRACE, OTHER_SPAN)]],
        Matter::Width => vec![
            [first.clone(), with(RIGHT_HALF, SPAN)],
            [with(RIGHT_HALF, SPAN), first],
        ],
        Matter::Decision => Vec::new(),
    }
}

fn decisions() -> Vec<[Context; 2]> {
    let pairs = State::ALL
        .into_iter()
        .flat_map(|first| State::ALL.map(|other| [first, other]));
    pairs
        .filter(|[first, other]| first != other)
        .map(|states| states.map(|state| context(TRACE, SPAN, state)))
        .collect()
}

impl Disagreement {
    /// Returns the result by MF-3 and MF-4: the first format wins and learns from another format of the same trace what it
    /// cannot express itself: debug beside sampled, any decision where it has none, and the left half of an id.
    fn expected(&self) -> GoesOn {
        let [first, other] = [0, 1].map(|side| {
            let Context { trace_id, .. } = self.said[side].clone();
            match self.formats[side] {
                Format::OtTrace => format!("{:0>32}", &trace_id[16..]),
                _ => trace_id,
            }
        });
        let is_conflict = matches!(self.matter, Matter::Trace | Matter::LeftHalf);
        let [own, told] = [0, 1].map(|side| self.said[side].state);
        let state = match (own, told) {
            (own, _) if is_conflict => own,
            (State::Deferred, told) => told,
            (State::Sampled, State::Debug) => State::Debug,
            (own, _) => own,
        };
        let is_longer = !is_conflict && first.starts_with("0000000000000000");
        GoesOn {
            trace_id: if is_longer { other.clone() } else { first },
            state,
            parent: (state != State::Unsampled).then(|| SPAN.into()),
            link: is_conflict.then(|| [other, OTHER_SPAN.into()]),
            conflicts: is_conflict.into(),
        }
    }

    fn found(&self) -> GoesOn {
        let outcome = self.exchange();
        let header = |name: &str| {
            let mut values = outcome.headers.iter().filter(|(own, _)| own == name);
            let value = values.next()?.1.replace("{new 0}", OURS);
            assert_eq!(values.next(), None, "two lines of {name}: {self:?}");
            Some(value)
        };
        let stale = Format::ALL
            .into_iter()
            .skip(1)
            .flat_map(dialect::headers)
            .find_map(|name| header(name));
        assert_eq!(stale, None, "MF-11: {self:?}");
        let context = dialect::read(Format::TraceContext, header).expect("a traceparent");
        assert_eq!(context.span_id, OURS, "MAP-12: {self:?}");
        let decided = |by: &str| outcome.counters.get(by).copied().unwrap_or(0);
        let received = ["sampled.received", "dropped.received", "sampled.debug"].map(decided);
        assert_eq!(
            received.iter().sum::<u64>(),
            1,
            "decided by a caller: {self:?}"
        );
        let text = |id: &[u8]| String::from_utf8_lossy(id).into_owned();
        let span = outcome.spans.first();
        let link = span.and_then(|span| span.links.first());
        GoesOn {
            trace_id: context.trace_id,
            state: context.state,
            parent: span.map(|span| text(&span.parent_span_id)),
            link: link.map(|link| [hex::encode(&link.trace_id), hex::encode(&link.span_id)]),
            conflicts: decided("context.conflict"),
        }
    }

    fn exchange(&self) -> Outcome {
        let mut headers: Vec<Header> = [
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", "cart"),
            (":path", "/"),
        ]
        .map(|(name, value)| (name, value.into()))
        .into();
        // In reverse order, because the order of formats counts and not that of lines.
        for (format, said) in self.formats.iter().zip(&self.said).rev() {
            let lines = dialect::write(*format, said).into_iter();
            headers.extend(lines.map(|(name, value)| (name, value.into_bytes())));
        }
        // The ids once more in hexadecimal digits, because ids that are not found among the headers are taken for the
        // filter's own, and some formats write decimals.
        let said = self
            .said
            .iter()
            .map(|said| format!("{} {}", said.trace_id, said.span_id));
        let said: Vec<String> = said.collect();
        headers.push(("x-said", said.join(" ").into_bytes()));
        let request = Request {
            configuration: CONFIGURATION.into(),
            direction: Direction::Inbound,
            headers,
            status: 200,
        };
        request.exchange()
    }
}
