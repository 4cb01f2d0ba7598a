//! Reading what `sidespan package` or another tool wrote: an image layout, as a folder or an archive, with one image.
//!
//! All digests in it are known by what they are of, because a WasmPlugin that is pinned by the wrong one of them has no
//! filter: an agent compares with the digest of the manifest alone.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use flate2::read::GzDecoder;
use serde::Deserialize;

use super::image::{Digest, FILE, MANIFEST};

/// The digests of an image that is in a layout, each `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// That of the manifest, by which an image is pinned.
    pub manifest: String,
    /// All others, with the thing that each is of.
    pub others: BTreeMap<String, &'static str>,
}

impl Built {
    /// Reads a layout.
    ///
    /// # Errors
    /// When there is no layout, when it has several images, or when a file in it is not what its name says.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        Self::of(&files(path)?)
    }

    fn of(files: &BTreeMap<String, Vec<u8>>) -> anyhow::Result<Self> {
        let index = files
            .get("index.json")
            .context("there is no index.json in it, so it is no image layout")?;
        let listed: Index = serde_json::from_slice(index).context("reading index.json")?;
        let [manifest] = listed.manifests.as_slice() else {
            bail!(
                "it has {} images, and agents take one manifest",
                listed.manifests.len()
            );
        };
        ensure!(
            manifest.media_type == MANIFEST,
            "it holds {}, and agents take a manifest of type {MANIFEST}",
            manifest.media_type
        );
        let bytes = manifest.blob(files)?;
        let read: Manifest = serde_json::from_slice(bytes).context("reading the manifest")?;
        let mut others = BTreeMap::from([
            (Digest::of(index).to_string(), "of the file index.json"),
            (read.config.digest, "of the image's configuration"),
        ]);
        for layer in &read.layers {
            if let Some(module) = module(layer.blob(files)?)? {
                others.insert(Digest::of(&module).to_string(), "of the module");
            }
        }
        let layers = read.layers.into_iter();
        others.extend(layers.map(|layer| (layer.digest, "of the image's layer")));
        Ok(Self {
            manifest: manifest.digest.clone(),
            others,
        })
    }
}

/// Returns the files of a layout by their names.
fn files(path: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    if path.is_dir() {
        let mut files = BTreeMap::new();
        for name in ["", "blobs/sha256"] {
            let folder = path.join(name);
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries {
                let file = entry?.path();
                if !file.is_file() {
                    continue;
                }
                let name = file.strip_prefix(path)?.to_string_lossy().into_owned();
                files.insert(name, fs::read(&file)?);
            }
        }
        return Ok(files);
    }
    let mut archive = tar::Archive::new(File::open(path)?);
    let mut files = BTreeMap::new();
    for entry in archive.entries()? {
        let mut entry = entry.context("it is neither a folder nor a tar archive")?;
        let name = entry.path()?.to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.insert(name.trim_start_matches("./").to_owned(), bytes);
    }
    Ok(files)
}

/// Returns the module of a layer; `None` where the layer has another purpose.
fn module(layer: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
    let mut archive = tar::Archive::new(GzDecoder::new(layer));
    for entry in archive.entries()? {
        let mut entry = entry
            .context("reading a layer as tar+gzip, which is the one kind that all agents take")?;
        let is_module = entry.path()?.file_name().is_some_and(|name| name == FILE);
        if is_module {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Named>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Named,
    layers: Vec<Named>,
}

/// A blob, as a document names it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    media_type: String,
    digest: String,
}

impl Named {
    fn blob<'a>(&self, files: &'a BTreeMap<String, Vec<u8>>) -> anyhow::Result<&'a [u8]> {
        let name = format!("blobs/{}", self.digest.replacen(':', "/", 1));
        let bytes = files
            .get(&name)
            .with_context(|| format!("there is no {name} in it"))?;
        let is = Digest::of(bytes).to_string();
        ensure!(is == self.digest, "{name} was changed: its digest is {is}");
        Ok(bytes)
    }
}
