//! The tools that write manifests: kustomize and Helm.

use std::path::PathBuf;

use super::build;

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
