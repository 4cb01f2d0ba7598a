//! The state of one HTTP stream.
//!
//! Invariants: the guest sees a map or a body only during its callback or while paused there; bytes that have passed the
//! filter never come back. This file only keeps the state; `host/exchange.rs` holds the order of callbacks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::connection::Connection;
use super::given_properties::StreamProperties;
use super::half::{Side, StreamHalf};
use super::local_reply::LocalReply;
use crate::clock::Time;
use crate::headers::Headers;
use crate::properties::Found;
use crate::settings::Plugin;
use crate::value::Value;

/// The name of one stream of one host. Its number is the guest's context id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub(crate) u32);

impl StreamId {
    /// Returns the guest's context id.
    pub fn context(self) -> u32 {
        self.0
    }
}

/// Returns the status in the headers of a response.
pub(crate) fn status_of(headers: &Headers) -> Option<i64> {
    headers.text(":status")?.parse().ok()
}

/// The effect of a callback on the bytes that were just given to the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// The bytes have passed the filter.
    Continue,
    /// The filter has paused the bytes until it resumes the stream.
    Pause,
    /// A local reply answers the request: the response is complete, in [`Stream::response`].
    LocalReply,
    /// The stream is to be reset, or no longer exists.
    Reset,
}

/// The ways in which a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The response was sent to its end.
    Complete,
    /// The client disconnected before the end of the response.
    ClientAbort,
    /// The upstream reset the stream (response flag 0x10).
    UpstreamReset,
    /// The upstream closed the connection before it answered (0x40).
    UpstreamTermination,
    /// The upstream broke the protocol, also by a body that is shorter than its `content-length` (0x800000).
    UpstreamProtocolError,
    /// No connection to the upstream came about.
    ConnectFailure,
    /// The upstream took too long.
    UpstreamTimeout,
}

impl Ending {
    /// Returns Envoy's response flags as the expression language sees them (`legacyResponseFlags`).
    pub(crate) fn flags(self) -> i64 {
        match self {
            Self::Complete => 0,
            Self::UpstreamReset => 0x10,
            Self::UpstreamTermination => 0x40,
            Self::UpstreamProtocolError => 0x80_0000,
            Self::ConnectFailure => 0x20,
            Self::UpstreamTimeout => 0x4,
            Self::ClientAbort => 0x4000,
        }
    }
}

/// A stream that has ended, as its last callbacks find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HasEnded {
    /// The headers of the response have gone out to the client.
    Answered,
    /// The client went away, or was sent away, without an answer.
    Unanswered,
}

impl HasEnded {
    pub(crate) fn when_answered(is_answered: bool) -> Self {
        if is_answered {
            Self::Answered
        } else {
            Self::Unanswered
        }
    }
}

/// One HTTP stream and its present state.
#[derive(Debug)]
pub struct Stream {
    pub(crate) id: StreamId,
    pub(crate) root: u32,
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) properties: StreamProperties,
    pub(crate) request: StreamHalf,
    pub(crate) response: StreamHalf,
    pub(crate) local_reply: Option<LocalReply>,
    pub(crate) filter_state: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The names that the guest has declared with `declare_property` on this context, where they have no effect.
    pub(crate) declared: BTreeSet<Vec<u8>>,
    /// The bytes of the response's body that have left the chain; `None` outside of one.
    pub(crate) left_chain: Option<usize>,
    /// The state of a TCP connection; `None` for an HTTP stream.
    pub(crate) connection: Option<Connection>,
    pub(crate) started: u64,
    /// The start by the clock that the guest reads.
    pub(crate) shown_start: u64,
    pub(crate) completed: Option<u64>,
    pub(crate) ending: Option<Ending>,
    /// Set while the callbacks at the stream's end run.
    pub(crate) ended: Option<HasEnded>,
    /// The status of the response as Envoy notes it.
    pub(crate) code: Option<i64>,
    /// True if the guest knows of this stream.
    pub(crate) created: bool,
    pub(crate) reset: bool,
    /// The response flags of a local reply that the proxy has made because of what filters left.
    pub(crate) reply_flags: i64,
    /// The details of a local reply that came too late to be sent, and has ended the stream.
    pub(crate) reset_details: Option<String>,
    /// True if the stream goes through a chain of filters, which sends local replies past the other filters, too.
    pub(crate) in_chain: bool,
    /// The local reply that waits until the request's callback has returned.
    pub(crate) prepared: Option<LocalReply>,
    /// The local reply that the chain has yet to send.
    pub(crate) chain_reply: Option<LocalReply>,
    /// True if the stream's VM has failed and another VM has replaced it.
    pub(crate) orphaned: bool,
    /// True while `proxy_on_log` runs: all maps but the request trailers can be read, and no map written.
    pub(crate) logging: bool,
}

impl Stream {
    pub(crate) fn new(
        id: StreamId,
        root: u32,
        plugin: Arc<Plugin>,
        properties: StreamProperties,
        time: Time,
    ) -> Self {
        Self {
            id,
            root,
            plugin,
            properties,
            request: StreamHalf::default(),
            response: StreamHalf::default(),
            local_reply: None,
            filter_state: BTreeMap::new(),
            declared: BTreeSet::new(),
            left_chain: None,
            connection: None,
            started: time.now(),
            shown_start: time.shown(),
            completed: None,
            ending: None,
            ended: None,
            code: None,
            created: false,
            reset: false,
            reply_flags: 0,
            reset_details: None,
            in_chain: false,
            prepared: None,
            chain_reply: None,
            orphaned: false,
            logging: false,
        }
    }

    /// Returns the stream's id.
    pub fn id(&self) -> StreamId {
        self.id
    }

    /// Returns the request.
    pub fn request(&self) -> &StreamHalf {
        &self.request
    }

    /// Returns the response.
    pub fn response(&self) -> &StreamHalf {
        &self.response
    }

    /// Returns the local reply, if the upstream was not asked or its response was dropped.
    pub fn local_reply(&self) -> Option<&LocalReply> {
        self.local_reply.as_ref()
    }

    /// Returns true if the stream is to be reset.
    pub fn is_reset(&self) -> bool {
        self.reset
    }

    /// Returns filter state by its full key; the keys of `proxy_set_property` begin with `wasm.`.
    pub fn filter_state(&self, key: impl AsRef<[u8]>) -> Option<&[u8]> {
        self.filter_state.get(key.as_ref()).map(Vec::as_slice)
    }

    pub(crate) fn half(&self, side: Side) -> &StreamHalf {
        match side {
            Side::Request => &self.request,
            Side::Response => &self.response,
        }
    }

    pub(crate) fn half_mut(&mut self, side: Side) -> &mut StreamHalf {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }

    pub(crate) fn action(&self, side: Side) -> Action {
        if self.reset {
            Action::Reset
        } else if self.local_reply.is_some() {
            Action::LocalReply
        } else if self.half(side).is_paused() {
            Action::Pause
        } else {
            Action::Continue
        }
    }

    /// Returns true if nothing of this direction comes to the filter any more, because the request is answered already.
    pub(crate) fn drops(&self, side: Side) -> bool {
        side == Side::Request && self.local_reply.is_some()
    }

    /// Returns true if Envoy has chosen an upstream, which is never before the request headers, or a new connection, have
    /// passed.
    pub(crate) fn has_upstream(&self) -> bool {
        let connection = self.connection.as_ref();
        connection.map_or(self.request.headers_passed, |connection| {
            connection.has_upstream
        })
    }

    /// Returns true if the response has begun.
    pub(crate) fn has_response(&self) -> bool {
        self.response.headers().is_some()
    }

    /// Returns true for a TCP connection, false for an HTTP stream.
    pub(crate) fn is_connection(&self) -> bool {
        self.connection.is_some()
    }

    /// Returns true if the client speaks HTTP/2, as far as the caller has said.
    pub(crate) fn is_over_http2(&self) -> bool {
        let protocol = self.properties.values.find(&[b"request", b"protocol"]);
        matches!(protocol, Found::Value(value) if *value == Value::from("HTTP/2"))
    }

    /// Returns true if the response has no body whatever its `content-length` says, because only its headers are asked for.
    pub(crate) fn is_head(&self) -> bool {
        let method = self.request.headers().and_then(|it| it.get(":method"));
        method == Some(b"HEAD")
    }

    /// Returns the number of bytes of the response's body that have gone out to the client.
    pub(crate) fn sent_bytes(&self) -> usize {
        self.left_chain
            .unwrap_or_else(|| self.response.passed_bytes())
    }

    pub(crate) fn is_grpc(&self) -> bool {
        self.request.headers().is_some_and(Headers::is_grpc)
    }

    pub(crate) fn visible_request_headers(&self) -> Option<&Headers> {
        self.request
            .headers()
            .filter(|_| self.logging || self.request.shows_headers)
    }

    pub(crate) fn visible_response_headers(&self) -> Option<&Headers> {
        self.response
            .headers()
            .filter(|_| self.logging || self.response.shows_headers)
    }

    pub(crate) fn visible_response_trailers(&self) -> Option<&Headers> {
        let response = &self.response;
        let trailers = response.trailers();
        if self.logging {
            // Envoy keeps those that have waited behind what a filter held.
            return trailers.or(response.queue.trailers.as_ref());
        }
        trailers.filter(|_| response.shows_trailers)
    }

    /// Returns the status of the response: that of the upstream or of the local reply until the headers have left all
    /// filters, then what the filters have made of it.
    pub(crate) fn response_code(&self) -> Option<i64> {
        self.code
    }

    /// Returns Envoy's response flags as a number, as the property `response.flags` gives them.
    pub fn response_flags(&self) -> i64 {
        // A stream that the proxy itself has reset did not end by its client.
        let ending = self.ending.filter(|_| !self.reset);
        self.reply_flags | ending.map_or(0, Ending::flags)
    }

    /// Returns Envoy's response code details, as the property `response.code_details` gives them.
    pub fn code_details(&self) -> Option<String> {
        if let Some(details) = &self.reset_details {
            return Some(details.clone());
        }
        // A filter that resets a response leaves the details that it has.
        let ending = self.ending.filter(|_| !self.reset);
        match (&self.local_reply, ending) {
            (Some(reply), _) => Some(reply.details.clone()),
            (None, Some(Ending::ClientAbort)) => Some("downstream_remote_disconnect".to_owned()),
            (None, Some(Ending::UpstreamReset)) => {
                Some("upstream_reset_after_response_started{remote_reset}".into())
            }
            (None, Some(Ending::UpstreamTermination)) => {
                Some("upstream_reset_after_response_started{connection_termination}".into())
            }
            (None, Some(Ending::UpstreamProtocolError)) => {
                Some("upstream_reset_after_response_started{protocol_error}".into())
            }
            (None, Some(Ending::UpstreamTimeout)) => Some("response_timeout".to_owned()),
            (None, _) => self.response.headers().map(|_| "via_upstream".to_owned()),
        }
    }
}
