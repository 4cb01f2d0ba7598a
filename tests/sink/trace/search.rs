//! The search, which means the same whatever the source is.

use std::fs;

use prost::Message;
use serde_json::{Value, json};
use sidespan_sink::otlp_json::read_request;
use sidespan_sink::{Access, Place, Sink, SinkConfig};
use sidespan_tests::ports::free_address;

use super::super::client::{PROTOBUF, TRACES, packed, post};
use super::{line, span, trace, trace_of};

/// Three traces: of cart, of web with an error, and of both, the newest last.
fn lines() -> String {
    let [a, b, c] = ["a", "b", "c"].map(|digit| digit.repeat(32));
    let mut failed = span(&b, "2222222222222222", "", "GET /pay", (1_000, 1_250));
    failed["status"] = json!({"code": 2});
    failed["attributes"] =
        json!([{"key": "http.response.status_code", "value": {"intValue": "503"}}]);
    line(
        "cart",
        &[span(&a, "1111111111111111", "", "GET /cart", (0, 20))],
    ) + "\n"
        + &line("web", &[failed])
        + &line(
            "web",
            &[span(&c, "3333333333333333", "", "GET /", (2_000, 2_100))],
        )
        + &line(
            "cart",
            &[span(
                &c,
                "4444444444444444",
                "3333333333333333",
                "GET /cart",
                (2_010, 2_020),
            )],
        )
}

async fn send(sink: &Sink) {
    for line in lines().lines().filter(|line| !line.is_empty()) {
        let (request, _) = read_request(line.as_bytes()).expect("OTLP in JSON");
        let body = request.encode_to_vec();
        let answer = post(sink.http_addr(), TRACES, &[PROTOBUF], body).await;
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_means_the_same_for_a_sink_a_file_and_a_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    let config = SinkConfig {
        place: Place::File(path("spans.db").into()),
        ..SinkConfig::default()
    };
    let sink = Sink::start(config).await.expect("free ports");
    send(&sink).await;
    let mut sources = vec![format!("http://{}", sink.http_addr()), path("spans.db")];
    // By their first bytes, whatever their names.
    for compression in ["identity", "gzip", "zstd"] {
        let name = path(compression);
        fs::write(&name, packed(compression, lines().as_bytes())).expect("a file");
        sources.push(name);
    }
    let rows: [(&[&str], &str); 14] = [
        (&[], "cba"),
        (&["--limit", "2"], "cb"),
        (&["--service", "cart"], "ca"),
        (&["--name", "GET /cart"], "ca"),
        (&["--status", "error"], "b"),
        (&["--status", "UNSET", "--service", "web"], "c"),
        (&["--kind", "server"], "cba"),
        (&["--min-duration", "0.1s"], "cb"),
        (&["--max-duration", "20ms"], "ca"),
        (&["--attribute", "http.response.status_code=503"], "b"),
        (&["--since", "2023-11-14T22:13:21Z"], "cb"),
        (&["--until", "2023-11-14T22:13:20Z"], "a"),
        (&["--since", "15m"], ""),
        (&["--service", "nobody"], ""),
    ];
    for source in &sources {
        for (conditions, expected) in rows {
            let mut arguments = vec!["--from", source, "--json"];
            arguments.extend(conditions);
            let ended = trace(&arguments);
            let code = if expected.is_empty() { 1 } else { 0 };
            assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:?}");
            let found: Value = serde_json::from_str(&ended.out).expect("JSON");
            let found: String = found["traces"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|trace| &trace["traceId"].as_str().expect("an id")[..1])
                .collect();
            assert_eq!(found, expected, "{arguments:?}");
        }
        let list = trace(&["--from", source, "--width", "120"]);
        let expected = "\
start                       took spans errors services         root                     trace id
2023-11-14T22:13:22.000Z 100.0ms     2      - cart,web         web GET /                cccccccccccccccccccccccccccccccc
2023-11-14T22:13:21.000Z 250.0ms     1     1! web              web GET /pay             bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
2023-11-14T22:13:20.000Z  20.0ms     1      - cart             cart GET /cart           aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
";
        assert_eq!(list.out, expected, "{source}");
        for id in ["B", "bb", &"b".repeat(32)] {
            let ended = trace(&["--from", source, id]);
            assert_eq!(ended.code, Some(0), "{source} {id}: {ended:?}");
            assert!(ended.out.contains("GET /pay"), "{source} {id}: {ended:?}");
        }
        assert_eq!(trace(&["--from", source, "d"]).code, Some(1), "{source}");
    }
    // From a pipe too.
    let piped = trace_of(&["--from", "-", "--status", "error"], lines().as_bytes());
    assert_eq!(piped.code, Some(0), "{piped:?}");
    assert!(piped.out.contains(&"b".repeat(32)), "{piped:?}");
}

#[test]
fn a_beginning_that_two_traces_have_is_told_with_both() {
    let (a, b) = ("a".repeat(32), format!("ab{}", "0".repeat(30)));
    let spans = [a.as_str(), &b].map(|id| span(id, "1111111111111111", "", "x", (0, 1)));
    let ended = trace_of(&["--from", "-", "a"], line("web", &spans).as_bytes());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for part in ["2 traces begin with a: give more digits", &a, &b] {
        assert!(ended.errors.contains(part), "{ended:?}");
    }
}

#[test]
fn wrong_use_and_a_source_that_is_away_are_told_with_the_cure() {
    let away = format!("http://{}", free_address());
    for (arguments, part) in [
        (
            &["--from", &away][..],
            "start a sink there with `sidespan sink`, or name another place with --from",
        ),
        (
            &["--from", "http://"],
            "expected a URL such as http://127.0.0.1:4318",
        ),
        (&["--from", "nowhere.json"], "reading nowhere.json"),
        (&["--from", "-"], "-: line 1: "),
        (
            &["xyz"],
            "expected a trace id of up to 32 hexadecimal digits, found \"xyz\"",
        ),
        (&["ab", "--service", "x"], "cannot be used with"),
        (&["ab", "--follow"], "cannot be used with"),
        (
            &["--min-duration", "5"],
            "expected a duration such as 100ms, 1.5s or 15m, found \"5\"",
        ),
        (
            &["--since", "monday"],
            "expected a time such as 2026-11-30T12:00:00Z, or 15m",
        ),
        (
            &["--status", "bad"],
            "expected unset, ok or error, found \"bad\"",
        ),
        (&["--attribute", "a"], "expected KEY=VALUE"),
        (&["--limit", "0"], "expected a whole number above 0"),
        (
            &["--token", "a", "--token-file", "b"],
            "cannot be used with",
        ),
        (&["--token-file", "nowhere"], "reading nowhere"),
        (
            &["--import", "-", "--from", "spans.db"],
            "--import sends to a running sink",
        ),
    ] {
        let ended = trace_of(arguments, b"no JSON\n");
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.errors.contains(part), "{arguments:?}: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_with_a_token_wants_it_here_as_well() {
    let access = Access {
        token: Some("secret".parse().expect("a token")),
        ..Access::default()
    };
    let config = SinkConfig {
        access,
        ..SinkConfig::default()
    };
    let sink = Sink::start(config).await.expect("free ports");
    let from = format!("http://{}", sink.http_addr());
    let refused = trace(&["--from", &from]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.errors.contains("give it with --token-file"),
        "{refused:?}"
    );
    let empty = trace(&["--from", &from, "--token", "secret"]);
    assert_eq!(empty.code, Some(1), "{empty:?}");
}
