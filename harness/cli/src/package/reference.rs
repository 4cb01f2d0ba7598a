//! The name of an image in a registry, by the grammar of the OCI distribution specification: `REGISTRY/NAME[:TAG]`.
//!
//! A registry is always named. Tools differ in which one they mean where none is, and an agent of Istio asks Docker Hub.

use std::str::FromStr;
use std::sync::LazyLock;

use anyhow::{Context, bail};
use regex::Regex;

/// The name in the lines that are told where no image is named, which the shipped manifests have, too.
pub(super) const PLACEHOLDER: &str = "REGISTRY/sidespan-filter";

/// The name of an image, with its tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    name: String,
    tag: String,
}

impl Reference {
    /// Returns the name without the tag.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    /// Returns the name with the tag.
    pub(super) fn whole(&self) -> String {
        format!("{}:{}", self.name, self.tag)
    }

    pub(super) fn is_placeholder(&self) -> bool {
        self.name == PLACEHOLDER
    }
}

impl FromStr for Reference {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        if text == PLACEHOLDER {
            return Ok(Self {
                name: text.to_owned(),
                tag: VERSION.to_owned(),
            });
        }
        if text.contains("://") {
            bail!(
                "leave out the scheme: an image's name is REGISTRY/NAME, and oci:// is written in front of it"
            );
        }
        if text.contains('@') {
            bail!(
                "leave out what stands behind the @: the digest is what this command finds out, and no user belongs into a name"
            );
        }
        let parts = GRAMMAR.captures(text).context(
            "expected REGISTRY/NAME or REGISTRY/NAME:TAG with a name in lower case, as registry.example.com/mesh/sidespan-filter",
        )?;
        let part = |index| parts.get(index).map(|part| part.as_str().to_owned());
        Ok(Self {
            name: part(1).unwrap_or_default(),
            tag: part(2).unwrap_or_else(|| VERSION.to_owned()),
        })
    }
}

/// Judges the name of an image as an agent of Istio pulls it: with a digest where it is pinned, and from Docker Hub where no
/// registry is named.
///
/// # Errors
/// When no registry can have an image of this name.
pub(crate) fn judge_pulled(text: &str) -> anyhow::Result<()> {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    if digest.is_some_and(|digest| !DIGEST.is_match(digest)) {
        bail!(
            "expected sha256: and 64 hexadecimal digits in lower case behind the @, which `sidespan package` prints"
        );
    }
    let has_registry = match name.split_once('/') {
        Some((host, _)) => host.contains(['.', ':']) || host == "localhost",
        None => true,
    };
    let name = match has_registry {
        true => name.to_owned(),
        false => format!("docker.io/{name}"),
    };
    name.parse::<Reference>().map(drop)
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A registry has a dot or a port in it, or is localhost: all else is the first part of a name on Docker Hub.
static GRAMMAR: LazyLock<Regex> = LazyLock::new(|| {
    const HOST: &str = r"(?:localhost|[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?|[a-zA-Z0-9-]+:[0-9]{1,5}";
    const PART: &str = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*";
    const TAG: &str = r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}";
    let grammar = format!("^((?:{HOST})(?:/{PART})+)(?::({TAG}))?$");
    Regex::new(&grammar).unwrap_or_else(|error| unreachable!("{error}"))
});

static DIGEST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^sha256:[0-9a-f]{64}$").unwrap_or_else(|error| unreachable!("{error}"))
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_registries_take() {
        for (text, name, tag) in [
            (
                "registry.example.com/filter:1",
                "registry.example.com/filter",
                "1",
            ),
            (
                "ghcr.io/a-team/side_span/filter",
                "ghcr.io/a-team/side_span/filter",
                VERSION,
            ),
            ("127.0.0.1:5000/x:v1.2_3-4", "127.0.0.1:5000/x", "v1.2_3-4"),
            ("localhost/x", "localhost/x", VERSION),
            ("kind-registry:5000/x", "kind-registry:5000/x", VERSION),
            ("[::1]:5000/x", "[::1]:5000/x", VERSION),
            (PLACEHOLDER, PLACEHOLDER, VERSION),
        ] {
            let read: Reference = text
                .parse()
                .unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((read.name(), read.tag()), (name, tag), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_never_a_password() {
        for (text, told) in [
            ("oci://ghcr.io/x:1", "leave out the scheme"),
            (
                "user:hidden@ghcr.io/x",
                "leave out what stands behind the @",
            ),
            ("ghcr.io/x@sha256:abc", "leave out what stands behind the @"),
            ("sidespan-filter", "expected REGISTRY/NAME"),
            ("team/sidespan-filter", "expected REGISTRY/NAME"),
            ("ghcr.io/Team/x", "a name in lower case"),
            ("ghcr.io/x:", "expected REGISTRY/NAME"),
            ("ghcr.io/x:.1", "expected REGISTRY/NAME"),
            ("", "expected REGISTRY/NAME"),
        ] {
            let error = text.parse::<Reference>().unwrap_err().to_string();
            assert!(
                error.contains(told) && !error.contains("hidden"),
                "{text}: {error}"
            );
        }
    }
}
