//! Connections to upstreams and clusters, kept while they are good.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use super::message::{Body, Protocol};

/// Clients, each with its connections, by address (`host:port`) and protocol.
///
/// Each address has a client of its own, because a client connects to the authority of a request, and routes and
/// clusters send one authority to any address.
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Clients>>);

type Clients = HashMap<(String, Protocol), Client<Connector, Body>>;

/// The reason for which there is no response.
#[derive(Debug)]
pub(super) enum NoResponse {
    /// No request can be sent to this address.
    Address(http::Error),
    /// No connection came about.
    Connect(Error),
    /// The connection broke before the response began.
    Broken(Error),
}

impl fmt::Display for NoResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => write!(formatter, "no address: {error}"),
            Self::Connect(error) => write!(formatter, "no connection: {error:?}"),
            Self::Broken(error) => write!(formatter, "the connection broke: {error:?}"),
        }
    }
}

impl Pool {
    /// Sends a request and returns the response once it has begun.
    ///
    /// A kept connection may have been closed meanwhile; a request that such a connection did not take goes out on a
    /// fresh one.
    pub(super) async fn send(
        &self,
        address: &str,
        protocol: Protocol,
        mut request: Request<Body>,
    ) -> Result<Response<Incoming>, NoResponse> {
        let uri = absolute(request.uri(), address, protocol).map_err(NoResponse::Address)?;
        *request.uri_mut() = uri;
        let response = self.client(address, protocol).request(request).await;
        response.map_err(|error| match error.is_connect() {
            true => NoResponse::Connect(error),
            false => NoResponse::Broken(error),
        })
    }

    fn client(&self, address: &str, protocol: Protocol) -> Client<Connector, Body> {
        // Clients are only added, so a panic cannot leave half of one behind.
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let client = clients
            .entry((address.to_owned(), protocol))
            .or_insert_with(|| {
                Client::builder(TokioExecutor::new())
                    .http2_only(protocol == Protocol::Http2)
                    // The client adds no `host`, because the filter decides on headers.
                    .set_host(false)
                    .pool_idle_timeout(None)
                    .build(Connector(address.into()))
            });
        client.clone()
    }
}

/// Returns the target of a request with the address as its authority, as the client needs it. Over HTTP/1 only the path
/// is sent.
fn absolute(target: &Uri, address: &str, protocol: Protocol) -> Result<Uri, http::Error> {
    let mut parts = target.clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    if protocol == Protocol::Http1 {
        parts.authority = Some(address.parse::<Authority>()?);
    }
    Ok(Uri::from_parts(parts)?)
}

/// A connector to one address, whatever the authority of a request is.
#[derive(Clone)]
struct Connector(Arc<str>);

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(connect(Arc::clone(&self.0)))
    }
}

/// Envoy's default `connect_timeout` of a cluster.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

async fn connect(address: Arc<str>) -> io::Result<TokioIo<TcpStream>> {
    let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(&*address))
        .await
        .unwrap_or_else(|late| Err(late.into()))?;
    // Messages are written whole, so waiting for more only adds latency. Not every system can set this option.
    let _ = stream.set_nodelay(true);
    Ok(TokioIo::new(stream))
}
