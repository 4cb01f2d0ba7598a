//! HTTP messages, converted between hyper's types and the filter's headers.
//!
//! Headers of one connection (`connection`, `keep-alive`, …) are removed before the filter sees them, as Envoy does
//! (RFC 9110, section 7.6.1), and `host` becomes `:authority`. Filters see `transfer-encoding`, and a WebSocket's `upgrade`
//! with its `connection`; on the way out the codec writes its own.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version, request, response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body as _, Bytes, Frame};
use sidespan_host::Headers;
use tokio::sync::mpsc;

use super::protocol::Protocol;
use super::{proxy_headers, upgrade};

/// A body of any kind.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Headers of one connection, which filters do not see (RFC 9110, section 7.6.1). `transfer-encoding` is one, too, but Envoy
/// shows it.
const OF_A_CONNECTION: [&str; 5] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "upgrade",
    "host",
];

/// Returns a request's head as a filter sees it.
pub(super) fn of_request(parts: &request::Parts) -> Headers {
    let host = parts.headers.get("host").map(HeaderValue::as_bytes);
    let authority = parts
        .uri
        .authority()
        .map(|authority| authority.as_str().as_bytes());
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = Headers::from([
        (":authority", authority.or(host).unwrap_or_default()),
        (":path", path.as_bytes()),
        (":method", parts.method.as_str().as_bytes()),
        (":scheme", b"http"),
    ]);
    add(&mut headers, &parts.headers);
    if upgrade::is_asked(parts) {
        upgrade::show(&mut headers);
    }
    proxy_headers::add(&mut headers, Protocol::of(parts.version));
    headers
}

/// Returns a response's head as a filter sees it.
pub(super) fn of_response(parts: &response::Parts) -> Headers {
    let mut headers = Headers::from([(":status", parts.status.as_str())]);
    add(&mut headers, &parts.headers);
    if parts.status == StatusCode::SWITCHING_PROTOCOLS {
        upgrade::show(&mut headers);
    }
    headers
}

/// Returns trailers as a filter sees them.
pub(super) fn of_trailers(trailers: &HeaderMap) -> Headers {
    trailers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect()
}

fn add(headers: &mut Headers, map: &HeaderMap) {
    for (name, value) in map {
        // Only the value `trailers` of `te` is for the next hop, and gRPC needs it.
        let is_te = name == "te" && value != "trailers";
        // The codec has said 100 by itself, as Envoy does.
        let is_asked = name == "expect" && value.as_bytes().eq_ignore_ascii_case(b"100-continue");
        if !is_te && !is_asked && !OF_A_CONNECTION.contains(&name.as_str()) {
            headers.add(name.as_str(), value.as_bytes());
        }
    }
}

/// Makes a request of the headers that the filter let through.
pub(super) fn to_request(
    headers: &Headers,
    protocol: Protocol,
    body: Body,
) -> io::Result<Request<Body>> {
    let authority = headers.text(":authority").unwrap_or_default();
    let path = headers.text(":path").unwrap_or_else(|| "/".to_owned());
    let uri = match protocol {
        Protocol::Http1 => path.parse::<Uri>(),
        Protocol::Http2 => format!("http://{authority}{path}").parse(),
    };
    let method = Method::from_bytes(headers.get(":method").unwrap_or(b"GET"));
    let mut request = Request::new(body);
    *request.uri_mut() = uri.map_err(io::Error::other)?;
    *request.method_mut() = method.map_err(io::Error::other)?;
    *request.headers_mut() = to_map(headers);
    match protocol {
        Protocol::Http1 => {
            let host = HeaderValue::from_bytes(authority.as_bytes()).map_err(io::Error::other)?;
            request.headers_mut().insert("host", host);
        }
        Protocol::Http2 => *request.version_mut() = Version::HTTP_2,
    }
    Ok(request)
}

/// Makes a response of the headers that the filter let through.
pub(super) fn to_response(headers: &Headers, body: Body) -> io::Result<Response<Body>> {
    let status = StatusCode::from_bytes(headers.get(":status").unwrap_or(b"200"));
    let mut response = Response::new(body);
    *response.status_mut() = status.map_err(io::Error::other)?;
    *response.headers_mut() = to_map(headers);
    Ok(response)
}

/// Makes a map of all headers but pseudo-headers and what is the codec's. A header that HTTP cannot carry is left out and
/// logged by name.
pub(super) fn to_map(headers: &Headers) -> HeaderMap {
    let is_upgrade = upgrade::is_shown(headers);
    let is_codecs = |name: &[u8]| {
        name.starts_with(b":")
            || name == b"transfer-encoding"
            || !is_upgrade && (name == b"connection" || name == b"upgrade")
    };
    let mut map = HeaderMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| !is_codecs(name)) {
        match (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            (Ok(name), Ok(value)) => drop(map.append(name, value)),
            _ => log::warn!("header `{}` cannot be sent", String::from_utf8_lossy(name)),
        }
    }
    map
}

/// Returns an empty body.
pub(super) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// One piece of a body on its way.
#[derive(Debug)]
pub(super) enum Piece {
    Frame(Frame<Bytes>),
    /// The end of the body. A pipe that is dropped without this piece breaks the message instead of cutting it short.
    End,
}

/// A body that comes out of a channel.
struct Pipe {
    pieces: mpsc::Receiver<Piece>,
    is_ended: bool,
}

/// Returns a body and the sender of its pieces. The channel's few pieces are all that is ever kept of a message.
pub(super) fn pipe() -> (mpsc::Sender<Piece>, Body) {
    let (sender, pieces) = mpsc::channel(4);
    (
        sender,
        Pipe {
            pieces,
            is_ended: false,
        }
        .boxed_unsync(),
    )
}

impl hyper::body::Body for Pipe {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.is_ended {
            return Poll::Ready(None);
        }
        self.pieces.poll_recv(context).map(|piece| match piece {
            Some(Piece::Frame(frame)) => Some(Ok(frame)),
            Some(Piece::End) => {
                self.is_ended = true;
                None
            }
            None => {
                self.is_ended = true;
                Some(Err(io::ErrorKind::BrokenPipe.into()))
            }
        })
    }
}

/// Returns a whole body of bytes, and of trailers if there are any.
pub(super) fn whole(bytes: Vec<u8>, trailers: Option<HeaderMap>) -> Body {
    let body = http_body_util::Full::new(Bytes::from(bytes)).map_err(|never| match never {});
    match trailers {
        Some(trailers) => body
            .with_trailers(async move { Some(Ok(trailers)) })
            .boxed_unsync(),
        None if body.is_end_stream() => empty(),
        None => body.boxed_unsync(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(request: Request<()>) -> request::Parts {
        request.into_parts().0
    }

    #[test]
    fn takes_the_authority_from_the_host_header_and_drops_what_is_of_the_connection() {
        let request = Request::get("/a?b")
            .header("host", "shop:80")
            .header("connection", "keep-alive")
            .header("te", "trailers")
            .header("expect", "100-continue")
            .header("x", "1")
            .header("x", "2");
        let mut headers = of_request(&parts(request.body(()).unwrap()));
        assert!(headers.get("x-request-id").is_some());
        headers.remove("x-request-id");
        let expected = [
            (":authority", "shop:80"),
            (":path", "/a?b"),
            (":method", "GET"),
            (":scheme", "http"),
            ("te", "trailers"),
            ("x", "1"),
            ("x", "2"),
            ("x-forwarded-proto", "http"),
        ];
        assert_eq!(headers, Headers::from(expected));
    }

    #[test]
    fn writes_the_authority_as_host_or_into_the_uri() {
        let headers = Headers::from([
            (":authority", "shop"),
            (":path", "/a"),
            (":method", "PUT"),
            ("x", "1"),
        ]);
        let old = to_request(&headers, Protocol::Http1, empty()).unwrap();
        assert_eq!(
            (old.uri().to_string(), &old.headers()["host"]),
            ("/a".to_owned(), &HeaderValue::from_static("shop"))
        );
        let new = to_request(&headers, Protocol::Http2, empty()).unwrap();
        assert_eq!(
            (new.uri().to_string(), new.headers().len()),
            ("http://shop/a".to_owned(), 1)
        );
    }

    #[test]
    fn leaves_out_what_http_cannot_carry() {
        let headers = Headers::from([("good", "1"), ("bad name", "1"), ("bad-value", "a\nb")]);
        assert_eq!(to_map(&headers).len(), 1);
    }

    #[tokio::test]
    async fn breaks_a_message_whose_pipe_is_dropped_before_its_end() {
        let (sender, body) = pipe();
        sender
            .send(Piece::Frame(Frame::data("x".into())))
            .await
            .unwrap();
        drop(sender);
        assert!(body.collect().await.is_err());
        let (sender, body) = pipe();
        sender.send(Piece::End).await.unwrap();
        drop(sender);
        assert!(body.collect().await.is_ok());
    }
}
