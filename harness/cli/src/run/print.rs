//! Reports for people.

use std::io::{self, Write};

use super::report::{Connection, Exchange, Failure, Report};
use super::span::Span;

impl Report {
    /// Prints the report for people.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let bold = anstyle::Style::new().bold();
        writeln!(out, "{bold}{}: {}{bold:#}", self.file, self.scenario)?;
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
        if !self.main_logs.is_empty() {
            writeln!(out, "  log of the main thread")?;
        }
        for line in &self.main_logs {
            writeln!(out, "    {line}")?;
        }
        if !self.logs.is_empty() {
            writeln!(out, "  log")?;
        }
        for line in &self.logs {
            writeln!(out, "    {line}")?;
        }
        if !self.proxy_logs.is_empty() {
            writeln!(out, "  log of the proxy")?;
        }
        for line in &self.proxy_logs {
            writeln!(out, "    {line}")?;
        }
        if !self.transcript.is_empty() {
            writeln!(out, "  callbacks and host calls")?;
        }
        for line in &self.transcript {
            writeln!(out, "    {line}")?;
        }
        if !self.counters.is_empty() {
            writeln!(out, "  counters")?;
        }
        for (name, value) in &self.counters {
            writeln!(out, "    {value:>6} {name}")?;
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
            writeln!(out, "  {red}not as expected{red:#}: {at}")?;
            if let Some(diff) = diff {
                writeln!(out, "    - expected, + found")?;
                diff.lines()
                    .try_for_each(|line| writeln!(out, "    {line}"))?;
                continue;
            }
            writeln!(out, "    expected {expected}")?;
            writeln!(out, "    found    {found}")?;
        }
        Ok(())
    }
}

impl Exchange {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let dim = anstyle::Style::new().dimmed();
        writeln!(out, "  {}", self.name)?;
        let Some(upstream) = &self.upstream else {
            return writeln!(out, "    did not reach the upstream");
        };
        // The filter's work shows as lines that it removed and lines that it added; a changed header is both.
        for (name, value) in self
            .request
            .iter()
            .filter(|field| !upstream.contains(field))
        {
            writeln!(out, "    - {name}: {value}")?;
        }
        for (name, value) in upstream
            .iter()
            .filter(|field| !self.request.contains(field))
        {
            writeln!(out, "    + {name}: {value}")?;
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
        writeln!(out, "  {}", self.name)?;
        match &self.upstream {
            Some(bytes) => {
                let end = end(self.upstream_ends);
                writeln!(out, "    to the upstream {bytes}{end}")?;
            }
            None => writeln!(out, "    did not reach the upstream")?,
        }
        let end = end(self.downstream_ends);
        writeln!(out, "    to the client   {}{end}", self.downstream)
    }
}

impl Span {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let parent = self.parent_span_id.as_deref().unwrap_or("none            ");
        let microseconds = self.end.saturating_sub(self.start) / 1000;
        writeln!(
            out,
            "    {} {} parent {parent} {:6} {} {} {microseconds} µs {}",
            self.trace_id, self.span_id, self.kind, self.service, self.name, self.status
        )
    }
}
