//! The tools that write manifests, kustomize and Helm, and the definitions of Envoy Gateway.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::build;
use crate::definitions;

/// Returns kustomize's program, which the first call builds.
///
/// # Panics
/// With the compiler's output, or with what is missing.
pub fn kustomize() -> PathBuf {
    build::program_in(
        "kustomize",
        "manifests",
        "sigs.k8s.io/kustomize/kustomize/v5",
    )
}

/// Returns Helm's program, which the first call builds.
///
/// # Panics
/// As [`kustomize`].
pub fn helm() -> PathBuf {
    build::program_in("helm", "manifests", "helm.sh/helm/v3/cmd/helm")
}

/// Returns the definitions of Envoy Gateway for a kind's plural, from the Go module that `tests/peers/envoy-gateway` pins.
///
/// # Panics
/// With Go's output, when the module cannot be fetched or is another than the pinned one.
pub fn envoy_gateway(plural: &str) -> Vec<Value> {
    let output = Command::new(build::go())
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/envoy-gateway"))
        .env_remove("GOFLAGS")
        .args(["mod", "download", "-json", "github.com/envoyproxy/gateway"])
        .output()
        .expect("Go");
    assert!(output.status.success(), "{output:?}");
    let module: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let folder = Path::new(module["Dir"].as_str().expect("a folder"))
        .join("charts/gateway-helm/charts/crds/crds/generated");
    definitions::read(&folder.join(format!("gateway.envoyproxy.io_{plural}.yaml")))
}

/// Copies a folder of manifests with all that is in it, so that a test can write between them.
///
/// # Panics
/// When it cannot be read, or the copy cannot be written.
pub fn copy_manifests(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder for test files");
    for entry in fs::read_dir(from).expect("a folder of istio/") {
        let path = entry.expect("an entry").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_manifests(&path, &to);
        } else {
            fs::copy(&path, to).expect("a file of istio/");
        }
    }
}
