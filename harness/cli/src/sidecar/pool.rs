//! Connections to upstreams and clusters, kept while they are good.

use std::collections::HashMap;
use std::error::Error as _;
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

use super::message::Body;
use super::protocol::Protocol;

/// Clients, each with its connections, by address (`host:port`) and protocol.
///
/// Each address has a client of its own, because a client connects to the authority of a request, and routes and
/// clusters send one authority to any address.
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Clients>>);

type Clients = HashMap<(String, Protocol), Vec<(Client<Connector, Body>, Slot)>>;

/// A stream's place on a connection of HTTP/2, which is free again when this is dropped.
///
/// A client of HTTP/2 has one connection, on which a server allows 100 streams at least (RFC 9113, section 6.5.2). Further
/// ones would wait for their end, so they get another client, as Envoy opens another connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot(Arc<()>);

/// Number of streams on one connection of HTTP/2.
const STREAMS: usize = 100;

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

impl NoResponse {
    /// Returns Envoy's words for it.
    pub(super) fn reset_reason(&self) -> &'static str {
        match self {
            Self::Connect(error) if kind(error) == Some(io::ErrorKind::TimedOut) => {
                "connection timeout"
            }
            Self::Address(_) | Self::Connect(_) => "remote connection failure",
            Self::Broken(_) => "connection termination",
        }
    }

    /// Returns Envoy's response code details of the answer to it.
    pub(super) fn details(&self) -> String {
        let transport = match self {
            Self::Connect(error) if kind(error) == Some(io::ErrorKind::ConnectionRefused) => {
                "|delayed_connect_error:_Connection_refused"
            }
            _ => "",
        };
        let reason = self.reset_reason().replace(' ', "_");
        format!("upstream_reset_before_response_started{{{reason}{transport}}}")
    }
}

/// Returns what the system has said to a connection that did not come about.
fn kind(error: &Error) -> Option<io::ErrorKind> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        source = error.source();
    }
    None
}

/// The beginning of what Envoy's router answers when there is no response.
pub(super) const RESET_BEFORE_HEADERS: &str =
    "upstream connect error or disconnect/reset before headers";

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
    /// Sends a request and returns the response once it has begun, and the slot that it takes until its end.
    ///
    /// A kept connection may have been closed meanwhile; a request that such a connection did not take goes out on a
    /// fresh one.
    pub(super) async fn send(
        &self,
        address: &str,
        protocol: Protocol,
        mut request: Request<Body>,
    ) -> Result<(Response<Incoming>, Slot), NoResponse> {
        let uri = absolute(request.uri(), address, protocol).map_err(NoResponse::Address)?;
        *request.uri_mut() = uri;
        let (client, slot) = self.client(address, protocol);
        match client.request(request).await {
            Ok(response) => Ok((response, slot)),
            Err(error) if error.is_connect() => Err(NoResponse::Connect(error)),
            Err(error) => Err(NoResponse::Broken(error)),
        }
    }

    fn client(&self, address: &str, protocol: Protocol) -> (Client<Connector, Body>, Slot) {
        // Clients are only added, so a panic cannot leave half of one behind.
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let clients = clients.entry((address.to_owned(), protocol)).or_default();
        let has_room = |(_, taken): &&(_, Slot)| {
            protocol == Protocol::Http1 || Arc::strong_count(&taken.0) <= STREAMS
        };
        if let Some((client, slots)) = clients.iter().find(has_room) {
            return (client.clone(), slots.clone());
        }
        let client = Client::builder(TokioExecutor::new())
            .http2_only(protocol == Protocol::Http2)
            // The client adds no `host`, because the filter decides on headers.
            .set_host(false)
            .pool_idle_timeout(None)
            .build(Connector(address.into()));
        let slots = Slot::default();
        clients.push((client.clone(), slots.clone()));
        (client, slots)
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
