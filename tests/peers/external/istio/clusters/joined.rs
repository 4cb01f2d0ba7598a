//! The two clusters, and the resources that join them.

use std::net::SocketAddr;

use serde_json::{Value, json};
use sidespan_tests::collector::Collector;
use sidespan_tests::peers::istio::{
    Format, Mesh, ROOT, Service, documents, host, resource, shipped_overlay,
};

use super::super::path::publish;

pub(super) const EGRESS: &str = "istio-egressgateway";
pub(super) const EASTWEST: &str = "istio-eastwestgateway";
pub(super) const INGRESS: &str = "istio-ingressgateway";

/// Both clusters, with a backend for the spans of both.
pub(super) struct Joined {
    west: Mesh,
    _east: Mesh,
    pub(super) front: Service,
    pub(super) public: Service,
    others: [Service; 3],
}

impl Joined {
    /// Starts both with their overlays, and waits until all pods are ready.
    pub(super) fn start() -> Self {
        let mut west = Mesh::of_cluster("west");
        let east = Mesh::of_cluster("east");
        // One registry, which the pods of both can reach.
        let image = publish(&mut west);
        let backend = west.collector().sink().grpc_addr();
        for (mesh, name) in [(&west, "west"), (&east, "east")] {
            mesh.apply(&documents(&[external(
                &host("observability", &format!("otel-collector-{name}")),
                4317,
                "GRPC",
                backend,
            )]));
            mesh.apply(&documents(&overlay(name, &image)));
        }
        east.apply(&documents(&[for_everybody(&image)]));

        let cart = east.service("shop", "cart", Format::W3c, None);
        let eastwest = east.gateway_pod(EASTWEST);
        let listener = gateway(EASTWEST, &eastwest, "*");
        let to_cart = json!([{"route": [to(&host("shop", "cart"))]}]);
        east.apply(&documents(&[listener, routes("*", &[EASTWEST], &to_cart)]));
        let public = east.gateway(&host("shop", "cart"));

        let egress = west.gateway_pod(EGRESS);
        west.apply(&documents(&[
            external(THERE, 8080, "HTTP", eastwest.address()),
            external(&host(ROOT, EGRESS), 8080, "HTTP", egress.address()),
            gateway(EGRESS, &egress, THERE),
        ]));
        let front = west.service("shop", "front", Format::W3c, Some(THERE.to_owned()));
        let mut joined = Self {
            west,
            _east: east,
            front,
            public,
            others: [egress, eastwest, cart],
        };
        joined.leave_without(&[]);
        for service in [&mut joined.front, &mut joined.public] {
            service.pod_mut().wait_until_ready();
        }
        for service in &mut joined.others {
            service.pod_mut().wait_until_ready();
        }
        joined
    }

    /// Returns what the collectors of both send to.
    pub(super) fn backend(&self) -> &Collector {
        self.west.collector()
    }

    /// Routes the west's calls through its egress gateway, which removes these headers.
    pub(super) fn leave_without(&self, headers: &[&str]) {
        let ways = json!([
            {
                "match": [{"gateways": ["mesh"]}],
                "route": [to(&host(ROOT, EGRESS))],
            },
            {
                "match": [{"gateways": [EGRESS]}],
                "headers": {"request": {"remove": headers}},
                "route": [to(THERE)],
            },
        ]);
        let routes = routes(THERE, &["mesh", EGRESS], &ways);
        self.west.apply(&documents(&[routes]));
    }
}

/// Returns the overlay of a cluster, with the rule of `docs/clusters.md` by which requests to one path are recorded.
fn overlay(cluster: &str, image: &str) -> Vec<Value> {
    let shipped = shipped_overlay(&format!("two-clusters/{cluster}"), image);
    let mut all: Vec<Value> = serde_saphyr::from_multiple(&shipped).expect("YAML");
    let rule = json!({"match": {"path": PROBED}, "percentage": 100});
    plugin(&mut all)["spec"]["pluginConfig"]["sampling"]["rules"] = json!([rule]);
    all
}

/// Returns the plugin of the gateway that anybody may call: a copy of the cluster's, as `docs/clusters.md` has it, which begins traces of its own.
fn for_everybody(image: &str) -> Value {
    let mut all = overlay("east", image);
    let mut copy = plugin(&mut all).clone();
    copy["metadata"]["name"] = "sidespan-ingress".into();
    copy["spec"]["priority"] = 1001.into();
    copy["spec"]["selector"] = json!({"matchLabels": {"app": INGRESS}});
    copy["spec"]["pluginConfig"]["gateway"] = json!({"trust": {"context": "restart"}});
    copy
}

fn plugin(all: &mut [Value]) -> &mut Value {
    let plugin = all.iter_mut().find(|it| it["kind"] == "WasmPlugin");
    plugin.expect("the plugin")
}

fn gateway(name: &str, pod: &Service, hosts: &str) -> Value {
    let server = json!({
        "port": {"number": 8080, "name": "http", "protocol": "HTTP"},
        "bind": pod.pod().address(),
        "hosts": [hosts],
    });
    let spec = json!({"selector": {"app": name}, "servers": [server]});
    resource("Gateway", ROOT, name, spec)
}

fn routes(hosts: &str, gateways: &[&str], ways: &Value) -> Value {
    let spec = json!({"hosts": [hosts], "gateways": gateways, "http": ways});
    resource("VirtualService", ROOT, gateways[gateways.len() - 1], spec)
}

fn to(host: &str) -> Value {
    json!({"destination": {"host": host, "port": {"number": 8080}}})
}

/// Returns a service at a fixed address, without a sidecar of this mesh.
fn external(host: &str, port: u16, protocol: &str, address: SocketAddr) -> Value {
    let name = host.split('.').next().expect("a name");
    let ports = json!([{"number": port, "name": "port", "protocol": protocol}]);
    let spec = json!({
        "hosts": [host],
        "location": "MESH_EXTERNAL",
        "resolution": "STATIC",
        "ports": ports,
        "endpoints": [{"address": address.ip(), "ports": {"port": address.port()}}],
    });
    resource("ServiceEntry", ROOT, name, spec)
}

/// A path that is recorded whatever else is.
pub(super) const PROBED: &str = "/probe";
/// The east's service, by the name that the west calls it.
const THERE: &str = "cart.east.example";
