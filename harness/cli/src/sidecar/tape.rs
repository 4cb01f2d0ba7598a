//! What passes by while `--record` is on, as it came and as it went on: in memory, and no more than the limits allow.
//!
//! Nothing is left out here but what is too much; what is secret in it is replaced before a byte is written (`record`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use sidespan_host::{Ended, Ending, Headers, Passed};

use super::protocol::Protocol;

/// A recording under way; clones are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape(Arc<Mutex<Recording>>);

/// Everything that was recorded.
#[derive(Clone, Debug, Default)]
pub(super) struct Recording {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) calls: Vec<Call>,
    /// Exchanges that came when [`MAX_EXCHANGES`] or [`MAX_BYTES`] were there.
    pub(super) too_many: usize,
    /// Exchanges that a reload has made worthless.
    pub(super) forgotten: usize,
    bytes: usize,
    /// Counts reloads, so that what began before one adds nothing behind it.
    round: u32,
}

/// One request and its response.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) protocol: Protocol,
    /// The request as it came.
    pub(super) request: Message,
    /// The request as it went on.
    pub(super) upstream: Message,
    /// The response as it came.
    pub(super) response: Message,
    /// The response as it went on.
    pub(super) downstream: Message,
    /// The end; `None` while it is under way.
    pub(super) end: Option<(Ending, Option<Ended>)>,
    pub(super) is_websocket: bool,
}

/// One message at one end, as far as it has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Message {
    /// Its headers; `None` if it never came.
    pub(super) headers: Option<Headers>,
    pub(super) chunks: Vec<Bytes>,
    /// Number of bytes of the body, also of those that were not kept.
    pub(super) length: usize,
    pub(super) trailers: Option<Headers>,
    pub(super) is_complete: bool,
}

/// One answered call of a filter.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) cluster: String,
    /// Number of exchanges that had begun.
    pub(super) after: usize,
    /// The answer; `None` if it broke off.
    pub(super) answer: Option<Message>,
}

/// The place of one exchange in a recording.
#[derive(Clone, Debug)]
pub(super) struct Track {
    tape: Tape,
    round: u32,
    at: usize,
}

/// One of the four ends of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    Request,
    Upstream,
    Response,
    Downstream,
}

impl Tape {
    /// Begins an exchange; `None` if there are enough.
    pub(super) fn begin(&self, protocol: Protocol, is_websocket: bool) -> Option<Track> {
        let mut recording = self.lock();
        if recording.exchanges.len() >= MAX_EXCHANGES || recording.bytes >= MAX_BYTES {
            recording.too_many += 1;
            return None;
        }
        let empty = Message::default;
        recording.exchanges.push(Exchange {
            protocol,
            request: empty(),
            upstream: empty(),
            response: empty(),
            downstream: empty(),
            end: None,
            is_websocket,
        });
        Some(Track {
            tape: self.clone(),
            round: recording.round,
            at: recording.exchanges.len() - 1,
        })
    }

    /// Adds the answer to a call of a filter.
    pub(super) fn answered(&self, cluster: &str, answer: Option<Message>) {
        let mut recording = self.lock();
        let bytes = answer.as_ref().map_or(0, |answer| answer.length);
        if recording.calls.len() < MAX_EXCHANGES && recording.bytes + bytes <= MAX_BYTES {
            recording.bytes += bytes;
            let after = recording.exchanges.len();
            recording.calls.push(Call {
                cluster: cluster.to_owned(),
                after,
                answer,
            });
        }
    }

    /// Forgets everything, because the filters that it is about are no more.
    pub(super) fn start_anew(&self) {
        let mut recording = self.lock();
        *recording = Recording {
            forgotten: recording.forgotten + recording.exchanges.len() + recording.too_many,
            round: recording.round + 1,
            ..Recording::default()
        };
    }

    /// Returns what there is so far.
    pub(super) fn recording(&self) -> Recording {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Recording> {
        // Exchanges are only added to, so a panic leaves at worst a shorter one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Track {
    /// Adds the headers of a message that has come.
    pub(super) fn headers(&self, spot: Spot, headers: &Headers, is_end: bool) {
        self.with(spot, |message, _| {
            message.headers = Some(headers.clone());
            message.is_complete = is_end;
        });
    }

    /// Adds a piece of a body that has come.
    pub(super) fn body(&self, spot: Spot, bytes: &[u8], is_end: bool) {
        self.with(spot, |message, room| {
            message.push(bytes, room);
            message.is_complete |= is_end;
        });
    }

    /// Adds the trailers of a message that has come.
    pub(super) fn trailers(&self, spot: Spot, trailers: &Headers) {
        self.with(spot, |message, _| {
            message.trailers = Some(trailers.clone());
            message.is_complete = true;
        });
    }

    /// Adds what has gone on.
    pub(super) fn passed(&self, spot: Spot, passed: &Passed) {
        if passed.headers.is_none() {
            return;
        }
        self.with(spot, |message, room| {
            if message.headers.is_none() {
                message.headers.clone_from(&passed.headers);
            }
            message.push(&passed.body, room);
            if passed.is_complete {
                message.trailers.clone_from(&passed.trailers);
                message.is_complete = true;
            }
        });
    }

    /// Ends the exchange.
    pub(super) fn end(&self, ending: Ending, ended: Option<Ended>) {
        self.exchange(|exchange, _| {
            if exchange.end.is_none() {
                exchange.end = Some((ending, ended));
            }
        });
    }

    fn with(&self, spot: Spot, change: impl FnOnce(&mut Message, &mut usize)) {
        self.exchange(|exchange, bytes| {
            let message = match spot {
                Spot::Request => &mut exchange.request,
                Spot::Upstream => &mut exchange.upstream,
                Spot::Response => &mut exchange.response,
                Spot::Downstream => &mut exchange.downstream,
            };
            change(message, bytes);
        });
    }

    fn exchange(&self, change: impl FnOnce(&mut Exchange, &mut usize)) {
        let mut recording = self.tape.lock();
        let Recording {
            exchanges,
            bytes,
            round,
            ..
        } = &mut *recording;
        if *round == self.round
            && let Some(exchange) = exchanges.get_mut(self.at)
        {
            change(exchange, bytes);
        }
    }
}

impl Message {
    /// Returns a whole message.
    pub(super) fn whole(headers: Headers, body: &[u8], trailers: Headers) -> Self {
        let chunks = match body.is_empty() {
            true => Vec::new(),
            false => vec![Bytes::copy_from_slice(body)],
        };
        Self {
            headers: Some(headers),
            chunks,
            length: body.len(),
            trailers: (!trailers.is_empty()).then_some(trailers),
            is_complete: true,
        }
    }

    /// Returns true if the whole body was kept.
    pub(super) fn is_kept(&self) -> bool {
        self.chunks.iter().map(Bytes::len).sum::<usize>() == self.length
    }

    fn push(&mut self, bytes: &[u8], recorded: &mut usize) {
        let is_kept = self.is_kept() && self.length + bytes.len() <= MAX_BODY;
        self.length += bytes.len();
        if is_kept && !bytes.is_empty() {
            *recorded += bytes.len();
            // A piece of a buffer would keep all of it.
            self.chunks.push(Bytes::copy_from_slice(bytes));
        }
    }
}

/// The most exchanges of one recording.
pub(super) const MAX_EXCHANGES: usize = 1_000;

/// The most bytes of one body; an exchange with a longer one is left out.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// The most bytes of all bodies, beyond which no further exchange begins.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;
