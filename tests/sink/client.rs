//! A client of OTLP that sends any bytes with any headers, over HTTP/1.1 and as gRPC over HTTP/2.

use std::io::Write;
use std::net::SocketAddr;

use flate2::write::{GzEncoder, ZlibEncoder};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::TcpStream;

pub(super) const TRACES: &str = "/v1/traces";
pub(super) const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
pub(super) const JSON: (&str, &str) = ("content-type", "application/json");
pub(super) const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// The compressions that the sink takes.
pub(super) const COMPRESSIONS: [&str; 4] = ["identity", "gzip", "zstd", "deflate"];

/// An answer over HTTP.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// Returns the body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns a header's value, or an empty text.
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|it| it.to_str().ok());
        value.unwrap_or_default()
    }
}

/// Sends a request over a connection of its own.
pub(super) async fn send(
    address: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> hyper::Result<Answer> {
    let stream = TcpStream::connect(address).await.expect("a listener");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "sink");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).expect("a request");
    let (parts, body) = sender.send_request(request).await?.into_parts();
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.collect().await?.to_bytes(),
    })
}

/// Posts a body, and expects an answer.
pub(super) async fn post(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let sent = send(address, Method::POST, path, headers, body).await;
    sent.unwrap_or_else(|error| panic!("{path} {headers:?}: {error}"))
}

/// An answer over gRPC.
#[derive(Debug)]
pub(super) struct GrpcAnswer {
    pub(super) code: i32,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Sends the bytes of a gRPC request, frame header included.
pub(super) async fn call_raw(
    address: SocketAddr,
    path: &str,
    encoding: Option<&str>,
    body: impl Into<Bytes>,
) -> hyper::Result<GrpcAnswer> {
    let stream = TcpStream::connect(address).await.expect("a listener");
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::post(format!("http://{address}{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    if let Some(encoding) = encoding {
        request = request.header("grpc-encoding", encoding);
    }
    let request = request.body(Full::new(body.into())).expect("a request");
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?;
    let trailers = body.trailers().cloned().unwrap_or_default();
    let status = parts.headers.get("grpc-status");
    let status = status.or_else(|| trailers.get("grpc-status"));
    let code = status.and_then(|it| it.to_str().ok()?.parse().ok());
    Ok(GrpcAnswer {
        code: code.unwrap_or(-1),
        headers: parts.headers,
        body: body.to_bytes(),
    })
}

/// Sends a message over gRPC, compressed by the name of the compression.
pub(super) async fn call(
    address: SocketAddr,
    path: &str,
    compression: &str,
    message: &[u8],
) -> GrpcAnswer {
    let (flag, message) = match compression {
        "identity" => (0, message.to_vec()),
        _ => (1, packed(compression, message)),
    };
    let encoding = Some(compression).filter(|it| *it != "identity");
    let answer = call_raw(address, path, encoding, framed(flag, &message)).await;
    answer.unwrap_or_else(|error| panic!("{path} {compression}: {error}"))
}

/// Returns a message in its frame.
pub(super) fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message");
    [&[flag][..], &length.to_be_bytes(), message].concat()
}

/// Returns the message in an answer.
pub(super) fn unframed<M: Message + Default>(answer: &GrpcAnswer) -> M {
    M::decode(answer.body.slice(5..)).expect("a message")
}

/// Compresses bytes by the name of a compression.
pub(super) fn packed(compression: &str, plain: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    match compression {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), level);
            encoder.write_all(plain).expect("memory");
            encoder.finish().expect("memory")
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(plain).expect("memory");
            encoder.finish().expect("memory")
        }
        "zstd" => zstd::encode_all(plain, 3).expect("memory"),
        _ => plain.to_vec(),
    }
}
