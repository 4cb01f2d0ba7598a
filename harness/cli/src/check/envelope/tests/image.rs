//! The image of a WasmPlugin or a TrafficExtension: names that no registry has, and pins that contradict each other.

use super::extension::{EXTENSION, PLUGIN};
use super::{says, told};

#[test]
fn an_image_that_no_agent_can_pull() {
    let (digest, other) = ("a".repeat(64), "b".repeat(64));
    let error = |told: &str| format!("error: $.spec.url: {told}");
    let name = error(
        "no agent can pull this image: expected REGISTRY/NAME or REGISTRY/NAME:TAG with a name in lower case, as \
         registry.example.com/mesh/sidespan-filter",
    );
    let pin = error(
        "no agent can pull this image: expected sha256: and 64 hexadecimal digits in lower case behind the @, which \
         `sidespan package` prints",
    );
    let scheme =
        error("leave out the second scheme: behind oci:// comes the image's name, REGISTRY/NAME");
    let registry = "warning: $.spec.url: REGISTRY stands for a registry of yours; put the one there that the image was pushed to";
    for (url, expected) in [
        ("oci://oci://r.example/x:1", Some(&*scheme)),
        ("oci://https://r.example/x:1", Some(&*scheme)),
        ("oci://r.example/Team/x:1", Some(&*name)),
        ("oci://Team/x:1", Some(&*name)),
        ("oci://R.example:5000/x:1", None),
        ("oci://r.example/x:1+2", Some(&*name)),
        ("oci://r.example/x:", Some(&*name)),
        ("oci://r.example", Some(&*name)),
        ("oci:///x:1", Some(&*name)),
        ("oci://\"r.example/x:1\"", Some(&*name)),
        ("oci://${REGISTRY}/x:1", Some(&*name)),
        ("oci://r.example:port/x:1", Some(&*name)),
        ("oci://r.example/x@", Some(&*pin)),
        ("oci://r.example/x@sha256:abc", Some(&*pin)),
        (&format!("oci://r.example/x@{digest}"), Some(&*pin)),
        (&format!("oci://r.example/x@sha512:{digest}"), Some(&*pin)),
        (
            &format!("oci://r.example/x@sha256:{}", "A".repeat(64)),
            Some(&*pin),
        ),
        (&format!("oci://r.example/x:1@sha256:{digest}"), None),
        (&format!("oci://team/x@sha256:{digest}"), None),
        // An agent drops the user and the query.
        ("oci://user:hidden@r.example/x:1?a=b", None),
        ("oci://REGISTRY/sidespan-filter:1", Some(registry)),
        ("oci://REGISTRY/Sidespan-filter:1", Some(&*name)),
    ] {
        let (_, lines) = told(&PLUGIN.replace("oci://here/filter:1", &format!("'{url}'")));
        assert_eq!(lines.first().map(|line| &**line), expected, "{url}");
    }
    let twice = "another digest than the one in `url`, and an agent refuses an image that does not have both; leave one of the two out";
    for (resource, at, indent) in [(PLUGIN, "$.spec", "  "), (EXTENSION, "$.spec.wasm", "    ")] {
        let pinned = |url: &str, sha256: &str| format!("{url}\n{indent}sha256: {sha256}");
        let url = format!("oci://here/filter:1@sha256:{digest}");
        let from = "oci://here/filter:1";
        says(
            resource,
            &[
                (from, &pinned(&url, &digest), &[]),
                (
                    from,
                    &pinned(&url, &other),
                    &[&format!("error: {at}.sha256: {twice}")],
                ),
                (from, &pinned("https://here/filter.wasm", &other), &[]),
                (from, &pinned("oci://here/filter:1", &other), &[]),
            ],
        );
    }
}
