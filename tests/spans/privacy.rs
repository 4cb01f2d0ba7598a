//! Privacy: fields that no configuration asks for are in no byte that leaves. Every field of a request has a mark of its
//! own, and the export is searched for each.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use sidespan_host::{
    Action, EndOfStream, Ending, Headers, Host, LogLevel, StreamProperties, Value,
};
use sidespan_tests::worlds::module;

/// Fields of a request and of its response that no convention asks for, and those that are secrets.
const NEVER: [&str; 16] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "x-secret",
    "referer",
    "origin",
    "x-request-id",
    "x-forwarded-client-cert",
    "baggage",
    "uberctx-user",
    "ot-baggage-user",
    "accept",
    "if-none-match",
    "x-envoy-original-path",
    "grpc-message",
];
const RESPONSE: [&str; 6] = [
    "set-cookie",
    "location",
    "www-authenticate",
    "x-internal",
    "grpc-message",
    "server-timing",
];

fn mark(field: &str) -> String {
    format!("mark-of-{field}")
}

/// Exports the spans of one request in each direction and returns all bytes that left, as text.
fn exported(configuration: &str, content_type: &str) -> String {
    let mut host = Host::builder(module())
        .plugin_name("sidespan")
        .plugin_configuration(configuration)
        .environment("ENVIRONMENT", mark("environment"))
        .property(["xds", "node", "metadata", "SECRET"], mark("metadata"))
        .property(
            ["xds", "node", "metadata", "LABELS", "secret"],
            mark("label"),
        )
        .cluster("collector")
        .log_level(LogLevel::Debug)
        .start()
        .unwrap_or_else(|error| panic!("{error}"));
    for (direction, status) in [(1, "200"), (2, "503"), (0, "404")] {
        let properties = StreamProperties::new()
            .listener_direction(direction)
            .set("source.address", Value::from("10.0.0.9:4711"))
            .set("xds.route_name", Value::from(mark("route")))
            .set(
                "connection.uri_san_peer_certificate",
                Value::from(mark("peer")),
            );
        let stream = host.open_stream(properties);
        let user = "me:mark-of-password@shop.example";
        let path = "/cart?color=blue&sig=mark-of-sig&token=mark-of-token#mark-of-fragment";
        let usual = [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", user),
            (":path", path),
            ("content-type", content_type),
            (
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ),
        ];
        let mut headers: Vec<(String, String)> = usual
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        headers.extend(NEVER.map(|name| {
            let value = match name {
                "baggage" => format!("user={}", mark(name)),
                _ => mark(name),
            };
            (name.to_owned(), value)
        }));
        let headers: Headers = headers.into_iter().collect();
        let asked = host.request_headers(stream, headers, EndOfStream::Yes);
        let mut response = vec![(":status".to_owned(), status.to_owned())];
        response.extend(RESPONSE.map(|name| (name.to_owned(), mark(name))));
        let response: Headers = response.into_iter().collect();
        let answered = host.response_headers(stream, response, EndOfStream::Yes);
        assert_eq!([asked, answered], [Action::Continue; 2]);
        host.end(stream, Ending::Complete).expect("one end");
    }
    host.advance(Duration::from_secs(2));
    assert_eq!(host.trap(), None);
    let mut text = String::new();
    for call in host.calls() {
        let request = ExportTraceServiceRequest::decode(&call.body[..]).expect("OTLP");
        let spans: usize = request
            .resource_spans
            .iter()
            .flat_map(|resource| &resource.scope_spans)
            .map(|scope| scope.spans.len())
            .sum();
        assert_eq!(spans, 4, "one for each side");
        text.push_str(&String::from_utf8_lossy(&call.body));
        for (name, value) in call.headers.iter() {
            text.push_str(&String::from_utf8_lossy(name));
            text.push_str(&String::from_utf8_lossy(value));
        }
    }
    // A log leaves the pod as well.
    for line in host.take_logs() {
        text.push_str(&line.text);
    }
    text
}

const EXPORT: &str = r#""sampling": {"percentage": 100},
    "export": {"otlp": {"cluster": "collector", "protocol": "http/protobuf"}}"#;

#[test]
fn nothing_leaves_that_was_not_asked_for() {
    for content_type in ["text/plain", "application/grpc"] {
        let text = exported(&format!("{{{EXPORT}}}"), content_type);
        assert!(text.contains("sidespan.decision"), "{text}");
        let found: Vec<&str> = text
            .match_indices("mark-of-")
            .map(|(at, _)| text[at..].split(['&', '\n', '"']).next().unwrap_or(""))
            // The convention records the query, and hides its secrets.
            .filter(|found| !found.starts_with("mark-of-token"))
            .collect();
        assert_eq!(found, [""; 0], "{content_type}");
    }
}

#[test]
fn what_is_hidden_or_left_out_does_not_leave_either() {
    for spans in [
        r#"{"redactQuery": ["token"]}"#,
        r#"{"omit": ["url.query"]}"#,
        r#"{"omit": ["url.query"], "conventions": "both"}"#,
        r#"{"omit": ["url.query"], "conventions": "old"}"#,
    ] {
        let text = exported(&format!(r#"{{{EXPORT}, "spans": {spans}}}"#), "text/plain");
        assert!(!text.contains("mark-of-"), "{spans}: {text}");
    }
}

#[test]
fn what_was_asked_for_leaves() {
    let spans = r#"{"attributes": [
        {"name": "a", "requestHeader": "x-secret"},
        {"name": "b", "responseHeader": "x-internal"},
        {"name": "c", "baggage": "user"},
        {"name": "d", "environment": "ENVIRONMENT"},
        {"name": "e", "property": "xds.route_name"}
    ]}"#;
    let text = exported(&format!(r#"{{{EXPORT}, "spans": {spans}}}"#), "text/plain");
    for field in ["x-secret", "x-internal", "baggage", "environment", "route"] {
        let count = text.matches(&mark(field)).count();
        assert_eq!(count, 4, "{field}: {text}");
    }
}
