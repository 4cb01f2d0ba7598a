//! istiod's discovery server over an in-memory Kubernetes: the program in `tests/peers/istio`.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};
use sidespan_envoy::wait_for;
use tempfile::TempDir;

use super::programs;
use crate::envoy::LIMIT;
use crate::http::{Connection, Request, Response};
use crate::ports::free_address;
use crate::program::Program;

/// A running control plane. Dropping it kills it; where a test fails, its log is in the test's output.
#[derive(Debug)]
pub struct ControlPlane {
    discovery: SocketAddr,
    control: SocketAddr,
    program: Program,
    _folder: TempDir,
}

impl ControlPlane {
    /// Starts a control plane with a mesh configuration and waits until it answers.
    ///
    /// # Panics
    /// With its log, when it does not.
    pub(super) fn start(mesh: &Value) -> Self {
        Self::start_with(mesh, None)
    }

    /// Starts a control plane as [`ControlPlane::start`] does, for a mesh with waypoints: what tells them their services reads objects of
    /// Kubernetes, which these are, beside being resources as any.
    ///
    /// # Panics
    /// As [`ControlPlane::start`].
    pub(super) fn start_ambient(mesh: &Value, objects: &str) -> Self {
        Self::start_with(mesh, Some(objects))
    }

    fn start_with(mesh: &Value, objects: Option<&str>) -> Self {
        let folder = TempDir::with_prefix("sidespan-peer-").expect("a folder for test files");
        let file = folder.path().join("mesh.json");
        fs::write(&file, mesh.to_string()).expect("a test file");
        let objects = objects.map(|text| {
            let file = folder.path().join("objects.yaml");
            fs::write(&file, text).expect("a test file");
            file
        });
        // Up to five starts, because another process may take a port before the control plane does.
        for _ in 0..5 {
            let [discovery, control] = [(); 2].map(|()| free_address());
            let mut command = Command::new(programs::control_plane());
            command
                .envs(ENVIRONMENT)
                .args(["-discovery", &discovery.to_string()])
                .args(["-control", &control.to_string()])
                .arg("-mesh")
                .arg(&file);
            if let Some(file) = &objects {
                command.env("PILOT_ENABLE_AMBIENT", "true");
                command.arg("-objects").arg(file);
            }
            let mut program = Program::start(&mut command);
            let is_ready = program.wait("readiness", |said| {
                if said.contains("address already in use") {
                    return Some(false);
                }
                let answer = ask(control, &Request::get("/metrics"))?;
                (answer.status == 200).then_some(true)
            });
            if is_ready {
                return Self {
                    discovery,
                    control,
                    program,
                    _folder: folder,
                };
            }
        }
        panic!("no free ports")
    }

    /// Returns the address for agents.
    pub(super) fn discovery(&self) -> SocketAddr {
        self.discovery
    }

    /// Creates the resources of a text in YAML, or replaces those that are there.
    ///
    /// # Errors
    /// With the reason, when one is refused, as istiod's webhook would.
    ///
    /// # Panics
    /// When nothing answers.
    pub fn apply(&self, yaml: &str) -> Result<(), String> {
        self.change("PUT", yaml)
    }

    /// Deletes the resources of a text in YAML.
    ///
    /// # Errors
    /// With the reason, when one is not there.
    ///
    /// # Panics
    /// When nothing answers.
    pub fn delete(&self, yaml: &str) -> Result<(), String> {
        self.change("DELETE", yaml)
    }

    fn change(&self, method: &str, yaml: &str) -> Result<(), String> {
        let request = Request::with_body(method, "/resources", yaml);
        let answer = ask(self.control, &request).expect("an answer");
        match answer.status {
            200 => Ok(()),
            _ => Err(String::from_utf8_lossy(&answer.body).trim().to_owned()),
        }
    }

    /// Sends a request of the discovery protocol as a proxy would, both in Protobuf's JSON, and returns the answer.
    ///
    /// # Panics
    /// With what it says, when it gives none.
    pub(super) fn discover(&self, request: &Value) -> Value {
        let request = Request::post("/xds", request.to_string().as_bytes());
        let answer = ask(self.control, &request).expect("an answer");
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, 200, "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Returns how many resources of a type, as `ecds`, Envoys have refused.
    ///
    /// # Panics
    /// When nothing answers.
    pub fn refusals(&self, of_type: &str) -> u64 {
        let page = ask(self.control, &Request::get("/metrics")).expect("an answer");
        let page = String::from_utf8_lossy(&page.body).into_owned();
        let name = format!("pilot_total_xds_rejects{{type=\"{of_type}\"}} ");
        let line = page.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |number| number.parse().expect("a number"))
    }

    /// Waits until Envoys have refused more resources of a type than before.
    ///
    /// # Panics
    /// When they do not.
    pub fn wait_for_refusal(&self, of_type: &str, before: u64) {
        let refused = wait_for(LIMIT, || (self.refusals(of_type) > before).then_some(()));
        assert!(refused.is_some(), "nothing was refused");
    }

    /// Returns its log.
    pub fn log(&self) -> String {
        self.program.said()
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the control plane:\n{}", self.log());
        }
    }
}

fn ask(address: SocketAddr, request: &Request) -> Option<Response> {
    Connection::open(address).ok()?.exchange(request).ok()
}

/// Returns the mesh configuration: every proxy has Istio's own tracing on, and there is no provider of metrics, whose filters are not
/// in upstream Envoy.
pub(super) fn mesh() -> Value {
    json!({
        "rootNamespace": "istio-system",
        "trustDomain": "cluster.local",
        "accessLogFile": "/dev/stdout",
        "defaultProviders": {"tracing": ["native"]},
        "extensionProviders": [{
            "name": "native",
            "opentelemetry": {
                "service": "otel-collector.observability.svc.cluster.local",
                "port": 4317,
            },
        }],
    })
}

/// Leaves out Istio's own C++ filters, which upstream Envoy has not, and asks no cloud for metadata.
pub(super) const ENVIRONMENT: [(&str, &str); 3] = [
    ("CLOUD_PLATFORM", "none"),
    ("PILOT_ENABLE_METADATA_EXCHANGE", "false"),
    ("PILOT_ENABLE_ALPN_FILTER", "false"),
];
