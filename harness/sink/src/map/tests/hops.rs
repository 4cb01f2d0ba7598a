//! One request, seen by up to four spans, is one.

use super::*;

/// Returns a request from `front` to `cart`, seen by everyone; `mesh` is what the sidecars add to the names.
fn seen_by_all(mesh: &str) -> Vec<Sent> {
    let (front, cart) = (format!("front{mesh}"), format!("cart{mesh}"));
    vec![
        span(1, 0, Server, "front"),
        span(2, 1, Client, "front").takes(10, 100),
        proxy(3, 2, Client, &front).takes(11, 90),
        proxy(4, 3, Server, &cart).takes(20, 50).fails(),
        span(5, 4, Server, "cart").takes(21, 40),
        span(6, 5, Internal, "cart"),
    ]
}

#[test]
fn four_spans_of_one_request_count_once() {
    let map = map([seen_by_all("")]);
    assert_eq!(edges(&map), ["front > cart"]);
    assert_eq!(nodes(&map), ["cart ×1 !1", "front ×1"]);
    assert_eq!(
        map["edges"][0]["p50Nano"], "100",
        "the uppermost of the caller"
    );
    assert_eq!(
        map["nodes"][0]["p50Nano"], "50",
        "the uppermost of the callee"
    );
}

#[test]
fn a_sidecar_may_have_a_name_of_its_own() {
    let map = map([seen_by_all(".shop")]);
    assert_eq!(edges(&map), ["front > cart"]);
    assert_eq!(nodes(&map), ["cart ×1 !1", "front ×1"]);
    assert_eq!(
        map["nodes"][0]["alsoNamed"],
        serde_json::json!(["cart.shop"])
    );
    assert_eq!(map["nodes"][0]["withoutCaller"], 0);
}

#[test]
fn each_view_alone_and_any_two_tell_the_same() {
    let all = seen_by_all("");
    for (seen, expected) in [
        (vec![2, 4], "front > cart"),
        (vec![2, 5], "front > cart"),
        (vec![3, 4], "front > cart"),
        (vec![3, 5], "front > cart"),
        (vec![2, 3, 5], "front > cart"),
        (vec![3, 4, 5], "front > cart"),
        (vec![4, 5], "front > cart !1"),
        (vec![5], "front > cart"),
    ] {
        // A view that is not there passes the context of the one above on.
        let mut above = 1;
        let mut trace = vec![all[0].clone()];
        for id in seen.iter().copied() {
            let mut sent = all[id - 1].clone();
            sent.outline.parent = Some(above);
            above = sent.outline.span_id;
            trace.push(sent);
        }
        let map = map([trace]);
        assert_eq!(edges(&map), [expected], "{seen:?}");
        assert_eq!(map["nodes"][0]["requests"], 1, "{seen:?}");
    }
}

#[test]
fn an_application_below_its_sidecars_call_is_a_twin_too() {
    let map = map([vec![
        span(1, 0, Server, "front"),
        proxy(2, 1, Client, "front").takes(10, 100),
        span(3, 2, Client, "front"),
        span(4, 3, Server, "cart"),
    ]]);
    assert_eq!(edges(&map), ["front > cart"]);
    assert_eq!(map["edges"][0]["p50Nano"], "100");
}

#[test]
fn a_sidecar_that_leaves_the_header_as_it_was_adds_nothing() {
    let map = map([vec![
        span(1, 0, Server, "front"),
        span(2, 1, Client, "front"),
        proxy(3, 2, Client, "front").with("server.address", "cart"),
        span(4, 2, Server, "cart"),
    ]]);
    assert_eq!(edges(&map), ["front > cart"]);
    assert_eq!(nodes(&map), ["cart ×1", "front ×1"]);
}

#[test]
fn a_gateway_receives_and_sends() {
    let map = map([vec![
        proxy(1, 0, Server, "gateway"),
        proxy(2, 1, Client, "gateway"),
        proxy(3, 2, Server, "front"),
        proxy(4, 3, Client, "front"),
        proxy(5, 4, Server, "cart"),
    ]]);
    assert_eq!(edges(&map), ["front > cart", "gateway > front"]);
    assert_eq!(nodes(&map), ["cart ×1", "front ×1", "gateway ×1"]);
}

#[test]
fn calls_fan_out_and_each_counts() {
    let mut trace = vec![span(1, 0, Server, "front")];
    for call in 0..3 {
        trace.push(span(10 + call, 1, Client, "front"));
        trace.push(span(20 + call, 10 + call, Server, "cart"));
    }
    trace.push(span(30, 1, Client, "front"));
    trace.push(span(31, 30, Server, "pay").fails());
    let map = map([trace]);
    assert_eq!(edges(&map), ["front > cart ×3", "front > pay"]);
    assert_eq!(nodes(&map), ["cart ×3", "front ×1", "pay ×1 !1"]);
}

#[test]
fn calls_that_a_library_puts_together_count_each() {
    let map = map([vec![
        span(1, 0, Server, "front"),
        span(2, 1, Client, "front"),
        span(3, 2, Client, "front"),
        span(4, 2, Client, "front"),
        span(5, 3, Server, "cart"),
        span(6, 4, Server, "cart"),
        span(7, 2, Client, "front"),
        span(8, 7, Server, "pay"),
    ]]);
    assert_eq!(edges(&map), ["front > cart ×2", "front > pay"]);
}

#[test]
fn a_service_calls_itself() {
    let map = map([vec![
        proxy(1, 0, Server, "cart").pod("cart-0"),
        proxy(2, 1, Client, "cart").pod("cart-0"),
        proxy(3, 2, Server, "cart").pod("cart-0"),
        span(4, 3, Server, "cart").pod("cart-0"),
        // A caller whose outgoing span is missing.
        span(5, 4, Server, "cart").pod("cart-1"),
    ]]);
    assert_eq!(edges(&map), ["cart > cart ×2"]);
    assert_eq!(nodes(&map), ["cart ×3"]);
}

#[test]
fn services_may_call_in_a_circle() {
    let map = map([vec![
        span(1, 0, Server, "a"),
        span(2, 1, Client, "a"),
        span(3, 2, Server, "b"),
        span(4, 3, Client, "b"),
        span(5, 4, Server, "a"),
    ]]);
    assert_eq!(edges(&map), ["a > b", "b > a"]);
    assert_eq!(nodes(&map), ["a ×2", "b ×1"]);
}

#[test]
fn one_side_of_a_request_may_be_missing() {
    for (name, spans, expected) in [
        (
            "the caller's",
            vec![span(1, 0, Server, "a"), span(2, 1, Server, "b")],
            "a > b",
        ),
        (
            "the callee's, which calls on",
            vec![
                span(1, 0, Client, "a"),
                span(2, 1, Client, "b").with("db.system", "x"),
            ],
            "a > b",
        ),
        (
            "both",
            vec![span(1, 0, Internal, "a"), span(2, 1, Internal, "b")],
            "a > b",
        ),
        (
            "the kind",
            vec![span(1, 0, Client, "a"), span(2, 1, Internal, "b")],
            "a > b",
        ),
        (
            "sidecars of two services",
            vec![proxy(1, 0, Server, "a"), proxy(2, 1, Server, "b")],
            "a > b",
        ),
        (
            "a sidecar of another pod above",
            vec![
                proxy(1, 0, Server, "a").pod("a-0"),
                span(2, 1, Server, "b").pod("b-0"),
            ],
            "a > b",
        ),
    ] {
        let map = map([spans]);
        assert_eq!(edges(&map)[0], expected, "{name}");
        assert_eq!(map["nodes"][0]["requests"], 1, "{name}");
        assert_eq!(map["nodes"][1]["requests"], 1, "{name}");
    }
}

#[test]
fn what_lost_its_upper_spans_is_no_request_unless_it_received_one() {
    let map = map([vec![
        span(2, 9, Internal, "a"),
        span(3, 8, Server, "b"),
        span(4, 7, Client, "c").with("peer.service", "b"),
    ]]);
    assert_eq!(nodes(&map), ["a ×0", "b ×1", "c ×0"]);
    assert_eq!(edges(&map), ["c > b"]);
    let (a, b) = (&map["nodes"][0], &map["nodes"][1]);
    assert_eq!((&a["p50Nano"], &a["p99Nano"]), (&Json::Null, &Json::Null));
    assert_eq!(
        (&a["withoutCaller"], &b["withoutCaller"]),
        (&0.into(), &1.into())
    );
}

#[test]
fn a_name_that_all_sidecars_share_is_nobodys() {
    let map = map([vec![
        span(1, 0, Client, "front"),
        proxy(2, 1, Client, "mesh-proxy"),
        proxy(3, 2, Server, "mesh-proxy"),
        span(4, 3, Server, "cart"),
        // Answered by a sidecar alone: nobody knows of which service.
        proxy(5, 4, Client, "mesh-proxy"),
        proxy(6, 5, Server, "mesh-proxy"),
    ]]);
    assert_eq!(edges(&map), ["cart > mesh-proxy", "front > cart"]);
    assert!(map["nodes"][0].get("alsoNamed").is_none());
}

#[test]
fn what_a_sidecar_answers_alone_is_its_applications() {
    let alone = vec![
        proxy(1, 0, Client, "front.shop").fails(),
        proxy(2, 1, Server, "cart.shop").fails(),
    ];
    let map = map([seen_by_all(".shop"), alone]);
    assert_eq!(edges(&map), ["front > cart ×2 !1"]);
    assert_eq!(nodes(&map), ["cart ×2 !2", "front ×2 !1"]);
}
