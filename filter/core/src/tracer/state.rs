//! What changes from one request to the next: everything that deciding draws from and adds to. One for each worker.

use crate::config::Config;
use crate::id_generator::{IdGenerator, Random};
use crate::sampling::rate_limit::RateLimits;
use crate::sampling::remote::strategy::Strategy;
use crate::stats::Stats;

/// The state of one worker.
#[derive(Debug)]
pub struct State<E> {
    /// Where ids come from.
    pub ids: IdGenerator<E>,
    /// How much is taken on.
    pub limits: RateLimits,
    /// What a sampling server has told, once it has.
    pub remote: Option<Strategy>,
    /// What has been counted.
    pub stats: Stats,
}

impl<E: Random> State<E> {
    /// The state of a worker that has seen nothing yet.
    #[inline]
    pub fn new(config: &Config, entropy: E) -> Self {
        Self {
            ids: IdGenerator::new(entropy),
            limits: config
                .sampling
                .as_ref()
                .map_or_else(RateLimits::default, |sampling| {
                    RateLimits::new(sampling, config.gateway_keep)
                }),
            remote: None,
            stats: Stats::default(),
        }
    }
}
