//! `sidespan trace` as people and scripts start it, beside sinks, files, databases and a Jaeger.

mod carry;
mod draw;
mod follow;
mod jaeger;
mod search;

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use super::program::command;

/// The end of a run.
#[derive(Debug)]
pub(super) struct Ended {
    code: Option<i32>,
    out: String,
    errors: String,
}

/// Runs `sidespan trace` with some input.
fn trace_of(arguments: &[&str], input: &[u8]) -> Ended {
    let mut child = command()
        .arg("trace")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that does not read its input may have ended already.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().expect("its output");
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("text"),
        errors: String::from_utf8(output.stderr).expect("text"),
    }
}

/// Runs `sidespan trace` without input.
fn trace(arguments: &[&str]) -> Ended {
    trace_of(arguments, b"")
}

/// A span in JSON, without the fields around it.
fn span(trace: &str, id: &str, parent: &str, name: &str, millis: (u64, u64)) -> Value {
    let nanos = |millis: u64| (1_700_000_000_000_000_000 + millis * 1_000_000).to_string();
    json!({
        "traceId": trace, "spanId": id, "parentSpanId": parent, "name": name, "kind": 2,
        "startTimeUnixNano": nanos(millis.0), "endTimeUnixNano": nanos(millis.1),
    })
}

/// Returns a line of a file: spans of a service.
fn line(service: &str, spans: &[Value]) -> String {
    let resource =
        json!({"attributes": [{"key": "service.name", "value": {"stringValue": service}}]});
    let scopes = json!([{ "spans": spans }]);
    json!({"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}).to_string() + "\n"
}
