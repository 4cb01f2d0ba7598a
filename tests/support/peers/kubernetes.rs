//! Kubernetes' API server over an etcd, and kubectl: a cluster without nodes and controllers.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use rcgen::KeyPair;
use serde_json::json;
use tempfile::TempDir;

use super::build;
use crate::http::{Connection, Request};
use crate::ports::free_address;
use crate::program::Program;

/// A running API server. Dropping it ends it and its etcd; where a test fails, its log is in the test's output.
#[derive(Debug)]
pub(super) struct ApiServer {
    // Before the etcd, so that it ends before.
    server: Program,
    _etcd: Program,
    folder: TempDir,
}

impl ApiServer {
    /// Starts an API server with nothing of anybody's in it, and waits until it is ready.
    ///
    /// # Panics
    /// With the log of what does not start, or with what is missing.
    pub(super) fn start() -> Self {
        let folder = TempDir::with_prefix("sidespan-peer-").expect("a folder for test files");
        let key = KeyPair::generate().expect("a key");
        let at = |name: &str| folder.path().join(name);
        fs::write(at(KEY), key.serialize_pem()).expect("a test file");
        fs::write(at(PUBLIC_KEY), key.public_key_pem()).expect("a test file");
        fs::write(at(TOKENS), format!("{TOKEN},admin,admin,system:masters\n"))
            .expect("a test file");
        let (etcd, database) = start_etcd(folder.path());
        // Up to five starts, because another process may take the port before the server does.
        for _ in 0..5 {
            let address = free_address();
            fs::write(at(KUBECONFIG), kubeconfig(address)).expect("a test file");
            let mut server = Program::start(&mut server(folder.path(), database, address));
            let is_ready = server.wait("readiness", |said| {
                if said.contains("address already in use") {
                    return Some(false);
                }
                let ready = kubectl(folder.path(), &["get", "--raw", "/readyz"], "");
                ready.is_ok().then_some(true)
            });
            if is_ready {
                return Self {
                    server,
                    _etcd: etcd,
                    folder,
                };
            }
        }
        panic!("no free ports")
    }

    /// Runs kubectl as the cluster's administrator, with a text on its standard input, and returns what it writes.
    ///
    /// # Errors
    /// With what it says when it fails.
    ///
    /// # Panics
    /// With what is missing.
    pub(super) fn kubectl(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        kubectl(self.folder.path(), arguments, input)
    }

    /// Returns the file by which other programs find the server.
    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join(KUBECONFIG)
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the API server:\n{}", self.server.said());
        }
    }
}

fn start_etcd(folder: &Path) -> (Program, SocketAddr) {
    let found = Command::new("etcd").arg("--version").output();
    assert!(found.is_ok(), "This needs etcd (Debian: etcd-server).");
    for _ in 0..5 {
        let [clients, peers] = [(); 2].map(|()| free_address());
        let mut command = Command::new("etcd");
        command.arg("--data-dir").arg(folder.join("etcd"));
        for (argument, value) in [
            ("--listen-client-urls", format!("http://{clients}")),
            ("--advertise-client-urls", format!("http://{clients}")),
            ("--listen-peer-urls", format!("http://{peers}")),
            ("--initial-advertise-peer-urls", format!("http://{peers}")),
            ("--initial-cluster", format!("default=http://{peers}")),
        ] {
            command.args([argument, &value]);
        }
        let mut etcd = Program::start(&mut command);
        let is_ready = etcd.wait("etcd's health", |said| {
            if said.contains("address already in use") {
                return Some(false);
            }
            let mut connection = Connection::open(clients).ok()?;
            let answer = connection.exchange(&Request::get("/health")).ok()?;
            (answer.status == 200).then_some(true)
        });
        if is_ready {
            return (etcd, clients);
        }
    }
    panic!("no free ports")
}

fn server(folder: &Path, etcd: SocketAddr, address: SocketAddr) -> Command {
    let mut server = Command::new(programs().join("kube-apiserver"));
    server
        .args(["--etcd-servers", &format!("http://{etcd}")])
        .args(["--bind-address", &address.ip().to_string()])
        .args(["--secure-port", &address.port().to_string()])
        .arg("--cert-dir")
        .arg(folder.join("certificates"))
        .arg("--token-auth-file")
        .arg(folder.join(TOKENS))
        .arg("--service-account-signing-key-file")
        .arg(folder.join(KEY))
        .arg("--service-account-key-file")
        .arg(folder.join(PUBLIC_KEY))
        .args(["--service-account-issuer", ISSUER])
        // The second is istiod's certificate authority.
        .args(["--api-audiences", &format!("{ISSUER},istio-ca")])
        .args(["--authorization-mode", "AlwaysAllow"])
        // Wants accounts that a controller makes, and there is none.
        .args(["--disable-admission-plugins", "ServiceAccount"])
        // The cluster's own service would lead to a loopback address, which is refused.
        .args(["--endpoint-reconciler-type", "none"]);
    server
}

fn kubeconfig(address: SocketAddr) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": "test",
            "cluster": {"server": format!("https://{address}"), "insecure-skip-tls-verify": true},
        }],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    })
    .to_string()
}

fn kubectl(folder: &Path, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut command = Command::new(programs().join("kubectl"));
    command
        .arg("--kubeconfig")
        .arg(folder.join(KUBECONFIG))
        .arg("--cache-dir")
        .arg(folder.join("cache"))
        .args(arguments)
        .envs(["no_proxy", "NO_PROXY"].map(|name| (name, "*")));
    run(&mut command, input)
}

/// Runs a program with a text on its standard input, and returns what it writes, or what it says when it fails.
pub(super) fn run(command: &mut Command, input: &str) -> Result<String, String> {
    let mut program = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut pipe = program.stdin.take().expect("standard input");
    // Who wants no input may have closed it.
    let _ = pipe.write_all(input.as_bytes());
    drop(pipe);
    let ended = program.wait_with_output().expect("the program's end");
    let written = String::from_utf8_lossy(&ended.stdout).into_owned();
    let said = String::from_utf8_lossy(&ended.stderr);
    match ended.status.success() {
        true => Ok(written),
        false => Err(format!("{written}{said}")),
    }
}

fn programs() -> PathBuf {
    let packages = [
        "k8s.io/kubernetes/cmd/kube-apiserver",
        "k8s.io/kubernetes/cmd/kubectl",
    ];
    build::programs("kubernetes", "kubernetes", &packages)
}

const KEY: &str = "accounts.pem";
const PUBLIC_KEY: &str = "accounts-public.pem";
const TOKENS: &str = "tokens.csv";
const KUBECONFIG: &str = "kubeconfig.json";
/// The administrator's token at a server that nobody but this machine reaches, and that ends with the test.
const TOKEN: &str = "administrator";
const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
