//! Local replies in a chain: past the filters behind, which have not seen the request, and through all that have.

use super::filter_chain::FilterChain;
use super::stream::{ChainStreamId, Passed};
use crate::explanations::Situation;
use crate::headers::Headers;
use crate::stream::status_of;
use crate::stream::{EndOfStream, LocalReply, Side};

impl FilterChain {
    /// Sends the local replies that filters have asked for; returns false if there is none.
    pub(super) fn take_replies(&mut self, id: ChainStreamId) -> bool {
        (0..self.filters.len()).any(|filter| {
            let Some(part) = self.streams.get(&id.0).map(|stream| stream.parts[filter]) else {
                return false;
            };
            let (vm, _) = self.filters[filter];
            let reply = self.vms[vm].take_chain_reply(part);
            let is_reply = reply.is_some();
            if let Some(reply) = reply {
                self.send_reply(id, reply, Some(filter));
            }
            is_reply
        })
    }

    /// Sends the local replies that one VM has asked for on other streams than its callback's, oldest first. As in Envoy the
    /// next one begins within the first callback about the one before, whose body so comes last.
    pub(super) fn send_replies_of(&mut self, vm: usize) {
        while let Some(part) = self.vms[vm].next_chain_reply() {
            let mut streams = self.streams.iter();
            let found = streams.find_map(|(id, stream)| {
                let mut parts = stream.parts.iter().zip(&self.filters);
                let filter = parts.position(|(other, (of, _))| (*of, *other) == (vm, part))?;
                Some((ChainStreamId(*id), filter))
            });
            // Taken out of the queue in any case, so that this ends.
            let reply = self.vms[vm].take_chain_reply(part);
            if let Some(((id, filter), reply)) = found.zip(reply) {
                self.send_reply(id, reply, Some(filter));
                self.pump(id);
            }
        }
    }

    /// Sends a local reply as `FilterManager::sendLocalReply` does; `sender` is the filter that asks for it.
    pub(super) fn send_reply(
        &mut self,
        id: ChainStreamId,
        reply: LocalReply,
        sender: Option<usize>,
    ) {
        let Some(stream) = self.streams.get_mut(&id.0) else {
            return;
        };
        if stream.is_reset {
            return;
        }
        if stream.local_reply.is_some() && stream.response.is_complete {
            self.explain_sender(id, sender, Situation::SecondReply);
            return;
        }
        if stream.response.headers.is_some() {
            stream.is_reset = true;
            for (part, (vm, _)) in stream.parts.clone().into_iter().zip(&self.filters) {
                self.vms[*vm].reset_with_details(part, &reply.details);
            }
            self.explain_sender(id, sender, Situation::ReplyAfterHeaders);
            return;
        }
        let is_direct = stream.has_response;
        stream.has_response = true;
        stream.local_reply = Some(reply.clone());
        let is_grpc = self.is_grpc(id);
        let (headers, mut body) = reply.to_response(is_grpc);
        if self.is_head(id) {
            body.clear();
        }
        self.keep_code(id, Some(reply.status.into()));
        let parts: Vec<_> = self.parts(id);
        for (vm, part) in &parts {
            self.vms[*vm].set_local_reply(*part, &reply);
        }
        // The filters that have seen the request are the first ones.
        let last = parts
            .iter()
            .rposition(|(vm, part)| self.vms[*vm].has_seen_request(*part));
        let Some((vm, part)) = last.filter(|_| !is_direct).map(|last| parts[last]) else {
            for (vm, part) in parts {
                self.vms[vm].pass_reply(part, headers.clone(), &body);
            }
            self.keep_code(id, status_of(&headers));
            self.count_sent(id, body.len());
            self.send_directly(id, headers, body);
            return;
        };
        let _ = self.vms[vm].headers(
            part,
            Side::Response,
            headers,
            EndOfStream::when(body.is_empty()),
        );
        self.gather(vm);
        self.send_replies_of(vm);
        self.pump(id);
        let is_open = self
            .streams
            .get(&id.0)
            .is_some_and(|stream| !stream.is_reset && !stream.response.is_complete);
        // A second reply may have taken the place of this one meanwhile.
        let is_replaced = !is_open && self.sends_body_of_replaced_reply(id);
        if (is_open || is_replaced) && !body.is_empty() {
            let _ = self.vms[vm].body(part, Side::Response, &body, EndOfStream::Yes);
            self.gather(vm);
        }
    }

    fn send_directly(&mut self, id: ChainStreamId, headers: Headers, body: Vec<u8>) {
        let Some(stream) = self.streams.get_mut(&id.0) else {
            return;
        };
        stream.response = Passed {
            headers: Some(headers),
            copies: 1,
            body,
            trailers: None,
            is_complete: true,
        };
        for given in &mut stream.response_given {
            given.end = true;
        }
    }

    pub(super) fn parts(&self, id: ChainStreamId) -> Vec<(usize, crate::stream::StreamId)> {
        let parts = self.streams.get(&id.0).map(|stream| stream.parts.clone());
        let vms = self.filters.iter().map(|(vm, _)| *vm);
        vms.zip(parts.unwrap_or_default()).collect()
    }

    /// Returns true if a second reply has taken the place of one whose headers were on their way, and Envoy still shows the
    /// filter the body of the first: over HTTP/2, where a stream outlives its end for a while.
    fn sends_body_of_replaced_reply(&self, id: ChainStreamId) -> bool {
        let is_reset = self.streams.get(&id.0).is_none_or(|it| it.is_reset);
        let mut parts = self.parts(id).into_iter();
        let part = parts.next();
        let stream = part.and_then(|(vm, part)| self.vms[vm].stream(part));
        !is_reset && stream.is_some_and(|stream| stream.is_over_http2())
    }

    fn is_head(&self, id: ChainStreamId) -> bool {
        self.parts(id).into_iter().any(|(vm, part)| {
            let stream = self.vms[vm].stream(part);
            stream.is_some_and(|stream| stream.is_head())
        })
    }

    /// Notes the bytes of the response's body that have gone out, for all filters.
    pub(super) fn count_sent(&mut self, id: ChainStreamId, bytes: usize) {
        for (vm, part) in self.parts(id) {
            self.vms[vm].count_sent(part, bytes);
        }
    }

    /// Notes the status of the response for all filters.
    pub(super) fn keep_code(&mut self, id: ChainStreamId, code: Option<i64>) {
        for (vm, part) in self.parts(id) {
            self.vms[vm].set_code(part, code);
        }
    }

    fn is_grpc(&self, id: ChainStreamId) -> bool {
        self.parts(id).into_iter().any(|(vm, part)| {
            let stream = self.vms[vm].stream(part);
            stream.is_some_and(|stream| stream.is_grpc())
        })
    }

    fn explain_sender(&mut self, id: ChainStreamId, sender: Option<usize>, situation: Situation) {
        if let Some((vm, part)) = sender.and_then(|sender| self.parts(id).get(sender).copied()) {
            self.vms[vm].explain(part, situation);
        }
    }
}
