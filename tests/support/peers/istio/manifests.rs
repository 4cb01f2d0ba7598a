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
    let folder = copied(image);
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
    rendered(&of_a_test)
}

/// Returns one of the overlays of `istio/`, rendered by kustomize; the image is set in it, and nothing else.
///
/// # Panics
/// As [`shipped`].
pub fn shipped_overlay(name: &str, image: &str) -> String {
    let folder = copied(image);
    rendered(&folder.path().join("overlays").join(name))
}

/// Copies what is shipped, with the image and the collector set where an operator sets them.
fn copied(image: &str) -> TempDir {
    let folder = TempDir::with_prefix("sidespan-peer-").expect("a folder for test files");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../istio");
    for part in ["base", "components", "overlays"] {
        copy_manifests(&source.join(part), &folder.path().join(part));
    }
    let (_, image) = image.split_once("oci://").expect("oci://");
    let collector = host("observability", COLLECTOR);
    let settings = format!("image={image}\ncollector={collector}\nport=4317\n");
    let file = folder.path().join("base/settings.env");
    fs::write(file, settings).expect("a test file");
    folder
}

fn rendered(overlay: &Path) -> String {
    let mut build = Command::new(kustomize());
    let rendered = output_or(build.arg("build").arg(overlay), "kustomize renders istio/");
    String::from_utf8(rendered).expect("text")
}
