//! JUnit XML, as Jenkins and GitLab read it: a suite each of traces, expectations and probes.

use std::io::{self, Write};

use sidespan_sink::verify::{Finding, Verdict};

use super::report::Report;
use crate::junit::{self, Case, Suite};

/// Writes the report.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let traces = report.verdicts.iter().map(|it| trace(report, it));
    let expectations = report.outcomes.iter().map(|outcome| {
        let case = Case::new(
            "expectations",
            &format!("{} {}", outcome.at, outcome.expected),
        );
        if outcome.holds {
            return case;
        }
        let short = format!("expected {}", outcome.expected);
        case.failure(&short, &format!("{short}\nfound {}", outcome.found))
    });
    let probes = report.probes.iter().map(|probe| {
        let case = Case::new("probes", probe.format).output(probe.message.clone());
        match probe.survived {
            true => case,
            false => case.failure(&probe.message, &all(&probe.findings)),
        }
    });
    let suites: [(&str, Vec<Case>); 3] = [
        ("traces", traces.collect()),
        ("expectations", expectations.collect()),
        ("probes", probes.collect()),
    ];
    let suites = suites.map(|(name, cases)| Suite {
        name: name.into(),
        cases,
    });
    let suites: Vec<_> = suites
        .into_iter()
        .filter(|suite| !suite.cases.is_empty())
        .collect();
    junit::write("sidespan verify", &suites, out)
}

fn trace(report: &Report, verdict: &Verdict) -> Case {
    let title = report
        .titles
        .get(&verdict.trace_id)
        .map_or("", String::as_str);
    let first = verdict.findings.first();
    let fails = report.asks_for_whole && !report.is_fine(verdict);
    let case = Case::new("traces", &format!("{} {title}", verdict.trace_id));
    match first.filter(|_| fails) {
        Some(first) => case.failure(&short(first), &all(&verdict.findings)),
        None if fails => case,
        None => case.output(all(&verdict.findings)),
    }
}

fn short(finding: &Finding) -> String {
    let hop = finding.hop.as_ref();
    let hop = hop.map_or(String::new(), |hop| format!("{} -> {}: ", hop.from, hop.to));
    format!(
        "{hop}{}",
        finding
            .cause
            .map_or(finding.kind.name(), |cause| cause.name())
    )
}

fn all(findings: &[Finding]) -> String {
    let lines = findings
        .iter()
        .map(|it| format!("{}\ncure: {}\n", it.message, it.cure));
    lines.collect()
}
