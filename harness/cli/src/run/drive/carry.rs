//! One exchange on its way through the filters: pieces in at one end, and at the other end what the filters let through.

use std::time::Duration;

use anyhow::Context;
use sidespan_host::{ChainStreamId, EndOfStream, Ending, FilterChain, Headers, LocalReply};

use crate::run::body::Body;
use crate::run::convert::{fields, properties};
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

    /// Takes the end from a piece, because the message is to break off.
    pub(super) fn leave_open(&mut self) {
        if let Part::Headers(_, end) | Part::Body(_, end) = &mut self.part {
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
    for (at, chunk) in chunks.iter().enumerate() {
        let is_last = at + 1 == chunks.len() && !has_trailers && protocol == Protocol::Http2;
        pieces.push(Piece {
            after: chunk.after,
            part: Part::Body(chunk.bytes.clone(), end_if(is_last)),
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
    message: Option<Message>,
    pub(super) is_complete: bool,
}

/// One exchange.
#[derive(Debug)]
pub(super) struct Carriage {
    id: ChainStreamId,
    pub(super) request: Arrived,
    pub(super) response: Arrived,
}

impl Carriage {
    /// Opens a stream through the filters.
    pub(super) fn open(chain: &mut FilterChain, step: &Step, protocol: Protocol) -> Self {
        Self {
            id: chain.open_stream(&properties(step, protocol)),
            request: Arrived::default(),
            response: Arrived::default(),
        }
    }

    /// Returns true if the client has its response, or never gets one.
    pub(super) fn is_over(&self) -> bool {
        self.response.is_complete
    }

    /// Gives a piece of the request to the first filter, or one of the response to the last.
    pub(super) fn give(&mut self, chain: &mut FilterChain, piece: Piece) {
        let id = self.id;
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

    /// Takes what has come to the two ends.
    pub(super) fn pump(&mut self, chain: &mut FilterChain) {
        chain.settle();
        if let Some(passed) = chain.take_request(self.id) {
            self.request.take(passed);
        }
        if let Some(passed) = chain.take_response(self.id) {
            self.response.take(passed);
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
    ) -> anyhow::Result<Passed> {
        let breaks_off = ending == Ending::UpstreamReset && !self.response.is_complete;
        let ended = chain.end(self.id, ending);
        let ended = ended.context("the stream has ended by itself")?;
        // A request that is cut off may or may not have left Envoy by then.
        let has_arrived = self.request.is_complete && ending != Ending::ConnectFailure;
        Ok(Passed {
            request,
            upstream: self.request.message.take().filter(|_| has_arrived),
            downstream: self.response.message.take(),
            is_reset: ended.is_reset || breaks_off,
            // A reply without details has the empty text in Envoy, whose access log cannot tell it from none.
            details: ended.details.filter(|details| !details.is_empty()),
            flags: letters(ended.flags),
        })
    }
}

impl Arrived {
    fn take(&mut self, passed: sidespan_host::Passed) {
        let Some(headers) = &passed.headers else {
            return;
        };
        let message = self.message.get_or_insert_default();
        message.headers = fields(headers);
        message.body.extend(passed.body);
        message.trailers = passed.trailers.as_ref().map(fields).unwrap_or_default();
        self.is_complete = passed.is_complete;
    }
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
