//! The dashboards of `istio/observability`, read strictly into Grafana's own types.

use std::fs;

use sidespan_tests::peers::check_dashboards;
use tempfile::TempDir;

use crate::observability::files::{DASHBOARDS, path, read};

#[test]
fn every_dashboard_is_of_grafanas_schema() {
    let files = DASHBOARDS.map(|name| path(&format!("grafana/{name}.json")));
    let ended = check_dashboards(&files);
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{said}");
}

#[test]
fn a_misspelt_option_of_a_panel_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("mesh.json");
    let whole = read("grafana/mesh.json");
    let wrong = whole.replace("\"lineWidth\"", "\"lineWitdh\"");
    assert_ne!(whole, wrong);
    fs::write(&file, wrong).expect("a file");
    let ended = check_dashboards(&[file]);
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(
        !ended.status.success() && said.contains("lineWitdh"),
        "{said}"
    );
}
