//! Debug, for which W3C has no word, in a member of `tracestate`: rule MAP-1.

use super::*;
use crate::direction::Direction;

#[test]
fn map_1_carries_debug_through_w3c_in_a_member_of_tracestate() {
    let config = with_trust(r#""trust": {}"#);
    let done = exchange(
        &config,
        Direction::Inbound,
        &[("b3", &format!("{T}-{S}-d"))],
    );
    let traceparent = done.value("traceparent").unwrap();
    let state = done.value("tracestate").unwrap();
    let ours = &traceparent[36..52];
    assert_eq!(state, format!("b3={T}-{ours}-d"));
    assert_eq!(done.spans[0].trace_state, state.as_bytes(), "TH-21");

    // The next hop speaks W3C alone, and knows.
    let next = exchange_with(
        SequentialBytes(100),
        &config,
        Direction::Inbound,
        &[("traceparent", &traceparent), ("tracestate", &state)],
    );
    assert_eq!(next.stats.get(Counter::SampledDebug), 1);
    assert!(
        next.value("tracestate")
            .unwrap()
            .starts_with(&format!("b3={T}-"))
    );
    assert!(
        !next.value("tracestate").unwrap().contains(ours),
        "rewritten"
    );
}

#[test]
fn map_1_believes_the_member_only_beside_its_own_sampled_ids() {
    let config = with_trust(r#""trust": {}"#);
    let other = "11111111111111111111111111111111";
    for (flags, member, is_debug) in [
        ("01", format!("{T}-{S}-d"), true),
        ("01", format!("{other}-{S}-d"), false),
        ("01", format!("{T}-{S}-1"), false),
        ("01", "d".into(), false),
        ("00", format!("{T}-{S}-d"), false),
    ] {
        let done = exchange(
            &config,
            Direction::Inbound,
            &[
                ("traceparent", &format!("00-{T}-{S}-{flags}")),
                ("tracestate", &format!("a=1,b3={member}")),
            ],
        );
        assert_eq!(
            done.stats.get(Counter::SampledDebug),
            u64::from(is_debug),
            "{flags} {member}"
        );
        let state = done.value("tracestate").unwrap();
        assert_eq!(
            state.contains("b3="),
            is_debug,
            "removed when it is not: {state}"
        );
        assert!(state.ends_with("a=1"), "{state}");
    }
}

#[test]
fn map_1_names_the_client_span_at_an_edge() {
    let done = exchange(
        &with_trust(r#""trust": {}"#),
        Direction::Edge,
        &[("b3", &format!("{T}-{S}-d"))],
    );
    let state = done.value("tracestate").unwrap();
    let client = String::from_utf8(done.spans[1].span_id.to_hex().into()).unwrap();
    assert_eq!(state, format!("b3={T}-{client}-d"));
    assert_eq!(done.spans[1].trace_state, state.as_bytes());
}

#[test]
fn tm_5_pushes_out_the_right_most_member_for_its_own() {
    let full: Vec<_> = (0..32).map(|n| format!("k{n}=1")).collect();
    let done = exchange(
        &with_trust(r#""trust": {}"#),
        Direction::Inbound,
        &[
            ("traceparent", &format!("00-{T}-{S}-01")),
            ("tracestate", &full.join(",")),
            ("b3", &format!("{T}-{S}-d")),
        ],
    );
    let state = done.value("tracestate").unwrap();
    assert_eq!(done.stats.get(Counter::TracestateTruncated), 1);
    let members: Vec<_> = state.split(',').collect();
    assert_eq!(members.len(), 32);
    assert!(members[0].starts_with("b3="));
    assert_eq!(members[1..], full[..31]);
}
