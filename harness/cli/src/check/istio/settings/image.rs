//! The images that Istio's resources take the filter from: `url` and `sha256` of a WasmPlugin, a TrafficExtension or an
//! EnvoyExtensionPolicy.

use super::place::Place;
use crate::check::input::document::Document;
use crate::check::input::plugin_owner::Names;

/// The image of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageSource {
    /// Place of the plugin.
    pub place: Place,
    /// The digest behind the `@` of `url`, with `sha256:`.
    pub in_url: Option<String>,
    /// `sha256`, without `sha256:`.
    pub sha256: Option<String>,
}

/// Reads the images of Sidespan's plugins in a policy of Envoy Gateway's.
pub(super) fn of_envoy_gateway(place: &Place, policy: &Document) -> Vec<ImageSource> {
    let plugins = policy
        .get("spec")
        .map_or(&[][..], |spec| spec.items("wasm"));
    let sources = plugins.iter().enumerate().filter_map(|(index, plugin)| {
        let image = plugin.at(&["code", "image"])?;
        let url = image.get("url")?.text()?;
        let is_ours = Names::of_envoy_gateway(policy, plugin).are_ours();
        is_ours.then(|| {
            source(
                place.at(&format!(".spec.wasm[{index}].code.image")),
                image,
                url,
            )
        })
    });
    sources.collect()
}

fn source(place: Place, image: &Document, url: &str) -> ImageSource {
    let sha256 = image.get("sha256").and_then(Document::text);
    ImageSource {
        place,
        in_url: url.split_once('@').map(|(_, digest)| digest.to_owned()),
        sha256: sha256.filter(|text| !text.is_empty()).map(str::to_owned),
    }
}

/// Reads the image of Sidespan's plugin; `None` for plugins of others, and for modules that no registry has.
pub(super) fn read(place: &Place, tree: &Document) -> Option<ImageSource> {
    let below: &[&str] = match tree.get("kind")?.text()? {
        "WasmPlugin" => &["spec"],
        _ => &["spec", "wasm"],
    };
    let plugin = tree.at(below)?;
    let url = plugin.get("url")?.text()?;
    let is_image = !url.contains("://") || url.to_ascii_lowercase().starts_with("oci://");
    if !is_image || !Names::of_istio(tree, plugin).are_ours() {
        return None;
    }
    let at = place.at(&format!(".{}", below.join(".")));
    Some(source(at, plugin, url))
}
