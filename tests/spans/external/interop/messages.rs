//! Export requests of the filter, byte for byte, as OpenTelemetry's Python package reads them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;
use sidespan_envoy::Cluster;
use sidespan_tests::http::{Reply, Server};
use sidespan_tests::packages;

use super::traffic::{Export, SPANS, Traffic};

#[test]
#[cfg_attr(
    any(no_envoy, no_packages),
    ignore = "a real Envoy, python3 with venv, node and npm are needed"
)]
fn opentelemetrys_own_types_read_every_kind_of_span() {
    // Envoy passes the bytes on as they are, so a server that stores bodies need not speak HTTP/2.
    let grpc = Server::start(|_| {
        let headers = [("content-type", "application/grpc"), ("grpc-status", "0")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        // An empty message in gRPC's frame.
        Reply::Answer(200, headers.into(), vec![0; 5])
    });
    let http = Server::ok();
    let exports = [("grpc", &grpc), ("http/protobuf", &http)];
    let traffic = Traffic::start(
        exports
            .iter()
            .zip(["by-grpc", "by-http"])
            .map(|((protocol, server), name)| Export {
                name,
                cluster: Cluster::new(name, server.address()),
                protocol,
            })
            .collect(),
    );
    traffic.flow();
    let bodies = exports.iter().zip([GRPC_PATH, "/v1/traces"]);
    let lines: String = bodies
        .flat_map(|((protocol, server), path)| {
            let requests = server.to(path);
            requests.into_iter().map(move |it| (*protocol, it.body))
        })
        .map(|(protocol, body)| format!("{protocol} {}\n", hex::encode(body)))
        .collect();
    let spans = read(lines);

    for (protocol, _) in exports {
        let of = |key: &str, value: Value| {
            let is_it = |span: &&Value| span["protocol"] == protocol && span[key] == value;
            spans.iter().filter(is_it).count()
        };
        assert_eq!(
            of("same bytes", true.into()),
            SPANS,
            "{protocol}: {spans:#?}"
        );
        assert_eq!(of("kind", "SPAN_KIND_SERVER".into()), 4);
        assert_eq!(of("kind", "SPAN_KIND_CLIENT".into()), 4);
        assert_eq!(of("status", "STATUS_CODE_ERROR".into()), 3);
        assert_eq!(of("root", true.into()), 5);
        // The link of the edge is on the first of its spans.
        assert_eq!(of("links", 1.into()), 2);
        assert_eq!(of("state", "vendor=1,other@system=x/y".into()), 1);
        assert_eq!(of("agent", "caf\u{fffd}/1.0 \u{fffd}".into()), 1);
        assert_eq!(of("team", "grün".into()), 1);
    }
}

/// Returns the messages as the Python types read them.
fn read(lines: String) -> Vec<Value> {
    let python = packages::python("accepted-python", include_str!("requirements.txt"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("spans/external/interop/messages.py");
    let mut child = Command::new(python.join("bin/python"))
        .args(["-X", "utf8"])
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python");
    let mut input = child.stdin.take().expect("a pipe");
    // Written by another thread, because the program answers before it has read all, and a pipe's buffer is small.
    let writer = thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("its output");
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{}\n{said}", output.status);
    writer.join().expect("a writer").expect("it reads all");
    let spans = said.lines().map(serde_json::from_str);
    spans.collect::<Result<_, _>>().expect("JSON")
}

const GRPC_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
