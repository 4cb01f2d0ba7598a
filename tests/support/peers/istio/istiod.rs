//! istiod as it is installed: over an API server, with its webhook and its certificate authority.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};
use sidespan_envoy::wait_for;
use tempfile::TempDir;

use super::super::kubernetes::ApiServer;
use super::programs;
use super::resources::ROOT;
use crate::envoy::LIMIT;
use crate::http::{Connection, Request};
use crate::ports::free_address;
use crate::program::Program;

/// A running istiod. Dropping it kills it; where a test fails, its log is in the test's output.
#[derive(Debug)]
pub(super) struct Istiod {
    discovery: SocketAddr,
    program: Program,
    _folder: TempDir,
}

impl Istiod {
    /// Starts istiod over an API server that has Istio's definitions, and waits until its webhook refuses what is wrong.
    ///
    /// # Panics
    /// With its log, when it does not.
    pub(super) fn start(server: &ApiServer, mesh: &Value) -> Self {
        let folder = TempDir::with_prefix("sidespan-peer-").expect("a folder for test files");
        let file = folder.path().join("mesh.json");
        fs::write(&file, mesh.to_string()).expect("a test file");
        // Up to five starts, because another process may take a port before istiod does.
        for _ in 0..5 {
            let [web, plain, discovery, hooks, monitoring] = [(); 5].map(|()| free_address());
            apply_webhook(server, hooks);
            let mut command = Command::new(programs::istiod());
            command
                .args(["discovery", "--registries", "Kubernetes"])
                .arg("--kubeconfig")
                .arg(server.kubeconfig())
                .arg("--meshConfig")
                .arg(&file)
                .args(["--httpAddr", &web.to_string()])
                .args(["--grpcAddr", &plain.to_string()])
                .args(["--secureGRPCAddr", &discovery.to_string()])
                .args(["--httpsAddr", &hooks.to_string()])
                .args(["--monitoringAddr", &monitoring.to_string()])
                .args(["--ctrlz_port", "0"])
                .envs(super::control_plane::ENVIRONMENT)
                .envs(ENVIRONMENT);
            let mut program = Program::start(&mut command);
            let is_ready = program.wait("readiness", |said| {
                if said.contains("address already in use") {
                    return Some(false);
                }
                let mut connection = Connection::open(web).ok()?;
                let answer = connection.exchange(&Request::get("/ready")).ok()?;
                (answer.status == 200).then_some(true)
            });
            if is_ready {
                let istiod = Self {
                    discovery,
                    program,
                    _folder: folder,
                };
                istiod.wait_for_webhook(server);
                return istiod;
            }
        }
        panic!("no free ports")
    }

    /// Returns the address for agents, which speaks mutual TLS and signs certificates.
    pub(super) fn discovery(&self) -> SocketAddr {
        self.discovery
    }

    /// Returns its log.
    pub(super) fn log(&self) -> String {
        self.program.said()
    }

    /// Waits until istiod has made the webhook's policy `Fail`, which it does when it has seen it refuse something.
    fn wait_for_webhook(&self, server: &ApiServer) {
        let path = "-ojsonpath={.webhooks[0].failurePolicy}";
        let look = || {
            let found = server.kubectl(&["get", WEBHOOKS, WEBHOOK, path], "");
            found.is_ok_and(|policy| policy == "Fail").then_some(())
        };
        let guarded = wait_for(LIMIT, look);
        assert!(guarded.is_some(), "no webhook: {}", self.log());
    }
}

impl Drop for Istiod {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("istiod:\n{}", self.log());
        }
    }
}

/// Applies the webhook as Istio's chart does, with an address in place of a Service, of which there is none without nodes.
fn apply_webhook(server: &ApiServer, address: SocketAddr) {
    let webhook = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": WEBHOOK, "labels": {"istio.io/rev": "default"}},
        "webhooks": [{
            "name": "rev.validation.istio.io",
            "clientConfig": {"url": format!("https://{address}/validate")},
            "rules": [{
                "operations": ["CREATE", "UPDATE"],
                "apiGroups": [
                    "security.istio.io",
                    "networking.istio.io",
                    "telemetry.istio.io",
                    "extensions.istio.io",
                ],
                "apiVersions": ["*"],
                "resources": ["*"],
            }],
            "failurePolicy": "Ignore",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }],
    });
    let applied = server.kubectl(&["apply", "-f-"], &webhook.to_string());
    applied.unwrap_or_else(|error| panic!("{error}"));
}

const WEBHOOKS: &str = "validatingwebhookconfiguration";
const WEBHOOK: &str = "istio-validator-istio-system";
/// Beside the environment of the discovery server alone.
const ENVIRONMENT: [(&str, &str); 5] = [
    ("POD_NAMESPACE", ROOT),
    // It cares for the webhooks with this label alone.
    ("REVISION", "default"),
    // The name in its certificate, by which the API server calls the webhook.
    ("ISTIOD_CUSTOM_HOST", "127.0.0.1"),
    ("VALIDATION_WEBHOOK_CONFIG_NAME", "istio-validator"),
    ("PILOT_ENABLE_AMBIENT", "true"),
];
