//! The propagators: SDKs that are injected speak what the mesh speaks.

use std::process::Command;

use sidespan_core::propagation::format::Format;
use sidespan_core::propagation::settings::Propagation;

use super::files::{list, path, read, yaml};

#[test]
fn injected_sdks_speak_the_formats_that_the_filter_writes() {
    let resource = yaml("propagators/instrumentation.yaml");
    let named = list(&resource["spec"]["propagators"]).iter();
    let named: Vec<&str> = named.filter_map(|it| it.as_str()).collect();
    let mut written: Vec<&str> = Propagation::default()
        .inject
        .iter()
        .map(|it: &Format| it.name())
        .collect();
    written.insert(1, "baggage");
    assert_eq!(named, written);
}

const CONFIGURATION: &str =
    r#"{"sampling": {"percentage": 1}, "export": {"otlp": {"cluster": "otel-collector"}}}"#;

#[test]
fn check_has_nothing_to_say_of_the_sdks_beside_the_filter() {
    let folder = tempfile::tempdir().expect("a folder");
    let filter = folder.path().join("filter.json");
    std::fs::write(&filter, CONFIGURATION).expect("a file");
    let said = |instrumentation: &std::path::Path| {
        let ended = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
            .arg("check")
            .args([filter.as_path(), instrumentation])
            .output()
            .expect("the program");
        assert!(ended.status.success(), "{ended:?}");
        let both = [ended.stdout, ended.stderr].concat();
        String::from_utf8(both).expect("text").to_lowercase()
    };
    let file = path("propagators/instrumentation.yaml");
    let fine = said(&file);
    assert!(!fine.contains("warning"), "{fine}");
    let wrong = folder.path().join("wrong.yaml");
    let text = read("propagators/instrumentation.yaml");
    let text = text.replace("[tracecontext, baggage, b3multi]", "[jaeger, ottrace]");
    std::fs::write(&wrong, text).expect("a file");
    let warned = said(&wrong);
    assert!(warned.contains("warning"), "{warned}");
}
