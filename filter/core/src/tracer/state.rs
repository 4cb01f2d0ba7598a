//! What changes from one request to the next: everything that deciding draws from and adds to. One for each worker.

use crate::config::Config;
use crate::id_generator::{Entropy, IdSource};
use crate::sampling::rate_limit::Limits;
use crate::sampling::remote::strategy::Strategy;
use crate::stats::Stats;

/// The state of one worker.
#[derive(Debug)]
pub struct State<E> {
    /// Where ids come from.
    pub ids: IdSource<E>,
    /// How much is taken on.
    pub limits: Limits,
    /// What a sampling server has told, once it has.
    pub remote: Option<Strategy>,
    /// What has been counted.
    pub stats: Stats,
}

impl<E: Entropy> State<E> {
    /// The state of a worker that has seen nothing yet.
    #[inline]
    pub fn new(config: &Config, entropy: E) -> Self {
        Self {
            ids: IdSource::new(entropy),
            limits: config
                .sampling
                .as_ref()
                .map_or_else(Limits::default, |sampling| {
                    Limits::new(sampling, config.gateway_keep)
                }),
            remote: None,
            stats: Stats::default(),
        }
    }
}
