//! OpenTelemetry's own SDKs for Python and Node, over each of their protocols and compressions: every field that they send
//! comes back. Neither knows zstd; the Collector does (`tests/peers/external/export.rs`).

use std::path::Path;
use std::process::Command;

use sidespan_sink::{
    Attribute, Place, SinkConfig, SpanKind, StatusCode, StoredSpan, Transport, Value,
};
use sidespan_tests::collector::{Collector, runtime};
use sidespan_tests::corpus::lines_kept;
use sidespan_tests::packages;
use sidespan_tests::program::Program;
use tempfile::TempDir;

use crate::sink::golden::{everywhere, in_file};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[test]
#[cfg_attr(no_packages, ignore = "python3 with venv, node and npm are needed")]
fn the_python_sdk_exports_over_each_protocol() {
    let python = packages::python("sink-python", include_str!("sdks/requirements.txt"));
    let mut command = Command::new(python.join("bin/python"));
    command.arg(source("export.py"));
    exports(
        command,
        &[
            ("grpc-none", Transport::Grpc, "application/grpc", None),
            (
                "grpc-gzip",
                Transport::Grpc,
                "application/grpc",
                Some("gzip"),
            ),
            ("http-none", Transport::Http, "application/x-protobuf", None),
            (
                "http-gzip",
                Transport::Http,
                "application/x-protobuf",
                Some("gzip"),
            ),
            (
                "http-deflate",
                Transport::Http,
                "application/x-protobuf",
                Some("deflate"),
            ),
        ],
    );
}

#[test]
#[cfg_attr(no_packages, ignore = "python3 with venv, node and npm are needed")]
fn the_node_sdk_exports_over_each_protocol() {
    let modules = packages::node("sink-node", include_str!("sdks/package.json"));
    let mut command = Command::new("node");
    command.arg(source("export.cjs")).env("NODE_PATH", modules);
    exports(
        command,
        &[
            ("grpc-none", Transport::Grpc, "application/grpc", None),
            (
                "grpc-gzip",
                Transport::Grpc,
                "application/grpc",
                Some("gzip"),
            ),
            (
                "proto-none",
                Transport::Http,
                "application/x-protobuf",
                None,
            ),
            (
                "proto-gzip",
                Transport::Http,
                "application/x-protobuf",
                Some("gzip"),
            ),
            ("json-none", Transport::Http, "application/json", None),
            (
                "json-gzip",
                Transport::Http,
                "application/json",
                Some("gzip"),
            ),
        ],
    );
}

fn source(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("sink/external/sdks")
        .join(name)
}

/// A way to export: its name, its transport, the content type, and the compression.
type Way<'a> = (&'a str, Transport, &'a str, Option<&'a str>);

/// Runs a program that sends one span each way, and checks what has come.
fn exports(mut command: Command, ways: &[Way<'_>]) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("spans.db");
    let collector = Collector::start_with(SinkConfig {
        place: Place::File(file.clone()),
        ..SinkConfig::default()
    });
    let sink = collector.sink();
    command
        .arg(sink.grpc_addr().to_string())
        .arg(sink.http_addr().to_string());
    let mut program = Program::start(&mut command);
    program.wait("its last line", |said| {
        said.contains("sent all").then_some(())
    });
    let spans = collector.trace(TRACE, ways.len());
    assert_eq!(spans.len(), ways.len(), "{spans:#?}");
    // These are checked below, field by field; the API, the export and the file have the same.
    let kept = lines_kept(&spans);
    runtime().block_on(async {
        everywhere(sink, &kept, "an SDK").await;
        in_file(&file, sink, &kept, "an SDK").await;
    });
    let requests = sink.requests();
    assert_eq!(requests.len(), ways.len(), "{requests:#?}");
    for ((name, transport, media, compression), request) in ways.iter().zip(&requests) {
        let of_way = spans.iter().find(|span| span.service() == *name);
        check(of_way.unwrap_or_else(|| panic!("{name}: {spans:#?}")));
        assert_eq!(request.transport, *transport, "{name}");
        assert_eq!(request.header("content-type"), Some(*media), "{name}");
        let header = match transport {
            Transport::Grpc => "grpc-encoding",
            Transport::Http => "content-encoding",
        };
        let encoding = request.header(header).filter(|it| *it != "identity");
        assert_eq!(encoding, *compression, "{name}");
    }
}

fn check(span: &StoredSpan) {
    let name = span.service();
    let attribute = |key: &str, value: Value| Attribute {
        key: key.into(),
        value,
    };
    assert_eq!(span.trace_id, TRACE, "{name}");
    assert_eq!(
        span.parent_span_id.as_deref(),
        Some("b7ad6b7169203331"),
        "{name}"
    );
    assert_eq!(span.trace_state, "vendor=a", "{name}");
    // The parent is known to be remote. Of W3C's own flags, Python's SDK sends none.
    assert_eq!(span.flags & 0x300, 0x300, "{name}");
    assert_eq!(
        (&*span.name, span.kind),
        ("GET /orders", SpanKind::Client),
        "{name}"
    );
    let times = (span.start_unix_nanos, span.end_unix_nanos);
    assert_eq!(
        times,
        (1_700_000_000_000_000_001, 1_700_000_000_000_000_009),
        "{name}"
    );
    let texts = ["a", "日本"].map(Value::from).to_vec();
    let expected = vec![
        attribute("s", "<b>\u{1b}[31m'; --".into()),
        attribute("b", true.into()),
        attribute("i", (-7).into()),
        attribute("d", 1.5.into()),
        attribute("l", Value::Array(texts)),
    ];
    assert_eq!(span.attributes, expected, "{name}");
    let [event] = &span.events[..] else {
        panic!("{name}: {span:#?}");
    };
    assert_eq!(
        (&*event.name, event.unix_nanos),
        ("retry", 1_700_000_000_000_000_002),
        "{name}"
    );
    assert_eq!(event.attributes, [attribute("n", 3.into())], "{name}");
    let [link] = &span.links[..] else {
        panic!("{name}: {span:#?}");
    };
    assert_eq!(link.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736", "{name}");
    assert_eq!(link.span_id, "00f067aa0ba902b7", "{name}");
    assert_eq!(link.attributes, [attribute("k", true.into())], "{name}");
    assert_eq!(span.status.code, StatusCode::Error, "{name}");
    assert_eq!(span.status.message, "boom", "{name}");
    assert_eq!(
        (&*span.scope.name, &*span.scope.version),
        ("corpus", "1.2"),
        "{name}"
    );
}
