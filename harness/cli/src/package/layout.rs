//! The OCI image layout, version 1.0.0: `oci-layout`, `index.json`, and all blobs by their digests; as a folder, or as a tar
//! archive of one.
//!
//! The index of a layout lists what is in it, here one manifest. It is no image index: what is pushed is the manifest.

use std::fs;
use std::io::{self, Error};
use std::path::Path;

use serde::Serialize;

use super::image::{Descriptor, Image, header};

/// Returns true if the path names an archive.
pub(super) fn is_archive(out: &Path) -> bool {
    out.extension().is_some_and(|kind| kind == "tar")
}

/// Writes the layout beside `out` first, and then in its place: who reads it never sees half an image. An archive is replaced
/// in one step; between a folder and the next there is none for a moment.
///
/// # Errors
/// When it cannot be written, or when there is something else than a layout, which is left alone.
pub(super) fn write(image: &Image, out: &Path, tag: &str) -> io::Result<()> {
    let files = files(image, tag);
    let parent = match out.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent)?;
    if is_archive(out) {
        if out.is_dir() {
            return Err(Error::other(
                "it is a folder; give the archive another name",
            ));
        }
        let mut archive = tar::Builder::new(tempfile::NamedTempFile::new_in(parent)?);
        for (name, bytes) in &files {
            archive.append_data(&mut header(bytes), name, bytes.as_slice())?;
        }
        let file = archive.into_inner()?;
        readable(file.path(), 0o644)?;
        file.persist(out)?;
        return Ok(());
    }
    let folder = tempfile::TempDir::with_prefix_in(".sidespan-", parent)?;
    for (name, bytes) in &files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap_or(folder.path()))?;
        fs::write(&file, bytes)?;
    }
    readable(folder.path(), 0o755)?;
    replace(out)?;
    fs::rename(folder.path(), out)?;
    // What has moved away needs no cleaning up; what has not is removed with the draft.
    let _moved = folder.keep();
    Ok(())
}

/// Removes the layout that is there.
fn replace(out: &Path) -> io::Result<()> {
    let is_layout = out.join(MARK).is_file();
    match fs::read_dir(out) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) if is_layout => fs::remove_dir_all(out),
        Ok(mut inside) => match inside.next() {
            None => fs::remove_dir(out),
            Some(_) => Err(Error::other(
                "there are files in it that are no image layout; give an empty folder, or one that is not there",
            )),
        },
    }
}

/// Temporary files are their owner's alone; an image is for whoever pushes it.
fn readable(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

/// Returns all files of the layout with their names.
fn files(image: &Image, tag: &str) -> Vec<(String, Vec<u8>)> {
    let mut manifest = image.manifest.descriptor();
    manifest.annotations.insert(TAG, tag.to_owned());
    let index = Index {
        schema_version: 2,
        media_type: "application/vnd.oci.image.index.v1+json",
        manifests: [manifest],
    };
    let mut files = vec![
        (
            MARK.to_owned(),
            br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec(),
        ),
        (
            "index.json".to_owned(),
            // A structure of texts and numbers always has a JSON.
            serde_json::to_vec(&index).unwrap_or_default(),
        ),
    ];
    for blob in image.blobs() {
        let name = format!("blobs/sha256/{}", blob.digest().digits());
        files.push((name, blob.bytes.clone()));
    }
    files
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: &'static str,
    manifests: [Descriptor; 1],
}

/// The file by which a layout is known.
const MARK: &str = "oci-layout";
/// The annotation by which tools choose an image of a layout.
const TAG: &str = "org.opencontainers.image.ref.name";
