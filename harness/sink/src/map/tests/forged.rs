//! Spans that no honest sender sends: circles, ids twice, chains without an end.

use super::*;

#[test]
fn circles_end() {
    for ids in [
        vec![(1, 1)],
        vec![(1, 2), (2, 1)],
        vec![(1, 2), (2, 3), (3, 2), (4, 1)],
    ] {
        let trace: Vec<Sent> = ids
            .iter()
            .map(|(id, parent)| span(*id, *parent, Client, "a"))
            .collect();
        let map = map([trace]);
        assert_eq!(map["nodes"][0]["service"], "a", "{ids:?}");
        assert_eq!(map["spans"], ids.len());
    }
    let map = map([vec![
        span(1, 2, Server, "b"),
        span(2, 3, Client, "a"),
        span(3, 1, Server, "a"),
    ]]);
    assert_eq!(
        edges(&map),
        ["a > unknown", "b > a"],
        "cut above the earliest span"
    );
}

#[test]
fn the_sides_of_a_shared_span_are_two() {
    // Zipkin's B3 lets a server go on with the span of its client.
    let map = map([vec![
        span(1, 0, Server, "front"),
        span(2, 1, Client, "front"),
        span(2, 1, Server, "cart"),
        span(3, 2, Client, "cart").with("db.system", "redis"),
    ]]);
    assert_eq!(edges(&map), ["cart > redis", "front > cart"]);
    assert_eq!(nodes(&map), ["cart ×1", "front ×1", "redis ×1 database"]);
}

#[test]
fn one_id_of_two_spans_loses_neither() {
    let map = map([vec![
        span(1, 0, Server, "a"),
        span(1, 0, Server, "b"),
        span(2, 1, Client, "a").with("peer.service", "x"),
    ]]);
    assert_eq!(nodes(&map), ["a ×1", "b ×1", "x ×1 service"]);
}

#[test]
fn a_chain_may_be_deeper_than_a_stack() {
    let chain = |kind: fn(u64) -> SpanKind| {
        let spans = (1..=60_000u64).map(|id| span(id, id - 1, kind(id), "a"));
        map([spans.collect::<Vec<_>>()])
    };
    assert_eq!(edges(&chain(|_| Client)), ["a > unknown"]);
    let hops = chain(|id| if id % 2 == 0 { Server } else { Client });
    assert_eq!(edges(&hops), ["a > a ×30000"]);
}
