//! Envoy Gateway's policy, and an Envoy without any control plane.

use std::fs;
use std::path::Path;

use serde_json::Value;
use sidespan::check::check_file;
use sidespan_envoy::Envoy;
use sidespan_tests::http::{Request, Server, send};
use sidespan_tests::{definitions, envoy, peers};

#[test]
fn the_policy_of_envoy_gateway_passes_its_definitions() {
    let resources: Vec<Value> =
        serde_saphyr::from_multiple(&read("envoy-gateway.yaml")).expect("YAML");
    let kinds = [
        ("EnvoyExtensionPolicy", "envoyextensionpolicies"),
        ("EnvoyProxy", "envoyproxies"),
    ];
    assert_eq!(resources.len(), kinds.len());
    for (resource, (kind, plural)) in resources.iter().zip(kinds) {
        assert_eq!(resource["kind"], kind);
        let definitions = peers::envoy_gateway(plural);
        let faults = definitions::faults(&definitions, resource);
        assert_eq!(faults, [""; 0], "{kind}");
        let mut broken = resource.clone();
        broken["spec"]["wasn"] = true.into();
        assert_eq!(definitions::faults(&definitions, &broken), ["spec.wasn"]);
    }
}

/// Runs the cluster of the EnvoyProxy and the configuration of the policy in the Envoy beside them.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn both_configurations_run_in_an_envoy() {
    let policy: Vec<Value> =
        serde_saphyr::from_multiple(&read("envoy-gateway.yaml")).expect("YAML");
    let of_the_gateway = &policy[0]["spec"]["wasm"][0]["config"];
    let merged = policy[1]["spec"]["bootstrap"]["value"].as_str();
    let merged: Value = serde_saphyr::from_str(merged.expect("a text")).expect("YAML");
    let report = check_file("envoy.yaml", read("envoy.yaml").as_bytes());
    assert_eq!((report.errors, report.warnings), (vec![], vec![]));
    assert_eq!(report.configurations, 1);
    for is_gateway in [false, true] {
        let service = Server::ok();
        let mut bootstrap: Value = serde_saphyr::from_str(&read("envoy.yaml")).expect("YAML");
        bootstrap["admin"]["address"]["socket_address"]["port_value"] = 0.into();
        let resources = &mut bootstrap["static_resources"];
        if is_gateway {
            resources["clusters"][1] = merged["static_resources"]["clusters"][0].clone();
        }
        move_to(&mut resources["clusters"][0], service.address().port());
        // Nothing listens there, which must not matter to a request.
        move_to(&mut resources["clusters"][1], 9);
        let listener = &mut resources["listeners"][0];
        listener["address"]["socket_address"]["port_value"] = 0.into();
        listener["address"]["socket_address"]["address"] = "127.0.0.1".into();
        let filters = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        let config = &mut filters["http_filters"][0]["typed_config"]["config"];
        config["vm_config"]["code"]["local"]["filename"] =
            envoy::module().display().to_string().into();
        if is_gateway {
            config["configuration"]["value"] = of_the_gateway.to_string().into();
        }
        let scratch = tempfile::tempdir().expect("a folder");
        let file = scratch.path().join("envoy.json");
        fs::write(&file, bootstrap.to_string()).expect("a file");
        let envoy = Envoy::start_file(envoy::binary(), &file, "wasm:info")
            .unwrap_or_else(|error| panic!("{error}"));
        let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let request = Request::get("/").header("traceparent", caller);
        let address = envoy.address("edge").expect("the listener");
        assert_eq!(send(address, &request).status, 200);
        let headers = service.only("/").headers;
        let traceparent = headers.one("traceparent").expect("a context");
        assert_eq!(traceparent[..36], caller[..36], "the id from outside");
        assert_eq!(envoy::counter(&envoy, "config.refused"), 0);
    }
}

fn move_to(cluster: &mut Value, port: u16) {
    let address = &mut cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
        ["socket_address"];
    assert!(address["address"].is_string());
    *address = serde_json::json!({"address": "127.0.0.1", "port_value": port});
}

fn read(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../istio/without-istio");
    fs::read_to_string(folder.join(file)).expect("a file of ours")
}
