//! What agents take and refuse: every form that `sidespan package` writes, and those that other tools make.

mod form;
mod verdict;

use std::fs;
use std::process::Command;

use serde_json::json;
use sidespan_tests::envoy::module;
use sidespan_tests::peers::istio::digest;
use tempfile::TempDir;

use super::path::other_build;
use form::{
    DOCKER, DOCKER_CONFIG, DOCKER_LAYER, DOCKER_LIST, Form, OCI, OCI_INDEX, OCI_LAYER, archive,
    gzip, platform,
};
use verdict::{Bed, Verdict};

/// The fate that an image is to have.
enum Expected {
    Taken,
    /// Refused by the agent, with this in its log: the pod goes on without the filter.
    Refused(&'static str),
    /// Refused by Envoy: a pod on which none ran before answers 500.
    NotLoaded,
}

#[test]
#[cfg_attr(no_mesh, ignore = "no Envoy 1.40.0, or no mounts (unshare -rm)")]
fn every_form_that_package_writes_is_taken() {
    let mut bed = Bed::start();
    let folder = TempDir::new().expect("a folder for test files");
    let other = folder.path().join("other.wasm");
    fs::write(&other, other_build()).expect("a test file");
    for (out, arguments) in [
        ("folder", vec![]),
        ("archive.tar", vec![]),
        ("other", vec!["--module".into(), other.into_os_string()]),
    ] {
        let out = folder.path().join(out);
        let name = out
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let image = format!("{}/{name}", bed.registry().address());
        let output = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
            .args([
                "package",
                "--json",
                "--image",
                &format!("{image}:1"),
                "--out",
            ])
            .arg(&out)
            .args(arguments)
            .output()
            .expect("the program");
        assert!(output.status.success(), "{output:?}");
        let written: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let digest = written["digest"].as_str().expect("a digest");
        // Skopeo reads the archive as it is; crane, which is here, reads a folder.
        let layout = match out.is_dir() {
            true => out,
            false => {
                let unpacked = folder.path().join("unpacked");
                let archive = fs::File::open(&out).expect("the archive");
                let unpack = tar::Archive::new(archive).unpack(&unpacked);
                unpack.expect("an archive");
                unpacked
            }
        };
        bed.registry().push(&layout, &format!("{name}:1"));
        for url in [
            format!("oci://{image}@{digest}"),
            format!("oci://{image}:1"),
            format!("oci://{image}:1@{digest}"),
        ] {
            let verdict = bed.try_image(&url, None, digest);
            assert_eq!(verdict, Verdict::Taken, "{url}");
        }
        let (_, digits) = digest.split_once(':').expect("sha256:");
        let verdict = bed.try_image(&format!("oci://{image}:1"), Some(digits), digest);
        assert_eq!(verdict, Verdict::Taken, "sha256 of {name}");
    }
}

/// Tries the forms that other tools push, each once.
#[test]
#[cfg_attr(no_mesh, ignore = "no Envoy 1.40.0, or no mounts (unshare -rm)")]
fn what_agents_refuse_is_known_with_its_message() {
    let mut bed = Bed::start();
    let wasm = fs::read(module()).expect("the filter");
    let form = |name: &str| Form::of(name, &wasm);
    let packed = gzip(&archive(&[("plugin.wasm", &wasm)]));
    let readme = gzip(&archive(&[("README", b"no module")]));
    let docker = |name: &str| {
        form(name)
            .manifest(Some(DOCKER))
            .config(DOCKER_CONFIG, platform("linux", "amd64"))
    };
    let artifact = |name: &str| form(name).config(WASM_CONFIG, json!({}));
    let zstd = zstd::encode_all(&archive(&[("plugin.wasm", &wasm)])[..], 1).expect("memory");
    let cases = [
        (
            docker("docker").layers([(DOCKER_LAYER, packed.clone())]),
            Expected::Taken,
        ),
        (
            docker("docker last layer").layers([
                (DOCKER_LAYER, readme.clone()),
                (DOCKER_LAYER, packed.clone()),
            ]),
            Expected::Taken,
        ),
        (
            docker("docker first layer").layers([
                (DOCKER_LAYER, packed.clone()),
                (DOCKER_LAYER, readme.clone()),
            ]),
            Expected::Refused("plugin.wasm not found in the archive"),
        ),
        (
            docker("docker with a layer of oci").layers([(OCI_LAYER, packed.clone())]),
            Expected::Refused("invalid media type application/vnd.oci.image.layer.v1.tar+gzip"),
        ),
        (form("oci"), Expected::Taken),
        (
            form("oci without media type").manifest(None),
            Expected::Taken,
        ),
        (
            form("oci last layer")
                .layers([(OCI_LAYER, readme.clone()), (OCI_LAYER, packed.clone())]),
            Expected::Taken,
        ),
        (
            form("oci first layer")
                .layers([(OCI_LAYER, packed.clone()), (OCI_LAYER, readme.clone())]),
            Expected::Refused(NO_OCI_IMAGE),
        ),
        (
            form("oci with a layer of docker").layers([(DOCKER_LAYER, packed.clone())]),
            Expected::Refused(NO_OCI_IMAGE),
        ),
        (
            form("layer tar").layers([(
                "application/vnd.oci.image.layer.v1.tar",
                archive(&[("plugin.wasm", &wasm)]),
            )]),
            Expected::Refused(NO_OCI_IMAGE),
        ),
        (
            form("layer tar zstd")
                .layers([("application/vnd.oci.image.layer.v1.tar+zstd", zstd.clone())]),
            Expected::Refused(NO_OCI_IMAGE),
        ),
        (
            form("zstd under gzip").layers([(OCI_LAYER, zstd)]),
            Expected::Refused(NO_OCI_IMAGE),
        ),
        (
            form("arm64").config(form::OCI_CONFIG, platform("linux", "arm64")),
            Expected::Taken,
        ),
        (
            form("wasip1").config(form::OCI_CONFIG, platform("wasip1", "wasm")),
            Expected::Taken,
        ),
        (in_archive("dot", "./plugin.wasm", &wasm), Expected::Taken),
        (in_archive("root", "/plugin.wasm", &wasm), Expected::Taken),
        (
            in_archive("below", "a/b/plugin.wasm", &wasm),
            Expected::Taken,
        ),
        (
            in_archive("other name", "sidespan_filter.wasm", &wasm),
            Expected::Refused(NO_OCI_IMAGE),
        ),
        (
            artifact("wasm artifact of one layer").layers([(WASM_LAYER, wasm.clone())]),
            Expected::Refused("number of layers must be 2 but got 1"),
        ),
        (
            artifact("wasm artifact of two layers")
                .layers([(WASM_LAYER, wasm.clone()), ("text/plain", b"any".to_vec())]),
            Expected::Taken,
        ),
        (
            artifact("wasm artifact gzipped")
                .layers([(WASM_LAYER, gzip(&wasm)), ("text/plain", b"any".to_vec())]),
            Expected::Refused("is invalid"),
        ),
        (
            form("artifact of the cncf")
                .artifact("application/vnd.wasm.config.v0+json")
                .config("application/vnd.wasm.config.v0+json", json!({}))
                .layers([("application/wasm", wasm.clone())]),
            Expected::Refused(NO_OCI_IMAGE),
        ),
        (
            Form::of("no wasm", b"no module"),
            Expected::Refused("is invalid"),
        ),
        (
            Form::of("cut off", &wasm[..wasm.len() / 2]),
            Expected::NotLoaded,
        ),
        (Form::of("component", COMPONENT), Expected::NotLoaded),
    ];
    for (form, expected) in cases {
        let pushed = form.push(bed.registry());
        let url = format!("oci://{}/{}:1", bed.registry().address(), pushed.name);
        expected.check(&form.name, &bed.try_image(&url, None, &pushed.manifest));
    }
}

#[test]
#[cfg_attr(no_mesh, ignore = "no Envoy 1.40.0, or no mounts (unshare -rm)")]
fn of_an_index_the_digest_of_the_manifest_with_the_layers_counts() {
    let mut bed = Bed::start();
    let wasm = fs::read(module()).expect("the filter");
    let amd64 = platform("linux", "amd64");
    let cases = [
        (
            "oci index",
            OCI,
            OCI_INDEX,
            Some(amd64.clone()),
            Expected::Taken,
        ),
        (
            "oci index without platform",
            OCI,
            OCI_INDEX,
            None,
            Expected::Taken,
        ),
        (
            "oci index of arm64",
            OCI,
            OCI_INDEX,
            Some(platform("linux", "arm64")),
            Expected::Refused("no child with platform linux/amd64 in index"),
        ),
        (
            "oci index of wasm",
            OCI,
            OCI_INDEX,
            Some(platform("wasip1", "wasm")),
            Expected::Refused("no child with platform linux/amd64 in index"),
        ),
        (
            "docker list",
            DOCKER,
            DOCKER_LIST,
            Some(amd64),
            Expected::Taken,
        ),
    ];
    for (name, manifest, index, platform, expected) in cases {
        let mut form = Form::of(name, &wasm).manifest(Some(manifest));
        if manifest == DOCKER {
            form = form
                .config(DOCKER_CONFIG, form::platform("linux", "amd64"))
                .layers([(DOCKER_LAYER, gzip(&archive(&[("plugin.wasm", &wasm)])))]);
        }
        let pushed = form.push_in_index(bed.registry(), index, platform);
        let name = &pushed.name;
        let image = format!("oci://{}/{name}", bed.registry().address());
        let tagged = format!("{image}:1");
        expected.check(name, &bed.try_image(&tagged, None, &pushed.manifest));
        if !matches!(expected, Expected::Taken) {
            continue;
        }
        let by_manifest = format!("{image}@{}", pushed.manifest);
        Expected::Taken.check(name, &bed.try_image(&by_manifest, None, &pushed.manifest));
        // The agent compares with the digest of the child that it chose.
        let refused = Expected::Refused("which does not match");
        let by_index = format!("{image}@{}", pushed.tagged);
        refused.check(name, &bed.try_image(&by_index, None, &pushed.manifest));
        let of_module = digest(&wasm);
        let (_, digits) = of_module.split_once(':').expect("sha256:");
        refused.check(
            name,
            &bed.try_image(&tagged, Some(digits), &pushed.manifest),
        );
    }
}

impl Expected {
    fn check(&self, name: &str, verdict: &Verdict) {
        let is_so = match (self, verdict) {
            (Self::Taken, Verdict::Taken) | (Self::NotLoaded, Verdict::NotLoaded) => true,
            (Self::Refused(part), Verdict::Refused(reason)) => reason.contains(part),
            _ => false,
        };
        assert!(is_so, "{name}: {verdict:?}");
    }
}

fn in_archive(name: &str, path: &str, wasm: &[u8]) -> Form {
    Form::of(name, wasm).layers([(OCI_LAYER, gzip(&archive(&[(path, wasm)])))])
}

const NO_OCI_IMAGE: &str = "the given image is in invalid format as an OCI image";
const WASM_CONFIG: &str = "application/vnd.module.wasm.config.v1+json";
const WASM_LAYER: &str = "application/vnd.module.wasm.content.layer.v1+wasm";
/// The preamble of a component, which an agent takes for a module's.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
