//! The verdict on a response: failed or not, heard as it passes and once more at the end, where each side has its own. The
//! CLIENT span is judged by what has passed this filter, the SERVER span by what was logged as the client's answer
//! ([`HeardResponse`] says the same of sampled spans), and both where the proxy itself got no answer.

use super::pending::{Cause, Causes, PendingSpans, SpanOutcome};
use crate::proxy::Worker;
use crate::semconv::response_flags::{self, DOWNSTREAM_GONE};
use crate::semconv::rpc;
use crate::stream_info::heard::{HeardResponse, ResponsePart};
use crate::stream_info::outcome;
use crate::stream_info::source::{self, StreamInfo};

impl PendingSpans {
    /// Reads a part of the response. Returns true if it shows a failure; `None` where the verdict is still to come, or was
    /// given.
    #[inline]
    pub(super) fn hear(
        &mut self,
        part: ResponsePart,
        stream_info: &impl StreamInfo,
    ) -> Option<bool> {
        if self.verdict.is_some() {
            return None;
        }
        let heard = HeardResponse {
            status_code: match part {
                ResponsePart::Headers => outcome::status_code(stream_info),
                ResponsePart::Trailers => None,
            },
            grpc_status: match self.is_rpc {
                true => part.line(stream_info, "grpc-status"),
                false => None,
            },
        };
        self.heard.add(heard);
        let is_failure = match (self.is_failure(&self.heard), part) {
            // A call's last part without a status is a failure to give one.
            (None, ResponsePart::Trailers) => true,
            (verdict, _) => verdict?,
        };
        self.verdict = Some(is_failure);
        // A call's trailers come from the upstream: an answer of the proxy's own has its status in the headers. Of headers
        // the router's own time says so. What it does not vouch for may be an answer of the proxy under any code.
        self.is_proven = !is_failure
            && self.keep.errors
            && (part == ResponsePart::Trailers
                || stream_info
                    .response_header("x-envoy-upstream-service-time")
                    .is_some());
        self.verdict
    }

    /// Returns the causes that the end of the stream gives; `None` where it changes nothing. It takes back what the response
    /// said of the SERVER span where the client got another answer.
    #[inline]
    pub(super) fn late_causes(&mut self, proxy: &(impl StreamInfo + Worker)) -> Option<Causes> {
        if self.is_settled(proxy) {
            return None;
        }
        let failures = match self.keep.errors {
            true => self.late_failures(proxy),
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

    /// Returns true for a request that went well as far as it was heard, where nothing since can make it worse: nearly all
    /// requests end here.
    #[inline]
    fn is_settled(&self, stream_info: &impl StreamInfo) -> bool {
        let is_well = self.is_whole && self.is_proven && self.keep.slower_than.is_none();
        is_well
            && match (self.server, self.is_rpc) {
                (None, _) => true,
                (Some(_), true) => false,
                (Some(_), false) => {
                    let status = stream_info.response_header(":status");
                    matches!(status.as_deref(), Some([b'1'..=b'4', _, _]))
                }
            }
    }

    /// Returns true for the CLIENT span and for the SERVER span if it failed.
    #[inline]
    fn late_failures(&self, stream_info: &impl StreamInfo) -> [bool; 2] {
        let logged = match self.verdict {
            Some(_) if self.server.is_none() => None,
            _ => self.logged_failure(stream_info),
        };
        let client = self.verdict.or(logged);
        let server = logged.or(self.verdict);
        let is_vouched = self.is_proven
            || client == Some(true) && (server == Some(true) || self.server.is_none());
        let is_broken = !(self.is_whole && self.verdict.is_some() && is_vouched)
            && is_broken(stream_info, client.is_some());
        [client, server].map(|verdict| is_broken || verdict == Some(true))
    }

    /// Returns true if the client's answer, as it stands at the end, is a failure; `None` where it does not say, or where the
    /// client has none.
    #[inline]
    fn logged_failure(&self, stream_info: &impl StreamInfo) -> Option<bool> {
        if !self.is_rpc {
            let status_code = outcome::status_code(stream_info);
            return self.is_failure(&HeardResponse {
                status_code,
                grpc_status: None,
            });
        }
        let logged = match (outcome::grpc_status(stream_info), self.verdict) {
            (None, Some(_)) => return None,
            (grpc_status, _) => HeardResponse {
                status_code: outcome::status_code(stream_info),
                grpc_status,
            },
        };
        // A call whose response is over and has no status counts like one that broke off.
        let is_answered = logged.status_code.is_some() && self.is_whole;
        self.is_failure(&logged).or(is_answered.then_some(true))
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
fn is_broken(stream_info: &impl StreamInfo, is_answered: bool) -> bool {
    let flags = source::number(stream_info, "response\0flags").unwrap_or(0);
    if flags == 0 {
        return !is_answered;
    }
    let status = outcome::status_code(stream_info);
    // A caller that goes away after the response has started has its answer. Before that the server has failed the
    // caller, and the CLIENT span is kept like the SERVER span so that the path to the server is whole.
    if flags & DOWNSTREAM_GONE != 0 {
        return status.is_none();
    }
    response_flags::failure(status, flags).is_some()
}
