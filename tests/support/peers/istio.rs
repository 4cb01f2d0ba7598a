//! A mesh of Istio's own parts on the loopback network: without nodes, without containers, and without an API server or with one.
//!
//! ```text
//! programs ─┬─ control_plane   istiod's discovery server over an in-memory Kubernetes
//!           ├─ registry        crane's, for the images that agents fetch
//!           └─ pod             Istio's agent with the Envoy that it configures, in a file system of its own
//! application                  behind a sidecar: copies the headers of one trace format, and calls the next
//! mesh ── all of these, a collector, and the path of requests through them
//! istiod                       as it is installed, with its webhook and its certificate authority
//! cluster                      istiod over a real API server, and pods with its certificates
//! waypoints                    the control plane alone, and what it tells waypoints
//! ```

mod addresses;
mod application;
mod certificates;
mod cluster;
mod control_plane;
mod istiod;
mod manifests;
mod mesh;
mod pod;
mod programs;
mod registry;
mod resources;
mod service;
mod waypoints;

pub use application::Format;
pub use cluster::{Cluster, istioctl};
pub use control_plane::ControlPlane;
pub use manifests::{shipped, shipped_overlay};
pub use mesh::{Mesh, Path, SPANS};
pub use pod::Pod;
pub use registry::{Registry, digest};
pub use resources::{COLLECTOR, ROOT, documents, host, resource};
pub use service::Service;
pub use waypoints::{Told, Waypoints};
