//! A whole request with all nine formats: through a proxy that only translates, and through one that decides and records.
//!
//! Behind both, all formats tell of one trace. What the first wrote it does not write differently, but that Datadog's
//! headers, once they are there, add their member to `tracestate`. Whatever the second recorded is of the trace that goes on.

#![no_main]

use std::sync::LazyLock;

use sidespan_core::config::Config;
use sidespan_core::direction::Direction;
use sidespan_core::ids::TraceId;
use sidespan_core::in_memory::header_list::HeaderList;
use sidespan_core::in_memory::stream_record::Record;
use sidespan_core::otlp::span::encode;
use sidespan_core::propagation::context::SamplingState;
use sidespan_core::propagation::format::Format;
use sidespan_core::stats::Counter;
use sidespan_fuzz::{all_agree, extract, headers};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (choice, input) = input.split_first().unwrap_or((&0, &[]));
    let direction = match choice % 3 {
        0 => Direction::Inbound,
        1 => Direction::Outbound,
        _ => Direction::Edge,
    };
    let list = headers(input);
    let [translating, deciding] = &*CONFIGURATIONS;

    let pass = |list: &HeaderList| {
        let (after, traces, _) = exchange(translating, direction, list);
        assert!(traces.is_empty());
        after
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

    let (after, traces, is_excluded) = exchange(deciding, direction, &list);
    // Probes are not traced.
    if is_excluded {
        assert_eq!(after, list);
        assert!(traces.is_empty());
        return;
    }
    all_agree(&after);
    let behind = extract(&Format::ALL, &after).context.expect("a decision");
    assert_ne!(behind.sampling, SamplingState::Deferred);
    assert_eq!(traces.is_empty(), behind.sampling == SamplingState::Deny);
    assert!(traces.iter().all(|trace_id| *trace_id == behind.trace_id));
});

/// The request's headers behind the filter, the traces of the spans it made, and true if the request is excluded.
fn exchange(
    config: &Config,
    direction: Direction,
    list: &HeaderList,
) -> (HeaderList, Vec<TraceId>, bool) {
    let filter = sidespan_fuzz::pass(config, direction, list, &Record::answered(200), true);
    let spans = filter.exporter.iter().flatten();
    let traces = spans.map(|span| {
        assert!(!encode(span).is_empty());
        span.trace_id
    });
    let is_excluded = filter.state.stats.get(Counter::DroppedExclude) > 0;
    (filter.proxy.request.take(), traces.collect(), is_excluded)
}

static CONFIGURATIONS: LazyLock<[Config; 2]> = LazyLock::new(|| {
    let names: Vec<_> = Format::ALL
        .map(|format| format!("{:?}", format.name()))
        .into();
    let propagation = format!(r#""propagation":{{"inject":[{}]}}"#, names.join(","));
    // What is kept after its response is not sampled, and so no matter of the headers.
    let deciding = r#""sampling":{"percentage":50,"keep":{"errors":false}},"export":{"otlp":{"cluster":"collector"}}"#;
    [
        format!("{{{propagation}}}"),
        format!("{{{propagation},{deciding}}}"),
    ]
    .map(|text| Config::parse(text.as_bytes()).expect("a good configuration"))
});
