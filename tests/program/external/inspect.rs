//! What `sidespan inspect` says of a module that Envoy refuses, beside what Envoy's own log says of it.

use std::path::Path;
use std::{fs, process::Command};

use serde_json::Value;
use sidespan_envoy::{Bootstrap, Envoy, EnvoyError, Listener, Node, Route, Wasm};

use sidespan_tests::envoy::binary;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn says_what_envoys_log_says_of_each_module_that_envoy_refuses() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut differences = String::new();
    for (name, wasm) in modules() {
        let file = folder.path().join(format!("{name}.wasm"));
        fs::write(&file, wasm).expect("a module");
        let (loads, said) = inspect(&file);
        let log = log_of_envoy(&file);
        let is_refused = log.is_some();
        if loads == is_refused {
            differences += &format!("{name}: inspect {loads}, Envoy {}\n", !is_refused);
        }
        // Each line of the report stands in the log, in this order.
        let log = log.unwrap_or_default();
        let bad = |text: &str| text.matches("Bad function signature").count();
        if bad(&log) != bad(&said.join("\n")) {
            differences += &format!("{name}: Envoy names other exports\n{log}\n");
        }
        let mut rest = log.as_str();
        for line in said {
            match rest.split_once(line.as_str()) {
                Some((_, after)) => rest = after,
                None => differences += &format!("{name}: not in Envoy's log: {line}\n{log}\n"),
            }
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// Returns the verdict of `sidespan inspect`, and what Envoy would say.
fn inspect(file: &Path) -> (bool, Vec<String>) {
    let output = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
        .args(["inspect", "--json"])
        .arg(file)
        .output()
        .expect("the program");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let module = &report["modules"][0];
    let loads = module["loads"].as_bool().expect("a verdict");
    assert_eq!(output.status.code(), Some(i32::from(!loads)), "{report}");
    let said = module["envoy_says"].as_array().expect("lines");
    let said = said
        .iter()
        .map(|line| line.as_str().expect("a line").to_owned());
    (loads, said.collect())
}

/// Returns the end of Envoy's log where it does not start with this module.
fn log_of_envoy(file: &Path) -> Option<String> {
    let listener = Listener::new("in")
        .filter(Wasm::new("some", file).filter())
        .route(Route::answer(200, ""));
    let bootstrap = Bootstrap::new(Node::plain("test", "test")).listener(listener);
    match Envoy::start(binary(), &bootstrap) {
        Ok(_) => None,
        Err(EnvoyError::Ended { log, .. }) => Some(log),
        Err(error) => panic!("{}: {error}", file.display()),
    }
}

const GOOD: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) i32.const 1024)
    (func (export "proxy_on_tick") (param i32)))"#;

/// Returns modules by name: one that loads, and each way that is known not to.
fn modules() -> Vec<(&'static str, Vec<u8>)> {
    let good = wat::parse_str(GOOD).expect("a module");
    let changed = |from: &str, to: &str| wat::parse_str(GOOD.replacen(from, to, 1)).expect(to);
    let importing = |import: &str| changed("(memory", &format!("(import {import}) (memory"));
    vec![
        ("good", good.clone()),
        ("text", b"hello".to_vec()),
        ("cut", good[..good.len() - 3].to_vec()),
        ("header", b"\0asm\x01\0\0\0".to_vec()),
        ("version", [b"\0asm\x02\0\0\0", &good[8..]].concat()),
        ("no-abi", changed("_0_2_1", "_0_9_0")),
        ("no-malloc", changed("malloc", "valloc")),
        (
            "malloc-type",
            changed(
                "(param i32) (result i32) i32.const 1024",
                "(result i32) i32.const 1024",
            ),
        ),
        (
            "tick-type",
            changed(
                r#""proxy_on_tick") (param i32)"#,
                r#""proxy_on_tick") (param i64)"#,
            ),
        ),
        (
            "old-headers",
            changed(
                r#""proxy_on_tick") (param i32)"#,
                r#""proxy_on_response_headers") (param i32 i32) (result i32) i32.const 0"#,
            ),
        ),
        (
            "old-headers-0-1-0",
            wat::parse_str(GOOD.replace("_0_2_1", "_0_1_0").replace(
                r#""proxy_on_tick") (param i32)"#,
                r#""proxy_on_response_headers") (param i32 i32) (result i32) i32.const 0"#,
            ))
            .expect("a module"),
        ),
        (
            "unknown-function",
            importing(r#""env" "proxy_nothing" (func)"#),
        ),
        (
            "unknown-module",
            importing(r#""gojs" "runtime.wasmExit" (func (param i32))"#),
        ),
        (
            "global",
            importing(r#""env" "__stack_pointer" (global i32)"#),
        ),
        (
            "function-type",
            importing(r#""env" "proxy_done" (func (param i32) (result i32))"#),
        ),
        (
            "wasi-type",
            importing(
                r#""wasi_snapshot_preview1" "path_symlink" (func (param i32 i32 i32 i32 i32) (result i32))"#,
            ),
        ),
        (
            "wasi",
            importing(r#""wasi_snapshot_preview1" "fd_tell" (func (param i32 i32) (result i32))"#),
        ),
        (
            "wasi-unknown",
            importing(r#""wasi_snapshot_preview1" "sock_open" (func (param i32) (result i32))"#),
        ),
        (
            "of-0-1-0",
            importing(r#""env" "proxy_clear_route_cache" (func (result i32))"#),
        ),
    ]
}
