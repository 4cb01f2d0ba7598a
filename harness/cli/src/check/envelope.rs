//! The envelope of Istio's resources: everything around the filter's configuration, judged as an API server judges it.
//!
//! | kind | judged |
//! |---|---|
//! | `WasmPlugin`, `TrafficExtension` | Sidespan's, by their names |
//! | `EnvoyFilter` | one that has the filter in it, or Sidespan's by its name |
//! | `Telemetry` | each, because the mesh's percentages are read from all |
//!
//! An API server under strict validation (kubectl's default) refuses unknown keys, and drops them otherwise; the rest it
//! refuses always. Resources of other products with the same kind are left alone.

pub(in crate::check) mod advice;
mod cure;
mod judge;
pub mod kinds;
mod metadata;
mod patch;
pub(in crate::check) mod plugin_config;
mod rule;
pub mod schema;
mod url;

pub(in crate::check) use kinds::{Kind, foreign_group};

use super::input::document::Document;
use judge::{Judge, below};

impl Kind {
    /// Returns the errors of a resource at a path: paths and sentences.
    pub(in crate::check) fn errors(
        &self,
        resource: &Document,
        path: &str,
    ) -> Vec<(String, String)> {
        let mut judge = Judge::new(self);
        if resource.get("kind").and_then(Document::text) != Some(self.name) {
            judge.error(
                below(path, "kind"),
                format!("unknown kind; did you mean `{}`?", self.name),
            );
        }
        let at = below(path, "apiVersion");
        match resource.get("apiVersion") {
            None | Some(Document::Null) => {
                judge.error(at, format!("missing; expected {}", self.api_versions()));
            }
            Some(Document::String(version)) if !self.takes(version) => judge.error(
                at,
                format!(
                    "an API server has no {} of this version; expected {}",
                    self.name,
                    self.api_versions()
                ),
            ),
            Some(_) => {}
        }
        judge.value(&self.resource, resource, path);
        if self.group == "extensions.istio.io" {
            judge.errors.extend(metadata::errors(resource, path));
        }
        judge.errors
    }

    fn takes(&self, api_version: &str) -> bool {
        let (group, version) = api_version.split_once('/').unwrap_or_default();
        group == self.group && self.versions.contains(&version)
    }
}

/// Returns the sentence on a resource of another product, which has a kind of the same name.
pub(in crate::check) fn foreign(kind: &Kind, resource: &Document) -> Option<String> {
    let group = foreign_group(resource)?;
    Some(format!(
        "not Istio's {} but that of {group}, and left alone",
        kind.name
    ))
}

/// Returns true if a text directly under `spec`, or under its `wasm`, has the name of Sidespan, so that a plugin with a
/// misspelt `url` or `pluginName` is known nevertheless.
pub(in crate::check) fn mentions_sidespan(spec: &Document) -> bool {
    let is_ours = |value: &Document| {
        let text = value.text().unwrap_or_default();
        text.to_ascii_lowercase().contains("sidespan")
    };
    let has = |object: &Document| matches!(object, Document::Object(pairs) if pairs.iter().any(|(_, value)| is_ours(value)));
    has(spec) || spec.get("wasm").is_some_and(has)
}

#[cfg(test)]
mod tests;
