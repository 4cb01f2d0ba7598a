//! One HTTP/1.1 request over a connection of its own.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Sends a GET request for a path of an authority to an address, and returns the status and the text of the answer.
///
/// # Errors
/// When there is no answer.
pub(super) async fn get(
    address: SocketAddr,
    authority: &str,
    path: &str,
    headers: HeaderMap,
) -> anyhow::Result<(StatusCode, String)> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut request = Request::get(path).body(Empty::<Bytes>::new())?;
    *request.headers_mut() = headers;
    let host = HeaderValue::from_str(authority)?;
    request.headers_mut().insert(header::HOST, host);
    let exchange = async {
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let text = body.collect().await?.to_bytes();
        Ok((parts.status, String::from_utf8_lossy(&text).into_owned()))
    };
    // The connection works only while it is polled, and it is done when the exchange is.
    tokio::select! {
        answer = exchange => answer,
        Err(error) = connection => Err(error.into()),
    }
}
