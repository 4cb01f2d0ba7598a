//! HTTP calls of the guest: made by the guest, taken by the caller, answered once.
//!
//! Invariant: a token is in flight until its call is answered, fails, times out, or ends with its root context; after that
//! the token is unknown.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::clock::nanos;
use crate::headers::Headers;
use crate::stream::LocalReply;

/// The name of one call of one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallToken(pub(crate) u32);

/// The error of a token whose call was answered, has timed out, or was given up with its root context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such call is in flight")]
pub struct NoSuchCall;

/// A request that the guest sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCall {
    /// The token, for the answer.
    pub token: CallToken,
    /// The cluster that the request is for.
    pub cluster: String,
    /// The headers, with `:method`, `:path` and `:authority`, and `content-length` if there is a body.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// The trailers, which Envoy 1.40 reads and does not send.
    pub trailers: Headers,
    /// The time limit; `None` if there is none.
    pub timeout: Option<Duration>,
}

/// The response to a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<Headers>,
}

#[derive(Debug)]
struct InFlight {
    root: u32,
    deadline: Option<u64>,
    is_grpc: bool,
}

/// All calls of one VM.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    last_token: u32,
    in_flight: BTreeMap<u32, InFlight>,
    fresh: VecDeque<HttpCall>,
}

impl Calls {
    /// Adds a call and returns its token: 4, 8, 12, … as Envoy counts.
    pub(crate) fn begin(&mut self, root: u32, now: u64, mut call: HttpCall) -> u32 {
        call.token = CallToken(self.next_token());
        let deadline = call
            .timeout
            .map(|timeout| now.saturating_add(nanos(timeout)));
        let is_grpc = call.headers.is_grpc();
        self.in_flight.insert(
            self.last_token,
            InFlight {
                root,
                deadline,
                is_grpc,
            },
        );
        self.fresh.push_back(call);
        self.last_token
    }

    /// Uses up a token: also a call that Envoy gives up at once has one.
    pub(crate) fn next_token(&mut self) -> u32 {
        self.last_token = self.last_token.wrapping_add(4);
        self.last_token
    }

    pub(crate) fn take_fresh(&mut self) -> Vec<HttpCall> {
        self.fresh.drain(..).collect()
    }

    /// Ends a call and returns the root context that it belongs to.
    pub(crate) fn end(&mut self, token: CallToken) -> Result<u32, NoSuchCall> {
        self.fresh.retain(|call| call.token != token);
        self.in_flight
            .remove(&token.0)
            .map(|call| call.root)
            .ok_or(NoSuchCall)
    }

    /// Gives up the calls of a root context, as Envoy does when the context is destroyed.
    pub(crate) fn give_up(&mut self, root: u32) {
        self.in_flight.retain(|_, call| call.root != root);
        let in_flight = &self.in_flight;
        self.fresh
            .retain(|call| in_flight.contains_key(&call.token.0));
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.in_flight
            .values()
            .filter_map(|call| call.deadline)
            .min()
    }

    /// Returns a call whose time is up, with the response that Envoy's router makes.
    pub(crate) fn timed_out(&self, now: u64) -> Option<(CallToken, Reply)> {
        let late = |call: &&InFlight| call.deadline.is_some_and(|deadline| deadline <= now);
        let (token, call) = self.in_flight.iter().find(|(_, call)| late(call))?;
        Some((CallToken(*token), timeout_reply(call.is_grpc)))
    }
}

/// Returns the response that Envoy makes of a timeout, in place of a failure: 504, or trailers-only UNAVAILABLE for gRPC.
fn timeout_reply(is_grpc: bool) -> Reply {
    let reply = LocalReply::new(504, "response_timeout").body("upstream request timeout");
    let (headers, body) = reply.to_response(is_grpc);
    Reply {
        headers,
        body,
        trailers: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(timeout: Option<Duration>) -> HttpCall {
        HttpCall {
            token: CallToken(0),
            cluster: "c".into(),
            headers: Headers::new(),
            body: Vec::new(),
            trailers: Headers::new(),
            timeout,
        }
    }

    #[test]
    fn counts_tokens_in_fours() {
        let mut calls = Calls::default();
        assert_eq!(
            [calls.begin(1, 0, call(None)), calls.begin(1, 0, call(None))],
            [4, 8]
        );
    }

    #[test]
    fn answers_a_call_once() {
        let mut calls = Calls::default();
        let token = CallToken(calls.begin(7, 0, call(None)));
        assert_eq!(calls.end(token), Ok(7));
        assert_eq!(calls.end(token), Err(NoSuchCall));
        assert!(
            calls.take_fresh().is_empty(),
            "nobody should make a call that was given up"
        );
    }

    #[test]
    fn times_out_at_the_deadline_and_not_before() {
        let mut calls = Calls::default();
        calls.begin(1, 10, call(Some(Duration::from_nanos(5))));
        assert_eq!(calls.next_deadline(), Some(15));
        assert!(calls.timed_out(14).is_none());
        assert_eq!(
            calls.timed_out(15).map(|(token, _)| token),
            Some(CallToken(4))
        );
    }

    #[test]
    fn gives_up_the_calls_of_one_root_only() {
        let mut calls = Calls::default();
        calls.begin(1, 0, call(None));
        calls.begin(2, 0, call(None));
        calls.give_up(1);
        assert_eq!(calls.in_flight(), 1);
        assert_eq!(calls.take_fresh().len(), 1);
    }

    #[test]
    fn measures_the_body_of_the_timeout_reply() {
        let reply = timeout_reply(false);
        assert_eq!(
            reply.headers.text("content-length"),
            Some(reply.body.len().to_string())
        );
    }

    #[test]
    fn answers_late_calls_in_the_protocol_they_were_made_in() {
        let rows = [
            ("application/grpc", "200", Some("14")),
            ("application/grpc+proto", "200", Some("14")),
            // Another protocol, of which Envoy's router knows nothing.
            ("application/grpc-web", "504", None),
            ("application/x-protobuf", "504", None),
        ];
        for (kind, status, grpc_status) in rows {
            let mut calls = Calls::default();
            let asked = HttpCall {
                headers: Headers::from([("content-type", kind)]),
                ..call(Some(Duration::from_nanos(5)))
            };
            calls.begin(1, 0, asked);
            let (_, reply) = calls.timed_out(5).unwrap();
            assert_eq!(
                reply.headers.text(":status").as_deref(),
                Some(status),
                "{kind}"
            );
            assert_eq!(
                reply.headers.text("grpc-status").as_deref(),
                grpc_status,
                "{kind}"
            );
        }
    }
}
