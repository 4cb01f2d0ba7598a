//! Messages between this program and HTTP/1.1: `host` for `:authority`, and bodies that are sent piece by piece.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::http::{self, HeaderValue, Uri, header, request};
use sidespan_host::Headers;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::http2;
use crate::run::body::Body as Piece;
use crate::run::framing;
use crate::run::passed::Fields;

/// Returns the head of the request with these headers.
///
/// # Errors
/// A header that HTTP/1.1 cannot carry.
pub(super) fn request(headers: &Headers, body: Pieces) -> anyhow::Result<http::Request<Pieces>> {
    let text = |name: &str| headers.text(name).unwrap_or_default();
    let path = text(":path");
    let uri: Uri = path.parse().with_context(|| format!("`path: {path}`"))?;
    let mut request = http::Request::builder()
        .method(text(":method").as_str())
        .uri(uri)
        .body(body)?;
    let authority = HeaderValue::from_str(&text(":authority"))?;
    request.headers_mut().insert(header::HOST, authority);
    request.headers_mut().extend(http2::map(headers)?);
    Ok(request)
}

/// Returns the fields of a request, as HTTP/2 would have them.
pub(super) fn of_request(parts: &request::Parts) -> Fields {
    let part = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
    let mut all = vec![part(":method", parts.method.as_str().as_bytes())];
    let host = parts.headers.get(header::HOST);
    all.extend(host.map(|host| part(":authority", host.as_bytes())));
    all.extend([part(":path", parts.uri.to_string().as_bytes())]);
    all.extend(http2::fields(&parts.headers));
    all.retain(|(name, _)| name != "host");
    all
}

/// A body that comes piece by piece.
pub(super) struct Pieces {
    pieces: Option<mpsc::Receiver<io::Result<Bytes>>>,
}

impl Pieces {
    /// Returns the pieces, each of which comes at its time; none at all are no body. A body that breaks off ends with an
    /// error, at which hyper closes the connection.
    pub(super) fn new(pieces: &[&Piece], breaks_off: bool) -> Self {
        if pieces.is_empty() && !breaks_off {
            return Self { pieces: None };
        }
        let pieces = framing::joined(pieces);
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            for piece in pieces {
                sleep(piece.after).await;
                // Nobody receives any more once the connection has ended.
                let _ = sender.send(Ok(Bytes::from(piece.bytes))).await;
            }
            if breaks_off {
                // The bytes before have to leave first.
                sleep(Duration::from_millis(30)).await;
                let _ = sender
                    .send(Err(io::ErrorKind::ConnectionReset.into()))
                    .await;
            }
        });
        Self {
            pieces: Some(receiver),
        }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(pieces) = &mut self.pieces else {
            return Poll::Ready(None);
        };
        let piece = pieces.poll_recv(context);
        piece.map(|piece| piece.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.pieces {
            None => SizeHint::with_exact(0),
            Some(_) => SizeHint::default(),
        }
    }
}
