//! A registry, and images in it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::programs;
use crate::http::{Connection, Request, Response};
use crate::packages::run_or;
use crate::ports::free_address;
use crate::program::Program;

/// A running registry with nothing in it. Dropping it kills it.
#[derive(Debug)]
pub struct Registry {
    address: SocketAddr,
    program: Option<Program>,
}

impl Registry {
    /// Starts a registry and waits until it answers.
    ///
    /// # Panics
    /// With its log, when it does not.
    pub fn start() -> Self {
        // Up to five starts, because another process may take the port before the registry does.
        for _ in 0..5 {
            let mut registry = Self {
                address: free_address(),
                program: None,
            };
            if registry.resume() {
                return registry;
            }
        }
        panic!("no free ports")
    }

    /// Ends the registry, and forgets what was in it.
    pub fn kill(&mut self) {
        self.program = None;
    }

    /// Starts the registry again at its address, empty; returns false if the address is in use.
    ///
    /// # Panics
    /// With its log, when it does not answer.
    pub fn resume(&mut self) -> bool {
        let mut command = Command::new(programs::crane());
        command
            .args(["registry", "serve", "--address"])
            .arg(self.address.to_string());
        let mut program = Program::start(&mut command);
        let is_ready = program.wait("readiness", |said| {
            if said.contains("address already in use") {
                return Some(false);
            }
            let answer = self.ask(&Request::get("/v2/"))?;
            (answer.status == 200).then_some(true)
        });
        self.program = is_ready.then_some(program);
        is_ready
    }

    /// Returns the address, which an image's name begins with.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Pushes an image layout under a name, as `NAME:TAG`.
    ///
    /// # Panics
    /// With what crane says, when it fails.
    pub fn push(&self, layout: &Path, name: &str) {
        let mut push = Command::new(programs::crane());
        push.args(["push", "--insecure"])
            .arg(layout)
            .arg(format!("{}/{name}", self.address));
        run_or(&mut push, "crane pushes an image layout");
    }

    /// Stores a blob for the images of a name, and returns its descriptor without a type.
    ///
    /// # Panics
    /// When the registry refuses it.
    pub fn store(&self, name: &str, blob: &[u8]) -> Value {
        let digest = digest(blob);
        let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        let answer = self.ask(&Request::post(&path, blob)).expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
        serde_json::json!({"digest": digest, "size": blob.len()})
    }

    /// Stores a manifest or an index under a tag, and returns its digest. Its type is that of its field `mediaType`, or of an OCI
    /// manifest where it has none.
    ///
    /// # Panics
    /// When the registry refuses it.
    pub fn tag(&self, name: &str, tag: &str, manifest: &Value) -> String {
        let media = manifest["mediaType"].as_str();
        let media = media.unwrap_or("application/vnd.oci.image.manifest.v1+json");
        let text = manifest.to_string();
        let path = format!("/v2/{name}/manifests/{tag}");
        let request = Request::with_body("PUT", &path, text.as_str()).header("content-type", media);
        let answer = self.ask(&request).expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
        digest(text.as_bytes())
    }

    fn ask(&self, request: &Request) -> Option<Response> {
        Connection::open(self.address).ok()?.exchange(request).ok()
    }
}

/// Returns the digest of a blob as registries write it.
pub fn digest(blob: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(blob)))
}
