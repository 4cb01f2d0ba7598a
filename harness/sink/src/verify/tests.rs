//! Traces that look odd and are whole, and what is found of those that are not.

mod faults;

use super::samples::{by, call, linked, span, with};
use super::*;
use crate::store::{SpanKind, StoredSpan};

const SERVER: SpanKind = SpanKind::Server;

/// Returns every finding of these spans as `kind cause from->to`, each once, and the errors first.
fn found(spans: &[StoredSpan]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for finding in findings(spans) {
        let hop = finding
            .hop
            .map_or("-".into(), |hop| format!("{}->{}", hop.from, hop.to));
        let cause = finding.cause.map_or("-", Cause::name);
        let line = format!("{} {cause} {hop}", finding.kind.name());
        if !all.contains(&line) {
            all.push(line);
        }
    }
    all
}

fn findings(spans: &[StoredSpan]) -> Vec<Finding> {
    let verdicts = verify(&by_trace(spans.to_vec()));
    verdicts
        .into_iter()
        .flat_map(|verdict| verdict.findings)
        .collect()
}

/// Returns front's request and its call of another service, which lasts from 10 to 90 ms.
fn front(to: &str) -> [StoredSpan; 2] {
    [
        with(
            span("front", SERVER, (1, 1, 0), (0, 100)),
            "sidespan.decision",
            "default",
        ),
        call("front", to, (1, 2, 1), (10, 80)),
    ]
}

fn pay(trace: u64, parent: u64) -> StoredSpan {
    span("pay", SERVER, (trace, 9, parent), (20, 60))
}

fn new_pay(trace: u64) -> StoredSpan {
    with(pay(trace, 0), "sidespan.decision", "default")
}

fn and(front: [StoredSpan; 2], rest: impl IntoIterator<Item = StoredSpan>) -> Vec<StoredSpan> {
    front.into_iter().chain(rest).collect()
}

#[test]
fn both_traces_of_a_broken_hop_tell_of_each_other() {
    let spans = and(front("pay.shop.svc.cluster.local"), [new_pay(2)]);
    let verdicts = verify(&by_trace(spans));
    assert_eq!(verdicts.len(), 2);
    for (own, other) in [(0, 1), (1, 0)] {
        let [finding] = &verdicts[own].findings[..] else {
            panic!("{verdicts:#?}");
        };
        assert_eq!(
            finding.other_trace_id.as_ref(),
            Some(&verdicts[other].trace_id)
        );
        assert_eq!(finding.span_ids, ["0000000000000002", "0000000000000009"]);
        assert!(!verdicts[own].is_whole());
        assert!(
            finding.message.contains("sidespan.decision=default"),
            "{finding:?}"
        );
    }
}

#[test]
fn a_trace_alone_shows_what_it_can() {
    assert_eq!(found(&[pay(1, 0x77)]), ["missing_parent - -"]);
    let kept = with(pay(1, 0x77), "sidespan.kept", "error");
    assert_eq!(found(&[kept]), ["missing_parent sampled_here_not_there -"]);
    let roots = [
        span("a", SERVER, (1, 1, 0), (0, 9)),
        span("b", SERVER, (1, 2, 0), (50, 9)),
    ];
    assert_eq!(found(&roots), ["several_roots - -"]);
    let same = [
        span("a", SERVER, (1, 1, 0), (0, 9)),
        span("a", SERVER, (1, 2, 1), (1, 3)),
        span("a", SERVER, (1, 2, 1), (4, 3)),
    ];
    assert_eq!(found(&same), ["duplicate_span_id context_replayed a->a"]);
}

#[test]
fn is_silent_on_what_is_odd_and_whole() {
    let whole = || and(front("pay"), [pay(1, 2)]);
    let retried = || {
        whole()
            .into_iter()
            .chain([span("pay", SERVER, (1, 10, 2), (50, 30))])
    };
    let shared = || and(front("pay"), [span("pay", SERVER, (1, 2, 1), (20, 60))]);
    let failed = with(
        call("front", "pay", (1, 2, 1), (10, 80)),
        "sidespan.response_flags",
        "UF,URX",
    );
    let producer = call("front", "orders", (1, 2, 1), (10, 5));
    let consumer = linked(
        span("pay", SpanKind::Consumer, (2, 9, 0), (12, 900)),
        &producer,
        "",
    );
    let [request, _] = front("pay");
    let restarted = linked(new_pay(2), &front("pay")[1], "restarted");
    let twin = by("sdk", call("front", "pay", (1, 3, 2), (11, 78)));
    let kept = |span| with(span, "sidespan.kept", "error");
    let rows: [(&str, Vec<StoredSpan>); 13] = [
        ("nothing", vec![]),
        ("a call that answers", whole()),
        ("a retry", retried().collect()),
        ("a span that two halves share", shared()),
        (
            "an SDK between two sidecars",
            whole().into_iter().chain([twin]).collect(),
        ),
        (
            "a call that nobody answered",
            vec![request.clone(), failed, pay(3, 0)],
        ),
        (
            "a queue with a link",
            vec![request.clone(), producer, consumer],
        ),
        (
            "a trace begun anew on purpose",
            and(front("pay"), [restarted]),
        ),
        (
            "one sidecar only",
            vec![request.clone(), span("pay", SERVER, (1, 9, 1), (20, 60))],
        ),
        (
            "a kept path",
            and(front("cart"), []).into_iter().map(kept).collect(),
        ),
        ("a call of something without spans", and(front("db"), [])),
        (
            "another caller's trace before",
            and(
                front("pay"),
                [pay(1, 2), span("pay", SERVER, (2, 7, 0), (200, 9))],
            ),
        ),
        (
            "roots with links",
            vec![
                request.clone(),
                linked(
                    span("batch", SpanKind::Consumer, (1, 8, 0), (200, 9)),
                    &request,
                    "",
                ),
            ],
        ),
    ];
    for (name, spans) in rows {
        assert_eq!(found(&spans), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn of_calls_that_follow_at_once_each_has_the_trace_that_began_in_it() {
    let path = |span| with(span, "url.path", "/pay");
    let spans = [
        span("front", SERVER, (1, 1, 0), (10, 10)),
        path(call("front", "pay", (1, 2, 1), (11, 8))),
        path(span("pay", SERVER, (2, 7, 0), (12, 6))),
        // Within the slack of clocks, and shorter.
        span("front", SERVER, (3, 3, 0), (21, 5)),
        path(call("front", "pay", (3, 4, 3), (22, 3))),
        path(span("pay", SERVER, (4, 8, 0), (23, 1))),
    ];
    let calls: Vec<_> = findings(&spans)
        .into_iter()
        .map(|finding| finding.span_ids.first().cloned())
        .collect();
    // Both traces of a broken hop tell of it.
    let ids = [2, 2, 4, 4].map(|id| Some(format!("{id:016x}")));
    assert_eq!(calls, ids);
}

#[test]
fn a_request_of_somebody_else_at_the_same_time_is_not_taken_for_the_call() {
    let path = |path: &str, span| with(span, "url.path", path);
    let [request, probe] = front("pay");
    let kept = |span| with(span, "sidespan.kept", "slow");
    for (call, top, expected) in [
        (
            path("/healthz", probe.clone()),
            path("/orders", new_pay(2)),
            &[][..],
        ),
        (
            kept(path("/orders", probe.clone())),
            path("/orders", new_pay(2)),
            &[],
        ),
        // A gateway that takes its prefix off.
        (
            path("/api/orders", probe),
            path("/orders", new_pay(2)),
            &["broken_hop header_stripped front->pay"],
        ),
    ] {
        assert_eq!(found(&[request.clone(), call, top]), expected);
    }
}

#[test]
fn a_service_that_forgets_the_context_for_one_of_two_calls_is_named() {
    let cart = span("cart", SERVER, (1, 3, 2), (20, 20));
    let forgotten = call("front", "pay", (2, 5, 0), (60, 30));
    let spans = and(
        front("cart"),
        [cart, forgotten, span("pay", SERVER, (2, 9, 5), (65, 20))],
    );
    assert_eq!(
        found(&spans),
        ["broken_hop format_not_forwarded front->pay"]
    );
}

#[test]
fn a_service_that_calls_by_itself_is_not_said_to_forget() {
    let poll = |nth: u64| {
        call(
            "front",
            "config",
            (10 + nth, 50 + nth, 0),
            (nth * 1_000 + 20, 5),
        )
    };
    let [request, _] = front("pay");
    let alone: Vec<StoredSpan> = [request].into_iter().chain((0..4).map(poll)).collect();
    assert_eq!(found(&alone), Vec::<String>::new());
}

#[test]
fn an_answer_without_spans_is_a_warning_where_the_service_has_them_for_others() {
    let path = |span| with(span, "url.path", "/pay");
    let [request, silent] = front("pay");
    let whole = [
        with(
            span("shop", SERVER, (2, 1, 0), (500, 100)),
            "sidespan.decision",
            "default",
        ),
        path(call("shop", "pay", (2, 2, 1), (510, 80))),
        path(span("pay", SERVER, (2, 9, 2), (520, 60))),
    ];
    let spans: Vec<StoredSpan> = whole.into_iter().chain([request, path(silent)]).collect();
    assert_eq!(
        found(&spans),
        ["broken_hop sampled_here_not_there front->pay"]
    );
    assert!(
        findings(&spans)
            .iter()
            .all(|it| it.severity == Severity::Warning)
    );
}

#[test]
fn tracers_of_envoy_with_one_format_each_are_named() {
    let proxy = |span| with(by("", span), "component", "proxy");
    let mut b3 = front("pay").map(proxy);
    b3[1] = with(
        b3[1].clone(),
        "upstream_cluster",
        "outbound|80||pay.shop.svc.cluster.local",
    );
    let spans = and(b3, [by("sdk", new_pay(2))]);
    let all = findings(&spans);
    assert_eq!(
        found(&spans),
        ["broken_hop format_not_forwarded front->pay"]
    );
    assert!(all[0].message.contains("Zipkin"), "{}", all[0].message);
}

#[test]
fn many_tops_and_deep_traces_end_in_time() {
    let chain = (1..20_000).map(|id| span("a", SERVER, (1, id, id - 1), (id, 1)));
    let orphans = (30_000..50_000).map(|id| span("b", SERVER, (1, id, id + 100_000), (id, 1)));
    let spans: Vec<StoredSpan> = chain.chain(orphans).collect();
    let begin = std::time::Instant::now();
    assert!(!found(&spans).is_empty());
    assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
}
