//! The server behind a sidecar, and clients in front of it, over HTTP/1.1 and HTTP/2.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpSocket, TcpStream};

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// The two versions of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

/// Starts a server that answers every request by a function.
pub(super) async fn serve<F>(
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
) -> SocketAddr
where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    // Room for a thousand connections at once.
    let socket = TcpSocket::new_v4().expect("a socket");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(any).expect("a port");
    let listener = socket.listen(4_096).expect("a listener");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let response = answer(request);
                async move { Ok::<_, Infallible>(response.await) }
            });
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                // The sidecar closes connections when it ends.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// Starts a server that sends back the body as it comes, trailers and the header `x-version` of the request.
pub(super) async fn echo() -> SocketAddr {
    serve(|request: Request<Incoming>| async move {
        let mut response = Response::builder();
        for name in ["x-version", "x-request-id", "x-forwarded-proto", "trailer"] {
            if let Some(value) = request.headers().get(name) {
                let name = if name == "trailer" {
                    name.to_owned()
                } else {
                    format!("got-{name}")
                };
                response = response.header(name, value);
            }
        }
        let body = request.into_body().map_err(io::Error::other).boxed_unsync();
        response.body(body).expect("a response")
    })
    .await
}

/// A connection of a client.
pub(super) enum Client {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

impl Client {
    /// Connects to a sidecar.
    pub(super) async fn connect(address: SocketAddr, version: Version) -> Self {
        let stream = TokioIo::new(TcpStream::connect(address).await.expect("a listener"));
        match version {
            Version::Http1 => {
                let (client, connection) = http1::handshake(stream).await.expect("HTTP/1.1");
                tokio::spawn(connection);
                Self::Http1(client)
            }
            Version::Http2 => {
                let executor = TokioExecutor::new();
                let handshake = http2::handshake(executor, stream).await;
                let (client, connection) = handshake.expect("HTTP/2");
                tokio::spawn(connection);
                Self::Http2(client)
            }
        }
    }

    /// Sends a request and returns the response once it has begun.
    pub(super) async fn send(
        &mut self,
        mut request: Request<Body>,
    ) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(client) => {
                client.ready().await?;
                let path = request.uri().path_and_query().cloned().expect("a path");
                *request.uri_mut() = path.as_str().parse().expect("a path");
                request
                    .headers_mut()
                    .insert("host", "shop".parse().expect("a name"));
                client.send_request(request).await
            }
            Self::Http2(client) => {
                client.ready().await?;
                client.send_request(request).await
            }
        }
    }
}

/// Returns a GET without a body.
pub(super) fn get(path: &str) -> Request<Body> {
    let request = Request::get(format!("http://shop{path}"));
    request.body(empty()).expect("a request")
}

/// Returns no body.
pub(super) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Returns a body of frames that are made when they are wanted.
pub(super) fn frames(frames: impl Iterator<Item = Frame<Bytes>> + Send + 'static) -> Body {
    let frames = futures_util::stream::iter(frames.map(Ok));
    StreamBody::new(frames).boxed_unsync()
}
