//! The sink's own numbers, as they are told.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::family::{Labels, counter, gauge, one, seconds_gauge};
use crate::forward::Forwarding;
use crate::store::{Counts, Limits, Size};

/// The numbers of what arrives, before the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Front {
    /// Connections: taken, refused, and without a TLS handshake.
    pub(crate) connections: [(&'static str, u64); 3],
    /// Requests that were refused, by reason.
    pub(crate) refused: [(&'static str, u64); 8],
    /// Records of other signals, which are dropped.
    pub(crate) dropped: [(&'static str, u64); 2],
    /// Spans that came in Zipkin's format.
    pub(crate) zipkin_spans: u64,
}

/// All numbers of one moment.
#[derive(Debug)]
pub(super) struct Health {
    pub(super) front: Front,
    pub(super) counts: Counts,
    pub(super) size: Size,
    pub(super) limits: Limits,
    pub(super) forwarding: Vec<Forwarding>,
    pub(super) started: SystemTime,
    pub(super) series: usize,
    pub(super) overflowed: [u64; 2],
    pub(super) kept: u64,
}

impl Health {
    /// Writes all numbers.
    pub(super) fn write(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        self.arrived(out)?;
        self.stored(out)?;
        self.forwarded(out)?;
        self.measured(out)?;
        self.process(out)
    }

    fn arrived(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let counts = &self.counts;
        let by =
            |label: &'static str, pairs: &[(&'static str, u64)]| -> Vec<(Labels<'static>, u64)> {
                pairs
                    .iter()
                    .map(|(value, count)| (vec![(label, *value)], *count))
                    .collect()
            };
        counter(
            out,
            "sidespan_sink_connections",
            "Connections, by outcome",
            by("outcome", &self.front.connections),
        )?;
        counter(
            out,
            "sidespan_sink_requests",
            "Requests with spans, whatever their answer",
            one(counts.requests),
        )?;
        counter(
            out,
            "sidespan_sink_refused_requests",
            "Refused requests, by reason",
            by("reason", &self.front.refused),
        )?;
        let outcomes = [
            ("accepted", counts.accepted),
            ("duplicate", counts.duplicates),
            ("conflict", counts.conflicts),
            ("invalid", counts.invalid),
            ("too_large", counts.too_large),
            ("scripted", counts.scripted),
            ("refused", counts.refused),
        ];
        counter(
            out,
            "sidespan_sink_spans",
            "Spans that were sent, by what became of them",
            by("outcome", &outcomes),
        )?;
        counter(
            out,
            "sidespan_sink_zipkin_spans",
            "Spans that came in Zipkin's format",
            one(self.front.zipkin_spans),
        )?;
        let other = counts.other_signals;
        counter(
            out,
            "sidespan_sink_other_signal_requests",
            "Requests for logs or metrics",
            one(other),
        )?;
        let dropped = by("signal", &self.front.dropped);
        counter(
            out,
            "sidespan_sink_dropped_records",
            "Log records and data points, which the sink drops",
            dropped,
        )
    }

    fn stored(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let removed = [
            ("evicted", self.counts.evicted),
            ("expired", self.counts.expired),
        ];
        let removed = removed
            .iter()
            .map(|(reason, count)| (vec![("reason", *reason)], *count));
        counter(
            out,
            "sidespan_sink_removed_spans",
            "Spans that left with their trace: for room, or of age",
            removed.collect(),
        )?;
        gauge(
            out,
            "sidespan_sink_stored_traces",
            "Traces in the store",
            None,
            one(self.size.traces),
        )?;
        gauge(
            out,
            "sidespan_sink_stored_spans",
            "Spans in the store",
            None,
            one(self.size.spans),
        )?;
        let bytes = Some(&Unit::Bytes);
        gauge(
            out,
            "sidespan_sink_stored",
            "Size of the stored spans",
            bytes,
            one(self.size.bytes),
        )?;
        let wide = |limit: usize| u64::try_from(limit).unwrap_or(u64::MAX);
        gauge(
            out,
            "sidespan_sink_max_spans",
            "Spans that the store has room for",
            None,
            one(wide(self.limits.max_spans)),
        )?;
        gauge(
            out,
            "sidespan_sink_max",
            "Size that the store has room for",
            bytes,
            one(wide(self.limits.max_bytes)),
        )
    }

    fn forwarded(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let each = |number: fn(&Forwarding) -> u64| -> Vec<(Labels<'_>, u64)> {
            let all = self.forwarding.iter();
            all.map(|it| (vec![("destination", it.destination.as_str())], number(it)))
                .collect()
        };
        let mut outcomes = Vec::new();
        for it in &self.forwarding {
            for (outcome, count) in [
                ("delivered", it.delivered_spans),
                ("rejected", it.rejected_spans),
                ("refused", it.refused_spans),
                ("dropped", it.backlog.dropped_spans),
            ] {
                outcomes.push((
                    vec![
                        ("destination", it.destination.as_str()),
                        ("outcome", outcome),
                    ],
                    count,
                ));
            }
        }
        counter(
            out,
            "sidespan_sink_forwarded_spans",
            "Spans for a destination, by what became of them",
            outcomes,
        )?;
        let failed = each(|it| it.failed_attempts);
        counter(
            out,
            "sidespan_sink_forward_failed_attempts",
            "Attempts after which a message is sent again",
            failed,
        )?;
        let waiting = each(|it| it.backlog.spans);
        gauge(
            out,
            "sidespan_sink_forward_waiting_spans",
            "Spans that wait for a destination",
            None,
            waiting,
        )?;
        let waiting = each(|it| it.backlog.messages);
        gauge(
            out,
            "sidespan_sink_forward_waiting_messages",
            "Messages that wait for a destination",
            None,
            waiting,
        )?;
        let aside = each(|it| it.backlog.set_aside);
        gauge(
            out,
            "sidespan_sink_forward_set_aside_messages",
            "Messages that a destination refused for good",
            None,
            aside,
        )?;
        let size = each(|it| it.backlog.bytes);
        gauge(
            out,
            "sidespan_sink_forward_queue",
            "Size of what waits and of what was set aside",
            Some(&Unit::Bytes),
            size,
        )?;
        let up = each(|it| u64::from(it.failure.is_none()));
        gauge(
            out,
            "sidespan_sink_forward_up",
            "1 while a destination answers",
            None,
            up,
        )
    }

    fn measured(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let series = u64::try_from(self.series).unwrap_or(u64::MAX);
        gauge(
            out,
            "sidespan_sink_span_series",
            "Sets of labels of sidespan_spans",
            None,
            one(series),
        )?;
        let [services, routes] = self.overflowed;
        let beyond = [("service_name", services), ("route", routes)];
        let beyond = beyond
            .into_iter()
            .map(|(label, count)| (vec![("label", label)], count));
        counter(
            out,
            "sidespan_sink_overflowed_spans",
            "Spans that count under the label _other",
            beyond.collect(),
        )?;
        counter(
            out,
            "sidespan_sink_kept_spans",
            "Spans that were kept though not sampled, and count nowhere else",
            one(self.kept),
        )
    }

    fn process(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let build = vec![(vec![("version", env!("CARGO_PKG_VERSION"))], 1)];
        gauge(
            out,
            "sidespan_sink_build_info",
            "Always 1; the label has the version",
            None,
            build,
        )?;
        let seconds = Some(&Unit::Seconds);
        let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default();
        seconds_gauge(
            out,
            "process_start_time",
            "Start of the sink, since 1970",
            seconds,
            since(self.started),
        )?;
        let uptime = self.started.elapsed().unwrap_or_default();
        seconds_gauge(
            out,
            "sidespan_sink_uptime",
            "Time since the start of the sink",
            seconds,
            uptime,
        )?;
        match resident_bytes() {
            Some(bytes) => gauge(
                out,
                "process_resident_memory",
                "Resident memory",
                Some(&Unit::Bytes),
                one(bytes),
            ),
            None => Ok(()),
        }
    }
}

/// Returns the memory that the process has in use, where the system tells it as Linux does.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1_024)
}
