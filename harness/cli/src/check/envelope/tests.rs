//! The envelope of each kind: tables of a change in a right resource, and what `check` says of it.

use std::io;

use crate::check::{CheckArgs, check_file, run_to};

mod envoy_filter;
mod extension;
mod image;
mod other_products;
mod secrets;
mod telemetry;

/// Returns the exit code, and errors and warnings, one a line.
fn told(text: &str) -> (u8, Vec<String>) {
    let report = check_file("-", text.as_bytes());
    let errors = report.errors.iter().map(|finding| ("error", finding));
    let warnings = report.warnings.iter().map(|finding| ("warning", finding));
    let lines = errors
        .chain(warnings)
        .map(|(word, finding)| format!("{word}: {}: {}", finding.path, finding.message))
        .collect();
    (exit_code(text), lines)
}

/// Returns the exit code of the program for a file with this text.
fn exit_code(text: &str) -> u8 {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("resource.yaml");
    std::fs::write(&file, text).unwrap();
    let args = CheckArgs {
        files: vec![file],
        ..CheckArgs::default()
    };
    let code = format!("{:?}", run_to(&args, &mut io::sink()).unwrap());
    (0..=2)
        .find(|code_is| code == format!("{:?}", std::process::ExitCode::from(*code_is)))
        .unwrap()
}

/// Rows: a part of a right resource, its replacement, and what `check` then says, errors first; no word where the
/// resource is right, too.
fn says(resource: &str, rows: &[(&str, &str, &[&str])]) {
    assert_eq!(told(resource), (0, vec![]), "{resource}");
    for (from, to, expected) in rows {
        assert!(resource.contains(from), "{from}");
        let text = resource.replacen(from, to, 1);
        let (code, lines) = told(&text);
        assert_eq!(lines, *expected, "{text}");
        let has_error = expected.iter().any(|line| line.starts_with("error"));
        assert_eq!(code, u8::from(has_error), "{text}");
    }
}
