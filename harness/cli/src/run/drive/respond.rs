//! What the client gets: the upstream's response, or what the proxy answers in its place.

use sidespan_host::{Ending as HostEnding, Headers, LocalReply};

use super::carry::{self, Broken, Carriage, Piece};
use super::course::Course;
use super::replies;
use super::running::Drive;
use crate::run::convert::{add, fields};
use crate::run::framing::{self, Then};
use crate::run::passed::Passed;
use crate::run::pattern::Known;
use crate::run::refusal::Refusal;
use crate::run::scenario::{Ending, Protocol, Step};

/// Answers a request that has come to the upstream.
///
/// # Errors
/// When a header uses a name that stands for nothing.
pub(super) async fn respond(
    course: &Course<'_>,
    carriage: &mut Carriage,
    step: &Step,
    known: &Known,
) -> anyhow::Result<()> {
    course.pass_time(carriage, step.response.after.0).await?;
    let upstream = carriage.upstream_protocol;
    let reply = match step.ending {
        Ending::ClientAbort => return Ok(()),
        Ending::Complete | Ending::ResponseReset => None,
        Ending::UpstreamReset => Some(match upstream {
            Protocol::Http1 => (503, replies::TERMINATED_DETAILS, replies::TERMINATED),
            Protocol::Http2 => (
                503,
                "upstream_reset_before_response_started{remote_reset}",
                replies::RESET,
            ),
        }),
        Ending::ConnectFailure => Some((
            503,
            "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}",
            replies::AWAY,
        )),
        Ending::UpstreamTimeout => Some((504, "response_timeout", "upstream request timeout")),
    };
    match reply {
        Some((status, details, body)) => {
            let reply = LocalReply::new(status, details).body(body);
            let how = ending(step.ending, upstream);
            course.with(|drive| {
                carriage.fail(&mut drive.chain, how, reply);
                drive.take_logs();
            });
        }
        None => {
            let method = carriage.method();
            let method = method.as_deref().unwrap_or(&step.request.method);
            let mut pieces = response(step, upstream, method, known)?;
            // Envoy takes no body of a HEAD; over HTTP/1.1 servers send none.
            carriage.is_refused = method == "HEAD"
                && upstream == Protocol::Http2
                && !step.response.chunks().is_empty();
            if carriage.is_refused {
                carry::leave_headers(&mut pieces);
            }
            course.send(carriage, pieces).await?;
        }
    }
    course
        .settle(carriage, |carriage| {
            carriage.response.is_complete
                || carriage.is_refused
                || step.ending == Ending::ResponseReset
        })
        .await
}

impl Drive {
    /// Ends a request that no filter sees.
    ///
    /// # Errors
    /// When the stream has ended by itself.
    pub(super) fn refuse(
        &mut self,
        step: &Step,
        sent: Headers,
        refusal: Refusal,
    ) -> anyhow::Result<Passed> {
        let is_upgrade = sent.get("upgrade").is_some();
        let request = fields(&framing::arrive(self.protocol, sent));
        let (reply, is_of_codec) = match refusal {
            Refusal::Reset(details) => {
                return Ok(Passed {
                    request,
                    is_reset: true,
                    details: Some(details.into()),
                    flags: "DR".into(),
                    ..Passed::default()
                });
            }
            Refusal::Reply(reply, is_of_codec) => (reply, is_of_codec),
        };
        let mut carriage = Carriage::open(&mut self.chain, step, self.protocol);
        carriage.reply(&mut self.chain, reply);
        let then = match is_of_codec || is_upgrade {
            true => Then::Closed,
            false => Then::Kept,
        };
        let mut passed = carriage.end(&mut self.chain, HostEnding::Complete, request, then)?;
        self.take_logs();
        if is_of_codec {
            passed.flags = "DPE".into();
        }
        self.leave_for_client(&mut passed, step, then);
        Ok(passed)
    }

    /// Writes the response as Envoy's codec sends it to the client.
    pub(super) fn leave_for_client(&self, passed: &mut Passed, step: &Step, then: Then) {
        if let Some(message) = &mut passed.downstream {
            framing::leave_for_client(
                self.protocol,
                message,
                &step.request.method,
                passed.is_downstream_headers_only,
                then,
            );
        }
    }
}

/// Returns the upstream's response in pieces.
///
/// # Errors
/// When a header uses a name that stands for nothing.
fn response(
    step: &Step,
    upstream: Protocol,
    method: &str,
    known: &Known,
) -> anyhow::Result<Vec<Piece>> {
    let response = &step.response;
    let mut headers = Headers::from([(":status", response.status.to_string())]);
    add(&mut headers, &response.headers, known)?;
    let mut chunks = response.chunks();
    if method == "HEAD" && upstream == Protocol::Http1 {
        chunks.clear();
    }
    framing::answer(upstream, &mut headers, &chunks, method);
    let mut trailers = Headers::new();
    add(&mut trailers, &response.trailers, known)?;
    let mut pieces = carry::pieces(headers, &chunks, trailers, upstream);
    if step.ending == Ending::ResponseReset {
        carry::leave_open(&mut pieces);
    }
    Ok(pieces)
}

/// Returns the end of a stream as the host has it.
pub(super) fn ending(ending: Ending, upstream: Protocol) -> HostEnding {
    match (ending, upstream) {
        (Ending::Complete, _) => HostEnding::Complete,
        (Ending::ClientAbort, _) => HostEnding::ClientAbort,
        (Ending::UpstreamReset, Protocol::Http1) => HostEnding::UpstreamTermination,
        // A connection that closes within a body.
        (Ending::ResponseReset, Protocol::Http1) => HostEnding::UpstreamProtocolError,
        (Ending::UpstreamReset | Ending::ResponseReset, Protocol::Http2) => {
            HostEnding::UpstreamReset
        }
        (Ending::ConnectFailure, _) => HostEnding::ConnectFailure,
        (Ending::UpstreamTimeout, _) => HostEnding::UpstreamTimeout,
    }
}

/// Returns the end of a request that the upstream cannot read, and Envoy's answer. For trailers a server of HTTP/2 gives up the
/// connection.
pub(super) fn unreadable(part: Broken) -> (HostEnding, LocalReply) {
    let reply =
        |status, details, body: &str| LocalReply::new(status, details).body(body.as_bytes());
    match part {
        Broken::Headers | Broken::Body => (
            HostEnding::UpstreamProtocolError,
            reply(
                502,
                "upstream_reset_before_response_started{protocol_error}",
                replies::UNREADABLE,
            ),
        ),
        Broken::Trailers => (
            HostEnding::UpstreamTermination,
            reply(503, replies::TERMINATED_DETAILS, replies::TERMINATED),
        ),
    }
}
