use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::{format, vec};

use prost::Message;

use super::*;
use crate::config::Config;
use crate::in_memory::header_list::HeaderList;
use crate::in_memory::stream_record::Record;
use crate::semconv::http::forwarded::Believed;
use crate::semconv::settings::{AttributeSource, CustomAttribute};
use crate::stream_info::source::PassingResponse;

const REQUEST: [(&str, &str); 4] = [
    (":method", "GET"),
    (":scheme", "http"),
    (":authority", "shop.example"),
    (":path", "/cart/7?color=blue"),
];

fn spans(json: &str) -> Spans {
    let config = format!(r#"{{"spans": {json}}}"#);
    Config::parse(config.as_bytes()).unwrap().spans
}

/// Returns the attributes of a span of this kind at its end, without `sidespan.decision`.
fn said(
    spans: &Spans,
    kind: SpanKind,
    headers: &[(&str, &str)],
    exchange: &Record,
) -> BTreeMap<String, String> {
    let node = Node {
        variables: vec![("BUILD".into(), "77".into())],
        ..Node::default()
    };
    said_by(&node, spans, kind, headers, exchange)
}

fn said_by(
    node: &Node,
    spans: &Spans,
    kind: SpanKind,
    headers: &[(&str, &str)],
    exchange: &Record,
) -> BTreeMap<String, String> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let list = HeaderList::new(headers.iter().copied());
    let request = list.as_request();
    let descriptions = SpanDescriber::new(spans, node);
    let forwarded = &Forwarded::read(&request, Believed::All);
    let facts = descriptions.facts(&request, forwarded);
    let pairs = list.pairs();
    let start = SpanStart {
        kind,
        reason: Reason::Default,
        block: Vec::new(),
    };
    let mut out = descriptions.begin(start, &facts, &request, forwarded, pairs);
    let told = Answers::nothing(exchange);
    let heard = &mut Vec::new();
    for part in [ResponsePart::Headers, ResponsePart::Trailers] {
        descriptions.read_response(part, exchange, heard);
    }
    let passed = exchange.response_trailer("grpc-status");
    let passed = passed.or_else(|| exchange.response_header("grpc-status"));
    let ending = ResponseOutcome {
        grpc_status: passed.filter(|_| facts.is_rpc()),
        ..ResponseOutcome::read(&told)
    };
    let outcome = descriptions.end(kind, &facts, &mut out, &ending, heard, &told);
    let span = opentelemetry_proto::tonic::trace::v1::Span::decode(out.as_encoded()).unwrap();
    let count = span.attributes.len();
    let mut found: BTreeMap<_, _> = span
        .attributes
        .into_iter()
        .map(|attribute| match attribute.value.unwrap().value.unwrap() {
            Value::StringValue(text) => (attribute.key, text),
            Value::IntValue(number) => (attribute.key, format!("{number} (int)")),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(found.len(), count, "MS-6: each attribute once");
    assert_eq!(
        found.remove("sidespan.decision").as_deref(),
        Some("default")
    );
    found.insert("name".into(), outcome.name.into_owned());
    found.insert("status".into(), format!("{:?}", outcome.status));
    found
}

fn map(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
    rows.iter()
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

fn answered() -> Record {
    Record::answered(200)
        .property("source.address", "10.0.0.9:4711")
        .property("upstream.address", "[fd00::7]:8080")
        .property("request.protocol", "HTTP/1.1")
        .number("upstream.request_attempt_count", 3)
        .number("response.flags", 0)
}

#[test]
fn section_7_1_and_7_2_say_where_a_request_came_from_and_where_it_went() {
    let server = said(&Spans::default(), SpanKind::Server, &REQUEST, &answered());
    let expected = map(&[
        ("client.address", "10.0.0.9"),
        ("http.request.method", "GET"),
        ("http.response.status_code", "200 (int)"),
        ("name", "GET"),
        ("network.peer.address", "10.0.0.9"),
        ("network.peer.port", "4711 (int)"),
        ("network.protocol.version", "1.1"),
        ("server.address", "shop.example"),
        ("server.port", "80 (int)"),
        ("status", "Unset"),
        ("url.path", "/cart/7"),
        ("url.query", "color=blue"),
        ("url.scheme", "http"),
    ]);
    assert_eq!(server, expected);
    let client = said(&Spans::default(), SpanKind::Client, &REQUEST, &answered());
    let expected = map(&[
        ("http.request.method", "GET"),
        ("http.request.resend_count", "2 (int)"),
        ("http.response.status_code", "200 (int)"),
        ("name", "GET"),
        ("network.peer.address", "fd00::7"),
        ("network.peer.port", "8080 (int)"),
        ("server.address", "shop.example"),
        ("server.port", "80 (int)"),
        ("status", "Unset"),
        ("url.full", "http://shop.example/cart/7?color=blue"),
    ]);
    assert_eq!(client, expected);
}

#[test]
fn rs_4_names_the_service_that_is_called_where_istio_does() {
    let called = answered().property(
        "xds.cluster_name",
        "outbound|80||cart.shop.svc.cluster.local",
    );
    let peers = |json: &str, kind| {
        let mut found = said(&spans(json), kind, &REQUEST, &called);
        found.retain(|key, _| key.contains("peer.") && !key.contains("net"));
        found
    };
    let stable = map(&[
        ("service.peer.name", "cart"),
        ("service.peer.namespace", "shop"),
    ]);
    let old = map(&[("peer.service", "cart")]);
    let mut both = stable.clone();
    both.extend(old.clone());
    for (json, expected) in [
        ("{}", stable),
        (r#"{"conventions": "old"}"#, old),
        (r#"{"conventions": "both"}"#, both),
        (
            r#"{"omit": ["service.peer.name"]}"#,
            map(&[("service.peer.namespace", "shop")]),
        ),
        (
            r#"{"omit": ["peer.service", "service.peer.namespace"], "conventions": "both"}"#,
            map(&[]),
        ),
    ] {
        assert_eq!(peers(json, SpanKind::Client), expected, "{json}");
        assert_eq!(peers(json, SpanKind::Server), map(&[]), "{json}");
    }
    let elsewhere = answered().property("xds.cluster_name", "outbound|443||api.vendor.example");
    let found = said(&Spans::default(), SpanKind::Client, &REQUEST, &elsewhere);
    assert!(!found.contains_key("service.peer.name"), "{found:?}");
}

#[test]
fn section_7_1_takes_nobody_for_the_peer_who_is_not_at_the_connection() {
    let told = Record::answered(200).property("source.address", "203.0.113.9:0");
    let behind: Vec<_> = REQUEST
        .iter()
        .copied()
        .chain([("x-forwarded-for", "203.0.113.9")])
        .collect();
    // Envoy can also be told by a header of somebody's own, which nobody here has read.
    for headers in [&behind, REQUEST.as_slice()] {
        let found = said(&Spans::default(), SpanKind::Server, headers, &told);
        assert_eq!(found["client.address"], "203.0.113.9");
        assert!(!found.contains_key("network.peer.address"), "{found:?}");
        assert!(!found.contains_key("network.peer.port"), "{found:?}");
    }
    let omit = spans(r#"{"omit": ["client.address"]}"#);
    let found = said(&omit, SpanKind::Server, &behind, &told);
    assert!(found.values().all(|value| !value.contains("203.0.113.9")));
}

#[test]
fn the_client_that_is_left_out_is_left_out_as_the_peer_too() {
    let omit = spans(r#"{"omit": ["client.address"]}"#);
    let alone = said(&omit, SpanKind::Server, &REQUEST, &answered());
    assert!(alone.values().all(|value| !value.contains("10.0.0.9")));
    let behind: Vec<_> = REQUEST
        .into_iter()
        .chain([("x-forwarded-for", "203.0.113.7")])
        .collect();
    let found = said(&omit, SpanKind::Server, &behind, &answered());
    assert!(!found.contains_key("client.address"));
    // A proxy's, or the client's that made up the header: nobody can tell.
    assert!(!found.contains_key("network.peer.address"));
    let omit = spans(r#"{"omit": ["network.peer.address", "network.peer.port"]}"#);
    let found = said(&omit, SpanKind::Server, &REQUEST, &answered());
    assert_eq!(found["client.address"], "10.0.0.9");
    assert!(!found.contains_key("network.peer.address"));
}

#[test]
fn st_3_keeps_the_flags_beside_the_status_and_the_reason_where_it_failed() {
    let local = Record::answered(503)
        .number("response.flags", 0x2)
        .property("response.code_details", "no_healthy_upstream");
    let found = said(&Spans::default(), SpanKind::Server, &REQUEST, &local);
    assert_eq!(found["error.type"], "503");
    assert_eq!(found["sidespan.response_flags"], "UH");
    assert_eq!(
        found["sidespan.response_code_details"],
        "no_healthy_upstream"
    );
    let fine = answered().property("response.code_details", "via_upstream");
    let found = said(&Spans::default(), SpanKind::Server, &REQUEST, &fine);
    assert!(
        found
            .keys()
            .all(|key| !key.starts_with("sidespan.response"))
    );
}

#[test]
fn section_7_6_names_a_call_by_its_method_and_its_status_by_the_trailers() {
    let call = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "cart:9000"),
        (":path", "/shop.v1.Cart/Add"),
        ("content-type", "application/grpc"),
        ("user-agent", "grpc-go/1.80"),
    ];
    let done = answered().trailer("grpc-status", "5");
    let found = said(&Spans::default(), SpanKind::Client, &call, &done);
    let expected = map(&[
        ("error.type", "NOT_FOUND"),
        ("http.request.resend_count", "2 (int)"),
        ("http.response.status_code", "200 (int)"),
        ("name", "shop.v1.Cart/Add"),
        ("network.peer.address", "fd00::7"),
        ("network.peer.port", "8080 (int)"),
        ("rpc.method", "shop.v1.Cart/Add"),
        ("rpc.response.status_code", "NOT_FOUND"),
        ("rpc.system.name", "grpc"),
        ("server.address", "cart"),
        ("server.port", "9000 (int)"),
        ("status", "Error"),
    ]);
    assert_eq!(found, expected);
    let trailers_only = answered().header("grpc-status", "14");
    let found = said(&Spans::default(), SpanKind::Server, &call, &trailers_only);
    assert_eq!(found["rpc.response.status_code"], "UNAVAILABLE", "RP-5");
    assert_eq!(found["status"], "Error");
}

#[test]
fn rs_2_puts_istios_tags_on_every_span() {
    let node = Node {
        canonical_service: Some("cart".into()),
        mesh: Some("cluster.local".into()),
        ..Node::default()
    };
    let of = |spans: &Spans| said_by(&node, spans, SpanKind::Server, &REQUEST, &answered());
    let found = of(&Spans::default());
    assert_eq!(found["istio.canonical_service"], "cart");
    assert_eq!(found["istio.canonical_revision"], "latest");
    assert_eq!(found["istio.mesh_id"], "cluster.local");
    let found = of(&spans(
        r#"{"omit": ["istio.mesh_id"], "conventions": "both"}"#,
    ));
    assert!(!found.contains_key("istio.mesh_id"));
    assert_eq!(found["istio.canonical_service"], "cart");
}

#[test]
fn configured_attributes_come_from_their_sources_or_their_defaults() {
    let attributes = spans(
        r#"{"attributes": [
            {"name": "a.request", "requestHeader": "x-a"},
            {"name": "a.response", "responseHeader": "x-b"},
            {"name": "a.literal", "literal": "prod"},
            {"name": "a.environment", "environment": "BUILD"},
            {"name": "a.property", "property": "xds.cluster_name"},
            {"name": "a.number", "property": "response.size"},
            {"name": "a.boolean", "property": "connection.mtls"},
            {"name": "a.message", "property": "xds.node"},
            {"name": "a.host", "property": "request.host"},
            {"name": "a.path", "property": "request.url_path"},
            {"name": "a.of_request", "property": "request.headers.x-a"},
            {"name": "a.of_response", "property": "response.headers.x-b"},
            {"name": "a.trailer", "property": "response.trailers.x-c"},
            {"name": "a.baggage", "baggage": "user"},
            {"name": "d.request", "requestHeader": "x-none", "default": "1"},
            {"name": "d.response", "responseHeader": "x-none", "default": "2"},
            {"name": "d.environment", "environment": "NONE", "default": "3"},
            {"name": "d.property", "property": "xds.none", "default": "4"},
            {"name": "n.environment", "environment": "NONE"},
            {"name": "n.request", "requestHeader": "x-none"}
        ]}"#,
    );
    let headers: Vec<_> = REQUEST
        .into_iter()
        .chain([("x-a", "1"), ("baggage", "user=7"), ("x-a", "2")])
        .collect();
    let exchange = answered()
        .header("x-b", "3")
        .header("x-b", "4")
        .trailer("x-c", "5")
        .property("xds.cluster_name", "outbound|80||cart")
        .number("response.size", 12)
        .property("connection.mtls", [1])
        .property("xds.node", b"\x0a\x03abc");
    let mut found = said(&attributes, SpanKind::Server, &headers, &exchange);
    found.retain(|key, _| key.as_bytes().get(1) == Some(&b'.'));
    let expected = map(&[
        ("a.baggage", "7"),
        ("a.boolean", "true"),
        ("a.environment", "77"),
        ("a.host", "shop.example"),
        ("a.literal", "prod"),
        ("a.number", "12"),
        ("a.of_request", "1,2"),
        ("a.of_response", "3,4"),
        ("a.path", "/cart/7"),
        ("a.property", "outbound|80||cart"),
        ("a.request", "1,2"),
        ("a.response", "3,4"),
        ("a.trailer", "5"),
        ("d.environment", "3"),
        ("d.property", "4"),
        ("d.request", "1"),
        ("d.response", "2"),
    ]);
    assert_eq!(found, expected);
}

#[test]
fn what_a_response_said_when_it_came_counts_at_an_end_that_cannot_read_it() {
    let attribute = CustomAttribute {
        name: "a".into(),
        source: AttributeSource::ResponseHeader("x-a".into()),
        default: None,
    };
    let spans = Spans {
        attributes: vec![attribute],
        ..Spans::default()
    };
    let descriptions = SpanDescriber::new(&spans, &Node::default());
    let mut early = Vec::new();
    let answer = Record::answered(200).header("x-a", "1");
    descriptions.read_response(ResponsePart::Headers, &answer, &mut early);
    descriptions.read_response(ResponsePart::Trailers, &Record::default(), &mut early);
    assert_eq!(early, [Some(b"1".to_vec())]);
    let list = HeaderList::new(REQUEST);
    let facts = descriptions.facts(&list.as_request(), &Forwarded::default());
    let mut out = Attributes::default();
    let nothing = Record::default();
    let kind = SpanKind::Client;
    descriptions.end(
        kind,
        &facts,
        &mut out,
        &ResponseOutcome::default(),
        &early,
        &Answers::nothing(&nothing),
    );
    let text = String::from_utf8_lossy(out.as_encoded()).into_owned();
    assert!(text.contains("a\u{12}\u{3}\n\u{1}1"), "{text:?}");
}

#[test]
fn never_panics_on_any_address() {
    for peer in [
        "",
        ":",
        "[",
        "]",
        "[::1",
        "/run/app.sock",
        "@app",
        "a:b:c",
        "1.2.3.4:99999",
        "envoy://",
        "envoy://back",
        "envoy:///:",
    ] {
        let exchange = answered()
            .property("source.address", peer)
            .property("request.protocol", peer);
        for kind in [SpanKind::Server, SpanKind::Client] {
            said(&Spans::default(), kind, &REQUEST, &exchange);
        }
    }
}

#[test]
fn an_operation_is_what_its_span_is_called() {
    let spans = spans(r#"{"routes": ["/cart/{id}"]}"#);
    let descriptions = SpanDescriber::new(&spans, &Node::default());
    let grpc = ("content-type", "application/grpc");
    for (method, path, content_type, expected) in [
        ("GET", "/cart/7?color=blue", None, "GET /cart/{id}"),
        ("PURGE", "/cart/7", None, "HTTP /cart/{id}"),
        ("POST", "/", None, "POST"),
        ("POST", "/shop.v1.Cart/Add", Some(grpc), "shop.v1.Cart/Add"),
        ("POST", "/cart/", Some(grpc), "grpc"),
    ] {
        let headers = [(":method", method), (":path", path)];
        let list = HeaderList::new(headers.into_iter().chain(content_type));
        let request = list.as_request();
        assert_eq!(descriptions.operation(&request), expected, "{path}");
        let facts = descriptions.facts(&request, &Forwarded::default());
        let name = facts.rpc.as_ref().map(rpc::Method::span_name);
        assert_eq!(name.unwrap_or(facts.name), expected, "{path}");
    }
}
