//! Streams that end early: by a local reply, by a reset, or because their VM has failed.

use super::vm::Host;
use crate::explanations::Situation;
use crate::headers::Headers;
use crate::settings::FailurePolicy;
use crate::stream::status_of;
use crate::stream::{Action, EndOfStream, LocalReply, Origin, Side, Stream, StreamHalf, StreamId};

impl Host {
    /// Answers a request in place of the upstream (no route, no upstream, a timeout). The filter sees the response.
    pub fn local_reply(&mut self, id: StreamId, reply: LocalReply) -> Action {
        self.make_local_reply(id, reply);
        self.stream(id)
            .map_or(Action::Reset, |stream| stream.action(Side::Response))
    }

    pub(super) fn close(&mut self, id: StreamId) {
        if let Some(stream) = self.stream_mut(id) {
            stream.reset = true;
            // The details of a response that has come stay.
            if stream.response.headers().is_none() {
                stream.reset_details = Some("wasm_close_stream".to_owned());
            }
        }
    }

    /// Answers a request with a local reply, which runs the filter's response callbacks; in a chain, leaves it to the chain.
    pub(super) fn make_local_reply(&mut self, id: StreamId, reply: LocalReply) {
        let Some(stream) = self.stream_mut(id) else {
            return;
        };
        let is_running = stream.request.running.is_some();
        let in_chain = stream.in_chain;
        let waiting = if in_chain {
            Some(&mut stream.chain_reply)
        } else {
            Some(&mut stream.prepared).filter(|_| is_running && reply.origin != Origin::FailedVm)
        };
        match waiting {
            Some(Some(first)) => {
                // Envoy keeps the first reply, and the details of the last.
                first.details = reply.details;
                self.explain(id, Situation::SecondReply);
                return;
            }
            Some(none) => {
                *none = Some(reply);
                if in_chain {
                    self.state_mut().chain_replies.push_back(id);
                }
                return;
            }
            None => {}
        }
        match Course::of(stream) {
            Course::Dropped => self.explain(id, Situation::SecondReply),
            Course::Reset => self.reset_with(id, &reply),
            Course::Direct => self.reply_directly(id, reply),
            Course::ThroughFilters => {
                let is_for_filter = reply.origin != Origin::FailedVm;
                let (headers, mut body) = reply.to_response(stream.is_grpc());
                if stream.is_head() {
                    body.clear();
                }
                stream.code = Some(reply.status.into());
                stream.local_reply = Some(reply);
                stream.response = StreamHalf::default();
                if is_for_filter {
                    self.give_reply(id, headers, &body);
                } else {
                    stream.code = status_of(&headers);
                    stream.response.pass_whole(headers, &body);
                }
            }
        }
    }

    /// Sends the local reply that has waited for the request's callback to return.
    pub(super) fn send_prepared(&mut self, id: StreamId) {
        let prepared = self
            .stream_mut(id)
            .and_then(|stream| stream.prepared.take());
        if let Some(reply) = prepared {
            self.make_local_reply(id, reply);
        }
    }

    /// Shows the filter a local reply as a response.
    fn give_reply(&mut self, id: StreamId, headers: Headers, body: &[u8]) {
        let end_of_stream = EndOfStream::when(body.is_empty());
        let _ = self.headers(id, Side::Response, headers, end_of_stream);
        // A second reply has taken the place of this one, or the stream has ended.
        let is_open = |stream: &Stream| {
            let response = stream.response();
            !stream.reset && (response.headers_passed || response.is_paused()) && !response.ended
        };
        if end_of_stream == EndOfStream::Yes {
            return;
        }
        let Some(stream) = self.stream(id) else {
            return;
        };
        if is_open(stream) {
            let _ = self.body(id, Side::Response, body, EndOfStream::Yes);
        } else if !stream.reset && stream.is_over_http2() {
            // Over HTTP/2 Envoy still shows the filter the body of the first reply, and then drops it.
            let kept = self.take_response_body(id);
            let _ = self.body(id, Side::Response, body, EndOfStream::Yes);
            if let Some(stream) = self.stream_mut(id) {
                stream.response.put_back(kept);
            }
        }
    }

    /// Sends a local reply past all filters, as Envoy does while the response's own headers are on their way.
    fn reply_directly(&mut self, id: StreamId, reply: LocalReply) {
        if let Some(stream) = self.stream_mut(id) {
            let (headers, mut body) = reply.to_response(stream.is_grpc());
            if stream.is_head() {
                body.clear();
            }
            stream.code = status_of(&headers);
            stream.response = StreamHalf::default();
            stream.response.pass_whole(headers, &body);
            stream.local_reply = Some(reply);
        }
    }

    /// Ends a stream whose response headers have passed, so that no other answer is possible.
    fn reset_with(&mut self, id: StreamId, reply: &LocalReply) {
        self.explain(id, Situation::ReplyAfterHeaders);
        if let Some(stream) = self.stream_mut(id) {
            stream.reset = true;
            stream.reset_details = Some(reply.details.clone());
        }
    }

    /// Passes a message that no filter can see, or answers 503 because the VM has failed; returns false if a filter can see
    /// it.
    pub(super) fn is_without_filter(&mut self, id: StreamId, side: Side) -> bool {
        let is_failed = self.is_failed(id);
        let policy = self.policy(id);
        let Some(stream) = self.stream_mut(id) else {
            return true;
        };
        let is_closed = match policy {
            FailurePolicy::FailClosed | FailurePolicy::FailReload { .. } => true,
            // A stream that the VM knew when it failed has a filter in Envoy, and one that fails; those after it have none.
            FailurePolicy::FailOpen => stream.created,
            FailurePolicy::FailOpenField => false,
        };
        // Envoy shows no response to a filter that has not seen the request.
        let is_unseen = side == Side::Response && stream.request.headers().is_none();
        if !is_failed && !is_unseen {
            return false;
        }
        if is_failed && is_closed && stream.local_reply.is_none() {
            self.fail_stream(id);
        } else {
            let half = stream.half_mut(side);
            half.pass_headers();
            if half.shows_body {
                half.pass_body();
            }
            if half.shows_trailers {
                half.pass_trailers();
            }
        }
        true
    }

    /// Returns true if the stream's VM has failed, so that no guest can see the stream.
    pub(super) fn is_failed(&self, id: StreamId) -> bool {
        let is_orphaned = self.stream(id).is_some_and(|stream| stream.orphaned);
        is_orphaned || self.trap.is_some() || self.failure.is_some()
    }

    /// Returns the failure policy of the stream's plugin.
    pub(super) fn policy(&self, id: StreamId) -> FailurePolicy {
        self.stream(id).map_or(FailurePolicy::FailClosed, |stream| {
            stream.plugin.failure_policy
        })
    }

    /// Answers a stream whose VM has failed: 503, or a reset if the response headers have passed.
    pub(super) fn fail_stream(&mut self, id: StreamId) {
        if let Some(stream) = self.stream_mut(id) {
            // The 503 replaces a local reply of the filter that has not passed yet.
            if !stream.response.headers_passed {
                stream.local_reply = None;
            }
            let reply = LocalReply::new(503, "wasm_fail_stream");
            self.make_local_reply(
                id,
                LocalReply {
                    origin: Origin::FailedVm,
                    ..reply
                },
            );
        }
    }

    /// Sets the response flags of the reply to what filters have left.
    pub(crate) fn set_reply_flags(&mut self, id: StreamId, situation: Situation) {
        if let Some(stream) = self.stream_mut(id) {
            stream.reply_flags = match situation {
                Situation::NoRoute => NO_ROUTE_FOUND,
                Situation::UnsendableRequest => DOWNSTREAM_PROTOCOL_ERROR,
                _ => 0,
            };
        }
    }

    /// Notes a situation that a filter has brought about on a stream.
    pub(crate) fn explain(&mut self, id: StreamId, situation: Situation) {
        self.state_mut().explain(id.0, situation);
    }
}

/// Envoy's flag `NR`.
const NO_ROUTE_FOUND: i64 = 0x100;
/// Envoy's flag `DPE`.
const DOWNSTREAM_PROTOCOL_ERROR: i64 = 0x4_0000;

/// The ways that Envoy has for a local reply (`FilterManager::sendLocalReply`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// The response has not begun: the reply goes through the filters as a response.
    ThroughFilters,
    /// The response's headers are on their way: the reply takes their place, past all filters.
    Direct,
    /// The response's headers have gone out: only a reset is possible.
    Reset,
    /// The request is answered.
    Dropped,
}

impl Course {
    fn of(stream: &Stream) -> Self {
        let response = &stream.response;
        if stream.local_reply.is_some() && response.is_complete() {
            Self::Dropped
        } else if response.headers_passed {
            Self::Reset
        } else if response.headers().is_some() {
            Self::Direct
        } else {
            Self::ThroughFilters
        }
    }
}
