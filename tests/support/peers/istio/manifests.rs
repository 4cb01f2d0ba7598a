//! The manifests of `istio/`, as a platform team applies them.

use std::fs;
use std::path::Path;

/// Returns a manifest of `istio/` with the image set in it, and nothing else.
///
/// # Panics
/// When there is no such manifest.
pub fn shipped(file: &str, image: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../istio")
        .join(file);
    let text = fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.replace("oci://REGISTRY/sidespan-filter:0.1.0", image)
}
