//! Answers that other filters, or the proxy, change on their way from this filter to the client.

use super::*;

/// One request that is not sampled, answered by `heard` at this filter and by `logged` in the end.
fn rewritten(
    direction: Direction,
    call: &[(&str, &str)],
    heard: Option<&Record>,
    logged: &Record,
) -> Vec<SpanKind> {
    let mut pod = Pod::of("{}");
    let context = format!("00-{T}-{S}-00");
    let headers = [call, &[("traceparent", &*context)]].concat();
    let filter = &mut pod.filter;
    filter.proxy.face(direction);
    filter.proxy.open(HeaderList::new(headers));
    let mut stream = StreamState::default();
    filter.on_request_headers(&mut stream);
    if let Some(heard) = heard {
        let whole = heard.clone().number("response.backend_latency", 1);
        filter.proxy.respond(whole);
        filter.on_response_headers(&mut stream, false);
        if !call.is_empty() {
            filter.on_response_trailers(&mut stream);
        }
    }
    filter.proxy.respond(logged.clone());
    filter.on_end(&mut stream);
    let spans = filter.exporter.replace(Vec::new()).unwrap();
    // An attribute as OTLP has it: the name, then a message of a text.
    let error = "sidespan.kept\u{12}\u{7}\n\u{5}error";
    assert!(
        spans.iter().all(|span| text(span).contains(error)),
        "{spans:?}"
    );
    spans.iter().map(|span| span.kind).collect()
}

/// An answer of an upstream, for which the router vouches.
fn upstream(status: u16) -> Record {
    Record::answered(status).header("x-envoy-upstream-service-time", "3")
}

#[test]
fn each_side_is_judged_by_its_own_answer() {
    use SpanKind::{Client, Server};
    let flagged = |status, flags| Record::answered(status).number("response.flags", flags);
    let rows: [(&str, Option<Record>, Record, &[SpanKind]); 11] = [
        (
            "hidden in front",
            Some(upstream(503)),
            upstream(200),
            &[Client],
        ),
        (
            "made in front",
            Some(upstream(200)),
            upstream(500),
            &[Server],
        ),
        (
            "the same on both sides",
            Some(upstream(500)),
            upstream(500),
            &[Server, Client],
        ),
        (
            "good on both sides",
            Some(upstream(200)),
            upstream(200),
            &[],
        ),
        ("past this filter, good", None, upstream(200), &[]),
        (
            "past this filter, bad",
            None,
            upstream(503),
            &[Server, Client],
        ),
        (
            "no answer at all",
            None,
            Record::default(),
            &[Server, Client],
        ),
        (
            "UF under another code",
            Some(flagged(423, 0x20)),
            flagged(423, 0x20),
            &[Server, Client],
        ),
        (
            "UT as a good answer",
            Some(flagged(200, 0x4)),
            flagged(200, 0x4),
            &[Server, Client],
        ),
        (
            "UF, hidden in front",
            Some(flagged(503, 0x20)),
            flagged(200, 0x20),
            &[Server, Client],
        ),
        (
            "a decision of the proxy's",
            Some(flagged(403, 0x1000)),
            flagged(403, 0x1000),
            &[],
        ),
    ];
    for (what, heard, logged, expected) in rows {
        let found = |direction| rewritten(direction, &[], heard.as_ref(), &logged);
        let of = |kind| {
            expected
                .iter()
                .copied()
                .filter(|other| *other == kind)
                .collect::<Vec<_>>()
        };
        assert_eq!(found(Direction::Edge), expected, "{what}, edge");
        assert_eq!(found(Direction::Inbound), of(Server), "{what}, inbound");
        assert_eq!(found(Direction::Outbound), of(Client), "{what}, outbound");
    }
}

#[test]
fn a_call_keeps_the_status_that_has_passed_where_a_translator_takes_it_away() {
    let call = [("content-type", "application/grpc")];
    let (answer, emptied) = (upstream(200), upstream(200));
    for (status, is_kept) in [("0", false), ("14", true), ("5", false)] {
        let heard = answer.clone().trailer("grpc-status", status);
        for direction in [Direction::Inbound, Direction::Outbound, Direction::Edge] {
            let spans = rewritten(direction, &call, Some(&heard), &emptied);
            assert_eq!(!spans.is_empty(), is_kept, "{status} {direction:?}");
        }
    }
}

#[test]
fn a_proxy_that_answers_by_itself_has_called_nobody() {
    let answer =
        |status: u16| Record::answered(status).property("response.code_details", "direct_response");
    let kinds = |answer: &Record| rewritten(Direction::Edge, &[], Some(answer), answer);
    assert_eq!(kinds(&answer(500)), [SpanKind::Server]);
    let called = answer(500).property("upstream.address", "10.0.0.7:80");
    assert_eq!(kinds(&called), [SpanKind::Server, SpanKind::Client]);
    let failed = answer(503).number("response.flags", 0x2);
    assert_eq!(kinds(&failed), [SpanKind::Server, SpanKind::Client]);
}

#[test]
fn an_outsider_names_nobody_to_an_edge_that_answers_by_itself() {
    let context = format!("00-{T}-{S}-00");
    let headers = [
        (":authority", "shop.example"),
        ("traceparent", &*context),
        ("x-forwarded-for", "203.0.113.66"),
        ("x-forwarded-host", "evil.example"),
    ];
    let answer = Record::answered(500).property("response.code_details", "direct_response");
    for (trust, is_host_believed) in [("accept", true), ("ignore", false)] {
        let mut pod = Pod::with(&format!(
            r#"{{"gateway": {{"trust": {{"context": "{trust}"}}}}, {}"#,
            &keeping("{}")[1..]
        ));
        let done = pod.exchange(Direction::Edge, &headers, &answer, 0);
        assert_eq!(done.spans.len(), 1, "{trust}");
        let attributes = text(&done.spans[0]);
        assert!(
            !attributes.contains("203.0.113.66"),
            "{trust}: {attributes}"
        );
        let is_named = attributes.contains("evil.example");
        assert_eq!(is_named, is_host_believed, "{trust}: {attributes}");
    }
}
