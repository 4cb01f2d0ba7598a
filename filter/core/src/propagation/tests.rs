use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use super::vector::{S, T, T64, carrying, context, saying};
use super::{counters, *};
use crate::headers::HeaderWriter;
use crate::ids::TraceId;
use crate::in_memory::header_list::HeaderList;
use crate::propagation::context::{Outgoing, SamplingState, SpanContext};
use crate::propagation::extract::Extraction;
use crate::propagation::format::Format;
use crate::propagation::settings::{Propagation, Trust};
use crate::propagation::tracestate::Tracestate;
use crate::stats::{Counter, Stats};

mod load_balancer;
mod merged;

const OTHER: &str = "11111111111111111111111111111111";
const ALL: [Format; 3] = [Format::TraceContext, Format::B3, Format::B3Multi];

fn writing(inject: &[Format]) -> Propagation {
    Propagation {
        inject: inject.to_vec(),
        mirror: false,
        ..Propagation::default()
    }
}

struct Passed {
    extraction: Extraction<'static>,
    stats: Stats,
    headers: Vec<(String, String)>,
}

impl Passed {
    fn value(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(other, _)| other == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} more than once");
        value
    }
}

/// The headers through extraction and straight on into injection, as a proxy that only translates does it.
fn pass(propagation: &Propagation, headers: &[(&str, &str)]) -> Passed {
    let before = HeaderList::new(headers.iter().copied());
    let mut after = before.clone();
    let mut stats = Stats::default();
    let request = before.as_request();
    let found = extract(
        &propagation.extract,
        &Trust::default(),
        &request,
        &mut stats,
    );
    let outgoing = Outgoing {
        context: found.context,
        decision: found.decision,
        tracestate: &found.tracestate,
        same_trace: found.same_trace,
        present: found.present,
        request_ids: found.request_ids,
        traceparent: Default::default(),
    };
    inject(&propagation.into(), &outgoing, &request, &mut after);
    Passed {
        extraction: Extraction {
            tracestate: Tracestate::Absent,
            ..found
        },
        stats,
        headers: after
            .iter()
            .map(|(name, value)| (name.into(), String::from_utf8_lossy(value).into_owned()))
            .collect(),
    }
}

/// The headers of a context in one format.
fn print(format: Format, outgoing: Outgoing<'_>) -> HeaderList {
    let mut list = HeaderList::default();
    inject(
        &(&writing(&[format])).into(),
        &outgoing,
        &HeaderList::default().as_request(),
        &mut list,
    );
    list
}

/// The facts that a format can carry.
struct Words {
    format: Format,
    /// The states it can say beside ids.
    states: &'static [SamplingState],
    /// True if the format can carry a decision without ids.
    decision_alone: bool,
    /// True if the trace ids of the format have 128 bits.
    is_wide: bool,
}

fn words() -> [Words; 9] {
    use SamplingState::{Accept, Debug, Deferred, Deny};
    let words = |format, states, decision_alone, is_wide| Words {
        format,
        states,
        decision_alone,
        is_wide,
    };
    [
        words(Format::TraceContext, &[Accept, Deny], false, true),
        words(Format::B3, &[Accept, Deny, Debug, Deferred], true, true),
        words(
            Format::B3Multi,
            &[Accept, Deny, Debug, Deferred],
            true,
            true,
        ),
        words(Format::Jaeger, &[Accept, Deny, Debug], false, true),
        words(Format::XRay, &[Accept, Deny, Deferred], false, true),
        words(
            Format::Datadog,
            &[Accept, Deny, Debug, Deferred],
            false,
            true,
        ),
        words(Format::GrpcTraceBin, &[Accept, Deny], false, true),
        words(Format::OtTrace, &[Accept, Deny], false, false),
        words(Format::Gcp, &[Accept, Deny, Deferred], false, true),
    ]
}

/// Round trips that every format must pass: child, unsampled, debug, deferred, a short id, a decision alone,
/// absent, malformed.
fn propagation_kit(words: &Words) {
    let format = words.format;
    let read = |list: &HeaderList| {
        let mut stats = Stats::default();
        let trust = Trust {
            jaeger_debug: true,
            ..Trust::default()
        };
        let found = extract(&[format], &trust, &list.as_request(), &mut stats);
        (found.context, found.decision, stats)
    };
    let narrow = |context: SpanContext| match words.is_wide {
        true => context,
        false => SpanContext {
            trace_id: TraceId::from_short_hex(T64.as_bytes()).unwrap(),
            short_trace_id: true,
            ..context
        },
    };
    for sampling in EVERY_STATE {
        let list = print(format, carrying(context(sampling)));
        let (found, _, stats) = read(&list);
        let expected = match (sampling, words.states.contains(&sampling)) {
            (_, true) => Some(narrow(context(sampling))),
            (SamplingState::Debug, false) => Some(narrow(context(SamplingState::Accept))),
            // It says nothing rather than something else.
            (_, false) => None,
        };
        assert_eq!(found, expected, "{format:?} {sampling:?}");
        assert_eq!(
            stats.get(counters::valid(format)),
            u64::from(found.is_some())
        );
        assert_eq!(stats.get(counters::malformed(format)), 0);
    }

    let mut short = context(SamplingState::Accept);
    short.trace_id = TraceId::from_short_hex(T64.as_bytes()).unwrap();
    let (found, _, _) = read(&print(format, carrying(short)));
    assert_eq!(found.map(|context| context.trace_id), Some(short.trace_id));

    let decision = print(format, saying(None, SamplingState::Deny));
    let expected = match words.decision_alone {
        true => SamplingState::Deny,
        false => SamplingState::Deferred,
    };
    assert_eq!(read(&decision).1, expected, "{format:?}: decision only");

    let (found, decision, stats) = read(&HeaderList::default());
    assert_eq!((found, decision), (None, SamplingState::Deferred));
    assert_eq!(stats, Stats::default(), "{format:?}: absent");

    let mut malformed = print(format, carrying(context(SamplingState::Accept)));
    malformed.set(format.headers()[0].as_str(), b"x");
    let (found, _, stats) = read(&malformed);
    assert_eq!(found, None, "{format:?}: malformed");
    assert_eq!(stats.get(counters::malformed(format)), 1, "{format:?}");
}

#[test]
fn every_format_passes_the_propagation_kit() {
    for words in &words() {
        propagation_kit(words);
    }
}

const EVERY_STATE: [SamplingState; 4] = [
    SamplingState::Accept,
    SamplingState::Deny,
    SamplingState::Debug,
    SamplingState::Deferred,
];

#[test]
fn section_3_2_maps_b3_to_w3c() {
    let rows: Vec<(&str, String, Option<String>)> = vec![
        (
            "accept",
            format!("{T}-{S}-1"),
            Some(format!("00-{T}-{S}-01")),
        ),
        ("deny", format!("{T}-{S}-0"), Some(format!("00-{T}-{S}-00"))),
        (
            "debug",
            format!("{T}-{S}-d"),
            Some(format!("00-{T}-{S}-01")),
        ),
        (
            "16 digits, and never random",
            format!("{T64}-{S}-1"),
            Some(format!("00-{T64:0>32}-{S}-01")),
        ),
        (
            "the parent is dropped",
            format!("{T}-{S}-1-05e3ac9a4f6e3b90"),
            Some(format!("00-{T}-{S}-01")),
        ),
        ("deferred has no word", format!("{T}-{S}"), None),
        ("a decision without ids has none", "0".into(), None),
    ];
    for (name, b3, expected) in rows {
        let passed = pass(&writing(&[Format::TraceContext]), &[("b3", &b3)]);
        assert_eq!(passed.value("traceparent"), expected.as_deref(), "{name}");
        assert_eq!(passed.value("tracestate"), None, "{name}");
    }
}

#[test]
fn section_3_3_maps_w3c_to_b3() {
    for (flags, state) in [
        ("00", "0"),
        ("01", "1"),
        ("02", "0"),
        ("03", "1"),
        ("ff", "1"),
    ] {
        let passed = pass(
            &writing(&[Format::B3, Format::B3Multi]),
            &[
                ("traceparent", &format!("00-{T}-{S}-{flags}")),
                ("tracestate", "foo=1"),
            ],
        );
        let mut headers = passed.headers;
        headers.sort();
        let expected = [
            ("b3", format!("{T}-{S}-{state}")),
            ("x-b3-sampled", state.into()),
            ("x-b3-spanid", S.into()),
            ("x-b3-traceid", T.into()),
        ]
        .map(|(name, value)| (name.to_string(), value));
        assert_eq!(headers, expected, "{flags}: tracestate cannot travel in B3");
    }
}

#[test]
fn b3_8_keeps_the_decision_through_every_pair_of_formats() {
    for from in ALL {
        for to in ALL {
            for sampling in [SamplingState::Accept, SamplingState::Deny] {
                let sent = print(from, carrying(context(sampling)));
                let headers: Vec<(&str, &str)> = sent
                    .iter()
                    .map(|(name, value)| (name, core::str::from_utf8(value).unwrap()))
                    .collect();
                let passed = pass(&writing(&[to]), &headers);
                let received = HeaderList::new(passed.headers);
                let mut stats = Stats::default();
                let found = extract(&[to], &Trust::default(), &received.as_request(), &mut stats);
                assert_eq!(found.context, Some(context(sampling)), "{from:?} to {to:?}");
                assert_eq!(
                    received.iter().count(),
                    print(to, carrying(context(sampling))).iter().count(),
                    "nothing of {from:?} is left"
                );
            }
        }
    }
}

#[test]
fn b3_3_and_b3_29_believe_the_single_header_and_leave_nothing_stale() {
    let passed = pass(
        &Propagation::default(),
        &[
            ("b3", &format!("{T}-{S}-1")),
            ("x-b3-traceid", OTHER),
            ("x-b3-spanid", S),
            ("x-b3-parentspanid", S),
            ("x-b3-flags", "1"),
        ],
    );
    assert_eq!(passed.value("x-b3-traceid"), Some(T));
    assert_eq!(passed.value("x-b3-sampled"), Some("1"));
    assert_eq!(passed.value("x-b3-flags"), None);
    assert_eq!(passed.value("x-b3-parentspanid"), None);
    assert_eq!(
        passed.value("traceparent"),
        Some(&*format!("00-{T}-{S}-01"))
    );
    assert_eq!(passed.stats.get(Counter::ContextConflict), 1);
}

#[test]
fn b3_10_reads_both_forms_by_default_and_writes_the_one_that_is_chosen() {
    let multi = [
        ("x-b3-traceid", T),
        ("x-b3-spanid", S),
        ("x-b3-sampled", "1"),
    ];
    let single = [("b3", &*format!("{T}-{S}-1"))];
    for inject in [Format::B3, Format::B3Multi] {
        for headers in [&multi[..], &single[..]] {
            let passed = pass(&writing(&[inject]), headers);
            let is_single = passed.value("b3").is_some();
            let is_multi = passed.value("x-b3-traceid").is_some();
            assert_eq!(is_single, inject == Format::B3, "{headers:?}");
            assert_eq!(is_multi, inject == Format::B3Multi, "{headers:?}");
        }
    }
}

#[test]
fn b3_27_and_mf_1_go_on_behind_a_malformed_header() {
    let passed = pass(
        &Propagation::default(),
        &[
            ("traceparent", "00-bad"),
            ("tracestate", "foo=1"),
            ("b3", "garbage"),
            ("x-b3-traceid", T),
            ("x-b3-spanid", S),
            ("x-b3-sampled", "1"),
        ],
    );
    assert_eq!(
        passed.value("traceparent"),
        Some(&*format!("00-{T}-{S}-01"))
    );
    assert_eq!(passed.value("b3"), Some(&*format!("{T}-{S}-1")));
    assert_eq!(passed.value("tracestate"), None, "TP-7 and TM-8");
    assert_eq!(passed.stats.get(Counter::TraceContextMalformed), 1);
    assert_eq!(passed.stats.get(Counter::B3Malformed), 1);
    assert_eq!(passed.stats.get(Counter::B3MultiValid), 1);
}

#[test]
fn section_11_2_believes_the_first_valid_format_in_the_configured_order() {
    let headers = [
        ("traceparent", format!("00-{T}-{S}-01")),
        ("b3", format!("{OTHER}-{S}-0")),
    ];
    let headers = [
        (headers[0].0, &*headers[0].1),
        (headers[1].0, &*headers[1].1),
    ];
    for (extract, trace_id, state) in [
        ([Format::TraceContext, Format::B3], T, "01"),
        ([Format::B3, Format::TraceContext], OTHER, "00"),
    ] {
        let propagation = Propagation {
            extract: extract.to_vec(),
            ..Propagation::default()
        };
        let passed = pass(&propagation, &headers);
        assert_eq!(
            passed.value("traceparent"),
            Some(&*format!("00-{trace_id}-{S}-{state}"))
        );
    }
}

#[test]
fn mf_2_ranks_a_decision_below_ids_and_honours_it_without() {
    let ids = [
        ("b3", "0"),
        ("x-b3-traceid", T),
        ("x-b3-spanid", S),
        ("x-b3-sampled", "1"),
    ];
    let passed = pass(&Propagation::default(), &ids);
    assert_eq!(
        passed.extraction.context,
        Some(context(SamplingState::Accept))
    );
    let passed = pass(&Propagation::default(), &ids[..1]);
    assert_eq!(passed.extraction.decision, SamplingState::Deny);
}

#[test]
fn mf_3_learns_debug_from_a_second_format_of_the_same_trace() {
    let rows = [
        ("01", format!("{T}-{S}-d"), SamplingState::Debug),
        ("01", format!("{OTHER}-{S}-d"), SamplingState::Accept),
        ("00", format!("{T}-{S}-d"), SamplingState::Deny),
    ];
    for (flags, b3, expected) in rows {
        let traceparent = format!("00-{T}-{S}-{flags}");
        let passed = pass(
            &Propagation::default(),
            &[("traceparent", &traceparent), ("b3", &b3)],
        );
        let sampling = passed.extraction.context.map(|context| context.sampling);
        assert_eq!(sampling, Some(expected), "{flags} and {b3}");
    }
}

#[test]
fn mf_4_counts_a_conflict_of_trace_ids_and_not_of_span_ids() {
    let traceparent = format!("00-{T}-{S}-01");
    for (trace_id, conflicts) in [(T, 0), (OTHER, 1)] {
        let b3 = format!("{trace_id}-05e3ac9a4f6e3b90-1");
        let passed = pass(
            &Propagation::default(),
            &[("traceparent", &traceparent), ("b3", &b3)],
        );
        assert_eq!(passed.stats.get(Counter::ContextConflict), conflicts);
    }
}

#[test]
fn mf_10_writes_the_configured_formats_and_those_received() {
    let b3 = format!("{T}-{S}-1");
    let mut propagation = Propagation::default();
    let passed = pass(&propagation, &[("b3", &b3)]);
    assert_eq!(passed.value("b3"), Some(&*b3));
    propagation.mirror = false;
    let passed = pass(&propagation, &[("b3", &b3)]);
    assert_eq!(passed.value("b3"), None, "listed, and not to be written");
    assert!(passed.value("traceparent").is_some());
}

#[test]
fn mf_11_rewrites_or_removes_every_header_of_a_listed_format() {
    let stale = [
        ("traceparent", "00-bad"),
        ("tracestate", "foo=1"),
        ("b3", "bad"),
        ("x-b3-traceid", "bad"),
        ("x-b3-spanid", "bad"),
        ("x-b3-parentspanid", "bad"),
        ("x-b3-sampled", "bad"),
        ("x-b3-flags", "bad"),
        ("x-other", "stays"),
    ];
    let passed = pass(&Propagation::default(), &stale);
    assert_eq!(passed.headers, [("x-other".into(), "stays".into())]);
    let unlisted = Propagation {
        extract: vec![],
        inject: vec![],
        ..Propagation::default()
    };
    let passed = pass(&unlisted, &stale);
    assert_eq!(passed.headers.len(), stale.len(), "not listed, not touched");
}

#[test]
fn mf_12_leaves_baggage_alone() {
    let baggage = [
        ("baggage", "a=1"),
        ("uberctx-a", "1"),
        ("ot-baggage-a", "1"),
    ];
    let passed = pass(&Propagation::default(), &baggage);
    assert_eq!(passed.headers.len(), baggage.len());
}

#[test]
fn ts_8_keeps_ids_whatever_the_tracestate() {
    let traceparent = format!("00-{T}-{S}-01");
    let passed = pass(
        &Propagation::default(),
        &[("traceparent", &traceparent), ("tracestate", "@foo=1")],
    );
    assert_eq!(passed.value("traceparent"), Some(&*traceparent));
    assert_eq!(passed.value("tracestate"), None);
    assert_eq!(passed.stats.get(Counter::TracestateMalformed), 1);
}

#[test]
fn ts_9_drops_tracestate_without_a_context_of_its_own() {
    let b3 = format!("{T}-{S}-1");
    let passed = pass(
        &Propagation::default(),
        &[("b3", &b3), ("tracestate", "foo=1")],
    );
    assert_eq!(passed.value("tracestate"), None);
    let stats = passed.stats;
    assert_eq!(stats.get(Counter::TracestateMalformed), 0, "nobody read it");
}

#[test]
fn tv_5_reads_tracestate_under_a_higher_version() {
    let passed = pass(
        &Propagation::default(),
        &[
            ("traceparent", &format!("cc-{T}-{S}-01-x")),
            ("tracestate", "foo=1"),
        ],
    );
    assert_eq!(passed.value("tracestate"), Some("foo=1"));
}

#[test]
fn tm_1_never_sends_an_empty_tracestate() {
    let traceparent = format!("00-{T}-{S}-01");
    for empty in ["", " ", ","] {
        let passed = pass(
            &Propagation::default(),
            &[("traceparent", &traceparent), ("tracestate", empty)],
        );
        assert_eq!(passed.value("tracestate"), None, "{empty:?}");
        assert_eq!(passed.stats.get(Counter::TracestateMalformed), 0);
    }
}

#[test]
fn en_10_writes_nothing_where_nothing_changes() {
    struct Refusing;
    impl HeaderWriter for Refusing {
        fn set(&mut self, name: &'static str, _: &[u8]) {
            panic!("{name} was written");
        }
        fn remove(&mut self, name: &'static str) {
            panic!("{name} was removed");
        }
    }
    let headers = HeaderList::new([
        ("traceparent", format!("00-{T}-{S}-01")),
        ("tracestate", "foo=1,bar=2".into()),
        ("x-b3-traceid", T.into()),
        ("x-b3-spanid", S.into()),
        ("x-b3-sampled", "1".into()),
    ]);
    let request = headers.as_request();
    let mut stats = Stats::default();
    let found = extract(&ALL, &Trust::default(), &request, &mut stats);
    let outgoing = Outgoing {
        context: found.context,
        decision: found.decision,
        tracestate: &found.tracestate,
        same_trace: found.same_trace,
        present: found.present,
        request_ids: found.request_ids,
        traceparent: Default::default(),
    };
    inject(
        &(&Propagation::default()).into(),
        &outgoing,
        &request,
        &mut Refusing,
    );
}
