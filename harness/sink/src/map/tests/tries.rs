//! Tries of one request are one request, with the number of its tries.

use super::*;

#[test]
fn tries_that_a_client_counts_are_one_request() {
    let map = map([vec![
        span(1, 0, Server, "front"),
        span(2, 1, Client, "front").takes(100, 50).fails(),
        span(3, 2, Server, "cart").fails(),
        span(4, 1, Client, "front").takes(200, 50).fails().resent(1),
        span(5, 4, Server, "cart").fails(),
        span(6, 1, Client, "front").takes(300, 70).resent(2),
        span(7, 6, Server, "cart"),
    ]]);
    assert_eq!(edges(&map), ["front > cart tries 3"]);
    assert_eq!(
        map["edges"][0]["p99Nano"], "270",
        "from the first try to the end of the last"
    );
    assert_eq!(nodes(&map), ["cart ×3 !2", "front ×1"], "what was received");
}

#[test]
fn a_try_that_never_arrived_belongs_to_the_one_that_did() {
    let map = map([vec![
        span(1, 0, Server, "front"),
        span(2, 1, Client, "front")
            .fails()
            .with("server.address", "cart"),
        span(4, 1, Client, "front")
            .resent(1)
            .with("server.address", "cart"),
        span(5, 4, Server, "cart"),
    ]]);
    assert_eq!(edges(&map), ["front > cart tries 2"]);
    assert_eq!(nodes(&map), ["cart ×1", "front ×1"]);
}

#[test]
fn each_try_may_have_its_sidecars() {
    let mut trace = vec![span(1, 0, Server, "front")];
    for (nth, resent) in [(0, 0), (1, 1)] {
        let id = 10 * (nth + 1);
        let mut first = span(id, 1, Client, "front");
        if resent > 0 {
            first = first.resent(resent);
        }
        trace.push(first);
        trace.push(proxy(id + 1, id, Client, "front"));
        trace.push(proxy(id + 2, id + 1, Server, "cart"));
        trace.push(span(id + 3, id + 2, Server, "cart"));
    }
    let map = map([trace]);
    assert_eq!(edges(&map), ["front > cart tries 2"]);
    assert_eq!(nodes(&map), ["cart ×2", "front ×1"]);
}

#[test]
fn tries_that_a_proxy_makes_are_one_span() {
    for (resends, arrived, tries) in [(2, 3, 3), (2, 1, 3), (2, 0, 3), (0, 2, 2)] {
        let mut client = proxy(2, 1, Client, "front").with("peer.service", "cart");
        if resends > 0 {
            client = client.resent(resends);
        }
        let mut trace = vec![
            span(1, 0, Server, "front"),
            span(9, 0, Server, "cart"),
            client,
        ];
        trace.extend((0..arrived).map(|nth| proxy(3 + nth, 2, Server, "cart").fails()));
        let map = map([trace]);
        let expected = format!("front > cart tries {tries}");
        assert_eq!(edges(&map), [expected], "{resends} {arrived}");
        assert_eq!(map["nodes"][0]["requests"], arrived + 1);
    }
}

#[test]
fn tries_below_one_span_are_one_request() {
    let map = map([vec![
        span(1, 0, Server, "front"),
        span(2, 1, Client, "front").takes(100, 500),
        span(3, 2, Client, "front").fails(),
        span(4, 2, Client, "front").resent(1),
        span(5, 3, Server, "cart").fails(),
        span(6, 4, Server, "cart"),
    ]]);
    assert_eq!(edges(&map), ["front > cart tries 2"]);
    assert_eq!(map["edges"][0]["p50Nano"], "500");
    // Nobody counts, but each try failed but the last.
    let map = super::map([vec![
        span(2, 0, Client, "front"),
        span(3, 2, Client, "front").fails(),
        span(4, 2, Client, "front").fails(),
        span(5, 2, Client, "front"),
        span(6, 3, Server, "cart"),
        span(7, 4, Server, "cart"),
        span(8, 5, Server, "cart"),
    ]]);
    assert_eq!(edges(&map), ["front > cart tries 3"]);
}

#[test]
fn calls_that_are_tried_at_once_are_not_mixed() {
    let mut trace = vec![span(1, 0, Server, "front")];
    for (call, callee) in [(10, "cart"), (20, "pay")] {
        trace.push(span(call, 1, Client, "front").takes(call, 5).fails());
        trace.push(span(call + 1, call, Server, callee));
        trace.push(
            span(call + 2, 1, Client, "front")
                .takes(50 + call, 5)
                .resent(1),
        );
        trace.push(span(call + 3, call + 2, Server, callee));
    }
    let map = map([trace]);
    assert_eq!(edges(&map), ["front > cart tries 2", "front > pay tries 2"]);
}

#[test]
fn the_last_try_decides() {
    let map = map([vec![
        span(1, 0, Server, "front"),
        span(2, 1, Client, "front").with("peer.service", "db"),
        span(3, 1, Client, "front")
            .with("peer.service", "db")
            .resent(1)
            .fails(),
    ]]);
    assert_eq!(edges(&map), ["front > db !1 tries 2"]);
    assert_eq!(nodes(&map), ["db ×1 !1 service", "front ×1"]);
}
