//! The resources that make a mesh of the loopback network: no redirection of traffic, an address a pod, ports that an
//! application is told.

use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};

/// The namespace of the mesh's own parts: of the gateway and of what is for the whole mesh.
pub const ROOT: &str = "istio-system";
/// The port that every service has, and every sidecar and gateway listens at.
pub(super) const PORT: u16 = 8080;
/// The name of the collector's service in the shipped manifests.
pub const COLLECTOR: &str = "otel-collector";
/// The name of the gateway's workload and of its resources.
pub(super) const GATEWAY: &str = "istio-ingressgateway";

/// Returns the host name of a service.
pub fn host(namespace: &str, name: &str) -> String {
    format!("{name}.{namespace}.svc.cluster.local")
}

/// Returns a service of one pod: its name in the mesh, its pod, and the two listeners of its sidecar, one for its callers and
/// one at `outbound` for what it calls.
pub(super) fn service(
    namespace: &str,
    name: &str,
    labels: &Value,
    pod: IpAddr,
    application: SocketAddr,
    outbound: IpAddr,
) -> String {
    let entry = resource(
        "ServiceEntry",
        namespace,
        name,
        json!({
            "hosts": [host(namespace, name)],
            "location": "MESH_INTERNAL",
            "resolution": "STATIC",
            "ports": [{"number": PORT, "name": "http", "protocol": "HTTP"}],
            "workloadSelector": {"labels": {"app": name}},
        }),
    );
    let workload = resource(
        "WorkloadEntry",
        namespace,
        name,
        json!({
            "address": pod,
            "labels": labels,
            // Makes callers speak mutual TLS to it.
            "serviceAccount": name,
            "ports": {"http": PORT},
        }),
    );
    let sidecar = resource(
        "Sidecar",
        namespace,
        name,
        json!({
            "workloadSelector": {"labels": {"app": name}},
            "ingress": [{
                "port": {"number": PORT, "protocol": "HTTP", "name": "http"},
                "bind": pod,
                "captureMode": "NONE",
                "defaultEndpoint": application,
            }],
            "egress": [
                {
                    "port": {"number": PORT, "protocol": "HTTP", "name": "http"},
                    "bind": outbound,
                    "captureMode": "NONE",
                    "hosts": ["*/*"],
                },
                {"hosts": ["*/*"]},
            ],
        }),
    );
    documents(&[entry, workload, sidecar])
}

/// Returns the gateway's listener, and the route of all its requests to a service.
pub(super) fn gateway(pod: IpAddr, to: &str) -> String {
    let gateway = resource(
        "Gateway",
        ROOT,
        GATEWAY,
        json!({
            "selector": {"app": GATEWAY},
            "servers": [{
                "port": {"number": PORT, "name": "http", "protocol": "HTTP"},
                "bind": pod,
                "hosts": ["*"],
            }],
        }),
    );
    let routes = resource(
        "VirtualService",
        ROOT,
        GATEWAY,
        json!({
            "hosts": ["*"],
            "gateways": [GATEWAY],
            "http": [{"route": [{"destination": {"host": to, "port": {"number": PORT}}}]}],
        }),
    );
    documents(&[gateway, routes])
}

/// Returns the service of a collector without a sidecar.
pub(super) fn collector(name: &str, address: SocketAddr) -> String {
    let entry = resource(
        "ServiceEntry",
        "observability",
        name,
        json!({
            "hosts": [host("observability", name)],
            "location": "MESH_INTERNAL",
            "resolution": "STATIC",
            "ports": [{"number": 4317, "name": "grpc-otlp", "protocol": "GRPC"}],
            "endpoints": [{"address": address.ip(), "ports": {"grpc-otlp": address.port()}}],
        }),
    );
    documents(&[entry])
}

/// Returns a resource of Istio's networking API.
pub fn resource(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    })
}

/// Returns resources as a text in YAML, of which JSON is a part.
pub fn documents(resources: &[Value]) -> String {
    let texts: Vec<_> = resources.iter().map(Value::to_string).collect();
    texts.join("\n---\n")
}
