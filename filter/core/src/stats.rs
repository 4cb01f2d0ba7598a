//! The counters and gauges that the filter reports: summed in the worker, and written to the proxy on the tick.
//!
//! A counter in the proxy costs a call for each increment; a sum in the VM costs none. Each thing that is refused or
//! dropped has a counter. Names are without the common prefix.

use strum::{IntoStaticStr, VariantArray};

/// A counter, which only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[expect(
    missing_docs,
    reason = "`name` is the documentation, and the README explains each name"
)]
pub enum Counter {
    #[strum(serialize = "context.tracecontext.valid")]
    TraceContextValid,
    #[strum(serialize = "context.tracecontext.malformed")]
    TraceContextMalformed,
    #[strum(serialize = "context.b3.valid")]
    B3Valid,
    #[strum(serialize = "context.b3.malformed")]
    B3Malformed,
    #[strum(serialize = "context.b3multi.valid")]
    B3MultiValid,
    #[strum(serialize = "context.b3multi.malformed")]
    B3MultiMalformed,
    #[strum(serialize = "context.jaeger.valid")]
    JaegerValid,
    #[strum(serialize = "context.jaeger.malformed")]
    JaegerMalformed,
    #[strum(serialize = "context.xray.valid")]
    XRayValid,
    #[strum(serialize = "context.xray.malformed")]
    XRayMalformed,
    #[strum(serialize = "context.datadog.valid")]
    DatadogValid,
    #[strum(serialize = "context.datadog.malformed")]
    DatadogMalformed,
    #[strum(serialize = "context.grpc-trace-bin.valid")]
    GrpcTraceBinValid,
    #[strum(serialize = "context.grpc-trace-bin.malformed")]
    GrpcTraceBinMalformed,
    #[strum(serialize = "context.ottrace.valid")]
    OtTraceValid,
    #[strum(serialize = "context.ottrace.malformed")]
    OtTraceMalformed,
    #[strum(serialize = "context.gcp.valid")]
    GcpValid,
    #[strum(serialize = "context.gcp.malformed")]
    GcpMalformed,
    #[strum(serialize = "context.refused.duplicate")]
    RefusedDuplicate,
    #[strum(serialize = "context.refused.length")]
    RefusedLength,
    #[strum(serialize = "context.refused.delimiter")]
    RefusedDelimiter,
    #[strum(serialize = "context.refused.version")]
    RefusedVersion,
    #[strum(serialize = "context.refused.trace_id")]
    RefusedTraceId,
    #[strum(serialize = "context.refused.trace_id_zero")]
    RefusedTraceIdZero,
    #[strum(serialize = "context.refused.span_id")]
    RefusedSpanId,
    #[strum(serialize = "context.refused.span_id_zero")]
    RefusedSpanIdZero,
    #[strum(serialize = "context.refused.flags")]
    RefusedFlags,
    #[strum(serialize = "context.refused.sampled")]
    RefusedSampled,
    #[strum(serialize = "context.refused.encoding")]
    RefusedEncoding,
    #[strum(serialize = "context.conflict")]
    ContextConflict,
    #[strum(serialize = "context.tracestate.malformed")]
    TracestateMalformed,
    #[strum(serialize = "context.tracestate.truncated")]
    TracestateTruncated,
    #[strum(serialize = "context.tracestate.restored")]
    TracestateRestored,
    #[strum(serialize = "context.duplicate_install")]
    ContextDuplicateInstall,
    #[strum(serialize = "context.correlated")]
    ContextCorrelated,
    #[strum(serialize = "baggage.dropped")]
    BaggageDropped,
    #[strum(serialize = "sampled.received")]
    SampledReceived,
    #[strum(serialize = "sampled.debug")]
    SampledDebug,
    #[strum(serialize = "sampled.rule")]
    SampledRule,
    #[strum(serialize = "sampled.namespace")]
    SampledNamespace,
    #[strum(serialize = "sampled.default")]
    SampledDefault,
    #[strum(serialize = "sampled.remote")]
    SampledRemote,
    #[strum(serialize = "dropped.exclude")]
    DroppedExclude,
    #[strum(serialize = "dropped.received")]
    DroppedReceived,
    #[strum(serialize = "dropped.rule")]
    DroppedRule,
    #[strum(serialize = "dropped.namespace")]
    DroppedNamespace,
    #[strum(serialize = "dropped.default")]
    DroppedDefault,
    #[strum(serialize = "dropped.remote")]
    DroppedRemote,
    #[strum(serialize = "dropped.rate")]
    DroppedRate,
    #[strum(serialize = "kept.error")]
    KeptError,
    #[strum(serialize = "kept.slow")]
    KeptSlow,
    #[strum(serialize = "kept.callee")]
    KeptCallee,
    #[strum(serialize = "spans.finished")]
    SpansFinished,
    #[strum(serialize = "spans.exported")]
    SpansExported,
    #[strum(serialize = "spans.rejected")]
    SpansRejected,
    #[strum(serialize = "spans.dropped_queue")]
    SpansDroppedQueue,
    #[strum(serialize = "spans.dropped_rate")]
    SpansDroppedRate,
    #[strum(serialize = "spans.dropped_export")]
    SpansDroppedExport,
    #[strum(serialize = "spans.dropped_shutdown")]
    SpansDroppedShutdown,
    #[strum(serialize = "spans.dropped_restart")]
    SpansDroppedRestart,
    #[strum(serialize = "export.requests")]
    ExportRequests,
    #[strum(serialize = "export.failures")]
    ExportFailures,
    #[strum(serialize = "export.retries")]
    ExportRetries,
    #[strum(serialize = "entropy.failures")]
    EntropyFailures,
    #[strum(serialize = "worker.ticks")]
    WorkerTicks,
}

impl Counter {
    /// All counters, in the order of their declaration.
    pub const ALL: [Self; Self::VARIANTS.len()] = *Self::VARIANTS.as_array().unwrap();

    /// Returns the name behind the common prefix.
    #[inline]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A level that goes up and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum Gauge {
    /// Spans in the queues and requests of all workers.
    #[strum(serialize = "queue.spans")]
    QueueSpans,
    /// Bytes in the queues and requests of all workers.
    #[strum(serialize = "queue.bytes")]
    QueueBytes,
    /// The value 1 while the newest configuration is refused, whether an older one runs on or the filter does nothing.
    #[strum(serialize = "config.refused")]
    ConfigRefused,
}

impl Gauge {
    /// All gauges, in the order of their declaration.
    pub const ALL: [Self; Self::VARIANTS.len()] = *Self::VARIANTS.as_array().unwrap();

    /// Returns the name behind the common prefix.
    #[inline]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The counts since the last [`Stats::take`].
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
    /// Counts one event.
    #[inline]
    pub fn add(&mut self, counter: Counter) {
        self.add_many(counter, 1);
    }

    /// Counts several events.
    #[inline]
    pub fn add_many(&mut self, counter: Counter, count: usize) {
        if let Some(sum) = self.counts.get_mut(counter as usize) {
            *sum = sum.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }

    /// Returns the count since the last [`Stats::take`].
    #[inline]
    pub fn get(&self, counter: Counter) -> u64 {
        self.counts.get(counter as usize).copied().unwrap_or(0)
    }

    /// Returns the counts that are not zero, and starts again at zero.
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
