use super::*;
use crate::stats::Counter;
use alloc::string::String;

const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const S: &str = "00f067aa0ba902b7";
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const B3: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1";

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).into(), value.as_bytes().into()))
        .collect()
}

fn context(of: &[(&str, &str)]) -> Context {
    let received = Propagator::new(&[]).extract(&headers(of), &mut Stats::default());
    received.context.expect("a context")
}

#[test]
fn mq_1_reads_names_in_any_case_and_keeps_the_spelling_that_is_there() {
    let sent = [
        ("X-B3-TraceId", T),
        ("x-b3-spanid", S),
        ("X-B3-SAMPLED", "1"),
        ("content-type", "text/plain"),
    ];
    assert_eq!(context(&sent), context(&[("traceparent", TRACEPARENT)]));
    let mut message = headers(&sent);
    let propagator = Propagator::new(&[Format::TraceContext]);
    let left_out = propagator.translate(&mut message, &mut Stats::default());
    assert_eq!(left_out, [""; 0]);
    let mut expected = headers(&sent);
    expected.extend(headers(&[("traceparent", TRACEPARENT)]));
    assert_eq!(message, expected);
}

#[test]
fn mq_1_spells_new_names_as_their_readers_ask_for() {
    let given = context(&[("traceparent", TRACEPARENT)]);
    let formats = [Format::B3Multi, Format::XRay, Format::Gcp];
    for (spelling, expected) in [
        (
            Spelling::Lower,
            [
                "x-b3-traceid",
                "x-b3-spanid",
                "x-b3-sampled",
                "x-amzn-trace-id",
                "x-cloud-trace-context",
            ],
        ),
        (
            Spelling::Published,
            [
                "X-B3-TraceId",
                "X-B3-SpanId",
                "X-B3-Sampled",
                "X-Amzn-Trace-Id",
                "X-Cloud-Trace-Context",
            ],
        ),
    ] {
        let mut message = Vec::new();
        Propagator::new(&formats)
            .spelled(spelling)
            .inject(&given, &mut message);
        let names: Vec<_> = message.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, expected);
    }
}

#[test]
fn translates_between_a_producer_with_b3_and_a_consumer_with_w3c() {
    let propagator = Propagator::new(&[Format::TraceContext, Format::B3]);
    for (sent, expected) in [
        (("b3", B3), ("traceparent", TRACEPARENT)),
        (("traceparent", TRACEPARENT), ("b3", B3)),
    ] {
        let mut message = headers(&[sent]);
        propagator.translate(&mut message, &mut Stats::default());
        assert_eq!(message, headers(&[sent, expected]));
    }
    let mut nothing = headers(&[("key", "1")]);
    propagator.translate(&mut nothing, &mut Stats::default());
    assert_eq!(nothing, headers(&[("key", "1")]));
}

#[test]
fn mf_4_and_mf_11_of_two_traces_the_first_format_wins_and_no_stale_header_leaves() {
    let other = "11111111111111111111111111111111-2222222222222222-0";
    let mut message = headers(&[("b3", other), ("traceparent", TRACEPARENT)]);
    let mut stats = Stats::default();
    let propagator = Propagator::new(&[Format::TraceContext]);
    let received = propagator.extract(&message, &mut stats);
    assert_eq!(stats.get(Counter::ContextConflict), 1);
    assert_eq!(
        received.conflict.map(|it| it.trace_id.to_hex()),
        Some(*b"11111111111111111111111111111111")
    );
    propagator.translate(&mut message, &mut Stats::default());
    assert_eq!(
        message,
        headers(&[("b3", B3), ("traceparent", TRACEPARENT)])
    );
    // A copy of a received message is sent on: its old context does not leave beside the new one.
    let mut copy = headers(&[("b3", other), ("B3", other)]);
    propagator.inject(&context(&[("traceparent", TRACEPARENT)]), &mut copy);
    assert_eq!(copy, headers(&[("b3", B3), ("traceparent", TRACEPARENT)]));
}

#[test]
fn reads_only_the_formats_that_are_listed_and_counts_what_is_malformed() {
    let message = headers(&[("traceparent", "00-bad"), ("b3", B3)]);
    let mut stats = Stats::default();
    let propagator = Propagator::new(&[Format::B3]);
    let received = propagator.extract(&message, &mut stats);
    assert!(received.context.is_some());
    assert_eq!(stats.get(Counter::TraceContextMalformed), 1);
    assert_eq!(stats.get(Counter::RefusedLength), 1);
    let alone = propagator.reading(&[Format::TraceContext]);
    let received = alone.extract(&message, &mut Stats::default());
    assert_eq!(received, Received::default());
}

#[test]
fn debug_and_datadogs_facts_outlive_the_headers() {
    let debug = context(&[("b3", &B3.replace("-1", "-d"))]);
    let mut message = Vec::new();
    Propagator::new(&[Format::TraceContext]).inject(&debug, &mut message);
    let expected = [
        ("traceparent", TRACEPARENT),
        (
            "tracestate",
            "b3=4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-d",
        ),
    ];
    assert_eq!(message, headers(&expected));
    let datadog = context(&[
        ("x-datadog-trace-id", "11803532876627986230"),
        ("x-datadog-parent-id", "67667974448284343"),
        ("x-datadog-sampling-priority", "1"),
        ("x-datadog-origin", "rum"),
    ]);
    let list = String::from_utf8_lossy(&datadog.tracestate);
    assert!(list.contains("o:rum"), "{list}");
}
