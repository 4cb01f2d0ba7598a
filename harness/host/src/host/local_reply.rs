//! Streams that end early: by a local reply, by a reset, or because their VM has failed.

use super::vm::Host;
use crate::logs::LogLevel;
use crate::settings::FailurePolicy;
use crate::stream::{Action, EndOfStream, LocalReply, Origin, Side, StreamHalf, StreamId};

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
        }
    }

    /// Answers a request with a local reply, which runs the filter's response callbacks.
    pub(super) fn make_local_reply(&mut self, id: StreamId, reply: LocalReply) {
        let Some(stream) = self.stream_mut(id) else {
            return;
        };
        if stream.local_reply.is_some() {
            let text = "a second local reply to one request: Envoy drops it".to_owned();
            self.state_mut().logs.push(LogLevel::Warn, text);
            return;
        }
        if stream.response.headers_passed {
            // The response headers have passed the filter, so only a reset is possible.
            stream.reset = true;
            return;
        }
        let is_in_response = stream.response.headers().is_some();
        let (headers, body) = reply.to_response(stream.is_grpc());
        let is_for_filter = !is_in_response && reply.origin != Origin::FailedVm;
        stream.local_reply = Some(reply);
        stream.response = StreamHalf::default();
        let end_of_stream = if body.is_empty() {
            EndOfStream::Yes
        } else {
            EndOfStream::No
        };
        if is_for_filter {
            let _ = self.headers(id, Side::Response, headers, end_of_stream);
            if end_of_stream == EndOfStream::No {
                let _ = self.body(id, Side::Response, &body, EndOfStream::Yes);
            }
        } else {
            // In the response's own callbacks Envoy replies directly, past all filters.
            let half = &mut stream.response;
            half.begin(headers, end_of_stream);
            half.pass_headers();
            half.show_chunk(&body, EndOfStream::Yes);
            half.pass_body();
        }
    }

    /// Passes a message that no filter can see, or answers 503 because the VM has failed; returns false if a filter can see
    /// it.
    pub(super) fn is_without_filter(&mut self, id: StreamId, side: Side) -> bool {
        let is_failed = self.is_failed(id);
        let policy = self.state().settings.failure_policy;
        let Some(stream) = self.stream_mut(id) else {
            return true;
        };
        // Envoy shows no response to a filter that has not seen the request.
        let is_unseen = side == Side::Response && stream.request.headers().is_none();
        if !is_failed && !is_unseen {
            return false;
        }
        if is_failed && policy == FailurePolicy::FailClosed && stream.local_reply.is_none() {
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

    /// Answers a stream whose VM has failed: 503, or a reset if the response headers have passed.
    pub(super) fn fail_stream(&mut self, id: StreamId) {
        if let Some(stream) = self.stream_mut(id) {
            // The 503 replaces a local reply of the filter that has not passed yet.
            stream.local_reply = None;
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
}
