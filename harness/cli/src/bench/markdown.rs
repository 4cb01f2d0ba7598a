//! The tables as Markdown for a README, with the machine, the date, the command and the figures of all candidates.

use std::fmt::Write as _;

use super::report::Report;
use super::table::{Table, cost, speed};

/// Returns the whole report as Markdown.
pub(super) fn text(report: &Report) -> String {
    let at = &report.surroundings;
    let mut out = format!(
        "`{}`, {}: {}, {}; Envoy {} with one worker, Sidespan {}, {} with {} connections over HTTP/1.1.\n",
        at.command,
        at.date,
        at.processor(),
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
    let mut group = None;
    for row in &table.rows {
        if group.replace(row.group) != Some(row.group) {
            let empty = " |".repeat(table.headings.len());
            let _ = writeln!(out, "| **{}** |{empty}", row.group.title());
        }
        let _ = writeln!(out, "| {} | {} |", row.title, row.cells.join(" | "));
    }
}

/// Returns the length of the first character, in bytes.
fn first(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

fn capital(text: &str) -> String {
    text.chars().take(1).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn every_row_has_every_column() {
        let text = text(&report(&[
            ("no-tracing", &[32.0, 30.0]),
            ("native-otel", &[54.0, 50.0]),
            ("sidespan-100-w3c", &[41.0, 40.0]),
        ]));
        let row = "| 100 %, writes traceparent | 40.00 | 10.00 | 10.00 | 9.50 | 0.50 | - | - | - |";
        assert!(text.contains(row), "{text}");
        assert!(text.contains("Fri, 20 Nov 2026") && text.contains("`sidespan bench --envoy`"));
        let processor = "A processor (family 25, model 17), 2 cores";
        assert_eq!(text.matches(processor).count(), 3, "{text}");
        let tables: Vec<_> = text
            .split("\n\n")
            .filter(|part| part.starts_with('|'))
            .collect();
        assert_eq!(tables.len(), 2, "{text}");
        for table in tables {
            let columns = |line: &str| line.matches('|').count();
            let widths: Vec<_> = table.lines().map(columns).collect();
            assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
        }
    }
}
