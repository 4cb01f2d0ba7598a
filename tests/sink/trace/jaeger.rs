//! A Jaeger as the source: answers that Jaeger 1.76 gave, behind paths that are asked for as it documents them.

use sidespan_tests::http::{Received, Reply, Server};

use super::trace;

const V3: [&str; 3] = [
    include_str!("jaeger/v3-services.json"),
    include_str!("jaeger/v3-traces.json"),
    include_str!("jaeger/v3-unknown.json"),
];
const LEGACY: [&str; 3] = [
    include_str!("jaeger/api-services.json"),
    include_str!("jaeger/api-traces.json"),
    include_str!("jaeger/api-unknown.json"),
];

fn answer(status: u16, body: &str) -> Reply {
    let json = ("content-type".to_owned(), "application/json".to_owned());
    Reply::Answer(status, vec![json], body.as_bytes().to_vec())
}

/// A Jaeger that knows one trace: everything else than its API is its page, with 200.
fn jaeger(prefix: &'static str, answers: [&'static str; 3], id: &'static str) -> Server {
    Server::start(move |request: &Received| {
        let path = request.path.split('?').next().unwrap_or_default();
        match path.strip_prefix(prefix) {
            Some("/services") => answer(200, answers[0]),
            Some("/traces") => answer(200, answers[1]),
            Some(one) if one == format!("/traces/{id}") => answer(200, answers[1]),
            Some(one) if one.starts_with("/traces/") => answer(404, answers[2]),
            _ => answer(200, "<!doctype html><title>Jaeger UI</title>"),
        }
    })
}

#[test]
fn its_newer_api_is_searched_and_drawn() {
    let id = "ebc0ab73f5b2b6bf8668d6e3e16f825d";
    let server = jaeger("/api/v3", V3, id);
    let from = format!("http://{}", server.address());
    let since = ["--since", "2026-11-01T00:00:00Z"];
    let asked = ["--from", &from, "--service", "frontend", "--name", "GET"];
    let list = trace(&[&asked[..], &since, &["--min-duration", "1ms"]].concat());
    assert_eq!(list.code, Some(0), "{list:?}");
    assert!(list.out.contains(id), "{list:?}");
    let path = server.last().path;
    for part in [
        "/api/v3/traces?query.service_name=frontend&query.operation_name=GET",
        "&query.start_time_min=2026-11-01T00%3A00%3A00Z&query.start_time_max=",
        "&query.duration_min=1000000ns",
        "&query.num_traces=20",
    ] {
        assert!(path.contains(part), "{part}: {path}");
    }
    // What Jaeger cannot search for is looked for here.
    let none = trace(&[&asked[..], &since, &["--status", "error"]].concat());
    assert_eq!(none.code, Some(1), "{none:?}");
    assert!(server.last().path.contains("query.num_traces=1500"));
    let drawn = trace(&["--from", &from, &id.to_uppercase()]);
    assert_eq!(drawn.code, Some(0), "{drawn:?}");
    for part in ["2 spans", "frontend", "SERVER", "CLIENT"] {
        assert!(drawn.out.contains(part), "{part}: {}", drawn.out);
    }
    assert_eq!(trace(&["--from", &from, &"f".repeat(32)]).code, Some(1));
    let short = trace(&["--from", &from, "ebc0"]);
    assert_eq!(short.code, Some(2), "{short:?}");
    assert!(short.errors.contains("whole id"), "{short:?}");
}

#[test]
fn its_older_api_is_read_where_the_newer_is_absent() {
    let id = "aa0b4bba4c9166f9744a7df45a078d0c";
    let server = jaeger("/api", LEGACY, id);
    let from = format!("http://{}", server.address());
    let since = ["--since", "2026-11-01T00:00:00Z"];
    let asked = ["--from", &from, "--status", "error"];
    let list = trace(&[&asked[..], &since].concat());
    assert_eq!(list.code, Some(0), "{list:?}");
    assert!(list.out.contains(id), "{list:?}");
    assert_eq!(
        list.out.lines().count(),
        2,
        "every service has the same: {list:?}"
    );
    let drawn = trace(&["--from", &from, id]);
    assert_eq!(drawn.code, Some(0), "{drawn:?}");
    // The filter kept it, and Jaeger's tags say so.
    for part in ["1 error, 1 kept* (error)", "frontend GET", "!*", "134.6ms"] {
        assert!(drawn.out.contains(part), "{part}: {}", drawn.out);
    }
    assert_eq!(trace(&["--from", &from, &"f".repeat(32)]).code, Some(1));
}

#[test]
fn what_is_neither_a_sink_nor_a_jaeger_is_told_so() {
    let server = Server::start(|_| Reply::status(404));
    let from = format!("http://{}", server.address());
    let ended = trace(&["--from", &from]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended
            .errors
            .contains("neither a sink of this version nor Jaeger"),
        "{ended:?}"
    );
}
