//! A file system without room: the sink refuses with an answer that says so and asks to come back, loses nothing that it has
//! acknowledged, and goes on when there is room again.
//!
//! The file system is a small one in memory, mounted for this test alone: a program in namespaces of its own holds it, the sink
//! is started in them, and this test reaches in through `/proc`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use hyper::Method;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::Value;

use super::client::{EXPORT, PROTOBUF, TRACES, call, post, send};
use super::program::{Program, command};

/// A file system of eight MiB.
struct SmallDisk {
    holder: Child,
}

impl SmallDisk {
    fn mount() -> Self {
        let mount = format!("mount -t tmpfs -o size=8m tmpfs {FOLDER} && echo mounted && read end");
        let mut holder = Command::new("unshare")
            .args(["-rm", "sh", "-c", &mount])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare");
        let mut line = String::new();
        let out = holder.stdout.take().expect("a pipe");
        BufReader::new(out).read_line(&mut line).expect("a line");
        assert_eq!(line, "mounted\n");
        Self { holder }
    }

    /// Returns a path in it, as this process sees it.
    fn path(&self, name: &str) -> PathBuf {
        format!("/proc/{}/root{FOLDER}/{name}", self.holder.id()).into()
    }

    /// Starts the program in it.
    fn sink(&self) -> Program {
        let program = command();
        let mut inside = Command::new("nsenter");
        inside
            .args(["--preserve-credentials", "-U", "-m", "-t"])
            .arg(self.holder.id().to_string())
            .arg("--")
            .arg(program.get_program())
            .env_remove("RUST_LOG")
            .env_remove("SIDESPAN_SINK_TOKEN")
            .stderr(Stdio::null());
        let file = format!("{FOLDER}/spans.db");
        Program::start_with(&mut inside, &["--data", &file])
    }

    /// Writes until nothing more fits.
    fn fill(&self) {
        let mut file = fs::File::create(self.path("filler")).expect("a file");
        while file.write_all(&[1; 4_096]).is_ok() {}
    }

    fn make_room(&self) {
        fs::remove_file(self.path("filler")).expect("the file");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The file system ends with its last process.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Returns a request with one span of about 20 KiB.
fn request(number: u64) -> Vec<u8> {
    let value = Any::StringValue("x".repeat(20_000));
    let span = Span {
        trace_id: [[9; 8], number.to_be_bytes()].concat(),
        span_id: (number + 1).to_be_bytes().to_vec(),
        attributes: vec![KeyValue {
            key: "filler".into(),
            value: Some(AnyValue { value: Some(value) }),
            ..KeyValue::default()
        }],
        ..Span::default()
    };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans: vec![span],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    request.encode_to_vec()
}

/// Returns the numbers of the requests that a sink has, in order.
async fn kept(sink: &Program) -> Vec<u64> {
    let path = "/api/sidespan/v1/export";
    let answer = send(sink.address("http"), Method::GET, path, &[], "").await;
    let text = answer.expect("an answer").text();
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let span = &line["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        let id = span["spanId"].as_str().expect("an id");
        u64::from_str_radix(id, 16).expect("an id") - 1
    });
    lines.collect()
}

#[tokio::test]
#[cfg_attr(
    no_namespaces,
    ignore = "no file system can be mounted here (unshare -rm, nsenter)"
)]
async fn a_full_file_system_refuses_for_now_and_loses_nothing() {
    let disk = SmallDisk::mount();
    let sink = disk.sink();
    let http = sink.address("http");
    let mut acknowledged = Vec::new();
    for number in 0..20 {
        let answer = post(http, TRACES, &[PROTOBUF], request(number)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        acknowledged.push(number);
    }
    disk.fill();
    let mut refused = 0;
    // What the log has room for already may still be kept.
    for number in 20..400 {
        let answer = post(http, TRACES, &[PROTOBUF], request(number)).await;
        if answer.status == 200 {
            acknowledged.push(number);
            continue;
        }
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert_eq!(answer.header("retry-after"), "5");
        let text = answer.text();
        assert!(
            text.contains("cannot store spans") && text.contains("full"),
            "{text}"
        );
        refused += 1;
        if refused == 3 {
            break;
        }
    }
    assert_eq!(refused, 3, "it never became full");
    let over_grpc = call(sink.address("grpc"), EXPORT, "identity", &request(1_000)).await;
    assert_eq!(over_grpc.code, 14, "UNAVAILABLE");
    assert!(
        over_grpc.headers.contains_key("grpc-status-details-bin"),
        "RetryInfo"
    );
    assert_eq!(kept(&sink).await, acknowledged, "readers are served");

    disk.make_room();
    for number in 2_000..2_010 {
        let answer = post(http, TRACES, &[PROTOBUF], request(number)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        acknowledged.push(number);
    }
    assert_eq!(kept(&sink).await, acknowledged);
    // As a crash, so that nothing is written at the end.
    sink.kill();
    let sink = disk.sink();
    assert_eq!(kept(&sink).await, acknowledged, "after a restart");
}

const FOLDER: &str = "/mnt";
