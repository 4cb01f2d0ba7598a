//! The tables as Markdown, for a README: with the machine, the day and the command, and with everyone's figures.

use std::fmt::Write as _;

use super::report::Report;
use super::table::{Table, cost, speed};

/// Returns the whole text.
pub(super) fn text(report: &Report) -> String {
    let at = &report.surroundings;
    let mut out = format!(
        "`{}`, {}: {}, {} cores, {}; Envoy {} with one worker, Sidespan {}, {} with {} connections over HTTP/1.1.\n",
        at.command,
        at.date,
        at.cpu,
        at.cores,
        at.kernel,
        sidespan_envoy::VERSION,
        env!("CARGO_PKG_VERSION"),
        at.h2load,
        report.connections,
    );
    for table in [cost(report), speed(report)] {
        append(&mut out, &table);
    }
    out
}

fn append(out: &mut String, table: &Table) {
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "\n{}{}.\n",
        capital(&table.title),
        &table.title[first(&table.title)..]
    );
    let _ = writeln!(out, "| | {} |", table.headings.join(" | "));
    let _ = writeln!(out, "|---|{}", "---:|".repeat(table.headings.len()));
    for row in &table.rows {
        let title = format!("{}: {}", row.group.title(), row.title);
        let _ = writeln!(out, "| {title} | {} |", row.cells.join(" | "));
    }
}

/// How long the first letter is.
fn first(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

fn capital(text: &str) -> String {
    text.chars().take(1).flat_map(char::to_uppercase).collect()
}
