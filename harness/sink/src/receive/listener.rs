//! A listening address that speaks HTTP/1 and HTTP/2, and takes OTLP over gRPC and over HTTP.
//!
//! The content type of a request decides its transport, not the port, so that an exporter with the wrong port works instead
//! of failing with a riddle. Invariant: when `close` returns, no connection of that listener is open.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tonic::body::Body;

use super::grpc;
use super::ingest::{Reset, Shared};

/// One listening address; dropping the listener closes it soon, `close` at once.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Binds the address and serves it on the current runtime.
    pub(crate) async fn open(address: SocketAddr, ingest: Shared) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(accept(listener, ingest, stopped));
        Ok(Self {
            address,
            stop,
            task,
        })
    }

    /// Returns the address with its real port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and breaks every connection.
    pub(crate) async fn close(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            log::error!("the listener on {} ended badly: {error}", self.address);
        }
    }
}

async fn accept(listener: TcpListener, ingest: Shared, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&ingest)));
                }
                Err(error) => {
                    log::warn!("cannot accept a connection: {error}");
                    // Most likely there are no file descriptors left: without a pause this loop would take a whole core.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, ingest: Shared) {
    let answer = service_fn(move |request| dispatch(Arc::clone(&ingest), request));
    let builder = auto::Builder::new(TokioExecutor::new());
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), answer).await {
        log::debug!("a connection ended: {error}");
    }
}

async fn dispatch(ingest: Shared, request: Request<Incoming>) -> Result<Response<Body>, Reset> {
    let media = request.headers().get(CONTENT_TYPE);
    let media = media.map_or(&b""[..], |value| value.as_bytes());
    match media.strip_prefix(b"application/grpc") {
        // Not `application/grpc-web`, which is another protocol.
        Some([] | [b'+' | b';', ..]) => grpc::serve(&ingest, request).await,
        _ => super::http::serve(&ingest, request).await,
    }
}
