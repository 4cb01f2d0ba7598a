//! The manifests of `istio/`: configurations that the filter accepts, resources that Istio's schemas accept.
//!
//! The rules of a schema that are written in CEL are not checked, because only an API server evaluates them.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use serde_json::Value;
use sidespan::check::check_file;

#[test]
fn every_configuration_in_them_is_valid_and_warned_of_is_only_the_registry() {
    for (name, configurations, url) in [
        ("wasmplugin", 1, Some("$.spec.url")),
        ("trafficextension", 1, Some("$.spec.wasm.url")),
        ("envoyfilter", 2, None),
        ("attempts", 1, None),
    ] {
        let file = format!("istio/{name}.yaml");
        let report = check_file(&file, read(&file).as_bytes());
        assert_eq!(report.configurations, configurations, "{file}");
        let warned: Vec<_> = report.warnings.iter().map(|found| &*found.path).collect();
        assert_eq!((report.errors, warned), (vec![], Vec::from_iter(url)));
    }
}

#[test]
fn all_three_ways_install_the_same() {
    let plugin = manifest("wasmplugin");
    let expected = &plugin["spec"]["pluginConfig"];
    assert!(expected.is_object());
    let extension = manifest("trafficextension");
    assert_eq!(&extension["spec"]["wasm"]["pluginConfig"], expected);
    for field in ["url", "pluginName", "failStrategy"] {
        assert_eq!(
            extension["spec"]["wasm"][field], plugin["spec"][field],
            "{field}"
        );
    }
    for field in ["phase", "priority"] {
        assert_eq!(extension["spec"][field], plugin["spec"][field], "{field}");
    }
    for filter in envoy_filters() {
        let config = &filter["typed_config"]["config"];
        let text = config["configuration"]["value"]
            .as_str()
            .expect("a configuration as text");
        assert_eq!(
            &serde_json::from_str::<Value>(text).expect("JSON"),
            expected
        );
        assert_eq!(config["root_id"], plugin["spec"]["pluginName"]);
        // No VM id, as Istio writes none for a WasmPlugin: copies of the two kinds find each other only under one VM id.
        assert!(config["vm_config"]["vm_id"].is_null());
    }
}

#[test]
fn the_filter_from_a_file_is_only_for_pods_that_say_they_have_it() {
    let selector = &manifest("envoyfilter")["spec"]["workloadSelector"]["labels"];
    assert_eq!(selector, &serde_json::json!({"sidespan": "enabled"}));
    for file in ["istio/envoyfilter.yaml", "istio/README.md"] {
        assert!(read(file).contains("sidespan: enabled"), "{file}");
    }
}

#[test]
fn kustomize_finds_its_resources_and_installs_one_copy() {
    let resources = manifest("kustomization")["resources"].clone();
    let names: Vec<_> = resources
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(names, ["telemetry.yaml", "wasmplugin.yaml"]);
}

#[test]
fn the_readme_shows_what_check_says() {
    let filled_in = read("istio/wasmplugin.yaml").replace("REGISTRY", "registry.example.com/mesh");
    let report = check_file("istio/wasmplugin.yaml", filled_in.as_bytes());
    assert_eq!((report.errors, report.warnings), (vec![], vec![]));
    assert_eq!(report.configurations, 1);
    assert!(read("istio/README.md").contains("istio/wasmplugin.yaml: fine, 1 configuration\n"));
    let asked = [
        "istio/wasmplugin.yaml",
        "--request",
        "GET /checkout",
        "--namespace",
        "kube-system",
    ];
    let said = check(&asked, &filled_in);
    let (_, shown) = read("istio/README.md")
        .split_once("--request 'GET /checkout' --namespace kube-system\n")
        .map(|(before, behind)| (before.to_owned(), behind.to_owned()))
        .expect("the example");
    assert!(shown.starts_with(&said), "{said}");
}

#[test]
fn the_readme_shows_what_check_makes_of_istios_telemetry() {
    let readme = read("istio/README.md");
    let (_, section) = readme
        .split_once("## From Istio's Telemetry")
        .expect("the section");
    let block = |kind: &str| {
        let (_, rest) = section
            .split_once(&format!("```{kind}\n"))
            .expect("a block");
        rest.split_once("```").expect("its end").0
    };
    let said = check(&["telemetry.yaml"], block("yaml"));
    assert_eq!(
        block("console"),
        format!("$ sidespan check telemetry.yaml\n{said}")
    );
}

#[test]
fn the_readme_maps_every_tracing_field_of_istios_telemetry() {
    let Some(definitions) = definitions("the_readme_maps_every_tracing_field_of_istios_telemetry")
    else {
        return;
    };
    let schema = schema(&definitions, &manifest("telemetry"));
    let tracing = &schema["properties"]["spec"]["properties"]["tracing"]["items"]["properties"];
    let readme = read("istio/README.md");
    let (_, section) = readme.split_once("Field by field:").expect("the table");
    let names = tracing
        .as_object()
        .expect("fields")
        .keys()
        .map(String::as_str);
    let kinds = tracing["customTags"]["additionalProperties"]["properties"].as_object();
    let kinds = kinds.expect("kinds of tags").keys().map(String::as_str);
    let lacking: Vec<_> = names
        .chain(kinds)
        .chain(["selector", "targetRefs"])
        .filter(|name| {
            let mut rows = section.lines().filter(|line| line.starts_with('|'));
            !rows.any(|row| {
                row.split('|')
                    .nth(1)
                    .is_some_and(|cell| cell.contains(&format!("`{name}`")))
            })
        })
        .collect();
    assert_eq!(lacking, [""; 0]);
}

/// Returns the program's output for this text, in a file of the name that comes first.
fn check(arguments: &[&str], text: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(arguments[0]);
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(&file, text).expect("a file");
    let ended = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
        .arg("check")
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .expect("the program");
    assert!(ended.status.success(), "{ended:?}");
    String::from_utf8(ended.stdout).expect("text")
}

#[test]
fn every_resource_passes_the_schema_of_its_kind() {
    let Some(definitions) = definitions("every_resource_passes_the_schema_of_its_kind") else {
        return;
    };
    let names = [
        "wasmplugin",
        "trafficextension",
        "telemetry",
        "envoyfilter",
        "attempts",
    ];
    for name in names {
        let resource = manifest(name);
        let schema = schema(&definitions, &resource);
        let validator = jsonschema::validator_for(schema).expect("a schema");
        let errors: Vec<_> = validator
            .iter_errors(&resource)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, [""; 0], "{name}");
        let mut unknown = Vec::new();
        unknown_fields(
            &resource["spec"],
            &schema["properties"]["spec"],
            "spec",
            &mut unknown,
        );
        assert_eq!(unknown, [""; 0], "{name}");
    }
}

/// Returns Istio's resource definitions; `None`, with a note on standard error, where there are none on this machine.
pub(super) fn definitions(test: &str) -> Option<Vec<Value>> {
    let Some(path) = env::var_os("SIDESPAN_ISTIO_CRDS").map(PathBuf::from) else {
        // Not `eprintln!`, whose output the test harness captures.
        let note = "for SIDESPAN_ISTIO_CRDS is not set.\n\
                    With the path of Istio's CRDs there, in one YAML file, istio/ is held against their schemas.\n";
        writeln!(io::stderr(), "\nDID NOT RUN: {test}, {note}").expect("standard error");
        return None;
    };
    // From the project's root, as `.ci/run` and people give the path; the tests run in a folder below.
    let text = fs::read_to_string(root().join(&path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_saphyr::from_multiple(&text).expect("definitions in YAML"))
}

/// Returns the schema for the kind and the version of a resource.
fn schema<'a>(definitions: &'a [Value], resource: &Value) -> &'a Value {
    let (group, version) = resource["apiVersion"]
        .as_str()
        .and_then(|text| text.split_once('/'))
        .expect("group/version");
    let spec = definitions
        .iter()
        .map(|definition| &definition["spec"])
        .find(|spec| spec["group"] == group && spec["names"]["kind"] == resource["kind"])
        .unwrap_or_else(|| panic!("no definition of {} in {group}", resource["kind"]));
    let versions = spec["versions"].as_array().expect("versions");
    let served = versions
        .iter()
        .find(|known| known["name"] == version && known["served"] == true);
    &served.unwrap_or_else(|| panic!("{version} is not served"))["schema"]["openAPIV3Schema"]
}

/// Collects fields that the schema does not name: an API server drops them, `kubectl apply` refuses them.
fn unknown_fields(value: &Value, schema: &Value, path: &str, unknown: &mut Vec<String>) {
    if schema["x-kubernetes-preserve-unknown-fields"] == true {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                match (&schema["properties"][name], &schema["additionalProperties"]) {
                    (Value::Null, Value::Null) => unknown.push(path),
                    (Value::Null, other) => unknown_fields(value, other, &path, unknown),
                    (field, _) => unknown_fields(value, field, &path, unknown),
                }
            }
        }
        Value::Array(list) => list
            .iter()
            .for_each(|value| unknown_fields(value, &schema["items"], path, unknown)),
        _ => {}
    }
}

pub(super) fn envoy_filters() -> Vec<Value> {
    let manifest = manifest("envoyfilter");
    let patches = manifest["spec"]["configPatches"]
        .as_array()
        .expect("patches");
    assert_eq!(patches.len(), 2);
    patches
        .iter()
        .map(|patch| patch["patch"]["value"].clone())
        .collect()
}

pub(super) fn manifest(name: &str) -> Value {
    serde_saphyr::from_str(&read(&format!("istio/{name}.yaml")))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(super) fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
