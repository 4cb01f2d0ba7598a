//! JUnit XML, as Jenkins and GitLab read it: a suite for each file, and in it a case for each document.
//!
//! A case fails by the errors of its document, and with `--strict` by its warnings; otherwise warnings are its output.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::line::{count, line, place};
use crate::check::report::{Finding, Report};
use crate::check::results::Results;

/// Writes all files as one `testsuites`.
///
/// # Errors
/// When nothing can be written.
pub fn results(results: &Results, out: &mut impl Write) -> io::Result<()> {
    let mut writer = Writer::new_with_indent(&mut *out, b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites: Vec<_> = results
        .reports
        .iter()
        .map(|report| (report, cases(report, results.strict)))
        .collect();
    let all = suites.iter().flat_map(|(_, cases)| cases);
    let (tests, failures) = totals(all);
    writer
        .create_element("testsuites")
        .with_attributes([
            ("name", "sidespan check"),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", "0"),
        ])
        .write_inner_content(|writer| {
            for (report, cases) in &suites {
                suite(&report.file, cases, writer)?;
            }
            Ok(())
        })?;
    writeln!(out)
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

fn totals<'a>(cases: impl IntoIterator<Item = (&'a usize, &'a Case<'a>)>) -> (String, String) {
    let (mut tests, mut failures) = (0, 0);
    for (_, case) in cases {
        tests += 1;
        failures += usize::from(!case.failures.is_empty());
    }
    (tests.to_string(), failures.to_string())
}

fn suite<W: Write>(
    file: &str,
    cases: &BTreeMap<usize, Case<'_>>,
    writer: &mut Writer<W>,
) -> io::Result<()> {
    let (tests, failures) = totals(cases);
    let name = legal(file);
    writer
        .create_element("testsuite")
        .with_attributes([
            ("name", name.as_str()),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", "0"),
        ])
        .write_inner_content(|writer| {
            for (document, case) in cases {
                test_case(file, *document, case, writer)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn test_case<W: Write>(
    file: &str,
    document: usize,
    case: &Case<'_>,
    writer: &mut Writer<W>,
) -> io::Result<()> {
    let (name, file_name) = (legal(&case.name(document)), legal(file));
    let element = writer.create_element("testcase").with_attributes([
        ("classname", file_name.as_str()),
        ("name", &name),
        ("file", &file_name),
    ]);
    if case.failures.is_empty() && case.warnings.is_empty() {
        return element.write_empty().map(drop);
    }
    element
        .write_inner_content(|writer| {
            if let Some(first) = case.failures.first() {
                let summary = match case.failures.len() {
                    1 => place(first),
                    number => format!("{}, the first: {}", count(number, "error"), place(first)),
                };
                writer
                    .create_element("failure")
                    .with_attributes([("message", legal(&summary).as_str()), ("type", "error")])
                    .write_text_content(BytesText::new(&lines(file, &case.failures, "error")?))?;
            }
            if !case.warnings.is_empty() {
                writer
                    .create_element("system-out")
                    .write_text_content(BytesText::new(&lines(file, &case.warnings, "warning")?))?;
            }
            Ok(())
        })
        .map(drop)
}

impl Case<'_> {
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
    Ok(legal(&String::from_utf8_lossy(&text)))
}

/// Replaces the characters that XML 1.0 cannot have, escaped or not.
fn legal(text: &str) -> String {
    let is_legal = |character: char| {
        matches!(character, '\t' | '\n' | '\r' | '\u{20}'..)
            && !matches!(character, '\u{fffe}' | '\u{ffff}')
    };
    let legal = text.chars().map(|character| match is_legal(character) {
        true => character,
        false => char::REPLACEMENT_CHARACTER,
    });
    legal.collect()
}
