//! The JSON Schema of scenarios and the parser: both take what is documented, and refuse what is not.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sidespan::run::{Runner, schema};

use super::documented_scenarios;

#[test]
fn the_schema_takes_every_scenario_that_the_parser_takes() {
    let schema = jsonschema::validator_for(&schema()).expect("a schema");
    let mut read = 0;
    let mut check = |text: &str, place: &str| {
        let scenarios: Vec<Value> =
            serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{place}: {error}"));
        for scenario in scenarios {
            read += 1;
            let errors: Vec<_> = schema.iter_errors(&scenario).collect();
            let errors = errors
                .iter()
                .map(|it| format!("{}: {it}", it.instance_path()));
            let errors: Vec<_> = errors.collect();
            assert!(errors.is_empty(), "{place}: {}", errors.join("\n"));
        }
    };
    for file in files() {
        let text = fs::read_to_string(&file).expect("a scenario");
        check(&text, &file.display().to_string());
    }
    for text in documented_scenarios() {
        check(&text, &text);
    }
    assert!(read > 60, "{read} scenarios");
}

#[test]
fn schema_and_parser_refuse_alike() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let runner = Runner::new(sidespan::FILTER).expect("the filter");
    let folder = tempfile::tempdir().expect("a folder");
    for wrong in [
        "{}",
        "requests: [{}]\nexpcet: {}",
        "requests: [{reqest: {}}]",
        "requests: [{request: {body: {txt: a}}}]",
        "requests: [{response: {after: 5}}]",
        "requests: [{response: {after: 5 s}}]",
        "requests: [{direction: sideways}]",
        "requests: [{ending: abort}]",
        "requests: [{expect: {upstreem: {}}}]",
        "requests: [{request: {headers: {a: {hax: '00'}}}}]",
        "requests: []\nfilter: {failurePolicy: OPEN}",
        "requests: []\nfilter: {rootID: x}",
        "requests: []\ncalls: {a: [{fault: broken}]}",
        "requests: []\ncalls: {a: [{grpc_status: 0}]}",
        "requests: []\nexpect: {logs: {contains: []}}",
        "requests: []\nprotocol: http3",
    ] {
        let value: Value = serde_saphyr::from_str(wrong).expect("YAML");
        assert!(!validator.is_valid(&value), "the schema takes {wrong}");
        let file = folder.path().join("wrong.yaml");
        fs::write(&file, wrong).expect("a file");
        assert!(runner.run_file(&file).is_err(), "the parser takes {wrong}");
    }
}

/// Returns all files of scenarios in the repository.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in [root.join("parity"), root.join("../examples")] {
        for group in fs::read_dir(folder).expect("a folder of scenarios") {
            let group = group.expect("an entry").path();
            let entries = fs::read_dir(&group).into_iter().flatten();
            files.extend(entries.map(|entry| entry.expect("an entry").path()));
        }
    }
    let is_scenario = |file: &PathBuf| {
        let is_other = file.file_name().is_some_and(|name| name == "envoy.yaml");
        file.extension().is_some_and(|ending| ending == "yaml") && !is_other
    };
    files.retain(is_scenario);
    files
}
