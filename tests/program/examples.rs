//! The folders of `examples/`: in each a valid configuration, an Envoy configuration with the same, and a scenario that
//! passes.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sidespan::check::check_file;
use sidespan::run::Runner;

#[test]
fn every_folder_is_complete_and_listed() {
    let list = read(&root().join("README.md"));
    for folder in folders() {
        for file in ["README.md", "config.json", "envoy.yaml", "scenario.yaml"] {
            assert!(
                folder.join(file).is_file(),
                "{file} is missing in {}",
                folder.display()
            );
        }
        let readme = read(&folder.join("README.md"));
        let question = readme
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# "))
            .expect("a title");
        assert!(question.ends_with('?'), "{question}");
        assert!(
            list.contains(&format!("[{0}]({0}/README.md)", name(&folder))),
            "{} is not listed",
            name(&folder)
        );
    }
}

#[test]
fn every_configuration_is_valid_and_that_of_its_envoy() {
    for folder in folders() {
        let text = read(&folder.join("config.json"));
        for file in ["config.json", "envoy.yaml"] {
            let report = check_file(file, read(&folder.join(file)).as_bytes());
            let found = (report.configurations, report.errors, report.warnings);
            assert_eq!(found, (1, vec![], vec![]), "{}/{file}", name(&folder));
        }
        let envoy = bootstrap(&folder);
        let inside = filter(&envoy)["configuration"]["value"]
            .as_str()
            .expect("a configuration as text")
            .to_owned();
        let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        assert_eq!(json(&inside), json(&text), "{}", name(&folder));
    }
}

#[test]
fn every_scenario_holds() {
    let runner = Runner::new(sidespan::FILTER).expect("the filter");
    for folder in folders() {
        let file = folder.join("scenario.yaml");
        let reports = runner
            .run_file(&file)
            .unwrap_or_else(|error| panic!("{error:#}"));
        assert!(!reports.is_empty());
        for report in reports {
            assert!(
                report.failures.is_empty(),
                "{}: {:#?}",
                name(&folder),
                report
            );
        }
    }
}

fn filter(bootstrap: &Value) -> &Value {
    let found = [IN_FRONT, BEHIND]
        .iter()
        .find_map(|path| bootstrap.pointer(path));
    found.expect("the wasm filter")
}

/// The filter's place in an Envoy configuration, in front of the router and behind it.
pub(super) const IN_FRONT: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config";
pub(super) const BEHIND: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/upstream_http_filters/0/typed_config/config";

pub(super) fn bootstrap(folder: &Path) -> Value {
    serde_saphyr::from_str(&read(&folder.join("envoy.yaml")))
        .unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(root()).expect("examples");
    let mut folders: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        // Those of other authors' filters, and of messages, have no configuration of ours.
        .filter(|path| {
            path.is_dir() && !["filters", "messages"].iter().any(|it| path.ends_with(it))
        })
        .collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

pub(super) fn name(folder: &Path) -> String {
    folder
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples")
}
