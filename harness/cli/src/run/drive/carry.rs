//! One exchange on its way through the filters: pieces in at one end, and at the other end what the filters let through.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use sidespan_host::{ChainStreamId, EndOfStream, Ending, FilterChain, Headers, LocalReply};

use crate::run::body::Body;
use crate::run::convert::{fields, properties};
use crate::run::framing::{self, Then};
use crate::run::passed::{Fields, Message, Passed};
use crate::run::scenario::{Protocol, Step};

/// A piece of a message, and the time that passes before it.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) after: Duration,
    part: Part,
}

#[derive(Clone, Debug)]
enum Part {
    Headers(Headers, EndOfStream),
    Body(Vec<u8>, EndOfStream),
    Trailers(Headers),
}

impl Piece {
    fn now(part: Part) -> Self {
        Self {
            after: Duration::ZERO,
            part,
        }
    }

    fn is_end_alone(&self) -> bool {
        matches!(&self.part, Part::Body(bytes, EndOfStream::Yes) if bytes.is_empty())
    }

    fn ends(&self) -> bool {
        match &self.part {
            Part::Headers(_, end) | Part::Body(_, end) => *end == EndOfStream::Yes,
            Part::Trailers(_) => true,
        }
    }
}

/// Leaves of a message what its headers are.
pub(super) fn leave_headers(pieces: &mut Vec<Piece>) {
    pieces.retain(|piece| matches!(piece.part, Part::Headers(..)));
}

/// Takes the end from the pieces of a message, because it is to break off.
pub(super) fn leave_open(pieces: &mut Vec<Piece>) {
    pieces.retain(|piece| !piece.is_end_alone());
    for piece in pieces {
        if let Part::Headers(_, end) | Part::Body(_, end) = &mut piece.part {
            *end = EndOfStream::No;
        }
    }
}

/// Cuts a message into the pieces in which this protocol's codec hands it to filters.
pub(super) fn pieces(
    headers: Headers,
    chunks: &[&Body],
    trailers: Headers,
    protocol: Protocol,
) -> Vec<Piece> {
    let has_trailers = !trailers.is_empty() && protocol == Protocol::Http2;
    let end_if = |is_end| {
        if is_end {
            EndOfStream::Yes
        } else {
            EndOfStream::No
        }
    };
    let has_body = !chunks.is_empty();
    let mut pieces = vec![Piece::now(Part::Headers(
        headers,
        end_if(!has_body && !has_trailers),
    ))];
    let chunks = match protocol {
        Protocol::Http1 => framing::joined(chunks),
        Protocol::Http2 => framing::frames(chunks),
    };
    let count = chunks.len();
    for (chunk, number) in chunks.into_iter().zip(1..) {
        let is_last = number == count && !has_trailers && protocol == Protocol::Http2;
        pieces.push(Piece {
            after: chunk.after,
            part: Part::Body(chunk.bytes, end_if(is_last)),
        });
    }
    if has_body && protocol == Protocol::Http1 {
        pieces.push(Piece::now(Part::Body(Vec::new(), EndOfStream::Yes)));
    }
    if has_trailers {
        pieces.push(Piece::now(Part::Trailers(trailers)));
    }
    pieces
}

/// The end of one direction, as far as the message has come.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    copies: usize,
    /// True if the message had ended with its headers.
    is_headers_only: bool,
    /// The part of the message that the peer could not read.
    pub(super) broken: Option<Broken>,
    message: Option<Message>,
    pub(super) is_complete: bool,
}

/// A part of a message that a peer cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    Headers,
    /// Over HTTP/2 a body that is not as long as its `content-length`.
    Body,
    /// Trailers, which only HTTP/2 sends.
    Trailers,
}

/// One exchange.
#[derive(Debug)]
pub(super) struct Carriage {
    id: ChainStreamId,
    protocol: Protocol,
    /// That of the client unless it is set.
    pub(super) upstream_protocol: Protocol,
    pub(super) request: Arrived,
    pub(super) response: Arrived,
    /// True once the client has sent its whole request.
    is_sent: bool,
    is_answered_early: bool,
    /// True if Envoy resets the upstream's stream in place of the response's body.
    pub(super) is_refused: bool,
}

impl Carriage {
    /// Opens a stream through the filters.
    pub(super) fn open(chain: &mut FilterChain, step: &Step, protocol: Protocol) -> Self {
        Self {
            id: chain.open_stream(&properties(step, protocol)),
            protocol,
            upstream_protocol: protocol,
            request: Arrived::default(),
            response: Arrived::default(),
            is_sent: false,
            is_answered_early: false,
            is_refused: false,
        }
    }

    /// Returns the method with which the request has come to the upstream.
    pub(super) fn method(&self) -> Option<String> {
        let message = self.request.message.as_ref()?;
        let method = message.headers.iter().find(|(name, _)| name == ":method");
        method.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    /// Returns true if the response began before the client had sent its whole request.
    pub(super) fn is_answered_early(&self) -> bool {
        self.is_answered_early
    }

    /// Returns true if the client has its response, or never gets one.
    pub(super) fn is_over(&self) -> bool {
        self.response.is_complete
    }

    /// Gives a piece of the request to the first filter, or one of the response to the last.
    pub(super) fn give(&mut self, chain: &mut FilterChain, piece: Piece) {
        let id = self.id;
        self.is_sent |= piece.ends();
        // What becomes of the piece shows at the two ends.
        let _ = match (self.request.is_complete, piece.part) {
            (false, Part::Headers(headers, end)) => chain.request_headers(id, headers, end),
            (false, Part::Body(bytes, end)) => chain.request_body(id, &bytes, end),
            (false, Part::Trailers(trailers)) => chain.request_trailers(id, trailers),
            (true, Part::Headers(headers, end)) => chain.response_headers(id, headers, end),
            (true, Part::Body(bytes, end)) => chain.response_body(id, &bytes, end),
            (true, Part::Trailers(trailers)) => chain.response_trailers(id, trailers),
        };
        self.pump(chain);
    }

    /// Answers in place of the upstream.
    pub(super) fn reply(&mut self, chain: &mut FilterChain, reply: LocalReply) {
        let _ = chain.local_reply(self.id, reply);
        self.pump(chain);
    }

    /// Answers for an upstream that has failed.
    pub(super) fn fail(&mut self, chain: &mut FilterChain, how: Ending, reply: LocalReply) {
        let _ = chain.upstream_failed(self.id, how, reply);
        self.pump(chain);
    }

    /// Tells the filters of the headers that the client gets.
    fn tell_of_response(&self, chain: &mut FilterChain, then: Then) {
        let Some(message) = &self.response.message else {
            return;
        };
        let now = SystemTime::UNIX_EPOCH + chain.now();
        let date = httpdate::fmt_http_date(now);
        let headers = framing::logged(&message.headers, self.protocol, then, &date);
        chain.sent_response(self.id, &headers);
    }

    /// Takes what has come to the two ends.
    pub(super) fn pump(&mut self, chain: &mut FilterChain) {
        chain.settle();
        if let Some(passed) = chain.take_request(self.id) {
            let protocol = self.upstream_protocol;
            self.request.take(passed, protocol);
            self.request
                .read(protocol, |it| framing::is_read_by_upstream(protocol, it));
        }
        if let Some(passed) = chain.take_response(self.id) {
            let protocol = self.protocol;
            self.response.take(passed, protocol);
            self.response
                .read(protocol, |it| framing::is_read_by_client(protocol, it));
            self.is_answered_early |= self.response.message.is_some() && !self.is_sent;
        }
    }

    /// Ends the stream, and returns what came to each end.
    ///
    /// # Errors
    /// When the stream has ended by itself.
    pub(super) fn end(
        mut self,
        chain: &mut FilterChain,
        ending: Ending,
        request: Fields,
        then: Then,
    ) -> anyhow::Result<Passed> {
        self.tell_of_response(chain, then);
        let breaks_off = breaks_off(ending) && !self.response.is_complete;
        let ended = chain.end(self.id, ending);
        let ended = ended.context("the stream has ended by itself")?;
        // A second response is a broken end of the first.
        let is_twice = self.protocol == Protocol::Http2 && self.response.copies > 1;
        if is_twice && let Some(message) = &mut self.response.message {
            message.body.clear();
        }
        // A request that is cut off may or may not have left Envoy by then.
        let has_arrived = self.request.is_complete
            && self.request.broken.is_none()
            && ending != Ending::ConnectFailure;
        let broken = self.response.broken;
        let mut downstream = self.response.message.take();
        if let Some(message) = &mut downstream {
            message.headers = framing::lines(self.protocol, &message.headers);
            // Envoy writes it where it is missing, by its own clock.
            message.headers.retain(|(name, _)| name != "date");
        }
        Ok(Passed {
            request,
            upstream_requests: match has_arrived {
                true => self.request.copies,
                false => 0,
            },
            is_upstream_headers_only: self.request.is_headers_only,
            is_downstream_headers_only: self.response.is_headers_only,
            upstream: self.request.message.take().filter(|_| has_arrived),
            downstream: downstream.filter(|_| broken != Some(Broken::Headers)),
            is_reset: ended.is_reset || breaks_off || broken.is_some() || is_twice,
            // A reply without details has the empty text in Envoy, whose access log cannot tell it from none.
            details: ended.details.filter(|details| !details.is_empty()),
            flags: letters(ended.flags),
        })
    }
}

impl Arrived {
    fn take(&mut self, passed: sidespan_host::Passed, protocol: Protocol) {
        let Some(headers) = &passed.headers else {
            return;
        };
        self.copies = passed.copies;
        if self.message.is_none() {
            self.is_headers_only =
                passed.is_complete && passed.body.is_empty() && passed.trailers.is_none();
        }
        let message = self.message.get_or_insert_default();
        message.headers = fields(headers);
        let is_new = !self.is_complete;
        let length = message.body.len() + passed.body.len();
        let has_body = length > 0 || !passed.is_complete;
        let announced = headers.text("content-length").filter(|_| has_body);
        let announced = announced.and_then(|text| text.parse::<usize>().ok());
        let is_wrong = announced.is_some_and(|announced| {
            length > announced || passed.is_complete && length != announced
        });
        if protocol == Protocol::Http2 && is_new && is_wrong {
            // What the peer finds wrong it does not take, nor anything behind it.
            self.broken.get_or_insert(Broken::Body);
        }
        if self.broken.is_none() {
            message.body.extend(passed.body);
        }
        message.trailers = passed.trailers.as_ref().map(fields).unwrap_or_default();
        self.is_complete = passed.is_complete;
    }

    /// Notes the part of the message so far that the peer cannot read, and takes unreadable trailers away.
    fn read(&mut self, protocol: Protocol, reads: impl Fn(&Fields) -> bool) {
        let Some(message) = &mut self.message else {
            return;
        };
        let has_bad_trailers = !message.trailers.iter().all(framing::is_readable);
        if !reads(&message.headers) {
            self.broken.get_or_insert(Broken::Headers);
        } else if protocol == Protocol::Http2 && has_bad_trailers {
            self.broken.get_or_insert(Broken::Trailers);
            message.trailers.clear();
        }
    }
}

/// Returns true if the upstream ends a stream before its response is whole.
fn breaks_off(ending: Ending) -> bool {
    matches!(
        ending,
        Ending::UpstreamReset | Ending::UpstreamTermination | Ending::UpstreamProtocolError
    )
}

/// Returns Envoy's response flags in letters.
fn letters(flags: i64) -> String {
    const LETTERS: [(i64, &str); 8] = [
        (0x4, "UT"),
        (0x10, "UR"),
        (0x20, "UF"),
        (0x40, "UC"),
        (0x100, "NR"),
        (0x4000, "DC"),
        (0x4_0000, "DPE"),
        (0x80_0000, "UPE"),
    ];
    let set = LETTERS.iter().filter(|(flag, _)| flags & flag != 0);
    let set: Vec<_> = set.map(|(_, letters)| *letters).collect();
    set.join(",")
}
