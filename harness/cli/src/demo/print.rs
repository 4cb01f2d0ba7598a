//! The report for people: the configuration, the headers of each hop, the trace, the verdict.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use sidespan_sink::waterfall::{Options, Paint, render};

use super::format::Headers;
use super::report::{Hop, Report};
use super::sidecar::Kind;

/// Returns the whole report as text.
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
            self.ignored(ignores);
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
            self.line(
                style,
                &format!("  {title:9}{name:NAME_WIDTH$}{}", printable(value)),
            );
        }
    }

    /// Writes names only, because the values repeat the context in every other format.
    fn ignored(&mut self, headers: Vec<(&String, &String)>) {
        let mut line = String::new();
        let mut title = "ignores";
        for (name, _) in headers {
            if !line.is_empty() && line.len() + ", ".len() + name.len() > IGNORED_WIDTH {
                self.line(DIM, &format!("  {title:9}{line},"));
                (title, line) = ("", String::new());
            }
            if !line.is_empty() {
                line.push_str(", ");
            }
            line.push_str(name);
        }
        if !line.is_empty() {
            self.line(DIM, &format!("  {title:9}{line}"));
        }
    }

    fn verdict(&mut self, report: &Report) {
        if report.is_complete() {
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

/// Groups the calls that carried the same headers, so that these are shown once.
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

/// Width of the longest name of a header, and a space.
const NAME_WIDTH: usize = 28;
/// Width of the ignored headers' lines: that of the usual widest value, so that the block has one edge.
const IGNORED_WIDTH: usize = 84;

const PLAIN: Style = Style::new();
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const SERVICE: Style = AnsiColor::Cyan.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();

#[cfg(test)]
mod tests {
    use super::super::format::Format;
    use super::super::report::Sent;
    use super::*;

    #[test]
    fn a_hop_shows_what_it_reads_and_sends_and_the_names_of_the_rest() {
        let headers = |names: &[&str]| -> Headers {
            let line = |name: &&str| ((*name).to_owned(), format!("of {name}"));
            names.iter().map(line).collect()
        };
        let sent = |to| Sent {
            to,
            headers: headers(&["uber-trace-id"]),
        };
        let all = Format::ALL.map(Format::headers).concat();
        let hop = Hop {
            service: "shipping",
            format: Format::Jaeger,
            received: headers(&all),
            sent: vec![sent("ledger"), sent("orders")],
        };
        let mut printer = Printer {
            out: String::new(),
            paint: Paint::Plain,
        };
        printer.hops(&[hop]);
        let expected = "\
shipping  Jaeger
  reads    uber-trace-id               of uber-trace-id
  ignores  b3, traceparent, tracestate, x-b3-flags, x-b3-parentspanid, x-b3-sampled,
           x-b3-spanid, x-b3-traceid, x-datadog-origin, x-datadog-parent-id,
           x-datadog-sampling-priority, x-datadog-tags, x-datadog-trace-id
  sends    uber-trace-id               of uber-trace-id
           to ledger and to orders

";
        let (_title, shown) = printer.out.split_once("\n\n").unwrap();
        assert_eq!(shown, expected);
    }
}
