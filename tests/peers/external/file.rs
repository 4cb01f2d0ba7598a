//! The Collector's files of OTLP JSON lines: its exporter writes what was sent, its receiver reads them back, and each reads
//! what the other of the Collector and `sidespan trace` writes.

use std::fs;
use std::path::Path;
use std::process::Command;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::json;
use sidespan_envoy::wait_for;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::{collector, otlp, peers};

use super::corpus;

#[test]
fn lines_of_the_file_exporter_hold_what_was_sent() {
    let through = writer();
    let request = corpus::plain();
    otlp::export(through.grpc_addr(), request.clone());
    let mut other = request.clone();
    other.resource_spans.truncate(1);
    otlp::export(through.grpc_addr(), other.clone());
    assert_eq!(read(&lines(&through, 2)), [request, other]);
}

#[test]
fn a_file_that_was_written_is_read_and_sent_on() {
    let through = writer();
    let request = corpus::request();
    otlp::export(through.grpc_addr(), request.clone());
    lines(&through, 1);
    let (direct, behind) = (collector::Collector::start(), collector::Collector::start());
    otlp::export(direct.sink().grpc_addr(), request);
    let _reader = reader(&through.file(FILE), &behind);
    same(&direct, &behind);
}

#[test]
fn the_collector_reads_what_an_export_of_ours_writes() {
    let (direct, behind) = (collector::Collector::start(), collector::Collector::start());
    otlp::export(direct.sink().grpc_addr(), corpus::request());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(FILE);
    trace(&direct, "--export", &file);
    let _reader = reader(&file, &behind);
    same(&direct, &behind);
}

#[test]
fn an_import_of_ours_reads_what_the_collector_writes() {
    let through = writer();
    let request = corpus::request();
    let (direct, behind) = (collector::Collector::start(), collector::Collector::start());
    otlp::export(direct.sink().grpc_addr(), request.clone());
    otlp::export(through.grpc_addr(), request);
    lines(&through, 1);
    trace(&behind, "--import", &through.file(FILE));
    same(&direct, &behind);
}

/// Runs `sidespan trace` with a file beside a sink.
fn trace(sink: &collector::Collector, option: &str, file: &Path) {
    let url = format!("http://{}", sink.sink().http_addr());
    let output = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
        .args(["trace", "--from", &url, option])
        .arg(file)
        .env_remove("SIDESPAN_SINK_TOKEN")
        .output()
        .expect("the program");
    assert!(output.status.success(), "{option}: {output:?}");
}

/// Starts a Collector that reads a file and sends what it has to a sink.
fn reader(path: &Path, to: &collector::Collector) -> peers::Collector {
    peers::Collector::start(|_| {
        json!({
            "receivers": {"otlp_json_file": {"include": [path]}},
            "exporters": {
                "otlp_grpc": {"endpoint": to.sink().grpc_addr(), "tls": {"insecure": true}},
            },
            "service": {
                "pipelines": {"traces": {"receivers": ["otlp_json_file"], "exporters": ["otlp_grpc"]}},
            },
        })
    })
}

/// Waits until a sink has what another has, in every field.
fn same(direct: &collector::Collector, behind: &collector::Collector) {
    let sent = direct.sink().spans();
    let found = behind.wait(|now| (now.spans.len() >= sent.len()).then(|| now.spans.clone()));
    assert_eq!(found, sent);
}

fn writer() -> peers::Collector {
    peers::Collector::start(|places| {
        json!({
            "exporters": {"file": {"path": places.file(FILE), "flush_interval": "10ms"}},
            "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["file"]}}},
        })
    })
}

/// Waits until the Collector has written this many whole lines, and returns its file.
fn lines(writer: &peers::Collector, count: usize) -> String {
    let written = wait_for(LIMIT, || {
        let text = fs::read_to_string(writer.file(FILE)).ok()?;
        (text.matches('\n').count() >= count).then_some(text)
    });
    written.unwrap_or_else(|| panic!("no {count} lines:\n{}", writer.log()))
}

/// Reads OTLP JSON lines.
fn read(text: &str) -> Vec<ExportTraceServiceRequest> {
    let requests = text.lines().map(serde_json::from_str);
    requests.collect::<Result<_, _>>().expect("OTLP JSON")
}

const FILE: &str = "traces.json";
