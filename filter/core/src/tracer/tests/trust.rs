//! What is believed of an outside context, by `trust` and `gateway.trust`.

use super::*;
use crate::direction::Direction;

#[test]
fn trust_restart_begins_a_new_trace_with_a_link_and_without_tracestate() {
    let (name, value) = sampled();
    let config = format!(
        r#"{{"sampling": {{"percentage": 100}}, "trust": {{"context": "restart"}}, {EXPORT}}}"#
    );
    let headers = [(name, value.as_str()), ("tracestate", "a=1"), ("b3", "d")];
    let done = exchange(&config, Direction::Inbound, &headers);
    let [span] = &done.spans[..] else {
        panic!("{:?}", done.spans);
    };
    assert_ne!(&span.trace_id.to_hex(), T.as_bytes());
    assert_eq!(span.parent_span_id, None);
    let link = span.link.as_ref().unwrap();
    assert_eq!(&link.trace_id.to_hex(), T.as_bytes());
    assert_eq!(link.reason, LinkReason::Restarted);
    assert_eq!(
        done.value("tracestate").as_deref(),
        Some("ot=th:0"),
        "our own"
    );
    assert!(!done.value("traceparent").unwrap().contains(T));
    assert!(
        done.value("b3").unwrap().ends_with("-1"),
        "rewritten, not debug"
    );
    assert_eq!(done.stats.get(Counter::SampledDefault), 1, "decided here");
}

#[test]
fn trust_ignore_begins_a_new_trace_without_a_link() {
    let (name, value) = sampled();
    let config = format!(
        r#"{{"sampling": {{"percentage": 100}}, "trust": {{"context": "ignore"}}, {EXPORT}}}"#
    );
    let done = exchange(&config, Direction::Inbound, &[(name, &value)]);
    assert_eq!(done.spans[0].link, None);
    assert_ne!(&done.spans[0].trace_id.to_hex(), T.as_bytes());
}

#[test]
fn trust_that_accepts_no_context_leaves_no_outsider_the_id_of_a_load_balancer() {
    let (name, value) = sampled();
    let root = "Root=1-67891233-abcdef012345678912345678;CalledFrom=app";
    for context in ["restart", "ignore"] {
        let config = format!(
            r#"{{"sampling": {{"percentage": 100}}, "trust": {{"context": "{context}"}}, {EXPORT}}}"#
        );
        let headers = [(name, value.as_str()), ("x-amzn-trace-id", root)];
        let done = exchange(&config, Direction::Inbound, &headers);
        let sent = done.value("x-amzn-trace-id").unwrap();
        let id = done.spans[0].trace_id.to_hex();
        let (epoch, unique) = id.split_at(8);
        let (epoch, unique) = (core::str::from_utf8(epoch), core::str::from_utf8(unique));
        let expected = format!("Root=1-{}-{};Parent=", epoch.unwrap(), unique.unwrap());
        assert!(
            sent.starts_with(&expected) && sent.ends_with(";Sampled=1"),
            "{sent}"
        );
    }
}

#[test]
fn trust_without_sampling_removes_what_it_does_not_believe() {
    let (name, value) = sampled();
    for context in ["restart", "ignore"] {
        let config = format!(r#"{{"trust": {{"context": "{context}"}}}}"#);
        let headers = [(name, value.as_str()), ("x-other", "stays")];
        let done = exchange(&config, Direction::Inbound, &headers);
        assert_eq!(done.headers, HeaderList::new([("x-other", "stays")]));
    }
}

#[test]
fn trust_decision_ignore_keeps_the_ids_and_decides_here() {
    let (name, value) = sampled();
    let config = with_trust(r#""trust": {"decision": "ignore"}"#);
    for headers in [[(name, value.as_str())], [("b3", &*format!("{T}-{S}-d"))]] {
        let done = exchange(&config, Direction::Inbound, &headers);
        assert!(done.spans.is_empty());
        let sent = done.value("traceparent").unwrap();
        assert!(
            sent.starts_with(&format!("00-{T}-")) && sent.ends_with("-00"),
            "{sent}"
        );
        assert_eq!(done.stats.get(Counter::DroppedDefault), 1);
    }
    let done = exchange(&config, Direction::Inbound, &[("b3", "1")]);
    assert!(
        done.value("b3").unwrap().ends_with("-0"),
        "also a decision alone"
    );
}

#[test]
fn who_sends_contexts_that_decide_nothing_is_limited_as_who_sends_none() {
    let (name, value) = sampled();
    for (trust, dropped) in [("", 0), (r#""trust": {"decision": "ignore"}, "#, 1)] {
        let config = format!(
            r#"{{{trust}"sampling": {{"percentage": 100, "rateLimit": {{"tracesPerSecond": 0}}}}, {EXPORT}}}"#
        );
        let done = exchange(&config, Direction::Inbound, &[(name, value.as_str())]);
        assert_eq!(done.stats.get(Counter::DroppedRate), dropped, "{trust}");
        assert_eq!(done.stats.get(Counter::SampledReceived), 1 - dropped);
    }
}

#[test]
fn trust_debug_false_makes_debug_plain_sampled() {
    let debug = format!("{T}-{S}-d");
    for (trust, state, counter) in [
        (r#""trust": {"debug": true}"#, "-d", Counter::SampledDebug),
        (
            r#""trust": {"debug": false}"#,
            "-1",
            Counter::SampledReceived,
        ),
    ] {
        let done = exchange(&with_trust(trust), Direction::Inbound, &[("b3", &debug)]);
        assert!(done.value("b3").unwrap().ends_with(state), "{trust}");
        assert_eq!(done.stats.get(counter), 1, "{trust}");
    }
}

#[test]
fn jg_5_believes_jaegers_debug_bit_only_where_it_is_told_to() {
    let header = format!("{T}:{S}:0:3");
    for (trust, counter) in [
        (r#""trust": {}"#, Counter::SampledReceived),
        (r#""trust": {"jaegerDebug": true}"#, Counter::SampledDebug),
    ] {
        let done = exchange(
            &with_trust(trust),
            Direction::Inbound,
            &[("uber-trace-id", &header)],
        );
        assert_eq!(done.stats.get(counter), 1, "{trust}");
    }
}

#[test]
fn gateway_trust_is_for_edges_alone() {
    let (name, value) = sampled();
    let config = with_trust(r#""gateway": {"trust": {"context": "ignore"}}"#);
    for (direction, continues) in [
        (Direction::Inbound, true),
        (Direction::Outbound, true),
        (Direction::Edge, false),
    ] {
        let done = exchange(&config, direction, &[(name, &value)]);
        let sent = done.value("traceparent").unwrap();
        assert_eq!(sent.contains(T), continues, "{direction:?}");
    }
}

#[test]
fn trust_takes_datadogs_wish_out_of_tracestate_where_it_is_not_believed() {
    let traceparent = format!("00-{T}-{S}-01");
    let rows = [
        (r#""trust": {}"#, "dd=s:2;o:rum;t.dm:-4;t.x:1"),
        (r#""trust": {"debug": false}"#, "dd=o:rum;t.x:1"),
        (
            r#""trust": {"decision": "ignore"}"#,
            "ot=th:0,dd=o:rum;t.x:1",
        ),
    ];
    for (trust, expected) in rows {
        let config = format!(
            r#"{{"propagation": {{"inject": ["tracecontext", "datadog"]}},
                "sampling": {{"percentage": 100}}, {trust}, {EXPORT}}}"#
        );
        let done = exchange(
            &config,
            Direction::Inbound,
            &[
                ("traceparent", &traceparent),
                ("tracestate", "dd=s:2;o:rum;t.dm:-4;t.x:1"),
            ],
        );
        assert_eq!(
            done.value("tracestate").as_deref(),
            Some(expected),
            "{trust}"
        );
        let wished = trust == rows[0].0;
        let priority = done.value("x-datadog-sampling-priority");
        assert_eq!(
            priority.as_deref() == Some("2"),
            wished,
            "{trust}: {priority:?}"
        );
    }
}

#[test]
fn trust_leaves_nothing_of_an_outside_context_where_nothing_is_decided() {
    let stale = [
        ("tracestate", "dd=s:2;o:rum"),
        ("x-b3-parentspanid", S),
        ("x-datadog-origin", "rum"),
        ("x-other", "stays"),
    ];
    for context in ["restart", "ignore"] {
        let config = format!(r#"{{"trust": {{"context": "{context}"}}}}"#);
        let done = exchange(&config, Direction::Inbound, &stale);
        assert_eq!(
            done.headers,
            HeaderList::new([("x-other", "stays")]),
            "{context}"
        );
    }
    let done = exchange("{}", Direction::Inbound, &stale);
    assert_eq!(
        done.headers,
        HeaderList::new(stale),
        "the empty configuration touches nothing"
    );
}

#[test]
fn trust_keeps_the_decision_where_none_is_taken_here() {
    let (name, value) = sampled();
    let headers = [(name, value.as_str()), ("tracestate", "foo=1")];
    let done = exchange(
        r#"{"trust": {"decision": "ignore"}}"#,
        Direction::Inbound,
        &headers,
    );
    assert_eq!(done.value("traceparent"), Some(value));
    assert_eq!(done.value("tracestate").as_deref(), Some("foo=1"));
}
