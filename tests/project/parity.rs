//! Parity of the core and the compiled guest: the same output to the last byte, also for bytes that no client should send.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use sidespan_core::direction::Direction;
use sidespan_tests::effort;
use sidespan_tests::worlds::{Guest, Header, Outcome, Request};

const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const S: &str = "00f067aa0ba902b7";

const ALL_FORMATS: &str = r#"{
    "propagation": {"inject": ["tracecontext", "b3multi", "b3"]},
    "sampling": {"percentage": 100},
    "export": {"otlp": {"cluster": "collector", "protocol": "http/protobuf"}}
}"#;

fn pseudo() -> Vec<Header> {
    [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "cart.example:8080"),
        (":path", "/cart/7?sig=x"),
        ("user-agent", "curl/8"),
    ]
    .map(|(name, value)| (name, value.into()))
    .into()
}

fn request(
    configuration: &str,
    direction: Direction,
    headers: &[(&'static str, String)],
) -> Request {
    let sent = headers
        .iter()
        .map(|(name, value)| (*name, value.clone().into_bytes()));
    Request {
        configuration: configuration.into(),
        direction,
        headers: pseudo().into_iter().chain(sent).collect(),
        status: 200,
    }
}

fn value(outcome: &Outcome, name: &str) -> Option<String> {
    outcome
        .headers
        .iter()
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.clone())
}

#[test]
fn a38_a_value_that_is_not_utf_8_starts_a_new_trace() {
    let mut with_bytes = request(ALL_FORMATS, Direction::Inbound, &[]);
    let mut value_bytes = format!("00-{T}-{S}-01").into_bytes();
    value_bytes[20] = 0xff;
    with_bytes.headers.push(("traceparent", value_bytes));
    with_bytes.headers.push(("x-uber", vec![0xff, 0x80]));
    with_bytes.headers[4].1 = vec![0xc3, 0x28];
    let outcome = with_bytes.exchange();
    assert!(
        value(&outcome, "traceparent").is_some_and(|value| value.starts_with("00-{new 0}-")),
        "{outcome:?}"
    );
    assert_eq!(outcome.counters["context.tracecontext.malformed"], 1);
    assert_eq!(outcome.counters["context.refused.trace_id"], 1);
}

#[test]
fn an_empty_configuration_changes_no_byte_of_a_request_without_context() {
    for configuration in ["", "{}"] {
        let plain = request(
            configuration,
            Direction::Inbound,
            &[("tracestate", "foo=1".into()), ("baggage", "a=1".into())],
        );
        let outcome = plain.exchange();
        let sent: Vec<_> = plain
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    (*name).to_owned(),
                    String::from_utf8_lossy(value).into_owned(),
                )
            })
            .collect();
        assert_eq!(outcome.headers, sent);
        assert!(outcome.spans.is_empty() && outcome.counters.is_empty());
    }
}

#[test]
fn an_empty_configuration_leaves_an_undecided_context_undecided() {
    let outcome = request("{}", Direction::Inbound, &[("b3", format!("{T}-{S}"))]).exchange();
    assert_eq!(value(&outcome, "traceparent"), None);
    assert_eq!(value(&outcome, "b3"), Some(format!("{T}-{S}")));
    assert_eq!(value(&outcome, "x-b3-sampled"), None);
    assert_eq!(value(&outcome, "x-b3-traceid").as_deref(), Some(T));
}

#[test]
fn an_unsampled_request_costs_no_more_hostcalls_than_it_writes_headers() {
    let never_kept = ALL_FORMATS.replace(
        r#""percentage": 100"#,
        r#""percentage": 100, "keep": {"errors": false}"#,
    );
    let mut guest = Guest::start(&never_kept);
    let unsampled = request(
        &never_kept,
        Direction::Inbound,
        &[("traceparent", format!("00-{T}-{S}-00"))],
    );
    // The first request draws randomness for many.
    guest.request(Direction::Inbound, &unsampled.headers, 200);
    guest.host.clear_transcript();
    guest.request(Direction::Inbound, &unsampled.headers, 200);
    // One read of the map; traceparent, b3 and three of B3 multi written.
    let transcript = guest.host.transcript();
    assert_eq!(transcript.total(), 6, "{:?}", transcript.calls());
}

/// Replaces each byte of the valid header by each of the 256 values: no trap, and the guest does what the native core does.
fn replaces_every_byte(name: &'static str, valid: &str, others: &[(&'static str, String)]) {
    let mut guest = Guest::start(TRANSLATE);
    // All 256, or fewer where `SIDESPAN_LOAD` asks for less: then others at each place.
    let step = usize::try_from(256 / effort::share(256, 64)).expect("a small number");
    for at in 0..valid.len() {
        for byte in (0..=255_u8).skip(at % step).step_by(step) {
            let mut changed = valid.as_bytes().to_vec();
            changed[at] = byte;
            let mut asked = request(TRANSLATE, Direction::Inbound, others);
            asked.headers.push((name, changed));
            let native = asked.natively().headers;
            let headers = guest.request(Direction::Inbound, &asked.headers, 200);
            assert_eq!(headers, native, "{name} with {byte:#04x} at {at}");
        }
    }
}

/// A configuration that only translates, which draws no ids, so that the two outputs need no names for them.
const TRANSLATE: &str = r#"{"propagation": {"inject": ["tracecontext", "b3multi", "b3"]}}"#;

#[test]
fn no_byte_in_traceparent_traps_the_guest() {
    replaces_every_byte(
        "traceparent",
        &format!("00-{T}-{S}-01"),
        &[("tracestate", "foo=1".into())],
    );
}

#[test]
fn no_byte_in_tracestate_traps_the_guest() {
    replaces_every_byte(
        "tracestate",
        "foo=1, bar@x=a b,,z=2",
        &[("traceparent", format!("00-{T}-{S}-01"))],
    );
}

#[test]
fn no_byte_in_b3_traps_the_guest() {
    replaces_every_byte("b3", &format!("{T}-{S}-1-{S}"), &[]);
}

#[test]
fn no_byte_in_b3_multi_traps_the_guest() {
    let headers = [
        ("x-b3-traceid", T),
        ("x-b3-spanid", S),
        ("x-b3-parentspanid", S),
        ("x-b3-sampled", "1"),
        ("x-b3-flags", "1"),
    ];
    for (name, valid) in headers {
        let others: Vec<_> = headers
            .iter()
            .filter(|(other, _)| *other != name)
            .map(|(other, value)| (*other, (*value).to_owned()))
            .collect();
        replaces_every_byte(name, valid, &others);
    }
}

fn to(path: &str, user_agent: &str, mut request: Request) -> Request {
    for (name, value) in &mut request.headers {
        match *name {
            ":path" => *value = path.into(),
            "user-agent" => *value = user_agent.into(),
            _ => {}
        }
    }
    request
}

#[test]
fn mf_13_the_exclude_list_says_the_same_in_both_worlds() {
    let lists = r#"
        "sampling": {"percentage": 100, "exclude": [
            {"path": "/health"}, {"userAgent": "kube-probe/*"}, {"path": "/orders/{id}", "method": ["GET", "HEAD"]},
            {"path": "/labels", "labels": {"app": "c*t"}}, {"path": "/other-labels", "labels": {"app": "shop"}},
            {"path": "/no-labels", "labels": {"tier": "*"}}, {"path": "/namespace", "namespace": "pay*"},
            {"path": "/out", "direction": "outbound"}, {"path": "/canary", "headers": {"x-canary": "y*"}}
        ]},
        "gateway": {"exclude": [{"path": "/edge"}]},
        "export": {"otlp": {"cluster": "collector", "protocol": "http/protobuf"}}"#;
    let (inbound, outbound, edge) = (Direction::Inbound, Direction::Outbound, Direction::Edge);
    for trust in ["accept", "ignore"] {
        let configuration = format!(r#"{{"trust": {{"context": "{trust}"}}, {lists}}}"#);
        for (path, user_agent, direction, is_excluded) in [
            ("/health", "curl/8", inbound, true),
            ("/health?full", "curl/8", outbound, true),
            ("/healthy", "curl/8", inbound, false),
            ("/", "kube-probe/1.31", inbound, true),
            ("/", "a kube-probe/1.31", inbound, false),
            ("/orders/7", "curl/8", inbound, true),
            ("/orders/7/items", "curl/8", inbound, false),
            ("/labels", "curl/8", inbound, true),
            ("/other-labels", "curl/8", inbound, false),
            ("/no-labels", "curl/8", inbound, false),
            ("/namespace", "curl/8", inbound, true),
            ("/out", "curl/8", outbound, true),
            ("/out", "curl/8", inbound, false),
            ("/canary", "curl/8", inbound, true),
            ("/edge", "curl/8", edge, true),
            ("/edge", "curl/8", inbound, false),
            ("/health", "curl/8", edge, false),
        ] {
            let sent = [
                ("traceparent", format!("00-{T}-{S}-01")),
                ("x-canary", "no".into()),
                ("x-canary", "yes".into()),
            ];
            let request = to(path, user_agent, request(&configuration, direction, &sent));
            let outcome = request.exchange();
            let excluded = outcome.counters.get("dropped.exclude").copied();
            assert_eq!(excluded.is_some(), is_excluded, "{path} {direction:?}");
            assert_eq!(outcome.spans.is_empty(), is_excluded, "{path}");
            let parent = value(&outcome, "traceparent");
            match (is_excluded, trust) {
                (true, "accept") => assert_eq!(parent.as_ref(), Some(&sent[0].1), "{path}"),
                (true, _) => assert_eq!(parent, None, "{path}"),
                (false, _) => assert!(parent.is_some_and(|it| !it.contains(S)), "{path}"),
            }
        }
    }
}

#[test]
fn mf_13_an_excluded_request_costs_one_hostcall() {
    let mut guest = Guest::start(ALL_FORMATS);
    let sent = [("traceparent", format!("00-{T}-{S}-01"))];
    let probe = to(
        "/healthz",
        "kube-probe/1.31",
        request(ALL_FORMATS, Direction::Inbound, &sent),
    );
    guest.host.clear_transcript();
    guest.request(Direction::Inbound, &probe.headers, 200);
    let transcript = guest.host.transcript();
    assert_eq!(transcript.total(), 1, "{:?}", transcript.calls());
}

#[test]
fn bg_21_baggage_becomes_attributes_alike_in_both_worlds() {
    let configuration = r#"{
        "spans": {"attributes": [
            {"name": "tenant", "baggage": "tenant.id"}, {"name": "plan", "baggage": "plan", "default": "free"}
        ]},
        "sampling": {"percentage": 100},
        "export": {"otlp": {"cluster": "collector", "protocol": "http/protobuf"}}
    }"#;
    for (baggage, tenant, plan) in [
        ("tenant.id=ac%20me,plan=gold;p=1", Some("ac me"), "gold"),
        ("tenant.id=%ff", Some("\u{fffd}"), "free"),
        ("other=1", None, "free"),
    ] {
        let sent = [("baggage", baggage.to_owned())];
        let outcome = request(configuration, Direction::Edge, &sent).exchange();
        assert_eq!(outcome.spans.len(), 2, "{baggage}");
        for span in &outcome.spans {
            let text = |key: &str| {
                let found = span.attributes.iter().find(|it| it.key == key)?;
                match found.value.as_ref()?.value.as_ref()? {
                    Value::StringValue(text) => Some(text.as_str()),
                    other => panic!("{other:?}"),
                }
            };
            assert_eq!(text("tenant"), tenant, "{baggage}");
            assert_eq!(text("plan"), Some(plan), "{baggage}");
        }
        assert_eq!(value(&outcome, "baggage").as_deref(), Some(baggage));
    }
}
