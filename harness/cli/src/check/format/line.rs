//! The lines of text that all forms of the output share: a finding, the verdict on a file, and the last line.

use std::fmt::Display;
use std::io::{self, Write};

use crate::check::report::{Finding, Report};
use crate::check::results::Results;

/// Writes a finding as one line: file, line or document, word, resource, path, message.
pub(in crate::check) fn line(
    file: &str,
    finding: &Finding,
    word: impl Display,
    out: &mut impl Write,
) -> io::Result<()> {
    write!(out, "{file}:")?;
    match (finding.line, finding.document) {
        (Some(line), _) => write!(out, "{line}:")?,
        (None, 0 | 1) => {}
        (None, document) => write!(out, " document {document}:")?,
    }
    writeln!(out, " {word}: {}", place(finding))
}

/// Returns resource, path and message.
pub(super) fn place(finding: &Finding) -> String {
    let resource = finding.resource.as_ref();
    let resource = resource.map(|resource| format!("{resource}: "));
    format!(
        "{}{}: {}",
        resource.unwrap_or_default(),
        finding.path,
        finding.message
    )
}

/// Returns the verdict on a file; `None` where the findings say all.
pub(in crate::check) fn verdict(report: &Report, strict: bool) -> Option<String> {
    let counted = match (report.configurations, report.settings) {
        _ if report.is_unread => return None,
        (0, 0) if report.errors.is_empty() => return None,
        (configurations, 0) => count(configurations, "configuration"),
        (0, settings) => count(settings, "setting") + " of others",
        (configurations, settings) => format!(
            "{}, {} of others",
            count(configurations, "configuration"),
            count(settings, "setting")
        ),
    };
    let warnings = if strict { report.warnings.len() } else { 0 };
    let wrong: Vec<_> = [(report.errors.len(), "error"), (warnings, "warning")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| count(number, word))
        .collect();
    Some(match wrong.as_slice() {
        [] => format!("{}: fine, {counted}", report.file),
        wrong => format!(
            "{}: not valid, {counted}, {}",
            report.file,
            wrong.join(", ")
        ),
    })
}

/// Returns the last line: that warnings were errors; `None` where there is nothing to say of them.
pub(in crate::check) fn strictness(results: &Results) -> Option<String> {
    let warnings: usize = results
        .reports
        .iter()
        .map(|report| report.warnings.len())
        .sum();
    (results.strict && warnings > 0).then(|| {
        let verb = if warnings == 1 { "counts" } else { "count" };
        format!(
            "not valid: with --strict {} {verb} as {}",
            count(warnings, "warning"),
            if warnings == 1 { "an error" } else { "errors" }
        )
    })
}

/// Returns a number and its word.
pub(super) fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
