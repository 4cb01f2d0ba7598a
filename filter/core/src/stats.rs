//! Every number the filter reports: one enum, one name each, added up here and written to the proxy on the tick.
//!
//! A counter in the proxy costs a call for each increment; added up in the VM it costs nothing. Everything that is
//! refused or dropped moves one of these. Names are given without the common prefix.

/// A counter; it only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "`name` is the documentation, and the README explains each name"
)]
pub enum Counter {
    TraceContextValid,
    TraceContextMalformed,
    B3Valid,
    B3Malformed,
    B3MultiValid,
    B3MultiMalformed,
    JaegerValid,
    JaegerMalformed,
    XRayValid,
    XRayMalformed,
    DatadogValid,
    DatadogMalformed,
    GrpcTraceBinValid,
    GrpcTraceBinMalformed,
    OtTraceValid,
    OtTraceMalformed,
    GcpValid,
    GcpMalformed,
    RefusedDuplicate,
    RefusedLength,
    RefusedDelimiter,
    RefusedVersion,
    RefusedTraceId,
    RefusedTraceIdZero,
    RefusedSpanId,
    RefusedSpanIdZero,
    RefusedFlags,
    RefusedSampled,
    RefusedEncoding,
    ContextConflict,
    TracestateMalformed,
    TracestateTruncated,
    ContextDuplicateInstall,
    ContextCorrelated,
    BaggageDropped,
    SampledReceived,
    SampledDebug,
    SampledRule,
    SampledNamespace,
    SampledDefault,
    SampledRemote,
    DroppedExclude,
    DroppedReceived,
    DroppedRule,
    DroppedNamespace,
    DroppedDefault,
    DroppedRemote,
    DroppedRate,
    KeptError,
    KeptSlow,
    KeptCallee,
    SpansFinished,
    SpansExported,
    SpansRejected,
    SpansDroppedQueue,
    SpansDroppedRate,
    SpansDroppedExport,
    SpansDroppedShutdown,
    SpansDroppedRestart,
    ExportRequests,
    ExportFailures,
    ExportRetries,
    EntropyFailures,
    WorkerTicks,
}

impl Counter {
    /// All counters, in the order of their declaration.
    pub const ALL: [Self; 64] = [
        Self::TraceContextValid,
        Self::TraceContextMalformed,
        Self::B3Valid,
        Self::B3Malformed,
        Self::B3MultiValid,
        Self::B3MultiMalformed,
        Self::JaegerValid,
        Self::JaegerMalformed,
        Self::XRayValid,
        Self::XRayMalformed,
        Self::DatadogValid,
        Self::DatadogMalformed,
        Self::GrpcTraceBinValid,
        Self::GrpcTraceBinMalformed,
        Self::OtTraceValid,
        Self::OtTraceMalformed,
        Self::GcpValid,
        Self::GcpMalformed,
        Self::RefusedDuplicate,
        Self::RefusedLength,
        Self::RefusedDelimiter,
        Self::RefusedVersion,
        Self::RefusedTraceId,
        Self::RefusedTraceIdZero,
        Self::RefusedSpanId,
        Self::RefusedSpanIdZero,
        Self::RefusedFlags,
        Self::RefusedSampled,
        Self::RefusedEncoding,
        Self::ContextConflict,
        Self::TracestateMalformed,
        Self::TracestateTruncated,
        Self::ContextDuplicateInstall,
        Self::ContextCorrelated,
        Self::BaggageDropped,
        Self::SampledReceived,
        Self::SampledDebug,
        Self::SampledRule,
        Self::SampledNamespace,
        Self::SampledDefault,
        Self::SampledRemote,
        Self::DroppedExclude,
        Self::DroppedReceived,
        Self::DroppedRule,
        Self::DroppedNamespace,
        Self::DroppedDefault,
        Self::DroppedRemote,
        Self::DroppedRate,
        Self::KeptError,
        Self::KeptSlow,
        Self::KeptCallee,
        Self::SpansFinished,
        Self::SpansExported,
        Self::SpansRejected,
        Self::SpansDroppedQueue,
        Self::SpansDroppedRate,
        Self::SpansDroppedExport,
        Self::SpansDroppedShutdown,
        Self::SpansDroppedRestart,
        Self::ExportRequests,
        Self::ExportFailures,
        Self::ExportRetries,
        Self::EntropyFailures,
        Self::WorkerTicks,
    ];

    /// The name behind the common prefix.
    #[inline]
    pub fn name(self) -> &'static str {
        match self {
            Self::TraceContextValid => "context.tracecontext.valid",
            Self::TraceContextMalformed => "context.tracecontext.malformed",
            Self::B3Valid => "context.b3.valid",
            Self::B3Malformed => "context.b3.malformed",
            Self::B3MultiValid => "context.b3multi.valid",
            Self::B3MultiMalformed => "context.b3multi.malformed",
            Self::JaegerValid => "context.jaeger.valid",
            Self::JaegerMalformed => "context.jaeger.malformed",
            Self::XRayValid => "context.xray.valid",
            Self::XRayMalformed => "context.xray.malformed",
            Self::DatadogValid => "context.datadog.valid",
            Self::DatadogMalformed => "context.datadog.malformed",
            Self::GrpcTraceBinValid => "context.grpc-trace-bin.valid",
            Self::GrpcTraceBinMalformed => "context.grpc-trace-bin.malformed",
            Self::OtTraceValid => "context.ottrace.valid",
            Self::OtTraceMalformed => "context.ottrace.malformed",
            Self::GcpValid => "context.gcp.valid",
            Self::GcpMalformed => "context.gcp.malformed",
            Self::RefusedDuplicate => "context.refused.duplicate",
            Self::RefusedLength => "context.refused.length",
            Self::RefusedDelimiter => "context.refused.delimiter",
            Self::RefusedVersion => "context.refused.version",
            Self::RefusedTraceId => "context.refused.trace_id",
            Self::RefusedTraceIdZero => "context.refused.trace_id_zero",
            Self::RefusedSpanId => "context.refused.span_id",
            Self::RefusedSpanIdZero => "context.refused.span_id_zero",
            Self::RefusedFlags => "context.refused.flags",
            Self::RefusedSampled => "context.refused.sampled",
            Self::RefusedEncoding => "context.refused.encoding",
            Self::ContextConflict => "context.conflict",
            Self::TracestateMalformed => "context.tracestate.malformed",
            Self::TracestateTruncated => "context.tracestate.truncated",
            Self::ContextDuplicateInstall => "context.duplicate_install",
            Self::ContextCorrelated => "context.correlated",
            Self::BaggageDropped => "baggage.dropped",
            Self::SampledReceived => "sampled.received",
            Self::SampledDebug => "sampled.debug",
            Self::SampledRule => "sampled.rule",
            Self::SampledNamespace => "sampled.namespace",
            Self::SampledDefault => "sampled.default",
            Self::SampledRemote => "sampled.remote",
            Self::DroppedExclude => "dropped.exclude",
            Self::DroppedReceived => "dropped.received",
            Self::DroppedRule => "dropped.rule",
            Self::DroppedNamespace => "dropped.namespace",
            Self::DroppedDefault => "dropped.default",
            Self::DroppedRemote => "dropped.remote",
            Self::DroppedRate => "dropped.rate",
            Self::KeptError => "kept.error",
            Self::KeptSlow => "kept.slow",
            Self::KeptCallee => "kept.callee",
            Self::SpansFinished => "spans.finished",
            Self::SpansExported => "spans.exported",
            Self::SpansRejected => "spans.rejected",
            Self::SpansDroppedQueue => "spans.dropped_queue",
            Self::SpansDroppedRate => "spans.dropped_rate",
            Self::SpansDroppedExport => "spans.dropped_export",
            Self::SpansDroppedShutdown => "spans.dropped_shutdown",
            Self::SpansDroppedRestart => "spans.dropped_restart",
            Self::ExportRequests => "export.requests",
            Self::ExportFailures => "export.failures",
            Self::ExportRetries => "export.retries",
            Self::EntropyFailures => "entropy.failures",
            Self::WorkerTicks => "worker.ticks",
        }
    }
}

/// A level that goes up and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gauge {
    /// Spans that wait or are under way, over all workers.
    QueueSpans,
    /// Their bytes.
    QueueBytes,
    /// 1 while a configuration is refused and the filter stands aside.
    ConfigRefused,
}

impl Gauge {
    /// All gauges, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::QueueSpans, Self::QueueBytes, Self::ConfigRefused];

    /// The name behind the common prefix.
    #[inline]
    pub fn name(self) -> &'static str {
        match self {
            Self::QueueSpans => "queue.spans",
            Self::QueueBytes => "queue.bytes",
            Self::ConfigRefused => "config.refused",
        }
    }
}

/// What was counted since it was last taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    counts: [u64; Counter::ALL.len()],
}

impl Default for Stats {
    #[inline]
    fn default() -> Self {
        Self {
            counts: [0; Counter::ALL.len()],
        }
    }
}

impl Stats {
    /// Counts one.
    #[inline]
    pub fn add(&mut self, counter: Counter) {
        self.add_many(counter, 1);
    }

    /// Counts several.
    #[inline]
    pub fn add_many(&mut self, counter: Counter, count: usize) {
        if let Some(sum) = self.counts.get_mut(counter as usize) {
            *sum = sum.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }

    /// Counts all that another has counted, which starts again at zero.
    #[inline]
    pub fn add_all(&mut self, other: &mut Self) {
        for (counter, count) in other.take() {
            if let Some(sum) = self.counts.get_mut(counter as usize) {
                *sum = sum.saturating_add(count);
            }
        }
    }

    /// What this counter has reached.
    #[inline]
    pub fn get(&self, counter: Counter) -> u64 {
        self.counts.get(counter as usize).copied().unwrap_or(0)
    }

    /// Hands over every counter that moved, and starts again at zero.
    #[inline]
    pub fn take(&mut self) -> impl Iterator<Item = (Counter, u64)> + use<> {
        let counts = core::mem::take(self).counts;
        Counter::ALL
            .into_iter()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn lists_every_counter_where_its_declaration_puts_it() {
        for (index, counter) in Counter::ALL.into_iter().enumerate() {
            assert_eq!(counter as usize, index, "{}", counter.name());
        }
    }

    #[test]
    fn gives_every_number_a_name_of_its_own() {
        let names: BTreeSet<_> = Counter::ALL
            .map(Counter::name)
            .into_iter()
            .chain(Gauge::ALL.map(Gauge::name))
            .collect();
        assert_eq!(names.len(), Counter::ALL.len() + Gauge::ALL.len());
    }

    #[test]
    fn hands_over_what_moved_and_starts_again() {
        let mut stats = Stats::default();
        stats.add(Counter::ContextConflict);
        stats.add_many(Counter::SpansFinished, 2);
        let taken: alloc::vec::Vec<_> = stats.take().collect();
        assert_eq!(
            taken,
            [(Counter::ContextConflict, 1), (Counter::SpansFinished, 2)]
        );
        assert_eq!(stats.take().count(), 0);
    }
}
