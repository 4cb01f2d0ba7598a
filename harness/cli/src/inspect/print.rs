//! The report for people.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::report::Report;
use crate::terminal::clean;

/// Returns the reports, one below the other.
pub(super) fn text(reports: &[Report]) -> String {
    let mut out = String::new();
    for (index, report) in reports.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        write(&mut out, report);
    }
    out
}

/// Writes one report. A failure to write into a string cannot happen, so results of `writeln!` are dropped.
fn write(out: &mut String, report: &Report) {
    let _ = writeln!(out, "{BOLD}{}{BOLD:#}", clean(&report.file));
    match report.loads {
        true => {
            let needs = report
                .needs_envoy
                .map_or("1.36 (the oldest tried)", |version| version);
            row(
                out,
                "Envoy",
                &format!("{GOOD}loads it{GOOD:#}, from {needs} on"),
            );
        }
        false => {
            row(
                out,
                "Envoy",
                &format!("{BAD}refuses it{BAD:#}; its log says"),
            );
            for line in &report.envoy_says {
                row(out, "", &clean(line));
            }
            if let Some(cause) = &report.cause {
                row(out, "because", &clean(cause));
            }
        }
    }
    if let Some(abi) = &report.abi {
        row(out, "ABI", abi);
    }
    let language = report.origin.language.unwrap_or("not known");
    let sdk = report
        .origin
        .sdk
        .map_or("no SDK that is known", |sdk| sdk.name());
    row(out, "made with", &format!("{language}, {sdk}"));
    if !report.producers.is_empty() {
        row(out, "tools", &clean(&report.producers.join(", ")));
    }
    let size = &report.size;
    row(
        out,
        "size",
        &format!(
            "{} KiB ({} gzipped): {} functions in {} KiB of code, {} KiB of data, {} KiB of names and debug information",
            kibibytes(size.module),
            kibibytes(size.gzipped),
            size.functions,
            kibibytes(size.code),
            kibibytes(size.data),
            kibibytes(size.debug),
        ),
    );
    if let Some(memory) = &report.memory {
        let most = memory.maximum_pages.map_or("no limit".to_owned(), |pages| {
            format!("at most {} KiB", pages * 64)
        });
        row(
            out,
            "memory",
            &format!("{} KiB at the start, {most}", memory.initial_pages * 64),
        );
    }
    row(out, "allocator", report.allocator.unwrap_or("none"));
    for (index, callback) in report.callbacks.iter().enumerate() {
        let name = if index == 0 { "callbacks" } else { "" };
        row(
            out,
            name,
            &format!("{:<40} {}", callback.name, callback.called),
        );
    }
    list(out, "imports", &report.imports);
    list(out, "exports", &report.other_exports);
    for finding in &report.findings {
        let _ = writeln!(out, "  {WARN}note{WARN:#} {}", clean(&finding.what));
        let _ = writeln!(out, "       {}", finding.advice);
    }
}

fn list(out: &mut String, name: &str, values: &[String]) {
    if !values.is_empty() {
        row(out, name, &clean(&values.join(" ")));
    }
}

fn row(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "  {name:<10} {value}");
}

/// Returns bytes in KiB, rounded up, so that nothing that is there is shown as nothing.
fn kibibytes(bytes: usize) -> usize {
    bytes.div_ceil(1024)
}

const BOLD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default();
