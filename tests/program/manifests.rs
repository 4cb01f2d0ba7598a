//! The manifests of `istio/`: configurations that the filter accepts, resources that Istio's schemas accept.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use sidespan::check::check_file;
use sidespan_tests::definitions;

#[test]
fn every_configuration_in_them_is_valid_and_warned_of_is_only_the_registry() {
    for (name, configurations, url) in [
        ("wasmplugin", 1, Some("$.spec.url")),
        ("trafficextension", 1, Some("$.spec.wasm.url")),
        ("envoyfilter", 2, None),
        ("attempts", 1, None),
        ("waypoints", 1, Some("$.spec.url")),
        ("waypoints-collector", 0, None),
        ("telemetry", 0, None),
        ("telemetry-keep-spans", 0, None),
    ] {
        let file = place(name);
        let report = check_file(file, read(file).as_bytes());
        assert_eq!(report.configurations, configurations, "{file}");
        let warned: Vec<_> = report.warnings.iter().map(|found| &*found.path).collect();
        assert_eq!((report.errors, warned), (vec![], Vec::from_iter(url)));
    }
}

#[test]
fn all_ways_install_the_same() {
    let plugin = manifest("wasmplugin");
    let expected = &plugin["spec"]["pluginConfig"];
    assert!(expected.is_object());
    let mut waypoints = manifest("waypoints");
    let spec = waypoints["spec"].as_object_mut().expect("a spec");
    assert!(spec.remove("targetRefs").is_some());
    assert_eq!(waypoints["spec"], plugin["spec"]);
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
    for file in [place("envoyfilter"), "istio/docs/other-ways.md"] {
        assert!(read(file).contains("sidespan: enabled"), "{file}");
    }
}

#[test]
fn with_a_registry_there_is_nothing_to_warn_of() {
    let filled_in = read(place("wasmplugin")).replace("REGISTRY", "registry.example.com/mesh");
    let report = check_file(place("wasmplugin"), filled_in.as_bytes());
    assert_eq!((report.errors, report.warnings), (vec![], vec![]));
    assert_eq!(report.configurations, 1);
}

#[test]
fn the_chart_takes_the_images_that_check_calls_fine() {
    let schema = serde_json::from_str(&read("istio/chart/values.schema.json")).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let digest = format!("sha256:{}", "a".repeat(64));
    for (image, is_fine) in [
        ("registry.example.com/mesh/sidespan-filter:0.1.0", true),
        (&*format!("ghcr.io/a-team/side_span@{digest}"), true),
        (&*format!("localhost:5000/x:1@{digest}"), true),
        ("Registry.Example.com/x", true),
        ("127.0.0.1:5000/x:v1.2_3-4", true),
        ("[::1]:5000/x", true),
        ("team/x", true),
        ("oci://r.example/x:1", false),
        ("r.example/Team/x:1", false),
        ("Team/x:1", false),
        ("r.example/x@", false),
        ("r.example/x@sha256:abc", false),
        ("r.example/x:", false),
        ("r.example//x", false),
        ("r.example/x:1+2", false),
        ("r.example", false),
        ("/x:1", false),
    ] {
        let values = serde_json::json!({"image": image});
        assert_eq!(schema.is_valid(&values), is_fine, "{image}: the chart");
        let plugin = read(place("wasmplugin")).replace("REGISTRY/sidespan-filter:0.1.0", image);
        let report = check_file(place("wasmplugin"), plugin.as_bytes());
        assert_eq!(
            report.errors.is_empty(),
            is_fine,
            "{image}: {:?}",
            report.errors
        );
    }
    // Nobody's image: the template asks for one.
    assert!(schema.is_valid(&serde_json::json!({"image": ""})));
}

#[test]
fn the_guide_shows_what_check_makes_of_istios_telemetry() {
    let guide = read("istio/docs/migrate.md");
    let (_, section) = guide
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
fn the_guide_maps_every_tracing_field_of_istios_telemetry() {
    let Some(definitions) =
        definitions::istio("the_guide_maps_every_tracing_field_of_istios_telemetry")
    else {
        return;
    };
    let schema = definitions::schema(&definitions, &manifest("telemetry"));
    let tracing = &schema["properties"]["spec"]["properties"]["tracing"]["items"]["properties"];
    let guide = read("istio/docs/migrate.md");
    let (_, section) = guide.split_once("Field by field:").expect("the table");
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
    let Some(definitions) = definitions::istio("every_resource_passes_the_schema_of_its_kind")
    else {
        return;
    };
    for (name, _) in PLACES {
        assert_eq!(
            definitions::faults(&definitions, &manifest(name)),
            [""; 0],
            "{name}"
        );
    }
}

/// Names of the manifests, with their places.
const PLACES: [(&str, &str); 8] = [
    ("wasmplugin", "istio/base/wasmplugin.yaml"),
    ("telemetry", "istio/components/telemetry/telemetry.yaml"),
    (
        "telemetry-keep-spans",
        "istio/components/telemetry-keep-spans/telemetry.yaml",
    ),
    (
        "trafficextension",
        "istio/components/trafficextension/trafficextension.yaml",
    ),
    (
        "envoyfilter",
        "istio/components/envoyfilter/envoyfilter.yaml",
    ),
    ("attempts", "istio/components/attempts/attempts.yaml"),
    ("waypoints", "istio/components/waypoints/wasmplugin.yaml"),
    (
        "waypoints-collector",
        "istio/components/waypoints/collector.yaml",
    ),
];

/// Returns the place of a manifest.
pub(super) fn place(name: &str) -> &'static str {
    let found = PLACES.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no manifest {name}")).1
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
    serde_saphyr::from_str(&read(place(name))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(super) fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
