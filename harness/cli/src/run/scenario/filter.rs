//! One filter of a scenario: its module, and how it is installed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::input::document::Document;

/// One filter, with the settings that Envoy's `PluginConfig` has.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(in crate::run) struct Filter {
    /// The module: a `.wasm` or `.wat` file beside the scenario, or a name that `--guest NAME=FILE` gives a file to. By
    /// default the module of the command line.
    pub(in crate::run) module: Option<String>,
    /// The plugin's name; `sidespan` by default for the filter that is built in.
    pub(in crate::run) name: Option<String>,
    /// The root id, by which the C++ SDK finds its filter. Empty by default.
    pub(in crate::run) root_id: Option<String>,
    /// The id by which VMs share data. Empty by default.
    pub(in crate::run) vm_id: String,
    /// The plugin's configuration: an object, the name of a file beside the scenario, or a text of several lines.
    #[schemars(with = "Option<Value>")]
    pub(in crate::run) configuration: Option<Document>,
    /// The VM's configuration, in the same forms.
    #[schemars(with = "Option<Value>")]
    pub(in crate::run) vm_configuration: Option<Document>,
    /// Environment variables of the VM.
    pub(in crate::run) environment: BTreeMap<String, Text>,
    /// The policy for requests after the VM has failed.
    pub(in crate::run) failure_policy: Policy,
    /// Host calls and callbacks that the module may use; all by default.
    pub(in crate::run) capabilities: Vec<String>,
    /// True if a pause in a headers callback stops the headers alone.
    pub(in crate::run) allow_on_headers_stop_iteration: bool,
}

/// Text, where YAML would read a number.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::run) struct Text(pub(in crate::run) String);

/// The policies for requests after the VM has failed.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
pub(in crate::run) enum Policy {
    /// Every request is answered 503.
    #[default]
    #[serde(rename = "FAIL_CLOSED")]
    Closed,
    /// Requests pass, except the one in which the VM failed.
    #[serde(rename = "FAIL_OPEN")]
    Open,
    /// A new VM is started for the next request, 200ms to 300ms after the one before.
    #[serde(rename = "FAIL_RELOAD")]
    Reload,
    /// The field `fail_open: true` of older configurations: all requests pass.
    #[serde(rename = "fail_open")]
    OldOpen,
}

impl Policy {
    /// Returns the policy's name in a scenario.
    pub(in crate::run) fn name(self) -> &'static str {
        match self {
            Self::Closed => "FAIL_CLOSED",
            Self::Open => "FAIL_OPEN",
            Self::Reload => "FAIL_RELOAD",
            Self::OldOpen => "fail_open",
        }
    }
}

/// Log levels of Envoy.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(in crate::run) enum Level {
    /// Everything.
    Trace,
    /// `debug` and above.
    Debug,
    /// `info` and above.
    #[default]
    Info,
    /// `warn` and above.
    Warn,
    /// `error` and above.
    Error,
    /// `critical` alone.
    Critical,
}

impl Filter {
    /// Returns the bytes of the plugin's configuration.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub(in crate::run) fn configuration(&self, file: &Path) -> anyhow::Result<Vec<u8>> {
        bytes(self.configuration.as_ref(), file)
    }

    /// Returns the bytes of the VM's configuration.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub(in crate::run) fn vm_configuration(&self, file: &Path) -> anyhow::Result<Vec<u8>> {
        bytes(self.vm_configuration.as_ref(), file)
    }
}

/// Returns the bytes of a configuration. A file's name is relative to the folder of the scenario.
fn bytes(configuration: Option<&Document>, file: &Path) -> anyhow::Result<Vec<u8>> {
    match configuration {
        None | Some(Document::Null) => Ok(Vec::new()),
        Some(Document::String(text)) if text.is_empty() || text.contains('\n') => {
            Ok(text.clone().into_bytes())
        }
        Some(Document::String(name)) => {
            let path = beside(file, name);
            let bytes = fs::read(&path).with_context(|| match file.as_os_str().is_empty() {
                // A file of the command line.
                true => format!("cannot read the configuration {}", path.display()),
                false => format!(
                    "{}: cannot read the configuration {}; a text that is not a file's name needs a second line (`|`)",
                    file.display(),
                    path.display()
                ),
            })?;
            as_json(&path, bytes)
        }
        Some(configuration) => Ok(configuration.to_json().into_bytes()),
    }
}

/// Returns the bytes of a configuration's file as Envoy hands them to the filter: YAML becomes JSON. A mark of the encoding is
/// left out, as `sidespan check` does.
fn as_json(path: &Path, bytes: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(text) => text.to_vec(),
        None => bytes,
    };
    let ending = path.extension();
    if !ending.is_some_and(|ending| ending == "yaml" || ending == "yml") {
        return Ok(bytes);
    }
    let value: Value = serde_saphyr::from_slice(&bytes)
        .with_context(|| format!("reading {} as YAML", path.display()))?;
    Ok(value.to_string().into_bytes())
}

/// Returns the path of a file beside a scenario.
pub(in crate::run) fn beside(file: &Path, name: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(name)
}
