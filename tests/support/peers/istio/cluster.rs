//! A cluster with Istio as it is installed, without nodes: what is applied is judged as a cluster judges it, and pods get
//! their certificates from istiod.

use std::fs;
use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

use sidespan_envoy::wait_for;

use super::super::kubernetes::{self, ApiServer};
use super::addresses::Block;
use super::application::Format;
use super::control_plane;
use super::istiod::Istiod;
use super::pod::{Credentials, Identity, Pod};
use super::programs;
use super::resources::{self, ROOT};
use super::service::{Service, World};
use crate::collector::Collector;
use crate::envoy::LIMIT;

/// A running cluster. Dropping it ends all of it.
pub struct Cluster {
    istiod: Istiod,
    server: ApiServer,
    block: Block,
}

impl Cluster {
    /// Starts a cluster with the definitions of Istio and of the Gateway API and a few namespaces, and with istiod.
    ///
    /// # Panics
    /// With the log of what does not start, or with what is missing.
    pub fn start() -> Self {
        let server = ApiServer::start();
        let sources = programs::sources();
        for definitions in [
            "manifests/charts/base/files/crd-all.gen.yaml",
            "tests/integration/pilot/testdata/gateway-api-crd.yaml",
        ] {
            let yaml = fs::read_to_string(sources.join(definitions)).expect("definitions");
            define(&server, &yaml);
        }
        for namespace in [ROOT, "shop", "bank", "observability"] {
            let made = server.kubectl(&["create", "namespace", namespace], "");
            made.unwrap_or_else(|error| panic!("{error}"));
        }
        Self {
            istiod: Istiod::start(&server, &control_plane::mesh()),
            server,
            block: Block::take(),
        }
    }

    /// Adds definitions of resources, and waits until they are served.
    ///
    /// # Panics
    /// With what kubectl says, when it fails.
    pub fn define(&self, yaml: &str) {
        define(&self.server, yaml);
    }

    /// Runs kubectl as the cluster's administrator, with a text on its standard input, and returns what it writes.
    ///
    /// # Errors
    /// With what it says when it fails.
    pub fn kubectl(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        self.server.kubectl(arguments, input)
    }

    /// Applies resources, which must be good.
    ///
    /// # Panics
    /// With what kubectl says, when one is refused.
    pub fn apply(&self, yaml: &str) {
        let applied = self.kubectl(&["apply", "-f-"], yaml);
        applied.unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    }

    /// Makes a collector known to the mesh as a service of `observability`.
    ///
    /// # Panics
    /// As [`Cluster::apply`].
    pub fn register(&self, name: &str, collector: &Collector) {
        let address = collector.sink().grpc_addr();
        self.apply(&resources::collector(name, address));
    }

    /// Starts a service of one pod that calls nobody, and does not wait for it.
    ///
    /// # Panics
    /// As [`Cluster::start`].
    pub fn service(&self, namespace: &str, name: &str) -> Service {
        Service::start(self, namespace, name, Format::W3c, None)
    }

    /// Starts an ingress gateway that sends all requests to a host, and does not wait for it.
    ///
    /// # Panics
    /// As [`Cluster::start`].
    pub fn gateway(&self, to: &str) -> Service {
        Service::start_gateway(self, to)
    }
}

impl World for Cluster {
    fn address(&self) -> IpAddr {
        self.block.address()
    }

    fn drain(&self) -> Duration {
        // What is removed is not gone before the listeners that had it, and nothing here holds a connection for long.
        Duration::from_secs(2)
    }

    fn apply(&self, yaml: &str) {
        self.apply(yaml);
    }

    /// Starts a pod with a token of its account, as a kubelet asks for one, and with istiod's root.
    fn start(&self, identity: Identity) -> Pod {
        let (namespace, name) = (identity.namespace.clone(), identity.name.clone());
        let run = |arguments: &[&str]| {
            let in_namespace = [arguments, &["--namespace", &namespace]].concat();
            self.kubectl(&in_namespace, "")
        };
        let made = run(&["create", "serviceaccount", &name]);
        made.unwrap_or_else(|error| panic!("{error}"));
        let token = run(&["create", "token", &name, "--audience", "istio-ca"]);
        let token = token.unwrap_or_else(|error| panic!("{error}"));
        let path = "-ojsonpath={.data.root-cert\\.pem}";
        // istiod writes it into every namespace.
        let root = wait_for(LIMIT, || {
            run(&["get", "configmap", "istio-ca-root-cert", path]).ok()
        });
        let credentials = Credentials::Token {
            token: token.trim().to_owned(),
            root: root.expect("istiod's root certificate"),
        };
        Pod::start(identity, self.istiod.discovery(), credentials)
    }
}

/// Runs `istioctl`, which asks no cluster, with a text on its standard input, and returns what it writes.
///
/// # Errors
/// With what it says when it fails.
///
/// # Panics
/// With what is missing.
pub fn istioctl(arguments: &[&str], input: &str) -> Result<String, String> {
    let mut command = Command::new(programs::istioctl());
    kubernetes::run(command.args(arguments), input)
}

fn define(server: &ApiServer, yaml: &str) {
    // By the server, because as an annotation the definitions are too large.
    let made = server.kubectl(&["apply", "--server-side", "-f-"], yaml);
    made.unwrap_or_else(|error| panic!("{error}"));
    let established = ["wait", "--for=condition=established", "--timeout=60s"];
    let established = [&established[..], &["customresourcedefinitions", "--all"]].concat();
    let served = server.kubectl(&established, "");
    served.unwrap_or_else(|error| panic!("{error}"));
}
