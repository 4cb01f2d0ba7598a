//! The tables on a terminal.

use std::fmt::Write as _;

use anstyle::Style;

use super::report::Report;
use super::table::{Table, cost, speed};

/// Returns the whole text. Colours are left out by whoever prints it, where they have no place.
pub(super) fn text(report: &Report) -> String {
    let at = &report.surroundings;
    let mut out = format!(
        "{}, {} cores, {}; {}\nEnvoy {}, one worker; Sidespan {}; {}, {} connections, HTTP/1.1\n\n",
        at.cpu,
        at.cores,
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
