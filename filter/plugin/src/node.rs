//! The node's metadata: properties of the proxy, read once for each configuration.
//!
//! Envoy 1.33 moved these properties under `xds`; on an older Envoy the old names are read.

use sidespan_abi::hostcalls;
use sidespan_core::node::Node;

/// Reads the node's metadata, and the labels and environment variables of these names. Each property is one hostcall, at
/// the start of a worker only.
pub(crate) fn read<'a>(
    labels: impl IntoIterator<Item = &'a str>,
    variables: impl IntoIterator<Item = &'a str>,
) -> Node {
    let label = |name: &str| {
        let value = property(&format!("metadata\0LABELS\0{name}"))?;
        // An empty label is a label.
        Some((name.to_owned(), String::from_utf8(value).ok()?))
    };
    let variable = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
    Node {
        canonical_service: metadata("LABELS\0service.istio.io/canonical-name"),
        canonical_revision: metadata("LABELS\0service.istio.io/canonical-revision"),
        version: metadata("LABELS\0app.kubernetes.io/version")
            .or_else(|| metadata("LABELS\0version")),
        workload: metadata("WORKLOAD_NAME"),
        owner: metadata("OWNER"),
        namespace: metadata("NAMESPACE"),
        pod: metadata("NAME"),
        addresses: metadata("INSTANCE_IPS"),
        pod_uid: metadata("POD_UID"),
        node: metadata("NODE_NAME"),
        cluster: metadata("CLUSTER_ID"),
        mesh: metadata("MESH_ID"),
        service_cluster: node("cluster"),
        labels: labels.into_iter().filter_map(label).collect(),
        variables: variables.into_iter().filter_map(variable).collect(),
    }
}

fn metadata(path: &str) -> Option<String> {
    node(&format!("metadata\0{path}"))
}

fn node(path: &str) -> Option<String> {
    String::from_utf8(property(path)?)
        .ok()
        .filter(|text| !text.is_empty())
}

fn property(path: &str) -> Option<Vec<u8>> {
    hostcalls::get_property(&format!("xds\0node\0{path}"))
        .or_else(|| hostcalls::get_property(&format!("node\0{path}")))
}

/// Returns the node's id.
pub(crate) fn id() -> String {
    node("id").unwrap_or_default()
}
