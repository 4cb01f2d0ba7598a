//! The `url` of a plugin, as its readers take it: the API server (`isURL` of CEL), istiod (`url.Parse` of Go), and the agent,
//! which asks a registry for host and path alone (`pkg/wasm/cache.go` of Istio).

use crate::package::judge_pulled;

/// Returns the sentence on a URL that one of its readers refuses.
pub(super) fn broken(url: &str) -> Option<String> {
    if url.contains(char::is_whitespace) {
        return Some("expected a URL without spaces".into());
    }
    if let Some((scheme, place)) = url.split_once("://") {
        let is_known = ["oci", "http", "https", "file"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(scheme));
        return match (is_known, place.is_empty()) {
            (false, _) => Some(
                "expected one of the schemes oci, http, https and file; an image of a registry is oci://…".into(),
            ),
            (true, true) => Some("expected a place behind the scheme".into()),
            (true, false) if scheme.eq_ignore_ascii_case("oci") => image(place),
            (true, false) => None,
        };
    }
    let is_image = |letter: char| letter.is_ascii_alphanumeric() || "._-/@:+".contains(letter);
    if !url.chars().all(is_image) {
        return Some(
            "expected the place of an image, such as oci://registry.example.com/sidespan-filter:1"
                .into(),
        );
    }
    let host = url.split('/').next().unwrap_or_default();
    if host.contains(':') {
        return Some(
            "without a scheme a host with a port is no URL, and the API server refuses the resource or istiod drops it \
             in silence; write oci:// in front"
                .into(),
        );
    }
    // That a URL must not be empty is said by its schema.
    (!url.is_empty()).then(|| image(url)).flatten()
}

/// Returns the digest of the image's manifest that a URL is pinned by, without `sha256:`.
pub(super) fn digest(url: &str) -> Option<&str> {
    let (scheme, place) = url.split_once("://").unwrap_or(("oci", url));
    let (_, digest) = place.rsplit_once("@sha256:")?;
    scheme.eq_ignore_ascii_case("oci").then_some(digest)
}

/// Returns the sentence on an image that no agent can pull.
fn image(place: &str) -> Option<String> {
    if place.contains("://") {
        return Some(
            "leave out the second scheme: behind oci:// comes the image's name, REGISTRY/NAME"
                .into(),
        );
    }
    // Of a URL, Go's reader keeps the user in front and the query behind for itself.
    let place = place.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = place.split_once('/').unwrap_or((place, ""));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let parts = [host].into_iter().chain(path.split('/'));
    // This one is a warning, because it is said of the manifests as they are shipped.
    let parts: Vec<_> = parts
        .map(|part| match part {
            "REGISTRY" => "registry",
            part => part,
        })
        .collect();
    let refused = judge_pulled(&parts.join("/")).err()?;
    Some(format!("no agent can pull this image: {refused}"))
}
