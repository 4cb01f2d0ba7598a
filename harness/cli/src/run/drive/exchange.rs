//! One exchange from its start to its end.

use std::time::Duration;

use sidespan_host::{Ending as HostEnding, Headers};

use super::carry::{self, Carriage};
use super::course::Course;
use super::respond;
use crate::run::convert::{add, fields, request_headers};
use crate::run::framing::{self, Then};
use crate::run::passed::Passed;
use crate::run::pattern::Known;
use crate::run::refusal;
use crate::run::scenario::{Ending, Step};

/// Sends a request at its time, and its response back.
///
/// # Errors
/// When a header uses a name that stands for nothing, or an export cannot be read.
pub(super) async fn run(
    course: &Course<'_>,
    start: Duration,
    step: &Step,
    known: &Known,
) -> anyhow::Result<Passed> {
    course.until(start).await;
    let (protocol, upstream_protocol) =
        course.with(|drive| (drive.protocol, drive.upstream_protocol));
    let sent = request_headers(&step.request, known)?;
    if let Some(refusal) = refusal::of(protocol, &sent) {
        return course.with(|drive| drive.refuse(step, sent, refusal));
    }
    let asks_to_close = sent.joined("connection").is_some_and(|it| it == b"close");
    let headers = framing::arrive(protocol, sent);
    let mut trailers = Headers::new();
    add(&mut trailers, &step.request.trailers, known)?;
    let request = fields(&headers);
    let pieces = carry::pieces(headers, &step.request.chunks(), trailers, protocol);
    let mut carriage = course.with(|drive| Carriage::open(&mut drive.chain, step, protocol));
    carriage.upstream_protocol = upstream_protocol;
    course.send(&mut carriage, pieces).await?;
    course
        .settle(&mut carriage, |carriage| carriage.request.is_complete)
        .await?;
    let broken = carriage.request.broken.map(respond::unreadable);
    let broken_ending = broken.as_ref().map(|(how, _)| *how);
    if let Some((how, reply)) = broken.filter(|_| !carriage.is_over()) {
        course.with(|drive| carriage.fail(&mut drive.chain, how, reply));
        course
            .settle(&mut carriage, |carriage| carriage.response.is_complete)
            .await?;
    }
    let is_answered = carriage.is_over();
    if carriage.request.is_complete && !is_answered {
        respond::respond(course, &mut carriage, step, known).await?;
    }
    // The client waits no longer for what the filters hold back.
    let is_held = !is_answered && !carriage.response.is_complete;
    let ending = broken_ending.unwrap_or_else(|| match step.ending {
        Ending::Complete if carriage.is_refused => HostEnding::UpstreamProtocolError,
        Ending::Complete if is_held && !carriage.is_over() => HostEnding::ClientAbort,
        ending => respond::ending(ending, upstream_protocol),
    });
    let then = match asks_to_close || carriage.is_answered_early() {
        true => Then::Closed,
        false => Then::Kept,
    };
    course.with(|drive| {
        let mut passed = carriage.end(&mut drive.chain, ending, request, then)?;
        if let Some(message) = &mut passed.upstream {
            framing::leave_for_upstream(
                upstream_protocol,
                message,
                passed.is_upstream_headers_only,
            );
        }
        drive.leave_for_client(&mut passed, step, then);
        drive.take_logs();
        drive.answer_calls()?;
        Ok(passed)
    })
}
