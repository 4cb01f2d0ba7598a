//! Edges: no response that leaves the mesh names a trace, whatever was decided on the request, by whichever side.

use sidespan_host::{Action, EndOfStream, Ending, Headers, Host, StreamProperties};
use sidespan_tests::worlds::module;

const WORD: &str = "trace;desc=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn no_word_leaves_at_an_edge_whatever_was_decided() {
    let export = r#""export": {"otlp": {"cluster": "collector"}}"#;
    let edge = format!(r#""direction": "edge", {export}"#);
    for (what, more, path, strips) in [
        ("sampled", edge.as_str(), "/01", true),
        ("held", &edge, "/00", true),
        ("excluded", &edge, "/healthz", true),
        ("not exported", r#""direction": "edge""#, "/01", true),
        (
            "sampled, of a listener that is an edge",
            export,
            "/01",
            true,
        ),
        ("held, of a listener that is an edge", export, "/00", true),
        (
            "inbound",
            r#""direction": "inbound", "export": {"otlp": {"cluster": "collector"}}"#,
            "/01",
            false,
        ),
    ] {
        for keep in [r#"{}"#, r#"{"tell": false}"#, r#"{"errors": false}"#] {
            let configuration =
                format!(r#"{{"sampling": {{"percentage": 0, "keep": {keep}}}, {more}}}"#);
            // The filter asks for a listener's direction only where something depends on it.
            let is_asked = !(what.starts_with("held, of") && keep.contains("errors"));
            let strips = (strips && is_asked) || keep.contains("tell");
            let said = answered(&configuration, path);
            let expected = match strips {
                true => vec!["db;dur=53, app;dur=1"],
                false => vec!["db;dur=53", WORD, "app;dur=1"],
            };
            assert_eq!(said, expected, "{what}, {keep}");
        }
    }
    let said = answered(r#"{"direction": "edge"}"#, "/01");
    assert_eq!(said.len(), 3, "who only translates leaves responses alone");
}

/// Returns the lines of `server-timing` of the response to a request whose flags are the path.
fn answered(configuration: &str, path: &str) -> Vec<String> {
    let mut host = Host::builder(module())
        .plugin_name("sidespan")
        .plugin_configuration(configuration)
        .cluster("collector")
        .start()
        .unwrap_or_else(|error| panic!("{error}"));
    let stream = host.open_stream(StreamProperties::new());
    let flags = path.strip_prefix("/0").unwrap_or("0");
    let traceparent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0{flags}");
    let request = [
        (":method", "GET"),
        (":path", path),
        (":authority", "shop"),
        (":scheme", "http"),
        ("traceparent", &traceparent),
    ];
    let response: Headers = [
        (":status", "200"),
        ("server-timing", "db;dur=53"),
        ("server-timing", WORD),
        ("server-timing", "app;dur=1"),
    ]
    .into_iter()
    .collect();
    let asked = host.request_headers(stream, request, EndOfStream::Yes);
    let answered = host.response_headers(stream, response, EndOfStream::Yes);
    assert_eq!([asked, answered], [Action::Continue; 2]);
    let ended = host.end(stream, Ending::Complete).expect("one end");
    assert_eq!(host.trap(), None);
    let headers = ended.response().headers().expect("a response");
    headers
        .all("server-timing")
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect()
}
