//! What kustomize makes of a profile and its components: each Collector of it takes the files that its pod has, with the arguments that its
//! container has.

use std::fs;

use serde_json::Value;
use sidespan_tests::peers::{Authority, Collector};
use tempfile::TempDir;

use super::super::manifests::rendered::Shipped;
use super::certificates::own_secret;
use crate::observability::files::list;

const MOUNTED: &str = "/etc/otelcol/";

#[test]
fn the_collectors_of_every_profile_and_its_components_take_their_files() {
    for profile in ["filter-decides", "gateway-decides"] {
        for components in [&[] as &[&str], &["jaeger"], &["tls"], &["jaeger", "tls"]] {
            let all = rendered(profile, components);
            let agents = list_of(&all, "DaemonSet");
            let gateways = list_of(&all, "Deployment");
            assert_eq!((agents.len(), gateways.len()), (1, 1), "{profile}");
            for workload in [agents[0], gateways[0]] {
                let (is_taken, said) = validate(&all, workload);
                assert!(is_taken, "{profile} {components:?}: {said}");
            }
            let container = container(gateways[0]);
            let backend = list(&container["env"])
                .iter()
                .find(|it| it["name"] == "BACKEND");
            let backend = backend.expect("a backend")["value"].as_str();
            let expected = match components.contains(&"jaeger") {
                true => "jaeger.observability.svc.cluster.local:4317",
                false => "tempo.observability.svc.cluster.local:4317",
            };
            assert_eq!(backend, Some(expected), "{profile} {components:?}");
        }
    }
}

/// Shows how far the component goes whose connector is not built into the tests' Collector.
#[test]
fn of_the_service_graph_nothing_but_the_connector_is_unknown() {
    let all = rendered("filter-decides", &["service-graph"]);
    let (is_taken, said) = validate(&all, list_of(&all, "Deployment")[0]);
    let complains = said.contains("'connectors' unknown type: \"servicegraph\"");
    assert!(!is_taken && complains, "{said}");
    let unknown = |what: &str| said.matches(&format!("unknown type{what}")).count();
    assert_eq!(unknown(""), unknown(": \"servicegraph\""), "{said}");
}

/// Returns the resources of a profile with these components.
fn rendered(profile: &str, components: &[&str]) -> Vec<Value> {
    let shipped = Shipped::with("registry.invalid/image", "collector.invalid", 4317);
    let folder = shipped.path("observability/of-a-test");
    fs::create_dir(&folder).expect("a folder for test files");
    let components: Vec<_> = components
        .iter()
        .map(|name| format!("../collector/components/{name}"))
        .collect();
    let text = format!(
        "resources: [../collector/{profile}]\ncomponents: [{}]\n",
        components.join(", ")
    );
    fs::write(folder.join("kustomization.yaml"), text).expect("a test file");
    let text = shipped.kustomize("observability/of-a-test");
    serde_saphyr::from_multiple(&text).expect("YAML")
}

fn list_of<'a>(all: &'a [Value], kind: &str) -> Vec<&'a Value> {
    all.iter().filter(|it| it["kind"] == kind).collect()
}

fn container(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]["containers"][0]
}

/// Lets a Collector read what a workload's pod has mounted, and returns whether it takes it, and its words.
fn validate(all: &[Value], workload: &Value) -> (bool, String) {
    let folder = TempDir::new().expect("a folder for test files");
    let mut mounted = 0;
    let pod = &workload["spec"]["template"]["spec"];
    for source in list(&pod["volumes"][0]["projected"]["sources"]) {
        let map = all.iter().find(|it| {
            it["kind"] == "ConfigMap" && it["metadata"]["name"] == source["configMap"]["name"]
        });
        let data = &map.unwrap_or_else(|| panic!("nothing is {source}"))["data"];
        for (name, text) in data.as_object().expect("files") {
            let text = text.as_str().expect("a text");
            fs::write(folder.path().join(name), text).expect("a test file");
            mounted += 1;
        }
    }
    let place = format!("{}/", folder.path().display());
    let container = container(workload);
    let arguments: Vec<String> = list(&container["args"])
        .iter()
        .map(|it| it.as_str().expect("a text").replace(MOUNTED, &place))
        .collect();
    let configurations = arguments.iter().filter(|it| it.starts_with("--config="));
    assert_eq!(
        configurations.count(),
        mounted,
        "each is read: {arguments:?}"
    );
    let secret = own_secret(&Authority::new());
    let mut environment = vec![
        ("NODE_NAME", "node".to_owned()),
        ("POD_IP", "127.0.0.1".to_owned()),
    ];
    for variable in list(&container["env"]) {
        let name = variable["name"].as_str().expect("a name");
        match (name, variable["value"].as_str()) {
            ("TLS_DIRECTORY", Some(_)) => {
                environment.push((name, secret.path().display().to_string()));
            }
            (_, Some(value)) => environment.push((name, value.to_owned())),
            (_, None) => assert!(environment.iter().any(|(it, _)| *it == name), "{name}"),
        }
    }
    let ended = Collector::validate(&arguments, &environment);
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    (ended.status.success(), said)
}
