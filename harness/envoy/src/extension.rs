//! A filter's configuration in a file that Envoy watches (extension config discovery).
//!
//! Envoy watches the folder and takes the file when another is renamed over it, so that a write in place would go unseen.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{fs, io};

use serde_json::json;

use crate::bootstrap::filter::{HttpFilter, Wasm};
use crate::process::{Envoy, EnvoyError};
use crate::wait::wait_for;

/// Envoy's verdict on a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The configuration is in use.
    Applied,
    /// The configuration was refused, and the previous one is still in use.
    Refused,
}

/// A configuration file, and the filter that reads it.
#[derive(Debug)]
pub struct ExtensionFile {
    path: PathBuf,
    name: String,
    version: AtomicU64,
}

impl ExtensionFile {
    /// Writes the first configuration, before any Envoy reads the file.
    ///
    /// # Errors
    /// [`io::Error`] when the file cannot be written.
    pub fn create(path: &Path, wasm: &Wasm) -> io::Result<Self> {
        let file = Self {
            path: path.into(),
            name: wasm.name().into(),
            version: AtomicU64::new(0),
        };
        file.write(wasm)?;
        Ok(file)
    }

    /// Returns the filter for a listener.
    pub fn filter(&self) -> HttpFilter {
        HttpFilter::discovered(&self.name, &self.path)
    }

    /// Puts another configuration into the file and waits until `envoy` has applied or refused it. Envoy does neither with
    /// a configuration that equals the last one that it read, applied or refused.
    ///
    /// # Errors
    /// [`EnvoyError`] when the file cannot be written, or when Envoy does neither within `limit`.
    pub fn replace(
        &self,
        wasm: &Wasm,
        envoy: &Envoy,
        limit: Duration,
    ) -> Result<Verdict, EnvoyError> {
        let (applied, refused) = self.counts(envoy)?;
        self.write(wasm)?;
        wait_for(limit, || {
            let (now_applied, now_refused) = self.counts(envoy).ok()?;
            match (now_applied > applied, now_refused > refused) {
                (_, true) => Some(Verdict::Refused),
                (true, false) => Some(Verdict::Applied),
                (false, false) => None,
            }
        })
        .ok_or_else(|| envoy.timeout("a verdict on the new configuration"))
    }

    fn counts(&self, envoy: &Envoy) -> Result<(u64, u64), EnvoyError> {
        let mine = format!("extension_config_discovery.http_filter.{}.", self.name);
        let mut counts = (0, 0);
        for (name, value) in envoy.stats("")? {
            match name.split_once(&mine) {
                Some((_, "config_reload")) => counts.0 += value,
                Some((_, "config_fail")) => counts.1 += value,
                _ => {}
            }
        }
        Ok(counts)
    }

    fn write(&self, wasm: &Wasm) -> io::Result<()> {
        let version = self.version.fetch_add(1, Ordering::Relaxed);
        let mut typed_config = wasm.to_json();
        typed_config["config"]["name"] = self.name.as_str().into();
        let response = json!({
            "version_info": version.to_string(),
            "resources": [{
                "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
                "name": self.name,
                "typed_config": typed_config,
            }],
        });
        let next = self.path.with_extension("next");
        fs::write(&next, response.to_string())?;
        fs::rename(&next, &self.path)
    }
}
