//! The Envoys of `examples/`, each of which serves.

use std::fs;

use serde_json::Value;
use sidespan_envoy::Envoy;
use sidespan_tests::envoy;
use sidespan_tests::http::{Request, Server, send};

use crate::program::examples::{BEHIND, IN_FRONT, bootstrap, folders, name};

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

/// Moves all ports to free ones, and the service's to that of the test.
fn set_ports(value: &mut Value, service: u16) {
    match value {
        Value::Object(fields) => {
            if let Some(port) = fields.get_mut("port_value") {
                *port = match port.as_u64() {
                    Some(8080) => service.into(),
                    // Nothing listens on the collector's port, which must not matter to a request.
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

fn filter_mut(bootstrap: &mut Value) -> &mut Value {
    let path = [IN_FRONT, BEHIND]
        .into_iter()
        .find(|path| bootstrap.pointer(path).is_some());
    let found = path.and_then(|path| bootstrap.pointer_mut(path));
    found.expect("the wasm filter")
}
