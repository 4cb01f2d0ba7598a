//! Every configuration of a Collector passes its own `validate`; those that are laid over it do so in `installed`.

use std::fs;
use std::path::Path;
use std::process::Output;

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
        let ended = validate(&path(file));
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{file}: {said}");
        assert!(!said.contains("deprecated"), "{file}: {said}");
    }
}

#[test]
fn a_misspelt_key_is_not_valid_and_the_overlay_that_is_not_validated_says_so() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("wrong.yaml");
    let wrong = read(AGENT).replace("routing_key:", "routing_kye:");
    fs::write(&file, wrong).expect("a file");
    let ended = validate(&file);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        !ended.status.success() && said.contains("routing_kye"),
        "{said}"
    );
    let overlay = read("collector/components/service-graph/service-graph.yaml");
    assert!(overlay.contains("# NOT VALIDATED"));
}

fn validate(file: &Path) -> Output {
    let environment = [("NODE_NAME", "node".to_owned())];
    Collector::validate(&[format!("--config={}", file.display())], &environment)
}
