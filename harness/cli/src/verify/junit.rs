//! JUnit XML, as Jenkins and GitLab read it: a suite each of traces, expectations and probes.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use sidespan_sink::verify::{Finding, Verdict};

use super::report::Report;

/// One case.
struct Case {
    name: String,
    /// The failure in short and in full.
    failure: Option<(String, String)>,
    output: String,
}

/// Writes the report.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let traces = report.verdicts.iter().map(|it| trace(report, it));
    let expectations = report.outcomes.iter().map(|outcome| Case {
        name: format!("{} {}", outcome.at, outcome.expected),
        failure: (!outcome.holds).then(|| {
            let short = format!("expected {}", outcome.expected);
            (short.clone(), format!("{short}\nfound {}", outcome.found))
        }),
        output: String::new(),
    });
    let probes = report.probes.iter().map(|probe| Case {
        name: probe.format.to_owned(),
        failure: (!probe.survived).then(|| (probe.message.clone(), all(&probe.findings))),
        output: probe.message.clone(),
    });
    let suites: [(&str, Vec<Case>); 3] = [
        ("traces", traces.collect()),
        ("expectations", expectations.collect()),
        ("probes", probes.collect()),
    ];
    let suites: Vec<_> = suites
        .into_iter()
        .filter(|(_, cases)| !cases.is_empty())
        .collect();
    let mut writer = Writer::new_with_indent(&mut *out, b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let (tests, failures) = totals(suites.iter().flat_map(|(_, cases)| cases));
    writer
        .create_element("testsuites")
        .with_attributes([
            ("name", "sidespan verify"),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", "0"),
        ])
        .write_inner_content(|writer| {
            for (name, cases) in &suites {
                suite(name, cases, writer)?;
            }
            Ok(())
        })?;
    writeln!(out)
}

fn trace(report: &Report, verdict: &Verdict) -> Case {
    let title = report
        .titles
        .get(&verdict.trace_id)
        .map_or("", String::as_str);
    let first = verdict.findings.first();
    let fails = report.asks_for_whole && !report.is_fine(verdict);
    Case {
        name: format!("{} {title}", verdict.trace_id),
        failure: first
            .filter(|_| fails)
            .map(|first| (short(first), all(&verdict.findings))),
        output: if fails {
            String::new()
        } else {
            all(&verdict.findings)
        },
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

fn totals<'a>(cases: impl IntoIterator<Item = &'a Case>) -> (String, String) {
    let (mut tests, mut failures) = (0, 0);
    for case in cases {
        tests += 1;
        failures += usize::from(case.failure.is_some());
    }
    (tests.to_string(), failures.to_string())
}

fn suite<W: Write>(name: &str, cases: &[Case], writer: &mut Writer<W>) -> io::Result<()> {
    let (tests, failures) = totals(cases);
    writer
        .create_element("testsuite")
        .with_attributes([
            ("name", name),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", "0"),
        ])
        .write_inner_content(|writer| {
            for case in cases {
                test_case(name, case, writer)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn test_case<W: Write>(suite: &str, case: &Case, writer: &mut Writer<W>) -> io::Result<()> {
    let name = legal(&case.name);
    let element = writer
        .create_element("testcase")
        .with_attributes([("classname", suite), ("name", &name)]);
    if case.failure.is_none() && case.output.is_empty() {
        return element.write_empty().map(drop);
    }
    element
        .write_inner_content(|writer| {
            if let Some((short, full)) = &case.failure {
                writer
                    .create_element("failure")
                    .with_attributes([("message", legal(short).as_str()), ("type", "error")])
                    .write_text_content(BytesText::new(&legal(full)))?;
            }
            if !case.output.is_empty() {
                writer
                    .create_element("system-out")
                    .write_text_content(BytesText::new(&legal(&case.output)))?;
            }
            Ok(())
        })
        .map(drop)
}

/// Replaces what XML cannot hold.
fn legal(text: &str) -> String {
    let is_legal = |letter: char| {
        matches!(letter, '\t' | '\n' | '\r' | '\u{20}'..)
            && !matches!(letter, '\u{fffe}' | '\u{ffff}')
    };
    let legal = text.chars().map(|letter| match is_legal(letter) {
        true => letter,
        false => char::REPLACEMENT_CHARACTER,
    });
    legal.collect()
}
