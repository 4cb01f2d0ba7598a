//! One HTTP exchange through the filter: the order of its callbacks, the effect of each answer, and early ends.
//!
//! ```text
//! proxy_on_context_create        with the request's headers, or in front of proxy_on_log if there were none
//! proxy_on_request_headers       proxy_on_request_body …   proxy_on_request_trailers
//! proxy_on_response_headers      proxy_on_response_body …  proxy_on_response_trailers   also for local replies
//! proxy_on_log                   before proxy_on_done, although specification and SDKs say after it
//! proxy_on_done                  its answer is ignored
//! proxy_on_delete
//! ```

use super::vm::{Failed, Host};
use crate::guest::HeadersCallback;
use crate::headers::Headers;
use crate::host_call::word;
use crate::stream::{Action, EndOfStream, Paused, PausedBody, Side, Stream, StreamId};

impl Host {
    /// Gives the filter the headers of the request.
    pub fn request_headers(
        &mut self,
        id: StreamId,
        headers: impl Into<Headers>,
        end_of_stream: EndOfStream,
    ) -> Action {
        self.headers(id, Side::Request, headers.into(), end_of_stream)
    }

    /// Gives the filter a part of the request's body.
    pub fn request_body(
        &mut self,
        id: StreamId,
        bytes: &[u8],
        end_of_stream: EndOfStream,
    ) -> Action {
        self.body(id, Side::Request, bytes, end_of_stream)
    }

    /// Gives the filter the trailers of the request, which end it.
    pub fn request_trailers(&mut self, id: StreamId, trailers: impl Into<Headers>) -> Action {
        self.trailers(id, Side::Request, trailers.into())
    }

    /// Gives the filter the headers of the upstream's response. Interim responses (1xx) are not for filters.
    pub fn response_headers(
        &mut self,
        id: StreamId,
        headers: impl Into<Headers>,
        end_of_stream: EndOfStream,
    ) -> Action {
        if self.is_answered_here(id) {
            return Action::LocalReply;
        }
        self.headers(id, Side::Response, headers.into(), end_of_stream)
    }

    /// Gives the filter a part of the response's body.
    pub fn response_body(
        &mut self,
        id: StreamId,
        bytes: &[u8],
        end_of_stream: EndOfStream,
    ) -> Action {
        if self.is_answered_here(id) {
            return Action::LocalReply;
        }
        self.body(id, Side::Response, bytes, end_of_stream)
    }

    /// Gives the filter the trailers of the response, which end it.
    pub fn response_trailers(&mut self, id: StreamId, trailers: impl Into<Headers>) -> Action {
        if self.is_answered_here(id) {
            return Action::LocalReply;
        }
        self.trailers(id, Side::Response, trailers.into())
    }

    /// Takes the part of the request's body that has passed the filter.
    pub fn take_request_body(&mut self, id: StreamId) -> Vec<u8> {
        self.stream_mut(id)
            .map(|stream| stream.request.take_body())
            .unwrap_or_default()
    }

    /// Takes the part of the response's body that has passed the filter.
    pub fn take_response_body(&mut self, id: StreamId) -> Vec<u8> {
        self.stream_mut(id)
            .map(|stream| stream.response.take_body())
            .unwrap_or_default()
    }

    pub(super) fn stream_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.state_mut().streams.get_mut(&id.0)
    }

    fn is_answered_here(&self, id: StreamId) -> bool {
        self.stream(id)
            .is_some_and(|stream| stream.local_reply.is_some())
    }

    pub(super) fn headers(
        &mut self,
        id: StreamId,
        side: Side,
        headers: Headers,
        end_of_stream: EndOfStream,
    ) -> Action {
        let count = word(headers.len());
        let Some(stream) = self.stream_mut(id) else {
            return Action::Reset;
        };
        stream.half_mut(side).begin(headers, end_of_stream);
        if self.is_without_filter(id, side) {
            return self.action(id, side);
        }
        let answer = self.create(id).and_then(|()| {
            let (name, callbacks) = match side {
                Side::Request => ("proxy_on_request_headers", &self.guest()?.request),
                Side::Response => ("proxy_on_response_headers", &self.guest()?.response),
            };
            let end = u32::from(end_of_stream == EndOfStream::Yes);
            match callbacks.headers.clone() {
                None => Ok(0),
                Some(HeadersCallback::WithEnd(function)) => {
                    self.enter(name, id.0, Some(function), (id.0, count, end), 0)
                }
                Some(HeadersCallback::WithoutEnd(function)) => {
                    self.enter(name, id.0, Some(function), (id.0, count), 0)
                }
            }
        });
        // Envoy takes 2, "continue and end the stream", as Continue; every other number stops all iteration.
        self.settle(id, side, answer, |half, answer| match answer {
            0 | 2 => half.pass_headers(),
            _ => half.paused = Some(Paused::Headers),
        })
    }

    pub(super) fn body(
        &mut self,
        id: StreamId,
        side: Side,
        bytes: &[u8],
        end_of_stream: EndOfStream,
    ) -> Action {
        let Some(stream) = self.stream_mut(id) else {
            return Action::Reset;
        };
        let half = stream.half_mut(side);
        half.count_body(bytes.len());
        if half.paused == Some(Paused::Headers) {
            half.wait(bytes, end_of_stream);
            return self.action(id, side);
        }
        half.show_chunk(bytes, end_of_stream);
        if self.is_without_filter(id, side) {
            return self.action(id, side);
        }
        self.body_shown(id, side, end_of_stream)
    }

    fn body_shown(&mut self, id: StreamId, side: Side, end_of_stream: EndOfStream) -> Action {
        let size = self
            .stream(id)
            .map_or(0, |stream| word(stream.half(side).chunk.len()));
        let answer = self.guest().map(|guest| match side {
            Side::Request => ("proxy_on_request_body", guest.request.body.clone()),
            Side::Response => ("proxy_on_response_body", guest.response.body.clone()),
        });
        let answer = answer.and_then(|(name, function)| {
            self.enter(
                name,
                id.0,
                function,
                (id.0, size, u32::from(end_of_stream == EndOfStream::Yes)),
                0,
            )
        });
        self.settle(id, side, answer, |half, answer| match answer {
            0 => half.pass_body(),
            1 => half.pause_body(PausedBody::Buffer),
            2 => half.pause_body(PausedBody::Watermark),
            _ => half.pause_body(PausedBody::NoBuffer),
        })
    }

    fn trailers(&mut self, id: StreamId, side: Side, trailers: Headers) -> Action {
        let count = word(trailers.len());
        let Some(stream) = self.stream_mut(id) else {
            return Action::Reset;
        };
        let half = stream.half_mut(side);
        if half.paused == Some(Paused::Headers) {
            half.queue.trailers = Some(trailers);
            return self.action(id, side);
        }
        half.end_with(trailers);
        if self.is_without_filter(id, side) {
            return self.action(id, side);
        }
        let answer = self.guest().map(|guest| match side {
            Side::Request => ("proxy_on_request_trailers", guest.request.trailers.clone()),
            Side::Response => (
                "proxy_on_response_trailers",
                guest.response.trailers.clone(),
            ),
        });
        let answer =
            answer.and_then(|(name, function)| self.enter(name, id.0, function, (id.0, count), 0));
        self.settle(id, side, answer, |half, answer| match answer {
            0 => half.pass_trailers(),
            _ => half.paused = Some(Paused::Trailers),
        })
    }

    /// Applies the answer of a callback: first the deferred actions, then the answer itself.
    ///
    /// Envoy has this order too, so that a guest that resumes and then pauses in one callback hangs.
    fn settle(
        &mut self,
        id: StreamId,
        side: Side,
        answer: Result<u32, Failed>,
        apply: impl FnOnce(&mut crate::stream::StreamHalf, u32),
    ) -> Action {
        let Ok(answer) = answer else {
            self.fail_stream(id);
            return self.action(id, side);
        };
        let is_stopped = std::mem::take(&mut self.state_mut().stop_iteration);
        self.run_deferred();
        // A local reply has replaced the response, and with it the answer to the response's callbacks.
        if let Some(stream) = self.stream_mut(id).filter(|_| !is_stopped) {
            apply(stream.half_mut(side), answer);
        }
        self.tell_queues();
        self.action(id, side)
    }

    fn action(&self, id: StreamId, side: Side) -> Action {
        self.stream(id)
            .map_or(Action::Reset, |stream| stream.action(side))
    }

    /// Resumes a paused message, together with the messages that wait behind it.
    pub(super) fn resume(&mut self, id: StreamId, side: Side) {
        let Some(stream) = self.stream_mut(id).filter(|stream| !stream.reset) else {
            return;
        };
        let half = stream.half_mut(side);
        match half.paused {
            None => {}
            Some(Paused::Body) => half.pass_body(),
            Some(Paused::Trailers) => half.pass_trailers(),
            Some(Paused::Headers) => {
                half.pass_headers();
                let queue = std::mem::take(&mut half.queue);
                if let Some((body, end_of_stream)) = queue.body {
                    half.show_chunk(&body, end_of_stream);
                    let _ = self.body_shown(id, side, end_of_stream);
                }
                if let Some(trailers) = queue.trailers {
                    let _ = self.trailers(id, side, trailers);
                }
            }
        }
    }
}
