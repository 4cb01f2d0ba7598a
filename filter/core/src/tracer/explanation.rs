//! The explanation of one decision, as one line of the debug log: ids, and the filter's own names for formats and reasons.
//! Nothing else that the request carried is in the line (`filter/README.md`, "Why …?").

use core::fmt;

use super::decide::Tracer;
use super::request_decision::RequestDecision;
use super::request_trace::RequestTrace;
use crate::headers::RequestHeaders;
use crate::propagation;
use crate::propagation::context::{Extracted, SamplingState};
use crate::propagation::format::Format;
use crate::propagation::{counters, extract};
use crate::sampling::decision::Verdict;

/// The line that explains the decision on one request.
#[derive(Debug)]
pub struct Explanation<'a> {
    tracer: &'a Tracer,
    headers: &'a RequestHeaders<'a>,
    request_trace: Option<&'a RequestTrace<'a>>,
    is_excluded: bool,
}

impl Tracer {
    /// Returns one line that explains the decision on a request.
    pub fn explain<'a>(
        &'a self,
        headers: &'a RequestHeaders<'a>,
        decision: RequestDecision,
        trace: &'a RequestTrace<'a>,
    ) -> Explanation<'a> {
        Explanation {
            tracer: self,
            headers,
            request_trace: decision.has_trace().then_some(trace),
            is_excluded: decision.is_excluded(),
        }
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("extracted ")?;
        if self.is_excluded {
            f.write_str("nothing (excluded)")?;
        } else {
            self.extracted(f)?;
        }
        f.write_str("; decision ")?;
        self.decision(f)?;
        f.write_str("; injected ")?;
        self.injected(f)?;
        let context = self
            .request_trace
            .and_then(|request_trace| request_trace.context);
        let Some(context) = context else {
            return Ok(());
        };
        write!(f, "; trace_id {}", Hex(&context.trace_id.to_hex()))?;
        if let Some(span_id) = context.span_id {
            write!(f, " span_id {}", Hex(&span_id.to_hex()))?;
        }
        if let Some(parent) = self
            .request_trace
            .and_then(|request_trace| request_trace.parent_span_id)
        {
            write!(f, " parent {}", Hex(&parent.to_hex()))?;
        }
        Ok(())
    }
}

impl Explanation<'_> {
    fn extracted(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for format in &self.tracer.propagation.extract {
            let answer = match extract::read(*format, self.headers) {
                Extracted::Absent => continue,
                answer => answer,
            };
            f.write_str(separator)?;
            f.write_str(format.name())?;
            match answer {
                Extracted::Malformed { refusal, .. } => {
                    let name = counters::refused(refusal).name();
                    let reason = name.rsplit('.').next().unwrap_or(name);
                    write!(f, " (malformed: {reason})")?;
                }
                Extracted::Decision(_) => f.write_str(" (no ids)")?,
                Extracted::Absent | Extracted::Context(_) => {}
            }
            separator = ", ";
        }
        match separator {
            _ if self
                .request_trace
                .is_some_and(|request_trace| request_trace.is_joined) =>
            {
                write!(f, "{separator}x-request-id")
            }
            "" => f.write_str("nothing"),
            _ => Ok(()),
        }
    }

    fn decision(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self
            .request_trace
            .map(|request_trace| (request_trace.decision, request_trace.context))
        {
            _ if self.is_excluded => f.write_str("dropped (exclude)"),
            Some((Some(decision), _)) => {
                let verdict = match decision.verdict {
                    Verdict::Record => "sampled",
                    Verdict::Drop => "dropped",
                };
                write!(f, "{verdict} ({})", decision.reason.name())
            }
            Some((None, Some(context))) if context.sampling != SamplingState::Deferred => {
                f.write_str("passed on as it came")
            }
            _ => f.write_str("none"),
        }
    }

    fn injected(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(request_trace) = self.request_trace else {
            return f.write_str("nothing");
        };
        let propagation = &self.tracer.propagation;
        let is_written = |format: &Format| {
            let is_wanted = propagation.inject.contains(format)
                || (propagation.mirror && request_trace.present.contains(*format));
            is_wanted && propagation::inject::can_write(*format, &request_trace.outgoing())
        };
        let mut separator = "";
        for format in Format::ALL.iter().filter(|format| is_written(format)) {
            write!(f, "{separator}{}", format.name())?;
            separator = ", ";
        }
        if separator.is_empty() {
            f.write_str("nothing")?;
        }
        Ok(())
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(self.0).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
