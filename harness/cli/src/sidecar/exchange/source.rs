//! The body of a message as it comes from a socket, in the pieces in which Envoy's codec would hand it to filters.
//!
//! Over HTTP/2 the end comes with the last DATA frame that has END_STREAM, over HTTP/1.1 always apart from the last bytes.
//! Trailers of HTTP/1.1 are dropped, unless they are wanted.

use http_body_util::BodyExt;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use sidespan_host::EndOfStream;
use tokio::io::{AsyncReadExt, ReadHalf};

use super::link::Part;
use crate::sidecar::message;
use crate::sidecar::protocol::Protocol;

/// The origin of a body.
pub(super) enum Source {
    /// A body of HTTP.
    Body {
        body: Incoming,
        protocol: Protocol,
        /// True if trailers of HTTP/1.1 go to the filters.
        has_trailers: bool,
    },
    /// The bytes of an upgraded connection.
    Raw(ReadHalf<TokioIo<Upgraded>>),
    /// Nothing more.
    Ended,
    /// An upgrade that is not there yet.
    Waiting,
}

impl Source {
    /// Returns [`EndOfStream::Yes`] if nothing of a body follows.
    pub(super) fn end_of_stream(&self) -> EndOfStream {
        match self {
            Self::Body { body, .. } if !body.is_end_stream() => EndOfStream::No,
            Self::Raw(_) | Self::Waiting => EndOfStream::No,
            Self::Body { .. } | Self::Ended => EndOfStream::Yes,
        }
    }

    /// Returns the next piece; `None` if the sender has gone away before the end. Waits for ever behind the end.
    ///
    /// Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Option<Part> {
        let part = match self {
            Self::Body {
                body,
                protocol,
                has_trailers,
            } => body_part(body, *protocol, *has_trailers).await?,
            Self::Raw(reader) => raw_part(reader).await?,
            Self::Ended | Self::Waiting => std::future::pending().await,
        };
        if matches!(part, Part::Trailers(_) | Part::Body(_, EndOfStream::Yes)) {
            *self = Self::Ended;
        }
        Some(part)
    }
}

async fn body_part(body: &mut Incoming, protocol: Protocol, has_trailers: bool) -> Option<Part> {
    let Some(frame) = body.frame().await else {
        return Some(Part::Body(Bytes::new(), EndOfStream::Yes));
    };
    let frame = match frame.ok()?.into_data() {
        Ok(bytes) => {
            let is_end = protocol == Protocol::Http2 && body.is_end_stream();
            let end = if is_end {
                EndOfStream::Yes
            } else {
                EndOfStream::No
            };
            return Some(Part::Body(bytes, end));
        }
        Err(frame) => frame,
    };
    if protocol == Protocol::Http1 && !has_trailers {
        return Some(Part::Body(Bytes::new(), EndOfStream::Yes));
    }
    let trailers = frame.into_trailers().unwrap_or_default();
    Some(Part::Trailers(message::of_trailers(&trailers)))
}

async fn raw_part(reader: &mut ReadHalf<TokioIo<Upgraded>>) -> Option<Part> {
    let mut bytes = Vec::with_capacity(CHUNK);
    let read = reader.read_buf(&mut bytes).await.ok()?;
    let end = if read == 0 {
        EndOfStream::Yes
    } else {
        EndOfStream::No
    };
    Some(Part::Body(bytes.into(), end))
}

/// The most bytes of an upgraded connection that filters see at once.
const CHUNK: usize = 16 * 1024;
