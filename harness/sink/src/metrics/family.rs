//! A family of metrics: its rows, each a set of labels and a number.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// A set of labels.
pub(super) type Labels<'a> = Vec<(&'static str, &'a str)>;

/// Returns the one row of a family without labels.
pub(super) fn one<'a>(number: u64) -> Vec<(Labels<'a>, u64)> {
    vec![(Vec::new(), number)]
}

/// Writes a counter, unless it has no rows.
pub(super) fn counter(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    rows: Vec<(Labels<'_>, u64)>,
) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    let mut out = out.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, count) in rows {
        match labels.is_empty() {
            true => out.encode_counter::<NoLabelSet, _, u64>(&count, None)?,
            false => out
                .encode_family(&labels)?
                .encode_counter::<NoLabelSet, _, u64>(&count, None)?,
        }
    }
    Ok(())
}

/// Writes a gauge, unless it has no rows; a unit is added to its name.
pub(super) fn gauge(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    rows: Vec<(Labels<'_>, u64)>,
) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    let mut out = out.encode_descriptor(name, help, unit, MetricType::Gauge)?;
    for (labels, number) in rows {
        match labels.is_empty() {
            true => out.encode_gauge(&number)?,
            false => out.encode_family(&labels)?.encode_gauge(&number)?,
        }
    }
    Ok(())
}

/// Writes a time as a gauge without labels.
pub(super) fn seconds_gauge(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    time: Duration,
) -> fmt::Result {
    out.encode_descriptor(name, help, unit, MetricType::Gauge)?
        .encode_gauge(&time.as_secs_f64())
}
