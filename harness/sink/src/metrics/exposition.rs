//! The text that Prometheus reads: its own format, and OpenMetrics with exemplars.

use std::fmt::{self, Write as _};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, prometheus_text, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::health::Health;
use super::red::Red;
use super::series::{BOUNDS, Exemplar};

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Prometheus' text format 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// Returns the content type.
    pub(super) fn media(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Writes all metrics.
///
/// # Errors
/// None in practice: text always has room.
pub(super) fn write(format: Format, red: Red, health: Health) -> Result<String, fmt::Error> {
    let exemplars: Vec<Option<Exemplar>> = match format {
        Format::Prometheus => Vec::new(),
        Format::OpenMetrics => {
            let series = red.series();
            series
                .iter()
                .flat_map(|(_, series)| series.exemplars)
                .collect()
        }
    };
    let mut registry = Registry::default();
    registry.register_collector(Box::new(All { red, health }));
    let mut out = String::new();
    match format {
        Format::Prometheus => prometheus_text::encode(&mut out, &registry)?,
        Format::OpenMetrics => text::encode(&mut out, &registry)?,
    }
    match format {
        Format::Prometheus => Ok(out),
        Format::OpenMetrics => with_exemplars(&out, exemplars),
    }
}

#[derive(Debug)]
struct All {
    red: Red,
    health: Health,
}

impl Collector for All {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> fmt::Result {
        let series = self.red.series();
        if !series.is_empty() {
            let mut spans = out.encode_descriptor(
                "sidespan_spans",
                "Spans, each for as many as it stands for by its sampling",
                None,
                MetricType::Counter,
            )?;
            for (labels, series) in &series {
                let labels = named(labels);
                let mut family = spans.encode_family(&labels)?;
                family.encode_counter::<NoLabelSet, _, u64>(&series.count(), None)?;
            }
            let mut durations = out.encode_descriptor(
                "sidespan_span_duration",
                "Durations of spans, each for as many as it stands for by its sampling",
                Some(&Unit::Seconds),
                MetricType::Histogram,
            )?;
            for (labels, series) in &series {
                let counts = series.buckets();
                let buckets: Vec<(f64, u64)> = BOUNDS
                    .iter()
                    .zip(counts)
                    .map(|((end, _), count)| (*end, count))
                    .collect();
                let labels = named(labels);
                let mut family = durations.encode_family(&labels)?;
                family.encode_histogram::<NoLabelSet>(
                    series.seconds(),
                    series.count(),
                    &buckets,
                    None,
                )?;
            }
        }
        self.health.write(&mut out)
    }
}

/// Adds exemplars to the buckets, in the order in which these were written. The library has exemplars of its own counting
/// histograms alone, which do not take a span for many.
fn with_exemplars(text: &str, exemplars: Vec<Option<Exemplar>>) -> Result<String, fmt::Error> {
    let mut exemplars = exemplars.into_iter();
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        out.push_str(line);
        if line.starts_with("sidespan_span_duration_seconds_bucket{")
            && let Some(Some(exemplar)) = exemplars.next()
        {
            let value = Duration::from_nanos(exemplar.nanos).as_secs_f64();
            let at = Duration::from_millis(exemplar.at_millis).as_secs_f64();
            let (trace_id, span_id) = (
                hex::encode(exemplar.trace_id),
                hex::encode(exemplar.span_id),
            );
            write!(
                out,
                " # {{trace_id=\"{trace_id}\",span_id=\"{span_id}\"}} {value} {at:.3}"
            )?;
        }
        out.push('\n');
    }
    Ok(out)
}

fn named<'a>(labels: &[&'a str; 4]) -> Vec<(&'static str, &'a str)> {
    NAMES.into_iter().zip(labels.iter().copied()).collect()
}

const NAMES: [&str; 4] = ["service_name", "route", "span_kind", "status_code"];
