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

use super::vm::Host;
use crate::abi_types::{AbiVersion, MapType};
use crate::headers::Headers;
use crate::host_call::word;
use crate::inline_headers;
use crate::settings::EndOfBody;
use crate::stream::{Action, EndOfStream, Paused, Side, Stream, StreamId, status_of};

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

    /// Gives the filter a part of the request's body, as soon as it arrives: what has to wait behind paused headers waits
    /// here, so that the filter then sees it as one piece, as in Envoy.
    pub fn request_body(
        &mut self,
        id: StreamId,
        bytes: &[u8],
        end_of_stream: EndOfStream,
    ) -> Action {
        self.body_from_codec(id, Side::Request, bytes, end_of_stream)
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
        let headers = headers.into();
        if let Some(stream) = self.stream_mut(id) {
            stream.code = status_of(&headers);
        }
        self.headers(id, Side::Response, headers, end_of_stream)
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
        self.body_from_codec(id, Side::Response, bytes, end_of_stream)
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
        self.state_mut().streams.get_mut(id.0)
    }

    fn is_answered_here(&self, id: StreamId) -> bool {
        self.stream(id)
            .is_some_and(|stream| stream.local_reply.is_some())
    }

    pub(crate) fn headers(
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
        let kind = match side {
            Side::Request => MapType::RequestHeaders,
            Side::Response => MapType::ResponseHeaders,
        };
        let headers = inline_headers::arrived(kind, headers);
        stream.half_mut(side).begin(headers, end_of_stream);
        if self.is_without_filter(id, side) {
            return self.action(id, side);
        }
        let answer = self.create(id).and_then(|()| {
            self.begin_callback(id, side, Paused::Headers);
            if self.state().abi == AbiVersion::V0_1_0 {
                let arguments = (id.0, count);
                self.enter(
                    |guest| &guest.half(side).headers_without_end,
                    id.0,
                    arguments,
                    0,
                )
            } else {
                let arguments = (id.0, count, u32::from(end_of_stream == EndOfStream::Yes));
                self.enter(|guest| &guest.half(side).headers, id.0, arguments, 0)
            }
        });
        self.settle(id, side, answer)
    }

    /// Gives the filter a part of a body as Envoy's codec does: in HTTP/1.1 the end comes apart.
    fn body_from_codec(
        &mut self,
        id: StreamId,
        side: Side,
        bytes: &[u8],
        end_of_stream: EndOfStream,
    ) -> Action {
        let is_apart = self.state().settings.end_of_body == EndOfBody::Apart;
        if !is_apart || end_of_stream == EndOfStream::No || bytes.is_empty() {
            return self.body(id, side, bytes, end_of_stream);
        }
        match self.body(id, side, bytes, EndOfStream::No) {
            Action::Continue | Action::Pause => self.body(id, side, &[], EndOfStream::Yes),
            ended => ended,
        }
    }

    pub(crate) fn body(
        &mut self,
        id: StreamId,
        side: Side,
        bytes: &[u8],
        end_of_stream: EndOfStream,
    ) -> Action {
        let limit = self.state().settings.buffer_limit;
        let Some(stream) = self.stream_mut(id) else {
            return Action::Reset;
        };
        let is_unwanted = stream.drops(side);
        let half = stream.half_mut(side);
        half.count_body(bytes.len());
        if is_unwanted {
            return self.action(id, side);
        }
        if half.holds_back(limit) {
            half.wait(bytes, end_of_stream);
            return self.action(id, side);
        }
        // A response whose headers have gone out breaks off before its filter is told.
        let is_beyond = half.accumulates && half.chunk.len() + bytes.len() > limit;
        if side == Side::Response && half.headers_passed && is_beyond {
            self.refuse_buffer(id, side);
            return self.action(id, side);
        }
        half.show_chunk(bytes, end_of_stream);
        if self.is_without_filter(id, side) {
            return self.action(id, side);
        }
        self.body_shown(id, side, end_of_stream)
    }

    pub(super) fn body_shown(
        &mut self,
        id: StreamId,
        side: Side,
        end_of_stream: EndOfStream,
    ) -> Action {
        let size = self
            .stream(id)
            .map_or(0, |stream| word(stream.half(side).chunk.len()));
        self.begin_callback(id, side, Paused::Body);
        let answer = self.enter(
            |guest| &guest.half(side).body,
            id.0,
            (id.0, size, u32::from(end_of_stream == EndOfStream::Yes)),
            0,
        );
        self.settle(id, side, answer)
    }

    pub(crate) fn trailers(&mut self, id: StreamId, side: Side, trailers: Headers) -> Action {
        let limit = self.state().settings.buffer_limit;
        let count = word(trailers.len());
        let Some(stream) = self.stream_mut(id) else {
            return Action::Reset;
        };
        let is_unwanted = stream.drops(side);
        let half = stream.half_mut(side);
        if is_unwanted {
            return self.action(id, side);
        }
        if half.holds_back(limit) {
            half.queue.trailers = Some(trailers);
            return self.action(id, side);
        }
        half.end_with(trailers);
        if self.is_without_filter(id, side) {
            return self.action(id, side);
        }
        self.begin_callback(id, side, Paused::Trailers);
        let answer = self.enter(|guest| &guest.half(side).trailers, id.0, (id.0, count), 0);
        self.settle(id, side, answer)
    }

    fn begin_callback(&mut self, id: StreamId, side: Side, message: Paused) {
        if let Some(stream) = self.stream_mut(id) {
            let half = stream.half_mut(side);
            half.running = Some(message);
            half.resumed = false;
        }
    }

    pub(super) fn action(&self, id: StreamId, side: Side) -> Action {
        self.stream(id)
            .map_or(Action::Reset, |stream| stream.action(side))
    }
}
