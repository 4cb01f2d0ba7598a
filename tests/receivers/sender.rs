//! The sender: a few connections, on each one request at a time.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::requests::{SPANS, Template};

/// A transport of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP with protobuf.
    Http,
}

impl Protocol {
    pub(crate) const ALL: [Self; 2] = [Self::Grpc, Self::Http];
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Grpc => "gRPC",
            Self::Http => "HTTP",
        })
    }
}

/// Spans that were sent.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Their number.
    pub(crate) spans: u64,
    /// Spans among them that the receiver did not take.
    pub(crate) refused: u64,
    /// The time from the first request to the last answer.
    pub(crate) took: Duration,
}

/// Sends at least this many spans.
pub(crate) async fn send(to: SocketAddr, protocol: Protocol, spans: u64) -> Sent {
    let requests = spans.div_ceil(SPANS);
    let template = Arc::new(Template::new());
    let left = Arc::new(AtomicU64::new(requests));
    let mut connections = JoinSet::new();
    let start = Instant::now();
    for _ in 0..CONNECTIONS {
        let (template, left) = (Arc::clone(&template), Arc::clone(&left));
        connections.spawn(async move {
            let mut connection = Connection::open(to, protocol).await;
            let mut refused = 0;
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
            {
                // Another number for every request of this process.
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                refused += connection.export(&template.request(number)).await;
            }
            refused
        });
    }
    let refused = connections.join_all().await.into_iter().sum();
    Sent {
        spans: requests * SPANS,
        refused,
        took: start.elapsed(),
    }
}

/// A connection to the receiver.
enum Connection {
    Grpc(http2::SendRequest<Full<Bytes>>, String),
    Http(http1::SendRequest<Full<Bytes>>),
}

impl Connection {
    async fn open(to: SocketAddr, protocol: Protocol) -> Self {
        let stream = TcpStream::connect(to).await.expect("a listener");
        stream.set_nodelay(true).expect("a TCP connection");
        let io = TokioIo::new(stream);
        match protocol {
            Protocol::Grpc => {
                let opened = http2::handshake(TokioExecutor::new(), io).await;
                let (sender, connection) = opened.expect("HTTP/2");
                tokio::spawn(connection);
                Self::Grpc(sender, format!("http://{to}{EXPORT}"))
            }
            Protocol::Http => {
                let (sender, connection) = http1::handshake(io).await.expect("HTTP/1.1");
                tokio::spawn(connection);
                Self::Http(sender)
            }
        }
    }

    /// Sends one request and returns the number of spans that were not taken.
    async fn export(&mut self, message: &[u8]) -> u64 {
        match self {
            Self::Grpc(sender, uri) => {
                let length = u32::try_from(message.len()).expect("a small message");
                let frame = [&[0], length.to_be_bytes().as_slice(), message].concat();
                let request = Request::post(uri.as_str())
                    .header("content-type", "application/grpc")
                    .header("te", "trailers");
                let request = request.body(Full::from(frame)).expect("a request");
                sender.ready().await.expect("an open connection");
                let (headers, body, trailers) = read(sender.send_request(request).await).await;
                let status = trailers.get("grpc-status").or(headers.get("grpc-status"));
                match status.is_some_and(|status| status == "0") {
                    true => rejected(body.get(FRAME_HEADER_BYTES..).unwrap_or_default()),
                    false => SPANS,
                }
            }
            Self::Http(sender) => {
                let request = Request::post("/v1/traces")
                    .header("host", "receiver")
                    .header("content-type", "application/x-protobuf");
                let body = Full::from(message.to_vec());
                let request = request.body(body).expect("a request");
                sender.ready().await.expect("an open connection");
                let response = sender.send_request(request).await;
                let is_taken = matches!(&response, Ok(response) if response.status() == 200);
                let (_, body, _) = read(response).await;
                match is_taken {
                    true => rejected(&body),
                    false => SPANS,
                }
            }
        }
    }
}

/// Returns the headers, the body and the trailers of an answer.
async fn read(response: hyper::Result<Response<Incoming>>) -> (HeaderMap, Bytes, HeaderMap) {
    let (parts, body) = response.expect("an answer").into_parts();
    let body = body.collect().await.expect("a whole answer");
    let trailers = body.trailers().cloned().unwrap_or_default();
    (parts.headers, body.to_bytes(), trailers)
}

/// Returns the number of spans that a success says are rejected.
fn rejected(body: &[u8]) -> u64 {
    let answer = ExportTraceServiceResponse::decode(body).expect("OTLP's answer");
    let partial = answer.partial_success.unwrap_or_default();
    u64::try_from(partial.rejected_spans).unwrap_or(0)
}

/// The number of the next request.
static NEXT: AtomicU64 = AtomicU64::new(0);
const CONNECTIONS: usize = 4;
const FRAME_HEADER_BYTES: usize = 5;
const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
