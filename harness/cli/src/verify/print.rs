//! The report for people: each broken hop once, with the traces that it broke.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use sidespan_sink::verify::{Finding, FindingKind, Severity};

use super::report::{Probed, Report};
use crate::terminal::clean;

/// Returns the report; `limit` is the number of traces at which the search ended.
pub(super) fn text(report: &Report, limit: usize) -> String {
    let mut out = String::new();
    for fault in faults(report) {
        fault.write(&mut out, report);
    }
    for outcome in report.outcomes.iter().filter(|outcome| !outcome.holds) {
        let at = clean(&outcome.at);
        let _ = writeln!(out, "{BAD}not as expected{BAD:#}: {at}");
        let _ = writeln!(out, "  expected {}", clean(&outcome.expected));
        let _ = writeln!(out, "  found    {}", clean(&outcome.found));
    }
    for probe in &report.probes {
        probed(&mut out, probe);
    }
    if report.probes.is_empty() {
        summary(&mut out, report, limit);
    }
    out
}

/// One fault, and the traces that have it.
struct Fault<'a> {
    first: &'a Finding,
    traces: Vec<&'a str>,
}

/// Returns the faults, those of most traces first, and errors before warnings.
fn faults(report: &Report) -> Vec<Fault<'_>> {
    let mut faults: Vec<Fault<'_>> = Vec::new();
    for verdict in &report.verdicts {
        for finding in &verdict.findings {
            let key = |it: &Finding| (it.kind, it.severity, it.cause);
            let same = |fault: &&mut Fault<'_>| {
                key(fault.first) == key(finding) && fault.first.hop == finding.hop
            };
            let trace = verdict.trace_id.as_str();
            match faults.iter_mut().find(same) {
                Some(fault) if fault.traces.last() == Some(&trace) => {}
                Some(fault) => fault.traces.push(trace),
                None => faults.push(Fault {
                    first: finding,
                    traces: vec![trace],
                }),
            }
        }
    }
    faults.sort_by_key(|fault| {
        (
            fault.first.severity,
            fault.first.kind,
            usize::MAX - fault.traces.len(),
        )
    });
    faults
}

impl Fault<'_> {
    fn write(&self, out: &mut String, report: &Report) {
        head(out, self.first);
        let message = clean(&self.first.message);
        // The hop stands in the line above.
        let place = self
            .first
            .hop
            .as_ref()
            .map(|hop| format!("{} -> {}: ", clean(&hop.from), clean(&hop.to)));
        let message = place
            .and_then(|place| message.strip_prefix(&place).map(str::to_owned))
            .unwrap_or(message);
        let _ = writeln!(out, "  {message}");
        let _ = writeln!(out, "  {CURE}cure{CURE:#}: {}", clean(&self.first.cure));
        for trace in self.traces.iter().take(SHOWN) {
            let title = report.titles.get(*trace).map_or("", String::as_str);
            let _ = writeln!(out, "  {trace}  {}", clean(title));
        }
        if self.traces.len() > SHOWN {
            let _ = writeln!(out, "  and {} more traces", self.traces.len() - SHOWN);
        }
        out.push('\n');
    }
}

/// Writes hop and cause, by which a reader knows at once where to look.
fn head(out: &mut String, finding: &Finding) {
    let style = match finding.severity {
        Severity::Error => BAD,
        Severity::Warning => ODD,
    };
    let hop = finding
        .hop
        .as_ref()
        .map(|hop| format!("{} -> {}", clean(&hop.from), clean(&hop.to)));
    let what = match finding.cause {
        Some(cause) if finding.kind == FindingKind::BrokenHop => cause.name().to_owned(),
        Some(cause) if cause.name() != finding.kind.name() => {
            format!("{}, {}", finding.kind.name(), cause.name())
        }
        _ => finding.kind.name().to_owned(),
    };
    let warning = match finding.severity {
        Severity::Error => "",
        Severity::Warning => " (warning)",
    };
    let place = hop.map_or(String::new(), |hop| format!("{hop}: "));
    let _ = writeln!(
        out,
        "{style}{place}{}{style:#}{warning}",
        what.replace('_', " ")
    );
}

fn probed(out: &mut String, probe: &Probed) {
    let style = if probe.survived { GOOD } else { BAD };
    let state = if probe.survived { "survived" } else { "lost" };
    let status = probe
        .status
        .map_or("no answer".to_owned(), |status| status.to_string());
    let _ = writeln!(
        out,
        "{style}{:<14} {state:<8}{style:#} {status}  trace {}",
        probe.format, probe.trace_id
    );
    let _ = writeln!(out, "  {}", clean(&probe.message));
    for finding in &probe.findings {
        out.push_str("  ");
        head(out, finding);
        let _ = writeln!(out, "    {}", clean(&finding.message));
        let _ = writeln!(out, "    {CURE}cure{CURE:#}: {}", clean(&finding.cure));
    }
}

fn summary(out: &mut String, report: &Report, limit: usize) {
    let traces = report.verdicts.len();
    let broken = report.verdicts.iter().filter(|it| !it.is_whole()).count();
    let warned = report
        .verdicts
        .iter()
        .filter(|it| it.is_whole() && !it.findings.is_empty())
        .count();
    let (style, state) = match (report.holds(), broken) {
        _ if traces == 0 => (
            if report.holds() { GOOD } else { BAD },
            "no trace is found".to_owned(),
        ),
        (_, 0) => (GOOD, format!("{} whole", counted(traces, "trace"))),
        (_, broken) => (
            BAD,
            format!("{broken} of {} broken", counted(traces, "trace")),
        ),
    };
    let _ = write!(out, "{style}{state}{style:#}");
    if warned > 0 {
        let _ = write!(out, ", {warned} with warnings alone");
    }
    let expected = report.outcomes.len();
    if expected > 0 {
        let held = report.outcomes.iter().filter(|it| it.holds).count();
        let _ = write!(
            out,
            ", {held} of {}",
            counted(expected, "expectation") + " met"
        );
    }
    if traces == limit {
        let _ = write!(out, "; the {limit} newest, --limit looks at more");
    }
    out.push('\n');
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

const BAD: Style = AnsiColor::Red.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const CURE: Style = Style::new().dimmed();
/// The traces of one fault that are listed.
const SHOWN: usize = 5;
