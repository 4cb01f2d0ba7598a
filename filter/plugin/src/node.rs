//! Properties of the proxy itself: its node's metadata, and the direction of the current listener.
//!
//! Envoy 1.33 moved these properties under `xds`; where that is not known, the old names are asked.

use sidespan_abi::hostcalls;
use sidespan_core::direction::{Direction, DirectionSource};
use sidespan_core::node::Node;

/// Reads the node's metadata, and of its labels and of the VM's environment what is asked for: each is a call, though only
/// this once.
pub(crate) fn read<'a>(
    labels: impl IntoIterator<Item = &'a str>,
    variables: impl IntoIterator<Item = &'a str>,
) -> Node {
    let label = |name: &str| {
        let value = property(&format!("metadata\0LABELS\0{name}"))?;
        // A label may be empty, and is there nevertheless.
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

/// Returns a property that is a whole number.
#[inline]
fn number_property(path: &str) -> Option<u64> {
    let bytes = hostcalls::get_property(path)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// Returns the direction of the current request.
#[inline]
pub(crate) fn direction(facing: DirectionSource) -> Direction {
    match facing {
        DirectionSource::Fixed(direction) => direction,
        DirectionSource::Listener => Direction::of_listener(
            number_property("xds\0listener_direction")
                .or_else(|| number_property("listener_direction")),
        ),
    }
}
