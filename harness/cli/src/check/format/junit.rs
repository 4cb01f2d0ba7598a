//! JUnit XML, as Jenkins and GitLab read it: a suite for each file, and in it a case for each document.
//!
//! A case fails by the errors of its document, and with `--strict` by its warnings; otherwise warnings are its output.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::line::{count, line, place};
use crate::check::report::{Finding, Report};
use crate::check::results::Results;
use crate::junit::{self, Suite};

/// Writes all files as one `testsuites`.
///
/// # Errors
/// When nothing can be written.
pub fn results(results: &Results, out: &mut impl Write) -> io::Result<()> {
    let mut suites = Vec::new();
    for report in &results.reports {
        let documents = cases(report, results.strict);
        let cases = documents
            .iter()
            .map(|(document, case)| case.to_junit(&report.file, *document));
        suites.push(Suite {
            name: report.file.clone(),
            cases: cases.collect::<io::Result<_>>()?,
        });
    }
    junit::write("sidespan check", &suites, out)
}

/// The result of one document.
#[derive(Default)]
struct Case<'a> {
    /// JSON path of the first valid configuration.
    path: Option<&'a str>,
    failures: Vec<&'a Finding>,
    warnings: Vec<&'a Finding>,
}

/// Returns the documents that have anything of ours, by their numbers; at least one.
fn cases(report: &Report, strict: bool) -> BTreeMap<usize, Case<'_>> {
    let mut cases: BTreeMap<usize, Case<'_>> = BTreeMap::new();
    for explained in &report.explanations {
        let case = cases.entry(explained.document).or_default();
        case.path.get_or_insert(&explained.path);
    }
    for finding in &report.errors {
        let case = cases.entry(finding.document).or_default();
        case.failures.push(finding);
    }
    for finding in &report.warnings {
        let case = cases.entry(finding.document).or_default();
        match strict {
            true => case.failures.push(finding),
            false => case.warnings.push(finding),
        }
    }
    if cases.is_empty() {
        cases.insert(1, Case::default());
    }
    cases
}

impl Case<'_> {
    fn to_junit(&self, file: &str, document: usize) -> io::Result<junit::Case> {
        let mut case = junit::Case::new(file, &self.name(document)).file(file);
        if let Some(first) = self.failures.first() {
            let summary = match self.failures.len() {
                1 => place(first),
                number => format!("{}, the first: {}", count(number, "error"), place(first)),
            };
            case = case.failure(&summary, &lines(file, &self.failures, "error")?);
        }
        match self.warnings.is_empty() {
            true => Ok(case),
            false => Ok(case.output(lines(file, &self.warnings, "warning")?)),
        }
    }

    /// Returns the resource where there is one, else the path of the configuration.
    fn name(&self, document: usize) -> String {
        let findings = || self.failures.iter().chain(&self.warnings);
        let resource = findings().find_map(|finding| finding.resource.as_deref());
        let is_one = findings().all(|finding| finding.resource.as_deref() == resource);
        let name = resource.filter(|_| is_one).or(self.path).unwrap_or("$");
        match document {
            0 | 1 => name.into(),
            _ => format!("document {document}: {name}"),
        }
    }
}

fn lines(file: &str, findings: &[&Finding], word: &str) -> io::Result<String> {
    let mut text = Vec::new();
    for finding in findings {
        line(file, finding, word, &mut text)?;
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}
