//! The way from filter to filter: what one has passed goes to the next, one thing at a time, until nothing moves any more.

use super::filter_chain::FilterChain;
use super::stream::{ChainStream, ChainStreamId, Passed};
use crate::explanations::Situation;
use crate::headers::Headers;
use crate::host::Host;
use crate::stream::status_of;
use crate::stream::{Arrived, EndOfStream, LocalReply, Side, StreamHalf, StreamId};

impl FilterChain {
    pub(super) fn pump_all(&mut self) {
        (0..self.vms.len()).for_each(|vm| self.send_replies_of(vm));
        let ids: Vec<_> = self.streams.keys().copied().map(ChainStreamId).collect();
        for id in ids {
            for filter in 0..self.filters.len() {
                self.learn(id, filter);
            }
            self.pump(id);
        }
    }

    /// Moves everything that filters have passed, until nothing moves any more.
    pub(super) fn pump(&mut self, id: ChainStreamId) {
        loop {
            let has_replied = self.take_replies(id);
            let has_moved = self.pump_side(id, Side::Request) || self.pump_side(id, Side::Response);
            if !has_replied && !has_moved {
                return;
            }
        }
    }

    /// Moves one thing that a filter has passed; returns false if there is none.
    fn pump_side(&mut self, id: ChainStreamId, side: Side) -> bool {
        let count = self.filters.len();
        (0..count).any(|step| {
            let filter = match side {
                Side::Request => step,
                Side::Response => count - 1 - step,
            };
            self.pump_filter(id, side, filter)
        })
    }

    fn pump_filter(&mut self, id: ChainStreamId, side: Side, filter: usize) -> bool {
        let Some(stream) = self.streams.get_mut(&id.0) else {
            return false;
        };
        let is_over = side == Side::Request && stream.local_reply.is_some();
        if stream.is_reset || is_over {
            return false;
        }
        let (vm, _) = self.filters[filter];
        let part = stream.parts[filter];
        let given = match side {
            Side::Request => &mut stream.request_given[filter],
            Side::Response => &mut stream.response_given[filter],
        };
        let host = &mut self.vms[vm];
        let is_repeated = given.headers && host.take_repeated_headers(part, side);
        let Some(half) = host.stream(part).map(|part| part.half(side)) else {
            return false;
        };
        if !half.has_passed_headers() || given.end && !is_repeated {
            return false;
        }
        let has_trailers = half.ended && half.trailers().is_some();
        let is_end = half.ended && !has_trailers;
        if !given.headers || is_repeated {
            given.headers = true;
            given.end = is_end && half.body().is_empty();
            let end = EndOfStream::when(given.end);
            let headers = half.headers().cloned().unwrap_or_default();
            self.give(
                id,
                side,
                filter,
                |host, part| {
                    let _ = host.headers(part, side, headers.clone(), end);
                    if is_repeated {
                        host.repeat_headers(part, side);
                    }
                },
                |passed| {
                    passed.headers = Some(headers.clone());
                    passed.copies += 1;
                    passed.is_complete = end == EndOfStream::Yes;
                },
            );
            return true;
        }
        if !half.body().is_empty() || is_end {
            given.end = is_end;
            let bytes = match side {
                Side::Request => host.take_request_body(part),
                Side::Response => host.take_response_body(part),
            };
            self.give(
                id,
                side,
                filter,
                |host, part| {
                    let _ = host.body(part, side, &bytes, EndOfStream::when(is_end));
                },
                |passed| {
                    passed.body.extend_from_slice(&bytes);
                    passed.is_complete |= is_end;
                },
            );
            return true;
        }
        if has_trailers {
            given.end = true;
            let trailers = half.trailers().cloned().unwrap_or_default();
            self.give(
                id,
                side,
                filter,
                |host, part| {
                    let _ = host.trailers(part, side, trailers.clone());
                },
                |passed| {
                    passed.trailers = Some(trailers.clone());
                    passed.is_complete = true;
                },
            );
            return true;
        }
        // What has waited behind headers comes once the next filter has seen them.
        let has_moved = self.vms[vm].release_waiting(part, side);
        self.gather(vm);
        has_moved
    }

    /// Gives what a filter has passed to the next one, or out of the chain.
    fn give(
        &mut self,
        id: ChainStreamId,
        side: Side,
        filter: usize,
        to_filter: impl FnOnce(&mut Host, StreamId),
        out: impl FnOnce(&mut Passed),
    ) {
        let next = match side {
            Side::Request => Some(filter + 1).filter(|next| *next < self.filters.len()),
            Side::Response => filter.checked_sub(1),
        };
        if let Some(next) = next {
            self.share(id, next);
            let Some(part) = self.streams.get(&id.0).map(|stream| stream.parts[next]) else {
                return;
            };
            let (vm, _) = self.filters[next];
            to_filter(&mut self.vms[vm], part);
            self.learn(id, next);
            return;
        }
        let refusal = self.refusal(id, side);
        let scheme = self.scheme_for_upstream(id, side);
        if let Some((situation, reply)) = refusal {
            let (vm, _) = self.filters[filter];
            if let Some(part) = self.streams.get(&id.0).map(|stream| stream.parts[filter]) {
                self.vms[vm].explain(part, situation);
            }
            for (vm, part) in self.parts(id) {
                self.vms[vm].set_reply_flags(part, situation);
            }
            self.send_reply(id, reply, None);
        } else if let Some(stream) = self.streams.get_mut(&id.0) {
            let had_headers = stream.response.headers.is_some();
            let had_bytes = stream.response.body.len();
            out(match side {
                Side::Request => &mut stream.request,
                Side::Response => &mut stream.response,
            });
            let left = stream.response.headers.clone().filter(|_| !had_headers);
            let sent = stream.response.body.len() - had_bytes;
            if let Some(headers) = left {
                self.keep_code(id, status_of(&headers));
            }
            if sent > 0 {
                self.count_sent(id, sent);
            }
            if let Some(scheme) = scheme {
                self.restore_scheme(id, scheme);
            }
        }
    }

    /// Returns Envoy's answer to headers that the filters have left unfit to be sent.
    fn refusal(&self, id: ChainStreamId, side: Side) -> Option<(Situation, LocalReply)> {
        let (arrived, headers) = self.leaving(id, side)?;
        match side {
            Side::Request => arrived.answer_to_request(headers),
            Side::Response => arrived.answer_to_response(headers),
        }
    }

    fn scheme_for_upstream(&self, id: ChainStreamId, side: Side) -> Option<&'static str> {
        let (arrived, headers) = self.leaving(id, side)?;
        match side {
            Side::Request => arrived.scheme_for_upstream(headers),
            Side::Response => None,
        }
    }

    /// Writes the scheme of a request that has left the chain, which the filters see at its end.
    fn restore_scheme(&mut self, id: ChainStreamId, scheme: &str) {
        let stream = self.streams.get_mut(&id.0);
        if let Some(headers) = stream.and_then(|stream| stream.request.headers.as_mut()) {
            headers.replace(":scheme", scheme);
        }
        for (vm, part) in self.parts(id) {
            self.vms[vm].set_scheme(part, scheme);
        }
    }

    /// Returns the headers that are about to leave the chain, and those that were there before filters wrote to them; `None` if
    /// no filter has, or they have left.
    fn leaving(&self, id: ChainStreamId, side: Side) -> Option<(Arrived, &Headers)> {
        let stream = self.streams.get(&id.0)?;
        let is_out = match side {
            Side::Request => stream.request.headers.is_some(),
            Side::Response => stream.response.headers.is_some(),
        };
        if is_out {
            return None;
        }
        let halves = stream.parts.iter().zip(&self.filters);
        let halves: Vec<&StreamHalf> = halves
            .filter_map(|(part, (vm, _))| Some(self.vms[*vm].stream(*part)?.half(side)))
            .collect();
        let arrived = halves.iter().filter_map(|half| half.arrived);
        let arrived = arrived.reduce(|left, right| left | right)?;
        let last = match side {
            Side::Request => halves.last()?,
            Side::Response => halves.first()?,
        };
        Some((arrived, last.headers()?))
    }

    /// Shows a filter the filter state of the stream, which all filters share.
    pub(super) fn share(&mut self, id: ChainStreamId, filter: usize) {
        if let Some(stream) = self.streams.remove(&id.0) {
            self.share_filter_state(&stream, filter);
            self.streams.insert(id.0, stream);
        }
    }

    pub(super) fn share_filter_state(&mut self, stream: &ChainStream, filter: usize) {
        let (vm, _) = self.filters[filter];
        self.vms[vm].set_filter_state(stream.parts[filter], &stream.filter_state);
    }

    /// Learns the filter state that a filter has set, and whether it has reset the stream.
    pub(super) fn learn(&mut self, id: ChainStreamId, filter: usize) {
        let (vm, _) = self.filters[filter];
        self.gather(vm);
        let Some(stream) = self.streams.get_mut(&id.0) else {
            return;
        };
        let Some(part) = self.vms[vm].stream(stream.parts[filter]) else {
            return;
        };
        stream.is_reset |= part.is_reset();
        stream.filter_state.extend(
            part.filter_state
                .iter()
                .map(|(key, value)| (key.clone(), value.clone())),
        );
    }
}
