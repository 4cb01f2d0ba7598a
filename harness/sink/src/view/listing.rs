//! Summaries of traces as a table: a line a trace.
//!
//! Names are cleaned and cut as in a waterfall; the trace id never is, because readers copy it.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::waterfall::column::{clean, fit, time, width_of};
use super::waterfall::{Options, Paint};
use crate::api::write_millis;
use crate::store::TraceSummary;

/// Draws the head of a table.
pub fn head(options: Options) -> String {
    let cells = Cells {
        start: "start".into(),
        took: "took".into(),
        spans: "spans".into(),
        errors: "errors".into(),
        services: "services".into(),
        root: "root".into(),
        id: "trace id".into(),
    };
    cells.line(options, Style::new().dimmed(), Style::new().dimmed())
}

/// Draws a line.
pub fn row(summary: &TraceSummary, options: Options) -> String {
    let nanos = summary
        .end_unix_nanos
        .saturating_sub(summary.start_unix_nanos);
    let root = summary.root.as_ref();
    let cells = Cells {
        // To the millisecond, which is as much as a reader compares.
        start: write_millis(summary.start_unix_nanos),
        took: time(nanos, options.paint),
        spans: summary.spans.to_string(),
        errors: match summary.errors {
            0 => "-".to_owned(),
            errors => format!("{errors}!"),
        },
        services: clean(&summary.services.join(",")),
        root: root.map_or("? no root yet".to_owned(), |root| {
            clean(&format!("{} {}", root.service, root.name))
        }),
        id: clean(&summary.trace_id),
    };
    let errors = match summary.errors {
        0 => Style::new(),
        _ => AnsiColor::Red.on_default().bold(),
    };
    cells.line(options, Style::new(), errors)
}

/// Draws a table of traces, in their order.
pub fn render(traces: &[TraceSummary], options: Options) -> String {
    let rows = traces.iter().map(|summary| row(summary, options));
    head(options) + &rows.collect::<String>()
}

struct Cells {
    start: String,
    took: String,
    spans: String,
    errors: String,
    services: String,
    root: String,
    id: String,
}

impl Cells {
    fn line(&self, options: Options, plain: Style, errors: Style) -> String {
        let cut = match options.paint {
            Paint::Plain => '~',
            Paint::Colour => '…',
        };
        let paint = |style: Style, text: &str| match options.paint {
            Paint::Plain => text.to_owned(),
            Paint::Colour => format!("{style}{text}{style:#}"),
        };
        // Services and root share what the rest leaves. In a narrow terminal they are left out, and the id stays whole.
        let fixed = START + TOOK + SPANS + ERRORS + ID + 4;
        let free = options.width.saturating_sub(fixed + 2);
        let (services, root) = (free * 2 / 5, free - free * 2 / 5);
        let mut line = paint(plain, &fit(&self.start, START, cut));
        let count = |text: &str, width: usize| format!("{text:>width$}");
        let _ = write!(line, " {}", paint(plain, &right(&self.took, TOOK)));
        let _ = write!(line, " {}", paint(plain, &count(&self.spans, SPANS)));
        let _ = write!(line, " {}", paint(errors, &count(&self.errors, ERRORS)));
        if free >= MIN_NAMES {
            let _ = write!(
                line,
                " {}",
                paint(plain, &fit(&self.services, services, cut))
            );
            let _ = write!(line, " {}", paint(plain, &fit(&self.root, root, cut)));
        }
        let _ = write!(line, " {}", paint(plain, &self.id));
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }
}

fn right(text: &str, width: usize) -> String {
    " ".repeat(width.saturating_sub(width_of(text))) + text
}

const START: usize = "2026-11-30T12:00:00.000Z".len();
const TOOK: usize = "999.9ms".len();
const SPANS: usize = "spans".len();
const ERRORS: usize = "errors".len();
const ID: usize = 32;
const MIN_NAMES: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Root, SpanKind};

    fn summary() -> TraceSummary {
        TraceSummary {
            trace_id: "a".repeat(32),
            start_unix_nanos: 1_700_000_000_123_456_789,
            end_unix_nanos: 1_700_000_000_143_456_789,
            spans: 4,
            errors: 1,
            root: Some(Root {
                service: "web".into(),
                name: "GET /".into(),
                kind: SpanKind::Server,
                duration_nanos: 20_000_000,
            }),
            services: vec!["cart".into(), "web".into()],
            arrived_unix_nanos: 0,
        }
    }

    fn plain(width: usize) -> Options {
        Options {
            width,
            paint: Paint::Plain,
        }
    }

    #[test]
    fn draws_a_line_a_trace() {
        let mut waits = summary();
        waits.root = None;
        waits.errors = 0;
        let expected = "\
start                       took spans errors services       root                   trace id
2023-11-14T22:13:20.123Z  20.0ms     4     1! cart,web       web GET /              aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
2023-11-14T22:13:20.123Z  20.0ms     4      - cart,web       ? no root yet          aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
";
        assert_eq!(render(&[summary(), waits], plain(116)), expected);
    }

    #[test]
    fn names_are_cut_and_cleaned_and_the_id_is_whole() {
        let mut wide = summary();
        wide.services = vec!["日本語".repeat(20)];
        wide.root.as_mut().unwrap().name = "GET \u{1b}[2J\r\n\u{9b}31m/\u{202e}x".into();
        for width in 80..200 {
            let line = row(&wide, plain(width));
            assert_eq!(line.lines().count(), 1, "{line}");
            assert!(
                width_of(line.trim_end()) <= width.max(82),
                "{width}: {line}"
            );
            assert!(!line.trim_end().chars().any(char::is_control), "{line}");
            assert!(line.ends_with(&format!("{}\n", "a".repeat(32))), "{line}");
        }
    }

    #[test]
    fn errors_are_red_and_marked_without_colour() {
        let options = Options {
            width: 120,
            paint: Paint::Colour,
        };
        let red = AnsiColor::Red.on_default().bold();
        assert!(row(&summary(), options).contains(&format!("{red}    1!{red:#}")));
    }
}
