//! Connections to upstreams and clusters, kept while they are good.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::message::{Body, Protocol};

/// Connections by address (`host:port`).
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    idle: HashMap<String, Vec<http1::SendRequest<Body>>>,
    shared: HashMap<String, http2::SendRequest<Body>>,
}

/// Why there is no response.
#[derive(Debug)]
pub(super) enum NoResponse {
    /// No connection came about.
    Connect(io::Error),
    /// The connection broke before the response began.
    Broken(hyper::Error),
}

impl fmt::Display for NoResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(formatter, "no connection: {error}"),
            Self::Broken(error) => write!(formatter, "the connection broke: {error}"),
        }
    }
}

impl Pool {
    /// Sends a request and returns the response once it has begun.
    ///
    /// A kept connection may have gone bad meanwhile: a request that it did not take goes out on a fresh one.
    pub(super) async fn send(
        &self,
        address: &str,
        protocol: Protocol,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, NoResponse> {
        match protocol {
            Protocol::Http1 => self.send_http1(address, request).await,
            Protocol::Http2 => self.send_http2(address, request).await,
        }
    }

    async fn send_http1(
        &self,
        address: &str,
        mut request: Request<Body>,
    ) -> Result<Response<Incoming>, NoResponse> {
        while let Some(mut sender) = self.take_idle(address) {
            match sender.try_send_request(request).await {
                Ok(response) => {
                    self.keep_when_ready(address, sender);
                    return Ok(response);
                }
                Err(mut error) => match error.take_message() {
                    Some(returned) => request = returned,
                    None => return Err(NoResponse::Broken(error.into_error())),
                },
            }
        }
        let io = connect(address).await?;
        let (mut sender, connection) = http1::handshake(io).await.map_err(NoResponse::Broken)?;
        tokio::spawn(connection);
        let response = sender
            .send_request(request)
            .await
            .map_err(NoResponse::Broken)?;
        self.keep_when_ready(address, sender);
        Ok(response)
    }

    async fn send_http2(
        &self,
        address: &str,
        mut request: Request<Body>,
    ) -> Result<Response<Incoming>, NoResponse> {
        let shared = self.lock().shared.get(address).cloned();
        if let Some(mut sender) = shared.filter(|sender| !sender.is_closed()) {
            match sender.try_send_request(request).await {
                Ok(response) => return Ok(response),
                Err(mut error) => match error.take_message() {
                    Some(returned) => request = returned,
                    None => return Err(NoResponse::Broken(error.into_error())),
                },
            }
        }
        let io = connect(address).await?;
        let handshake = http2::handshake(TokioExecutor::new(), io).await;
        let (mut sender, connection) = handshake.map_err(NoResponse::Broken)?;
        tokio::spawn(connection);
        self.lock()
            .shared
            .insert(address.to_owned(), sender.clone());
        sender
            .send_request(request)
            .await
            .map_err(NoResponse::Broken)
    }

    fn take_idle(&self, address: &str) -> Option<http1::SendRequest<Body>> {
        self.lock().idle.get_mut(address)?.pop()
    }

    /// Takes a connection back once the response has been read to its end.
    fn keep_when_ready(&self, address: &str, mut sender: http1::SendRequest<Body>) {
        let (pool, address) = (self.clone(), address.to_owned());
        tokio::spawn(async move {
            if sender.ready().await.is_ok() {
                pool.lock().idle.entry(address).or_default().push(sender);
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Connections are only put in and taken out: a panic cannot leave half of one behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Envoy's default for a cluster.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

async fn connect(address: &str) -> Result<TokioIo<TcpStream>, NoResponse> {
    let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(address))
        .await
        .unwrap_or_else(|late| Err(late.into()))
        .map_err(NoResponse::Connect)?;
    // Messages are written whole; waiting for more only adds latency. Not all systems can.
    let _ = stream.set_nodelay(true);
    Ok(TokioIo::new(stream))
}
