//! What a kept span says of the request: what came, whatever a route or a filter behind makes of it.

use super::*;

/// The request goes on with these headers in place of those that came.
fn routed(came: &[(&str, &str)], routed: &[(&'static str, &'static str)]) -> String {
    let mut pod = Pod::of("{}");
    pod.routed = routed.to_vec();
    let traceparent = format!("00-{T}-{S}-00");
    let mut headers = vec![(":method", "GET"), ("traceparent", traceparent.as_str())];
    headers.extend(came);
    let answer = Record::answered(503);
    let done = pod.exchange(Direction::Inbound, &headers, &answer, 0);
    text(&done.spans[0])
}

#[test]
fn a_kept_span_says_what_came_and_not_what_a_route_made_of_it() {
    let said = routed(
        &[(":path", "/cart/7?a=b"), (":authority", "shop.example")],
        &[
            (":path", "/internal/7"),
            (":authority", "internal"),
            ("x-envoy-original-path", "/cart/7?a=b"),
            ("x-envoy-original-host", "shop.example"),
        ],
    );
    assert!(
        said.contains("/cart/7") && said.contains("shop.example"),
        "{said:?}"
    );
    assert!(!said.contains("internal"), "{said:?}");
}

#[test]
fn a_caller_cannot_say_what_it_asked_for() {
    let lies = [
        ("x-envoy-original-path", "/health"),
        ("x-envoy-original-host", "elsewhere"),
    ];
    let came = [(":path", "/cart/7"), (":authority", "shop.example")];
    let with_lies: Vec<_> = came.into_iter().chain(lies).collect();
    for (came, changed) in [
        (&with_lies[..], &[][..]),
        (&with_lies[..], &[(":path", "/cart/8")][..]),
    ] {
        let said = routed(came, changed);
        assert!(said.contains("/cart/") && said.contains("shop.example"));
        assert!(!said.contains("health") && !said.contains("elsewhere"));
    }
}

#[test]
fn a_transcoded_request_keeps_its_method_and_stays_what_it_was() {
    let transcoded = |original| {
        routed(
            &[(":path", "/cart/7"), ("content-type", "application/json")],
            &[
                (":method", "POST"),
                (":path", "/shop.Cart/Get"),
                ("content-type", "application/grpc"),
                ("x-envoy-original-path", "/cart/7"),
                ("x-envoy-original-method", original),
            ],
        )
    };
    let said = transcoded("GET");
    assert!(said.contains("GET") && said.contains("/cart/7"), "{said:?}");
    assert!(!said.contains("rpc.") && !said.contains("POST"), "{said:?}");
    assert_eq!(
        transcoded("DELETE"),
        said,
        "whatever the original is called"
    );
}
