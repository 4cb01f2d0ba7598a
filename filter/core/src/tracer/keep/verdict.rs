//! The verdict on a response: failed or not, heard as it passes and once more at the end, where each side has its own. The
//! CLIENT span is judged by what has passed this filter, the SERVER span by the code that the client got and the `grpc-status`
//! that has passed ([`HeardResponse`] says the same of sampled spans), and both where the proxy itself got no answer.

use super::pending::{Cause, Causes, PendingSpans, SpanOutcome};
use crate::proxy::Worker;
use crate::semconv::response_flags::{self, DOWNSTREAM_GONE, OF_DELIVERY};
use crate::semconv::rpc;
use crate::stream_info::ending::Ending;
use crate::stream_info::fact::Fact;
use crate::stream_info::heard::{HeardResponse, PassedHeaders, ResponsePart};
use crate::stream_info::source::{PassingResponse, StreamInfo};

impl PendingSpans {
    /// Reads the headers of the response. Returns true if they show a failure; `None` where the verdict is still to come.
    #[inline]
    pub(super) fn hear_headers(&mut self, said: &PassedHeaders<'_>) -> Option<bool> {
        if self.verdict.is_some() {
            return None;
        }
        self.heard.status_code = said.status_code.or(self.heard.status_code);
        if self.is_rpc {
            self.heard.grpc_status = said.grpc_status.map(<[u8]>::to_vec);
        }
        let is_failure = self.is_failure(&self.heard)?;
        // The router's own time says that the answer is the upstream's. What nobody vouches for may be an answer of the proxy
        // under any code.
        self.judge(is_failure, Some(said.is_upstreams))
    }

    /// Returns true if the status alone decides as the headers of the response pass: a CLIENT span tells the code and listens to
    /// `server-timing`, and a call has a status of its own. To a SERVER span `server-timing` matters once it is kept.
    #[inline]
    pub(super) fn is_told_by_status(&self) -> bool {
        self.verdict.is_none() && self.client.is_none() && !self.is_rpc
    }

    /// Reads the status alone. Whose answer it is can be asked at the end, where hardly any response needs it.
    #[inline]
    pub(super) fn hear_status(&mut self, response: &impl PassingResponse) -> Option<bool> {
        self.heard
            .hear(ResponsePart::Headers, response, true, false);
        let is_failure = self.is_failure(&self.heard)?;
        self.judge(is_failure, None)
    }

    /// Reads the trailers of the response to a call, likewise.
    #[inline]
    pub(super) fn hear_trailers(&mut self, response: &impl PassingResponse) -> Option<bool> {
        if self.verdict.is_some() {
            return None;
        }
        let (part, is_call) = (ResponsePart::Trailers, self.is_rpc);
        self.heard.hear(part, response, false, is_call);
        // A call's last part without a status is a failure to give one. Trailers come from the upstream: an answer of the
        // proxy's own has its status in the headers.
        let is_failure = self.is_failure(&self.heard).unwrap_or(true);
        self.judge(is_failure, Some(true))
    }

    #[inline]
    fn judge(&mut self, is_failure: bool, is_upstreams: Option<bool>) -> Option<bool> {
        self.verdict = Some(is_failure);
        self.is_upstreams = is_upstreams;
        self.verdict
    }

    /// Returns the causes that the end of the stream gives; `None` where it changes nothing. It takes back what the response
    /// said of the SERVER span where the client got another answer.
    #[inline]
    pub(super) fn late_causes(&mut self, proxy: &(impl StreamInfo + Worker)) -> Option<Causes> {
        let ending = &Ending::new(proxy);
        // The SERVER span of a plain request is judged by the client's code in any case.
        let asks_for_code = self.server.is_some() && !self.is_rpc;
        let is_confirmed = self.went_well() && asks_for_code && proxy.confirms(Fact::GoodEnd);
        if is_confirmed && self.keep.slower_than.is_none() {
            return None;
        }
        if asks_for_code && !is_confirmed && !self.has_ended {
            ending.ask_for_both();
        }
        let is_well = self.went_well() && self.keep.slower_than.is_none();
        if is_well && self.is_proven(ending) && self.is_settled(ending) {
            return None;
        }
        let failures = match self.keep.errors && !is_confirmed {
            true => self.late_failures(ending),
            false => [false; 2],
        };
        let [client_failed, server_failed] = failures;
        let mut is_reopened = false;
        if let Some(side) = &mut self.server
            && self.verdict == Some(true)
            && self.keep.errors
            && !server_failed
            && side.outcome != SpanOutcome::Open
        {
            side.outcome = SpanOutcome::Open;
            is_reopened = true;
        }
        let sides = [self.server, self.client];
        let mut open = sides.iter().flatten();
        if !open.any(|side| side.outcome == SpanOutcome::Open) {
            return None;
        }
        let is_slow = self.is_slow(proxy);
        let cause = |is_failure| match (is_failure, is_slow) {
            (true, _) => Some(Cause::Error),
            (false, true) => Some(Cause::Slow),
            (false, false) => None,
        };
        let causes = Causes {
            client: cause(client_failed),
            server: cause(server_failed),
        };
        // Without a verdict of the response the notes of kept traces were not read yet.
        let is_new = is_reopened || self.verdict.is_none() || causes != Causes::default();
        is_new.then_some(causes)
    }

    /// Returns true if the response told of no failure as it passed, and failures are looked for.
    #[inline]
    fn went_well(&self) -> bool {
        self.verdict == Some(false) && self.keep.errors
    }

    /// Returns true for a response that went well and is known to be the upstream's. Where its headers were not asked, it is if all of
    /// it has arrived, and no flag tells of an upstream that failed.
    #[inline]
    fn is_proven(&self, ending: &Ending<'_, impl StreamInfo>) -> bool {
        let is_whole = || ending.flags() & !OF_DELIVERY == 0 && ending.is_received();
        self.went_well() && self.is_upstreams.unwrap_or_else(is_whole)
    }

    /// Returns true for a request that went well as far as it was heard, where nothing since can make it worse.
    #[inline]
    fn is_settled(&self, ending: &Ending<'_, impl StreamInfo>) -> bool {
        self.is_whole(ending)
            && match (self.server, self.is_rpc) {
                (None, _) | (Some(_), true) => true,
                (Some(_), false) => matches!(ending.status_code(), Some(100..=499)),
            }
    }

    /// Returns true if the response has come to its end: heard with headers or trailers, or nothing broke it off, or all of
    /// it has arrived before.
    #[inline]
    fn is_whole(&self, ending: &Ending<'_, impl StreamInfo>) -> bool {
        self.has_ended || ending.flags() == 0 || ending.is_received()
    }

    /// Returns true for the CLIENT span and for the SERVER span if it failed.
    #[inline]
    fn late_failures(&self, ending: &Ending<'_, impl StreamInfo>) -> [bool; 2] {
        let ended = match self.verdict {
            // A call is judged by its status, which has passed.
            Some(_) if self.server.is_none() || self.is_rpc => None,
            _ => self.ended_in_failure(ending),
        };
        let client = self.verdict.or(ended);
        let server = ended.or(self.verdict);
        let is_vouched = self.is_proven(ending)
            || client == Some(true) && (server == Some(true) || self.server.is_none());
        let is_broken = !(self.verdict.is_some() && is_vouched && self.is_whole(ending))
            && is_broken(ending, client.is_some());
        [client, server].map(|verdict| is_broken || verdict == Some(true))
    }

    /// Returns true if the client's answer, as it stands at the end, is a failure; `None` where it does not say, or where the
    /// client has none.
    #[inline]
    fn ended_in_failure(&self, ending: &Ending<'_, impl StreamInfo>) -> Option<bool> {
        let status_code = ending.status_code();
        let answer = HeardResponse {
            status_code,
            grpc_status: self.heard.grpc_status.clone(),
        };
        // A call whose response is over and has no status counts like one that broke off.
        let is_over = || self.is_rpc && status_code.is_some() && self.is_whole(ending);
        self.is_failure(&answer)
            .or_else(|| is_over().then_some(true))
    }

    /// Returns true if a response is a failure of the server; `None` where it does not say so far.
    #[inline]
    fn is_failure(&self, response: &HeardResponse) -> Option<bool> {
        if !self.is_rpc {
            return Some(response.status_code? >= 500);
        }
        // A gRPC call has its status at its end. A response without one has failed, except for a refusal that is the
        // caller's own fault (gRPC, "HTTP to gRPC Status Code Mapping").
        match (&response.grpc_status, response.status_code) {
            (Some(digits), _) => Some(rpc::is_servers_failure(digits)),
            (None, Some(200) | None) => None,
            (None, Some(401 | 403)) => Some(false),
            (None, Some(_)) => Some(true),
        }
    }
}

/// Returns true if the stream ended before its response did, or the proxy failed to get one.
#[inline]
fn is_broken(ending: &Ending<'_, impl StreamInfo>, is_answered: bool) -> bool {
    let flags = ending.flags();
    if flags == 0 {
        return !is_answered;
    }
    let status = ending.status_code();
    // A caller that goes away after the response has started has its answer. Before that the server has failed the
    // caller, and the CLIENT span is kept like the SERVER span so that the path to the server is whole.
    if flags & DOWNSTREAM_GONE != 0 {
        return status.is_none();
    }
    response_flags::failure(status, flags).is_some()
}
