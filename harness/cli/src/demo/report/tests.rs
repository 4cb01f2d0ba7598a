use sidespan_sink::{Attribute, Resource, Scope, SpanStatus};

use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Returns the expectations of a service `web` that is called once and calls `db` once.
fn expected() -> BTreeMap<&'static str, Expected> {
    let web = Expected {
        requests: 1,
        calls: 1,
    };
    let db = Expected {
        requests: 1,
        calls: 0,
    };
    BTreeMap::from([("web", web), ("db", db)])
}

fn hop(service: &'static str, trace_id: &str, span: u8) -> Hop {
    let b3 = format!("{trace_id}-{span:016x}-1");
    Hop {
        service,
        format: Format::B3Single,
        received: Headers::from([("b3".to_owned(), b3)]),
        sent: vec![],
    }
}

fn span(service: &str, kind: SpanKind, id: u8, parent: Option<u8>) -> StoredSpan {
    StoredSpan {
        trace_id: TRACE.into(),
        span_id: format!("{id:016x}"),
        parent_span_id: parent.map(|id| format!("{id:016x}")),
        trace_state: String::new(),
        flags: 0x301,
        name: "GET".into(),
        kind,
        start_unix_nanos: 10,
        end_unix_nanos: 20,
        attributes: vec![],
        dropped_attributes_count: 0,
        events: vec![],
        dropped_events_count: 0,
        links: vec![],
        dropped_links_count: 0,
        status: SpanStatus {
            code: StatusCode::Unset,
            message: String::new(),
        },
        resource: Arc::new(Resource {
            attributes: vec![Attribute {
                key: "service.name".into(),
                value: service.into(),
            }],
            ..Resource::default()
        }),
        scope: Arc::new(Scope::default()),
    }
}

fn whole_trace() -> Vec<StoredSpan> {
    vec![
        span("web", SpanKind::Server, 1, None),
        span("web", SpanKind::Client, 2, Some(1)),
        span("db", SpanKind::Server, 3, Some(2)),
    ]
}

fn report(hops: Vec<Hop>, spans: Vec<StoredSpan>) -> Report {
    let spans: Vec<Arc<StoredSpan>> = spans.into_iter().map(Arc::new).collect();
    Report::new(Kind::BuiltIn, json!({}), expected(), None, hops, &spans)
}

#[test]
fn a_run_without_a_difference_is_whole() {
    let report = report(
        vec![hop("web", TRACE, 1), hop("db", TRACE, 3)],
        whole_trace(),
    );
    assert_eq!(report.problems, [""; 0]);
    assert!(report.is_complete());
    assert_eq!(report.trace_id.as_deref(), Some(TRACE));
}

#[test]
fn names_what_broke_and_where() {
    type Change = fn(&mut Vec<Hop>, &mut Vec<StoredSpan>);
    let rows: [(&str, Change, &[&str]); 7] = [
        (
            "a hop without context",
            |hops, _| hops[1].received.clear(),
            &["db: received no context that it can read (B3, one header)"],
        ),
        (
            "a hop of another trace",
            |hops, _| hops[1] = hop("db", "ffffffffffffffffffffffffffffffff", 3),
            &[
                "db: received span 0000000000000003 of trace ffffffffffffffffffffffffffffffff (B3, one header), \
                 which its sidecar did not record",
            ],
        ),
        (
            "a hop that was given the span of its caller",
            |hops, _| hops[1] = hop("db", TRACE, 2),
            &[
                "db: received span 0000000000000002 of trace 4bf92f3577b34da6a3ce929d0e0e4736 (B3, one header), \
                 which its sidecar did not record",
            ],
        ),
        (
            "a service that was not reached",
            |hops, _| hops.truncate(1),
            &["db: expected 1 requests, found 0"],
        ),
        (
            "a missing span in the middle",
            |_, spans| drop(spans.remove(1)),
            &[
                "web: expected 1 CLIENT spans, found 0",
                "db SERVER GET (0000000000000003) hangs below span 0000000000000002, which is missing",
            ],
        ),
        (
            "a failed span",
            |_, spans| {
                spans[2].status = SpanStatus {
                    code: StatusCode::Error,
                    message: "reset".into(),
                };
            },
            &["db: a SERVER span is an error: reset"],
        ),
        (
            "a stranger",
            |_, spans| spans.push(span("cache", SpanKind::Internal, 9, Some(3))),
            &["cache: no such service, but it made span GET"],
        ),
    ];
    for (name, change, problems) in rows {
        let (mut hops, mut spans) = (
            vec![hop("web", TRACE, 1), hop("db", TRACE, 3)],
            whole_trace(),
        );
        change(&mut hops, &mut spans);
        assert_eq!(report(hops, spans).problems, problems, "{name}");
    }
}

#[test]
fn two_traces_are_none() {
    let mut spans = whole_trace();
    spans[2].trace_id = "ffffffffffffffffffffffffffffffff".into();
    let report = report(vec![], spans);
    assert_eq!(report.trace_id, None);
    assert!(!report.is_complete());
}

#[test]
fn json_has_the_keys_that_scripts_rely_on() {
    let mut hops = vec![hop("web", TRACE, 1), hop("db", TRACE, 3)];
    let headers = hops[0].received.clone();
    hops[0].sent.push(Sent { to: "db", headers });
    let json = report(hops, whole_trace()).to_json();
    let b3 = format!("{TRACE}-0000000000000001-1");
    assert_eq!(json["whole"], true);
    assert_eq!(json["trace_id"], TRACE);
    assert_eq!(
        json["hops"][0],
        json!({
            "service": "web",
            "format": "B3, one header",
            "received": {"b3": b3},
            "sent": [{"to": "db", "headers": {"b3": b3}}],
        })
    );
    let span = &json["spans"][1];
    assert_eq!(
        [
            &span["name"],
            &span["service"],
            &span["kind"],
            &span["span_id"],
            &span["parent_span_id"]
        ],
        [
            "GET",
            "web",
            "CLIENT",
            "0000000000000002",
            "0000000000000001"
        ]
    );
    assert_eq!(json["spans"][0]["parent_span_id"], Value::Null);
}
