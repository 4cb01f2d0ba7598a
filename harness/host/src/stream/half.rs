//! One direction of a stream: headers, body and trailers on their way through the filter.
//!
//! A body moves from `chunk` (visible to the guest now) through `buffered` (paused) to `passed`. Body and trailers that
//! arrive while the filter is paused at the headers wait in `queue`, because Envoy then calls nothing else.

use super::written::Arrived;
use crate::headers::Headers;

/// Envoy's `end_stream`: the end of one direction of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndOfStream {
    /// A body or trailers follow.
    #[default]
    No,
    /// Nothing follows.
    Yes,
}

impl EndOfStream {
    /// Returns [`EndOfStream::Yes`] if nothing follows.
    pub(crate) fn when(is_end: bool) -> Self {
        if is_end { Self::Yes } else { Self::No }
    }
}

/// A direction of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

/// The callback at which the filter has paused a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paused {
    /// At the headers, with everything behind them: `StopAllIterationAndWatermark`.
    Headers,
    /// At the headers alone, so that body callbacks follow: `StopIteration` where the plugin allows it.
    HeadersAlone,
    Body,
    Trailers,
}

/// One direction of a stream: the request or the response.
#[derive(Debug, Default)]
pub struct StreamHalf {
    headers: Option<Headers>,
    trailers: Option<Headers>,
    pub(crate) paused: Option<Paused>,
    /// The message whose callback runs now.
    pub(crate) running: Option<Paused>,
    /// True if the guest has resumed the message in the callback that runs now.
    pub(crate) resumed: bool,
    pub(crate) headers_passed: bool,
    /// True if the headers go on once more, because their callback has resumed them and then answered Continue.
    pub(crate) repeats_headers: bool,
    pub(crate) end_of_stream: bool,
    pub(crate) ended: bool,
    pub(crate) shows_headers: bool,
    pub(crate) shows_body: bool,
    pub(crate) shows_trailers: bool,
    /// The headers that were there before the guest wrote to them; `None` until then.
    pub(crate) arrived: Option<Arrived>,
    /// True if the next chunk is added to `chunk`, so that the guest sees both as one.
    pub(crate) accumulates: bool,
    pub(crate) chunk: Vec<u8>,
    pub(crate) buffered: Vec<u8>,
    passed: Vec<u8>,
    passed_bytes: usize,
    body_bytes: usize,
    pub(crate) queue: Queue,
}

/// Body and trailers that wait behind paused headers.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) body: Option<(Vec<u8>, EndOfStream)>,
    pub(crate) trailers: Option<Headers>,
}

impl StreamHalf {
    /// Returns the present headers, with the filter's changes.
    pub fn headers(&self) -> Option<&Headers> {
        self.headers.as_ref()
    }

    /// Returns the present trailers, with the filter's changes.
    pub fn trailers(&self) -> Option<&Headers> {
        self.trailers.as_ref()
    }

    /// Returns the part of the body that has passed the filter and was not taken yet.
    pub fn body(&self) -> &[u8] {
        &self.passed
    }

    /// Returns true if the filter has paused this direction.
    pub fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Returns true if the headers have passed the filter.
    pub fn has_passed_headers(&self) -> bool {
        self.headers_passed
    }

    /// Returns true if everything to the end of the stream has passed the filter.
    pub fn is_complete(&self) -> bool {
        self.headers_passed && self.ended && self.paused.is_none()
    }

    /// Returns the number of body bytes that have arrived.
    pub fn body_bytes(&self) -> usize {
        self.body_bytes
    }

    /// Returns the number of body bytes that have passed the filter.
    pub(crate) fn passed_bytes(&self) -> usize {
        self.passed_bytes
    }

    /// Returns the number of body bytes that have arrived, and that the filter holds back or has not seen yet. Above the
    /// buffer limit Envoy reads no further.
    pub fn held_bytes(&self) -> usize {
        let chunk = if self.accumulates {
            self.chunk.len()
        } else {
            0
        };
        let waiting = self.queue.body.as_ref().map_or(0, |(body, _)| body.len());
        chunk + self.buffered.len() + waiting
    }

    pub(crate) fn begin(&mut self, headers: Headers, end_of_stream: EndOfStream) {
        self.headers = Some(headers);
        self.shows_headers = true;
        self.end_of_stream = end_of_stream == EndOfStream::Yes;
    }

    pub(crate) fn set_headers(&mut self, headers: Headers) {
        self.headers = Some(headers);
    }

    pub(crate) fn end_with(&mut self, trailers: Headers) {
        self.trailers = Some(trailers);
        self.shows_trailers = true;
    }

    /// Returns the headers for the guest to write.
    pub(crate) fn headers_mut(&mut self) -> Option<&mut Headers> {
        let headers = self.headers.as_mut()?;
        self.arrived.get_or_insert_with(|| Arrived::with(headers));
        Some(headers)
    }

    /// Returns the trailers for writing. In the last body callback Envoy adds empty trailers on demand.
    pub(crate) fn trailers_mut(&mut self) -> Option<&mut Headers> {
        if self.trailers.is_none() && self.shows_body && self.end_of_stream {
            self.end_with(Headers::new());
        }
        self.trailers.as_mut().filter(|_| self.shows_trailers)
    }

    /// Returns the body for the guest to see: in its callback, and for as long as it is buffered.
    pub(crate) fn visible_body(&self) -> Option<&Vec<u8>> {
        (self.shows_body || self.accumulates).then_some(&self.chunk)
    }

    /// Returns the body for the guest to change, at the times at which the guest sees it.
    pub(crate) fn visible_body_mut(&mut self) -> Option<&mut Vec<u8>> {
        (self.shows_body || self.accumulates).then_some(&mut self.chunk)
    }

    pub(crate) fn pass_headers(&mut self) {
        self.headers_passed = true;
        self.shows_headers = false;
        self.paused = None;
        self.ended |= self.end_of_stream && self.running != Some(Paused::Body);
    }

    /// Shows the guest a chunk: the new bytes, behind the bytes that still accumulate.
    pub(crate) fn show_chunk(&mut self, bytes: &[u8], end_of_stream: EndOfStream) {
        if !self.accumulates {
            self.chunk.clear();
        }
        self.chunk.extend_from_slice(bytes);
        self.shows_body = true;
        self.end_of_stream = end_of_stream == EndOfStream::Yes;
    }

    pub(crate) fn pass_body(&mut self) {
        self.pass_buffered();
        self.passed_bytes += self.chunk.len();
        self.passed.append(&mut self.chunk);
        self.accumulates = false;
        self.shows_body = false;
        self.paused = None;
        self.ended |= self.end_of_stream;
    }

    /// Passes what was held back before the callback that runs now.
    pub(crate) fn pass_buffered(&mut self) {
        self.passed_bytes += self.buffered.len();
        self.passed.append(&mut self.buffered);
    }

    pub(crate) fn pause_body(&mut self, pause: PausedBody) {
        match pause {
            PausedBody::Buffer => {}
            PausedBody::Watermark => self.buffered.append(&mut self.chunk),
            PausedBody::NoBuffer => self.chunk.clear(),
        }
        self.accumulates = pause == PausedBody::Buffer;
        self.paused = Some(Paused::Body);
    }

    pub(crate) fn pass_trailers(&mut self) {
        self.pass_body();
        self.shows_trailers = false;
        self.ended = true;
    }

    /// Passes a whole message at once, past the filter.
    pub(crate) fn pass_whole(&mut self, headers: Headers, body: &[u8]) {
        self.begin(headers, EndOfStream::when(body.is_empty()));
        self.pass_headers();
        self.show_chunk(body, EndOfStream::Yes);
        self.pass_body();
    }

    /// Writes the scheme of a request that leaves the last filter as Envoy's router does.
    pub(crate) fn restore_scheme(&mut self) {
        let Some((arrived, headers)) = self.arrived.zip(self.headers.as_mut()) else {
            return;
        };
        if let Some(scheme) = arrived.scheme_for_upstream(headers) {
            headers.replace(":scheme", scheme);
        }
    }

    pub(crate) fn count_body(&mut self, bytes: usize) {
        self.body_bytes += bytes;
    }

    pub(crate) fn take_body(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.passed)
    }

    /// Sets the bytes that have passed, in place of those that have passed since they were taken.
    pub(crate) fn put_back(&mut self, passed: Vec<u8>) {
        self.passed = passed;
    }

    pub(crate) fn wait(&mut self, bytes: &[u8], end_of_stream: EndOfStream) {
        let (body, end) = self.queue.body.get_or_insert_with(Default::default);
        body.extend_from_slice(bytes);
        *end = end_of_stream;
    }

    /// Returns true if body and trailers that arrive now have to wait: behind headers, or because Envoy has stopped reading
    /// below a watermark.
    pub(crate) fn holds_back(&self, limit: usize) -> bool {
        let is_stalled = self.paused == Some(Paused::Body) && self.buffered.len() > limit;
        self.paused == Some(Paused::Headers) || is_stalled || self.queue.is_waiting()
    }
}

impl Queue {
    pub(crate) fn is_waiting(&self) -> bool {
        self.body.is_some() || self.trailers.is_some()
    }
}

/// The handling of a chunk that a body callback does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PausedBody {
    /// The chunk is kept, and shown again together with the next one.
    Buffer,
    /// The chunk is kept, and the next one is shown alone.
    Watermark,
    /// The chunk is dropped, because the filter has a copy.
    NoBuffer,
}
