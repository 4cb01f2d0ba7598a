//! What becomes of a message after its callback: passed, held back, resumed, or answered in its place.
//!
//! Invariant: the actions that the guest has deferred run first, then the answer of the callback counts, as in Envoy.

use super::vm::{Failed, Host};
use crate::explanations::Situation;
use crate::settings::FailurePolicy;
use crate::stream::{Action, LocalReply, Paused, PausedBody, Side, StreamId, status_of};

impl Host {
    /// Applies the answer of a callback: first the deferred actions, then the answer itself.
    pub(super) fn settle(
        &mut self,
        id: StreamId,
        side: Side,
        answer: Result<u32, Failed>,
    ) -> Action {
        let answer = match answer {
            Ok(answer) => answer,
            Err(Failed) if self.policy(id) == FailurePolicy::FailOpenField => 0,
            Err(Failed) => {
                self.fail_stream(id);
                return self.action(id, side);
            }
        };
        // Any number but 0 to 2 stops headers, body and trailers alike.
        let is_held = std::mem::take(&mut self.state_mut().holds_message);
        let answer = if is_held { 3 } else { answer };
        let is_stopped = std::mem::take(&mut self.state_mut().stop_iteration);
        let is_too_large = self.has_too_large_a_buffer(id, side);
        self.run_deferred();
        // A local reply has replaced the response, and with it the answer to the response's callbacks.
        let running = self
            .stream_mut(id)
            .and_then(|stream| stream.half_mut(side).running.take());
        match running {
            _ if is_stopped => {}
            _ if is_too_large => self.refuse_buffer(id, side),
            Some(Paused::Headers) => self.settle_headers(id, side, answer),
            Some(Paused::Body) => self.settle_body(id, side, answer),
            Some(Paused::Trailers) => self.settle_trailers(id, side, answer),
            Some(Paused::HeadersAlone) | None => {}
        }
        if running.is_some() && side == Side::Request {
            self.send_prepared(id);
        }
        self.tell_queues();
        self.action(id, side)
    }

    fn settle_headers(&mut self, id: StreamId, side: Side, answer: u32) {
        let is_alone_allowed = self.allows_headers_alone(id);
        let Some(half) = self.stream_mut(id).map(|stream| stream.half_mut(side)) else {
            return;
        };
        let has_gone_on = std::mem::take(&mut half.resumed);
        // Envoy takes 2, "continue and end the stream", as Continue; every other number stops all iteration.
        match answer {
            0 | 2 if has_gone_on => {
                half.repeats_headers = true;
                self.explain(id, Situation::HeadersTwice);
            }
            0 | 2 => self.pass_headers(id, side),
            1 if is_alone_allowed => {
                half.paused = (!has_gone_on).then_some(Paused::HeadersAlone);
            }
            // What is resumed before it pauses has gone on; only what follows waits.
            _ if has_gone_on && half.ended => {}
            _ => {
                half.paused = Some(Paused::Headers);
                if has_gone_on {
                    self.explain(id, Situation::ResumedThenPaused);
                }
            }
        }
    }

    fn settle_body(&mut self, id: StreamId, side: Side, answer: u32) {
        let limit = self.state().settings.buffer_limit;
        let Some(half) = self.stream_mut(id).map(|stream| stream.half_mut(side)) else {
            return;
        };
        if std::mem::take(&mut half.resumed) && half.ended {
            return;
        }
        let pause = match answer {
            0 => {
                self.pass_held_headers(id, side);
                if let Some(stream) = self.stream_mut(id) {
                    stream.half_mut(side).pass_body();
                }
                return;
            }
            1 => PausedBody::Buffer,
            2 => PausedBody::Watermark,
            _ => PausedBody::NoBuffer,
        };
        half.pause_body(pause);
        if pause == PausedBody::Buffer && half.chunk.len() > limit {
            self.refuse_buffer(id, side);
        } else if pause == PausedBody::Watermark && half.buffered.len() > limit {
            self.explain(id, Situation::Stalled);
        }
    }

    fn settle_trailers(&mut self, id: StreamId, side: Side, answer: u32) {
        let Some(half) = self.stream_mut(id).map(|stream| stream.half_mut(side)) else {
            return;
        };
        if std::mem::take(&mut half.resumed) {
            return;
        }
        if answer != 0 {
            half.paused = Some(Paused::Trailers);
            return;
        }
        self.pass_held_headers(id, side);
        if let Some(stream) = self.stream_mut(id) {
            stream.half_mut(side).pass_trailers();
        }
    }

    /// Resumes a paused message, together with the messages that wait behind it.
    pub(super) fn resume(&mut self, id: StreamId, side: Side) {
        let Some(stream) = self
            .stream_mut(id)
            .filter(|stream| !stream.reset && !stream.drops(side))
        else {
            return;
        };
        let half = stream.half_mut(side);
        match (half.running, half.paused) {
            (Some(Paused::Headers), _) => {
                half.resumed = true;
                self.pass_headers(id, side);
            }
            (Some(Paused::Trailers), _) => {
                half.resumed = true;
                self.pass_held_headers(id, side);
                if let Some(stream) = self.stream_mut(id) {
                    stream.half_mut(side).pass_trailers();
                }
            }
            (_, None) => {}
            // In a body callback Envoy passes what its buffer holds: with the new bytes only if they were put there.
            (Some(Paused::Body), Some(Paused::Body)) if !half.accumulates => half.pass_buffered(),
            (running, Some(Paused::Body)) => {
                half.resumed = running.is_some();
                self.pass_held_headers(id, side);
                if let Some(stream) = self.stream_mut(id) {
                    stream.half_mut(side).pass_body();
                }
                self.release(id, side);
            }
            (_, Some(Paused::Trailers)) => {
                self.pass_held_headers(id, side);
                if let Some(stream) = self.stream_mut(id) {
                    stream.half_mut(side).pass_trailers();
                }
            }
            (_, Some(Paused::Headers | Paused::HeadersAlone)) => {
                half.paused = None;
                self.pass_held_headers(id, side);
                self.release(id, side);
            }
        }
    }

    /// Shows the filter what has waited behind the message that it has just resumed. In a chain the filters behind see the
    /// headers first, so that the chain releases the rest.
    fn release(&mut self, id: StreamId, side: Side) {
        if self.stream(id).is_some_and(|stream| !stream.in_chain) {
            self.release_queue(id, side);
        }
    }

    /// Shows the filter what has waited behind the message that it has resumed.
    pub(super) fn release_queue(&mut self, id: StreamId, side: Side) {
        let Some(stream) = self
            .stream_mut(id)
            .filter(|stream| !stream.reset && !stream.drops(side))
        else {
            return;
        };
        let half = stream.half_mut(side);
        if half.paused.is_some() {
            return;
        }
        let queue = std::mem::take(&mut half.queue);
        if let Some((body, end_of_stream)) = queue.body {
            half.show_chunk(&body, end_of_stream);
            let _ = self.body_shown(id, side, end_of_stream);
        }
        if let Some(trailers) = queue.trailers {
            let _ = self.trailers(id, side, trailers);
        }
    }

    fn pass_held_headers(&mut self, id: StreamId, side: Side) {
        let half = self.stream(id).map(|stream| stream.half(side));
        if half.is_some_and(|half| !half.headers_passed) {
            self.pass_headers(id, side);
        }
    }

    /// Passes headers, unless Envoy cannot send on what the filter has left of them.
    fn pass_headers(&mut self, id: StreamId, side: Side) {
        let Some(stream) = self.stream_mut(id) else {
            return;
        };
        let is_last = !stream.in_chain;
        let half = stream.half_mut(side);
        let refusal = half
            .arrived
            .filter(|_| is_last)
            .zip(half.headers())
            .and_then(|(arrived, headers)| match side {
                Side::Request => arrived.answer_to_request(headers),
                Side::Response => arrived.answer_to_response(headers),
            });
        match refusal {
            None => {
                if is_last && side == Side::Request {
                    half.restore_scheme();
                }
                half.pass_headers();
                if is_last && side == Side::Response {
                    stream.code = stream.response.headers().and_then(status_of);
                }
            }
            Some((situation, reply)) => {
                half.paused = None;
                half.shows_headers = false;
                self.refuse(id, situation, reply);
            }
        }
    }

    fn refuse(&mut self, id: StreamId, situation: Situation, reply: LocalReply) {
        self.explain(id, situation);
        self.set_reply_flags(id, situation);
        self.make_local_reply(id, reply);
    }

    /// Returns true if the body that this callback was about is larger than what Envoy buffers.
    fn has_too_large_a_buffer(&self, id: StreamId, side: Side) -> bool {
        let limit = self.state().settings.buffer_limit;
        let half = self.stream(id).map(|stream| stream.half(side));
        half.is_some_and(|half| {
            half.running == Some(Paused::Body) && half.accumulates && half.chunk.len() > limit
        })
    }

    /// Answers a message that a filter has buffered beyond the limit.
    pub(super) fn refuse_buffer(&mut self, id: StreamId, side: Side) {
        self.explain(id, Situation::BufferLimit);
        let reply = match side {
            Side::Request => {
                LocalReply::new(413, "request_payload_too_large").body("Payload Too Large")
            }
            Side::Response => {
                LocalReply::new(500, "response_payload_too_large").body("Internal Server Error")
            }
        };
        self.make_local_reply(id, reply);
    }

    fn allows_headers_alone(&self, id: StreamId) -> bool {
        self.stream(id)
            .is_some_and(|stream| stream.plugin.allow_on_headers_stop_iteration)
    }
}
