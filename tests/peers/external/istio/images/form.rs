//! Images of every form, made of blobs and manifests by hand.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sidespan_tests::peers::istio::Registry;

pub(super) const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(super) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(super) const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
pub(super) const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
pub(super) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// An image under construction: that of `sidespan package`, until a method says otherwise.
#[derive(Clone)]
pub(super) struct Form {
    /// Name of the image, from what is special about it.
    pub(super) name: String,
    manifest: Option<&'static str>,
    artifact: Option<&'static str>,
    config: (&'static str, Value),
    layers: Vec<(&'static str, Vec<u8>)>,
}

/// A form in a registry.
pub(super) struct Pushed {
    /// Name in the registry, without a tag.
    pub(super) name: String,
    /// Digest of the manifest with the layers.
    pub(super) manifest: String,
    /// Digest of what the tag names: of an index, where there is one.
    pub(super) tagged: String,
}

impl Form {
    pub(super) fn of(name: &str, module: &[u8]) -> Self {
        Self {
            name: name.replace(' ', "-"),
            manifest: Some(OCI),
            artifact: None,
            config: (OCI_CONFIG, platform("linux", "amd64")),
            layers: vec![(OCI_LAYER, gzip(&archive(&[("plugin.wasm", module)])))],
        }
    }

    /// Sets the manifest's type; none leaves its field out.
    pub(super) fn manifest(mut self, media_type: Option<&'static str>) -> Self {
        self.manifest = media_type;
        self
    }

    pub(super) fn artifact(mut self, media_type: &'static str) -> Self {
        self.artifact = Some(media_type);
        self
    }

    pub(super) fn config(mut self, media_type: &'static str, config: Value) -> Self {
        self.config = (media_type, config);
        self
    }

    pub(super) fn layers<const N: usize>(mut self, layers: [(&'static str, Vec<u8>); N]) -> Self {
        self.layers = layers.into();
        self
    }

    /// Pushes the image under the tag `1`.
    pub(super) fn push(&self, registry: &Registry) -> Pushed {
        self.push_as(registry, "1")
    }

    /// Pushes the image, and under the tag `1` an index of it and of others: a media type for the index, and a platform for the
    /// image, none where its entry has none.
    pub(super) fn push_in_index(
        &self,
        registry: &Registry,
        media_type: &'static str,
        of: Option<Value>,
    ) -> Pushed {
        let child = self.push_as(registry, "child");
        let other = Self {
            name: self.name.clone(),
            ..Form::of("attestation", b"in-toto")
        };
        let other = other.push_as(registry, "attestation");
        let mut entries = Vec::new();
        for (digest, platform) in [
            (&other.manifest, Some(platform("unknown", "unknown"))),
            (&child.manifest, of),
        ] {
            let text = self.manifest.unwrap_or(OCI);
            let mut entry = json!({"mediaType": text, "digest": digest, "size": SIZE});
            if let Some(platform) = platform {
                entry["platform"] = platform;
            }
            entries.push(entry);
        }
        let index = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": entries});
        Pushed {
            tagged: registry.tag(&self.name, "1", &index),
            ..child
        }
    }

    fn push_as(&self, registry: &Registry, tag: &str) -> Pushed {
        let store = |media_type: &str, blob: &[u8]| {
            let mut descriptor = registry.store(&self.name, blob);
            descriptor["mediaType"] = media_type.into();
            descriptor
        };
        let (config_type, config) = &self.config;
        let mut manifest = json!({
            "schemaVersion": 2,
            "config": store(config_type, config.to_string().as_bytes()),
            // A digest of its own for each, by which a test sees whose module runs.
            "annotations": {"org.opencontainers.image.title": format!("{}:{tag}", self.name)},
        });
        let layers = self.layers.iter();
        let layers: Vec<_> = layers.map(|(kind, blob)| store(kind, blob)).collect();
        manifest["layers"] = layers.into();
        if let Some(media_type) = self.manifest {
            manifest["mediaType"] = media_type.into();
        }
        if let Some(media_type) = self.artifact {
            manifest["artifactType"] = media_type.into();
        }
        let digest = registry.tag(&self.name, tag, &manifest);
        Pushed {
            name: self.name.clone(),
            tagged: digest.clone(),
            manifest: digest,
        }
    }
}

pub(super) fn platform(os: &str, architecture: &str) -> Value {
    json!({"os": os, "architecture": architecture})
}

pub(super) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        // Written as it is: the library's own setter takes no path that begins with a slash.
        let name = &mut header.as_mut_bytes()[..path.len()];
        name.copy_from_slice(path.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append(&header, *bytes).expect("an archive");
    }
    archive.into_inner().expect("an archive")
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A size that no agent compares.
const SIZE: usize = 1000;
