//! Reports for people. All text in them comes from a file or a module of somebody, and none of it steers the terminal.

use std::io::{self, Write};

use super::report::{Connection, Exchange, Failure, Report};
use super::span::Span;
use crate::terminal::{clean, clean_lines};

impl Report {
    /// Prints the report for people.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let bold = anstyle::Style::new().bold();
        let (file, scenario) = (clean(&self.file), clean(&self.scenario));
        writeln!(out, "{bold}{file}: {scenario}{bold:#}")?;
        for exchange in &self.exchanges {
            exchange.print(out)?;
        }
        for connection in &self.connections {
            connection.print(out)?;
        }
        if !self.spans.is_empty() {
            writeln!(out, "  spans")?;
        }
        for span in &self.spans {
            span.print(out)?;
        }
        for (title, lines) in [
            ("log of the main thread", &self.main_logs),
            ("log", &self.logs),
            ("log of the proxy", &self.proxy_logs),
            ("callbacks and host calls", &self.transcript),
        ] {
            if !lines.is_empty() {
                writeln!(out, "  {title}")?;
            }
            for line in lines {
                print_line(line, out)?;
            }
        }
        if !self.counters.is_empty() {
            writeln!(out, "  counters")?;
        }
        for (name, value) in &self.counters {
            writeln!(out, "    {value:>6} {}", clean(name))?;
        }
        self.print_verdict(out)
    }

    fn print_verdict(&self, out: &mut impl Write) -> io::Result<()> {
        if self.failures.is_empty() {
            let green = anstyle::AnsiColor::Green.on_default().bold();
            return writeln!(out, "  {green}as expected{green:#}");
        }
        let red = anstyle::AnsiColor::Red.on_default().bold();
        for Failure {
            at,
            expected,
            found,
            diff,
        } in &self.failures
        {
            writeln!(out, "  {red}not as expected{red:#}: {}", clean(at))?;
            if let Some(diff) = diff {
                writeln!(out, "    - expected, + found")?;
                clean_lines(diff).try_for_each(|line| writeln!(out, "    {line}"))?;
                continue;
            }
            writeln!(out, "    expected {}", clean(expected))?;
            writeln!(out, "    found    {}", clean(found))?;
        }
        Ok(())
    }
}

impl Exchange {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let dim = anstyle::Style::new().dimmed();
        writeln!(out, "  {}", clean(&self.name))?;
        let Some(upstream) = &self.upstream else {
            return writeln!(out, "    did not reach the upstream");
        };
        // The filter's work shows as lines that it removed and lines that it added; a changed header is both.
        for (name, value) in self
            .request
            .iter()
            .filter(|field| !upstream.contains(field))
        {
            writeln!(out, "    - {}: {}", clean(name), clean(value))?;
        }
        for (name, value) in upstream
            .iter()
            .filter(|field| !self.request.contains(field))
        {
            writeln!(out, "    + {}: {}", clean(name), clean(value))?;
        }
        if &self.request == upstream {
            writeln!(out, "    {dim}went on unchanged{dim:#}")?;
        }
        Ok(())
    }
}

impl Connection {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let end = |has_ended| if has_ended { ", and the end" } else { "" };
        writeln!(out, "  {}", clean(&self.name))?;
        match &self.upstream {
            Some(bytes) => {
                let end = end(self.upstream_ends);
                writeln!(out, "    to the upstream {}{end}", clean(bytes))?;
            }
            None => writeln!(out, "    did not reach the upstream")?,
        }
        let end = end(self.downstream_ends);
        writeln!(out, "    to the client   {}{end}", clean(&self.downstream))
    }
}

impl Span {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let parent = self.parent_span_id.as_deref().unwrap_or("none            ");
        let microseconds = self.end.saturating_sub(self.start) / 1000;
        let (kind, status) = (&self.kind, &self.status);
        let (service, name) = (clean(&self.service), clean(&self.name));
        writeln!(
            out,
            "    {} {} parent {parent} {kind:6} {service} {name} {microseconds} µs {status}",
            self.trace_id, self.span_id
        )
    }
}

/// Prints a line of a log; what a module has put behind a line break stands further in, so that it is no line of the log.
fn print_line(line: &str, out: &mut impl Write) -> io::Result<()> {
    let mut indent = "    ";
    for line in clean_lines(line) {
        writeln!(out, "{indent}{line}")?;
        indent = "        ";
    }
    Ok(())
}
