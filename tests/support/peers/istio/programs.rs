//! The programs of `tests/peers/istio`.

use std::path::PathBuf;

use super::super::build;

/// Returns Istio's agent, which configures an Envoy beside it.
pub(super) fn agent() -> PathBuf {
    mesh().join("pilot-agent")
}

/// Returns the program in `tests/peers/istio`, istiod's discovery server over an in-memory Kubernetes.
pub(super) fn control_plane() -> PathBuf {
    mesh().join("istio")
}

/// Returns crane, which is a registry and fills one.
pub(super) fn crane() -> PathBuf {
    mesh().join("crane")
}

/// Returns istiod.
pub(super) fn istiod() -> PathBuf {
    cluster().join("pilot-discovery")
}

/// Returns Istio's command line.
pub(super) fn istioctl() -> PathBuf {
    cluster().join("istioctl")
}

/// Builds what only a whole cluster needs, so that the mesh does not wait for it.
fn cluster() -> PathBuf {
    let packages = [
        "istio.io/istio/pilot/cmd/pilot-discovery",
        "istio.io/istio/istioctl/cmd/istioctl",
    ];
    build::programs("cluster", MODULE, &packages)
}

fn mesh() -> PathBuf {
    let packages = [
        ".",
        "istio.io/istio/pilot/cmd/pilot-agent",
        "github.com/google/go-containerregistry/cmd/crane",
    ];
    build::programs("mesh", MODULE, &packages)
}

/// Returns the folder of Istio's sources, for the files that are no Go.
pub(super) fn sources() -> PathBuf {
    build::sources(MODULE, "istio.io/istio")
}

const MODULE: &str = "istio";
