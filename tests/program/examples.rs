//! Every folder of `examples/` is what it says: a configuration, an Envoy with it that serves, and a scenario that
//! holds.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sidespan::check::check_file;
use sidespan::run::Runner;
use sidespan_envoy::Envoy;
use sidespan_tests::envoy;
use sidespan_tests::http::{Request, Server, send};

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

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn every_envoy_serves() {
    let scratch = tempfile::tempdir().expect("a folder");
    for folder in folders() {
        let service = Server::ok();
        let mut bootstrap = bootstrap(&folder);
        set_ports(&mut bootstrap, service.address().port());
        let file = &mut filter_mut(&mut bootstrap)["vm_config"]["code"]["local"]["filename"];
        assert_eq!(file, "target/wasm32-wasip1/release/sidespan_filter.wasm");
        *file = envoy::module().display().to_string().into();
        let config = scratch.path().join(format!("{}.json", name(&folder)));
        fs::write(&config, bootstrap.to_string()).expect("a file");
        let envoy = Envoy::start_file(envoy::binary(), &config, "wasm:info")
            .unwrap_or_else(|error| panic!("{error}"));
        let listener = bootstrap["static_resources"]["listeners"][0]["name"]
            .as_str()
            .expect("a name");
        let address = envoy.address(listener).expect("the listener");
        let request =
            Request::get("/").header("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1");
        assert_eq!(send(address, &request).status, 200);
        let traceparent = service
            .only("/")
            .headers
            .one("traceparent")
            .expect("a traceparent");
        assert!(
            traceparent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"),
            "{traceparent}"
        );
        assert_eq!(envoy::counter(&envoy, "config.refused"), 0);
    }
}

/// Moves everything to free ports, and the service to that of the test.
fn set_ports(value: &mut Value, service: u16) {
    match value {
        Value::Object(fields) => {
            if let Some(port) = fields.get_mut("port_value") {
                *port = match port.as_u64() {
                    Some(8080) => service.into(),
                    // Nothing listens on the port of the collector: that must not matter to a request.
                    Some(4317) => 9.into(),
                    Some(9901 | 10000) => 0.into(),
                    other => panic!("what is port {other:?}?"),
                };
            }
            fields
                .values_mut()
                .for_each(|value| set_ports(value, service));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| set_ports(value, service)),
        _ => {}
    }
}

fn filter(bootstrap: &Value) -> &Value {
    let found = [IN_FRONT, BEHIND]
        .iter()
        .find_map(|path| bootstrap.pointer(path));
    found.expect("the wasm filter")
}

fn filter_mut(bootstrap: &mut Value) -> &mut Value {
    let path = [IN_FRONT, BEHIND]
        .into_iter()
        .find(|path| bootstrap.pointer(path).is_some());
    let found = path.and_then(|path| bootstrap.pointer_mut(path));
    found.expect("the wasm filter")
}

/// In front of the router, or behind it.
const IN_FRONT: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config";
const BEHIND: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/upstream_http_filters/0/typed_config/config";

fn bootstrap(folder: &Path) -> Value {
    serde_saphyr::from_str(&read(&folder.join("envoy.yaml")))
        .unwrap_or_else(|error| panic!("{error}"))
}

fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(root()).expect("examples");
    let mut folders: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

fn name(folder: &Path) -> String {
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
