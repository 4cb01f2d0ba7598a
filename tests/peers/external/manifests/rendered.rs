//! A copy of `istio/` in which a test sets the image and the collector, adds overlays, and renders.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use sidespan_tests::peers;
use tempfile::TempDir;

/// A copy of `istio/`.
pub(crate) struct Shipped(TempDir);

impl Shipped {
    /// Copies the folder as it is.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let istio = Path::new(env!("CARGO_MANIFEST_DIR")).join("../istio");
        peers::copy_manifests(&istio, &folder.path().join("istio"));
        Self(folder)
    }

    /// Copies it, and writes image and collector into the file that has them.
    pub(crate) fn with(image: &str, collector: &str, port: u16) -> Self {
        let shipped = Self::new();
        let settings = format!("image={image}\ncollector={collector}\nport={port}\n");
        fs::write(shipped.path("base/settings.env"), settings).expect("the settings");
        shipped
    }

    /// Returns the folder in which `istio/` stands.
    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    /// Returns a path below `istio/`.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.0.path().join("istio").join(below)
    }

    /// Renders an overlay that is written for the test: its resources and components, by their names.
    pub(crate) fn overlay(&self, components: &[&str], rest: &str) -> String {
        let folder = self.path("overlays/of-a-test");
        fs::create_dir_all(&folder).expect("a folder");
        let components = components.iter().chain([&"settings"]);
        let components: Vec<_> = components
            .map(|name| format!("../../components/{name}"))
            .collect();
        let text = format!(
            "resources: [../../base]\ncomponents: [{}]\n{rest}",
            components.join(", ")
        );
        fs::write(folder.join("kustomization.yaml"), text).expect("an overlay");
        self.kustomize("overlays/of-a-test")
    }

    /// Renders a folder by kustomize.
    pub(crate) fn kustomize(&self, below: &str) -> String {
        let mut command = Command::new(peers::kustomize());
        output(command.arg("build").arg(self.path(below)))
    }

    /// Renders the chart in a namespace with these values, a YAML text.
    pub(crate) fn helm(&self, namespace: &str, values: &str) -> String {
        let file = self.path("values-of-a-test.yaml");
        fs::write(&file, values).expect("values");
        let mut command = Command::new(peers::helm());
        command.args(["template", "sidespan", "--namespace", namespace]);
        output(command.arg("--values").arg(file).arg(self.path("chart")))
    }
}

/// Returns what a command writes.
pub(super) fn output(command: &mut Command) -> String {
    let ended = command.output().expect("a program");
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{command:?}: {errors}");
    String::from_utf8(ended.stdout).expect("text")
}

/// Returns the resources of a text, each filter's configuration as the object that it is.
pub(super) fn resources(text: &str) -> Vec<Value> {
    let mut resources: Vec<Value> = serde_saphyr::from_multiple(text).expect("YAML");
    resources.iter_mut().for_each(parse_texts);
    resources.sort_by_key(|resource| format!("{} {}", resource["kind"], resource["metadata"]));
    resources
}

fn parse_texts(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(text) = fields.get("value").and_then(Value::as_str)
                && fields.contains_key("@type")
            {
                let parsed = serde_json::from_str(text).expect("JSON");
                fields.insert("value".into(), parsed);
            }
            fields.values_mut().for_each(parse_texts);
        }
        Value::Array(list) => list.iter_mut().for_each(parse_texts),
        _ => {}
    }
}

/// Asserts that `sidespan check --strict` takes a text on standard input.
pub(crate) fn assert_fine(what: &str, text: &str) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
        .args(["check", "--strict", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut input = program.stdin.take().expect("standard input");
    input.write_all(text.as_bytes()).expect("a pipe");
    drop(input);
    let ended = program.wait_with_output().expect("the program");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.status.code(), Some(0), "{what}: {said}\n{text}");
}
