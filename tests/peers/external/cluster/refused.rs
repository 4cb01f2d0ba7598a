//! The resources that an API server, `istioctl` and `check` judge each in its own way.

use std::io::Write;
use std::process::{Command, Stdio};

use sidespan_tests::peers::istio::{Cluster, istioctl};

use super::judge;
use crate::program::asked::{ASKED, text};

/// A resource's name in [`ASKED`], the API server's status under strict validation, and whether `istioctl validate` and `istioctl
/// analyze` take it.
type Verdicts = (&'static str, u16, bool, bool);

const VERDICTS: [Verdicts; ASKED.len()] = [
    ("as shipped", 200, true, true),
    ("pluginconfig for pluginConfig", 400, false, true),
    ("sampling under spec", 400, false, true),
    ("selector: {app: cart}", 400, false, true),
    ("workloadSelector", 400, false, true),
    ("selector and targetRefs", 422, false, true),
    ("no url", 422, false, true),
    ("url docker://", 422, false, true),
    ("url without scheme, with a port", 200, true, true),
    ("sha256 with sha256:", 422, false, true),
    ("sha256 short", 422, false, true),
    ("phase authn", 422, false, false),
    ("priority '1000'", 422, true, true),
    ("match mode INBOUND", 422, false, false),
    ("match ports [8080]", 422, false, false),
    ("imagePullPolicy Never", 422, false, false),
    ("failStrategy fail_open", 422, false, false),
    ("failureStrategy", 400, false, true),
    ("env valueFrom secretKeyRef", 400, false, false),
    ("env HOST with value", 422, false, true),
    ("imagePullSecrets", 400, false, true),
    ("apiVersion extensions.istio.io/v1", 404, true, true),
    ("type NETWORK", 200, true, true),
    ("percentage 500", 200, true, true),
    ("percentage 'many'", 200, true, true),
    ("unknown key in pluginConfig", 200, true, true),
    ("pluginConfig a string", 400, false, false),
    ("service without its suffix", 200, true, true),
    ("REGISTRY left", 200, true, true),
    ("TrafficExtension as shipped", 200, true, true),
    ("TrafficExtension, flat", 400, false, true),
    ("TrafficExtension, phase in wasm", 400, false, true),
    ("TrafficExtension, wasm and lua", 422, true, true),
    ("EnvoyFilter as shipped", 200, true, true),
    ("EnvoyFilter, selector", 400, false, true),
    ("EnvoyFilter, context ANY_INBOUND", 422, false, false),
    ("EnvoyFilter, unknown field in the filter", 200, true, true),
    ("Telemetry as shipped", 200, true, true),
    (
        "Telemetry, disableSpanReporting a string",
        422,
        false,
        false,
    ),
    ("Telemetry, tracing a map", 400, false, false),
    ("Telemetry, percentage 500", 422, false, true),
    ("Telemetry, mode server", 422, false, false),
];

/// Asks all of each resource. What the API server refuses, `check` refuses, too.
#[test]
#[ignore = "wants etcd, and an API server and istiod that are built once: `cargo cluster` runs it"]
fn each_resource_gets_the_verdicts_of_the_table() {
    let cluster = Cluster::start();
    let mut differences = Vec::new();
    for (row, expected) in ASKED.into_iter().zip(VERDICTS) {
        let text = text(row);
        let said = judge(&cluster, &text);
        let validate = istioctl(&["validate", "-f", "-"], &text).is_ok();
        let analyze = istioctl(&["analyze", "--use-kube=false", "-"], &text).is_ok();
        let seen = (row.0, status(&said), validate, analyze);
        if seen != expected {
            differences.push(format!("{seen:?}, not {expected:?}: {said:?}"));
        }
        let is_taken = check(&text);
        if is_taken && said.is_err() {
            differences.push(format!("{}: check takes it: {said:?}", row.0));
        }
        if is_taken != row.4.is_none() {
            differences.push(format!("{}: check takes it: {is_taken}", row.0));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Returns the HTTP status that kubectl's words stand for.
///
/// # Panics
/// With the words, when they are others than a refusal's.
fn status(judged: &Result<String, String>) -> u16 {
    let Err(refusal) = judged else { return 200 };
    let kinds = [
        ("Error from server (BadRequest)", 400),
        ("no matches for kind", 404),
        (" is invalid:", 422),
    ];
    let known = kinds.iter().find(|(words, _)| refusal.contains(words));
    known.unwrap_or_else(|| panic!("{refusal}")).1
}

fn check(text: &str) -> bool {
    let mut program = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
        .args(["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program");
    let mut input = program.stdin.take().expect("standard input");
    input.write_all(text.as_bytes()).expect("a pipe");
    drop(input);
    program.wait().expect("the program").success()
}
