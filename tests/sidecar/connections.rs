//! A thousand connections at once, each with a request that waits for all the others.

use std::io;
use std::sync::Arc;

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::program::{Program, module};
use super::server::{Client, Version, get, serve};

const CONNECTIONS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_are_served_at_once() {
    // Both ends of a thousand connections are this process's.
    rlimit::increase_nofile_limit(8_192).expect("more open files");
    let barrier = Arc::new(Barrier::new(CONNECTIONS));
    let server = serve(move |request: Request<Incoming>| {
        let barrier = Arc::clone(&barrier);
        async move {
            // Nobody is answered before all have come.
            barrier.wait().await;
            let path = request.uri().path().to_owned();
            Response::new(Full::from(path).map_err(io::Error::other).boxed_unsync())
        }
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let module = module(folder.path(), 1);
    let module = module.to_str().expect("text");
    let sidecar = Program::start(server, &["--module", module, "--timeout", "0"]);
    let address = sidecar.address();
    let mut clients = JoinSet::new();
    for number in 0..CONNECTIONS {
        clients.spawn(async move {
            let version = match number % 2 {
                0 => Version::Http1,
                _ => Version::Http2,
            };
            let mut client = Client::connect(address, version).await;
            let path = format!("/{number}");
            let response = client.send(get(&path)).await.expect("a response");
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["x-version"], "1");
            let body = response.into_body().collect().await.expect("a body");
            assert_eq!(body.to_bytes(), path, "each has its own answer");
        });
    }
    let mut served = 0;
    while let Some(client) = clients.join_next().await {
        client.expect("a client that was served");
        served += 1;
    }
    assert_eq!(served, CONNECTIONS);
    sidecar.stop();
}
