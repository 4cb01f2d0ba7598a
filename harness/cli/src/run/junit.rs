//! JUnit XML: a suite for each file, and in it a case for each scenario.

use std::io::{self, Write};

use super::report::{Failure, Report, Unrun};
use crate::junit::{self, Case, Suite};

/// Writes all reports, and an error for each file that could not be run.
///
/// # Errors
/// When nothing can be written.
pub(super) fn write(reports: &[Report], errors: &[Unrun], out: &mut impl Write) -> io::Result<()> {
    let mut suites: Vec<Suite> = Vec::new();
    let mut add = |file: &str, case: Case| match suites.iter_mut().find(|suite| suite.name == file)
    {
        Some(suite) => suite.cases.push(case),
        None => suites.push(Suite {
            name: file.into(),
            cases: vec![case],
        }),
    };
    for report in reports {
        let case = Case::new(&report.file, &report.scenario).file(&report.file);
        let case = match report.failures.first() {
            None => case,
            Some(first) => {
                let all: Vec<_> = report.failures.iter().map(text).collect();
                case.failure(&format!("{} is not as expected", first.at), &all.join("\n"))
            }
        };
        add(&report.file, case);
    }
    for error in errors {
        let file = error.file.as_deref().unwrap_or("the built-in filter");
        let case = Case::new(file, "cannot be run").file(file);
        add(file, case.error(&error.message));
    }
    junit::write("sidespan run", &suites, out)
}

fn text(failure: &Failure) -> String {
    let Failure {
        at,
        expected,
        found,
        diff,
    } = failure;
    match diff {
        Some(diff) => format!("{at}\n{diff}"),
        None => format!("{at}\nexpected {expected}\nfound    {found}\n"),
    }
}
