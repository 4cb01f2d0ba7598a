//! What is found: verdicts, expectations, and how far probes came.

use std::collections::HashMap;

use serde::Serialize;
use sidespan_sink::verify::{Finding, FindingKind, Severity, Verdict, write_verdict};
use sidespan_sink::{SpanKind, StoredSpan};

/// The outcome of one expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Outcome {
    /// The place in the file, as `traces[0].spans[1]`.
    pub(super) at: String,
    /// True if it is met.
    pub(super) holds: bool,
    /// What must be there, in words.
    pub(super) expected: String,
    /// What is there.
    pub(super) found: String,
    /// True if later spans can change it from met to not met.
    #[serde(skip)]
    pub(super) can_break: bool,
}

/// How far the context of a probe came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Probed {
    /// The format of the context.
    pub(super) format: &'static str,
    /// The id that was sent.
    pub(super) trace_id: String,
    /// The status of the answer; `None` without one.
    pub(super) status: Option<u16>,
    /// The reason for which there is no answer.
    pub(super) error: Option<String>,
    /// True if the context came in, and every service behind has it.
    pub(super) survived: bool,
    /// The hops with the id that was sent, in the order of their start.
    pub(super) hops: Vec<String>,
    /// What became of the context, in words.
    pub(super) message: String,
    /// What is wrong behind the place where it came in, or with it.
    pub(super) findings: Vec<Finding>,
}

/// Everything that a run has found.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) verdicts: Vec<Verdict>,
    /// Descriptions of the traces, by id.
    pub(super) titles: HashMap<String, String>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) probes: Vec<Probed>,
    pub(super) is_strict: bool,
    /// True if the wholeness of traces counts.
    pub(super) asks_for_whole: bool,
    /// True if at least one trace must be there.
    pub(super) asks_for_some: bool,
    /// True if every probe must survive, and not only one.
    pub(super) asks_for_every_probe: bool,
}

impl Report {
    /// Returns true if a trace is as it must be.
    pub(super) fn is_fine(&self, verdict: &Verdict) -> bool {
        match self.is_strict {
            true => verdict.findings.is_empty(),
            false => verdict.is_whole(),
        }
    }

    /// Returns true if everything is as it must be.
    pub(super) fn holds(&self) -> bool {
        let traces = !self.asks_for_whole || self.verdicts.iter().all(|it| self.is_fine(it));
        let some = !self.asks_for_some || !self.verdicts.is_empty();
        let mut survived = self.probes.iter().map(|probe| probe.survived);
        let probes = match self.asks_for_every_probe {
            true => survived.all(|it| it),
            false => self.probes.is_empty() || survived.any(|it| it),
        };
        traces && some && probes && self.outcomes.iter().all(|outcome| outcome.holds)
    }

    /// Returns true if no later span can change that everything is as it must be.
    pub(super) fn is_settled(&self) -> bool {
        !self.asks_for_whole && self.outcomes.iter().all(|outcome| !outcome.can_break)
    }

    /// Returns one object, in one line.
    pub(super) fn json(&self) -> String {
        let verdicts: Vec<String> = self.verdicts.iter().map(write_verdict).collect();
        let broken = self.verdicts.iter().filter(|it| !it.is_whole()).count();
        // Texts, numbers and lists of them always become JSON.
        let list = |json: serde_json::Result<String>| json.unwrap_or_default();
        format!(
            "{{\"holds\":{},\"counts\":{{\"traces\":{},\"broken\":{broken}}},\"traces\":[{}],\"expectations\":{},\"probes\":{}}}",
            self.holds(),
            self.verdicts.len(),
            verdicts.join(","),
            list(serde_json::to_string(&self.outcomes)),
            list(serde_json::to_string(&self.probes)),
        )
    }
}

/// Makes a missing caller outside a warning: that of a request which nothing here seems to have sent.
pub(super) fn forgive_outside(verdicts: &mut [Verdict], traces: &[Vec<StoredSpan>]) {
    let kinds: HashMap<&str, SpanKind> = traces
        .iter()
        .flatten()
        .map(|span| (span.span_id.as_str(), span.kind))
        .collect();
    let is_asked = |id: &String| {
        let kind = kinds.get(id.as_str());
        matches!(kind, Some(SpanKind::Server | SpanKind::Consumer))
    };
    for finding in verdicts
        .iter_mut()
        .flat_map(|verdict| &mut verdict.findings)
    {
        if finding.kind == FindingKind::MissingParent && finding.span_ids.iter().all(is_asked) {
            finding.severity = Severity::Warning;
        }
    }
}

/// Returns a trace in a few words: its first span.
pub(super) fn title(trace: &[StoredSpan]) -> String {
    let first = trace
        .iter()
        .min_by_key(|span| (span.parent_span_id.is_some(), span.start_unix_nanos));
    first.map_or(String::new(), |span| {
        format!("{} {}", span.service(), span.name)
    })
}
