//! Modules and configurations that are replaced while requests come.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt;
use tokio::task::JoinSet;

use super::program::{Program, module};
use super::server::{Client, Version, echo, get};

/// The marks that clients have seen so far.
#[derive(Default)]
struct Seen {
    versions: Mutex<BTreeSet<String>>,
    requests: AtomicU64,
    is_over: AtomicBool,
}

impl Seen {
    fn has(&self, version: &str) -> bool {
        self.versions.lock().expect("a lock").contains(version)
    }
}

/// Sends requests over one connection until all is over.
async fn load(address: SocketAddr, version: Version, seen: Arc<Seen>) {
    let mut client = Client::connect(address, version).await;
    while !seen.is_over.load(Ordering::Relaxed) {
        let response = client.send(get("/")).await.expect("a response");
        assert_eq!(response.status(), 200);
        let marks = ["got-x-version", "x-version"].map(|name| response.headers()[name].clone());
        assert_eq!(
            marks[0], marks[1],
            "one request is one filter's from end to end"
        );
        let mark = marks[0].to_str().expect("text").to_owned();
        seen.versions.lock().expect("a lock").insert(mark);
        response.into_body().collect().await.expect("a body");
        seen.requests.fetch_add(1, Ordering::Relaxed);
    }
}

async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, waiting)
        .await
        .expect("what was waited for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_module_is_replaced_under_load_without_one_failed_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = module(folder.path(), 1);
    let sidecar = Program::start(echo().await, &["--module", file.to_str().expect("text")]);
    let seen = Arc::new(Seen::default());
    let mut clients = JoinSet::new();
    for version in [Version::Http1, Version::Http2].repeat(4) {
        clients.spawn(load(sidecar.address(), version, Arc::clone(&seen)));
    }
    for version in [1, 2, 3] {
        module(folder.path(), version);
        until(|| seen.has(&version.to_string())).await;
    }
    // What is no module is refused, and nothing changes.
    fs::write(&file, "(module (func $nonsense (unreachable").expect("a file");
    let line = tokio::task::block_in_place(|| sidecar.wait_for("not reloaded"));
    assert!(
        line.contains("requests go through the old filters: "),
        "{line}"
    );
    let before = seen.requests.load(Ordering::Relaxed);
    until(|| seen.requests.load(Ordering::Relaxed) > before + 50).await;
    seen.is_over.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.expect("a client without one failed request");
    }
    println!("{} requests", seen.requests.load(Ordering::Relaxed));
    let said = tokio::task::block_in_place(|| sidecar.stop());
    assert!(said.contains("reloads: 2 taken, 1 refused"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_and_a_chain_are_read_anew_and_what_a_filter_refuses_is_not_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    module(folder.path(), 1);
    let chain = folder.path().join("chain.yaml");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    write("own.json", "{}");
    write(
        "chain.yaml",
        "filters:\n  - module: filter.wat\n  - configuration: own.json\n",
    );
    let sidecar = Program::start(echo().await, &["--chain", chain.to_str().expect("text")]);
    let versions = async |expected: usize| {
        let mut client = Client::connect(sidecar.address(), Version::Http2).await;
        let response = client.send(get("/")).await.expect("a response");
        assert_eq!(
            response.headers().get_all("x-version").iter().count(),
            expected
        );
    };
    versions(1).await;
    // Sidespan's own filter refuses what is wrong in its configuration, with the place.
    write("own.json", "{\"sampling\": 1}");
    let line = tokio::task::block_in_place(|| sidecar.wait_for("not reloaded"));
    assert!(
        line.contains("filter 2 of the chain did not start"),
        "{line}"
    );
    tokio::task::block_in_place(|| sidecar.wait_for("sampling"));
    versions(1).await;
    write("own.json", "{}");
    write(
        "chain.yaml",
        "filters:\n  - {module: filter.wat, name: one}\n  - {module: filter.wat, name: two, vmId: two}\n",
    );
    tokio::task::block_in_place(|| sidecar.wait_for("reloaded: new requests"));
    versions(2).await;
    // A file that only looks new is none.
    let text = fs::read(Path::new(&chain)).expect("the file");
    fs::write(&chain, text).expect("the file");
    let said = tokio::task::block_in_place(|| sidecar.stop());
    assert!(said.contains("reloads: 1 taken, 1 refused"), "{said}");
}
