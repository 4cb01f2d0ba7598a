//! The table: a row for each receiver and protocol, and the ratios that the sink is held to.

use std::fmt::Write;
use std::time::Duration;

use crate::candidate::Candidate;
use crate::requests::Template;
use crate::sender::Protocol;

/// One measurement.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Spans that were sent.
    pub(crate) spans: u64,
    /// Spans that the receiver did not take, those ahead of the measurement included.
    pub(crate) refused: u64,
    /// The receiver's CPU time.
    pub(crate) cpu: Duration,
    /// The time until the last answer.
    pub(crate) took: Duration,
    /// The receiver's memory at the end.
    pub(crate) resident_bytes: u64,
}

impl Measured {
    fn micros_a_span(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / number(self.spans)
    }

    fn spans_a_second(&self) -> f64 {
        number(self.spans) / self.took.as_secs_f64()
    }
}

/// The measurements of a receiver by one protocol.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) candidate: Candidate,
    pub(crate) protocol: Protocol,
    pub(crate) measured: Vec<Measured>,
}

impl Row {
    pub(crate) fn new(candidate: Candidate, protocol: Protocol) -> Self {
        Self {
            candidate,
            protocol,
            measured: Vec::new(),
        }
    }

    /// Returns the number of spans that the receiver did not take.
    pub(crate) fn refused(&self) -> u64 {
        self.measured.iter().map(|it| it.refused).sum()
    }

    fn least_micros(&self) -> f64 {
        let all = self.measured.iter().map(Measured::micros_a_span);
        all.fold(f64::INFINITY, f64::min)
    }
}

/// Prints all rows as Markdown.
pub(crate) fn print(rows: &[Row], spans: u64) -> String {
    let bytes = Template::new().request(0).len();
    let mut text = format!(
        "{spans} spans a measurement, 100 a request of {bytes} bytes, 4 connections, the receiver on one core\n\n\
         | receiver | protocol | CPU µs a span, least (rounds) | spans/s a core of CPU | spans/s seen | RSS MiB | refused |\n\
         |---|---|---:|---:|---:|---:|---:|\n"
    );
    for row in rows {
        let least = row.least_micros();
        let rounds = row.measured.iter();
        let rounds: Vec<_> = rounds
            .map(|it| format!("{:.2}", it.micros_a_span()))
            .collect();
        let seen = row.measured.iter().map(Measured::spans_a_second);
        let resident = row.measured.iter().map(|it| it.resident_bytes).max();
        let _ = writeln!(
            text,
            "| {} | {} | {least:.2} ({}) | {:.0} | {:.0} | {} | {} |",
            row.candidate.name(),
            row.protocol,
            rounds.join(" "),
            1e6 / least,
            seen.fold(0.0, f64::max),
            resident.unwrap_or(0) >> 20,
            row.refused(),
        );
    }
    text.push('\n');
    for row in rows {
        let Candidate::Sink(_) = row.candidate else {
            continue;
        };
        let is_jaeger =
            |it: &&Row| (it.candidate, it.protocol) == (Candidate::Jaeger, row.protocol);
        if let Some(jaeger) = rows.iter().find(is_jaeger) {
            let _ = writeln!(
                text,
                "{}, {}: {:.2} times Jaeger's CPU a span (at most 2)",
                row.candidate.name(),
                row.protocol,
                row.least_micros() / jaeger.least_micros(),
            );
        }
    }
    text
}

fn number(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
