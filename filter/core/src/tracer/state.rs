//! The state of a worker that one request leaves for the next: ids, rate limits, the fetched strategy, and counters.

use crate::config::Config;
use crate::export::exporter::SpanExporter;
use crate::id_generator::{IdGenerator, Random};
use crate::sampling::rate_limit::RateLimits;
use crate::sampling::remote::strategy::Strategy;
use crate::span::Span;
use crate::span::spare_blocks::SpareBlocks;
use crate::stats::Stats;
use crate::time::Nanos;

/// The state of one worker.
#[derive(Debug)]
pub struct State<E> {
    /// The generator of ids.
    pub ids: IdGenerator<E>,
    /// The rate limits.
    pub limits: RateLimits,
    /// The strategy of the sampling server, once it was fetched.
    pub remote: Option<Strategy>,
    /// The counters.
    pub stats: Stats,
    /// Blocks for the attributes of spans.
    pub spare_blocks: SpareBlocks,
    /// True once this worker has noted a `tracestate`, so that there may be one to put back.
    pub has_noted_tracestate: bool,
}

impl<E> State<E> {
    /// Hands a finished span to its taker, and keeps the block for another. Always a part of its caller, because a span is
    /// large and would be moved.
    #[inline(always)]
    pub(crate) fn export(&mut self, span: Span, exporter: &mut impl SpanExporter, now: Nanos) {
        exporter.export(&span, now, &mut self.stats);
        self.spare_blocks.give(span.attributes.into_block());
    }
}

impl<E: Random> State<E> {
    /// Returns the state of a worker that has seen no request.
    #[inline]
    pub fn new(config: &Config, random: E) -> Self {
        Self {
            ids: IdGenerator::new(random),
            limits: config
                .sampling
                .as_ref()
                .map_or_else(RateLimits::default, |sampling| {
                    RateLimits::new(sampling, config.gateway_keep)
                }),
            remote: None,
            stats: Stats::default(),
            spare_blocks: SpareBlocks::default(),
            has_noted_tracestate: false,
        }
    }
}
