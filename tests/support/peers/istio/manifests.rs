//! The manifests of `istio/`, as a platform team renders and applies them.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::super::{copy_manifests, kustomize};
use super::resources::{COLLECTOR, host};
use crate::packages::output_or;

/// Returns the base of `istio/` with these of its components, rendered by kustomize; the image and the collector are set in it,
/// and nothing else.
///
/// # Panics
/// With what kustomize says, when it fails.
pub fn shipped(components: &[&str], image: &str) -> String {
    let folder = TempDir::with_prefix("sidespan-peer-").expect("a folder for test files");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../istio");
    for part in ["base", "components"] {
        copy_manifests(&source.join(part), &folder.path().join(part));
    }
    let (_, image) = image.split_once("oci://").expect("oci://");
    let collector = host("observability", COLLECTOR);
    let settings = format!("image={image}\ncollector={collector}\nport=4317\n");
    let file = folder.path().join("base/settings.env");
    fs::write(file, settings).expect("a test file");
    let components = components.iter().chain([&"settings"]);
    let components: Vec<_> = components
        .map(|name| format!("../components/{name}"))
        .collect();
    let overlay = format!(
        "resources: [../base]\ncomponents: [{}]\n",
        components.join(", ")
    );
    let of_a_test = folder.path().join("of-a-test");
    fs::create_dir(&of_a_test).expect("a folder for test files");
    fs::write(of_a_test.join("kustomization.yaml"), overlay).expect("a test file");
    let mut build = Command::new(kustomize());
    let rendered = output_or(
        build.arg("build").arg(of_a_test),
        "kustomize renders istio/",
    );
    String::from_utf8(rendered).expect("text")
}
