//! The report for people: the configuration, the headers of each hop, the trace, the verdict.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use sidespan_sink::waterfall::{Options, Paint, render};

use super::format::Headers;
use super::report::{Hop, Report};
use super::sidecar::Kind;

/// Returns the whole text.
pub(super) fn text(report: &Report, options: Options) -> String {
    let mut printer = Printer {
        out: String::new(),
        paint: options.paint,
    };
    printer.configuration(report);
    printer.hops(&report.hops);
    printer.title("the trace that the collector got");
    printer.out.push_str(&render(&report.spans, options));
    printer.out.push('\n');
    printer.verdict(report);
    printer.out
}

struct Printer {
    out: String,
    paint: Paint,
}

impl Printer {
    fn configuration(&mut self, report: &Report) {
        let host = match report.kind {
            Kind::BuiltIn => "the built-in host",
            Kind::Envoy => "real Envoys",
        };
        self.title(&format!(
            "every sidecar runs the filter on {host}, with this configuration"
        ));
        let sections = report.plugin.as_object();
        for (name, section) in sections.into_iter().flatten() {
            self.line(PLAIN, &format!("  {name}: {section}"));
        }
        self.out.push('\n');
    }

    fn hops(&mut self, hops: &[Hop]) {
        self.title("what each service was given by its sidecar, and what it passed on");
        for hop in hops {
            let title = format!("{}  {}", hop.service, hop.format.title());
            self.line(SERVICE, &title);
            let (reads, ignores): (Vec<_>, Vec<_>) = hop
                .received
                .iter()
                .partition(|(name, _)| hop.format.owns(name));
            self.headers(PLAIN, "reads", reads);
            self.headers(DIM, "ignores", ignores);
            for (headers, callees) in by_content(hop) {
                self.headers(PLAIN, "sends", headers.iter().collect());
                self.line(DIM, &format!("  {:9}to {}", "", callees.join(" and to ")));
            }
            if hop.received.is_empty() {
                self.line(ERROR, "  no trace context");
            }
            self.out.push('\n');
        }
    }

    fn headers(&mut self, style: Style, title: &str, headers: Vec<(&String, &String)>) {
        for (nth, (name, value)) in headers.into_iter().enumerate() {
            let title = if nth == 0 { title } else { "" };
            self.line(style, &format!("  {title:9}{name:18}{}", printable(value)));
        }
    }

    fn verdict(&mut self, report: &Report) {
        if report.is_whole() {
            let (spans, hops) = (report.spans.len(), report.hops.len());
            let line = format!("whole: one trace of {spans} spans, all {hops} hops in it");
            return self.line(GOOD, &line);
        }
        self.line(ERROR, "broken:");
        for problem in &report.problems {
            self.line(ERROR, &format!("  {}", printable(problem)));
        }
    }

    fn title(&mut self, text: &str) {
        self.line(BOLD, text);
        self.out.push('\n');
    }

    fn line(&mut self, style: Style, text: &str) {
        let style = match self.paint {
            Paint::Plain => PLAIN,
            Paint::Colour => style,
        };
        // Writing to a String cannot fail.
        let _ = writeln!(self.out, "{style}{text}{style:#}");
    }
}

/// Calls that carried the same headers are shown once.
fn by_content(hop: &Hop) -> Vec<(&Headers, Vec<&'static str>)> {
    let mut groups: Vec<(&Headers, Vec<&'static str>)> = Vec::new();
    for sent in &hop.sent {
        match groups
            .iter_mut()
            .find(|(headers, _)| **headers == sent.headers)
        {
            Some((_, callees)) => callees.push(sent.to),
            None => groups.push((&sent.headers, vec![sent.to])),
        }
    }
    groups
}

fn printable(text: &str) -> String {
    text.replace(char::is_control, "?")
}

const PLAIN: Style = Style::new();
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const SERVICE: Style = AnsiColor::Cyan.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
