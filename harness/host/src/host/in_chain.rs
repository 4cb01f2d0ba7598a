//! A stream that goes through a chain of filters: what the chain asks of the VM of one of them.

use std::collections::BTreeMap;

use super::vm::Host;
use crate::headers::Headers;
use crate::stream::{Ending, LocalReply, Side, StreamHalf, StreamId};

impl Host {
    /// Leaves local replies of the stream to its chain, and what waits behind headers that it resumes.
    pub(crate) fn join_chain(&mut self, id: StreamId) {
        if let Some(stream) = self.stream_mut(id) {
            stream.in_chain = true;
            stream.left_chain = Some(0);
        }
    }

    /// Notes the bytes of the response's body that have left the whole chain by now.
    pub(crate) fn count_sent(&mut self, id: StreamId, bytes: usize) {
        if let Some(stream) = self.stream_mut(id) {
            stream.left_chain = stream.left_chain.map(|sent| sent + bytes);
        }
    }

    /// Takes the local reply that the filter has asked for.
    pub(crate) fn take_chain_reply(&mut self, id: StreamId) -> Option<LocalReply> {
        self.state_mut().chain_replies.retain(|other| *other != id);
        self.stream_mut(id)?.chain_reply.take()
    }

    /// Returns the stream whose local reply is to be sent next.
    pub(crate) fn next_chain_reply(&self) -> Option<StreamId> {
        self.state().chain_replies.front().copied()
    }

    /// Notes the local reply that answers the request, of whatever filter.
    pub(crate) fn set_local_reply(&mut self, id: StreamId, reply: &LocalReply) {
        if let Some(stream) = self.stream_mut(id) {
            stream.local_reply = Some(reply.clone());
            if !stream.response.has_passed_headers() {
                stream.response = StreamHalf::default();
            }
        }
    }

    /// Notes a response that has gone past the filter.
    pub(crate) fn pass_reply(&mut self, id: StreamId, headers: Headers, body: &[u8]) {
        if let Some(stream) = self.stream_mut(id) {
            stream.response = StreamHalf::default();
            stream.response.pass_whole(headers, body);
        }
    }

    /// Lets headers go on once more that have come once more and were not held.
    pub(crate) fn repeat_headers(&mut self, id: StreamId, side: Side) {
        if let Some(stream) = self.stream_mut(id) {
            let half = stream.half_mut(side);
            half.repeats_headers |= !half.is_paused();
        }
    }

    /// Notes the failure of the upstream before the response that tells of it.
    pub(crate) fn set_upstream_failure(&mut self, id: StreamId, how: Ending) {
        if let Some(stream) = self.stream_mut(id) {
            stream.reply_flags |= how.flags();
        }
    }

    /// Sets the headers of the response as they were sent.
    pub(crate) fn set_sent_response(&mut self, id: StreamId, headers: &Headers) {
        if let Some(stream) = self.stream_mut(id) {
            stream.response.set_headers(headers.clone());
        }
    }

    /// Sets the scheme of the request as it leaves the chain.
    pub(crate) fn set_scheme(&mut self, id: StreamId, scheme: &str) {
        if let Some(stream) = self.stream_mut(id)
            && let Some(mut headers) = stream.request.headers().cloned()
        {
            headers.replace(":scheme", scheme);
            stream.request.set_headers(headers);
        }
    }

    /// Notes the status of the response, that of the whole chain.
    pub(crate) fn set_code(&mut self, id: StreamId, code: Option<i64>) {
        if let Some(stream) = self.stream_mut(id) {
            stream.code = code;
        }
    }

    /// Returns true once for headers that go on once more.
    pub(crate) fn take_repeated_headers(&mut self, id: StreamId, side: Side) -> bool {
        let half = self.stream_mut(id).map(|stream| stream.half_mut(side));
        half.is_some_and(|half| std::mem::take(&mut half.repeats_headers))
    }

    /// Returns true if the request's headers have come to the filter.
    pub(crate) fn has_seen_request(&self, id: StreamId) -> bool {
        self.stream(id)
            .is_some_and(|stream| stream.request().headers().is_some())
    }

    /// Notes that the stream was reset, and why.
    pub(crate) fn reset_with_details(&mut self, id: StreamId, details: &str) {
        if let Some(stream) = self.stream_mut(id) {
            stream.reset = true;
            stream.reset_details = Some(details.to_owned());
        }
    }

    /// Shows the filter the filter state of the whole stream.
    pub(crate) fn set_filter_state(&mut self, id: StreamId, state: &BTreeMap<Vec<u8>, Vec<u8>>) {
        if let Some(stream) = self.stream_mut(id) {
            stream.filter_state.clone_from(state);
        }
    }

    /// Shows the filter what has waited behind the message that it has resumed; returns false if nothing has.
    pub(crate) fn release_waiting(&mut self, id: StreamId, side: Side) -> bool {
        let is_waiting = self.stream(id).is_some_and(|stream| {
            let half = stream.half(side);
            !half.is_paused() && half.queue.is_waiting() && !stream.drops(side)
        });
        if is_waiting {
            self.release_queue(id, side);
        }
        is_waiting
    }
}
