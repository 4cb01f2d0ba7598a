//! A script in Node that drives a Chromium: it is given what to expect, and says what it found otherwise.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use sidespan_sink::{Sink, SinkConfig};
use sidespan_tests::envoy::target_dir;
use sidespan_tests::packages::node;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

/// The time after which a script must have ended.
const PATIENCE: Duration = Duration::from_secs(300);

/// Starts a sink on free ports.
pub(super) async fn sink() -> Sink {
    let started = Sink::start(SinkConfig::default()).await;
    started.expect("free ports")
}

/// Runs `scripts/NAME.mjs` against a sink. The script gets `{ origin, … }` with what is given.
///
/// # Panics
/// With the script's findings, if there are any, and when Chromium cannot be driven.
pub(super) async fn browse(name: &str, sink: &Sink, given: Value) -> Value {
    static PACKAGES: OnceLock<PathBuf> = OnceLock::new();
    let packages = tokio::task::spawn_blocking(|| {
        PACKAGES.get_or_init(|| node("browser", include_str!("package.json")))
    });
    let packages = packages.await.expect("the packages");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/scripts");
    let pictures = target_dir().join("pictures");
    std::fs::create_dir_all(&pictures).expect("a folder below target");
    let mut given = given;
    given["origin"] = json!(format!("http://{}", sink.http_addr()));
    given["pictures"] = json!(pictures);
    let mut script = Command::new("node")
        .arg(scripts.join(format!("{name}.mjs")))
        .env("SIDESPAN_PACKAGES", packages)
        .envs(["no_proxy", "NO_PROXY"].map(|name| (name, "*")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node");
    let mut input = script.stdin.take().expect("a pipe");
    let written = input.write_all(given.to_string().as_bytes()).await;
    written.expect("a script that reads");
    drop(input);
    let ended = timeout(PATIENCE, script.wait_with_output()).await;
    let output = ended.expect("a script that ends").expect("its output");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    let report: Value = said
        .lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok())
        .unwrap_or_else(|| panic!("{name} says no findings: {said}\n{errors}"));
    let findings = report["findings"].as_array().expect("a list");
    let lines: Vec<&str> = findings.iter().filter_map(Value::as_str).collect();
    assert!(
        lines.is_empty(),
        "{name}:\n- {}\n{errors}",
        lines.join("\n- ")
    );
    assert!(
        report["checks"].as_u64() > Some(0),
        "{name} checked nothing: {said}"
    );
    report["figures"].clone()
}
