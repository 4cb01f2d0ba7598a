//! The image: manifest, configuration and layer as the OCI image specification has them, the same bytes for the same module.
//!
//! Nothing here depends on the clock, the user or the machine: archives have no times and owners, and no document says when
//! it was made. The order of fields is that of the structures below.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::Path;

use flate2::{Compression, GzBuilder};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The name under which every agent looks for the module in a layer.
pub(super) const FILE: &str = "plugin.wasm";

/// A SHA-256, written `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Returns the digits alone, which are a blob's file name.
    pub(super) fn digits(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.digits())
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Texts for people, which registries show beside the image: annotations of the OCI image specification.
#[derive(Debug)]
pub(super) struct Labels(BTreeMap<&'static str, String>);

impl Labels {
    /// The labels of the built-in filter.
    pub(super) fn of_the_filter() -> Self {
        let labels = [
            (TITLE, "sidespan-filter"),
            (VERSION, env!("CARGO_PKG_VERSION")),
            (LICENSES, env!("CARGO_PKG_LICENSE")),
            (
                DESCRIPTION,
                "Whole traces through a mesh of several trace-context formats: a filter for Envoy and Istio",
            ),
        ];
        Self(labels.map(|(key, value)| (key, value.to_owned())).into())
    }

    /// The labels of another module, of which only the file's name is known.
    pub(super) fn of_file(file: &Path) -> Self {
        let stem = file.file_stem().unwrap_or_default();
        Self([(TITLE, stem.to_string_lossy().into_owned())].into())
    }
}

/// Bytes that others name by their digest.
#[derive(Debug)]
pub(super) struct Blob {
    media_type: &'static str,
    pub(super) bytes: Vec<u8>,
}

impl Blob {
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    pub(super) fn descriptor(&self) -> Descriptor {
        Descriptor {
            media_type: self.media_type,
            digest: self.digest(),
            size: self.bytes.len(),
            annotations: BTreeMap::new(),
        }
    }

    fn of(media_type: &'static str, document: &impl Serialize) -> Self {
        // A structure of texts and numbers always has a JSON.
        let bytes = serde_json::to_vec(document).unwrap_or_default();
        Self { media_type, bytes }
    }
}

/// A blob, as documents name it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    media_type: &'static str,
    digest: Digest,
    size: usize,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<&'static str, String>,
}

/// An image with one module.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) manifest: Blob,
    pub(super) configuration: Blob,
    pub(super) layer: Blob,
    /// The digest of the module itself.
    pub(super) module: Digest,
}

impl Image {
    pub(super) fn of(wasm: &[u8], labels: Labels) -> Self {
        let archive = archive(FILE, wasm);
        let layer = Blob {
            media_type: "application/vnd.oci.image.layer.v1.tar+gzip",
            bytes: gzip(&archive),
        };
        let configuration = Blob::of(
            "application/vnd.oci.image.config.v1+json",
            &Configuration {
                architecture: "amd64",
                os: "linux",
                config: Nothing {},
                rootfs: RootFs {
                    kind: "layers",
                    diff_ids: [Digest::of(&archive)],
                },
            },
        );
        let manifest = Blob::of(
            MANIFEST,
            &Manifest {
                schema_version: 2,
                media_type: MANIFEST,
                config: configuration.descriptor(),
                layers: [layer.descriptor()],
                annotations: labels.0,
            },
        );
        Self {
            manifest,
            configuration,
            layer,
            module: Digest::of(wasm),
        }
    }

    pub(super) fn blobs(&self) -> [&Blob; 3] {
        [&self.manifest, &self.configuration, &self.layer]
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u8,
    media_type: &'static str,
    config: Descriptor,
    layers: [Descriptor; 1],
    annotations: BTreeMap<&'static str, String>,
}

/// The image's configuration. A module runs on every machine; the platform is the one that agents choose in all indexes.
#[derive(Serialize)]
struct Configuration {
    architecture: &'static str,
    os: &'static str,
    config: Nothing,
    rootfs: RootFs,
}

#[derive(Serialize)]
struct RootFs {
    #[serde(rename = "type")]
    kind: &'static str,
    diff_ids: [Digest; 1],
}

#[derive(Serialize)]
struct Nothing {}

/// Returns a tar archive with one file that everybody may read.
fn archive(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = header(bytes);
    let mut archive = tar::Builder::new(Vec::new());
    // Writing into memory does not fail, and the name is a short one.
    let written = archive.append_data(&mut header, name, bytes);
    written
        .and_then(|()| archive.into_inner())
        .unwrap_or_default()
}

/// Returns what an archive says of a file that is nobody's and of no time.
pub(super) fn header(bytes: &[u8]) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    // 255: no operating system is named.
    let mut encoder = GzBuilder::new()
        .operating_system(255)
        .write(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const TITLE: &str = "org.opencontainers.image.title";
const VERSION: &str = "org.opencontainers.image.version";
const LICENSES: &str = "org.opencontainers.image.licenses";
const DESCRIPTION: &str = "org.opencontainers.image.description";
