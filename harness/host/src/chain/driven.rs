//! The exchange through a chain, from its two ends: what arrives, and what has come out.

use super::filter_chain::FilterChain;
use super::stream::{ChainStream, ChainStreamId, Passed};
use crate::headers::Headers;
use crate::stream::status_of;
use crate::stream::{Action, EndOfStream, Ending, LocalReply, Side, StreamId, StreamProperties};

impl FilterChain {
    /// Opens a stream. Each filter's `proxy_on_context_create` comes with the headers that come to it, or at the end.
    pub fn open_stream(&mut self, properties: &StreamProperties) -> ChainStreamId {
        self.last_stream += 1;
        let mut stream = ChainStream::default();
        for (vm, place) in &self.filters {
            let part = self.vms[*vm].open_stream_of(*place, properties.clone());
            self.vms[*vm].join_chain(part);
            stream.parts.push(part);
        }
        stream.request_given = vec![Default::default(); self.filters.len()];
        stream.response_given = vec![Default::default(); self.filters.len()];
        let id = ChainStreamId(self.last_stream);
        self.streams.insert(id.0, stream);
        id
    }

    /// Gives the first filter the headers of the request.
    pub fn request_headers(
        &mut self,
        id: ChainStreamId,
        headers: impl Into<Headers>,
        end_of_stream: EndOfStream,
    ) -> Action {
        let headers = headers.into();
        self.drive(id, Side::Request, |host, part| {
            let _ = host.request_headers(part, headers, end_of_stream);
        })
    }

    /// Gives the first filter a part of the request's body.
    pub fn request_body(
        &mut self,
        id: ChainStreamId,
        bytes: &[u8],
        end_of_stream: EndOfStream,
    ) -> Action {
        self.drive(id, Side::Request, |host, part| {
            let _ = host.request_body(part, bytes, end_of_stream);
        })
    }

    /// Gives the first filter the trailers of the request, which end it.
    pub fn request_trailers(&mut self, id: ChainStreamId, trailers: impl Into<Headers>) -> Action {
        let trailers = trailers.into();
        self.drive(id, Side::Request, |host, part| {
            let _ = host.request_trailers(part, trailers);
        })
    }

    /// Gives the last filter the headers of the upstream's response.
    pub fn response_headers(
        &mut self,
        id: ChainStreamId,
        headers: impl Into<Headers>,
        end_of_stream: EndOfStream,
    ) -> Action {
        if let Some(stream) = self.streams.get_mut(&id.0) {
            stream.has_response = true;
        }
        let headers = headers.into();
        if self
            .streams
            .get(&id.0)
            .is_some_and(|it| it.local_reply.is_none())
        {
            self.keep_code(id, status_of(&headers));
        }
        self.drive(id, Side::Response, |host, part| {
            let _ = host.response_headers(part, headers, end_of_stream);
        })
    }

    /// Gives the last filter a part of the response's body.
    pub fn response_body(
        &mut self,
        id: ChainStreamId,
        bytes: &[u8],
        end_of_stream: EndOfStream,
    ) -> Action {
        self.drive(id, Side::Response, |host, part| {
            let _ = host.response_body(part, bytes, end_of_stream);
        })
    }

    /// Gives the last filter the trailers of the response, which end it.
    pub fn response_trailers(&mut self, id: ChainStreamId, trailers: impl Into<Headers>) -> Action {
        let trailers = trailers.into();
        self.drive(id, Side::Response, |host, part| {
            let _ = host.response_trailers(part, trailers);
        })
    }

    /// Answers a request in place of the upstream (no upstream, a timeout). The filters see the response.
    pub fn local_reply(&mut self, id: ChainStreamId, reply: LocalReply) -> Action {
        self.send_reply(id, reply, None);
        self.pump(id);
        self.tell_queues();
        self.action(id, Side::Response)
    }

    /// Answers a request whose upstream has failed in this way, which shows in the response flags at once.
    pub fn upstream_failed(&mut self, id: ChainStreamId, how: Ending, reply: LocalReply) -> Action {
        for (vm, part) in self.parts(id) {
            self.vms[vm].set_upstream_failure(part, how);
        }
        self.local_reply(id, reply)
    }

    /// Tells the headers of the response as the proxy has sent them, for `proxy_on_log`: Envoy's connection manager writes
    /// `date`, and takes away what belongs to the upstream's connection.
    pub fn sent_response(&mut self, id: ChainStreamId, headers: &Headers) {
        for (vm, part) in self.parts(id) {
            self.vms[vm].set_sent_response(part, headers);
        }
    }

    /// Returns the state of a direction: the action of its last event, also after a tick or a reply to a call.
    pub fn request_action(&self, id: ChainStreamId) -> Action {
        self.action(id, Side::Request)
    }

    /// Returns the state of the response, as [`FilterChain::request_action`] does of the request.
    pub fn response_action(&self, id: ChainStreamId) -> Action {
        self.action(id, Side::Response)
    }

    /// Returns the number of bytes of the request's body that the filters hold back or have not seen yet; 0 if there is no
    /// such stream. Whoever reads a body stops above the buffer limit, as Envoy does, until less is held.
    pub fn held_request_bytes(&self, id: ChainStreamId) -> usize {
        self.held_bytes(id, Side::Request)
    }

    /// Returns the same of the response's body.
    pub fn held_response_bytes(&self, id: ChainStreamId) -> usize {
        self.held_bytes(id, Side::Response)
    }

    fn held_bytes(&self, id: ChainStreamId, side: Side) -> usize {
        let Some(stream) = self.streams.get(&id.0) else {
            return 0;
        };
        let parts = stream.parts.iter().zip(&self.filters);
        let parts = parts.filter_map(|(part, (vm, _))| self.vms[*vm].stream(*part));
        parts.map(|part| part.half(side).held_bytes()).sum()
    }

    /// Returns what has come out at the upstream and was not taken yet; `None` if there is no such stream.
    pub fn passed_request(&self, id: ChainStreamId) -> Option<&Passed> {
        self.streams.get(&id.0).map(|stream| &stream.request)
    }

    /// Returns what has come out at the client and was not taken yet; `None` if there is no such stream.
    pub fn passed_response(&self, id: ChainStreamId) -> Option<&Passed> {
        self.streams.get(&id.0).map(|stream| &stream.response)
    }

    /// Takes what has come out at the upstream; `None` if there is no such stream.
    pub fn take_request(&mut self, id: ChainStreamId) -> Option<Passed> {
        let stream = self.streams.get_mut(&id.0)?;
        Some(take(&mut stream.request))
    }

    /// Takes what has come out at the client; `None` if there is no such stream.
    pub fn take_response(&mut self, id: ChainStreamId) -> Option<Passed> {
        let stream = self.streams.get_mut(&id.0)?;
        Some(take(&mut stream.response))
    }

    /// Returns the local reply that answers the request, with the details of the last.
    pub fn sent_local_reply(&self, id: ChainStreamId) -> Option<&LocalReply> {
        self.streams.get(&id.0)?.local_reply.as_ref()
    }

    fn drive(
        &mut self,
        id: ChainStreamId,
        side: Side,
        event: impl FnOnce(&mut crate::host::Host, StreamId),
    ) -> Action {
        let Some(stream) = self.streams.get(&id.0) else {
            return Action::Reset;
        };
        if stream.is_reset || stream.local_reply.is_some() {
            return self.action(id, side);
        }
        let filter = match side {
            Side::Request => 0,
            Side::Response => self.filters.len().saturating_sub(1),
        };
        if let Some(part) = stream.parts.get(filter).copied() {
            self.share(id, filter);
            let (vm, _) = self.filters[filter];
            event(&mut self.vms[vm], part);
            self.learn(id, filter);
        }
        self.pump(id);
        self.tell_queues();
        self.action(id, side)
    }

    pub(super) fn action(&self, id: ChainStreamId, side: Side) -> Action {
        let Some(stream) = self.streams.get(&id.0) else {
            return Action::Reset;
        };
        let parts = stream.parts.iter().zip(&self.filters);
        let mut parts = parts.filter_map(|(part, (vm, _))| self.vms[*vm].stream(*part));
        if stream.is_reset {
            Action::Reset
        } else if stream.local_reply.is_some() {
            Action::LocalReply
        } else if parts.any(|part| part.half(side).is_paused()) {
            Action::Pause
        } else {
            Action::Continue
        }
    }
}

fn take(passed: &mut Passed) -> Passed {
    let body = std::mem::take(&mut passed.body);
    Passed {
        body,
        ..passed.clone()
    }
}
