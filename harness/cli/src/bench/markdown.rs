//! The claims and the tables as Markdown for a README, with the processor, the date, the command and all figures.
//!
//! A README has a block for each processor that the figures were measured on, between two comments. A run writes the block
//! of its own processor and leaves the others.

use std::fmt::Write as _;

use super::claims;
use super::report::Report;
use super::table::{Table, cost, speed};

/// Returns the content of a file after this run: a file with blocks has the report in that of this processor, or in a new one
/// behind the last; any other is the report alone.
pub(super) fn placed(existing: &str, report: &Report) -> String {
    let processor = report.surroundings.processor();
    let begin = format!("{MARK}{processor} -->\n");
    let block = format!("{begin}\n{}\n{END}", text(report));
    if let Some((before, rest)) = existing.split_once(&begin)
        && let Some((_, after)) = rest.split_once(END)
    {
        return format!("{before}{block}{after}");
    }
    match existing.rsplit_once(END) {
        Some((before, after)) => format!("{before}{END}\n{block}{after}"),
        None => text(report),
    }
}

const MARK: &str = "<!-- sidespan bench: ";
const END: &str = "<!-- sidespan bench ends -->\n";

/// Returns the whole report as Markdown.
fn text(report: &Report) -> String {
    let at = &report.surroundings;
    let mut out = format!("**On {}:**\n\n", at.processor());
    for claim in claims::lines(report) {
        let _ = writeln!(out, "- {claim}");
    }
    let _ = write!(
        out,
        "\n`{}`, {}: {}, {}; Envoy {} with one worker, Sidespan {}, {} with {} connections over HTTP/1.1.\n",
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
        assert_eq!(text.matches(processor).count(), 4, "{text}");
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

    #[test]
    fn a_run_writes_the_block_of_its_own_processor_and_leaves_all_else() {
        let mut report = report(&[("no-tracing", &[30.0]), ("native-otel", &[50.0])]);
        assert!(
            placed("", &report).starts_with("**On A processor (family 25, model 17), 2 cores:**")
        );
        let other = format!("{MARK}Another, 4 cores -->\nits figures\n{END}");
        let readme = format!("# Cost\n{other}\n## Next\n");
        let once = placed(&readme, &report);
        assert!(once.starts_with(&format!("# Cost\n{other}")), "{once}");
        assert!(once.ends_with(&format!("{END}\n## Next\n")), "{once}");
        report.surroundings.date = "Mon, 30 Nov 2026 12:00:00 GMT".into();
        let twice = placed(&once, &report);
        assert_eq!(twice.matches(MARK).count(), 2, "{twice}");
        assert!(
            !twice.contains("20 Nov") && twice.contains("30 Nov"),
            "{twice}"
        );
        assert!(
            twice.contains("its figures") && twice.ends_with("## Next\n"),
            "{twice}"
        );
        assert_eq!(placed(&twice, &report), twice);
    }
}
