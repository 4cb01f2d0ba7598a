//! The signs of a stream: what the tasks of its sockets wait for.

use sidespan_host::{Action, ChainStreamId, FilterChain, Passed};

/// The state of a stream, for the tasks that wait for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::sidecar) struct Signs {
    request: Progress,
    response: Progress,
    /// True if no more of the request's body is to be read for now, because filters hold more than the limit.
    pub(in crate::sidecar) request_full: bool,
    /// True if the same holds for the response.
    pub(in crate::sidecar) response_full: bool,
    /// True if the stream has a local reply.
    pub(in crate::sidecar) replied: bool,
    /// True if the stream is to be reset, or gone.
    pub(in crate::sidecar) reset: bool,
}

/// The progress of a message, whose changes say that there may be something to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    is_paused: bool,
    has_headers: bool,
    is_complete: bool,
    bytes: usize,
}

impl Signs {
    /// Returns the signs of a stream that is no more.
    pub(in crate::sidecar) fn gone() -> Self {
        Self {
            reset: true,
            ..Self::default()
        }
    }

    /// Returns the signs of a stream of a chain that may hold so many bytes of a body.
    pub(super) fn of(chain: &FilterChain, id: ChainStreamId, limit: usize) -> Self {
        let (request, response) = (chain.request_action(id), chain.response_action(id));
        let progress = |action, passed: Option<&Passed>| {
            passed.map_or(Progress::default(), |passed| Progress {
                is_paused: action == Action::Pause,
                has_headers: passed.headers.is_some(),
                is_complete: passed.is_complete,
                bytes: passed.body.len(),
            })
        };
        Self {
            request: progress(request, chain.passed_request(id)),
            response: progress(response, chain.passed_response(id)),
            request_full: chain.held_request_bytes(id) > limit,
            response_full: chain.held_response_bytes(id) > limit,
            replied: chain.sent_local_reply(id).is_some(),
            reset: request == Action::Reset,
        }
    }
}
