//! The image byte by byte, the module's proof, and what is never overwritten.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use clap::Parser;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    args: PackageArgs,
}

fn package(arguments: &[&str]) -> Result<ExitCode, String> {
    let line = ["package"].iter().chain(arguments);
    let line = Line::try_parse_from(line).map_err(|error| error.to_string())?;
    run(&line.args).map_err(|error| format!("{error:#}"))
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

/// Reads all files of a layout's folder by their names.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                open.push(file);
                continue;
            }
            let name = file.strip_prefix(folder).unwrap().display().to_string();
            found.insert(name, fs::read(file).unwrap());
        }
    }
    found
}

fn archived(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let header = entry.header();
        let dated = (
            header.mtime().unwrap(),
            header.uid().unwrap(),
            header.mode().unwrap(),
        );
        assert_eq!(dated, (0, 0, 0o644), "the same on every machine");
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (name, bytes)
    });
    entries.collect()
}

fn blob<'a>(files: &'a BTreeMap<String, Vec<u8>>, descriptor: &Value) -> &'a [u8] {
    let digest = descriptor["digest"].as_str().unwrap();
    let bytes = &files[&format!("blobs/{}", digest.replace(':', "/"))];
    assert_eq!(Digest::of(bytes).to_string(), digest);
    assert_eq!(descriptor["size"], bytes.len());
    bytes
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn the_layout_is_one_manifest_with_one_layer_that_holds_the_module_alone() {
    let folder = tempfile::tempdir().unwrap();
    let out = path(&folder, "image");
    let code = package(&["--out", &out, "--image", "localhost:5000/mesh/filter:3"]).unwrap();
    assert_eq!(code, ExitCode::SUCCESS);
    let files = files(out.as_ref());
    assert_eq!(files.len(), 5);
    assert_eq!(
        json(&files["oci-layout"]),
        json!({"imageLayoutVersion": "1.0.0"})
    );
    let index = json(&files["index.json"]);
    assert_eq!(index["manifests"].as_array().unwrap().len(), 1);
    let listed = &index["manifests"][0];
    assert_eq!(listed["mediaType"], image::MANIFEST);
    assert_eq!(
        listed["annotations"],
        json!({"org.opencontainers.image.ref.name": "3"})
    );
    let manifest = json(blob(&files, listed));
    assert_eq!(manifest["schemaVersion"], 2);
    assert_eq!(manifest["mediaType"], image::MANIFEST);
    assert_eq!(
        manifest["annotations"]["org.opencontainers.image.version"],
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(
        manifest["config"]["mediaType"],
        "application/vnd.oci.image.config.v1+json"
    );
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 1);
    assert_eq!(
        layers[0]["mediaType"],
        "application/vnd.oci.image.layer.v1.tar+gzip"
    );
    let mut archive = Vec::new();
    flate2::read::GzDecoder::new(blob(&files, &layers[0]))
        .read_to_end(&mut archive)
        .unwrap();
    let configuration = json(blob(&files, &manifest["config"]));
    assert_eq!(
        configuration,
        json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(&archive).to_string()]},
        })
    );
    let inside = archived(&archive);
    assert_eq!(inside.keys().collect::<Vec<_>>(), ["plugin.wasm"]);
    assert!(inside["plugin.wasm"] == FILTER);
}

#[test]
fn an_archive_holds_the_files_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (out, tar) = (path(&folder, "new/image"), path(&folder, "new/image.tar"));
    for out in [&out, &tar] {
        package(&["--out", out]).unwrap();
    }
    assert!(archived(&fs::read(tar).unwrap()) == files(out.as_ref()));
}

#[test]
fn the_same_module_makes_the_same_bytes_and_another_makes_others() {
    let folder = tempfile::tempdir().unwrap();
    let module = path(&folder, "other.wasm");
    fs::write(&module, wat::parse_str(OTHER).unwrap()).unwrap();
    let (first, second) = (path(&folder, "1"), path(&folder, "2"));
    for out in [&first, &second] {
        package(&["--out", out]).unwrap();
    }
    let before = files(first.as_ref());
    assert!(before == files(second.as_ref()));
    // What an earlier run wrote is replaced as a whole.
    package(&["--out", &second, "--module", &module]).unwrap();
    let after = files(second.as_ref());
    assert_eq!(after.len(), 5);
    let manifest = json(blob(&after, &json(&after["index.json"])["manifests"][0]));
    assert_eq!(
        manifest["annotations"],
        json!({"org.opencontainers.image.title": "other"})
    );
}

#[test]
fn what_is_told_pins_the_manifest_and_pushes_it() {
    let image = Image::of(FILTER, Labels::of_the_filter());
    let arguments = |arguments: &[&str]| {
        let line = ["package"].iter().chain(arguments);
        Line::try_parse_from(line).unwrap().args
    };
    let told = Written::of(
        &image,
        &arguments(&["--out", "a", "--image", "ghcr.io/x:1"]),
    );
    let digest = image.manifest.digest();
    assert_eq!(told.url, format!("oci://ghcr.io/x@{digest}"));
    assert_eq!(
        told.push,
        [
            "crane push a ghcr.io/x:1",
            "skopeo copy oci:a:1 docker://ghcr.io/x:1",
            "oras cp --from-oci-layout a:1 ghcr.io/x:1",
        ]
    );
    assert_eq!(told.module.digits(), env!("SIDESPAN_FILTER_SHA256"));
    assert!(
        !told.text(false).contains("--image"),
        "{}",
        told.text(false)
    );
    let told = Written::of(&image, &arguments(&["--out", "a.tar"]));
    assert!(
        told.url
            .starts_with("oci://REGISTRY/sidespan-filter@sha256:")
    );
    assert_eq!(
        told.push.len(),
        2,
        "crane reads no archive: {:?}",
        told.push
    );
    assert!(told.text(true).contains("--image REGISTRY/NAME writes"));
}

#[test]
fn a_module_that_would_not_run_is_refused_with_the_reason() {
    for (module, configuration, told) in [
        (
            &b"\0asm\x0d\0\x01\0"[..],
            "{}",
            "would answer 500 to every request",
        ),
        (
            &FILTER[..FILTER.len() / 2],
            "{}",
            "would answer 500 to every request",
        ),
        (b"no module", "{}", "would answer 500 to every request"),
        (FILTER, r#"{"samplign": 1}"#, "samplign"),
        (
            &wat::parse_str(TRAPS).unwrap(),
            "{}",
            "it traps at its first request",
        ),
        (
            &wat::parse_str(REFUSES).unwrap(),
            "{}",
            "proxy_on_configure answered false",
        ),
    ] {
        let refusal = proof::runs(module, configuration.as_bytes()).unwrap_err();
        assert!(refusal.contains(told), "{refusal}");
    }
    assert_eq!(proof::runs(FILTER, b"{}"), Ok(()));
}

#[test]
fn a_refused_module_leaves_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (out, module) = (path(&folder, "image"), path(&folder, "cut.wasm"));
    fs::write(&module, &FILTER[..1000]).unwrap();
    package(&["--out", &out]).unwrap();
    let before = files(out.as_ref());
    let code = package(&["--out", &out, "--module", &module]).unwrap();
    assert_eq!(code, ExitCode::FAILURE);
    assert!(before == files(out.as_ref()));
}

#[test]
fn what_is_no_layout_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (out, tar) = (path(&folder, "home"), path(&folder, "folder.tar"));
    fs::create_dir(&out).unwrap();
    package(&["--out", &out]).unwrap();
    fs::remove_file(format!("{out}/oci-layout")).unwrap();
    let error = package(&["--out", &out]).unwrap_err();
    assert!(error.contains("give an empty folder"), "{error}");
    fs::create_dir(&tar).unwrap();
    let error = package(&["--out", &tar]).unwrap_err();
    assert!(error.contains("it is a folder"), "{error}");
    let error = package(&["--out", &out, "--module", &path(&folder, "absent")]).unwrap_err();
    assert!(error.contains("cannot read"), "{error}");
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 2, "nothing is left of an attempt");
}

#[test]
fn what_was_written_is_read_again_with_all_its_digests() {
    let folder = tempfile::tempdir().unwrap();
    let image = Image::of(FILTER, Labels::of_the_filter());
    for name in ["image", "image.tar"] {
        let out = path(&folder, name);
        package(&["--out", &out]).unwrap();
        let built = Built::read(out.as_ref()).unwrap();
        assert_eq!(built.manifest, image.manifest.digest().to_string());
        let others = BTreeMap::from_iter(
            built
                .others
                .iter()
                .map(|(digest, of)| (*of, digest.clone())),
        );
        assert_eq!(others.len(), 4);
        assert_eq!(others["of the module"], image.module.to_string());
        assert_eq!(
            others["of the image's layer"],
            image.layer.digest().to_string()
        );
        assert_eq!(
            others["of the image's configuration"],
            image.configuration.digest().to_string()
        );
    }
}

#[test]
fn what_is_no_image_for_agents_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let out = path(&folder, "image");
    let said = |out: &str| format!("{:#}", Built::read(out.as_ref()).unwrap_err());
    assert!(said(&out).contains("No such file"), "{}", said(&out));
    fs::write(&out, "no archive").unwrap();
    assert!(
        said(&out).contains("neither a folder nor a tar archive"),
        "{}",
        said(&out)
    );
    fs::remove_file(&out).unwrap();
    package(&["--out", &out]).unwrap();
    let index = format!("{out}/index.json");
    let good = fs::read_to_string(&index).unwrap();
    let of_docker = good.replace(
        image::MANIFEST,
        "application/vnd.docker.distribution.manifest.v2+json",
    );
    for (text, told) in [
        (r#"{"manifests": []}"#, "it has 0 images"),
        ("{", "reading index.json"),
        (
            &of_docker,
            "it holds application/vnd.docker.distribution.manifest.v2+json",
        ),
        (
            &good.replacen("sha256:", "sha256:0", 1),
            "there is no blobs/sha256/0",
        ),
    ] {
        fs::write(&index, text).unwrap();
        assert!(said(&out).contains(told), "{}", said(&out));
    }
    fs::write(&index, &good).unwrap();
    let manifest = Image::of(FILTER, Labels::of_the_filter())
        .manifest
        .digest()
        .digits();
    fs::write(format!("{out}/blobs/sha256/{manifest}"), "{}").unwrap();
    assert!(said(&out).contains("was changed"), "{}", said(&out));
    fs::remove_file(index).unwrap();
    assert!(
        said(&out).contains("it is no image layout"),
        "{}",
        said(&out)
    );
}

/// A module that does nothing.
const OTHER: &str = r#"(module (memory (export "memory") 1)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) (i32.const 1024)))"#;
const TRAPS: &str = r#"(module (memory (export "memory") 1)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) (i32.const 1024))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable))"#;
const REFUSES: &str = r#"(module (memory (export "memory") 1)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) (i32.const 1024))
    (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 0)))"#;

#[cfg(unix)]
#[test]
fn a_draft_that_cannot_take_its_place_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let out = path(&folder, "image");
    // Nothing can be read there, and no folder can be moved there.
    std::os::unix::fs::symlink("nowhere", &out).unwrap();
    let error = package(&["--out", &out]).unwrap_err();
    assert!(error.contains(&out), "{error}");
    let left = fs::read_dir(folder.path()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["image"]);
}
