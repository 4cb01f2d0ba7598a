//! Traces as text: the tree of spans on the left, their time on the right.
//!
//! Every span is shown, however broken, in the order of `trace_tree.rs`. Control characters in names are replaced, because
//! names come from strangers and a span must not be able to write to the terminal.
//! Invariant: no line is wider than the width asked for, as `unicode-width` measures it.

mod branch;
pub(super) mod column;
mod paint;

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::trace_tree::arrange;
use crate::store::{SpanKind, StoredSpan, Value};
use branch::{branch, note};
use column::{Widths, clean, fit, time, width_of};
pub use paint::Paint;

/// The options of a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The columns of the terminal; under 40 counts as 40.
    pub width: usize,
    /// The style: for a terminal or for a pipe.
    pub paint: Paint,
}

/// Draws every trace among the spans, in the order in which the traces first occur.
pub fn render<S: Borrow<StoredSpan>>(spans: &[S], options: Options) -> String {
    let mut ids: Vec<&str> = Vec::new();
    let mut traces: HashMap<&str, Vec<&StoredSpan>> = HashMap::new();
    for span in spans.iter().map(Borrow::borrow) {
        let trace = traces.entry(&span.trace_id).or_insert_with(|| {
            ids.push(&span.trace_id);
            Vec::new()
        });
        trace.push(span);
    }
    let drawn: Vec<String> = ids
        .iter()
        .filter_map(|id| traces.get(id))
        .map(|trace| Drawing::new(trace, options).draw())
        .collect();
    drawn.join("\n")
}

/// One line of the table, before it is cut to the widths.
struct Row<'a> {
    note: Option<String>,
    tree: String,
    name: String,
    kind: String,
    time: String,
    span: &'a StoredSpan,
}

struct Drawing<'a> {
    options: Options,
    trace_id: &'a str,
    rows: Vec<Row<'a>>,
    services: Vec<&'a str>,
    from: u64,
    nanos: u64,
    errors: usize,
    /// The number of spans that were kept although they were not sampled, and the reasons for it.
    kept: (usize, Vec<&'a str>),
}

impl<'a> Drawing<'a> {
    fn new(trace: &[&'a StoredSpan], options: Options) -> Self {
        // A span without a time must not stretch the axis back to 1970.
        let timed = trace.iter().filter(|span| span.start_unix_nanos > 0);
        let from = timed.map(|span| span.start_unix_nanos).min().unwrap_or(0);
        let until = trace
            .iter()
            .map(|span| span.end_unix_nanos)
            .max()
            .unwrap_or(0);
        let mut services: Vec<&str> = Vec::new();
        let mut rows = Vec::new();
        let mut open: Vec<bool> = Vec::new();
        let mut missing: Option<&str> = None;
        for place in arrange(trace) {
            if !services.contains(&place.span.service()) {
                services.push(place.span.service());
            }
            rows.push(Row {
                note: note(&place, &mut missing),
                tree: branch(&place, &mut open, options.paint) + &clean(place.span.service()),
                name: clean(&place.span.name),
                kind: match place.span.kind {
                    SpanKind::Unspecified => "-".to_owned(),
                    kind => kind.to_string(),
                },
                time: time(place.span.duration_nanos(), options.paint),
                span: place.span,
            });
        }
        Self {
            options,
            trace_id: trace.first().map_or("", |span| &span.trace_id),
            rows,
            services,
            from,
            nanos: until.saturating_sub(from),
            errors: trace.iter().filter(|span| span.is_error()).count(),
            kept: kept(trace),
        }
    }

    fn draw(&self) -> String {
        let column = |of: for<'r> fn(&'r Row<'_>) -> &'r str| {
            self.rows
                .iter()
                .map(|row| width_of(of(row)))
                .max()
                .unwrap_or(0)
        };
        let total = time(self.nanos, self.options.paint);
        let widths = Widths::share(
            self.options.width.max(MIN_WIDTH) - (self.marks() - 1),
            [
                column(|row| &row.tree).max(TITLES[0].len()),
                column(|row| &row.name).max(TITLES[1].len()),
                column(|row| &row.kind).max(TITLES[2].len()),
                column(|row| &row.time).max(TITLES[3].len()),
            ],
        );
        let mut out = String::new();
        for line in self.summary(&total).lines() {
            self.line(&mut out, BOLD, line);
        }
        self.head(&mut out, &widths, &total);
        for row in &self.rows {
            if let Some(note) = &row.note {
                self.line(&mut out, ERROR, note);
            }
            self.row(&mut out, &widths, row);
        }
        out
    }

    fn summary(&self, total: &str) -> String {
        let count = |number: usize, noun: &str| {
            let plural = if number == 1 { "" } else { "s" };
            format!("{number} {noun}{plural}")
        };
        let mut parts = vec![
            count(self.rows.len(), "span"),
            count(self.services.len(), "service"),
            total.to_owned(),
        ];
        if self.errors > 0 {
            parts.push(count(self.errors, "error"));
        }
        if let (kept @ 1.., reasons) = &self.kept {
            parts.push(format!("{kept} kept* ({})", reasons.join(", ")));
        }
        let (title, parts) = (format!("trace {}", self.trace_id), parts.join(", "));
        // A second line is better than a cut, because readers copy the trace id.
        let fits = title.len() + GAP.len() + parts.len() <= self.options.width;
        title + if fits { GAP } else { "\n" } + &parts
    }

    fn head(&self, out: &mut String, widths: &Widths, total: &str) {
        let [tree, name, kind, duration] = TITLES;
        let mut line = [
            fit(tree, widths.tree, self.cut()),
            fit(name, widths.name, self.cut()),
            fit(kind, widths.kind, self.cut()),
        ]
        .join(" ");
        let _ = write!(line, " {:1$}", "", self.marks());
        let _ = write!(line, " {duration:>0$}", widths.time);
        if widths.bar > total.len() {
            let _ = write!(line, " 0{total:>0$}", widths.bar - 1);
        }
        self.line(out, DIM, &line);
    }

    fn row(&self, out: &mut String, widths: &Widths, row: &Row<'_>) {
        let service = self.services.iter().position(|s| *s == row.span.service());
        let colour = PALETTE.get(service.unwrap_or(0) % PALETTE.len());
        let own = Style::new().fg_color(colour.map(|colour| (*colour).into()));
        let is_error = row.span.is_error();
        let (name, bar) = if is_error {
            (ERROR, ERROR)
        } else {
            (Style::new(), own)
        };
        let mark = if is_error { "!" } else { " " };
        let kept = match (self.marks(), reason(row.span)) {
            (1, _) => "",
            (_, Some(_)) => "*",
            (_, None) => " ",
        };
        let cells = [
            (own, fit(&row.tree, widths.tree, self.cut())),
            (name, fit(&row.name, widths.name, self.cut())),
            (DIM, fit(&row.kind, widths.kind, self.cut())),
            (ERROR, format!("{mark}{kept}")),
            (Style::new(), format!("{:>1$}", row.time, widths.time)),
            (bar, self.bar(row.span, widths.bar)),
        ];
        let mut line = String::new();
        for (nth, (style, text)) in cells.iter().enumerate() {
            if nth > 0 {
                line.push(' ');
            }
            self.paint(&mut line, *style, text);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }

    /// Returns the span's part of the time axis, at least one cell long and never past the end.
    fn bar(&self, span: &StoredSpan, width: usize) -> String {
        let Some(last) = width.checked_sub(1) else {
            return String::new();
        };
        let cells = |nanos: u64| {
            let cells = u128::from(nanos) * u128::try_from(width).unwrap_or(0);
            let cell = cells.checked_div(u128::from(self.nanos)).unwrap_or(0);
            usize::try_from(cell).unwrap_or(last)
        };
        let start = cells(span.start_unix_nanos.saturating_sub(self.from)).min(last);
        let length = cells(span.duration_nanos()).clamp(1, width - start);
        let cell = match self.options.paint {
            Paint::Plain => "=",
            Paint::Colour => "━",
        };
        " ".repeat(start) + &cell.repeat(length)
    }

    fn line(&self, out: &mut String, style: Style, text: &str) {
        let text = fit(text, self.options.width.max(MIN_WIDTH), self.cut());
        self.paint(out, style, text.trim_end());
        out.push('\n');
    }

    fn paint(&self, out: &mut String, style: Style, text: &str) {
        let is_bare = self.options.paint == Paint::Plain || text.trim().is_empty();
        let style = if is_bare { Style::new() } else { style };
        // Writing to a String cannot fail.
        let _ = write!(out, "{style}{text}{style:#}");
    }

    /// Returns the width of the marks: one for errors, and one for kept spans where the trace has any.
    fn marks(&self) -> usize {
        if self.kept.0 == 0 { 1 } else { 2 }
    }

    fn cut(&self) -> char {
        match self.options.paint {
            Paint::Plain => '~',
            Paint::Colour => '…',
        }
    }
}

/// Returns the reason for which a span was kept although it was not sampled, as `sidespan.kept` tells it.
fn reason(span: &StoredSpan) -> Option<&str> {
    span.attribute("sidespan.kept").and_then(Value::as_str)
}

fn kept<'a>(trace: &[&'a StoredSpan]) -> (usize, Vec<&'a str>) {
    const KNOWN: [&str; 3] = ["error", "slow", "callee"];
    let reasons: Vec<&str> = trace.iter().filter_map(|span| reason(span)).collect();
    let is_there = |known: &&str| reasons.contains(known);
    let mut told: Vec<&str> = KNOWN.into_iter().filter(is_there).collect();
    if reasons.iter().any(|reason| !KNOWN.contains(reason)) {
        told.push("another reason");
    }
    (reasons.len(), told)
}

const MIN_WIDTH: usize = 40;
const GAP: &str = "  ";
const TITLES: [&str; 4] = ["service", "name", "kind", "took"];
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const PALETTE: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Green,
    AnsiColor::Yellow,
    AnsiColor::Blue,
    AnsiColor::Magenta,
    AnsiColor::BrightCyan,
];

#[cfg(test)]
mod tests;
