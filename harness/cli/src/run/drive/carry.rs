//! One exchange on its way through the filters: pieces in at one end, and at the other end what the filters let through.

use std::time::Duration;

use anyhow::Context;
use sidespan_host::{EndOfStream, Ending, Headers, Host, LocalReply, StreamHalf, StreamId};

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

/// The part of one filter's output in one direction that was taken.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    headers: bool,
    end: bool,
}

/// One exchange.
#[derive(Debug)]
pub(super) struct Carriage {
    ids: Vec<StreamId>,
    taken_requests: Vec<Taken>,
    taken_responses: Vec<Taken>,
    pub(super) request: Arrived,
    pub(super) response: Arrived,
    protocol: Protocol,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Request,
    Response,
}

impl Carriage {
    /// Opens a stream in each VM.
    pub(super) fn open(hosts: &mut [Host], step: &Step, protocol: Protocol) -> Self {
        let ids: Vec<_> = hosts
            .iter_mut()
            .map(|host| host.open_stream(properties(step, protocol)))
            .collect();
        Self {
            taken_requests: vec![Taken::default(); ids.len()],
            taken_responses: vec![Taken::default(); ids.len()],
            request: Arrived::default(),
            response: Arrived::default(),
            protocol,
            ids,
        }
    }

    /// Returns true if the client has its response, or never gets one.
    pub(super) fn is_over(&self) -> bool {
        self.response.is_complete
    }

    /// Gives a piece of the request to the first filter, or one of the response to the last.
    pub(super) fn give(&mut self, hosts: &mut [Host], piece: Piece) {
        let (side, at) = if self.request.is_complete {
            (Side::Response, hosts.len() - 1)
        } else {
            (Side::Request, 0)
        };
        self.hand(hosts, side, at, piece.part);
        self.pump(hosts);
    }

    /// Answers in place of the upstream.
    pub(super) fn reply(&mut self, hosts: &mut [Host], reply: LocalReply) {
        let at = hosts.len() - 1;
        let _ = hosts[at].local_reply(self.ids[at], reply);
        self.pump(hosts);
    }

    fn hand(&self, hosts: &mut [Host], side: Side, at: usize, part: Part) {
        let (host, id) = (&mut hosts[at], self.ids[at]);
        // What becomes of the piece shows in the stream.
        let _ = match (side, part) {
            (Side::Request, Part::Headers(headers, end)) => host.request_headers(id, headers, end),
            (Side::Request, Part::Body(bytes, end)) => host.request_body(id, &bytes, end),
            (Side::Request, Part::Trailers(trailers)) => host.request_trailers(id, trailers),
            (Side::Response, Part::Headers(headers, end)) => {
                host.response_headers(id, headers, end)
            }
            (Side::Response, Part::Body(bytes, end)) => host.response_body(id, &bytes, end),
            (Side::Response, Part::Trailers(trailers)) => host.response_trailers(id, trailers),
        };
    }

    /// Takes on what the filters have let through, to the next filter or to the end.
    pub(super) fn pump(&mut self, hosts: &mut [Host]) {
        loop {
            let mut has_moved = false;
            for at in 0..hosts.len() {
                for side in [Side::Request, Side::Response] {
                    for part in self.output(hosts, side, at) {
                        has_moved = true;
                        let next = match side {
                            Side::Request => Some(at + 1).filter(|at| *at < hosts.len()),
                            Side::Response => at.checked_sub(1),
                        };
                        match next {
                            Some(next) => self.hand(hosts, side, next, part),
                            None => self.arrived(side).take(part),
                        }
                    }
                }
            }
            if !has_moved {
                return;
            }
        }
    }

    fn arrived(&mut self, side: Side) -> &mut Arrived {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }

    /// Takes what one filter has let through in one direction since this was last asked.
    fn output(&mut self, hosts: &mut [Host], side: Side, at: usize) -> Vec<Part> {
        let (host, id) = (&mut hosts[at], self.ids[at]);
        let Some(stream) = host.stream(id) else {
            return Vec::new();
        };
        // A request that is answered or reset goes no further.
        let is_stopped =
            stream.is_reset() || side == Side::Request && stream.local_reply().is_some();
        let half = match side {
            Side::Request => stream.request(),
            Side::Response => stream.response(),
        };
        if is_stopped || !half.has_passed_headers() {
            return Vec::new();
        }
        let headers = half.headers().cloned().unwrap_or_default();
        let (trailers, is_complete) = (passed_trailers(half), half.is_complete());
        let body = match side {
            Side::Request => host.take_request_body(id),
            Side::Response => host.take_response_body(id),
        };
        let taken = match side {
            Side::Request => &mut self.taken_requests[at],
            Side::Response => &mut self.taken_responses[at],
        };
        let mut parts = Vec::new();
        let before = std::mem::replace(
            taken,
            Taken {
                headers: true,
                end: is_complete,
            },
        );
        let end = match is_complete && trailers.is_none() && !before.end {
            true => EndOfStream::Yes,
            false => EndOfStream::No,
        };
        // HTTP/1.1 tells the end apart; a filter behind sees it as the first one does.
        let is_apart = self.protocol == Protocol::Http1 && !body.is_empty();
        let of_body = if is_apart { EndOfStream::No } else { end };
        if !before.headers {
            let of_headers = if body.is_empty() {
                end
            } else {
                EndOfStream::No
            };
            parts.push(Part::Headers(headers, of_headers));
        }
        let is_end_left = end == EndOfStream::Yes && before.headers;
        if !body.is_empty() || is_end_left {
            parts.push(Part::Body(body, of_body));
        }
        if is_apart && end == EndOfStream::Yes {
            parts.push(Part::Body(Vec::new(), end));
        }
        if let Some(trailers) = trailers.filter(|_| is_complete && !before.end) {
            parts.push(Part::Trailers(trailers));
        }
        parts
    }

    /// Ends all streams, and returns what came to each end.
    ///
    /// # Errors
    /// When a stream has ended by itself.
    pub(super) fn end(
        mut self,
        hosts: &mut [Host],
        ending: Ending,
        request: Fields,
    ) -> anyhow::Result<Passed> {
        let mut is_reset = ending == Ending::UpstreamReset && !self.response.is_complete;
        let (mut details, mut flags) = (None, 0);
        for (host, id) in hosts.iter_mut().zip(&self.ids) {
            let stream = host.end(*id, ending);
            let stream = stream.context("the stream has ended by itself")?;
            is_reset |= stream.is_reset();
            details = details.or(stream.code_details());
            flags |= stream.response_flags();
        }
        let is_unreachable = ending == Ending::ConnectFailure;
        Ok(Passed {
            request,
            upstream: self.request.message.take().filter(|_| !is_unreachable),
            downstream: self.response.message.take(),
            is_reset,
            details,
            flags: letters(flags),
        })
    }
}

impl Arrived {
    fn take(&mut self, part: Part) {
        let message = self.message.get_or_insert_default();
        let end = match part {
            Part::Headers(headers, end) => {
                message.headers = fields(&headers);
                end
            }
            Part::Body(bytes, end) => {
                message.body.extend(bytes);
                end
            }
            Part::Trailers(trailers) => {
                message.trailers = fields(&trailers);
                EndOfStream::Yes
            }
        };
        self.is_complete |= end == EndOfStream::Yes;
    }
}

fn passed_trailers(half: &StreamHalf) -> Option<Headers> {
    half.trailers()
        .filter(|trailers| !trailers.is_empty())
        .cloned()
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
