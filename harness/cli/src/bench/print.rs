//! The report of `sidespan bench` as tables on a terminal.

use std::fmt::Write as _;

use anstyle::Style;

use super::report::Report;
use super::table::{Table, cost, speed};

/// Returns the whole report with colours, which `output::print` removes where standard output is no terminal.
pub(super) fn text(report: &Report) -> String {
    let at = &report.surroundings;
    let mut out = format!(
        "{}, {}; {}\nEnvoy {}, one worker; Sidespan {}; {}, {} connections, HTTP/1.1\n\n",
        at.processor(),
        at.kernel,
        at.date,
        sidespan_envoy::VERSION,
        env!("CARGO_PKG_VERSION"),
        at.h2load,
        report.connections,
    );
    for table in [cost(report), speed(report)] {
        append(&mut out, &table);
        out.push('\n');
    }
    out
}

fn append(out: &mut String, table: &Table) {
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let names = table.rows.iter().map(|row| row.name.len());
    let name_width = names.max().unwrap_or(0) + INDENT.len();
    let widths: Vec<usize> = (0..table.headings.len())
        .map(|column| {
            let cells = table.rows.iter().filter_map(|row| row.cells.get(column));
            let texts = cells.chain(table.headings.get(column));
            texts.map(|text| text.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths);
        cells.fold(String::new(), |line, (cell, width)| {
            format!("{line}  {cell:>width$}")
        })
    };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}\n", wrapped(&table.title));
    let _ = writeln!(out, "{:name_width$}{}", "", line(&table.headings));
    let mut group = None;
    for row in &table.rows {
        if group.replace(row.group) != Some(row.group) {
            let _ = writeln!(out, "{bold}{}{bold:#}", row.group.title());
        }
        let name = format!("{INDENT}{}", row.name);
        let cells = line(&row.cells);
        let _ = writeln!(out, "{name:name_width$}{cells}  {dim}{}{dim:#}", row.title);
    }
}

/// Breaks a sentence into lines.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(word.to_owned());
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n")
}

const INDENT: &str = "  ";
const WIDTH: usize = 100;

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn columns_stand_under_their_headings() {
        let shown = text(&report(&[
            ("no-tracing", &[32.0, 30.0]),
            ("native-otel", &[154.0, 150.0]),
        ]));
        let shown = anstream::adapter::strip_str(&shown).to_string();
        let expected = "\
                 CPU  added: min     low  median  x OTel  x OTel 512  x Zipkin  x least
without tracing
  no-tracing   30.00           -       -       -       -           -         -        -  no tracing
Envoy's own tracers
  native-otel 150.00      120.00  120.00  121.00    1.00           -         -        -  OpenTelemetry tracer, 100 %
";
        let (_, rest) = shown.split_once("by low\n\n").unwrap();
        // The space in front of a heading depends on the widest name.
        let without = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (table, _) = rest.split_once("\n\n").unwrap();
        assert_eq!(without(table), without(expected), "{table}");
        let ends: Vec<_> = table
            .lines()
            .filter_map(|line| line.find(".00  "))
            .collect();
        assert!(ends.len() == 2 && ends[0] == ends[1], "{table}");
    }

    #[test]
    fn a_sentence_is_broken_between_words() {
        let text = wrapped(&"word ".repeat(50));
        assert!(text.lines().count() > 1);
        assert!(
            text.lines().all(|line| line.chars().count() <= WIDTH),
            "{text}"
        );
    }
}
