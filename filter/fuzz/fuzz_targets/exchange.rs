//! A whole request with all nine formats: through a proxy that only translates, and through one that decides and records.
//!
//! Behind both, all formats tell of one trace. What the first wrote it does not write differently, but that Datadog's
//! headers, once they are there, add their member to `tracestate`. Whatever the second recorded is of the trace that goes on.

#![no_main]

use std::sync::LazyLock;

use sidespan_core::config::Config;
use sidespan_core::id_generator::SequentialBytes;
use sidespan_core::in_memory::stream_record::Record;
use sidespan_core::otlp::span::encode;
use sidespan_core::propagation::context::SamplingState;
use sidespan_core::propagation::format::Format;
use sidespan_core::node::Node;
use sidespan_core::span::Span;
use sidespan_core::tracer::state::State;
use sidespan_core::time::Nanos;
use sidespan_core::direction::Direction;
use sidespan_core::tracer::decide::Tracer;
use sidespan_fuzz::{all_agree, extract, headers};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (choice, input) = input.split_first().unwrap_or((&0, &[]));
    let direction = match choice % 3 {
        0 => Direction::Inbound,
        1 => Direction::Outbound,
        _ => Direction::Edge,
    };
    let list = headers(input);
    let [translating, deciding] = &*TRACERS;

    let pass = |list: &List| match exchange(translating, direction, list) {
        Some((after, _)) => after,
        None => list.clone(),
    };
    let after = pass(&list);
    let (before, behind) = (extract(&Format::ALL, &list), extract(&Format::ALL, &after));
    if before.present.is_empty() {
        assert_eq!(after, list, "without context nothing is touched");
    } else {
        all_agree(&after);
    }
    assert_eq!(
        before.context.map(|context| context.trace_id),
        behind.context.map(|context| context.trace_id),
        "{list:?} became {after:?}"
    );
    let twice = pass(&after);
    let is_settled = |(name, _): &(&str, &[u8])| *name != "tracestate";
    assert!(
        twice
            .iter()
            .filter(is_settled)
            .eq(after.iter().filter(is_settled)),
        "{list:?} became {after:?} and then {twice:?}"
    );
    assert_eq!(pass(&twice), twice, "from {list:?}");

    // Probes are not traced.
    let Some((after, traces)) = exchange(deciding, direction, &list) else {
        return;
    };
    all_agree(&after);
    let behind = extract(&Format::ALL, &after).context.expect("a decision");
    assert_ne!(behind.sampling, SamplingState::Deferred);
    assert_eq!(traces.is_empty(), behind.sampling == SamplingState::Deny);
    assert!(traces.iter().all(|trace_id| *trace_id == behind.trace_id));
});

type List = sidespan_core::in_memory::header_list::HeaderList;
type TraceIds = Vec<sidespan_core::ids::TraceId>;

/// The request's headers behind the proxy, and the traces of the spans it made; `None` where it is left untouched.
fn exchange<'a>(
    tracer: &'a Tracer,
    direction: Direction,
    list: &'a List,
) -> Option<(List, TraceIds)> {
    let mut state = State::new(&Config::default(), SequentialBytes(1));
    let (mut after, mut traces) = (list.clone(), Vec::new());
    let request = list.as_request();
    let bytes = |(name, value): (&'a str, &'a [u8])| (name.as_bytes(), value);
    let all: Vec<_> = list.iter().map(bytes).collect();
    let all = all.iter().copied();
    let mut request_trace = tracer.decide(&request, all.clone(), || direction, || Nanos(1), &mut state)?;
    let active = request_trace.begin(direction, &request, all.clone(), Nanos(1), &mut state);
    tracer.inject(&request_trace, &request, &mut after);
    let present = Record::answered(200);
    let each = &mut |span: Span| {
        assert!(!encode(&span).is_empty());
        traces.push(span.trace_id);
    };
    if let Some(active) = active {
        tracer.finish(active, &present, Nanos(2), each);
    }
    Some((after, traces))
}

static TRACERS: LazyLock<[Tracer; 2]> = LazyLock::new(|| {
    let names: Vec<_> = Format::ALL
        .map(|format| format!("{:?}", format.name()))
        .into();
    let propagation = format!(r#""propagation":{{"inject":[{}]}}"#, names.join(","));
    let deciding = r#""sampling":{"percentage":50},"export":{"otlp":{"cluster":"collector"}}"#;
    [
        format!("{{{propagation}}}"),
        format!("{{{propagation},{deciding}}}"),
    ]
    .map(|text| {
        let config = Config::parse(text.as_bytes()).expect("a good configuration");
        Tracer::new(&config, &Node::default())
    })
});
