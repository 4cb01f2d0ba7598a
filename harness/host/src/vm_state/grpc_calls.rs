//! gRPC calls and streams of the guest: begun by the guest, taken by the caller, answered message by message.
//!
//! Invariants: the low two bits of a token are its kind, as in Envoy: 1 for a call (5, 9, …), 2 for a stream (6, 10, …). A
//! call ends with its answer; a stream ends when both sides have closed it, or one has cancelled it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::abi_types::MapType;
use crate::clock::nanos;
use crate::headers::Headers;
use crate::inline_headers;

/// The name of one gRPC call or stream of one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrpcToken(pub(crate) u32);

impl GrpcToken {
    /// Returns the guest's number for the call or stream.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A call or a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GrpcKind {
    /// One message each way (`proxy_grpc_call`).
    Call,
    /// Any number of messages each way (`proxy_grpc_stream`).
    Stream,
}

impl GrpcKind {
    /// Returns the kind in a token's low bits.
    pub(crate) fn of_token(token: u32) -> Option<Self> {
        match token & 3 {
            1 => Some(Self::Call),
            2 => Some(Self::Stream),
            _ => None,
        }
    }
}

/// A gRPC call or stream that the guest has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrpcCall {
    /// The token, for the answer.
    pub token: GrpcToken,
    /// A call or a stream.
    pub kind: GrpcKind,
    /// The cluster: the name that the guest gave, or that of its `GrpcService`.
    pub cluster: String,
    /// The full name of the service, as in `opentelemetry.proto.collector.trace.v1.TraceService`.
    pub service: String,
    /// The name of the method.
    pub method: String,
    /// The headers that the guest adds to those of gRPC.
    pub initial_metadata: Headers,
    /// The message of a call, without gRPC's five bytes in front; empty for a stream.
    pub message: Vec<u8>,
    /// The time limit of a call; `None` if there is none.
    pub timeout: Option<Duration>,
}

impl GrpcCall {
    /// Returns the request that Envoy sends: headers, with those of `*-bin` in base64 and behind the others, and the message in
    /// gRPC's frame, nothing for a stream.
    pub fn to_request(&self) -> (Headers, Vec<u8>) {
        let path = format!("/{}/{}", self.service, self.method);
        let mut headers = Headers::from([(":method", "POST")]);
        headers.add(":path", path);
        headers.add(":authority", self.cluster.as_str());
        headers.add(":scheme", "http");
        headers.add("te", "trailers");
        if self.kind == GrpcKind::Call {
            headers.add("grpc-timeout", timeout_text(self.timeout));
        }
        headers.add("content-type", "application/grpc");
        let is_binary = |name: &[u8]| name.ends_with(b"-bin");
        for (name, value) in self.initial_metadata.iter() {
            if !is_binary(name) {
                inline_headers::add(MapType::RequestHeaders, &mut headers, name, value);
            }
        }
        for (name, value) in self.initial_metadata.iter() {
            // Of several values Envoy sends the first.
            if is_binary(name) && headers.get(name).is_none() {
                headers.add(name, STANDARD.encode(value));
            }
        }
        let body = match self.kind {
            GrpcKind::Call => frame(&self.message),
            GrpcKind::Stream => Vec::new(),
        };
        (headers, body)
    }
}

/// Returns the value of `grpc-timeout`: at most eight digits and their unit. A call without a timeout has one of 0.
fn timeout_text(timeout: Option<Duration>) -> String {
    const MOST: u128 = 99_999_999;
    let timeout = timeout.unwrap_or_default();
    match timeout.as_millis() {
        millis if millis <= MOST => format!("{millis}m"),
        _ => format!("{}S", timeout.as_secs()),
    }
}

/// Returns a message in gRPC's frame: not compressed, and its length.
fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0][..], &length.to_be_bytes(), message].concat()
}

/// An action of the guest on a stream after its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GrpcSent {
    /// A message, without gRPC's five bytes in front.
    Message(Vec<u8>),
    /// The end of the guest's messages: `proxy_grpc_close`, or `end_stream` of `proxy_grpc_send`.
    End,
    /// The end of the stream in both directions (`proxy_grpc_cancel`).
    Cancel,
}

#[derive(Debug)]
struct InFlight {
    root: u32,
    deadline: Option<u64>,
    own_side: OwnSide,
    was_closed: bool,
    has_initial_metadata: bool,
}

/// The guest's side of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OwnSide {
    Open,
    /// Ended with a message, after which Envoy still waits for the guest to close the stream.
    Ended,
    Closed,
}

/// All gRPC calls and streams of one VM.
#[derive(Debug, Default)]
pub(crate) struct GrpcCalls {
    last_call: u32,
    last_stream: u32,
    in_flight: BTreeMap<u32, InFlight>,
    fresh: VecDeque<GrpcCall>,
    sent: VecDeque<(GrpcToken, GrpcSent)>,
}

impl GrpcCalls {
    /// Adds a call or stream and returns its token.
    pub(crate) fn begin(&mut self, root: u32, now: u64, mut call: GrpcCall) -> u32 {
        let token = self.next_token(call.kind);
        call.token = GrpcToken(token);
        let deadline = call
            .timeout
            .map(|timeout| now.saturating_add(nanos(timeout)));
        let in_flight = InFlight {
            root,
            deadline,
            own_side: OwnSide::Open,
            was_closed: false,
            has_initial_metadata: false,
        };
        self.in_flight.insert(token, in_flight);
        self.fresh.push_back(call);
        token
    }

    /// Uses up a token: also a call that Envoy gives up at once has one.
    pub(crate) fn next_token(&mut self, kind: GrpcKind) -> u32 {
        let (last, bits) = match kind {
            GrpcKind::Call => (&mut self.last_call, 1),
            GrpcKind::Stream => (&mut self.last_stream, 2),
        };
        *last = last.wrapping_add(4);
        *last | bits
    }

    pub(crate) fn take_fresh(&mut self) -> Vec<GrpcCall> {
        self.fresh.drain(..).collect()
    }

    pub(crate) fn take_sent(&mut self) -> Vec<(GrpcToken, GrpcSent)> {
        self.sent.drain(..).collect()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
            .values()
            .filter(|call| !call.was_closed)
            .count()
    }

    /// Returns the root context of a call or stream that can still be answered.
    pub(crate) fn root(&self, token: u32) -> Option<u32> {
        let call = self.in_flight.get(&token).filter(|call| !call.was_closed);
        call.map(|call| call.root)
    }

    /// Returns true the first time for each stream, whose initial metadata come once.
    pub(crate) fn begins_to_answer(&mut self, token: u32) -> bool {
        let call = self.in_flight.get_mut(&token);
        call.is_some_and(|call| !std::mem::replace(&mut call.has_initial_metadata, true))
    }

    /// Takes an action of the guest on a stream; returns false for an unknown stream.
    pub(crate) fn send(&mut self, token: u32, sent: GrpcSent) -> bool {
        let Some(call) = self.in_flight.get_mut(&token) else {
            return false;
        };
        let is_over = call.was_closed;
        // Envoy drops what comes behind the guest's last message, and says OK.
        let is_dropped = is_over || call.own_side != OwnSide::Open && sent != GrpcSent::Cancel;
        let ends = match sent {
            GrpcSent::Message(_) => false,
            GrpcSent::End => {
                call.own_side = OwnSide::Closed;
                is_over
            }
            GrpcSent::Cancel => true,
        };
        if ends {
            self.in_flight.remove(&token);
            self.fresh.retain(|call| call.token.0 != token);
        }
        if !is_dropped {
            self.sent.push_back((GrpcToken(token), sent));
        }
        true
    }

    /// Ends the guest's messages on a stream, as its last message does.
    pub(crate) fn half_close(&mut self, token: u32) {
        let call = self.in_flight.get_mut(&token);
        if let Some(call) = call.filter(|call| !call.was_closed && call.own_side == OwnSide::Open) {
            call.own_side = OwnSide::Ended;
            self.sent.push_back((GrpcToken(token), GrpcSent::End));
        }
    }

    /// Ends a call, or the answering side of a stream.
    pub(crate) fn end(&mut self, token: u32) {
        let is_call = GrpcKind::of_token(token) == Some(GrpcKind::Call);
        if let Some(call) = self.in_flight.get_mut(&token) {
            call.was_closed = true;
            if is_call || call.own_side == OwnSide::Closed {
                self.in_flight.remove(&token);
            }
        }
        self.fresh.retain(|call| call.token.0 != token);
    }

    /// Gives up the calls and streams of a root context, as Envoy does when the context is destroyed.
    pub(crate) fn give_up(&mut self, root: u32) {
        self.in_flight.retain(|_, call| call.root != root);
        let in_flight = &self.in_flight;
        self.fresh
            .retain(|call| in_flight.contains_key(&call.token.0));
    }

    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.in_flight
            .values()
            .filter_map(|call| call.deadline)
            .min()
    }

    /// Returns a call whose time is up.
    pub(crate) fn timed_out(&self, now: u64) -> Option<GrpcToken> {
        let late = |call: &InFlight| call.deadline.is_some_and(|deadline| deadline <= now);
        let found = self.in_flight.iter().find(|(_, call)| late(call));
        found.map(|(token, _)| GrpcToken(*token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(kind: GrpcKind) -> GrpcCall {
        GrpcCall {
            token: GrpcToken(0),
            kind,
            cluster: "c".into(),
            service: "s".into(),
            method: "m".into(),
            initial_metadata: Headers::new(),
            message: Vec::new(),
            timeout: Some(Duration::from_nanos(5)).filter(|_| kind == GrpcKind::Call),
        }
    }

    #[test]
    fn counts_tokens_of_calls_and_of_streams() {
        let mut calls = GrpcCalls::default();
        let mut begin = |kind| calls.begin(1, 0, call(kind));
        let [first, second] = [GrpcKind::Call, GrpcKind::Call].map(&mut begin);
        let [third, fourth] = [GrpcKind::Stream, GrpcKind::Stream].map(begin);
        assert_eq!([first, second, third, fourth], [5, 9, 6, 10]);
        assert_eq!(GrpcKind::of_token(9), Some(GrpcKind::Call));
        assert_eq!(GrpcKind::of_token(4), None);
    }

    #[test]
    fn writes_a_call_as_envoy_sends_it() {
        let (headers, body) = GrpcCall {
            message: b"ping".to_vec(),
            timeout: Some(Duration::from_millis(500)),
            initial_metadata: Headers::from([("x-a", "b")]),
            ..call(GrpcKind::Call)
        }
        .to_request();
        let expected = [
            (":method", "POST"),
            (":path", "/s/m"),
            (":authority", "c"),
            (":scheme", "http"),
            ("te", "trailers"),
            ("grpc-timeout", "500m"),
            ("content-type", "application/grpc"),
            ("x-a", "b"),
        ];
        assert_eq!(headers, Headers::from(expected));
        assert_eq!(body, b"\0\0\0\0\x04ping");
    }

    #[test]
    fn sends_binary_metadata_in_base64_behind_the_others() {
        let (headers, _) = GrpcCall {
            timeout: None,
            initial_metadata: Headers::from([
                (&b"x-bin"[..], &b"\xff\x01"[..]),
                (b"x-bin", b"second"),
                (b"te", b"x"),
                (b"x-a", b"b"),
            ]),
            ..call(GrpcKind::Call)
        }
        .to_request();
        let expected = [
            (":method", "POST"),
            (":path", "/s/m"),
            (":authority", "c"),
            (":scheme", "http"),
            ("te", "trailers,x"),
            ("grpc-timeout", "0m"),
            ("content-type", "application/grpc"),
            ("x-a", "b"),
            ("x-bin", "/wE="),
        ];
        assert_eq!(headers, Headers::from(expected));
    }

    #[test]
    fn writes_timeouts_of_more_than_eight_digits_in_seconds() {
        for (millis, expected) in [
            (0, "0m"),
            (99_999_999, "99999999m"),
            (100_000_000, "100000S"),
        ] {
            let timeout = Duration::from_millis(millis);
            assert_eq!(timeout_text(Some(timeout)), expected);
        }
    }

    #[test]
    fn drops_what_comes_behind_the_last_message() {
        let mut calls = GrpcCalls::default();
        let token = calls.begin(1, 0, call(GrpcKind::Stream));
        let message = || GrpcSent::Message(b"a".to_vec());
        assert!(calls.send(token, message()));
        calls.half_close(token);
        calls.half_close(token);
        assert!(calls.send(token, message()));
        assert!(calls.send(token, GrpcSent::End));
        let sent = calls.take_sent();
        let expected = [message(), GrpcSent::End].map(|it| (GrpcToken(token), it));
        assert_eq!(sent, expected);
        assert!(calls.send(token, GrpcSent::Cancel));
        assert_eq!(calls.take_sent().len(), 1);
    }

    #[test]
    fn keeps_a_stream_until_both_sides_have_closed_it() {
        let mut calls = GrpcCalls::default();
        let token = calls.begin(1, 0, call(GrpcKind::Stream));
        assert!(calls.send(token, GrpcSent::Message(b"a".to_vec())));
        calls.end(token);
        assert_eq!(calls.root(token), None, "nobody should answer it again");
        assert!(calls.send(token, GrpcSent::End), "the guest may close late");
        assert!(!calls.send(token, GrpcSent::End));
        let message = GrpcSent::Message(b"a".to_vec());
        assert_eq!(calls.take_sent(), [(GrpcToken(token), message)]);
    }

    #[test]
    fn ends_a_stream_that_the_guest_cancels() {
        let mut calls = GrpcCalls::default();
        let token = calls.begin(1, 0, call(GrpcKind::Stream));
        assert!(calls.send(token, GrpcSent::Cancel));
        assert_eq!((calls.in_flight(), calls.root(token)), (0, None));
    }

    #[test]
    fn times_out_a_call_at_its_deadline() {
        let mut calls = GrpcCalls::default();
        let token = calls.begin(1, 10, call(GrpcKind::Call));
        assert_eq!(calls.next_deadline(), Some(15));
        assert_eq!(calls.timed_out(14), None);
        assert_eq!(calls.timed_out(15), Some(GrpcToken(token)));
        calls.end(token);
        assert_eq!(calls.next_deadline(), None);
    }
}
