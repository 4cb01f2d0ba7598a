//! The filters of `examples/filters`, each with its scenario on the built-in host and on a real Envoy.

use std::path::{Path, PathBuf};
use std::process::Command;

use sidespan::run::{On, Runner};
use sidespan_tests::envoy::target_dir;

use super::both::{compare, root};

const FILTERS: [&str; 3] = ["api-key", "redact", "rate-limit"];

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn every_filter_of_the_examples_is_the_same_on_both() {
    let mut wrong = Vec::new();
    for name in FILTERS {
        let module = built(name);
        let runners = [On::Wasmtime, On::Envoy].map(|on| {
            let runner = Runner::with_module(&module);
            runner.expect("a module that Envoy loads").on(on)
        });
        wrong.extend(compare(&folder(name).join("scenario.yaml"), &runners));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn folder(name: &str) -> PathBuf {
    root().join("../../examples/filters").join(name)
}

/// Builds a filter as its README says, beside what the workspace's own guests are built into.
fn built(name: &str) -> PathBuf {
    let target: &Path = &target_dir().join("guest");
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(folder(name))
        .env_remove("RUSTFLAGS")
        .args(["build", "--release", "--target", "wasm32-wasip1"])
        .arg("--target-dir")
        .arg(target);
    let status = cargo.status().expect("cargo");
    assert!(status.success(), "the target wasm32-wasip1 is needed");
    let file = format!("example_{}.wasm", name.replace('-', "_"));
    target.join("wasm32-wasip1/release").join(file)
}
