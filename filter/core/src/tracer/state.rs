//! The state of a worker that one request leaves for the next: ids, rate limits, the fetched strategy, and counters.

use crate::config::Config;
use crate::id_generator::{IdGenerator, Random};
use crate::sampling::rate_limit::RateLimits;
use crate::sampling::remote::strategy::Strategy;
use crate::span::spare_blocks::SpareBlocks;
use crate::stats::Stats;

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
