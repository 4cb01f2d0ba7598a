//! Every file of the Collectors passes the Collector's own `validate`, but for the one that says so of itself.

use std::fs;
use std::path::PathBuf;

use sidespan_tests::peers::Collector;
use tempfile::TempDir;

use crate::observability::files::{path, read};

const AGENT: &str = "collector/base/config/agent.yaml";
const GATEWAYS: [&str; 2] = [
    "collector/filter-decides/gateway.yaml",
    "collector/gateway-decides/gateway.yaml",
];

#[test]
fn every_configuration_is_valid() {
    for file in [AGENT, GATEWAYS[0], GATEWAYS[1]] {
        is_valid(&[path(file)], "/nowhere");
    }
}

#[test]
fn tls_is_valid_over_both_tiers() {
    let folder = TempDir::new().expect("a folder");
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    for (name, text) in [
        ("ca.crt", key.cert.pem()),
        ("tls.crt", key.cert.pem()),
        ("tls.key", key.signing_key.serialize_pem()),
    ] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    let tls = folder.path().to_str().expect("a path");
    for gateway in GATEWAYS {
        is_valid(
            &[path(gateway), path("collector/components/tls/gateway.yaml")],
            tls,
        );
    }
    is_valid(
        &[path(AGENT), path("collector/components/tls/agent.yaml")],
        tls,
    );
}

#[test]
fn a_misspelt_key_is_not_valid_and_the_overlay_that_is_not_validated_says_so() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("wrong.yaml");
    let wrong = read(AGENT).replace("routing_key:", "routing_kye:");
    fs::write(&file, wrong).expect("a file");
    let ended = Collector::validate(&[file], &[("NODE_NAME", "node")]);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        !ended.status.success() && said.contains("routing_kye"),
        "{said}"
    );
    let overlay = read("collector/components/service-graph/service-graph.yaml");
    assert!(overlay.contains("# NOT VALIDATED"));
}

fn is_valid(files: &[PathBuf], tls: &str) {
    let environment = [("NODE_NAME", "node"), ("TLS_DIRECTORY", tls)];
    let ended = Collector::validate(files, &environment);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{files:?}: {said}");
    assert!(!said.contains("deprecated"), "{files:?}: {said}");
}
