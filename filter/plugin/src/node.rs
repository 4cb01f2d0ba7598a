//! What the proxy says of itself: its node metadata and which way a listener faces.
//!
//! Envoy 1.33 moved these properties under `xds`; where that is not known, the old names are asked.

use sidespan_core::config::Direction as Configured;
use sidespan_core::resource::Node;
use sidespan_core::tracer::Direction;

use crate::host;

/// Reads the node's metadata.
pub(crate) fn read() -> Node {
    Node {
        canonical_service: metadata("LABELS\0service.istio.io/canonical-name"),
        workload: metadata("WORKLOAD_NAME"),
        namespace: metadata("NAMESPACE"),
        pod: metadata("NAME"),
        node: metadata("NODE_NAME"),
        cluster: metadata("CLUSTER_ID"),
        service_cluster: node("cluster"),
    }
}

fn metadata(path: &str) -> Option<String> {
    node(&format!("metadata\0{path}"))
}

fn node(path: &str) -> Option<String> {
    let bytes = host::property(&format!("xds\0node\0{path}"))
        .or_else(|| host::property(&format!("node\0{path}")))?;
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.is_empty())
}

/// How the direction of a request is found.
#[derive(Clone, Copy)]
pub(crate) enum Facing {
    /// The same for all requests.
    Fixed(Direction),
    /// Each listener's own. One root context may serve several, so it is asked for each request.
    Listener,
}

impl Facing {
    /// What is configured, or else what the node is: Istio's gateways and waypoints are edges.
    pub(crate) fn new(configured: Configured) -> Self {
        match configured {
            Configured::Inbound => Self::Fixed(Direction::Inbound),
            Configured::Outbound => Self::Fixed(Direction::Outbound),
            Configured::Edge => Self::Fixed(Direction::Edge),
            Configured::Auto => {
                let id = node("id").unwrap_or_default();
                if id.starts_with("router~") || id.starts_with("waypoint~") {
                    Self::Fixed(Direction::Edge)
                } else {
                    Self::Listener
                }
            }
        }
    }

    /// The direction of the current request; a listener without one is an edge.
    pub(crate) fn direction(self) -> Direction {
        match self {
            Self::Fixed(direction) => direction,
            Self::Listener => match host::number_property("xds\0listener_direction")
                .or_else(|| host::number_property("listener_direction"))
            {
                Some(1) => Direction::Inbound,
                Some(2) => Direction::Outbound,
                _ => Direction::Edge,
            },
        }
    }
}
