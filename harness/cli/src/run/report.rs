//! The report of a scenario, with the expectations that were not met: for people, and as JSON.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::span::Span;

/// Header fields in order; a value that is no text is in hex.
pub type Fields = Vec<(String, String)>;

/// The report of one run of one scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Name of the scenario's file.
    pub file: String,
    /// Name of the scenario.
    pub scenario: String,
    /// One exchange for each request.
    pub exchanges: Vec<Exchange>,
    /// All spans that were exported.
    pub spans: Vec<Span>,
    /// Lines that the filter has logged.
    pub logs: Vec<String>,
    /// The filter's counters and gauges that are not 0.
    pub counters: BTreeMap<String, u64>,
    /// Expectations that were not met.
    pub failures: Vec<Failure>,
}

/// One request and its response.
#[derive(Clone, Debug, Serialize)]
pub struct Exchange {
    /// Name of the request in the scenario.
    pub name: String,
    /// The request's headers as they came in.
    pub request: Fields,
    /// The request's headers as they reached the upstream; `None` if they did not.
    pub upstream: Option<Fields>,
    /// The response's headers as they reached the client; `None` if there was no response.
    pub downstream: Option<Fields>,
}

/// One expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Place of the expectation in the scenario.
    pub at: String,
    /// The expected value.
    pub expected: String,
    /// The value that was found.
    pub found: String,
}

/// A file or a scenario that could not be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unrun {
    /// The file; `None` for the filter that is built in.
    pub file: Option<String>,
    /// The reason.
    pub message: String,
}

impl Unrun {
    pub(super) fn new(file: Option<&Path>, error: &anyhow::Error) -> Self {
        Self {
            file: file.map(|file| file.display().to_string()),
            message: format!("{error:#}"),
        }
    }
}

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
        if !self.spans.is_empty() {
            writeln!(out, "  spans")?;
        }
        for span in &self.spans {
            span.print(out)?;
        }
        if !self.logs.is_empty() {
            writeln!(out, "  log")?;
        }
        for line in &self.logs {
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
        } in &self.failures
        {
            writeln!(out, "  {red}not as expected{red:#}: {at}")?;
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
