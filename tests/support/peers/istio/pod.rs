//! A pod's proxy: Istio's agent, and the Envoy that it starts and configures.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};
use sidespan_envoy::wait_for;
use tempfile::TempDir;

use super::certificates;
use super::programs;
use crate::envoy::{LIMIT, binary, module};
use crate::http::{Connection, Request};
use crate::peers::Authority;
use crate::ports::free_address;
use crate::program::Program;

/// The two kinds of proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Beside an application.
    Sidecar,
    /// Alone, as an ingress gateway.
    Gateway,
}

/// The names and the address of a pod.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) kind: Kind,
    /// Name of its cluster.
    pub(super) cluster: &'static str,
    pub(super) namespace: String,
    /// Name of the workload, its service account and its service.
    pub(super) name: String,
    pub(super) labels: Vec<(String, String)>,
    pub(super) address: IpAddr,
    /// Time for which connections of a listener that has changed go on.
    pub(super) drain: Duration,
}

/// Proof of who a pod is.
pub(super) enum Credentials<'a> {
    /// A certificate in files. The control plane has no other, and is asked in plain text.
    Files(&'a Authority),
    /// A token of Kubernetes, for which istiod signs a certificate; the root is istiod's.
    Token { token: String, root: String },
}

/// A running agent with its Envoy. Dropping it kills both; where a test fails, their log is in the test's output.
#[derive(Debug)]
pub struct Pod {
    identity: Identity,
    admin: SocketAddr,
    status: SocketAddr,
    program: Program,
    _folder: TempDir,
}

impl Pod {
    /// Starts an agent, and does not wait until it is ready.
    ///
    /// # Panics
    /// With what is missing.
    pub(super) fn start(
        identity: Identity,
        discovery: SocketAddr,
        credentials: Credentials<'_>,
    ) -> Self {
        let folder = TempDir::with_prefix("sidespan-peer-").expect("a folder for test files");
        let has_files = matches!(credentials, Credentials::Files(_));
        write_files(folder.path(), &identity, credentials);
        let [admin, status, envoy_status, prometheus] = [(); 4].map(|()| free_address());
        let mut proxy_config = json!({
            "discoveryAddress": discovery,
            "binaryPath": binary(),
            "configPath": "./etc/istio/proxy",
            "proxyAdminPort": admin.port(),
            "statusPort": status.port(),
            "concurrency": 1,
            "drainDuration": format!("{}s", identity.drain.as_secs()),
        });
        if has_files {
            proxy_config["controlPlaneAuthPolicy"] = "NONE".into();
        }
        let Identity {
            namespace, name, ..
        } = &identity;
        let pod_name = format!("{name}-5d8f7c9b6-x2x4z");
        let mut command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "--mount", "--pid"])
            .args(["--fork", "--kill-child", "sh", "-ec", SCRIPT, "sh"])
            .args([folder.path(), module()])
            .arg(programs::agent())
            .args(["proxy", identity.kind.argument()])
            .args(["--domain", &format!("{namespace}.svc.cluster.local")])
            .arg("--proxyLogLevel=warning")
            .arg("--proxyComponentLogLevel=misc:error,wasm:info")
            .envs(ENVIRONMENT)
            .env("PROXY_CONFIG", proxy_config.to_string())
            .env("ISTIO_META_CLUSTER_ID", identity.cluster)
            .env("POD_NAME", &pod_name)
            .env("POD_NAMESPACE", namespace)
            .env("INSTANCE_IP", identity.address.to_string())
            .env("SERVICE_ACCOUNT", name)
            .env("ISTIO_META_WORKLOAD_NAME", name)
            .env("ISTIO_META_APP_CONTAINERS", name)
            .env("ENVOY_STATUS_PORT", envoy_status.port().to_string())
            .env("ENVOY_PROMETHEUS_PORT", prometheus.port().to_string())
            .env(
                "ISTIO_META_OWNER",
                format!("kubernetes://apis/apps/v1/namespaces/{namespace}/deployments/{name}"),
            );
        if !has_files {
            command
                .env("CA_ADDR", discovery.to_string())
                .env("ISTIOD_SAN", "istiod.istio-system.svc");
        }
        Self {
            identity,
            admin,
            status,
            program: Program::start(&mut command),
            _folder: folder,
        }
    }

    /// Waits until the agent says that its pod is ready.
    ///
    /// # Panics
    /// With its log, when it does not.
    pub fn wait_until_ready(&mut self) {
        let status = self.status;
        self.program
            .wait("readiness", |_| get(status, "/healthz/ready"));
    }

    /// Returns true if the agent says that its pod is ready.
    pub fn is_ready(&self) -> bool {
        get(self.status, "/healthz/ready").is_some()
    }

    /// Returns the address that other pods know it by.
    pub fn address(&self) -> IpAddr {
        self.identity.address
    }

    /// Returns a page of Envoy's admin interface; `None` while it does not answer 200.
    pub fn admin(&self, path: &str) -> Option<String> {
        get(self.admin, path)
    }

    /// Returns a page of the agent, as `/stats/prometheus`; `None` while it does not answer 200.
    pub fn agent(&self, path: &str) -> Option<String> {
        get(self.status, path)
    }

    /// Returns one of the filter's counters or gauges by its name in the README, without the prefix; 0 when it is not there.
    ///
    /// # Panics
    /// When Envoy does not answer.
    pub fn counter(&self, name: &str) -> u64 {
        let name = format!("wasmcustom.sidespan.{name}");
        let page = self.admin(&format!("/stats?filter=^{name}$"));
        let page = page.expect("the admin interface");
        let value = page.trim().rsplit_once(": ");
        value.map_or(0, |(_, number)| number.parse().expect("a number"))
    }

    /// Returns what Envoy has by extension discovery: the resource's name and its content.
    pub fn extensions(&self) -> Vec<(String, Value)> {
        let dump = self.admin("/config_dump?resource=ecds_filters");
        let dump = dump.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let configs = dump.and_then(|dump| dump["configs"].as_array().cloned());
        let filters = configs.unwrap_or_default();
        let named = filters.into_iter().map(|mut entry| {
            let filter = entry["ecds_filter"].take();
            let name = filter["name"].as_str().unwrap_or_default().to_owned();
            (name, filter["typed_config"].clone())
        });
        named.collect()
    }

    /// Waits until a condition holds that is asked of this pod.
    ///
    /// # Panics
    /// With what was waited for, when it never does.
    pub fn wait<T>(&self, what: &str, look: impl FnMut() -> Option<T>) -> T {
        let found = wait_for(LIMIT, look);
        found.unwrap_or_else(|| panic!("{}: waited in vain for {what}", self.identity.name))
    }

    /// Returns the log of agent and Envoy.
    pub fn log(&self) -> String {
        self.program.said()
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}:\n{}", self.identity.name, self.log());
        }
    }
}

impl Identity {
    /// Returns the names of a workload's only pod.
    pub(super) fn new(
        kind: Kind,
        namespace: &str,
        name: &str,
        address: IpAddr,
        drain: Duration,
    ) -> Self {
        let labels = [
            ("app", name),
            ("service.istio.io/canonical-name", name),
            ("service.istio.io/canonical-revision", "v1"),
            // What envoyfilter.yaml asks for.
            ("sidespan", "enabled"),
        ];
        Self {
            kind,
            cluster: CLUSTER,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            labels: labels
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
            address,
            drain,
        }
    }

    /// Returns the labels as a resource has them.
    pub(super) fn labels(&self) -> Value {
        let labels = self.labels.iter();
        labels
            .map(|(name, value)| (name.clone(), value.clone().into()))
            .collect::<Map<_, Value>>()
            .into()
    }
}

impl Kind {
    fn argument(self) -> &'static str {
        match self {
            Self::Sidecar => "sidecar",
            Self::Gateway => "router",
        }
    }
}

/// Writes what stands in a pod before the agent starts: its labels, its credentials, and the template of the bootstrap.
fn write_files(folder: &Path, identity: &Identity, credentials: Credentials<'_>) {
    let at = |path: &str| -> PathBuf {
        let path = folder.join(path);
        let parent = path.parent().expect("a file in a folder");
        fs::create_dir_all(parent).expect("a folder for test files");
        path
    };
    let labels = identity.labels.iter();
    let labels: String = labels
        .map(|(name, value)| format!("{name}=\"{value}\"\n"))
        .collect();
    fs::write(at("etc/istio/pod/labels"), labels).expect("a test file");
    let template = programs::sources().join("tools/packaging/common/envoy_bootstrap.json");
    let template = fs::read(template).expect("the template of Istio's bootstrap");
    let place = at("var/lib/istio/envoy/envoy_bootstrap_tmpl.json");
    fs::write(place, template).expect("a test file");
    match credentials {
        Credentials::Files(authority) => {
            let secrets = at("var/run/secrets/workload-spiffe-credentials/key.pem");
            let secrets = secrets.parent().expect("a file in a folder");
            certificates::write(authority, secrets, &identity.namespace, &identity.name);
        }
        Credentials::Token { token, root } => {
            let place = at("var/run/secrets/tokens/istio-token");
            fs::write(place, token).expect("a test file");
            let place = at("var/run/secrets/istio/root-cert.pem");
            fs::write(place, root).expect("a test file");
        }
    }
}

fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut connection = Connection::open(address).ok()?;
    let answer = connection.exchange(&Request::get(path)).ok()?;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    (answer.status == 200).then_some(text)
}

/// Gives the agent a file system in which the two paths are its own that are fixed in it and in the manifests: its modules,
/// which it writes in place, so that an Envoy would read half of what another agent writes; and the filter as a file.
const SCRIPT: &str = r#"
mount -t tmpfs tmpfs /var/lib
mkdir -p /var/lib/istio/data /var/lib/sidespan
cd "$1"
cp "$2" /var/lib/sidespan/sidespan_filter.wasm
shift 2
exec "$@"
"#;
/// The name that a cluster has in Istio's default.
pub(super) const CLUSTER: &str = "Kubernetes";
const ENVIRONMENT: [(&str, &str); 7] = [
    // Asks no cloud for metadata.
    ("CLOUD_PLATFORM", "none"),
    ("TRUST_DOMAIN", "cluster.local"),
    ("GRPC_XDS_BOOTSTRAP", ""),
    ("ISTIO_META_MESH_ID", "cluster.local"),
    ("ISTIO_META_NODE_NAME", "node"),
    ("ISTIO_META_INTERCEPTION_MODE", "REDIRECT"),
    ("ISTIO_META_ISTIO_VERSION", "1.31.0"),
];
