//! Export and import: what comes out is what went in, field by field, through files of every kind.

use std::fs;

use prost::Message;
use sidespan_sink::{Sink, SinkConfig};
use sidespan_tests::corpus::{corpus, lines_kept, lines_sent};

use super::super::client::{PROTOBUF, TRACES, post};
use super::{line, span, trace, trace_of};

async fn sink() -> (Sink, String) {
    let started = Sink::start(SinkConfig::default()).await;
    let sink = started.expect("free ports");
    let url = format!("http://{}", sink.http_addr());
    (sink, url)
}

fn kept(sink: &Sink) -> Vec<String> {
    lines_kept(sink.spans().iter().map(|span| &**span))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_corpus_comes_through_files_and_pipes_as_it_was_sent() {
    let (first, from) = sink().await;
    let sent = corpus();
    post(first.http_addr(), TRACES, &[PROTOBUF], sent.encode_to_vec()).await;
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["spans.jsonl", "spans.jsonl.gz", "spans.jsonl.zst"] {
        let file = folder.path().join(name);
        let file = file.to_str().expect("text");
        let exported = trace(&["--from", &from, "--export", file]);
        assert_eq!(exported.code, Some(0), "{exported:?}");
        let (second, to) = sink().await;
        let imported = trace(&["--from", &to, "--import", file, "--json"]);
        assert_eq!(imported.code, Some(0), "{name}: {imported:?}");
        assert_eq!(imported.out, "{\"lines\":2,\"rejected\":0,\"spans\":18}\n");
        assert_eq!(kept(&second), lines_sent(&sent), "{name}");
        // From a file into a file, without a sink.
        let copied = trace(&["--from", file, "--export", "-"]);
        assert_eq!(copied.code, Some(0), "{copied:?}");
        let (third, to) = sink().await;
        let piped = trace_of(&["--from", &to, "--import", "-"], copied.out.as_bytes());
        assert_eq!(piped.code, Some(0), "{piped:?}");
        assert_eq!(kept(&third), lines_sent(&sent), "{name}, piped");
    }
}

#[test]
fn an_export_has_what_the_conditions_find_or_one_trace() {
    let spans = [("a", "GET /a"), ("b", "GET /b")]
        .map(|(digit, name)| span(&digit.repeat(32), "1111111111111111", "", name, (0, 1)));
    let input = line("web", &spans);
    for (arguments, code, lines) in [
        (&[][..], 0, 2),
        (&["--name", "GET /a"], 0, 1),
        (&["--limit", "1"], 0, 1),
        (&["b"], 0, 1),
        (&["c"], 1, 0),
        (&["--name", "GET /c"], 1, 0),
    ] {
        let mut all = vec!["--from", "-", "--export", "-"];
        all.extend(arguments);
        let ended = trace_of(&all, input.as_bytes());
        assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:?}");
        assert_eq!(ended.out.lines().count(), lines, "{arguments:?}: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_says_which_line_is_wrong_and_what_was_rejected() {
    let (first, to) = sink().await;
    let good = line(
        "web",
        &[span(&"a".repeat(32), "1111111111111111", "", "x", (0, 1))],
    );
    let logs = "{\"resourceLogs\":[{}]}\n";
    let broken = format!("{good}\n{logs}{{\n");
    let ended = trace_of(&["--from", &to, "--import", "-"], broken.as_bytes());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended
            .errors
            .contains("-, line 4 (the lines before it were sent)"),
        "{ended:?}"
    );
    assert_eq!(first.spans().len(), 1);
    let invalid = line(
        "web",
        &[span(&"0".repeat(32), "1111111111111111", "", "x", (0, 1))],
    );
    let ended = trace_of(&["--from", &to, "--import", "-"], invalid.as_bytes());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.errors.contains("; 1 of them rejected"), "{ended:?}");
    let ended = trace_of(&["--from", &to, "--import", "-"], logs.as_bytes());
    assert_eq!(ended.code, Some(1), "nothing to send: {ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_waits_while_the_sink_asks_for_patience() {
    let config = SinkConfig {
        faults: "429:2,retry=1s".parse().expect("faults"),
        ..SinkConfig::default()
    };
    let sink = Sink::start(config).await.expect("free ports");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("spans");
    let spans = [span(&"a".repeat(32), "1111111111111111", "", "x", (0, 1))];
    fs::write(&file, line("web", &spans)).expect("a file");
    let to = format!("http://{}", sink.http_addr());
    let file = file.to_str().expect("text");
    let ended = trace(&["--from", &to, "--import", file]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(sink.spans().len(), 1);
    assert_eq!(sink.counts().requests, 3);
}
